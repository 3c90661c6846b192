// Routes against locations: whether each can work, and whether all of them together come to an end.
import { Stack, Token } from 'aws-cdk-lib';
import { Location } from './location';
import { partitionOfStack } from './partition';
import { Fields, Problem, checkFields, checkForm, checkOneOf, checkRange } from './problem';
import { RouteEnd, RouteProps, hasEvents, isTold } from './route';
import { SyncOptions, checkIgnore, checkSync } from './sync';
import { Transfer, TransferEnd, TransferOptions, checkOptions } from './transfer';

const FIELDS: Fields<RouteProps> = {
  name: 'text',
  source: 'object',
  destination: 'object',
  ignore: 'texts',
  events: 'texts',
  notifications: 'flag',
  schedule: 'text',
  sync: 'object',
  manifests: 'flag',
  options: 'object',
  retryAttempts: 'number',
  maxEventAgeHours: 'number',
};
const END: Fields<RouteEnd> = { location: 'text', bucket: 'text', prefix: 'text' };

/** What the routes transfer, in their order. Refuses what can not work. */
export function resolveRoutes(routes: RouteProps[], locations: Location[]): Transfer[] {
  const transfers = routes.map((route, index) => resolveRoute(`routes[${index}]`, route, locations));
  routes.forEach((route, index) => {
    if (routes.findIndex((other) => other.name.toLowerCase() === route.name.toLowerCase()) < index) {
      throw new Problem(`routes[${index}].name`, 'a name of its own', route.name);
    }
  });
  refuseCircles(routes, transfers);
  return transfers;
}

function resolveRoute(path: string, route: RouteProps, locations: Location[]): Transfer {
  checkFields(path, route, FIELDS);
  for (const field of ['name', 'source', 'destination'] as const) {
    if (route[field] === undefined) {
      throw new Problem(
        `${path}.${field}`,
        field === 'name' ? 'a name for metrics and alarms, found none' : '{"location": ..., "bucket": ...}, found none',
      );
    }
  }
  checkForm(
    `${path}.name`,
    route.name,
    /^[A-Za-z][A-Za-z0-9-]{0,39}$/,
    '1 to 40 letters, digits and hyphens, the first a letter',
  );
  checkRange(`${path}.retryAttempts`, route.retryAttempts, 0, 185);
  checkRange(`${path}.maxEventAgeHours`, route.maxEventAgeHours, 1, 24);
  const source = resolveEnd(`${path}.source`, route.source, locations);
  const prefix = route.source.prefix ?? '';
  if (isTold(route) && (route.destination.prefix ?? prefix) !== prefix) {
    throw new Problem(
      `${path}.destination.prefix`,
      `${JSON.stringify(prefix)} as at the source (or none), for EventBridge and queues hand keys on as they are`,
      route.destination.prefix,
    );
  }
  const destination = resolveEnd(
    `${path}.destination`,
    { ...route.destination, prefix: route.destination.prefix ?? route.source.prefix },
    locations,
  );
  checkEvents(path, route, source);
  if (route.notifications === true) {
    checkNotifications(path, route, source);
  }
  const options = optionsOf(route);
  if (options !== undefined) {
    checkOptions(`${path}.options`, options, destination);
  }
  const sync = resolveSync(path, route, source, destination);
  if (route.manifests === true && sync === undefined) {
    throw new Problem(`${path}.manifests`, 'sync or a schedule beside it, for it is for runs that compare', true);
  }
  return { name: route.name, source, destination, options, sync, manifests: route.manifests };
}

/** Events of deletions are for routes that follow them. */
function optionsOf({ events, options }: RouteProps): TransferOptions | undefined {
  return events?.includes('deleted') ? { ...options, delete: true } : options;
}

