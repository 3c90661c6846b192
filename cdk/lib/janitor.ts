// Releases uploads of executions that were stopped or timed out: these run no state any more, so an event has to.
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DeadLetters } from './dead-letters';
import { serviceOfAccount } from './principal';
import { RetentionProps } from './retention';
import { StateMachine } from './state-machine';
import { TransloadFunction } from './transload-function';

/** Properties of the janitor. */
export interface JanitorProps extends RetentionProps {
  /** File of its definition. */
  readonly definitionFile: string;
  /** Name of its machine. */
  readonly machineName: string;
  /** The machine whose executions it cleans up after. */
  readonly cleansUpAfter: StateMachine;
  /** The function that releases uploads. */
  readonly abort: TransloadFunction;
}

/** What the definition asks of Step Functions: the history names the upload, the status whether it is still needed. */
const CALLS = ['states:DescribeExecution', 'states:GetExecutionHistory'];

/** Cleans up after executions that could not do so themselves. */
export class Janitor extends Construct {
  /** Its machine. */
  public readonly stateMachine: StateMachine;
  /** Events that could not start it. */
  public readonly deadLetters: sqs.Queue;
  /** The rule. */
  public readonly rule: events.Rule;

  constructor(scope: Construct, id: string, props: JanitorProps) {
    super(scope, id);
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      definitionFile: props.definitionFile,
      machineName: props.machineName,
      functions: { AbortFunctionArn: props.abort },
      logRetentionDays: props.logRetentionDays,
      retain: props.retain,
    });
    this.stateMachine._allowOnExecutionsOf(props.cleansUpAfter, CALLS);
    this.deadLetters = new DeadLetters(this, 'DeadLetters').queue;
    const role = new iam.Role(this, 'Role', {
      assumedBy: serviceOfAccount(this, 'events.amazonaws.com'),
      description: 'Starts the janitor of transload',
    });
    role.addToPolicy(new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [this.stateMachine.stateMachineArn] }));
    this.rule = new events.Rule(this, 'Rule', {
      description: 'Transfers that were stopped or timed out',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        // Children of a map are of another machine ARN, with the map's label, and so left to their parent.
        detail: { status: ['TIMED_OUT', 'ABORTED'], stateMachineArn: [props.cleansUpAfter.stateMachineArn] },
      },
      targets: [{
        bind: () => ({
          arn: this.stateMachine.stateMachineArn,
          role,
          deadLetterConfig: { arn: this.deadLetters.queueArn },
          retryPolicy: { maximumRetryAttempts: 185, maximumEventAgeInSeconds: 86_400 },
        }),
      }],
    });
    DeadLetters.allow(this.deadLetters, this.rule);
  }
}
