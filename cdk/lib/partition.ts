// Partitions of AWS, by the names of their Regions and hosts. Accounts, credentials and ARNs end at a partition's border.
import { Stack, Token } from 'aws-cdk-lib';

/** The partitions whose Regions are known by the form of their names. */
export const PARTITIONS = ['aws', 'aws-cn', 'aws-us-gov', 'aws-eusc'];

/** The partition of a Region; undefined for what is no Region of AWS, or not known before deployment. */
export function partitionOfRegion(region: string | undefined): string | undefined {
  if (region === undefined || Token.isUnresolved(region) || !/^[a-z]+(-[a-z]+)+-\d+$/.test(region)) {
    return undefined;
  }
  if (region.startsWith('cn-')) {
    return 'aws-cn';
  }
  if (region.startsWith('us-gov-')) {
    return 'aws-us-gov';
  }
  return region.startsWith('eusc-') ? 'aws-eusc' : 'aws';
}

/** The partition whose domain an endpoint's host is of; undefined for stores that are not of AWS. */
export function partitionOfEndpoint(endpoint: string | undefined): string | undefined {
  const host =
    endpoint
      ?.replace(/^https?:\/\//, '')
      .replace(/[:/].*$/, '')
      .toLowerCase() ?? '';
  if (/(^|\.)amazonaws\.com\.cn$/.test(host)) {
    return 'aws-cn';
  }
  if (/(^|\.)amazonaws\.eu$/.test(host)) {
    return 'aws-eusc';
  }
  // GovCloud shares the global domain.
  return /(^|\.)amazonaws\.com$/.test(host) ? (host.includes('us-gov-') ? 'aws-us-gov' : 'aws') : undefined;
}

/** The partition of an ARN. */
export function partitionOfArn(arn: string): string | undefined {
  return Token.isUnresolved(arn) ? undefined : /^arn:([^:]+):/.exec(arn)?.[1];
}

/** The Region of an ARN; undefined for a name. */
export function regionOfArn(arn: string | undefined): string | undefined {
  return arn === undefined || Token.isUnresolved(arn) ? undefined : /^arn:[^:]+:[^:]+:([^:]+):/.exec(arn)?.[1];
}

/** The partition a stack is deployed to; undefined for a stack that is told only when it is deployed. */
export function partitionOfStack(stack: Stack): string | undefined {
  return partitionOfRegion(stack.region);
}
