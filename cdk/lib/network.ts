// A network for the functions, where rules ask for one: private subnets, endpoints for the services they call, and a way out
// only if a location needs it.
import { Fn } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import { HttpsProps } from './https';
import { Location } from './location';
import { LocationCredentials } from './location-props';
import { Fields, Problem, checkFields, checkForm, checkRange } from './problem';
import { RetentionProps, logGroup } from './retention';

/** Properties of a network: of an existing one (subnetIds and securityGroupIds), or of a new one. */
export interface NetworkProps {
  /**
   * Subnets of an existing network. It needs a way to the endpoints of every location, to Secrets Manager, SSM and STS.
   * @default - a new network
   */
  readonly subnetIds?: string[];
  /**
   * Security groups in the existing network; they have to let out port 443, and for a file system 2049.
   * @default - none; required with subnetIds
   */
  readonly securityGroupIds?: string[];
  /**
   * Addresses of the new network.
   * @default 10.0.0.0/20
   */
  readonly cidr?: string;
  /**
   * NAT gateways of the new network, 0 to 2. Each costs by the hour and by the byte.
   * @default - 1 if a location is in another Region, partition or store, or there is `https`, else 0
   */
  readonly natGateways?: number;
}

/** A network's properties together with who works in it. */
export interface NetworkConstructProps extends RetentionProps {
  /** The user's properties. */
  readonly network: NetworkProps;
  /** The locations that have to be reached. */
  readonly locations: Location[];
  /**
   * Whether a function asks Step Functions.
   * @default false
   */
  readonly asksStates?: boolean;
  /**
   * What is allowed of URLs.
   * @default - none are read
   */
  readonly https?: HttpsProps;
}

const FIELDS: Fields<NetworkProps> = {
  subnetIds: 'texts',
  securityGroupIds: 'texts',
  cidr: 'text',
  natGateways: 'number',
};

/** A network for the functions. */
export class Network extends Construct {
  /** The subnets that functions run in. */
  public readonly subnetIds: string[];
  /** The security groups of functions. */
  public readonly securityGroupIds: string[];
  /** What was made; undefined for an existing network. */
  private readonly made?: { readonly vpc: ec2.Vpc; readonly workers: ec2.SecurityGroup };

