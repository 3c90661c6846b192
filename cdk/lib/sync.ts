// How both ends of a route are compared: the options of the bucket machine's input, refused here as the functions would refuse
// them. Ranges, names and defaults are those of functions/wire and functions/plan.
import { Token } from 'aws-cdk-lib';
import { Fields, Problem, checkFields, checkForm, checkOneOf, checkRange } from './problem';

/** What a comparison deletes at the destination, and what stops it. */
export interface SyncDeletes {
  /**
   * More deletions than this stop the run before the first of them.
   * @default 1000
   */
  readonly maxCount?: number;
  /**
   * A higher share of the destination's objects than this stops it too, in percent.
   * @default 10
   */
  readonly maxPercent?: number;
  /**
   * Whether a source without any object is believed.
   * @default false
   */
  readonly allowEmptySource?: boolean;
}

/** How much a comparison may move: what is beyond is left to the next one. */
export interface SyncBudget {
  /**
   * Most objects.
   * @default - all
   */
  readonly objects?: number;
  /**
   * Most bytes, by the sizes that are listed.
   * @default - all
   */
  readonly bytes?: number;
  /**
   * Most dollars, as `transload plan` estimates them by the list prices, or by `prices`.
   * @default - any
   */
  readonly dollars?: number;
}

/** How both ends are compared, and what follows. */
export interface SyncOptions {
  /**
   * When an object that stands on both sides is the same: none (never), size, checksum, version, newer. With checksum and
   * version the functions look at single objects.
   * @default size
   */
  readonly compare?: string;
  /**
   * Whether versions of the source are listed, and each object is read at the version that was listed: off, listed.
   * @default off
   */
  readonly versions?: string;
  /**
   * Only keys that match one of these, behind the prefix: * and ? stay within a folder, ** does not.
   * @default - all keys
   */
  readonly include?: string[];
  /**
   * But no keys that match one of these.
   * @default - none
   */
  readonly exclude?: string[];
  /**
   * Nor those that match `bucket/key` patterns, where * and ? cross slashes; those of the route's own `ignore` come to them.
   * @default - none
   */
  readonly ignore?: string[];
  /**
   * Smallest size in bytes.
   * @default - any
   */
  readonly minSize?: number;
  /**
   * Largest size in bytes.
   * @default - any
   */
  readonly maxSize?: number;
  /**
   * Only what was changed at or after this time, ISO 8601 in UTC.
   * @default - any
   */
  readonly modifiedAfter?: string;
  /**
   * Only what was changed before this time, ISO 8601 in UTC.
   * @default - any
   */
  readonly modifiedBefore?: string;
  /**
   * Only objects of these storage classes.
   * @default - all
   */
  readonly storageClasses?: string[];
  /**
   * Deletes at the destination what the source does not have; `{}` with the caps' defaults.
   * @default - nothing is deleted
   */
  readonly delete?: SyncDeletes;
  /**
   * How much may be moved: objects, bytes, or both. A run that parks the rest ends well.
   * @default - all
   */
  readonly budget?: SyncBudget;
  /**
   * The table of prices that dollars are counted by, as in a file of `transload plan --prices`. Only beside `budget.dollars`.
   * @default - the list prices of this release
   */
  readonly prices?: { [field: string]: any };
  /**
   * What is done about objects in an archive tier: skip, fail (before the first write, as far as lists tell), thaw.
   * @default skip
   */
  readonly archived?: string;
  /**
   * Objects up to this many bytes are sent in batches, larger ones by an execution each: `options.singleWorkerLimit`.
   * @default 67108864
   */
  readonly batchObjectLimit?: number;
  /**
   * Most objects of a batch, 1 to 1000.
   * @default 500
   */
  readonly batchObjects?: number;
  /**
   * Most bytes of a batch, unless one object alone has more.
   * @default 268435456
   */
  readonly batchBytes?: number;
  /**
   * Objects in flight in one worker, 1 to 256.
   * @default 64
   */
  readonly inFlight?: number;
  /**
   * Batches at a time, 1 to 10000.
   * @default 100
   */
  readonly batchConcurrency?: number;
  /**
   * Large objects at a time, each of them an open map run, 1 to 900.
   * @default 200
   */
  readonly largeConcurrency?: number;
  /**
   * Ranges of keys that are listed at a time, 1 to 64.
   * @default 16
   */
  readonly listers?: number;
}

