// What a route transfers, and how: the options are those of the machine's input.
import { Location } from './location';
import { LocationBucket } from './location-props';
import { SyncOptions } from './sync';
import { Fields, Problem, checkFields, checkForm, checkOneOf, checkRange } from './problem';

/** Encryption at the destination. */
export interface TransferEncryption {
  /** AES256 (keys of S3) or aws:kms. */
  readonly type: string;
  /**
   * ARN of the KMS key; only with aws:kms.
   * @default - the account's own key for S3
   */
  readonly keyId?: string;
  /**
   * Whether one bucket key serves many objects; only with aws:kms.
   * @default false
   */
  readonly bucketKey?: boolean;
}

/** How a source is asked back from an archive tier. */
export interface TransferThaw {
  /**
   * Standard (hours), Bulk (cheapest, up to 48 hours) or Expedited (minutes; not of a deep archive).
   * @default Standard
   */
  readonly tier?: string;
  /**
   * Days that the restored copy is kept, 1 to 365.
   * @default 3
   */
  readonly days?: number;
  /**
   * Hours of waiting after which the transfer fails, 1 to 144.
   * @default 72
   */
  readonly deadlineHours?: number;
}

/** When bytes may begin to move. */
export interface TransferWindow {
  /** When it opens, HH:MM. */
  readonly opens: string;
  /** When it closes, HH:MM, up to 24:00; on the next day, if this is not later. */
  readonly closes: string;
  /**
   * What both times are ahead of UTC, from -12:00 to +14:00.
   * @default +00:00
   */
  readonly utcOffset?: string;
  /**
   * Days on which it opens, of mon, tue, wed, thu, fri, sat, sun.
   * @default - every day
   */
  readonly days?: string[];
}

/** Options of a transfer, as the machine's input has them. */
export interface TransferOptions {
  /**
   * Bytes of a part.
   * @default - the location's, grown to what the object needs
   */
  readonly partSize?: number;
  /**
   * Objects up to this many bytes are sent whole.
   * @default 16777216
   */
  readonly wholeObjectLimit?: number;
  /**
   * Objects up to this many bytes that are sent in parts are sent by one worker, without a Map Run.
   * @default - 0 for what an event or a person starts, 268435456 for the objects of a comparison
   */
  readonly singleWorkerLimit?: number;
  /**
   * Workers at a time for one object, 1 to 10000.
   * @default 64
   */
  readonly maxConcurrency?: number;
  /**
   * Parts that one worker sends at a time, 1 to 16.
   * @default 2
   */
  readonly partsInFlight?: number;
  /**
   * Rounds over what is missing before a transfer is parked, 1 to 100.
   * @default 5
   */
  readonly rounds?: number;
  /**
   * Wait before the second round in seconds, 1 to 3600; doubles with each.
   * @default 5
   */
  readonly backoffSeconds?: number;
  /**
   * When an object at the destination is replaced: ifDifferent, always, never.
   * @default ifDifferent
   */
  readonly overwrite?: string;
  /**
   * Whether parts are cut as the source's were, so that the ETag is the same.
   * @default false
   */
  readonly preserveEtag?: boolean;
  /**
   * Whether the requester pays for reading the source.
   * @default false
   */
  readonly requesterPays?: boolean;
  /**
   * Storage class at the destination.
   * @default - the source's where both know it
   */
  readonly storageClass?: string;
  /**
   * Encryption at the destination.
   * @default - the bucket's
   */
  readonly encryption?: TransferEncryption;
  /**
   * Replaces the source's user metadata.
   * @default - the source's
   */
  readonly metadata?: { [name: string]: string };
  /**
   * Replaces the source's tags.
   * @default - the source's
   */
  readonly tags?: { [name: string]: string };
  /**
   * Whether the source's tags are read and written. False needs fewer rights.
   * @default true
   */
  readonly copyTags?: boolean;
  /**
   * What is done about a source without a checksum of the whole object: once reads it once, readBack twice.
   * @default once
   */
  readonly verify?: string;
  /**
   * Whether the copy of a source that is gone is deleted; true for a route with events `deleted`. Only with overwrite
   * ifDifferent.
   * @default false
   */
  readonly delete?: boolean;
  /**
   * What is done about a source in an archive tier: fail, or thaw (asked back, waited for without a worker, copied).
   * @default fail
   */
  readonly archived?: string;
  /**
   * How a source is asked back; only with archived thaw.
   * @default - the defaults of each
   */
  readonly thaw?: TransferThaw;
  /**
   * Only objects whose user metadata match all of these: patterns (`*`, `?`) by name. Holds for events and comparisons.
   * @default - all objects
   */
  readonly metadataFilter?: { [name: string]: string };
  /**
   * Most bytes per second of all workers of one execution, 131072 or more. Each object that an event tells of has an execution
   * of its own.
   * @default - no limit
   */
  readonly bandwidth?: number;
  /**
   * When bytes may begin to move.
   * @default - at any time
   */
  readonly window?: TransferWindow;
}

