// One way that objects go by themselves: events of a bucket start the machine.
import * as events from 'aws-cdk-lib/aws-events';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { Problem } from './problem';
import { startByEvents } from './start';
import { StateMachine } from './state-machine';
import { Transfer, TransferOptions } from './transfer';
import { eventWildcard, keyPatterns } from './wildcard';

/** An end of a route. */
export interface RouteEnd {
  /** Name of the location. */
  readonly location: string;
  /** Name of the bucket. */
  readonly bucket: string;
  /**
   * Only keys that begin so. Keys are kept, so both ends of a route have the same prefix.
   * @default - all keys; at the destination the source's prefix
   */
  readonly prefix?: string;
}

/** Properties of a route. */
export interface RouteProps {
  /** Name, in metrics and alarms: 1 to 40 letters, digits and hyphens, the first a letter. */
  readonly name: string;
  /** Where objects come from. */
  readonly source: RouteEnd;
  /** Where they go. */
  readonly destination: RouteEnd;
  /**
   * Objects that are left out: `bucket/key` patterns, * for any characters. Not together with a prefix, for EventBridge
   * compares a key either with a prefix or with what it must not be.
   * @default - none
   */
  readonly ignore?: string[];
  /**
   * What starts a transfer: created, or nothing at all (an empty list: the route is for transfers by hand).
   * @default - created
   */
  readonly events?: string[];
  /**
   * How objects are transferred.
   * @default - the defaults of the machine
   */
  readonly options?: TransferOptions;
  /**
   * How often EventBridge tries to start the machine, 0 to 185.
   * @default 185
   */
  readonly retryAttempts?: number;
  /**
   * How long EventBridge tries, in hours, 1 to 24. After that the event is among the dead letters.
   * @default 24
   */
  readonly maxEventAgeHours?: number;
}

/** A route's properties, resolved. */
export interface RouteConstructProps {
  /** The user's properties. */
  readonly route: RouteProps;
  /** What it transfers. */
  readonly transfer: Transfer;
  /** The machine that it starts. */
  readonly machine: StateMachine;
}

/** EventBridge takes patterns of so many characters. */
const LONGEST_PATTERN = 2_048;

/** A rule that starts the machine for objects of a bucket. */
export class Route extends Construct {
  /** Lets an own bucket tell EventBridge of its objects, without the helper function that CDK would add for that. */
  public static sendEvents(bucket: s3.Bucket): void {
    (bucket.node.defaultChild as s3.CfnBucket).addPropertyOverride(
      'NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled',
      true,
    );
  }

  /** Its name. */
  public readonly routeName: string;
  /** Events that could not start the machine; undefined for a route without events. */
  public readonly deadLetters?: sqs.Queue;
  /** The rule; undefined for a route without events. */
  public readonly rule?: events.Rule;

  constructor(scope: Construct, id: string, props: RouteConstructProps) {
    super(scope, id);
    const { route, transfer, machine } = props;
    this.routeName = route.name;
    if (!hasEvents(route)) {
      return;
    }
    const { rule, deadLetters } = startByEvents(this, {
      description: `Transfers of route ${route.name}`,
      pattern: patternOf(route),
      machine,
      input: inputOf(transfer),
      retryAttempts: route.retryAttempts,
      maxEventAgeHours: route.maxEventAgeHours,
    });
    this.rule = rule;
    this.deadLetters = deadLetters;
  }
}

/** Whether events start this route's transfers. */
export function hasEvents(route: RouteProps): boolean {
  return (route.events ?? ['created']).length > 0;
}

/** What S3 tells EventBridge, in its own form. */
function patternOf(route: RouteProps): events.EventPattern {
  const { bucket, prefix = '' } = route.source;
  const ignored = ignoredKeys(route);
  const key =
    prefix !== '' ? [{ prefix }] : ignored.length > 0 ? [{ 'anything-but': { wildcard: ignored } }] : undefined;
  const pattern = {
    source: ['aws.s3'],
    detailType: ['Object Created'],
    detail: { bucket: { name: [bucket] }, ...(key === undefined ? {} : { object: { key } }) },
  };
  const length = JSON.stringify(pattern).length;
  if (length > LONGEST_PATTERN) {
    throw new Problem(
      `routes.${route.name}.ignore`,
      `an event pattern of at most ${LONGEST_PATTERN} characters`,
      length,
    );
  }
  return pattern;
}

/** The ignored keys of the route's bucket, as wildcards. A list may serve several routes: what is about others is dropped. */
function ignoredKeys(route: RouteProps): string[] {
  const found = (route.ignore ?? []).flatMap((pattern, index) =>
    keyPatterns(pattern, route.source.bucket).map((one) => eventWildcard(`routes.${route.name}.ignore[${index}]`, one)),
  );
  return [...new Set(found)];
}

/**
 * The machine's input. The key is handed on as it is. No version id, on purpose: events come late and in any order, and every
 * transfer reads what is newest when it starts. The route's name is a dimension of its metrics.
 */
function inputOf({ name, source, destination, options }: Transfer): events.RuleTargetInput {
  const key = events.EventField.fromPath('$.detail.object.key');
  return events.RuleTargetInput.fromObject({
    source: { location: source.location.locationName, bucket: source.bucket.name, key },
    destination: { location: destination.location.locationName, bucket: destination.bucket.name, key },
    ...(options === undefined ? {} : { options }),
    route: name,
  });
}