const SYNC: Fields<SyncOptions> = {
  compare: 'text',
  versions: 'text',
  include: 'texts',
  exclude: 'texts',
  ignore: 'texts',
  minSize: 'number',
  maxSize: 'number',
  modifiedAfter: 'text',
  modifiedBefore: 'text',
  storageClasses: 'texts',
  delete: 'object',
  budget: 'object',
  prices: 'object',
  archived: 'text',
  batchObjectLimit: 'number',
  batchObjects: 'number',
  batchBytes: 'number',
  inFlight: 'number',
  batchConcurrency: 'number',
  largeConcurrency: 'number',
  listers: 'number',
};
const DELETES: Fields<SyncDeletes> = { maxCount: 'number', maxPercent: 'number', allowEmptySource: 'flag' };
const PRICES = ['name', 'sources', 'dollars', 'regions', 'partitions', 'lambda', 'stepFunctions', 'rates'];
const BUDGET: Fields<SyncBudget> = { objects: 'number', bytes: 'number', dollars: 'amount' };
const MOST = Number.MAX_SAFE_INTEGER;
/** As long as a bucket's name, a slash and the longest key. */
const LONGEST_PATTERN = 63 + 1 + 1_024;
const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?$/;

/**
 * Refuses what the functions would refuse.
 * @internal
 */
export function checkSync(path: string, sync: SyncOptions): void {
  checkFields(path, sync, SYNC);
  checkOneOf(`${path}.compare`, sync.compare, ['none', 'size', 'checksum', 'version', 'newer']);
  checkOneOf(`${path}.versions`, sync.versions, ['off', 'listed']);
  checkOneOf(`${path}.archived`, sync.archived, ['skip', 'fail', 'thaw']);
  checkNumbers(path, sync);
  checkFilters(path, sync);
  if (sync.budget !== undefined) {
    checkBudget(`${path}.budget`, sync.budget);
  }
  if (sync.prices !== undefined) {
    checkPrices(`${path}.prices`, sync.prices, sync.budget);
  }
  if (sync.delete !== undefined) {
    checkFields(`${path}.delete`, sync.delete, DELETES);
    checkRange(`${path}.delete.maxCount`, sync.delete.maxCount, 0, MOST);
    checkRange(`${path}.delete.maxPercent`, sync.delete.maxPercent, 0, 100);
  }
}

function checkBudget(path: string, budget: SyncBudget): void {
  checkFields(path, budget, BUDGET);
  if (budget.objects === undefined && budget.bytes === undefined && budget.dollars === undefined) {
    throw new Problem(path, 'objects, bytes or dollars', 'none');
  }
  checkRange(`${path}.objects`, budget.objects, 1, MOST);
  checkRange(`${path}.bytes`, budget.bytes, 1, MOST);
  checkRange(`${path}.dollars`, budget.dollars, 0.000001, 1e9);
}

/** Its numbers are refused by the functions, with their field: here only what is no such table. */
function checkPrices(path: string, prices: { [field: string]: any }, budget: SyncBudget | undefined): void {
  if (budget?.dollars === undefined) {
    throw new Problem(path, 'budget.dollars beside them', 'none');
  }
  const missing = PRICES.filter((field) => prices[field] === undefined);
  if (missing.length > 0) {
    throw new Problem(path, `a table with ${PRICES.join(', ')}`, `none of ${missing.join(', ')}`);
  }
  const unknown = Object.keys(prices).find((field) => !PRICES.includes(field) && field !== 'locations');
  if (unknown !== undefined) {
    throw new Problem(
      `${path}.${unknown}`,
      `no such field; known are ${PRICES.join(', ')}, locations`,
      prices[unknown],
    );
  }
}