/** An end of a transfer, resolved. */
export interface TransferEnd {
  /** The location. */
  readonly location: Location;
  /** The bucket, as the location lists it. */
  readonly bucket: LocationBucket;
  /**
   * Only keys that begin so.
   * @default - all keys
   */
  readonly prefix?: string;
}

/** What is transferred. */
export interface Transfer {
  /** Name, for metrics. */
  readonly name: string;
  /** Where it is read. */
  readonly source: TransferEnd;
  /** Where it is written. */
  readonly destination: TransferEnd;
  /**
   * How.
   * @default - the defaults of the machine
   */
  readonly options?: TransferOptions;
  /**
   * How both ends are compared.
   * @default - they are not
   */
  readonly sync?: SyncOptions;
  /**
   * Whether manifests name its objects.
   * @default false
   */
  readonly manifests?: boolean;
  /**
   * Whether the source is packed into one archive at the destination (pack), or the other way round (unpack).
   * @default - neither: it is copied
   */
  readonly archive?: string;
}

const OPTIONS: Fields<TransferOptions> = {
  partSize: 'number',
  wholeObjectLimit: 'number',
  singleWorkerLimit: 'number',
  maxConcurrency: 'number',
  partsInFlight: 'number',
  rounds: 'number',
  backoffSeconds: 'number',
  overwrite: 'text',
  preserveEtag: 'flag',
  requesterPays: 'flag',
  storageClass: 'text',
  encryption: 'object',
  metadata: 'map',
  tags: 'map',
  copyTags: 'flag',
  verify: 'text',
  delete: 'flag',
  archived: 'text',
  thaw: 'object',
  metadataFilter: 'map',
  bandwidth: 'number',
  window: 'object',
};
const WINDOW: Fields<TransferWindow> = { opens: 'text', closes: 'text', utcOffset: 'text', days: 'texts' };
const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const THAW: Fields<TransferThaw> = { tier: 'text', days: 'number', deadlineHours: 'number' };
const ENCRYPTION: Fields<TransferEncryption> = { type: 'text', keyId: 'text', bucketKey: 'flag' };
/** Classes that any general purpose bucket takes. */
const STORAGE_CLASSES = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
];

/**
 * Refuses what the functions would refuse, before anything is deployed. The ranges are those of functions/wire.
 * @internal
 */
