// Everything: functions, the machines of transfers and of comparisons, the janitor, routes, alarms, and if asked for a network.
import * as path from 'node:path';
import { Stack, Tags, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { architectureOf } from './architecture';
import { ArchiveProps, Archives, resolveArchives } from './archives';
import { Browse, BrowseProps } from './browse';
import { Credits } from './credits';
import { FileSystem, filesLocation } from './file-system';
import { defaultCode, definitionFile } from './files';
import { ALL_FUNCTIONS, ARCHIVE_FUNCTIONS, BUCKET_FUNCTIONS, FUNCTIONS, OBJECT_FUNCTIONS } from './grants';
import { HttpsProps, checkHttps } from './https';
import { Janitor } from './janitor';
import { Location } from './location';
import { LocationProps } from './location-props';
import { Network, NetworkProps } from './network';
import { Observability } from './observability';
import { Fields, Problem, checkFields, refuseKeys } from './problem';
import { ResultsBucket } from './results-bucket';
import { RetentionProps, checkRetention } from './retention';
import { Route, RouteProps } from './route';
import { resolveDestinations, resolveRoutes } from './routes';
import { StateMachine } from './state-machine';
import { Transfer, TransferEnd } from './transfer';
import { TransloadFunction } from './transload-function';

/** By this tag with the stack's name the command line finds the machine; by the machine's name that of comparisons. */
const STACK_TAG = 'transload:stack';

/** Properties of transload. All of them can stand in a JSON file. */
export interface TransloadProps extends RetentionProps {
  /** Places by name. Transfers name them, and never carry keys. */
  readonly locations: { [name: string]: LocationProps };
  /**
   * Ways that objects go. The functions' rights follow from them, so what is transferred by hand needs a route too (with no
   * events).
   */
  readonly routes: RouteProps[];
  /**
   * Trees that are packed into one archive each, and unpacked.
   * @default - none: no machines for archives are deployed
   */
  readonly archives?: ArchiveProps[];
  /**
   * Addresses that alarms are mailed to.
   * @default - none
   */
  readonly alarmEmails?: string[];
  /**
   * Processor of the functions: arm64 or x86_64, as they were built.
   * @default - that of the binaries in `code`; other than arm64, a line of synth says so
   */
  readonly architecture?: string;
  /**
   * Folder with one folder for each function, each with a file `bootstrap`.
   * @default - ../target/lambda, where they are built
   */
  readonly code?: string;
  /**
   * Folder with the definitions object.asl.json, bucket.asl.json and janitor.asl.json; for routes with notifications
   * notifications.asl.json too, for archives pack.asl.json and unpack.asl.json, for
   * burst credits pacer.asl.json.
   * @default - ../statemachine
   */
  readonly definitions?: string;
  /**
   * MiB by function, 128 to 10240.
   * @default - 256 for head, init, abort, remove, thaw and delete, 512 for part, complete, copy and report, 1024 for list, batch, pack and unpack
   */
  readonly memory?: { [functionName: string]: number };
  /**
   * Invocations at a time reserved by function, and withheld from it beyond. They are taken from the account's, of which Lambda
   * leaves 100 unreserved. `{ "abort": 2 }` keeps workers for what has to be released where transfers may take all others.
   * @default - none
   */
  readonly reservedConcurrency?: { [functionName: string]: number };
  /**
   * Days that results, lists and reports are kept, 1 to 3650. A failed execution can be redriven for 14 days, and needs them.
   * @default 30
   */
  readonly resultsRetentionDays?: number;
  /**
   * A network for the functions; `{}` makes a new one.
   * @default - none: Lambda's own
   */
  readonly network?: NetworkProps;
  /**
   * What is allowed of transfers from URLs; without it they may be written to the ends of routes, from public addresses, and their
   * queries can not be secrets.
   * @default - none
   */
  readonly https?: HttpsProps;
  /**
   * A page that shows transfers and steers them, with its API, behind API Gateway; `{}` for callers that sign with IAM.
   * @default - none
   */
  readonly browse?: BrowseProps;
}

/** The binaries, and what they are built for. */
interface Built {
  readonly code: string;
  readonly architecture: string;
}

/** @internal */
export const TRANSLOAD_FIELDS: Fields<TransloadProps> = {
  locations: 'object',
  routes: 'objects',
  archives: 'objects',
  alarmEmails: 'texts',
  architecture: 'text',
  code: 'text',
  definitions: 'text',
  memory: 'object',
  reservedConcurrency: 'object',
  resultsRetentionDays: 'number',
  network: 'object',
  https: 'object',
  browse: 'object',
  logRetentionDays: 'number',
  retain: 'flag',
};

/** Moves S3 objects between places that cannot replicate to each other. */
export class Transload extends Construct {
  /** The machine that moves one object. */
  public readonly stateMachine: StateMachine;
  /** The machine that makes one tree of keys like another. */
  public readonly bucketMachine: StateMachine;
  /** Cleans up after stopped transfers. */
  public readonly janitor: Janitor;
  /** The functions, by name. */
  public readonly functions: { [name: string]: TransloadFunction };
  /** Where results of maps, lists of work and reports are written. */
  public readonly results: ResultsBucket;
  /** The routes. */
  public readonly routes: Route[];
  /** The locations. */
  public readonly locations: Location[];
  /** Alarms and dashboard. */
  public readonly observability: Observability;
  /** The network, if asked for. */
  public readonly network?: Network;
  /** The file system, if a location is one. */
  public readonly files?: FileSystem;
  /** The page, if asked for. */
  public readonly browse?: Browse;
  /** The machine that packs, if there are archives. */
  public readonly packMachine?: StateMachine;
  /** The machine that unpacks, if there are archives. */
  public readonly unpackMachine?: StateMachine;
  /** What packs by itself, if there are archives. */
  public readonly archives?: Archives;
  /** What holds transfers back while a file system has few credits, if asked for. */
  public readonly credits?: Credits;

  constructor(scope: Construct, id: string, props: TransloadProps) {
    super(scope, id);
    check(props);
    refuseSecond(this);
    const places = new Construct(this, 'Locations');
    this.locations = Object.entries(props.locations).map(([name, location]) => new Location(places, name, location));
    const routed = resolveRoutes(props.routes, this.locations);
    const names = props.routes.map(({ name }) => name);
    const archived = resolveArchives(props.archives ?? [], names, this.locations);
    const transfers = [...routed, ...archived];
    checkHttps(props.https ?? {});
    const urlDestinations = resolveDestinations(props.https?.destinations ?? [], this.locations);
    this.network = props.network === undefined ? undefined : this.makeNetwork(props.network, props);
    this.files = this.makeFiles(props);
    this.results = new ResultsBucket(this, 'Results', props);
    const code = props.code ?? defaultCode();
    const built = { code, architecture: architectureOf(this, props.architecture, code) };
    this.functions = this.makeFunctions(props, transfers, urlDestinations, built);
    this.stateMachine = this.makeStateMachine(props);
    this.bucketMachine = this.makeBucketMachine(props);
    if (props.archives !== undefined) {
      this.packMachine = this.makeArchiveMachine(props, 'pack', ['pack', 'complete', 'abort']);
      this.unpackMachine = this.makeArchiveMachine(props, 'unpack', ['unpack', 'abort']);
      const { archives } = props;
      this.archives = new Archives(this, 'Archives', { archives, transfers: archived, machine: this.packMachine });
    }
    this.janitor = this.makeJanitor(props);
    this.credits = this.makeCredits(props);
    this.routes = props.routes.map(
      (route, index) =>
        new Route(this, `Route-${route.name}`, {
          route,
          transfer: routed[index],
          machine: this.stateMachine,
          bucketMachine: this.bucketMachine,
          definitionFile: definition(props, 'notifications'),
          machineName: machineName(this, `notifications-${route.name}`),
          ...kept(props),
        }),
    );
    this.browse = props.browse === undefined ? undefined : this.makeBrowse(props.browse, props, routed, built);
    const { stateMachine, bucketMachine, janitor, functions, routes, browse, archives } = this;
    this.observability = new Observability(this, 'Observability', {
      stateMachine,
      bucketMachine,
      janitor,
      functions: browse === undefined ? functions : { ...functions, browse },
      routes,
      archives,
      credits: this.credits,
      archiveMachines: [this.packMachine ?? [], this.unpackMachine ?? []].flat(),
      alarmEmails: props.alarmEmails,
    });
  }

  private makeNetwork(network: NetworkProps, props: TransloadProps): Network {
    const { locations } = this;
    const asksStates = props.browse !== undefined;
    return new Network(this, 'Network', { network, locations, asksStates, https: props.https, ...kept(props) });
  }

  private makeFiles({ retain }: TransloadProps): FileSystem | undefined {
    const { network } = this;
    const location = filesLocation(this.locations, network);
    return location === undefined || network === undefined
      ? undefined
      : new FileSystem(this, 'Files', { location, network, retain });
  }

  private makeBrowse(browse: BrowseProps, props: TransloadProps, transfers: Transfer[], built: Built): Browse {
    const { stateMachine, bucketMachine, locations, network, files } = this;
    return new Browse(this, 'Browse', {
      browse,
      ...built,
      stateMachine,
      bucketMachine,
      locations,
      transfers,
      network,
      files,
      ...kept(props),
    });
  }

  private makeStateMachine(props: TransloadProps): StateMachine {
    const machine = new StateMachine(this, 'Object', {
      definitionFile: definition(props, 'object'),
      machineName: machineName(this, 'object'),
      functions: this.placeholders(OBJECT_FUNCTIONS),
      results: this.results,
      ...kept(props),
    });
    Tags.of(machine.machine).add(STACK_TAG, Stack.of(this).stackName);
    return machine;
  }

  private makeBucketMachine(props: TransloadProps): StateMachine {
    return new StateMachine(this, 'Bucket', {
      definitionFile: definition(props, 'bucket'),
      machineName: machineName(this, 'bucket'),
      functions: this.placeholders(BUCKET_FUNCTIONS),
      work: this.results,
      runs: this.stateMachine,
      ...kept(props),
    });
  }

  private makeCredits(props: TransloadProps): Credits | undefined {
    const location = this.locations.find((one) => one.isFiles);
    const { fileSystemArn, lowCredits } = location?.props.files ?? {};
    if (location === undefined || fileSystemArn === undefined || lowCredits === undefined) {
      return undefined;
    }
    return new Credits(this, 'Credits', {
      location: location.locationName,
      fileSystemArn,
      lowCredits,
      definitionFile: definition(props, 'pacer'),
      machineName: machineName(this, 'pacer'),
      stateMachine: this.stateMachine,
      bucketMachine: this.bucketMachine,
      ...kept(props),
    });
  }

  private makeArchiveMachine(props: TransloadProps, name: string, functions: string[]): StateMachine {
    return new StateMachine(this, capital(name) + 'Machine', {
      definitionFile: definition(props, name),
      machineName: machineName(this, name),
      functions: this.placeholders(functions),
      ...kept(props),
    });
  }

  private placeholders(names: readonly string[]): { [placeholder: string]: TransloadFunction } {
    return Object.fromEntries(names.map((name) => [placeholder(name), this.functions[name]]));
  }

  private makeJanitor(props: TransloadProps): Janitor {
    return new Janitor(this, 'Janitor', {
      definitionFile: definition(props, 'janitor'),
      machineName: machineName(this, 'janitor'),
      cleansUpAfter: [this.stateMachine, this.packMachine ?? [], this.unpackMachine ?? []].flat(),
      runs: this.bucketMachine,
      abort: this.functions.abort,
      ...kept(props),
    });
  }

  private makeFunctions(
    props: TransloadProps,
    transfers: Transfer[],
    urlDestinations: TransferEnd[],
    built: Built,
  ): { [name: string]: TransloadFunction } {
    const names = props.archives === undefined ? FUNCTIONS : ALL_FUNCTIONS;
    const made = names.map((name) => [
      name,
      new TransloadFunction(this, capital(name), {
        name,
        ...built,
        memory: props.memory?.[name],
        reservedConcurrency: props.reservedConcurrency?.[name],
        machineName: machineName(this, machineOf(name)),
        locations: this.locations,
        transfers,
        network: this.network,
        files: this.files,
        https: props.https,
        urlDestinations,
        work: this.results,
        ...kept(props),
      }),
    ]);
    return Object.fromEntries(made);
  }
}

/** The machine that a function works for, or works for most. */
function machineOf(name: string): string {
  if ((ARCHIVE_FUNCTIONS as readonly string[]).includes(name)) {
    return name;
  }
  return (OBJECT_FUNCTIONS as readonly string[]).includes(name) ? 'object' : 'bucket';
}

/** Named, so that the functions can be told whose metrics they write before the machine is there. */
function machineName(scope: Construct, name: string): string {
  return `${Stack.of(scope).stackName}-${name}`;
}

function kept({ logRetentionDays, retain }: TransloadProps): RetentionProps {
  return { logRetentionDays, retain };
}

/** Two machines of one name would be refused in the middle of a deployment. */
function refuseSecond(one: Transload): void {
  const other = Stack.of(one)
    .node.findAll()
    .find((node) => node instanceof Transload && node !== one);
  if (other !== undefined) {
    throw new Problem(
      one.node.path,
      `one Transload in a stack (its machines are named after it), found ${other.node.path}`,
    );
  }
}

/** State `Part`, function `part`, placeholder `PartFunctionArn`, construct `Part`. */
function placeholder(name: string): string {
  return `${capital(name)}FunctionArn`;
}

function capital(name: string): string {
  return `${name[0].toUpperCase()}${name.slice(1)}`;
}

function definition(props: TransloadProps, name: string): string {
  return props.definitions === undefined ? definitionFile(name) : path.resolve(props.definitions, `${name}.asl.json`);
}

function check(props: TransloadProps): void {
  refuseKeys('', props);
  checkFields('', props, TRANSLOAD_FIELDS);
  if (props.locations === undefined || Object.keys(props.locations).length === 0) {
    throw new Problem('locations', 'at least one place, {"global": {...}}; found none');
  }
  if (props.routes === undefined) {
    throw new Problem(
      'routes',
      'the ways that objects go, [{"name": ..., "source": ..., "destination": ...}]; found none',
    );
  }
  checkRetention('logRetentionDays', props.logRetentionDays);
  for (const [field, sizes] of [
    ['memory', props.memory],
    ['reservedConcurrency', props.reservedConcurrency],
  ] as const) {
    for (const [name, found] of Object.entries(sizes ?? {})) {
      if (!(ALL_FUNCTIONS as readonly string[]).includes(name)) {
        throw new Problem(`${field}.${name}`, `one of ${ALL_FUNCTIONS.join(', ')}`, name);
      }
      if (!Number.isSafeInteger(found) && !Token.isUnresolved(found)) {
        throw new Problem(`${field}.${name}`, 'a whole number', found);
      }
    }
  }
}
