// Findings of cdk-nag that stand on purpose, each by its exact id and with its evidence.
import { Stack, Validations } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** Lets a finding stand. */
export function acknowledge(construct: IConstruct, id: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${id}`, reason });
}

/**
 * Lets a policy's resource with a wildcard stand: this very resource and no other. A prefix of keys may have spaces and brackets
 * that are not closed. `acknowledge` of CDK would write the one as dashes, which no finding has, and refuse the other, so what it
 * would write is written here as the finding has it.
 */
export function acknowledgeResource(construct: IConstruct, resource: string, reason: string): void {
  const id = `AwsSolutions-IAM5[Resource::${flat(Stack.of(construct).resolve(resource))}]`;
  construct.node.addMetadata(Validations.ACKNOWLEDGED_RULES_METADATA_KEY, { [`Annotation::${id}`]: reason });
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
