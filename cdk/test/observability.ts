// Whatever goes wrong reaches somebody, and the dashboard shows the functions' own metrics.
import * as assert from 'node:assert';
import { test } from 'node:test';
import { GLOBAL, MANY, Resource, flat, ofType, one, short, synth } from './support';

const template = synth(MANY);
const alarms = ofType(template, 'AWS::CloudWatch::Alarm').map(([id, alarm]): [string, Resource] => [
  short(id).replace('TransloadObservability', ''),
  alarm,
]);

const ALL = [
  'Abort',
  'Batch',
  'Complete',
  'Copy',
  'Delete',
  'Head',
  'Init',
  'List',
  'Part',
  'Remove',
  'Report',
  'Thaw',
];

test('every alarm tells the topic, of trouble and of its end', () => {
  const [[topic]] = ofType(template, 'AWS::SNS::Topic');
  for (const [id, { Properties }] of alarms) {
    assert.deepStrictEqual(Properties.AlarmActions, [{ Ref: topic }], id);
    assert.deepStrictEqual(Properties.OKActions, [{ Ref: topic }], id);
    assert.strictEqual(Properties.TreatMissingData, 'notBreaching', id);
    assert.match(Properties.AlarmDescription, /^transload: /, id);
  }
});

test('there is an alarm for each thing that can go wrong', () => {
  const functions = ALL.flatMap((name) => [`${name}Errors`, `${name}Throttles`]);
  const letters = ['', 'parameter', 'parameterschedule', 'role', 'secret', 'token'].map(
    (route) => `DeadLetters${route}`,
  );
  const waiting = ['DeadLettersOld1', 'EventsWaiting1'];
  const machines = [
    'TransfersFailed',
    'TransfersTimedOut',
    'TransfersStopped',
    'TransfersThrottled',
    'TransfersParked',
    'TransfersLong',
    'RunsFailed',
    'RunsTimedOut',
    'RunsStopped',
    'RunsThrottled',
    'JanitorFailed',
    'JanitorTimedOut',
    'OpenMapRuns',
  ];
  assert.deepStrictEqual(alarms.map(([id]) => id).sort(), [...functions, ...letters, ...waiting, ...machines].sort());
});

const alarm = (id: string): Resource['Properties'] => {
  const found = alarms.find(([name]) => name === id);
  assert.ok(found, id);
  return found[1].Properties;
};

test('one failed, stopped or parked transfer is enough for an alarm, one dead letter too', () => {
  for (const id of [
    'TransfersFailed',
    'TransfersTimedOut',
    'TransfersStopped',
    'TransfersParked',
    'RunsFailed',
    'RunsTimedOut',
    'RunsStopped',
    'JanitorFailed',
    'DeadLetters',
    'DeadLetterssecret',
    'DeadLettersparameterschedule',
  ]) {
    const { Threshold, EvaluationPeriods, ComparisonOperator } = alarm(id);
    assert.deepStrictEqual(
      [Threshold, EvaluationPeriods, ComparisonOperator],
      [1, 1, 'GreaterThanOrEqualToThreshold'],
      id,
    );
  }
});

test('alarms read the metrics of this machine, these queues, and of the account where there are no others', () => {
  const failed = alarm('TransfersFailed');
  assert.deepStrictEqual([failed.Namespace, failed.MetricName], ['AWS/States', 'ExecutionsFailed']);
  assert.strictEqual(short(flat(failed.Dimensions[0].Value)), '${TransloadObjectMachine}');
  const runs = alarm('RunsFailed');
  assert.deepStrictEqual([runs.Namespace, runs.MetricName], ['AWS/States', 'ExecutionsFailed']);
  assert.strictEqual(short(flat(runs.Dimensions[0].Value)), '${TransloadBucketMachine}');
  const open = alarm('OpenMapRuns');
  assert.deepStrictEqual(
    [open.Namespace, open.MetricName, open.Statistic, open.Threshold, open.Dimensions],
    ['AWS/States', 'ApproximateOpenMapRunCount', 'Maximum', 900, undefined],
  );
  assert.strictEqual(
    short(flat(alarm('DeadLetterssecret').Dimensions[0].Value)),
    '${TransloadRoutesecretDeadLettersQueue.QueueName}',
  );
});

