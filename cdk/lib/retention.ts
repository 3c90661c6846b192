// What is kept when the stack is deleted, and for how long logs are kept.
import { RemovalPolicy } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { Problem } from './problem';

/** What is kept. */
export interface RetentionProps {
  /**
   * Days that logs are kept, of those that CloudWatch Logs knows.
   * @default 30
   */
  readonly logRetentionDays?: number;
  /**
   * Whether logs and the results bucket outlive the stack. With false both are deleted with it, and the deletion fails
   * as long as the bucket holds results.
   * @default true
   */
  readonly retain?: boolean;
}

/**
 * A stack that could not be created leaves nothing behind in either case.
 * @internal
 */
export function removalPolicy(props: RetentionProps): RemovalPolicy {
  return props.retain === false ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
}

/** @internal */
export function logGroup(scope: Construct, props: RetentionProps, logGroupName?: string): logs.LogGroup {
  return new logs.LogGroup(scope, 'Logs', {
    logGroupName,
    retention: (props.logRetentionDays ?? 30) as logs.RetentionDays,
    removalPolicy: removalPolicy(props),
  });
}

/** @internal */
export function checkRetention(path: string, days: number | undefined): void {
  const known = Object.values(logs.RetentionDays).filter(
    (value): value is logs.RetentionDays => typeof value === 'number' && value < 9_999,
  );
  if (days !== undefined && !known.includes(days)) {
    throw new Problem(path, `one of ${known.sort((a, b) => a - b).join(', ')} days`, days);
  }
}
