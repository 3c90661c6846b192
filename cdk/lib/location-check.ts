// Whether what is said of a location can be so, before anything is deployed.
import { Stack, Token } from 'aws-cdk-lib';
import { checkFiles } from './location-files';
import { LocationBucket, LocationCredentials, LocationProps, WebIdentity } from './location-props';
import {
  PARTITIONS,
  partitionOfArn,
  partitionOfEndpoint,
  partitionOfRegion,
  partitionOfStack,
  regionOfArn,
} from './partition';
import { Fields, Problem, at, checkFields, checkForm, checkOneOf, refuseKeys } from './problem';

const FIELDS: Fields<LocationProps> = {
  partition: 'text',
  region: 'text',
  endpoint: 'text',
  allowHttp: 'flag',
  pathStyle: 'flag',
  profile: 'text',
  checksums: 'texts',
  trailers: 'flag',
  conditionalWrites: 'flag',
  etagMd5: 'flag',
  expectedBucketOwner: 'text',
  credentials: 'object',
  buckets: 'objects',
  files: 'object',
};
const CREDENTIALS: Fields<LocationCredentials> = {
  secret: 'text',
  parameter: 'text',
  kmsKeyArn: 'text',
  role: 'text',
  externalId: 'text',
  webIdentity: 'object',
};
const WEB_IDENTITY: Fields<WebIdentity> = { role: 'text', audience: 'text' };
const BUCKET: Fields<LocationBucket> = { name: 'text', prefixes: 'texts', kmsKeyArns: 'texts', versions: 'flag' };
const PROFILES = ['aws', 'generic', 'oss', 'cos', 'obs', 'gcs', 'b2', 'ovh', 'r2'];
const CHECKSUMS = ['CRC64NVME', 'CRC32C', 'CRC32', 'CRC64XZ'];
const ROLE_ARN = /^arn:[^:]+:iam::\d{12}:role\/.+$/;
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** @internal */
export const KEY_ARN = /^arn:[^:]+:kms:[^:]+:\d{12}:key\/.+$/;

/** Refuses what cannot be a location of this stack; its partition, if it is of AWS. */
export function checkLocation(path: string, props: LocationProps, stack: Stack): string | undefined {
  refuseKeys(path, props);
  checkProps(path, props);
  if (props.files !== undefined) {
    checkFiles(path, props);
    return stack.partition;
  }
  const partition = findPartition(path, props, stack);
  if (props.credentials === undefined) {
    checkOwnRole(path, props, partition, stack);
  } else {
    checkCredentials(`${path}.credentials`, props, partition, stack);
  }
  (props.buckets ?? []).forEach((bucket, index) => checkBucket(`${path}.buckets[${index}]`, bucket));
  return partition;
}

