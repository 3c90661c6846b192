// What a user says of a location: where it is, what it can do, who we are there.

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
   * Name or ARN of a secret in Secrets Manager, in the stack's account or shared with it, and in its Region. It holds
   * JSON: `aws_access_key_id`, `aws_secret_access_key`, and if need be
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
   * A role of the other partition; the location's `region` has to be written too.
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

/** A file system of EFS, instead of a store. Needs a network. */
export interface LocationFiles {
  /**
   * ARN of an access point of an existing file system; its mount targets are in the network's subnets. Everybody who mounts it is
   * the user that it names.
   * @default - a new file system, encrypted, with an access point and backups, in the new network
   */
  readonly accessPointArn?: string;
  /**
   * ARN of the existing file system.
   * @default - none; required with accessPointArn
   */
  readonly fileSystemArn?: string;
  /**
   * Folders beneath the access point, by the names that routes and requests give as buckets.
   * @default - `{"files": "/"}`: all of it
   */
  readonly roots?: { [bucket: string]: string };
  /**
   * Mode of files that are written, in octal.
   * @default 0644
   */
  readonly mode?: string;
  /**
   * Mode of folders that are made, in octal.
   * @default 0755
   */
  readonly directoryMode?: string;
  /**
   * Bytes of burst credits (the metric BurstCreditBalance) below which transfers from and to an existing file system have one child
   * at a time, until there are more again; 100000000000 are three minutes at 500 MiB/s.
   * @default - credits are not looked at; a new file system has none
   */
  readonly lowCredits?: number;
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
   * Checksums over whole objects in parts, best first: CRC64NVME, CRC32C, CRC32; or CRC64XZ alone, which OSS and COS tell.
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
   * A file system of EFS instead of a store; then nothing else is said of the location. One in a stack.
   * @default - a store
   */
  readonly files?: LocationFiles;
  /**
   * The buckets that routes may name.
   * @default - any, if there are credentials of its own; without them the list is required
   */
  readonly buckets?: LocationBucket[];
}
