// A named place, as the functions read it from their environment, and what they need to get at its credentials.
import { ArnFormat, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { checkLocation } from './location-check';
import { LocationBucket, LocationCredentials, LocationProps } from './location-props';
import { regionOfArn } from './partition';
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
        StringEquals: { 'kms:ViaService': `${service}.${regionOfArn(credentials.secret) ?? stack.region}.${stack.urlSuffix}` },
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
}

function credentialsJson(credentials: LocationCredentials | undefined): Record<string, unknown> | undefined {
  if (credentials === undefined) {
    return undefined;
  }
  const { secret, parameter, role, externalId, webIdentity } = credentials;
  return { secret, parameter, role, external_id: externalId, web_identity: webIdentity };
}
