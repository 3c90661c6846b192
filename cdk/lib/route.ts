// One way that objects go by themselves: events of a bucket start the machine of transfers, times that of comparisons.
import * as events from 'aws-cdk-lib/aws-events';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { Notifications } from './notifications';
import { Problem } from './problem';
import { RetentionProps } from './retention';
import { Started, startBy } from './start';
import { StateMachine } from './state-machine';
import { SyncOptions } from './sync';
import { Transfer, TransferEnd, TransferOptions } from './transfer';
import { eventWildcard, keyPatterns } from './wildcard';

/** An end of a route. */
export interface RouteEnd {
  /** Name of the location. */
  readonly location: string;
  /** Name of the bucket. */
  readonly bucket: string;
  /**
   * Only keys that begin so. Events hand keys on as they are, so both ends of a route with events have the same prefix; without
   * events what follows the one follows the other.
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
   * Objects that are left out: `bucket/key` patterns, * for any characters. Where there are events not together with a prefix,
   * for EventBridge compares a key either with a prefix or with what it must not be.
   * @default - none
   */
  readonly ignore?: string[];
  /**
   * What starts a transfer: created, deleted (then the copy of what is gone is deleted), or nothing at all (an empty list: the route is for a schedule, or for transfers by hand).
   * @default - created
   */
  readonly events?: string[];
  /**
   * Whether the route has a queue for classic notifications of S3, for buckets that do not send their events to EventBridge. The
   * bucket's notification has to name the queue. Without `"events": []` beside it, EventBridge starts a transfer as well.
   * @default false
   */
  readonly notifications?: boolean;
  /**
   * When both ends are compared, and what is missing or differs is transferred: `rate(1 hour)`, or six fields of `cron(...)` in
   * UTC.
   * @default - never by itself
   */
  readonly schedule?: string;
  /**
   * How both ends are compared, by the schedule and by hand; `{}` with all defaults. Without it and without a schedule the
   * functions that compare have no right on the route's ends.
   * @default - with a schedule `{}`, else they are not compared
   */
  readonly sync?: SyncOptions;
  /**
   * Whether people may name the objects of a run by hand (`transload sync --stack NAME --manifest FILE`): then the functions that
   * compare may look at single objects, whatever `sync.compare` says.
   * @default false
   */
  readonly manifests?: boolean;
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
export interface RouteConstructProps extends RetentionProps {
  /** The user's properties. */
  readonly route: RouteProps;
  /** What it transfers. */
  readonly transfer: Transfer;
  /** The machine that its events start. */
  readonly machine: StateMachine;
  /** The machine that its schedule starts. */
  readonly bucketMachine: StateMachine;
  /** File of the definition that reads its notifications. */
  readonly definitionFile: string;
  /** Name of the machine that reads its notifications. */
  readonly machineName: string;
}

/** Events by S3's names. */
const DETAIL_TYPES = [
  ['created', 'Object Created'],
  ['deleted', 'Object Deleted'],
] as const;
/** EventBridge takes patterns of so many characters. */
const LONGEST_PATTERN = 2_048;
/** And constant inputs of so many. */
const LONGEST_INPUT = 8_192;

/** Rules that start the machines for objects of a bucket. */
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
  /** Times at which no comparison could be started; undefined for a route without a schedule. */
  public readonly scheduleDeadLetters?: sqs.Queue;
  /** The rule of the schedule; undefined for a route without one. */
  public readonly scheduleRule?: events.Rule;
  /** Its queue and what reads it; undefined for a route without notifications. */
  public readonly notifications?: Notifications;

  constructor(scope: Construct, id: string, props: RouteConstructProps) {
    super(scope, id);
    this.routeName = props.route.name;
    if (hasEvents(props.route)) {
      const { rule, deadLetters } = this.startByEvents(props);
      this.rule = rule;
      this.deadLetters = deadLetters;
    }
    if (props.route.schedule !== undefined) {
      const { rule, deadLetters } = this.startByTime(props.route.schedule, props);
      this.scheduleRule = rule;
      this.scheduleDeadLetters = deadLetters;
    }
    if (props.route.notifications === true) {
      const { definitionFile, machineName, transfer, machine: starts, logRetentionDays, retain } = props;
      const reads = { definitionFile, machineName, transfer, starts, logRetentionDays, retain };
      this.notifications = new Notifications(this, 'Notifications', reads);
    }
  }

  private startByEvents({ route, transfer, machine }: RouteConstructProps): Started {
    return startBy(this, {
      description: `Transfers of route ${route.name}`,
      pattern: patternOf(route),
      machine,
      input: inputOf(transfer),
      retryAttempts: route.retryAttempts,
      maxEventAgeHours: route.maxEventAgeHours,
    });
  }

  private startByTime(schedule: string, { route, transfer, bucketMachine }: RouteConstructProps): Started {
    return startBy(new Construct(this, 'Schedule'), {
      description: `Comparisons of route ${route.name}`,
      schedule,
      machine: bucketMachine,
      input: events.RuleTargetInput.fromObject(requestOf(transfer)),
      retryAttempts: route.retryAttempts,
      maxEventAgeHours: route.maxEventAgeHours,
    });
  }
}

/** Whether keys come from outside, as EventBridge or a queue hands them on. */
export function isTold(route: RouteProps): boolean {
  return hasEvents(route) || route.notifications === true;
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
    detailType: DETAIL_TYPES.filter(([event]) => (route.events ?? ['created']).includes(event)).map(([, type]) => type),
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

/** The input of the machine that compares: the whole route, with its options. */
function requestOf({ name, source, destination, options, sync }: Transfer): Record<string, unknown> {
  const tree = ({ location, bucket, prefix }: TransferEnd): object => ({
    location: location.locationName,
    bucket: bucket.name,
    ...(prefix === undefined ? {} : { prefix }),
  });
  const request = {
    source: tree(source),
    destination: tree(destination),
    // What a comparison deletes, it counts before.
    ...(options === undefined ? {} : { options: { ...options, delete: undefined } }),
    sync: sync ?? {},
    route: name,
  };
  const length = JSON.stringify(request).length;
  if (length > LONGEST_INPUT) {
    throw new Problem(
      `routes.${name}.sync`,
      `an input of at most ${LONGEST_INPUT} characters (shorter lists of patterns)`,
      length,
    );
  }
  return request;
}
