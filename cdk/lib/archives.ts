// Trees that are packed into one archive, at times or by hand, and what is unpacked again.
import * as events from 'aws-cdk-lib/aws-events';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { Location } from './location';
import { Fields, Problem, checkFields, checkForm, checkOneOf, checkRange } from './problem';
import { RouteEnd } from './route';
import { checkSchedule, resolveEnd } from './routes';
import { startBy } from './start';
import { StateMachine } from './state-machine';
import { Transfer, TransferOptions, checkOptions } from './transfer';

/** Where an archive is written. */
export interface ArchiveEnd {
  /** Name of the location. */
  readonly location: string;
  /** Name of the bucket. */
  readonly bucket: string;
  /** Its key. `{date}` and `{time}` stand for the start in UTC: `EFSbackup-{date}.tar.gz`. */
  readonly key: string;
}

/** Properties of an archive. */
export interface ArchiveProps {
  /** Name, in metrics and alarms: 1 to 40 letters, digits and hyphens, the first a letter. */
  readonly name: string;
  /** What is packed. */
  readonly source: RouteEnd;
  /** The archive. */
  readonly destination: ArchiveEnd;
  /**
   * When it is packed: `rate(1 day)`, or six fields of `cron(...)` in UTC.
   * @default - never by itself
   */
  readonly schedule?: string;
  /**
   * Its format: tar, tar.gz or tar.zst.
   * @default - by the end of the key
   */
  readonly format?: string;
  /**
   * Level of the compression: 1 to 9 for tar.gz, 1 to 19 for tar.zst.
   * @default - 6 and 3
   */
  readonly level?: number;
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
   * How it is written: partSize, storageClass, encryption, metadata, tags, overwrite, requesterPays.
   * @default - the defaults of the machine
   */
  readonly options?: TransferOptions;
  /**
   * Whether it may be unpacked into the tree again, by hand: then a function may write there.
   * @default false
   */
  readonly restore?: boolean;
}

/** Archives that are made. */
export interface ArchivesProps {
  /** The user's properties. */
  readonly archives: ArchiveProps[];
  /** What they pack. */
  readonly transfers: Transfer[];
  /** The machine that packs. */
  readonly machine: StateMachine;
}

const FIELDS: Fields<ArchiveProps> = {
  name: 'text',
  source: 'object',
  destination: 'object',
  schedule: 'text',
  format: 'text',
  level: 'number',
  include: 'texts',
  exclude: 'texts',
  options: 'object',
  restore: 'flag',
};
const END: Fields<ArchiveEnd> = { location: 'text', bucket: 'text', key: 'text' };
/** Options of a transfer that an archive can follow. */
const OPTIONS = [
  'partSize',
  'storageClass',
  'encryption',
  'metadata',
  'tags',
  'overwrite',
  'requesterPays',
  'copyTags',
];
/** Formats by how keys end, and the highest level of each. */
const FORMATS: readonly (readonly [string, RegExp, number])[] = [
  ['tar', /\.tar$/, 0],
  ['tar.gz', /\.(tar\.gz|tgz)$/, 9],
  ['tar.zst', /\.(tar\.zst|tzst)$/, 19],
];

/**
 * The rights that archives need, in their order: of packing, and where it is asked for of unpacking.
 * @internal
 */
export function resolveArchives(archives: ArchiveProps[], routes: string[], locations: Location[]): Transfer[] {
  const names = new Set(routes.map((name) => name.toLowerCase()));
  return archives.flatMap((archive, index) => {
    const path = `archives[${index}]`;
    const packs = resolveArchive(path, archive, locations);
    if (names.has(archive.name.toLowerCase())) {
      throw new Problem(`${path}.name`, 'a name of its own, also among routes', archive.name);
    }
    names.add(archive.name.toLowerCase());
    const { name, source, destination, options } = packs;
    const back: Transfer = { name, source: destination, destination: source, options, archive: 'unpack' };
    return archive.restore === true ? [packs, back] : [packs];
  });
}