function checkProps(path: string, props: LocationProps): void {
  checkFields(path, props, FIELDS);
  checkOneOf(`${path}.partition`, props.partition, PARTITIONS);
  checkOneOf(`${path}.profile`, props.profile, PROFILES);
  (props.checksums ?? []).forEach((found, index) => checkOneOf(`${path}.checksums[${index}]`, found, CHECKSUMS));
  const trailers = props.trailers ?? (props.profile ?? 'aws') === 'aws';
  if (props.checksums?.includes('CRC64XZ') && (props.checksums.length > 1 || trailers)) {
    throw new Problem(`${path}.checksums`, 'CRC64XZ alone, and "trailers": false', props.checksums);
  }
  checkForm(`${path}.expectedBucketOwner`, props.expectedBucketOwner, /^\d{12}$/, 'an account id of 12 digits');
  checkForm(`${path}.endpoint`, props.endpoint, /^https?:\/\/[^@/?#\s]+\/?$/, 'a URL such as https://s3.example.com');
  if (props.endpoint?.startsWith('http:') && props.allowHttp !== true) {
    throw new Problem(`${path}.endpoint`, 'https (or "allowHttp": true beside it)', props.endpoint);
  }
}

/** Region, endpoint and partition have to agree. */
function findPartition(path: string, props: LocationProps, stack: Stack): string | undefined {
  const ofEndpoint = partitionOfEndpoint(props.endpoint);
  const foreign = props.endpoint !== undefined && ofEndpoint === undefined;
  const ofRegion = foreign ? undefined : partitionOfRegion(props.region);
  if (props.region !== undefined && !foreign && ofRegion === undefined && !Token.isUnresolved(props.region)) {
    throw new Problem(`${path}.region`, 'a Region of AWS (or an endpoint)', props.region);
  }
  if (props.region === undefined && foreign) {
    throw new Problem(`${path}.region`, 'the Region that requests to the endpoint are signed for, found none');
  }
  const known = props.partition ?? ofEndpoint ?? ofRegion;
  for (const [field, found] of [
    ['endpoint', ofEndpoint],
    ['region', ofRegion],
  ] as const) {
    if (found !== undefined && known !== undefined && found !== known) {
      throw new Problem(at(path, field), `one of partition ${known}`, props[field]);
    }
  }
  return known ?? (foreign ? undefined : stack.partition);
}

/** Roles end at a partition's border, and no other store knows them. */
function checkOwnRole(
  path: string,
  { endpoint, allowHttp, buckets }: LocationProps,
  partition: string | undefined,
  stack: Stack,
): void {
  const own = partitionOfStack(stack);
  if (own !== undefined && isOther(partition, own)) {
    throw new Problem(
      `${path}.credentials`,
      `where credentials are read, for roles end at a partition's border (${partition} is not the stack's ${own}); found none`,
    );
  }
  if (endpoint !== undefined && partition === undefined && allowHttp !== true) {
    throw new Problem(
      `${path}.credentials`,
      `where credentials are read, for ${endpoint} is not of AWS and does not know the functions' roles; found none`,
    );
  }
  if (buckets === undefined) {
    throw new Problem(
      `${path}.buckets`,
      'the buckets that the functions\' roles may use, [{"name": "..."}]; found none',
    );
  }
}

/** Whether a partition or Region is known, and another. */
function isOther(found: string | undefined, than: string): boolean {
  return found !== undefined && !Token.isUnresolved(found) && found !== than;
}

function checkCredentials(path: string, props: LocationProps, partition: string | undefined, stack: Stack): void {
  const { credentials = {}, region } = props;
  checkFields(path, credentials, CREDENTIALS);
  const ways = (['secret', 'parameter', 'role', 'webIdentity'] as const).filter(
    (way) => credentials[way] !== undefined,
  );
  if (ways.length !== 1) {
    throw new Problem(path, 'exactly one of secret, parameter, role, webIdentity', ways);
  }
  const [way] = ways;
  checkForm(
    `${path}.secret`,
    credentials.secret,
    /^(arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:.+|[A-Za-z0-9/_+=.@-]{1,512})$/,
    'name or ARN of a secret',
  );
  checkForm(`${path}.parameter`, credentials.parameter, /^[A-Za-z0-9_./-]{1,1011}$/, 'name of an SSM parameter');
  checkForm(`${path}.kmsKeyArn`, credentials.kmsKeyArn, KEY_ARN, 'ARN of a KMS key');
  if (credentials.externalId !== undefined && way !== 'role') {
    throw new Problem(`${path}.externalId`, 'role beside it');
  }
  if (credentials.kmsKeyArn !== undefined && way !== 'secret' && way !== 'parameter') {
    throw new Problem(`${path}.kmsKeyArn`, 'secret or parameter beside it');
  }
  checkSecret(path, credentials, stack);
  checkRole(`${path}.role`, credentials.role, stack);
  checkForm(`${path}.externalId`, credentials.externalId, /^[!-~]{2,1224}$/, '2 to 1224 characters without spaces');
  checkWebIdentity(`${path}.webIdentity`, credentials.webIdentity, partition, region);
}

/** Secrets and parameters are asked for with the functions' own roles, in their own Region. */
function checkSecret(path: string, { secret, kmsKeyArn }: LocationCredentials, { region }: Stack): void {
  for (const [field, arn] of [
    ['secret', secret],
    ['kmsKeyArn', kmsKeyArn],
  ] as const) {
    if (!Token.isUnresolved(region) && isOther(regionOfArn(arn), region)) {
      throw new Problem(at(path, field), `one of the stack's Region ${region}`, arn);
    }
  }
}

function checkRole(path: string, role: string | undefined, stack: Stack): void {
  checkForm(path, role, ROLE_ARN, 'ARN of a role');
  const own = partitionOfStack(stack);
  if (role !== undefined && own !== undefined && isOther(partitionOfArn(role), own)) {
    throw new Problem(
      path,
      `a role of the stack's partition ${own} (across partitions: webIdentity, secret or parameter)`,
      role,
    );
  }
}

function checkWebIdentity(
  path: string,
  found: WebIdentity | undefined,
  partition: string | undefined,
  region: string | undefined,
): void {
  if (found === undefined) {
    return;
  }
  checkFields(path, found, WEB_IDENTITY);
  if (found.role === undefined || found.audience === undefined) {
    throw new Problem(path, 'role and audience', Object.keys(found));
  }
  checkForm(`${path}.role`, found.role, ROLE_ARN, 'ARN of a role');
  checkForm(`${path}.audience`, found.audience, /^[!-~]{1,1000}$/, '1 to 1000 characters without spaces');
  if (region === undefined) {
    throw new Problem(path, "the location's region beside credentials, for the token is exchanged there; found none");
  }
  const ofRole = partitionOfArn(found.role);
  if (ofRole !== undefined && isOther(partition, ofRole)) {
    throw new Problem(`${path}.role`, `a role of the location's partition ${partition}`, found.role);
  }
}

function checkBucket(path: string, bucket: LocationBucket): void {
  checkFields(path, bucket, BUCKET);
  if (bucket.name === undefined) {
    throw new Problem(`${path}.name`, 'the name of a bucket, found none');
  }
  checkForm(
    `${path}.name`,
    bucket.name,
    BUCKET_NAME,
    'a bucket name of 3 to 63 lower-case letters, digits, hyphens and dots',
  );
  (bucket.kmsKeyArns ?? []).forEach((arn, index) => {
    checkForm(`${path}.kmsKeyArns[${index}]`, arn, KEY_ARN, 'ARN of a KMS key (no alias, which policies do not know)');
  });
}