  constructor(scope: Construct, id: string, props: NetworkConstructProps) {
    super(scope, id);
    const network = props.network;
    checkNetwork(network);
    if (network.subnetIds !== undefined) {
      this.subnetIds = network.subnetIds;
      this.securityGroupIds = network.securityGroupIds ?? [];
      return;
    }
    const gateways =
      network.natGateways ??
      (props.https !== undefined || props.locations.some((location) => location.isElsewhere) ? 1 : 0);
    const vpc = this.makeVpc(network, gateways, props);
    const workers = new ec2.SecurityGroup(this, 'Workers', {
      vpc,
      description: 'Functions of transload: out by TLS, nothing in',
      allowAllOutbound: false,
    });
    workers.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'Stores and services of AWS');
    this.addEndpoints(vpc, workers, props);
    this.subnetIds = vpc.selectSubnets(subnetsOf(gateways)).subnetIds;
    this.securityGroupIds = [workers.securityGroupId];
    this.made = { vpc, workers };
  }

  /** @internal */
  public get _isNew(): boolean {
    return this.made !== undefined;
  }

  /**
   * Where the functions of a new network reach a file system: in each of their subnets, by NFS, and nobody else.
   * @internal
   */
  public _mountTargets(scope: Construct, fileSystemId: string): efs.CfnMountTarget[] {
    if (this.made === undefined) {
      return [];
    }
    const { vpc, workers } = this.made;
    const group = new ec2.SecurityGroup(scope, 'Targets', {
      vpc,
      description: 'File system of transload: in from the functions, by NFS',
      allowAllOutbound: false,
    });
    group.addIngressRule(workers, ec2.Port.NFS, 'Functions of transload');
    workers.addEgressRule(group, ec2.Port.NFS, 'The file system');
    return this.subnetIds.map(
      (subnetId, index) =>
        new efs.CfnMountTarget(scope, `Target${index}`, {
          fileSystemId,
          subnetId,
          securityGroups: [group.securityGroupId],
        }),
    );
  }

  /** @internal */
  public _connect(handler: lambda.Function): void {
    const function_ = handler.node.defaultChild as lambda.CfnFunction;
    function_.vpcConfig = { subnetIds: this.subnetIds, securityGroupIds: this.securityGroupIds };
  }

  /**
   * What Lambda needs to put a function into a network; its actions know no resources.
   * @internal
   */
  public _grantInterfaces(role: iam.Role): void {
    const actions = [
      'ec2:CreateNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:DeleteNetworkInterface',
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ];
    role.addToPolicy(new iam.PolicyStatement({ actions, resources: ['*'] }));
    // Lambda makes these calls for the function; the function's own code has no need of them.
    role.addToPolicy(
      new iam.PolicyStatement({
        effect: iam.Effect.DENY,
        actions,
        resources: ['*'],
        conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
      }),
    );
  }

  private makeVpc(network: NetworkProps, gateways: number, retention: RetentionProps): ec2.Vpc {
    const vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(network.cidr ?? '10.0.0.0/20'),
      // By index, so that a template can be made without asking the account for the names of its zones.
      availabilityZones: [Fn.select(0, Fn.getAzs()), Fn.select(1, Fn.getAzs())],
      natGateways: gateways,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        ...(gateways > 0
          ? [{ name: 'Public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false }]
          : []),
        { name: 'Workers', subnetType: subnetsOf(gateways).subnetType, cidrMask: 22 },
      ],
      gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
    });
    vpc.addFlowLog('Flow', { destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup(this, retention)) });
    return vpc;
  }

  /** Only for the services that the locations' credentials need, and the page. */
  private addEndpoints(
    vpc: ec2.Vpc,
    workers: ec2.SecurityGroup,
    { locations, asksStates = false, https = {} }: NetworkConstructProps,
  ): void {
    const has = (way: keyof LocationCredentials): boolean =>
      locations.some((location) => location.props.credentials?.[way] !== undefined);
    const services = {
      Secrets: [ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER, has('secret') || https.secrets !== undefined],
      Parameters: [ec2.InterfaceVpcEndpointAwsService.SSM, has('parameter') || https.parameters !== undefined],
      Roles: [ec2.InterfaceVpcEndpointAwsService.STS, has('role')],
      Tokens: [ec2.InterfaceVpcEndpointAwsService.STS, has('webIdentity')],
      States: [ec2.InterfaceVpcEndpointAwsService.STEP_FUNCTIONS, asksStates],
    } as const;
    const made = new Set<ec2.IInterfaceVpcEndpointService>();
    for (const [id, [service, needed]] of Object.entries(services)) {
      if (made.has(service) || !needed) {
        continue;
      }
      made.add(service);
      const group = new ec2.SecurityGroup(this, `${id}Endpoint`, {
        vpc,
        description: `Endpoint of transload: ${id}`,
        allowAllOutbound: false,
      });
      group.addIngressRule(workers, ec2.Port.HTTPS, 'Functions of transload');
      vpc.addInterfaceEndpoint(id, { service, securityGroups: [group], open: false });
      acknowledge(group, 'EC23', 'Open to the security group of the functions only.');
    }
  }
}

function subnetsOf(gateways: number): { subnetType: ec2.SubnetType } {
  return { subnetType: gateways > 0 ? ec2.SubnetType.PRIVATE_WITH_EGRESS : ec2.SubnetType.PRIVATE_ISOLATED };
}

function checkNetwork(network: NetworkProps): void {
  checkFields('network', network, FIELDS);
  checkRange('network.natGateways', network.natGateways, 0, 2);
  checkForm('network.cidr', network.cidr, /^(\d{1,3}\.){3}\d{1,3}\/(1[6-9]|20)$/, 'a range of addresses of /16 to /20');
  const [subnets, groups] = [network.subnetIds ?? [], network.securityGroupIds ?? []];
  if (subnets.length > 0 !== groups.length > 0) {
    throw new Problem(
      'network',
      'subnetIds and securityGroupIds together (an existing network) or neither (a new one)',
    );
  }
  if (subnets.length > 0 && (network.cidr !== undefined || network.natGateways !== undefined)) {
    throw new Problem('network', 'cidr and natGateways only for a new network, without subnetIds');
  }
}
