// The page that shows how transfers are doing.
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { own, openMapRuns, service } from './metrics';
import type { ObservabilityProps } from './observability';
import type { StateMachine } from './state-machine';

/** Rows of the dashboard: transfers, bytes, routes, functions. */
export function widgets(props: ObservabilityProps): cloudwatch.IWidget[][] {
  const machine = props.stateMachine.machineName;
  const bucket = props.bucketMachine.machineName;
  const routes = props.routes.map((route) => route.routeName);
  const compared = props.routes.filter((route) => route.scheduleRule !== undefined).map((route) => route.routeName);
  return [
    [
      executions('Transfers', props.stateMachine),
      openAndWaiting(props),
      graph(
        'Lag in seconds',
        ['p50', 'p99', 'Maximum'].map((statistic) =>
          own('LagSeconds', machine, undefined, statistic).with({ label: statistic }),
        ),
      ),
    ],
    [
      graph(
        'Bytes',
        ['BytesRead', 'BytesWritten', 'BytesCompleted'].map((name) => own(name, machine)),
      ),
      graph(
        'Objects and parts',
        ['Objects', 'Parts'].map((name) => own(name, machine)),
      ),
      graph(
        'Retries and failures',
        ['Retries', 'Failures'].map((name) => own(name, machine)),
      ),
    ],
    [
      executions('Runs over many objects', props.bucketMachine),
      graph('Many objects: small ones copied, failed calls', [
        own('Objects', bucket),
        own('Failures', bucket),
        own('Retries', bucket),
      ]),
      graph('Many objects: bytes of small ones', [own('BytesCompleted', bucket)]),
    ],
    ...(routes.length === 0
      ? []
      : [
          [
            graph('Bytes completed by route', [
              ...routes.map((route) => own('BytesCompleted', machine, route)),
              ...compared.map((route) =>
                own('BytesCompleted', bucket, route).with({ label: `${route}, by comparison` }),
              ),
            ]),
            graph(
              'Failures by route',
              routes.map((route) => own('Failures', machine, route)),
            ),
            graph(
              'Lag by route, seconds at most',
              routes.map((route) => own('LagSeconds', machine, route, 'Maximum')),
            ),
          ],
        ]),
    [
      lambda(props, 'Errors', 'Sum'),
      lambda(props, 'Duration', 'p99'),
      lambda(props, 'ConcurrentExecutions', 'Maximum'),
    ],
  ];
}

function graph(title: string, left: cloudwatch.IMetric[]): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({ title, left, width: 8, height: 6 });
}

function executions(title: string, stateMachine: StateMachine): cloudwatch.GraphWidget {
  const of = (outcome: string): cloudwatch.Metric =>
    service('States', `Executions${outcome}`, { StateMachineArn: stateMachine.stateMachineArn }).with({
      label: outcome,
    });
  return graph(title, ['Started', 'Succeeded', 'Failed', 'TimedOut', 'Aborted'].map(of));
}

function openAndWaiting({ routes, janitor }: ObservabilityProps): cloudwatch.GraphWidget {
  const queues = routes.flatMap(({ routeName, deadLetters, scheduleDeadLetters }) => [
    ...(deadLetters === undefined ? [] : [{ name: routeName, queue: deadLetters }]),
    ...(scheduleDeadLetters === undefined ? [] : [{ name: `${routeName}, schedule`, queue: scheduleDeadLetters }]),
  ]);
  const letters = [...queues, { name: 'janitor', queue: janitor.deadLetters }].map(({ name, queue }) =>
    service('SQS', 'ApproximateNumberOfMessagesVisible', { QueueName: queue.queueName }, 'Maximum').with({
      label: `Dead letters: ${name}`,
    }),
  );
  return graph('Open map runs (account) and dead letters', [
    openMapRuns().with({ label: 'Open map runs' }),
    ...letters,
  ]);
}

function lambda({ functions }: ObservabilityProps, metric: string, statistic: string): cloudwatch.GraphWidget {
  return graph(
    `Functions: ${metric} (${statistic})`,
    Object.entries(functions).map(([name, one]) =>
      service('Lambda', metric, { FunctionName: one.handler.functionName }, statistic).with({ label: name }),
    ),
  );
}
