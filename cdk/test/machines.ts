// The machines are their files, with every placeholder filled, and may do what the files ask for.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { definitionFile } from '../lib/files';
import { BUCKET_FUNCTIONS, FUNCTIONS, OBJECT_FUNCTIONS } from '../lib/grants';
import { OWN, PACKAGE, Permission, Template, flat, one, permissions, short, synth } from './support';

const template = synth(OWN);
const object = one(template, 'AWS::StepFunctions::StateMachine', 'TransloadObject');
const bucket = one(template, 'AWS::StepFunctions::StateMachine', 'TransloadBucket');
const janitor = one(template, 'AWS::StepFunctions::StateMachine', 'TransloadJanitor');
const text = (name: string): string => fs.readFileSync(definitionFile(name), 'utf8');
const placeholders = (name: string): string[] =>
  [...new Set([...text(name).matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]))].sort();

test('the definitions are deployed as they stand in their files', () => {
  assert.strictEqual(object.Properties.DefinitionString, text('object'));
  assert.strictEqual(bucket.Properties.DefinitionString, text('bucket'));
  assert.strictEqual(janitor.Properties.DefinitionString, text('janitor'));
  assert.strictEqual(object.Properties.DefinitionS3Location, undefined);
});

test('the substitutions are the placeholders, each the function of its name', () => {
  for (const [name, machine] of [
    ['object', object],
    ['bucket', bucket],
    ['janitor', janitor],
  ] as const) {
    assert.deepStrictEqual(Object.keys(machine.Properties.DefinitionSubstitutions).sort(), placeholders(name), name);
    for (const [placeholder, value] of Object.entries(machine.Properties.DefinitionSubstitutions)) {
      const others: Record<string, string> = {
        ResultsBucket: '${TransloadResultsBucket}',
        ObjectStateMachineArn: '${TransloadObjectMachine}',
      };
      const expected = others[placeholder] ?? `\${Transload${placeholder.replace('FunctionArn', 'Function')}.Arn}`;
      assert.strictEqual(short(flat(value)), expected);
    }
  }
});

test('errors are logged without execution data, and traces are on', () => {
  for (const machine of [object, bucket, janitor]) {
    assert.strictEqual(machine.Properties.StateMachineType, 'STANDARD');
    assert.strictEqual(machine.Properties.LoggingConfiguration.Level, 'ERROR');
    assert.strictEqual(machine.Properties.LoggingConfiguration.IncludeExecutionData, false);
    assert.deepStrictEqual(machine.Properties.TracingConfiguration, { Enabled: true });
  }
});

const words = ({ effect, action, resource }: Permission): string => `${effect} ${action} on ${resource}`;
const sorted = (from: Template, role: string): string[] => permissions(from, role).map(words).sort();
const LOGS = [
  'CreateLogDelivery',
  'DeleteLogDelivery',
  'DescribeLogGroups',
  'DescribeResourcePolicies',
  'GetLogDelivery',
  'ListLogDeliveries',
  'PutResourcePolicy',
  'UpdateLogDelivery',
];
const EVERY_MACHINE = [
  ...LOGS.map((action) => `Allow logs:${action} on *`),
  ...['GetSamplingRules', 'GetSamplingTargets', 'PutTelemetryRecords', 'PutTraceSegments'].map(
    (action) => `Allow xray:${action} on *`,
  ),
];
const EXECUTIONS =
  'arn:${AWS::Partition}:states:eu-west-1:${AWS::AccountId}:execution:${TransloadObjectMachine.Name}'.replace(
    '${AWS::AccountId}',
    '111111111111',
  );
const RESULTS = 'arn:${AWS::Partition}:s3:::${TransloadResultsBucket}/object/*';

test('the machine of transfers may invoke, run its own children and write results, and nothing else', () => {
  const functions = OBJECT_FUNCTIONS.map((name) => `\${Transload${name[0].toUpperCase()}${name.slice(1)}Function.Arn}`);
  assert.deepStrictEqual(
    sorted(template, 'TransloadObjectRole'),
    [
      ...EVERY_MACHINE,
      ...functions.map((arn) => `Allow lambda:InvokeFunction on ${arn}`),
      ...['AbortMultipartUpload', 'GetObject', 'ListMultipartUploadParts', 'PutObject'].map(
        (action) => `Allow s3:${action} on ${RESULTS}`,
      ),
      'Allow states:StartExecution on ${TransloadObjectMachine}',
      `Allow states:DescribeExecution on ${EXECUTIONS}:*`,
      `Allow states:StopExecution on ${EXECUTIONS}:*`,
      `Allow states:RedriveExecution on ${EXECUTIONS}/Parts:*`,
    ].sort(),
  );
});

const OWN_EXECUTIONS = EXECUTIONS.replace('TransloadObjectMachine', 'TransloadBucketMachine');
const WORK = RESULTS.replace('/object/', '/sync/');
const RULE =
  'arn:${AWS::Partition}:events:eu-west-1:111111111111:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule';

