// A queue takes the notifications of one bucket, and each batch of them starts the machine that reads them.
import * as assert from 'node:assert';
import { test } from 'node:test';
import {
  CHINA,
  GLOBAL,
  LEAST,
  TOLD,
  Template,
  flat,
  ofType,
  one,
  permissions,
  short,
  statements,
  synth,
  words,
} from './support';

const template = synth(TOLD);
const ROUTE = 'TransloadRoutetoldNotifications';
const sorted = (from: Template, role: string): string[] => permissions(from, role).map(words).sort();

test('when a route has notifications, a pipe hands batches of its queue to a machine and does not wait', () => {
  const [[, { Properties }], ...more] = ofType(template, 'AWS::Pipes::Pipe');
  assert.strictEqual(more.length, 0);
  assert.strictEqual(short(flat(Properties.Source)), `\${${ROUTE}Queue.Arn}`);
  assert.strictEqual(short(flat(Properties.Target)), `\${${ROUTE}StateMachine}`);
  assert.strictEqual(short(flat(Properties.RoleArn)), `\${${ROUTE}Role.Arn}`);
  assert.deepStrictEqual(Properties.SourceParameters, { SqsQueueParameters: { BatchSize: 10 } });
  // Without an input template: the definition reads the messages as they come.
  assert.deepStrictEqual(Properties.TargetParameters, {
    StepFunctionStateMachineParameters: { InvocationType: 'FIRE_AND_FORGET' },
  });
  assert.strictEqual(ofType(template, 'AWS::Events::Rule').length, 1, "the janitor's alone");
});

test('when the pipe is made, its rights are there', () => {
  const [[, pipe]] = ofType(template, 'AWS::Pipes::Pipe') as [string, { DependsOn?: string[] }][];
  assert.deepStrictEqual((pipe.DependsOn ?? []).map(short), [`${ROUTE}RoleDefaultPolicy`]);
});

test('the pipe may read its queue and start its machine, and nothing else', () => {
  assert.deepStrictEqual(sorted(template, `${ROUTE}Role`), [
    `Allow sqs:DeleteMessage on \${${ROUTE}Queue.Arn}`,
    `Allow sqs:GetQueueAttributes on \${${ROUTE}Queue.Arn}`,
    `Allow sqs:ReceiveMessage on \${${ROUTE}Queue.Arn}`,
    `Allow states:StartExecution on \${${ROUTE}StateMachine}`,
  ]);
  const role = one(template, 'AWS::IAM::Role', `${ROUTE}Role`).Properties.AssumeRolePolicyDocument.Statement;
  assert.deepStrictEqual(role, [
    {
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'aws:SourceAccount': GLOBAL.account } },
      Effect: 'Allow',
      Principal: { Service: 'pipes.amazonaws.com' },
    },
  ]);
});

test('the machine may start transfers, and nothing else', () => {
  const found = sorted(template, `${ROUTE}StateMachineRole`).filter((one) => !/ (logs|xray):\w+ on \*$/.test(one));
  assert.deepStrictEqual(found, ['Allow states:StartExecution on ${TransloadObjectMachine}']);
});

test('the machine is told the route, and its options as base64', () => {
  const machine = one(template, 'AWS::StepFunctions::StateMachine', `${ROUTE}StateMachine`).Properties;
  assert.strictEqual(machine.StateMachineName, 'transload-notifications-told');
  const { ObjectStateMachineArn, ...values } = machine.DefinitionSubstitutions;
  assert.strictEqual(short(flat(ObjectStateMachineArn)), '${TransloadObjectMachine}');
  assert.deepStrictEqual(
    { ...values, Options: JSON.parse(Buffer.from(values.Options as string, 'base64').toString()) },
    {
      SourceLocation: 'here',
      SourceBucket: 'from',
      SourcePrefix: 'a/',
      DestinationLocation: 'here',
      DestinationBucket: 'into',
      Options: { copyTags: false },
      RouteName: 'told',
    },
  );
});