function resolveArchive(path: string, archive: ArchiveProps, locations: Location[]): Transfer {
  checkFields(path, archive, FIELDS);
  for (const field of ['name', 'source', 'destination'] as const) {
    if (archive[field] === undefined) {
      const expected = field === 'name' ? 'a name for metrics and alarms' : '{"location": ..., "bucket": ...}';
      throw new Problem(`${path}.${field}`, `${expected}, found none`);
    }
  }
  checkForm(
    `${path}.name`,
    archive.name,
    /^[A-Za-z][A-Za-z0-9-]{0,39}$/,
    '1 to 40 letters, digits and hyphens, the first a letter',
  );
  checkFields(`${path}.destination`, archive.destination, END);
  const { location, bucket, key } = archive.destination;
  if (key === undefined) {
    throw new Problem(`${path}.destination.key`, 'the key of the archive ({date} stands for the day), found none');
  }
  checkFormat(path, archive);
  checkSchedule(`${path}.schedule`, archive.schedule);
  const source = resolveEnd(`${path}.source`, archive.source, locations);
  // All keys that the name of a day may stand in: what is in front of the first brace.
  const prefix = key.split('{')[0];
  const destination = resolveEnd(`${path}.destination`, { location, bucket, prefix }, locations);
  const options = { copyTags: false, ...archive.options };
  for (const [field, found] of Object.entries(archive.options ?? {})) {
    if (!OPTIONS.includes(field)) {
      throw new Problem(`${path}.options.${field}`, `one of ${OPTIONS.join(', ')}`, found);
    }
  }
  checkOptions(`${path}.options`, options, destination);
  if (source.location === destination.location && source.bucket === destination.bucket) {
    refuseWithin(path, key, source.prefix ?? '');
  }
  return { name: archive.name, source, destination, options, archive: 'pack' };
}

function checkFormat(path: string, { format, level, destination }: ArchiveProps): void {
  checkOneOf(
    `${path}.format`,
    format,
    FORMATS.map(([name]) => name),
  );
  const found = FORMATS.find(([name, ends]) => (format === undefined ? ends.test(destination.key) : name === format));
  if (found === undefined) {
    throw new Problem(`${path}.format`, 'tar, tar.gz or tar.zst, or a key that ends so', destination.key);
  }
  const [name, , most] = found;
  if (most === 0 && level !== undefined) {
    throw new Problem(`${path}.level`, `none for ${name}`, level);
  }
  checkRange(`${path}.level`, level, 1, most);
}

/** An archive in its own tree would be packed into the next one. */
function refuseWithin(path: string, key: string, prefix: string): void {
  if (key.startsWith(prefix)) {
    throw new Problem(`${path}.destination.key`, `a key outside of ${JSON.stringify(prefix)}, which is packed`, key);
  }
}

/** What packs by itself. */
export class Archives extends Construct {
  /** Times at which nothing could be started, by archive. */
  public readonly deadLetters: { [archive: string]: sqs.Queue } = {};
  /** The rules of the schedules, by archive. */
  public readonly rules: { [archive: string]: events.Rule } = {};

  constructor(scope: Construct, id: string, { archives, transfers, machine }: ArchivesProps) {
    super(scope, id);
    for (const archive of archives) {
      const transfer = transfers.find((one) => one.name === archive.name && one.archive === 'pack');
      if (archive.schedule === undefined || transfer === undefined) {
        continue;
      }
      const { rule, deadLetters } = startBy(new Construct(this, archive.name), {
        description: `Packs ${archive.name}`,
        schedule: archive.schedule,
        machine,
        input: events.RuleTargetInput.fromObject(requestOf(archive, transfer)),
      });
      this.rules[archive.name] = rule;
      this.deadLetters[archive.name] = deadLetters;
    }
  }
}

/** The machine's input. */
function requestOf(archive: ArchiveProps, { source, destination, options }: Transfer): Record<string, unknown> {
  const { format, level, include, exclude } = archive;
  return {
    source: {
      location: source.location.locationName,
      bucket: source.bucket.name,
      ...(source.prefix === undefined ? {} : { prefix: source.prefix }),
    },
    destination: {
      location: destination.location.locationName,
      bucket: destination.bucket.name,
      key: archive.destination.key,
    },
    options,
    pack: { format, level, include, exclude },
    route: archive.name,
  };
}
