// Findings of cdk-nag that stand on purpose, each by its exact id and with its evidence.
import { Stack, Validations } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** Lets a finding stand. */
export function acknowledge(construct: IConstruct, id: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${id}`, reason });
}

/** Lets a policy's resource with a wildcard stand: this very resource and no other. */
export function acknowledgeResource(construct: IConstruct, resource: string, reason: string): void {
  acknowledge(construct, `IAM5[Resource::${flat(Stack.of(construct).resolve(resource))}]`, reason);
}

/** As cdk-nag writes a value with references. */
function flat(value: unknown): string {
  if (typeof value === 'string') {
    return value.replace(/\$\{/g, '<').replace(/\}/g, '>');
  }
  const node = value as Record<string, unknown>;
  if (Array.isArray(node['Fn::Join'])) {
    const [delimiter, items] = node['Fn::Join'] as [string, unknown[]];
    return items.map(flat).join(delimiter);
  }
  if (Array.isArray(node['Fn::GetAtt'])) {
    return `<${(node['Fn::GetAtt'] as string[]).join('.')}>`;
  }
  return typeof node.Ref === 'string' ? `<${node.Ref}>` : JSON.stringify(value);
}
