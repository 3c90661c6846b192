// One Lambda of the workflow: its binary, its size, its log and its own role with just what it needs.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeResource } from './acknowledge';
import { checkArchitecture } from './architecture';
import { FileSystem } from './file-system';
import { ALL_FUNCTIONS, FUNCTIONS, FunctionName, workGrants } from './grants';
import { HttpsProps, grantQueries, httpsJson } from './https';
import { Location } from './location';
import { Network } from './network';
import { grantTransfers, grantUrls, grantWork, mounts } from './permissions';
import { Problem, checkOneOf, checkRange } from './problem';
import { ResultsBucket } from './results-bucket';
import { RetentionProps, logGroup } from './retention';
import { SIZES } from './sizing';
import { Transfer, TransferEnd } from './transfer';

/** Properties of a function. */
export interface TransloadFunctionProps extends RetentionProps {
  /** Which one: head, init, part, complete, copy, abort, remove, thaw, list, batch, delete, report, pack, unpack. */
  readonly name: string;
  /** Folder with one folder for each function, each with a file `bootstrap`, and zips of these if there are any. */
  readonly code: string;
  /** Name of the machine that it works for: a dimension of its metrics. */
  readonly machineName: string;
  /** The locations it may be told to work with. */
  readonly locations: Location[];
  /** What is transferred: the grants follow from it. */
  readonly transfers: Transfer[];
  /**
   * Processor: arm64 or x86_64.
   * @default arm64
   */
  readonly architecture?: string;
  /**
   * MiB, 128 to 10240.
   * @default - by function: 256 for requests, 512 for streams, 1024 for many objects at a time
   */
  readonly memory?: number;
  /**
   * Invocations at a time, reserved for this function and withheld from it beyond.
   * @default - none: a new account has 10 in all, and reserving more than there is fails
   */
  readonly reservedConcurrency?: number;
  /**
   * Network to run in.
   * @default - none: Lambda's own, with a way to the internet
   */
  readonly network?: Network;
  /**
   * What is allowed of transfers from URLs.
   * @default - no more than what the routes' ends allow
   */
  readonly https?: HttpsProps;
  /**
   * Where URLs may be written beside the routes' ends.
   * @default - nowhere
   */
  readonly urlDestinations?: TransferEnd[];
  /**
   * File system that is mounted by functions which have an end there.
   * @default - none
   */
  readonly files?: FileSystem;
  /**
   * Bucket of the workflow's own, for functions that keep lists or reports there.
   * @default - none
   */
  readonly work?: ResultsBucket;
}

/** 4 KB hold all variables of a function; some room is kept for the others and for references. */
const LARGEST_VARIABLES = 3_800;

/** A Lambda of the workflow. */
export class TransloadFunction extends Construct {
  /** The function. */
  public readonly handler: lambda.Function;
  /** Its role. */
  public readonly role: iam.Role;
  /** Its log. */
  public readonly logGroup: logs.LogGroup;

  constructor(scope: Construct, id: string, props: TransloadFunctionProps) {
    super(scope, id);
    checkOneOf('name', props.name, ALL_FUNCTIONS);
    checkOneOf('architecture', props.architecture, ['arm64', 'x86_64']);
    checkRange(`memory.${props.name}`, props.memory, 128, 10_240);
    checkRange(`reservedConcurrency.${props.name}`, props.reservedConcurrency, 1, 10_000);
    const name = props.name as FunctionName;
    this.logGroup = logGroup(this, props);
    this.role = this.makeRole(name, props);
    this.handler = this.makeFunction(name, props);
  }

