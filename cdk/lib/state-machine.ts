// A state machine from its file: the text with substitutions, and by hand the grants that a definition from a file does not
// bring with it.
import * as fs from 'node:fs';
import { ArnFormat, Aws, Fn, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeResource } from './acknowledge';
import { Problem } from './problem';
import { serviceOfAccount } from './principal';
import { RESULTS_PREFIX, ResultsBucket, WORK_PREFIX } from './results-bucket';
import { RetentionProps, logGroup } from './retention';
import { TransloadFunction } from './transload-function';

/** Properties of a state machine. */
export interface StateMachineProps extends RetentionProps {
  /** File of the definition (Amazon States Language). */
  readonly definitionFile: string;
  /** Name of the machine. */
  readonly machineName: string;
  /** Functions by their placeholders in the definition, `HeadFunctionArn` for `${HeadFunctionArn}`. */
  readonly functions: { [placeholder: string]: TransloadFunction };
  /**
   * Bucket for `${ResultsBucket}`.
   * @default - none
   */
  readonly results?: ResultsBucket;
  /**
   * Bucket that maps read their lists from and write their results to; the machine's own functions name it.
   * @default - none
   */
  readonly work?: ResultsBucket;
  /**
   * Machine that it runs to its end, for `${ObjectStateMachineArn}`.
   * @default - none
   */
  readonly runs?: StateMachine;
  /**
   * Machine that it starts without waiting, for `${ObjectStateMachineArn}`.
   * @default - none
   */
  readonly starts?: StateMachine;
  /**
   * Texts by their placeholders. They stand within strings of the definition.
   * @default - none
   */
  readonly values?: { [placeholder: string]: string };
}

/** By this rule Step Functions learns that an execution has ended that another one waits for; it makes the rule itself. */
const ENDS_RULE = 'StepFunctionsGetEventsForStepFunctionsExecutionRule';
/** Groups with this prefix need no entry each in the account's resource policy for logs, which is of limited length. */
const LOG_PREFIX = '/aws/vendedlogs/states/';
/** The service takes definitions of up to 1 MiB. */
const LARGEST_DEFINITION = 1_048_576;

/** A state machine. */
export class StateMachine extends Construct {
  /** The machine. */
  public readonly machine: sfn.StateMachine;
  /** Its role. */
  public readonly role: iam.Role;
  /** Its log of errors. */
  public readonly logGroup: logs.LogGroup;
  /** Its name. */
  public readonly machineName: string;

  constructor(scope: Construct, id: string, props: StateMachineProps) {
    super(scope, id);
    if (!Token.isUnresolved(props.machineName) && !/^[A-Za-z0-9_-]{1,80}$/.test(props.machineName)) {
      throw new Problem(
        'machineName',
        'a name of 1 to 80 letters, digits, hyphens and underscores (a shorter stack name)',
        props.machineName,
      );
    }
    this.machineName = props.machineName;
    const text = readDefinition(props.definitionFile);
    const substitutions = substitutionsOf(props);
    checkPlaceholders(props.definitionFile, text, Object.keys(substitutions));
    this.logGroup = logGroup(this, props, `${LOG_PREFIX}${props.machineName}-${stackSuffix()}`);
    this.role = this.makeRole(props);
    this.machine = new sfn.StateMachine(this, 'Machine', {
      stateMachineName: props.machineName,
      stateMachineType: sfn.StateMachineType.STANDARD,
      definitionBody: sfn.DefinitionBody.fromString(text),
      definitionSubstitutions: substitutions,
      role: this.role,
      logs: { destination: this.logGroup, level: sfn.LogLevel.ERROR, includeExecutionData: false },
      tracingEnabled: true,
    });
    acknowledge(
      this.machine,
      'SF1',
      'Executions are of type STANDARD: their histories hold every event for 90 days. The log is there for alarms and search, and errors are what these look for.',
    );
    this.grantMaps(mapsOf(props.definitionFile, text));
  }

  /** ARN of the machine. */
  public get stateMachineArn(): string {
    return this.machine.stateMachineArn;
  }