/** How the ends are compared, with the route's own ignore list; undefined if they are not. */
function resolveSync(
  path: string,
  route: RouteProps,
  source: TransferEnd,
  destination: TransferEnd,
): SyncOptions | undefined {
  checkSchedule(`${path}.schedule`, route.schedule);
  if (route.sync === undefined && route.schedule === undefined) {
    return undefined;
  }
  const sync = route.sync ?? {};
  checkSync(`${path}.sync`, sync);
  checkIgnore(`${path}.ignore`, route.ignore ?? []);
  if (sync.versions === 'listed' && source.location.usesOwnRole && source.bucket.versions !== true) {
    throw new Problem(
      `${path}.sync.versions`,
      `"versions": true at ${source.bucket.name} in locations.${source.location.locationName}.buckets beside it`,
      sync.versions,
    );
  }
  refuseOverlap(path, source, destination);
  const ignore = [...(route.ignore ?? []), ...(sync.ignore ?? [])];
  return ignore.length === 0 ? sync : { ...sync, ignore };
}

const RATE = /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$/;
const CRON = /^cron\([^ ()]+( [^ ()]+){5}\)$/;

/** @internal */
export function checkSchedule(path: string, schedule: string | undefined): void {
  if (schedule === undefined || Token.isUnresolved(schedule) || RATE.test(schedule) || CRON.test(schedule)) {
    return;
  }
  throw new Problem(path, 'rate(1 hour), rate(15 minutes), or cron(...) with six fields in UTC', schedule);
}

/** What is copied into its own source is listed as a source the next time, and copied again, one level deeper. */
function refuseOverlap(path: string, source: TransferEnd, destination: TransferEnd): void {
  const one =
    source.location.locationName === destination.location.locationName &&
    source.bucket.name === destination.bucket.name;
  const [from, to] = [source.prefix ?? '', destination.prefix ?? ''];
  if (one && (from.startsWith(to) || to.startsWith(from))) {
    throw new Problem(`${path}.destination`, "a prefix apart from the source's in the same bucket", to);
  }
}

/**
 * Where URLs may be written.
 * @internal
 */
export function resolveDestinations(ends: RouteEnd[], locations: Location[]): TransferEnd[] {
  return ends.map((end, index) => resolveEnd(`https.destinations[${index}]`, end, locations));
}