function checkNumbers(path: string, sync: SyncOptions): void {
  const ranges: readonly (readonly [keyof SyncOptions & string, number | undefined, number, number])[] = [
    ['minSize', sync.minSize, 0, MOST],
    ['maxSize', sync.maxSize, 0, MOST],
    ['batchObjectLimit', sync.batchObjectLimit, 1, 5 * 2 ** 30],
    ['batchObjects', sync.batchObjects, 1, 1_000],
    ['batchBytes', sync.batchBytes, 1, 2 ** 40],
    ['inFlight', sync.inFlight, 1, 256],
    ['batchConcurrency', sync.batchConcurrency, 1, 10_000],
    ['largeConcurrency', sync.largeConcurrency, 1, 900],
    ['listers', sync.listers, 1, 64],
  ];
  for (const [field, found, least, most] of ranges) {
    checkRange(`${path}.${field}`, found, least, most);
  }
}

function checkFilters(path: string, sync: SyncOptions): void {
  for (const field of ['include', 'exclude'] as const) {
    sync[field]?.forEach((pattern, index) => checkPattern(`${path}.${field}[${index}]`, pattern));
  }
  checkIgnore(`${path}.ignore`, sync.ignore ?? []);
  for (const field of ['modifiedAfter', 'modifiedBefore'] as const) {
    checkTime(`${path}.${field}`, sync[field]);
  }
  sync.storageClasses?.forEach((one, index) =>
    checkForm(`${path}.storageClasses[${index}]`, one, /^[A-Z0-9_]+$/, 'a name such as STANDARD_IA'),
  );
  checkBetween(path, 'minSize', 'maxSize', sync.minSize, sync.maxSize, false);
  const [after, before] = [sync.modifiedAfter, sync.modifiedBefore].map(seconds);
  checkBetween(path, 'modifiedAfter', 'modifiedBefore', after, before, true);
}

function checkPattern(path: string, pattern: string): void {
  const bytes = Buffer.byteLength(pattern);
  if (bytes < 1 || bytes > LONGEST_PATTERN || pattern.includes('\0')) {
    throw new Problem(path, `a pattern of 1 to ${LONGEST_PATTERN} bytes without NUL`, pattern);
  }
}

/**
 * A pattern that no `bucket/key` can match is a mistake: what it was to keep out would be copied.
 * @internal
 */
export function checkIgnore(path: string, patterns: string[]): void {
  patterns.forEach((pattern, index) => {
    checkPattern(`${path}[${index}]`, pattern);
    const [, name, next] = /^([^/*?]*)([/*?]?)/.exec(pattern.trim()) ?? [];
    if (next === '' && name !== '') {
      throw new Problem(`${path}[${index}]`, 'a pattern of bucket/key, with a slash or a wildcard', pattern);
    }
    if (!/^[a-z0-9.-]{0,63}$/.test(name) || (next === '/' && name.length < 3)) {
      throw new Problem(`${path}[${index}]`, "a pattern that begins with a bucket's name or a wildcard", pattern);
    }
  });
}

/** A day that there is not, such as the 31st of June, is another one once it is read. */
function checkTime(path: string, found: string | undefined): void {
  checkForm(path, found, TIME, 'a time in UTC such as 2026-01-31 or 2026-01-31T12:00:00Z');
  if (found === undefined || Token.isUnresolved(found)) {
    return;
  }
  const read = new Date(found);
  if (Number.isNaN(read.getTime()) || !read.toISOString().startsWith(found.slice(0, 10))) {
    throw new Problem(path, 'a time that there is', found);
  }
}

function seconds(time: string | undefined): number | undefined {
  return time === undefined || Token.isUnresolved(time) ? undefined : Math.floor(Date.parse(time) / 1_000);
}

function checkBetween(
  path: string,
  low: keyof SyncOptions & string,
  high: keyof SyncOptions & string,
  least: number | undefined,
  most: number | undefined,
  strictly: boolean,
): void {
  if (least === undefined || most === undefined || Token.isUnresolved(least) || Token.isUnresolved(most)) {
    return;
  }
  if (least > most || (strictly && least === most)) {
    throw new Problem(`${path}.${low}`, `less than ${high}, or nothing is left between them`);
  }
}