test('the machine of comparisons may also read its lists and run transfers to their ends, and nothing else', () => {
  const functions = BUCKET_FUNCTIONS.map((name) => `\${Transload${name[0].toUpperCase()}${name.slice(1)}Function.Arn}`);
  assert.deepStrictEqual(
    sorted(template, 'TransloadBucketRole'),
    [
      ...EVERY_MACHINE,
      ...functions.map((arn) => `Allow lambda:InvokeFunction on ${arn}`),
      ...['AbortMultipartUpload', 'GetObject', 'ListMultipartUploadParts', 'PutObject'].map(
        (action) => `Allow s3:${action} on ${WORK}`,
      ),
      'Allow s3:ListBucket on ${TransloadResultsBucket.Arn}',
      'Allow states:StartExecution on ${TransloadObjectMachine}',
      `Allow states:DescribeExecution on ${EXECUTIONS}:*`,
      `Allow states:RedriveExecution on ${EXECUTIONS}:*`,
      `Allow states:StopExecution on ${EXECUTIONS}:*`,
      ...['DescribeRule', 'PutRule', 'PutTargets'].map((action) => `Allow events:${action} on ${RULE}`),
      'Allow states:StartExecution on ${TransloadBucketMachine}',
      `Allow states:DescribeExecution on ${OWN_EXECUTIONS}:*`,
      `Allow states:StopExecution on ${OWN_EXECUTIONS}:*`,
      `Allow states:RedriveExecution on ${OWN_EXECUTIONS}/Large:*`,
    ].sort(),
  );
  const [{ condition }] = permissions(template, 'TransloadBucketRole').filter(
    ({ action }) => action === 's3:ListBucket',
  );
  assert.strictEqual(condition, '{"StringLike":{"s3:prefix":"sync/*"}}');
});

test('lists, results and reports of a run stand where its machine and its functions may work', () => {
  const source = (...file: string[]): string => fs.readFileSync(path.join(PACKAGE, '..', 'functions', ...file), 'utf8');
  assert.match(source('list', 'src', 'asked.rs'), /format!\("sync\/\{name\}-\{digits\}\/"\)/);
  const prefixes = [...text('bucket').matchAll(/"Prefix": "([^"]*)"/g)].map((match) => match[1]);
  assert.strictEqual(prefixes.length, 6);
  for (const prefix of prefixes) {
    assert.match(prefix, /^\{% \$round\.prefix & /);
  }
  for (const name of ['List', 'Report']) {
    const { Environment } = one(template, 'AWS::Lambda::Function', `Transload${name}Function`).Properties;
    assert.strictEqual(short(flat(Environment.Variables.TRANSLOAD_WORK_BUCKET)), '${TransloadResultsBucket}');
  }
});

test('results are written where the machine may write them', () => {
  const definition = JSON.parse(text('object')) as {
    States: { Parts: { ResultWriter: { Arguments: { Prefix: string } } } };
  };
  assert.match(definition.States.Parts.ResultWriter.Arguments.Prefix, /^\{% 'object\/' &/);
});

test('the janitor may do what its definition calls, and nothing else', () => {
  const calls = [...text('janitor').matchAll(/aws-sdk:sfn:(\w+)"/g)].map(
    (match) => `states:${match[1][0].toUpperCase()}${match[1].slice(1)}`,
  );
  assert.ok(calls.length > 0);
  assert.deepStrictEqual(
    sorted(template, 'TransloadJanitorStateMachineRole'),
    [
      ...EVERY_MACHINE,
      'Allow lambda:InvokeFunction on ${TransloadAbortFunction.Arn}',
      ...[...new Set(calls)].map((action) => `Allow ${action} on ${EXECUTIONS}:*`),
      `Allow states:DescribeExecution on ${OWN_EXECUTIONS}:*`,
    ].sort(),
  );
});

test('the janitor is started for executions that were stopped or timed out, and for no other', () => {
  const rule = one(template, 'AWS::Events::Rule', 'TransloadJanitor');
  assert.deepStrictEqual(JSON.parse(short(JSON.stringify(rule.Properties.EventPattern))), {
    source: ['aws.states'],
    'detail-type': ['Step Functions Execution Status Change'],
    detail: { status: ['TIMED_OUT', 'ABORTED'], stateMachineArn: [{ Ref: 'TransloadObjectMachine' }] },
  });
  assert.strictEqual(rule.Properties.Targets[0].InputTransformer, undefined);
});

/** State by state: the function it invokes and how long it waits. */
function waits(node: unknown, found: [string, number][] = []): [string, number][] {
  if (typeof node === 'object' && node !== null) {
    const state = node as { Arguments?: { FunctionName?: string }; TimeoutSeconds?: number };
    const name = /^\$\{(\w+)FunctionArn\}$/.exec(state.Arguments?.FunctionName ?? '')?.[1];
    if (name !== undefined) {
      found.push([name, state.TimeoutSeconds ?? Infinity]);
    }
    Object.values(node).forEach((child) => waits(child, found));
  }
  return found;
}

test('no function works longer than the states wait for it', () => {
  const found = ['object', 'bucket', 'janitor'].flatMap((name) => waits(JSON.parse(text(name))));
  assert.deepStrictEqual([...new Set(found.map(([name]) => name.toLowerCase()))].sort(), [...FUNCTIONS].sort());
  for (const [name, seconds] of found) {
    assert.ok(one(template, 'AWS::Lambda::Function', `Transload${name}Function`).Properties.Timeout <= seconds, name);
  }
});

test('the machines keep no circle of references: their own policies stand apart', () => {
  for (const machine of ['Object', 'Bucket']) {
    const role = `Transload${machine}RoleDefaultPolicy`;
    const own = Object.entries(template.Resources).filter(([id]) => id.startsWith(role));
    assert.strictEqual(own.length, 1);
    assert.doesNotMatch(JSON.stringify(own), new RegExp(`Transload${machine}Machine`));
  }
  assert.ok(path.basename(definitionFile('object')) === 'object.asl.json');
});