test("only S3 writes to the queue, for this bucket and if it is its owner's", () => {
  const policy = one(template, 'AWS::SQS::QueuePolicy', `${ROUTE}QueuePolicy`).Properties;
  assert.deepStrictEqual(
    statements(policy.PolicyDocument).map(words),
    [
      'Deny sqs:* on QUEUE if {"Bool":{"aws:SecureTransport":"false"}}',
      `Allow sqs:SendMessage on QUEUE if {"ArnEquals":{"aws:SourceArn":"arn:\${AWS::Partition}:s3:::from"},"StringEquals":{"aws:SourceAccount":"${GLOBAL.account}"}}`,
    ].map((one) => one.replace('QUEUE', `\${${ROUTE}Queue.Arn}`)),
  );
  const [, allowed] = policy.PolicyDocument.Statement;
  assert.deepStrictEqual(allowed.Principal, { Service: 's3.amazonaws.com' });
  const another = synth({
    ...TOLD,
    locations: { here: { ...TOLD.locations.here, expectedBucketOwner: '333333333333' } },
  });
  const other = one(another, 'AWS::SQS::QueuePolicy', `${ROUTE}QueuePolicy`).Properties.PolicyDocument.Statement[1];
  assert.strictEqual(other.Condition.StringEquals['aws:SourceAccount'], '333333333333');
});

test('messages that start nothing come again, for more than three hours, and are then kept for two weeks', () => {
  const { Properties } = one(template, 'AWS::SQS::Queue', `${ROUTE}Queue`);
  const { deadLetterTargetArn, maxReceiveCount } = Properties.RedrivePolicy;
  assert.strictEqual(short(flat(deadLetterTargetArn)), `\${${ROUTE}DeadLettersQueue.Arn}`);
  assert.ok(maxReceiveCount * Properties.VisibilityTimeout > 3 * 3_600);
  assert.strictEqual(Properties.MessageRetentionPeriod, 1_209_600);
  assert.strictEqual(Properties.SqsManagedSseEnabled, true);
});

test('what goes wrong on the way raises an alarm: letters, age, messages that can not be read', () => {
  const alarm = (id: string): Record<string, unknown> => {
    const name = `TransloadObservability${id}`;
    const found = ofType(template, 'AWS::CloudWatch::Alarm').filter(([one]) => short(one) === name);
    assert.strictEqual(found.length, 1, name);
    const { MetricName, Threshold, Dimensions } = found[0][1].Properties;
    return { MetricName, Threshold, of: short(flat(Dimensions[0].Value)) };
  };
  const machine = `\${${ROUTE}StateMachine}`;
  assert.deepStrictEqual(alarm('DeadLetterstoldnotifications'), {
    MetricName: 'ApproximateNumberOfMessagesVisible',
    Threshold: 1,
    of: `\${${ROUTE}DeadLettersQueue.QueueName}`,
  });
  assert.deepStrictEqual(alarm('Notificationstoldwaiting'), {
    MetricName: 'ApproximateAgeOfOldestMessage',
    Threshold: 900,
    of: `\${${ROUTE}Queue.QueueName}`,
  });
  assert.deepStrictEqual(alarm('Notificationstoldfailed'), {
    MetricName: 'ExecutionsFailed',
    Threshold: 1,
    of: machine,
  });
  assert.deepStrictEqual(alarm('Notificationstoldtimedout'), {
    MetricName: 'ExecutionsTimedOut',
    Threshold: 1,
    of: machine,
  });
});

test('the queue is told by an output, and a stack without one has none', () => {
  assert.strictEqual(short(flat(template.Outputs.NotificationQueues.Value)), `told=\${${ROUTE}Queue.Arn}`);
  assert.strictEqual(synth(LEAST).Outputs.NotificationQueues, undefined);
  assert.deepStrictEqual(ofType(synth(LEAST), 'AWS::Pipes::Pipe'), []);
});

test('when the stack is in China, the queue is for a bucket there', () => {
  const policy = one(synth(TOLD, CHINA), 'AWS::SQS::QueuePolicy', `${ROUTE}QueuePolicy`).Properties.PolicyDocument;
  assert.match(words(statements(policy)[1]), /arn:\$\{AWS::Partition\}:s3:::from.*222222222222/);
});
