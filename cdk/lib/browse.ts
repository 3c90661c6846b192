// The page and its API behind API Gateway: one function, one route, and nobody who is not known.
import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import * as authorizers from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import * as integrations from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as gatewayFormat from 'aws-cdk-lib/aws-apigateway';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeResource } from './acknowledge';
import { Location } from './location';
import { FileSystem } from './file-system';
import { MOUNT } from './location-files';
import { Network } from './network';
import { grantListing, mounts } from './permissions';
import { Fields, Problem, checkFields, checkForm } from './problem';
import { RetentionProps, logGroup } from './retention';
import { StateMachine } from './state-machine';
import { Transfer } from './transfer';
import { codeAsset, locationsJson } from './transload-function';

/** The page and its API behind API Gateway. */
export interface BrowseProps {
  /**
   * Issuer of the tokens that callers show (`https://...`), with `audience` beside it.
   * @default - none: callers sign their requests with IAM, and need execute-api:Invoke on the API
   */
  readonly issuer?: string;
  /**
   * Audiences, one of which a token has to name.
   * @default - none
   */
  readonly audience?: string[];
  /**
   * Whether people may leave notes on executions. They are kept on the stack's file system, in `.transload/notes` beneath its
   * access point, where no transfer reads or writes.
   * @default false
   */
  readonly notes?: boolean;
}

/** What the construct needs of its surroundings. */
export interface BrowseConstructProps extends RetentionProps {
  /** The user's properties. */
  readonly browse: BrowseProps;
  /** Folder with the folder `browse` of its binary. */
  readonly code: string;
  /** Processor: arm64 or x86_64. */
  readonly architecture?: string;
  /** The machine of transfers. */
  readonly stateMachine: StateMachine;
  /** The machine of comparisons. */
  readonly bucketMachine: StateMachine;
  /** The locations whose trees are shown. */
  readonly locations: Location[];
  /** What is transferred: these ends are listed. */
  readonly transfers: Transfer[];
  /**
   * Network to run in.
   * @default - none: Lambda's own
   */
  readonly network?: Network;
  /**
   * File system that is shown.
   * @default - none
   */
  readonly files?: FileSystem;
}

const FIELDS: Fields<BrowseProps> = { issuer: 'text', audience: 'texts', notes: 'flag' };
/** Where notes are; a name that the functions keep for themselves. */
const NOTES = `${MOUNT}/.transload/notes`;
/** Reports take the longest: two requests for each of up to 500 children. */
const MEMORY = 512;
/** A gateway waits for 30 seconds at most. */
const TIMEOUT = Duration.seconds(29);
/** A page that is looked at asks every 1.5 seconds. Beyond these the gateway answers 429. */
const REQUESTS = { rateLimit: 50, burstLimit: 100 };

/** What is asked about executions and their children, and done to them. */
const ON_EXECUTIONS = [
  'states:DescribeExecution',
  'states:DescribeStateMachineForExecution',
  'states:GetExecutionHistory',
  'states:ListMapRuns',
  'states:RedriveExecution',
  'states:StopExecution',
];
const ON_MACHINES = ['states:ListExecutions', 'states:StartExecution'];
const ON_MAP_RUNS = ['states:DescribeMapRun', 'states:ListExecutions', 'states:UpdateMapRun'];

/** Function and gateway of the page. */
export class Browse extends Construct {
  /** The function. */
  public readonly handler: lambda.Function;
  /** Its role. */
  public readonly role: iam.Role;
  /** Its log. */
  public readonly logGroup: logs.LogGroup;
  /** The API. */
  public readonly api: apigateway.HttpApi;
  /** Where it is. */
  public readonly url: string;