  private makeRole(name: FunctionName, props: TransloadFunctionProps): iam.Role {
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `What function ${name} of transload may do`,
    });
    this.logGroup.grantWrite(role);
    grantTransfers(role, name, props.transfers, props.files);
    grantUrls(role, name, props.urlDestinations ?? [], props.files);
    grantQueries(role, name, props.https);
    const work = workOf(name, props);
    if (work !== undefined) {
      grantWork(role, name, work);
    }
    props.network?._grantInterfaces(role);
    // The statement itself comes with the function's tracing.
    acknowledgeResource(
      role,
      '*',
      "X-Ray's actions know no resources (xray:PutTraceSegments, xray:PutTelemetryRecords); in a network of its own neither do those for network interfaces.",
    );
    return role;
  }

  private makeFunction(name: FunctionName, props: TransloadFunctionProps): lambda.Function {
    const size = SIZES[name];
    const handler = new lambda.Function(this, 'Function', {
      description: `State ${name[0].toUpperCase()}${name.slice(1)} of transload`,
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: props.architecture === 'x86_64' ? lambda.Architecture.X86_64 : lambda.Architecture.ARM_64,
      handler: 'bootstrap',
      code: lambda.Code.fromAsset(codeAsset(props.code, name, props.architecture ?? 'arm64')),
      memorySize: props.memory ?? size.memory,
      timeout: Duration.seconds(size.timeout),
      reservedConcurrentExecutions: props.reservedConcurrency,
      role: this.role,
      environment: this.environment(name, props),
      logGroup: this.logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      tracing: lambda.Tracing.ACTIVE,
    });
    props.network?._connect(handler);
    if (mounts(name, props.transfers, props.urlDestinations)) {
      props.files?._connect(handler);
    }
    return handler;
  }

  /** Names of places only: no key, no secret. Metrics are lines of the log, so they need no right. */
  private environment(name: FunctionName, props: TransloadFunctionProps): { [name: string]: string } {
    const work = workOf(name, props);
    return {
      TRANSLOAD_LOCATIONS: locationsJson(this, props.locations, httpsJson(name, props.https)),
      TRANSLOAD_MACHINE: props.machineName,
      TRANSLOAD_METRICS: '1',
      ...(work === undefined ? {} : { TRANSLOAD_WORK_BUCKET: work.bucket.bucketName }),
    };
  }
}

/**
 * The locations as the functions read them.
 * @internal
 */
export function locationsJson(scope: Construct, all: Location[], https?: Record<string, unknown>): string {
  const locations = Object.fromEntries(all.map((location) => [location.locationName, location._json()]));
  const length = JSON.stringify({ locations, https }).length;
  if (length > LARGEST_VARIABLES) {
    throw new Problem(
      'locations',
      `at most ${LARGEST_VARIABLES} characters in all (Lambda holds 4 KB of variables); deploy two stacks`,
      length,
    );
  }
  return Stack.of(scope).toJsonString({ locations, https });
}

/** The workflow's own bucket, if the function has anything to do there. */
function workOf(name: FunctionName, { work }: TransloadFunctionProps): ResultsBucket | undefined {
  const has = workGrants(name, 'objects').length > 0;
  if (has && work === undefined) {
    throw new Problem('work', `the bucket of the workflow's own for function ${name}, found none`);
  }
  return has ? work : undefined;
}

/**
 * What is deployed: the zip that was built, so that its hash is known before; else the folder. One line says what to do where there
 * is none.
 * @internal
 */
export function codeAsset(code: string, name: FunctionName | 'browse', architecture: string): string {
  const folder = path.resolve(code, name);
  const bootstrap = path.join(folder, 'bootstrap');
  if (!fs.existsSync(bootstrap)) {
    throw new Problem(
      'code',
      `the function's binary ${bootstrap}, found none; build it with ../build-lambdas, or write the folder that holds ${FUNCTIONS.join(', ')}`,
    );
  }
  checkArchitecture(architecture, bootstrap);
  const zip = `${folder}.zip`;
  if (!fs.existsSync(zip)) {
    return folder;
  }
  if (fs.statSync(zip).mtimeMs < fs.statSync(bootstrap).mtimeMs) {
    throw new Problem(
      'code',
      `${zip}, found one older than ${bootstrap}; zip it anew with ../build-lambdas --zip ${path.resolve(code)}`,
    );
  }
  return zip;
}
