// Who is told when something is wrong, and where to look: a topic, alarms that all lead to it, a dashboard.
import { Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { Archives } from './archives';
import { Credits } from './credits';
import { widgets } from './dashboard';
import { Janitor } from './janitor';
import { NAMESPACE, openMapRuns, service } from './metrics';
import { checkForm } from './problem';
import { Route } from './route';
import { StateMachine } from './state-machine';

/** A function that is watched. */
export interface WatchedFunction {
  /** The function. */
  readonly handler: lambda.Function;
  /** Its log. */
  readonly logGroup: logs.LogGroup;
}

/** Properties of observability. */
export interface ObservabilityProps {
  /** The machine of transfers. */
  readonly stateMachine: StateMachine;
  /** The machine of comparisons. */
  readonly bucketMachine: StateMachine;
  /** The janitor. */
  readonly janitor: Janitor;
  /** The functions, by name. */
  readonly functions: { [name: string]: WatchedFunction };
  /** The routes. */
  readonly routes: Route[];
  /**
   * What packs by itself.
   * @default - nothing
   */
  readonly archives?: Archives;
  /**
   * What looks at the burst credits of a file system.
   * @default - nothing
   */
  readonly credits?: Credits;
  /**
   * The machines that pack and unpack.
   * @default - none
   */
  readonly archiveMachines?: StateMachine[];
  /**
   * Addresses that alarms are mailed to. Each has to confirm the first mail.
   * @default - none; the topic is there for other subscriptions
   */
  readonly alarmEmails?: string[];
}

/** As long a transfer of many TB may take, and as long dead letters may lie while nobody is at work. */
const A_DAY = Duration.days(1);
/** As long a notification may wait: a pipe asks its queue all the time. */
const WAITING = Duration.minutes(15);

/** An alarm's figures. */
interface Watch {
  readonly metric: cloudwatch.IMetric;
  readonly says: string;
  readonly threshold?: number;
  readonly periods?: number;
}

/** Topic, alarms and dashboard. */
export class Observability extends Construct {
  /** Where alarms go. */
  public readonly topic: sns.Topic;
  /** The dashboard. */
  public readonly dashboard: cloudwatch.Dashboard;

  constructor(scope: Construct, id: string, props: ObservabilityProps) {
    super(scope, id);
    this.topic = this.makeTopic(props.alarmEmails ?? []);
    this.watchMachines(props);
    this.watchArchives(props);
    this.watchCredits(props);
    this.watchFunctions(props.functions);
    this.watchDeadLetters(props);
    this.watchNotifications(props.routes);
    this.watchWaiting(props);
    this.dashboard = new cloudwatch.Dashboard(this, 'Dashboard', { widgets: widgets(props) });
  }

  private makeTopic(emails: string[]): sns.Topic {
    const topic = new sns.Topic(this, 'Alarms', { displayName: 'transload alarms', enforceSSL: true });
    // A topic with a policy of its own has no other: without this CloudWatch of the same account could not publish.
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    emails.forEach((email, index) => {
      checkForm(`alarmEmails[${index}]`, email, /^[^@\s]+@[^@\s]+\.[^@\s]+$/, 'a mail address');
      topic.addSubscription(new subscriptions.EmailSubscription(email));
    });
    return topic;
  }

  private watchMachines({ stateMachine, bucketMachine, janitor, functions }: ObservabilityProps): void {
    const transfers = executions(stateMachine);
    this.watch('TransfersFailed', {
      metric: transfers('ExecutionsFailed'),
      says: 'transfers failed: look at their error, mend the cause, redrive',
    });
    this.watch('TransfersTimedOut', {
      metric: transfers('ExecutionsTimedOut'),
      says: 'transfers took longer than the definition allows',
    });
    this.watch('TransfersStopped', {
      metric: transfers('ExecutionsAborted'),
      says: 'transfers were stopped by somebody',
    });
    this.watch('TransfersThrottled', {
      metric: transfers('ExecutionThrottled'),
      says: 'state transitions were throttled: raise the quota',
      periods: 3,
    });
    this.watchRuns(bucketMachine);
    const cleaning = executions(janitor.stateMachine);
    this.watch('JanitorFailed', {
      metric: cleaning('ExecutionsFailed'),
      says: "an upload was not released: redrive the janitor's execution",
    });
    this.watch('JanitorTimedOut', {
      metric: cleaning('ExecutionsTimedOut'),
      says: "an upload was not released: redrive the janitor's execution",
    });
    // 1,000 are the most that an account may have open in a Region; more wait.
    this.watch('OpenMapRuns', {
      metric: openMapRuns(),
      says: 'map runs are open in this account and Region; beyond 1,000 they wait',
      threshold: 900,
    });
    this.watch('TransfersLong', {
      metric: transfers('ExecutionTime').with({ statistic: 'Maximum' }),
      says: 'ms a transfer took (told at its end): was it large, throttled, or retried all day?',
      threshold: A_DAY.toMilliseconds(),
    });
    const parked = this.countParked(stateMachine, functions.init.logGroup);
    this.watch('TransfersParked', {
      metric: parked,
      says: 'transfers used up all their rounds; what was sent is kept: redrive them',
    });
  }

  private watchRuns(machine: StateMachine): void {
    const runs = executions(machine);
    this.watch('RunsFailed', {
      metric: runs('ExecutionsFailed'),
      says: 'runs over many objects failed: their report names the objects; mend the cause, redrive',
    });
    this.watch('RunsTimedOut', {
      metric: runs('ExecutionsTimedOut'),
      says: 'runs over many objects took longer than the definition allows',
    });
    this.watch('RunsStopped', {
      metric: runs('ExecutionsAborted'),
      says: 'runs over many objects were stopped by somebody',
    });
    this.watch('RunsThrottled', {
      metric: runs('ExecutionThrottled'),
      says: 'state transitions of runs over many objects were throttled: raise the quota, or fewer batches at a time',
      periods: 3,
    });
  }

  private watchCredits({ credits }: ObservabilityProps): void {
    if (credits === undefined) {
      return;
    }
    credits._tell(this.topic);
    this.watch('CreditsFailed', {
      metric: executions(credits.stateMachine)('ExecutionsFailed'),
      says: "transfers could not be held back, or let go again: redrive the pacer's execution",
    });
    const { queueName } = credits.started.deadLetters;
    this.watch('DeadLetters-credits', {
      metric: service('SQS', 'ApproximateNumberOfMessagesVisible', { QueueName: queueName }, 'Maximum'),
      says: "events about burst credits could not start an execution: see the queue's messages",
    });
  }

  private watchArchives({ archives, archiveMachines = [] }: ObservabilityProps): void {
    archiveMachines.forEach((machine, index) => {
      const name = ['Pack', 'Unpack'][index];
      const runs = executions(machine);
      for (const [metric, end, says] of [
        ['ExecutionsFailed', 'Failed', 'archives failed: look at the error, mend the cause, redrive'],
        ['ExecutionsTimedOut', 'TimedOut', 'archives took longer than the definition allows'],
        ['ExecutionsAborted', 'Stopped', 'archives were stopped by somebody'],
      ] as const) {
        this.watch(`${name}${end}`, { metric: runs(metric), says });
      }
    });
    for (const [name, queue] of Object.entries(archives?.deadLetters ?? {})) {
      this.watch(`DeadLetters-${name}-archive`, {
        metric: service('SQS', 'ApproximateNumberOfMessagesVisible', { QueueName: queue.queueName }, 'Maximum'),
        says: `starts of archive ${name} could not start an execution: see the queue's messages`,
      });
    }
  }

  /**
   * Init ends a transfer whose rounds are used up, and says so in its log by the error's name. The machine's own log leaves out
   * execution data, so that is not the place to look for it.
   */
  private countParked(machine: StateMachine, log: logs.LogGroup): cloudwatch.Metric {
    const filter = new logs.MetricFilter(this, 'Parked', {
      logGroup: log,
      filterPattern: logs.FilterPattern.stringValue('$.fields.error', '=', 'RoundsExhausted'),
      metricNamespace: NAMESPACE,
      // Dimensions of such a metric can only come from the log's own fields, and none has the machine's name.
      metricName: `Parked-${machine.machineName}`,
      metricValue: '1',
    });
    return filter.metric({ statistic: 'Sum', period: Duration.minutes(5) });
  }

  /**
   * A failure with a name counts as an error of Lambda, and most are retried: a share over a quarter of an hour is worth a look.
   * Each invocation counts 0 or 1 errors, so their average is that share.
   */
  private watchFunctions(functions: { [name: string]: WatchedFunction }): void {
    for (const [name, one] of Object.entries(functions)) {
      const of = (metric: string, statistic: string): cloudwatch.Metric =>
        service('Lambda', metric, { FunctionName: one.handler.functionName }, statistic);
      const id = `${name[0].toUpperCase()}${name.slice(1)}`;
      this.watch(`${id}Errors`, {
        metric: of('Errors', 'Average'),
        says: `(as a share) of the calls of function ${name} fail for a quarter of an hour`,
        threshold: 0.25,
        periods: 3,
      });
      this.watch(`${id}Throttles`, {
        metric: of('Throttles', 'Sum'),
        says: `calls of function ${name} are throttled for a quarter of an hour: raise concurrency, or lower that of transfers`,
        periods: 3,
      });
    }
  }

  /**
   * Of an event that has no execution yet there are two signs: EventBridge tries again, or gave it to the queue. The pauses
   * between its tries grow to many minutes, so a quarter of an hour is looked at as one.
   */
  private watchWaiting({ routes, janitor }: ObservabilityProps): void {
    const rules = routes.flatMap(({ rule, scheduleRule }) => [rule ?? [], scheduleRule ?? []].flat());
    const letters = routes.flatMap(({ deadLetters, scheduleDeadLetters, notifications }) => [
      deadLetters,
      scheduleDeadLetters,
      notifications?.deadLetters,
    ]);
    const queues = [...letters.flatMap((queue) => queue ?? []), janitor.deadLetters];
    const retries = rules.map(({ ruleName }) =>
      service('Events', 'RetryInvocationAttempts', { RuleName: ruleName }).with({ period: Duration.minutes(15) }),
    );
    const ages = queues.map(({ queueName }) =>
      service('SQS', 'ApproximateAgeOfOldestMessage', { QueueName: queueName }, 'Maximum'),
    );
    greatest(retries).forEach((metric, index) =>
      this.watch(`EventsWaiting${index + 1}`, {
        metric,
        says: 'starts of a route are tried again, for half an hour: events wait for a transfer, or a schedule for its run',
        periods: 2,
      }),
    );
    greatest(ages).forEach((metric, index) =>
      this.watch(`DeadLettersOld${index + 1}`, {
        metric,
        says: 'seconds an event lies among the dead letters; it is lost after 14 days',
        threshold: A_DAY.toSeconds(),
      }),
    );
  }

  private watchDeadLetters({ routes, janitor }: ObservabilityProps): void {
    const watch = (name: string, queue: sqs.Queue, what: string): void => {
      const metric = service('SQS', 'ApproximateNumberOfMessagesVisible', { QueueName: queue.queueName }, 'Maximum');
      this.watch(`DeadLetters${name}`, {
        metric,
        says: `events of ${what} could not start an execution: see the queue's messages`,
      });
    };
    for (const route of routes) {
      if (route.deadLetters !== undefined) {
        watch(`-${route.routeName}`, route.deadLetters, `route ${route.routeName}`);
      }
      if (route.scheduleDeadLetters !== undefined) {
        watch(`-${route.routeName}-schedule`, route.scheduleDeadLetters, `the schedule of route ${route.routeName}`);
      }
    }
    watch('', janitor.deadLetters, 'the janitor');
  }

  /** A pipe tells nobody that it can not start its machine: its messages grow old, and end among the dead letters. */
  private watchNotifications(routes: Route[]): void {
    for (const { routeName, notifications } of routes) {
      if (notifications === undefined) {
        continue;
      }
      const of = (queue: sqs.Queue, metric: string): cloudwatch.Metric =>
        service('SQS', metric, { QueueName: queue.queueName }, 'Maximum');
      this.watch(`DeadLetters-${routeName}-notifications`, {
        metric: of(notifications.deadLetters, 'ApproximateNumberOfMessagesVisible'),
        says: `notifications of route ${routeName} could not start an execution: mend the cause, send them to their queue again`,
      });
      this.watch(`Notifications-${routeName}-waiting`, {
        metric: of(notifications.queue, 'ApproximateAgeOfOldestMessage'),
        says: `seconds a notification of route ${routeName} waits: may its pipe start the machine, and is it running?`,
        threshold: WAITING.toSeconds(),
      });
      const reads = executions(notifications.stateMachine);
      this.watch(`Notifications-${routeName}-failed`, {
        metric: reads('ExecutionsFailed'),
        says: `messages of route ${routeName} could not be read, or their transfers not be started: the execution's error says which`,
      });
      this.watch(`Notifications-${routeName}-timed-out`, {
        metric: reads('ExecutionsTimedOut'),
        says: `messages of route ${routeName} were not worked off in a day: redrive the execution`,
      });
    }
  }

  private watch(id: string, { metric, says, threshold = 1, periods = 1 }: Watch): void {
    const alarm = new cloudwatch.Alarm(this, id, {
      metric,
      alarmDescription: `transload: ${threshold} or more ${says}`,
      threshold,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: periods,
      datapointsToAlarm: periods,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    const action = new actions.SnsAction(this.topic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }
}

/** An expression of an alarm takes ten metrics: one alarm for each ten, for a stack takes 500 resources. */
const MOST_METRICS = 10;

/** The greatest of the metrics at each time, of as many as an expression takes. */
function greatest(metrics: cloudwatch.Metric[]): cloudwatch.IMetric[] {
  const groups = Array.from({ length: Math.ceil(metrics.length / MOST_METRICS) }, (_, index) =>
    metrics.slice(index * MOST_METRICS, (index + 1) * MOST_METRICS),
  );
  return groups.map((group) => {
    if (group.length === 1) {
      return group[0];
    }
    const named = group.map((metric, index): [string, cloudwatch.IMetric] => [`m${index}`, metric]);
    return new cloudwatch.MathExpression({
      expression: `MAX([${named.map(([name]) => name).join(', ')}])`,
      usingMetrics: Object.fromEntries(named),
      period: group[0].period,
    });
  });
}

function executions(machine: StateMachine): (metric: string) => cloudwatch.Metric {
  return (metric) => service('States', metric, { StateMachineArn: machine.stateMachineArn });
}
