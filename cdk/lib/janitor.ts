// Releases uploads of executions that were stopped or timed out: these run no state any more, so an event has to.
import * as events from 'aws-cdk-lib/aws-events';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { RetentionProps } from './retention';
import { startBy } from './start';
import { StateMachine } from './state-machine';
import { TransloadFunction } from './transload-function';

/** Properties of the janitor. */
export interface JanitorProps extends RetentionProps {
  /** File of its definition. */
  readonly definitionFile: string;
  /** Name of its machine. */
  readonly machineName: string;
  /** The machines whose executions it cleans up after. */
  readonly cleansUpAfter: StateMachine[];
  /** The machine that starts such executions too; those of a run that was paused keep their uploads. */
  readonly runs: StateMachine;
  /** The function that releases uploads. */
  readonly abort: TransloadFunction;
}

/** What the definition asks of Step Functions: the history names the upload, the status whether it is still needed. */
const DESCRIBE = 'states:DescribeExecution';
const CALLS = [DESCRIBE, 'states:GetExecutionHistory'];

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
    props.cleansUpAfter.forEach((machine) => this.stateMachine._allowOnExecutionsOf(machine, CALLS));
    this.stateMachine._allowOnExecutionsOf(props.runs, [DESCRIBE]);
    const { rule, deadLetters } = startBy(this, {
      description: 'Transfers that were stopped or timed out',
      pattern: patternOf(props.cleansUpAfter),
      machine: this.stateMachine,
    });
    this.rule = rule;
    this.deadLetters = deadLetters;
  }
}

/** The end of an execution that could not clean up. Children of a map are of another ARN, with its label, and left to their parent. */
function patternOf(machines: StateMachine[]): events.EventPattern {
  return {
    source: ['aws.states'],
    detailType: ['Step Functions Execution Status Change'],
    detail: { status: ['TIMED_OUT', 'ABORTED'], stateMachineArn: machines.map((one) => one.stateMachineArn) },
  };
}
