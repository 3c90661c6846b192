// Findings of cdk-nag that stand on purpose, each by its exact id and with its evidence.
import { Stack, Validations } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** Lets a finding stand. */
export function acknowledge(construct: IConstruct, id: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${id}`, reason });
}

/** Lets a policy's resource with a wildcard stand: this very resource and no other. */
export function acknowledgeResource(construct: IConstruct, resource: string, reason: string): void {
  const id = `IAM5[Resource::${flat(Stack.of(construct).resolve(resource))}]`;
  // CDK takes no ids with a bracket that is not closed, which a prefix of keys may have: that finding stays one.
  if (isBalanced(id)) {
    acknowledge(construct, id, reason);
  }
}

function isBalanced(id: string): boolean {
  const open: string[] = [];
  for (const char of id) {
    const kind = '([{<)]}>'.indexOf(char);
    if (kind >= 4 && open.pop() !== '([{<'[kind - 4]) {
      return false;
    }
    if (kind >= 0 && kind < 4) {
      open.push(char);
    }
  }
  return open.length === 0;
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
