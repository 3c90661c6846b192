// A named place, as the functions read it from their environment, and what they need to get at its credentials.
import { ArnFormat, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { checkLocation } from './location-check';
import { filesJson, rootsOf } from './location-files';
import { LocationBucket, LocationCredentials, LocationProps } from './location-props';
import { Problem, checkForm } from './problem';

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
    this.partition = checkLocation(this.path, props, Stack.of(this));
  }

  /** Whether it is a file system, and no store. */
  public get isFiles(): boolean {
    return this.props.files !== undefined;
  }

  /** Whether the functions' own roles are used, so that these need grants on the buckets. */
  public get usesOwnRole(): boolean {
    return this.props.credentials === undefined && !this.isFiles;
  }

  /** Whether requests leave the stack's Region, and so need a way out of a network without internet. */
  public get isElsewhere(): boolean {
    const region = this.props.region;
    return this.props.endpoint !== undefined || (region !== undefined && region !== Stack.of(this).region);
  }

  /**
   * The account that has to own the buckets; undefined if that is not asked.
   * @internal
   */
  public get _owner(): string | undefined {
    const elsewhere = this.props.endpoint !== undefined && this.partition === undefined;
    return this.props.expectedBucketOwner ?? (this.usesOwnRole && !elsewhere ? Stack.of(this).account : undefined);
  }

  /**
   * The listed bucket of this name whose prefixes hold the given one.
   * @internal
   */
  public _bucket(path: string, name: string, prefix: string): LocationBucket {
    const { files } = this.props;
    const buckets =
      files === undefined ? this.props.buckets : Object.keys(rootsOf(files)).map((root) => ({ name: root }));
    if (buckets === undefined) {
      return { name };
    }
    const bucket = buckets.find((one) => one.name === name);
    if (bucket === undefined) {
      throw new Problem(
        `${path}.bucket`,
        `a bucket of ${this.path}.${files === undefined ? 'buckets' : 'files.roots'} (${buckets.map((one) => one.name).join(', ')})`,
        name,
      );
    }
    const prefixes = (bucket as LocationBucket).prefixes ?? [''];
    if (!prefixes.some((allowed) => prefix.startsWith(allowed))) {
      throw new Problem(
        `${path}.prefix`,
        `a prefix that begins with one of ${this.path}.buckets' (${prefixes.join(', ')})`,
        prefix,
      );
    }
    return bucket;
  }

  /**
   * As the functions read it.
   * @internal
   */
  public _json(): Record<string, unknown> {
    const props = this.props;
    if (props.files !== undefined) {
      return filesJson(props.files);
    }
    const elsewhere = props.endpoint !== undefined && this.partition === undefined;
    return {
      kind: 's3',
      partition: this.partition,
      region: props.region ?? (elsewhere ? undefined : Stack.of(this).region),
      endpoint: props.endpoint,
      allow_http: props.allowHttp,
      path_style: props.pathStyle,
      expected_bucket_owner: this._owner,
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
    const { secret, parameter, kmsKeyArn, role, externalId, webIdentity } = this.props.credentials ?? {};
    return [
      ...allow('secretsmanager:GetSecretValue', secret === undefined ? undefined : this.secretArn(secret)),
      ...allow('ssm:GetParameter', parameter === undefined ? undefined : this.parameterArn(parameter)),
      ...allow('kms:Decrypt', kmsKeyArn, { StringEquals: { 'kms:ViaService': this.keeper(secret) } }),
      ...allow(
        'sts:AssumeRole',
        role,
        externalId === undefined ? undefined : { StringEquals: { 'sts:ExternalId': externalId } },
      ),
      ...allow('sts:GetWebIdentityToken', webIdentity === undefined ? undefined : '*', {
        'ForAllValues:StringEquals': { 'sts:IdentityTokenAudience': [webIdentity?.audience] },
        // ForAllValues holds for no value at all, too.
        Null: { 'sts:IdentityTokenAudience': 'false' },
      }),
    ];
  }

  /** The service that keeps the credentials, by the name that a key's policy knows it by. */
  private keeper(secret: string | undefined): string {
    const { region, urlSuffix } = Stack.of(this);
    return `${secret === undefined ? 'ssm' : 'secretsmanager'}.${region}.${urlSuffix}`;
  }

  /** Secrets Manager ends an ARN by a hyphen and six characters of its own; a name does not have them. */
  private secretArn(secret: string): string {
    if (secret.startsWith('arn:')) {
      return /-[A-Za-z0-9]{6}$/.test(secret) ? secret : `${secret}-??????`;
    }
    return Token.isUnresolved(secret)
      ? secret
      : this.arn('secretsmanager', 'secret', `${secret}-??????`, ArnFormat.COLON_RESOURCE_NAME);
  }

  private parameterArn(parameter: string): string {
    return this.arn('ssm', 'parameter', parameter.replace(/^\//, ''), ArnFormat.SLASH_RESOURCE_NAME);
  }

  private arn(service: string, resource: string, resourceName: string, arnFormat: ArnFormat): string {
    return Stack.of(this).formatArn({ service, resource, resourceName, arnFormat });
  }
}

function allow(
  action: string,
  resource: string | undefined,
  conditions?: Record<string, unknown>,
): iam.PolicyStatement[] {
  return resource === undefined
    ? []
    : [new iam.PolicyStatement({ actions: [action], resources: [resource], conditions })];
}

function credentialsJson(credentials: LocationCredentials | undefined): Record<string, unknown> | undefined {
  if (credentials === undefined) {
    return undefined;
  }
  const { secret, parameter, role, externalId, webIdentity } = credentials;
  return { secret, parameter, role, external_id: externalId, web_identity: webIdentity };
}