/** @internal */
export function resolveEnd(path: string, end: RouteEnd, locations: Location[]): TransferEnd {
  checkFields(path, end, END);
  for (const field of ['location', 'bucket'] as const) {
    if (end[field] === undefined) {
      throw new Problem(`${path}.${field}`, `the name of a ${field}, found none`);
    }
  }
  const location = locations.find((one) => one.locationName === end.location);
  if (location === undefined) {
    throw new Problem(
      `${path}.location`,
      `one of locations (${locations.map((one) => one.locationName).join(', ')})`,
      end.location,
    );
  }
  // A prefix becomes part of a policy, a pattern and a variable: S3 would take more than these.
  checkForm(
    `${path}.prefix`,
    end.prefix,
    /^[^\u0000-\u001f"\\<>]{1,512}$/u,
    'up to 512 characters but control characters, quotation marks, backslashes and angle brackets',
  );
  return { location, bucket: location._bucket(path, end.bucket, end.prefix ?? ''), prefix: end.prefix };
}

function checkEvents(path: string, route: RouteProps, source: TransferEnd): void {
  const events = route.events ?? ['created'];
  events.forEach((event, index) => checkOneOf(`${path}.events[${index}]`, event, ['created', 'deleted']));
  const ignore = route.ignore ?? [];
  if (ignore.length > 0 && route.source.prefix !== undefined && hasEvents(route)) {
    throw new Problem(
      `${path}.ignore`,
      'no prefix beside it, for EventBridge compares a key either with a prefix or with what it must not be; ' +
        'write one of the two, or routes with finer prefixes',
      ignore,
    );
  }
  if (!hasEvents(route)) {
    if (ignore.length > 0 && route.sync === undefined && route.schedule === undefined) {
      throw new Problem(`${path}.ignore`, 'events, a schedule or sync beside it, for it filters these', ignore);
    }
    return;
  }
  refuseFiles(`${path}.events`, source, '[], for a file system tells nobody of its files; compare by a schedule');
  const own = partitionOfStack(Stack.of(source.location));
  const { partition } = source.location;
  if (own === undefined || Token.isUnresolved(partition) || partition === own) {
    return;
  }
  throw new Problem(
    `${path}.events`,
    `[], for events of ${source.location.locationName} (${partition ?? 'not of AWS'}) do not reach a stack in ${own}; ` +
      'deploy the stack where the source is, or start transfers by hand',
    events,
  );
}

function refuseFiles(path: string, { location }: TransferEnd, expected: string): void {
  if (location.isFiles) {
    throw new Problem(path, `${expected}; found location ${location.locationName}`);
  }
}

/** S3 writes to queues of the bucket's own Region; and it writes to a queue whose policy names the bucket and its owner. */
function checkNotifications(path: string, { ignore, source: { prefix = '' } }: RouteProps, source: TransferEnd): void {
  refuseFiles(`${path}.notifications`, source, 'a bucket, for a file system tells nobody of its files');
  const { location } = source;
  const { region } = Stack.of(location);
  const own = partitionOfStack(Stack.of(location));
  const isOwn = own === undefined || Token.isUnresolved(location.partition) || location.partition === own;
  const there = location.props.region ?? region;
  const isNear = Token.isUnresolved(region) || Token.isUnresolved(there) || there === region;
  if (location.partition === undefined || !isOwn || !isNear) {
    throw new Problem(
      `${path}.notifications`,
      `a bucket of the stack's Region (${Token.isUnresolved(region) ? (own ?? 'its own') : region}), for S3 sends to no queue of another one; found ` +
        `location ${location.locationName} (${location.partition === undefined ? 'not of AWS' : there})`,
    );
  }
  if (location._owner === undefined) {
    throw new Problem(
      `locations.${location.locationName}.expectedBucketOwner`,
      `the account that owns ${source.bucket.name}, for the queue of ${path} takes its notifications and no others`,
    );
  }
  if ((ignore ?? []).length > 0) {
    throw new Problem(
      `${path}.ignore`,
      'none with notifications: the bucket filters them itself, by prefix and suffix, where they are set up',
      ignore,
    );
  }
  if (prefix.startsWith('{%')) {
    throw new Problem(`${path}.source.prefix`, 'another beginning than {%, which begins an expression', prefix);
  }
}

/** Whether what one route writes is what events of the other tell of. */
function feeds(from: Transfer, to: Transfer): boolean {
  const [one, other] = [from.destination.prefix ?? '', to.source.prefix ?? ''];
  return from.destination.bucket.name === to.source.bucket.name && (one.startsWith(other) || other.startsWith(one));
}

/**
 * Whether a route sends on what another one has just written. Events do. A schedule does unless it compares what both ends hold:
 * a copy has the size and the checksum of what it was made from, but not its version and not its date.
 */
function sendsOn({ schedule, sync, ...route }: RouteProps): boolean {
  return isTold(route) || (schedule !== undefined && !['size', 'checksum'].includes(sync?.compare ?? 'size'));
}

/** Objects that go round without end cost money without end. */
function refuseCircles(routes: RouteProps[], transfers: Transfer[]): void {
  const follow = (start: number, at: number, seen: number[]): void => {
    transfers.forEach((next, index) => {
      if (!sendsOn(routes[index]) || !feeds(transfers[at], next)) {
        return;
      }
      if (index === start) {
        const circle = [...seen, start].map((one) => routes[one].name).join(' -> ');
        throw new Problem(
          `routes[${start}]`,
          `no way back to its own source, found ${circle}: every object would be copied for ever`,
        );
      }
      if (!seen.includes(index)) {
        follow(start, index, [...seen, index]);
      }
    });
  };
  routes.forEach((route, index) => {
    if (sendsOn(route)) {
      follow(index, index, [index]);
    }
  });
}