  /** ARN of the machine's executions; of the children of a map with its label. */
  public executionsArn(label?: string): string {
    const name = this.machine.stateMachineName;
    return Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: label === undefined ? `${name}:*` : `${name}/${label}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  private makeRole(props: StateMachineProps): iam.Role {
    const role = new iam.Role(this, 'Role', {
      assumedBy: serviceOfAccount(this, 'states.amazonaws.com'),
      description: 'What a state machine of transload may do',
    });
    const functions = [...new Set(Object.values(props.functions))];
    if (functions.length > 0) {
      const resources = functions.map((one) => one.handler.functionArn);
      role.addToPolicy(new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources }));
    }
    if (props.results !== undefined) {
      grantResults(role, props.results, RESULTS_PREFIX);
    }
    if (props.work !== undefined) {
      grantResults(role, props.work, WORK_PREFIX);
      grantLists(role, props.work);
    }
    if (props.runs !== undefined) {
      grantRuns(role, props.runs);
    }
    if (props.starts !== undefined) {
      const resources = [props.starts.stateMachineArn];
      role.addToPolicy(new iam.PolicyStatement({ actions: ['states:StartExecution'], resources }));
    }
    acknowledgeResource(role, '*', "X-Ray's actions and those for the delivery of logs know no resources.");
    return role;
  }

  /**
   * A Distributed Map starts its children as executions of its own machine, and on a redrive redrives them. A policy of its
   * own: the machine waits for its role's policy, which so can not name the machine.
   */
  private grantMaps(maps: DistributedMap[]): void {
    if (maps.length === 0) {
      return;
    }
    const policy = new iam.Policy(this, 'RunMaps', { roles: [this.role] });
    const allow = (actions: string[], resources: string[]): void => {
      policy.addStatements(new iam.PolicyStatement({ actions, resources }));
    };
    // Children of type EXPRESS are started anew instead.
    const children = maps.filter(({ express }) => !express).map(({ label }) => this.executionsArn(label));
    allow(['states:StartExecution'], [this.stateMachineArn]);
    allow(['states:DescribeExecution', 'states:StopExecution'], [this.executionsArn()]);
    allow(['states:RedriveExecution'], children);
    for (const resource of [this.executionsArn(), ...children]) {
      acknowledgeResource(policy, resource, 'Executions of this very machine; their names are given when they start.');
    }
  }

  /**
   * Actions of an AWS SDK integration on the executions of another machine.
   * @internal
   */
  public _allowOnExecutionsOf(other: StateMachine, actions: string[]): void {
    const resource = other.executionsArn();
    this.role.addToPolicy(new iam.PolicyStatement({ actions, resources: [resource] }));
    acknowledgeResource(
      this.role,
      resource,
      'Any execution of that machine may be stopped or time out; their names are given when they start.',
    );
  }
}

/** A map's ResultWriter. */
function grantResults(role: iam.Role, results: ResultsBucket, prefix: string): void {
  const objects = results.objectsArn(prefix);
  role.addToPolicy(
    new iam.PolicyStatement({
      actions: ['s3:PutObject', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
      resources: [objects],
    }),
  );
  acknowledgeResource(
    role,
    objects,
    "A map's results are written under the name of their execution, which is not known before.",
  );
}

/** A map's ItemReader over all lists below a prefix; reading them is granted with the results. */
function grantLists(role: iam.Role, work: ResultsBucket): void {
  role.addToPolicy(
    new iam.PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [work.bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': `${WORK_PREFIX}*` } },
    }),
  );
}

/** Executions of another machine that are waited for: started, looked at, stopped with the one that waits, and redriven with it. */
function grantRuns(role: iam.Role, other: StateMachine): void {
  const stack = Stack.of(role);
  const rule = stack.formatArn({ service: 'events', resource: 'rule', resourceName: ENDS_RULE });
  const allow = (actions: string[], resource: string): void => {
    role.addToPolicy(new iam.PolicyStatement({ actions, resources: [resource] }));
  };
  allow(['states:StartExecution'], other.stateMachineArn);
  allow(['states:DescribeExecution', 'states:RedriveExecution', 'states:StopExecution'], other.executionsArn());
  allow(['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], rule);
  acknowledgeResource(role, other.executionsArn(), 'Executions of that machine get their names when they start.');
}

/** A log that outlived a stack keeps its name: the next stack of the same name needs another. */
function stackSuffix(): string {
  return Fn.select(4, Fn.split('-', Fn.select(2, Fn.split('/', Aws.STACK_ID))));
}

function readDefinition(file: string): string {
  if (!fs.existsSync(file)) {
    throw new Problem('definitions', `the definition ${file}, found none`);
  }
  const text = fs.readFileSync(file, 'utf8');
  if (Buffer.byteLength(text) > LARGEST_DEFINITION) {
    throw new Problem(
      'definitions',
      `a definition of at most ${LARGEST_DEFINITION} bytes in ${file}`,
      Buffer.byteLength(text),
    );
  }
  return text;
}

function substitutionsOf(props: StateMachineProps): { [placeholder: string]: string } {
  const functions = Object.entries(props.functions).map(([placeholder, one]) => [placeholder, one.handler.functionArn]);
  const results = props.results === undefined ? [] : [['ResultsBucket', props.results.bucket.bucketName]];
  const other = props.runs ?? props.starts;
  const runs = other === undefined ? [] : [['ObjectStateMachineArn', other.stateMachineArn]];
  return Object.fromEntries([...functions, ...results, ...runs, ...Object.entries(props.values ?? {})]);
}

/** A placeholder without a value would be deployed as it stands, and a value without a placeholder is a typing error. */
function checkPlaceholders(file: string, text: string, given: string[]): void {
  const found = [...new Set([...text.matchAll(/\$\{([A-Za-z0-9_]+)\}/g)].map((match) => match[1]))].sort();
  if (found.join() !== [...given].sort().join()) {
    throw new Problem('definitions', `the placeholders ${[...given].sort().join(', ')} in ${file}`, found);
  }
}

/** A Distributed Map of a definition. */
interface DistributedMap {
  readonly label: string;
  /** Whether its children are of type EXPRESS. */
  readonly express: boolean;
}

/** The Distributed Maps of a definition, wherever they stand. */
function mapsOf(file: string, text: string): DistributedMap[] {
  const maps: DistributedMap[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) {
      return;
    }
    const state = node as {
      Type?: string;
      Label?: string;
      ItemProcessor?: { ProcessorConfig?: { Mode?: string; ExecutionType?: string } };
    };
    const config = state.ItemProcessor?.ProcessorConfig;
    if (state.Type === 'Map' && config?.Mode === 'DISTRIBUTED') {
      if (state.Label === undefined) {
        throw new Problem('definitions', `a Label on each Distributed Map of ${file} (grants name it), found none`);
      }
      maps.push({ label: state.Label, express: config.ExecutionType === 'EXPRESS' });
    }
    Object.values(node).forEach(visit);
  };
  visit(JSON.parse(text));
  return maps;
}
