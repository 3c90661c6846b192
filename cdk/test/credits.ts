// Burst credits of a file system: an alarm starts the machine that holds transfers back, and nothing runs without it.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { AwsSolutionsChecks } from 'cdk-nag';
import { definitionFile } from '../lib/files';
import { LocationFiles } from '../lib/location-props';
import { TransloadProps } from '../lib/transload';
import { FILED, PACED, flat, one, permissions, short, stack, synth, words } from './support';

const EXISTING = PACED.locations.efs.files as LocationFiles;
const files = (found: LocationFiles): TransloadProps => ({
  ...PACED,
  locations: { ...PACED.locations, efs: { files: found } },
});
const template = synth(PACED);

test('without the property there is nothing of it', () => {
  const plain = JSON.stringify(synth(files({ ...EXISTING, lowCredits: undefined })));
  assert.doesNotMatch(plain, /TransloadCredits|BurstCreditBalance/);
});

test('the alarm is of this file system, and tells people and the machine', () => {
  const { Properties } = one(template, 'AWS::CloudWatch::Alarm', 'TransloadCreditsLow');
  assert.deepStrictEqual(
    [Properties.Namespace, Properties.MetricName, Properties.Statistic, Properties.Threshold],
    ['AWS/EFS', 'BurstCreditBalance', 'Minimum', 100_000_000_000],
  );
  assert.deepStrictEqual(Properties.Dimensions, [{ Name: 'FileSystemId', Value: 'fs-0123456789abcdef0' }]);
  assert.strictEqual(Properties.ComparisonOperator, 'LessThanThreshold');
  assert.strictEqual(Properties.AlarmActions.length, 1);
  const rule = one(template, 'AWS::Events::Rule', 'TransloadCreditsRule').Properties;
  assert.deepStrictEqual(rule.EventPattern['detail-type'], ['CloudWatch Alarm State Change']);
  assert.deepStrictEqual(rule.EventPattern.detail, { state: { value: ['ALARM', 'OK'] } });
  assert.match(short(flat(rule.EventPattern.resources[0])), /TransloadCreditsLow/);
  assert.strictEqual(rule.Targets[0].Input, undefined, 'the event as it comes');
});

test('the definition is deployed as it stands, with what it is about', () => {
  const { Properties } = one(template, 'AWS::StepFunctions::StateMachine', 'TransloadCredits');
  assert.strictEqual(Properties.DefinitionString, fs.readFileSync(definitionFile('pacer'), 'utf8'));
  const filled = Object.entries(Properties.DefinitionSubstitutions as Record<string, unknown>);
  assert.deepStrictEqual(Object.fromEntries(filled.map(([name, value]) => [name, short(flat(value))])), {
    BucketStateMachineArn: '${TransloadBucketMachine}',
    FileLocation: 'efs',
    LowConcurrency: '1',
    ObjectStateMachineArn: '${TransloadObjectMachine}',
  });
});

test('it may look at executions and change their map runs, and no more', () => {
  const states = 'arn:${AWS::Partition}:states:eu-west-1:111111111111';
  const found = permissions(template, 'TransloadCreditsStateMachineRole')
    .filter(({ action }) => action.startsWith('states:'))
    .map(words)
    .map((word) => word.replace(/\$\{(Transload\w+)\.Name\}/g, '$1'))
    .sort();
  const of = (kind: string, machine: string, rest: string): string => `${states}:${kind}:${machine}${rest}`;
  const machines = ['TransloadBucketMachine', 'TransloadObjectMachine'];
  assert.deepStrictEqual(
    found,
    [
      ...machines.flatMap((machine) => [
        `Allow states:ListExecutions on \${${machine}}`,
        `Allow states:DescribeExecution on ${of('execution', machine, ':*')}`,
        `Allow states:ListMapRuns on ${of('execution', machine, ':*')}`,
        `Allow states:DescribeMapRun on ${of('mapRun', machine, '/*')}`,
        `Allow states:UpdateMapRun on ${of('mapRun', machine, '/*')}`,
      ]),
      'Allow states:ListExecutions on ${TransloadCreditsStateMachine}',
      'Allow states:StartExecution on ${TransloadCreditsStateMachine}',
      `Allow states:StopExecution on ${of('execution', 'TransloadCreditsStateMachine', ':*')}`,
    ].sort(),
  );
});

test('cdk-nag finds nothing that is not acknowledged', () => {
  const found = new AwsSolutionsChecks().validateScope(stack(PACED)).violations.map(({ ruleName }) => ruleName);
  assert.deepStrictEqual(found, []);
});

test('what can not work is refused by the property', () => {
  for (const [props, said] of [
    [
      { ...FILED, locations: { ...FILED.locations, efs: { files: { lowCredits: 1 } } } },
      'lowCredits: expected accessPointArn',
    ],
    [files({ ...EXISTING, lowCredits: 0 }), 'lowCredits: expected 1 to'],
  ] as const) {
    assert.throws(
      () => stack(props),
      (error: Error) => error.message.startsWith(`locations.efs.files.${said}`),
      said,
    );
  }
});
