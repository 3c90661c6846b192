// Burst credits of a file system: while few are left, transfers from and to it have fewer children at a time.
import { ArnFormat, Duration, Fn, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { acknowledgeResource } from './acknowledge';
import { RetentionProps } from './retention';
import { Started, startBy } from './start';
import { StateMachine } from './state-machine';

/** Properties of what watches burst credits. */
export interface CreditsProps extends RetentionProps {
  /** Name of the location. */
  readonly location: string;
  /** ARN of the file system. */
  readonly fileSystemArn: string;
  /** Below so many bytes of credits transfers are held back. */
  readonly lowCredits: number;
  /** File of the definition. */
  readonly definitionFile: string;
  /** Name of its machine. */
  readonly machineName: string;
  /** The machine of transfers. */
  readonly stateMachine: StateMachine;
  /** The machine of comparisons. */
  readonly bucketMachine: StateMachine;
}

/** Children that a Map Run keeps while credits are few: one still moves, and leaves the rest to others. */
const LOW_CONCURRENCY = 1;

/** Holds transfers back while a file system has few burst credits left. Nothing runs while it has enough. */
export class Credits extends Construct {
  /** The machine that does. */
  public readonly stateMachine: StateMachine;
  /** What starts it, and where that is kept which could not. */
  public readonly started: Started;
  private readonly alarm: cloudwatch.Alarm;

  constructor(scope: Construct, id: string, props: CreditsProps) {
    super(scope, id);
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      definitionFile: props.definitionFile,
      machineName: props.machineName,
      functions: {},
      values: {
        FileLocation: props.location,
        LowConcurrency: `${LOW_CONCURRENCY}`,
        ObjectStateMachineArn: props.stateMachine.stateMachineArn,
        BucketStateMachineArn: props.bucketMachine.stateMachineArn,
      },
      logRetentionDays: props.logRetentionDays,
      retain: props.retain,
    });
    this.grant([props.stateMachine, props.bucketMachine]);
    this.alarm = new cloudwatch.Alarm(this, 'Low', {
      metric: new cloudwatch.Metric({
        namespace: 'AWS/EFS',
        metricName: 'BurstCreditBalance',
        dimensionsMap: { FileSystemId: Fn.select(1, Fn.split('/', props.fileSystemArn)) },
        statistic: 'Minimum',
        period: Duration.minutes(5),
      }),
      alarmDescription: `transload: fewer than ${props.lowCredits} bytes of burst credits are left of ${props.location}: transfers have one child at a time until there are more`,
      threshold: props.lowCredits,
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // A file system whose mode has no credits tells none.
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    this.started = startBy(this, {
      description: `Burst credits of ${props.location}`,
      pattern: {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change'],
        resources: [this.alarm.alarmArn],
        detail: { state: { value: ['ALARM', 'OK'] } },
      },
      machine: this.stateMachine,
    });
  }

  /**
   * Tells people, too.
   * @internal
   */
  public _tell(topic: sns.ITopic): void {
    const action = new actions.SnsAction(topic);
    this.alarm.addAlarmAction(action);
    this.alarm.addOkAction(action);
  }

  /** A policy of its own: the machine waits for its role's policy, which so can not name the machine. */
  private grant(machines: StateMachine[]): void {
    const policy = new iam.Policy(this, 'Pace', { roles: [this.stateMachine.role] });
    const allow = (grants: string[], resources: string[]): void => {
      policy.addStatements(new iam.PolicyStatement({ actions: grants, resources }));
    };
    const own = this.stateMachine;
    const executions = machines.map((machine) => machine.executionsArn());
    const mapRuns = machines.map((machine) => mapRunsArn(machine));
    allow(
      ['states:ListExecutions'],
      [own, ...machines].map((machine) => machine.stateMachineArn),
    );
    allow(['states:DescribeExecution', 'states:ListMapRuns'], executions);
    allow(['states:DescribeMapRun', 'states:UpdateMapRun'], mapRuns);
    allow(['states:StartExecution'], [own.stateMachineArn]);
    allow(['states:StopExecution'], [own.executionsArn()]);
    for (const resource of [...executions, ...mapRuns, own.executionsArn()]) {
      acknowledgeResource(policy, resource, 'Executions and their Map Runs get their names when they start.');
    }
  }
}

function mapRunsArn(machine: StateMachine): string {
  return Stack.of(machine).formatArn({
    service: 'states',
    resource: 'mapRun',
    resourceName: `${machine.machine.stateMachineName}/*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