  constructor(scope: Construct, id: string, props: BrowseConstructProps) {
    super(scope, id);
    checkBrowse(props.browse, props.files);
    this.logGroup = logGroup(this, props);
    this.role = this.makeRole(props);
    this.logGroup.grantWrite(this.role);
    this.handler = new lambda.Function(this, 'Function', {
      description: 'The page of transload and its API',
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: props.architecture === 'x86_64' ? lambda.Architecture.X86_64 : lambda.Architecture.ARM_64,
      handler: 'bootstrap',
      code: lambda.Code.fromAsset(codeAsset(props.code, 'browse', props.architecture ?? 'arm64')),
      memorySize: MEMORY,
      timeout: TIMEOUT,
      role: this.role,
      environment: {
        TRANSLOAD_LOCATIONS: locationsJson(this, props.locations),
        TRANSLOAD_OBJECT_MACHINE: props.stateMachine.stateMachineArn,
        TRANSLOAD_BUCKET_MACHINE: props.bucketMachine.stateMachineArn,
        ...(props.browse.notes === true ? { TRANSLOAD_NOTES: NOTES } : {}),
      },
      logGroup: this.logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      tracing: lambda.Tracing.ACTIVE,
    });
    props.network?._connect(this.handler);
    if (mounts('browse', props.transfers) || props.browse.notes === true) {
      props.files?._connect(this.handler);
    }
    // The one route there is: what it does not let in reaches nothing.
    this.api = new apigateway.HttpApi(this, 'Api', {
      description: 'The page of transload and its API',
      defaultAuthorizer: authorizerOf(props.browse),
      defaultIntegration: new integrations.HttpLambdaIntegration('Function', this.handler),
      createDefaultStage: false,
    });
    this.url = this.makeStage(props).url;
  }

  private makeRole(props: BrowseConstructProps): iam.Role {
    const { browse, stateMachine, bucketMachine, transfers, network, files } = props;
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'What the page of transload may do',
    });
    const allow = (actions: string[], resources: string[]): void => {
      role.addToPolicy(new iam.PolicyStatement({ actions, resources }));
    };
    const machines = [stateMachine, bucketMachine];
    allow(
      ON_MACHINES,
      machines.map((one) => one.stateMachineArn),
    );
    const executions = machines.flatMap((one) => [one.executionsArn(), one.executionsArn('*')]);
    const runs = machines.map((one) => this.mapRunsArn(one));
    allow(ON_EXECUTIONS, executions);
    allow(ON_MAP_RUNS, runs);
    for (const resource of [...executions, ...runs]) {
      acknowledgeResource(
        role,
        resource,
        "Executions of this stack's machines; their names are given when they start.",
      );
    }
    grantListing(role, transfers, files);
    if (browse.notes === true) {
      files?._grant(role, true);
    }
    network?._grantInterfaces(role);
    acknowledgeResource(
      role,
      '*',
      "X-Ray's actions know no resources; in a network of its own neither do those for network interfaces.",
    );
    return role;
  }

  private mapRunsArn({ machine }: StateMachine): string {
    return Stack.of(this).formatArn({
      service: 'states',
      resource: 'mapRun',
      resourceName: `${machine.stateMachineName}/*:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  /** Who asked for what, and what they were answered; no header, so no token. */
  private makeStage(props: RetentionProps): apigateway.HttpStage {
    const scope = new Construct(this, 'Access');
    const field = gatewayFormat.AccessLogField;
    return new apigateway.HttpStage(scope, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: REQUESTS,
      accessLogSettings: {
        destination: new apigateway.LogGroupLogDestination(logGroup(scope, props)),
        format: gatewayFormat.AccessLogFormat.custom(
          JSON.stringify({
            requestId: field.contextRequestId(),
            time: field.contextRequestTime(),
            ip: field.contextIdentitySourceIp(),
            caller: field.contextIdentityUserArn(),
            subject: field.contextAuthorizer('claims.sub'),
            method: field.contextHttpMethod(),
            path: field.contextPath(),
            status: field.contextStatus(),
            length: field.contextResponseLength(),
          }),
        ),
      },
    });
  }
}

function authorizerOf({ issuer, audience }: BrowseProps): apigateway.IHttpRouteAuthorizer {
  return issuer === undefined
    ? new authorizers.HttpIamAuthorizer()
    : new authorizers.HttpJwtAuthorizer('Tokens', issuer, { jwtAudience: audience ?? [] });
}

function checkBrowse(browse: BrowseProps, files: FileSystem | undefined): void {
  checkFields('browse', browse, FIELDS);
  checkForm('browse.issuer', browse.issuer, /^https:\/\/[^\s?#]+$/, 'the URL of an issuer, https://...');
  const audience = browse.audience ?? [];
  if (browse.issuer !== undefined && (audience.length === 0 || audience.some((one) => one === ''))) {
    throw new Problem(
      'browse.audience',
      'the audiences of tokens beside issuer, for an issuer has others too',
      audience,
    );
  }
  if (browse.issuer === undefined && browse.audience !== undefined) {
    throw new Problem('browse.issuer', 'the issuer of tokens beside audience, found none');
  }
  if (browse.notes === true && files === undefined) {
    throw new Problem('browse.notes', 'a location that is a file system (files) to keep them on, found none');
  }
}
