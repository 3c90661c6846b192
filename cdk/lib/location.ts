// A named place, as the functions read it from their environment, and where its credentials are kept.
import { ArnFormat, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { PARTITIONS, partitionOfArn, partitionOfEndpoint, partitionOfRegion, partitionOfStack } from './partition';
import { Fields, Problem, at, checkFields, checkForm, checkOneOf, refuseKeys } from './problem';

/** A role of the other partition, assumed with a token that AWS issues to the function's own role. */
export interface WebIdentity {
  /** ARN of the role. Its trust policy names the issuer of this account's tokens as an OpenID Connect provider. */
  readonly role: string;
  /** The audience that the trust policy expects. */
  readonly audience: string;
}

/** Where credentials are read: exactly one of secret, parameter, role and webIdentity. Keys themselves are refused. */
export interface LocationCredentials {
  /**
   * Name or ARN of a secret in Secrets Manager. It holds JSON: `aws_access_key_id`, `aws_secret_access_key`, and if need be
   * `aws_session_token` and `region`.
   * @default - none
   */
  readonly secret?: string;
  /**
   * Name of an SSM parameter of type SecureString with the same JSON.
   * @default - none
   */
  readonly parameter?: string;
  /**
   * ARN of the KMS key that encrypts secret or parameter.
   * @default - the service's own key, which needs no grant
   */
  readonly kmsKeyArn?: string;
  /**
   * ARN of a role of the same partition that the functions assume.
   * @default - none
   */
  readonly role?: string;
  /**
   * External id that the role's trust policy asks for.
   * @default - none
   */
  readonly externalId?: string;
  /**
   * A role of the other partition.
   * @default - none
   */
  readonly webIdentity?: WebIdentity;
}

/** A bucket of a location. */
export interface LocationBucket {
  /** Name of the bucket. */
  readonly name: string;
  /**
   * Prefixes of the keys that routes may read or write.
   * @default - all keys
   */
  readonly prefixes?: string[];
  /**
   * ARNs of the KMS keys that encrypt the bucket's objects.
   * @default - none; S3's own keys need no grant
   */
  readonly kmsKeyArns?: string[];
  /**
   * Whether the bucket keeps versions, or did (enabled or suspended). The functions then read by version id, which is another
   * action of IAM: with false, transfers from or to such a bucket end with AccessDenied.
   * @default false
   */
  readonly versions?: boolean;
}

/** Properties of a location. */
export interface LocationProps {
  /**
   * Partition: aws, aws-cn, aws-us-gov, aws-eusc.
   * @default - the partition of Region or endpoint, else the stack's; none for a store that is not of AWS
   */
  readonly partition?: string;
  /**
   * Region of the buckets.
   * @default - the stack's Region
   */
  readonly region?: string;
  /**
   * Endpoint of another S3, `https://host[:port]`.
   * @default - the endpoint of partition and Region
   */
  readonly endpoint?: string;
  /**
   * Whether the endpoint may be plain http. For closed networks.
   * @default false
   */
  readonly allowHttp?: boolean;
  /**
   * Whether the bucket stands in the path of requests instead of the host's name.
   * @default false
   */
  readonly pathStyle?: boolean;
  /**
   * What the store can do: aws, generic, oss, cos, obs, gcs, b2, ovh, r2.
   * @default aws
   */
  readonly profile?: string;
  /**
   * Checksums over whole objects in parts, best first: CRC64NVME, CRC32C, CRC32.
   * @default - the profile's
   */
  readonly checksums?: string[];
  /**
   * Whether a checksum may follow a body as a trailer.
   * @default - the profile's
   */
  readonly trailers?: boolean;
  /**
   * Whether the store honours conditions of writes.
   * @default - the profile's
   */
  readonly conditionalWrites?: boolean;
  /**
   * Whether ETags are MD5s.
   * @default - the profile's
   */
  readonly etagMd5?: boolean;
  /**
   * Account (12 digits) that has to own the buckets; S3 refuses every request if it does not.
   * @default - the stack's account for buckets of its own partition that are read with the functions' own roles, else not asked for
   */
  readonly expectedBucketOwner?: string;
  /**
   * Where credentials are read.
   * @default - none: the functions' own roles, which get grants on the buckets of the routes
   */
  readonly credentials?: LocationCredentials;
  /**
   * The buckets that routes may name.
   * @default - any, if there are credentials of its own; without them the list is required
   */
  readonly buckets?: LocationBucket[];
}

const FIELDS: Fields<LocationProps> = {
  partition: 'text', region: 'text', endpoint: 'text', allowHttp: 'flag', pathStyle: 'flag', profile: 'text', checksums: 'texts',
  trailers: 'flag', conditionalWrites: 'flag', etagMd5: 'flag', expectedBucketOwner: 'text', credentials: 'object', buckets: 'objects',
};
const CREDENTIALS: Fields<LocationCredentials> = {
  secret: 'text', parameter: 'text', kmsKeyArn: 'text', role: 'text', externalId: 'text', webIdentity: 'object',
};
const WEB_IDENTITY: Fields<WebIdentity> = { role: 'text', audience: 'text' };
const BUCKET: Fields<LocationBucket> = { name: 'text', prefixes: 'texts', kmsKeyArns: 'texts', versions: 'flag' };
const PROFILES = ['aws', 'generic', 'oss', 'cos', 'obs', 'gcs', 'b2', 'ovh', 'r2'];
const CHECKSUMS = ['CRC64NVME', 'CRC32C', 'CRC32'];
const ROLE_ARN = /^arn:[^:]+:iam::\d{12}:role\/.+$/;
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** A named place with its credentials' whereabouts. */
export class Location extends Construct {
  /** Its name, as requests write it. */
  public readonly locationName: string;
  /** Its properties. */
  public readonly props: LocationProps;
  /** Its partition; undefined for a store that is not of AWS. */
  public readonly partition?: string;
  private readonly path: string;

  constructor(scope: Construct, id: string, props: LocationProps) {
    super(scope, id);
    this.locationName = id;
    this.props = props;
    this.path = `locations.${id}`;
    checkForm('locations', id, /^[A-Za-z0-9_-]{1,64}$/, 'names of 1 to 64 letters, digits, hyphens and underscores');
    refuseKeys(this.path, props);
    this.checkProps();
    this.partition = this.findPartition();
    this.checkCredentials();
    this.checkBuckets();
  }

  /** Whether the functions' own roles are used, so that these need grants on the buckets. */
  public get usesOwnRole(): boolean {
    return this.props.credentials === undefined;
  }

  /** Whether requests leave the stack's Region, and so need a way out of a network without internet. */
  public get isElsewhere(): boolean {
    const region = this.props.region;
    return this.props.endpoint !== undefined || (region !== undefined && region !== Stack.of(this).region);
  }

  /**
   * The listed bucket of this name whose prefixes hold the given one.
   * @internal
   */
  public _bucket(path: string, name: string, prefix: string): LocationBucket {
    const buckets = this.props.buckets;
    if (buckets === undefined) {
      return { name };
    }
    const bucket = buckets.find((one) => one.name === name);
    if (bucket === undefined) {
      throw new Problem(`${path}.bucket`, `a bucket of ${this.path}.buckets (${buckets.map((one) => one.name).join(', ')})`, name);
    }
    const prefixes = bucket.prefixes ?? [''];
    if (!prefixes.some((allowed) => prefix.startsWith(allowed))) {
      throw new Problem(`${path}.prefix`, `a prefix that begins with one of ${this.path}.buckets' (${prefixes.join(', ')})`, prefix);
    }
    return bucket;
  }

  /**
   * As the functions read it.
   * @internal
   */
  public _json(): Record<string, unknown> {
    const props = this.props;
    const elsewhere = props.endpoint !== undefined && this.partition === undefined;
    return {
      kind: 's3',
      partition: this.partition,
      region: props.region ?? (elsewhere ? undefined : Stack.of(this).region),
      endpoint: props.endpoint,
      allow_http: props.allowHttp,
      path_style: props.pathStyle,
      expected_bucket_owner: props.expectedBucketOwner ?? (this.usesOwnRole && !elsewhere ? Stack.of(this).account : undefined),
      profile: props.profile,
      checksums: props.checksums,
      trailers: props.trailers,
      conditional_writes: props.conditionalWrites,
      etag_md5: props.etagMd5,
      credentials: credentialsJson(props.credentials),
    };
  }

  /**
   * What a function needs to get at the credentials.
   * @internal
   */
  public _credentialStatements(): iam.PolicyStatement[] {
    const credentials = this.props.credentials ?? {};
    const statements: iam.PolicyStatement[] = [];
    const allow = (actions: string[], resource: string, conditions?: Record<string, unknown>): void => {
      statements.push(new iam.PolicyStatement({ actions, resources: [resource], conditions }));
    };
    if (credentials.secret !== undefined) {
      allow(['secretsmanager:GetSecretValue'], this.secretArn(credentials.secret));
    }
    if (credentials.parameter !== undefined) {
      allow(['ssm:GetParameter'], this.parameterArn(credentials.parameter));
    }
    if (credentials.kmsKeyArn !== undefined) {
      const stack = Stack.of(this);
      const service = credentials.secret === undefined ? 'ssm' : 'secretsmanager';
      allow(['kms:Decrypt'], credentials.kmsKeyArn, {
        StringEquals: { 'kms:ViaService': `${service}.${stack.region}.${stack.urlSuffix}` },
      });
    }
    if (credentials.role !== undefined) {
      const external = credentials.externalId;
      allow(['sts:AssumeRole'], credentials.role, external === undefined ? undefined : { StringEquals: { 'sts:ExternalId': external } });
    }
    if (credentials.webIdentity !== undefined) {
      // ForAllValues holds for no value at all, too: hence Null.
      allow(['sts:GetWebIdentityToken'], '*', {
        'ForAllValues:StringEquals': { 'sts:IdentityTokenAudience': [credentials.webIdentity.audience] },
        'Null': { 'sts:IdentityTokenAudience': 'false' },
      });
    }
    return statements;
  }

  /** Secrets Manager ends an ARN by a hyphen and six characters of its own; a name does not have them. */
  private secretArn(secret: string): string {
    if (secret.startsWith('arn:')) {
      return /-[A-Za-z0-9]{6}$/.test(secret) ? secret : `${secret}-??????`;
    }
    return Token.isUnresolved(secret) ? secret : this.arn('secretsmanager', 'secret', `${secret}-??????`, ArnFormat.COLON_RESOURCE_NAME);
  }

  private parameterArn(parameter: string): string {
    return this.arn('ssm', 'parameter', parameter.replace(/^\//, ''), ArnFormat.SLASH_RESOURCE_NAME);
  }

  private arn(service: string, resource: string, resourceName: string, arnFormat: ArnFormat): string {
    return Stack.of(this).formatArn({ service, resource, resourceName, arnFormat });
  }

  private checkProps(): void {
    const { path, props } = this;
    checkFields(path, props, FIELDS);
    checkOneOf(`${path}.partition`, props.partition, PARTITIONS);
    checkOneOf(`${path}.profile`, props.profile, PROFILES);
    (props.checksums ?? []).forEach((found, index) => checkOneOf(`${path}.checksums[${index}]`, found, CHECKSUMS));
    checkForm(`${path}.expectedBucketOwner`, props.expectedBucketOwner, /^\d{12}$/, 'an account id of 12 digits');
    checkForm(`${path}.endpoint`, props.endpoint, /^https?:\/\/[^@/?#\s]+\/?$/, 'a URL such as https://s3.example.com');
    if (props.endpoint?.startsWith('http:') && props.allowHttp !== true) {
      throw new Problem(`${path}.endpoint`, 'https (or "allowHttp": true beside it)', props.endpoint);
    }
  }

  /** Region, endpoint and partition have to agree. */
  private findPartition(): string | undefined {
    const { path, props } = this;
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
    for (const [field, found] of [['endpoint', ofEndpoint], ['region', ofRegion]] as const) {
      if (found !== undefined && known !== undefined && found !== known) {
        throw new Problem(at(path, field), `one of partition ${known}`, props[field]);
      }
    }
    if (known !== undefined || foreign) {
      return known;
    }
    return Stack.of(this).partition;
  }

  private checkCredentials(): void {
    const path = `${this.path}.credentials`;
    const { credentials, endpoint, allowHttp } = this.props;
    if (credentials === undefined) {
      const own = partitionOfStack(Stack.of(this));
      if (own !== undefined && this.partition !== undefined && !Token.isUnresolved(this.partition) && this.partition !== own) {
        throw new Problem(path, `where credentials are read, for roles end at a partition's border (${this.partition} is not the stack's ${own}); found none`);
      }
      if (endpoint !== undefined && this.partition === undefined && allowHttp !== true) {
        throw new Problem(path, `where credentials are read, for ${endpoint} is not of AWS and does not know the functions' roles; found none`);
      }
      return;
    }
    checkFields(path, credentials, CREDENTIALS);
    const ways = (['secret', 'parameter', 'role', 'webIdentity'] as const).filter((way) => credentials[way] !== undefined);
    if (ways.length !== 1) {
      throw new Problem(path, 'exactly one of secret, parameter, role, webIdentity', ways);
    }
    checkForm(`${path}.secret`, credentials.secret, /^(arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:.+|[A-Za-z0-9/_+=.@-]{1,512})$/, 'name or ARN of a secret');
    checkForm(`${path}.parameter`, credentials.parameter, /^[A-Za-z0-9_./-]{1,1011}$/, 'name of an SSM parameter');
    checkForm(`${path}.kmsKeyArn`, credentials.kmsKeyArn, /^arn:[^:]+:kms:[^:]+:\d{12}:key\/.+$/, 'ARN of a KMS key');
    if (credentials.externalId !== undefined && credentials.role === undefined) {
      throw new Problem(`${path}.externalId`, 'role beside it');
    }
    if (credentials.kmsKeyArn !== undefined && credentials.secret === undefined && credentials.parameter === undefined) {
      throw new Problem(`${path}.kmsKeyArn`, 'secret or parameter beside it');
    }
    this.checkRoles(path, credentials);
  }

  private checkRoles(path: string, credentials: LocationCredentials): void {
    checkForm(`${path}.role`, credentials.role, ROLE_ARN, 'ARN of a role');
    const own = partitionOfStack(Stack.of(this));
    const ofRole = credentials.role === undefined ? undefined : partitionOfArn(credentials.role);
    if (own !== undefined && ofRole !== undefined && ofRole !== own) {
      throw new Problem(`${path}.role`, `a role of the stack's partition ${own} (across partitions: webIdentity, secret or parameter)`, credentials.role);
    }
    if (credentials.webIdentity === undefined) {
      return;
    }
    checkFields(`${path}.webIdentity`, credentials.webIdentity, WEB_IDENTITY);
    const { role, audience } = credentials.webIdentity;
    if (role === undefined || audience === undefined) {
      throw new Problem(`${path}.webIdentity`, 'role and audience', Object.keys(credentials.webIdentity));
    }
    checkForm(`${path}.webIdentity.role`, role, ROLE_ARN, 'ARN of a role');
    const target = partitionOfArn(role);
    if (target !== undefined && this.partition !== undefined && !Token.isUnresolved(this.partition) && target !== this.partition) {
      throw new Problem(`${path}.webIdentity.role`, `a role of the location's partition ${this.partition}`, role);
    }
  }

  private checkBuckets(): void {
    const buckets = this.props.buckets;
    if (buckets === undefined && this.usesOwnRole) {
      throw new Problem(`${this.path}.buckets`, 'the buckets that the functions\' roles may use, [{"name": "..."}]; found none');
    }
    (buckets ?? []).forEach((bucket, index) => {
      const path = `${this.path}.buckets[${index}]`;
      checkFields(path, bucket, BUCKET);
      if (bucket.name === undefined) {
        throw new Problem(`${path}.name`, 'the name of a bucket, found none');
      }
      checkForm(`${path}.name`, bucket.name, BUCKET_NAME, 'a bucket name of 3 to 63 lower-case letters, digits, hyphens and dots');
      (bucket.kmsKeyArns ?? []).forEach((arn, key) => {
        checkForm(`${path}.kmsKeyArns[${key}]`, arn, /^arn:[^:]+:kms:[^:]+:\d{12}:key\/.+$/, 'ARN of a KMS key (no alias, which policies do not know)');
      });
    });
  }
}

function credentialsJson(credentials: LocationCredentials | undefined): Record<string, unknown> | undefined {
  if (credentials === undefined) {
    return undefined;
  }
  const { secret, parameter, role, externalId, webIdentity } = credentials;
  return { secret, parameter, role, external_id: externalId, web_identity: webIdentity };
}