test('an event that waits for its transfer is told: by retries, by its age as a dead letter, by a transfer that took a day', () => {
  const routes = ['secret', 'parameter', 'parameterSchedule', 'role', 'token'];
  for (const [id, namespace, metric, statistic, period, ends] of [
    [
      'EventsWaiting1',
      'AWS/Events',
      'RetryInvocationAttempts',
      'Sum',
      900,
      routes.map((route) => `\${TransloadRoute${route}Rule}`),
    ],
    [
      'DeadLettersOld1',
      'AWS/SQS',
      'ApproximateAgeOfOldestMessage',
      'Maximum',
      300,
      [...routes.map((route) => `Route${route}`), 'Janitor'].map(
        (one) => `\${Transload${one}DeadLettersQueue.QueueName}`,
      ),
    ],
  ] as const) {
    const [expression, ...metrics] = alarm(id).Metrics as Resource['Properties'][];
    assert.strictEqual(expression.Expression, `MAX([${ends.map((_, index) => `m${index}`).join(', ')}])`);
    assert.deepStrictEqual(
      metrics.map(({ Id, MetricStat: { Metric, Stat, Period } }) => [
        Id,
        Metric.Namespace,
        Metric.MetricName,
        Stat,
        Period,
        short(flat(Metric.Dimensions[0].Value)),
      ]),
      ends.map((end, index) => [`m${index}`, namespace, metric, statistic, period, end]),
    );
  }
  const { Threshold, EvaluationPeriods, DatapointsToAlarm } = alarm('EventsWaiting1');
  assert.deepStrictEqual([Threshold, EvaluationPeriods, DatapointsToAlarm], [1, 2, 2]);
  assert.strictEqual(alarm('DeadLettersOld1').Threshold, 86_400);
  const long = alarm('TransfersLong');
  assert.deepStrictEqual([long.MetricName, long.Statistic, long.Threshold], ['ExecutionTime', 'Maximum', 86_400_000]);
});

test('a quarter of failed calls for a quarter of an hour is an alarm, for each function its own', () => {
  for (const name of ALL) {
    const { Statistic, Threshold, Period, EvaluationPeriods, MetricName, Dimensions } = alarm(`${name}Errors`);
    assert.deepStrictEqual(
      [MetricName, Statistic, Threshold, Period, EvaluationPeriods],
      ['Errors', 'Average', 0.25, 300, 3],
    );
    assert.strictEqual(short(flat(Dimensions[0].Value)), `\${Transload${name}Function}`);
  }
});

test('parked transfers are counted where Init says so', () => {
  const filter = one(template, 'AWS::Logs::MetricFilter', 'TransloadObservabilityParked').Properties;
  assert.strictEqual(filter.FilterPattern, '{ $.fields.error = "RoundsExhausted" }');
  assert.strictEqual(short(flat(filter.LogGroupName)), '${TransloadInitLogs}');
  const [{ MetricNamespace, MetricName }] = filter.MetricTransformations;
  assert.deepStrictEqual(
    [alarm('TransfersParked').Namespace, alarm('TransfersParked').MetricName],
    [MetricNamespace, MetricName],
  );
});

test('the topic takes alarms of this account and mails them', () => {
  const [[, policy]] = ofType(template, 'AWS::SNS::TopicPolicy');
  const statements = policy.Properties.PolicyDocument.Statement as Record<string, unknown>[];
  const allow = statements.filter(({ Effect }) => Effect === 'Allow');
  assert.deepStrictEqual(
    allow.map(({ Principal, Condition }) => [Principal, Condition]),
    [[{ Service: 'cloudwatch.amazonaws.com' }, { StringEquals: { 'aws:SourceAccount': GLOBAL.account } }]],
  );
  const [[, subscription]] = ofType(template, 'AWS::SNS::Subscription');
  assert.deepStrictEqual(
    [subscription.Properties.Protocol, subscription.Properties.Endpoint],
    ['email', 'somebody@example.com'],
  );
});

test('the dashboard shows every metric of the functions, for the machine and by route', () => {
  const [[, dashboard]] = ofType(template, 'AWS::CloudWatch::Dashboard');
  const body = flat(dashboard.Properties.DashboardBody);
  for (const metric of [
    'BytesRead',
    'BytesWritten',
    'BytesCompleted',
    'Objects',
    'Parts',
    'Retries',
    'Failures',
    'LagSeconds',
  ]) {
    assert.ok(body.includes(`["transload","${metric}","Machine","transload-object"`), metric);
  }
  for (const route of ['secret', 'parameter', 'role', 'token', 'by-hand']) {
    assert.ok(body.includes(`["transload","BytesCompleted","Machine","transload-object","Route","${route}"`), route);
  }
  for (const shown of [
    '["AWS/States","ExecutionsFailed","StateMachineArn","${TransloadBucketMachine}"',
    '["transload","Objects","Machine","transload-bucket"',
    '["transload","BytesCompleted","Machine","transload-bucket","Route","parameter"',
  ]) {
    assert.ok(short(body).includes(shown), shown);
  }
  assert.doesNotThrow(() => JSON.parse(body.replace(/\$\{[^}]*\}/g, 'x')));
});
