// A file system of EFS as a place: the functions mount it, each with just its rights on the access point.
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { Location } from './location';
import { MOUNT } from './location-files';
import { Network } from './network';
import { Problem } from './problem';

/** The user of the access point: whoever mounts it is this one, whatever it runs as. */
const OWNER = '1000';
/** Where the access point of a new file system leads. */
const FOLDER = '/transload';

/** Properties of a file system. */
export interface FileSystemConstructProps {
  /** The place that it is. */
  readonly location: Location;
  /** Where its mount targets are. */
  readonly network: Network;
  /**
   * Whether a new one outlives the stack.
   * @default true
   */
  readonly retain?: boolean;
}

/** A file system that functions mount: an existing one by its access point, or a new one. */
export class FileSystem extends Construct {
  /** ARN of the access point. */
  public readonly accessPointArn: string;
  /** ARN of the file system. */
  public readonly fileSystemArn: string;
  private readonly targets: efs.CfnMountTarget[] = [];

  constructor(scope: Construct, id: string, props: FileSystemConstructProps) {
    super(scope, id);
    const { accessPointArn, fileSystemArn } = props.location.props.files ?? {};
    if (accessPointArn !== undefined && fileSystemArn !== undefined) {
      this.accessPointArn = accessPointArn;
      this.fileSystemArn = fileSystemArn;
      return;
    }
    const made = this.make(props);
    this.accessPointArn = made.point.attrArn;
    this.fileSystemArn = made.system.attrArn;
  }

  /**
   * Mounts it.
   * @internal
   */
  public _connect(handler: lambda.Function): void {
    const function_ = handler.node.defaultChild as lambda.CfnFunction;
    function_.fileSystemConfigs = [{ arn: this.accessPointArn, localMountPath: MOUNT }];
    // Lambda tries the mount when the function is made.
    this.targets.forEach((target) => handler.node.addDependency(target));
  }

  /**
   * Lets a role mount it, to be read or to be written to; root's rights are nobody's.
   * @internal
   */
  public _grant(role: iam.Role, write: boolean): void {
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['elasticfilesystem:ClientMount', ...(write ? ['elasticfilesystem:ClientWrite'] : [])],
        resources: [this.fileSystemArn],
        conditions: { StringEquals: { 'elasticfilesystem:AccessPointArn': this.accessPointArn } },
      }),
    );
  }

  private make({ network, retain = true }: FileSystemConstructProps): {
    system: efs.CfnFileSystem;
    point: efs.CfnAccessPoint;
  } {
    const system = new efs.CfnFileSystem(this, 'System', {
      encrypted: true,
      backupPolicy: { status: 'ENABLED' },
      // Transfers come in bursts, of any size: this mode has no credits that they could use up.
      throughputMode: 'elastic',
      lifecyclePolicies: [{ transitionToIa: 'AFTER_30_DAYS' }, { transitionToPrimaryStorageClass: 'AFTER_1_ACCESS' }],
      fileSystemTags: [{ key: 'Name', value: `${Stack.of(this).stackName}-files` }],
      // With a policy, nobody without a right of IAM mounts it, though the network would let them.
      fileSystemPolicy: new iam.PolicyDocument({
        statements: [
          new iam.PolicyStatement({
            effect: iam.Effect.DENY,
            principals: [new iam.AnyPrincipal()],
            actions: ['*'],
            conditions: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ],
      }),
    });
    system.applyRemovalPolicy(retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY);
    const owner = { uid: OWNER, gid: OWNER };
    const point = new efs.CfnAccessPoint(this, 'AccessPoint', {
      fileSystemId: system.ref,
      posixUser: owner,
      rootDirectory: { path: FOLDER, creationInfo: { ownerUid: OWNER, ownerGid: OWNER, permissions: '750' } },
    });
    network._mountTargets(this, system.ref).forEach((target) => this.targets.push(target));
    return { system, point };
  }
}

/**
 * The one place of the stack that is a file system; undefined if there is none.
 * @internal
 */
export function filesLocation(locations: Location[], network: Network | undefined): Location | undefined {
  const [one, second] = locations.filter((location) => location.isFiles);
  if (one === undefined) {
    return undefined;
  }
  if (second !== undefined) {
    throw new Problem(
      `locations.${second.locationName}.files`,
      `one file system in a stack (a function mounts one), found ${one.locationName} too; deploy two stacks`,
    );
  }
  const path = `locations.${one.locationName}.files`;
  if (network === undefined) {
    throw new Problem(
      'network',
      `a network beside ${path}, for a file system is mounted in one; {} makes a new one; found none`,
    );
  }
  const exists = one.props.files?.accessPointArn !== undefined;
  if (exists && network._isNew) {
    throw new Problem(
      'network.subnetIds',
      `subnets of the network that has the mount targets of ${path}.accessPointArn, found none`,
    );
  }
  if (!exists && !network._isNew) {
    throw new Problem(
      `${path}.accessPointArn`,
      'an access point that can be mounted in network.subnetIds (a new file system is for a new network), found none',
    );
  }
  return one;
}