export function checkOptions(path: string, options: TransferOptions, destination: TransferEnd): void {
  checkFields(path, options, OPTIONS);
  checkRange(`${path}.partSize`, options.partSize, 1, 5 * 2 ** 30);
  checkRange(`${path}.wholeObjectLimit`, options.wholeObjectLimit, 0, 5 * 2 ** 30);
  checkRange(`${path}.singleWorkerLimit`, options.singleWorkerLimit, 0, 5 * 2 ** 40);
  checkRange(`${path}.maxConcurrency`, options.maxConcurrency, 1, 10_000);
  checkRange(`${path}.partsInFlight`, options.partsInFlight, 1, 16);
  checkRange(`${path}.rounds`, options.rounds, 1, 100);
  checkRange(`${path}.backoffSeconds`, options.backoffSeconds, 1, 3_600);
  checkOneOf(`${path}.overwrite`, options.overwrite, ['ifDifferent', 'always', 'never']);
  checkOneOf(`${path}.verify`, options.verify, ['once', 'readBack']);
  checkOneOf(`${path}.storageClass`, options.storageClass, STORAGE_CLASSES);
  checkOneOf(`${path}.archived`, options.archived, ['fail', 'thaw']);
  if (options.delete === true && (options.overwrite ?? 'ifDifferent') !== 'ifDifferent') {
    throw new Problem(`${path}.overwrite`, 'ifDifferent where deletions are followed', options.overwrite);
  }
  if (options.metadataFilter !== undefined && Object.keys(options.metadataFilter).length === 0) {
    throw new Problem(`${path}.metadataFilter`, 'at least one name (no filter: all objects)', options.metadataFilter);
  }
  checkRange(`${path}.bandwidth`, options.bandwidth, 131_072, Number.MAX_SAFE_INTEGER);
  checkThaw(`${path}.thaw`, options);
  checkWindow(`${path}.window`, options.window);
  if (JSON.stringify(options).match(/[<>]/)) {
    throw new Problem(path, 'no < and > (an input transformer takes them for its variables)');
  }
  if (options.encryption !== undefined) {
    checkEncryption(`${path}.encryption`, options.encryption, destination);
  }
}

function checkThaw(path: string, { thaw, archived }: TransferOptions): void {
  if (thaw === undefined) {
    return;
  }
  checkFields(path, thaw, THAW);
  if (archived !== 'thaw') {
    throw new Problem(path, 'archived thaw beside it', archived ?? 'fail');
  }
  checkOneOf(`${path}.tier`, thaw.tier, ['Standard', 'Bulk', 'Expedited']);
  checkRange(`${path}.days`, thaw.days, 1, 365);
  checkRange(`${path}.deadlineHours`, thaw.deadlineHours, 1, 144);
}

function checkWindow(path: string, window?: TransferWindow): void {
  if (window === undefined) {
    return;
  }
  checkFields(path, window, WINDOW);
  const time = (field: 'opens' | 'closes', form: RegExp, expected: string) => {
    if (window[field] === undefined) {
      throw new Problem(`${path}.${field}`, `${expected}, found none`);
    }
    checkForm(`${path}.${field}`, window[field], form, expected);
  };
  time('opens', CLOCK, 'a time from 00:00 to 23:59');
  time('closes', new RegExp(`${CLOCK.source}|^24:00$`), 'a time from 00:00 to 24:00');
  if (window.opens === window.closes) {
    throw new Problem(`${path}.closes`, 'another time than opens (no window: always)', window.closes);
  }
  if (window.utcOffset !== undefined) {
    const form = /^(\+(0\d|1[0-3]):[0-5]\d|\+14:00|-(0\d|1[01]):[0-5]\d|-12:00)$/;
    checkForm(`${path}.utcOffset`, window.utcOffset, form, 'an offset from -12:00 to +14:00');
  }
  window.days?.forEach((day, index) => checkOneOf(`${path}.days[${index}]`, day, DAYS));
}

function checkEncryption(path: string, encryption: TransferEncryption, destination: TransferEnd): void {
  checkFields(path, encryption, ENCRYPTION);
  const { type, keyId, bucketKey } = encryption;
  if (type === undefined) {
    throw new Problem(`${path}.type`, 'AES256 or aws:kms, found none');
  }
  checkOneOf(`${path}.type`, type, ['AES256', 'aws:kms']);
  if (type === 'AES256' && (keyId !== undefined || bucketKey !== undefined)) {
    throw new Problem(`${path}.keyId`, 'type aws:kms beside keyId and bucketKey', type);
  }
  if (keyId === undefined) {
    return;
  }
  checkForm(`${path}.keyId`, keyId, /^arn:[^:]+:kms:[^:]+:\d{12}:key\/.+$/, 'ARN of a KMS key');
  const { location, bucket } = destination;
  if (location.usesOwnRole && !(bucket.kmsKeyArns ?? []).includes(keyId)) {
    throw new Problem(
      `${path}.keyId`,
      `a key that locations.${location.locationName}.buckets lists as kmsKeyArns of ${bucket.name}`,
      keyId,
    );
  }
}
