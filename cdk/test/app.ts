// The app as people start it: a config file in, a template or one line out.
import * as assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../lib/config';
import { CODE, PACKAGE, Template, dummyCode } from './support';

const BIN = path.join(PACKAGE, 'build', 'bin', 'transload.js');

interface Run {
  readonly status: number | null;
  readonly errors: string;
  readonly out: string;
}

/** A config file with this text. */
function written(text: string): string {
  const file = path.join(fs.mkdtempSync(path.join(CODE, 'app-')), 'config.json');
  fs.writeFileSync(file, text);
  return file;
}

/** Runs the app on a config of its own, as the CDK command line does: context and folder in variables. */
function run(config: unknown, more: Record<string, string> = {}): Run {
  const file = written(JSON.stringify(config));
  const folder = path.dirname(file);
  const env = {
    ...process.env,
    CDK_OUTDIR: path.join(folder, 'out'),
    CDK_CONTEXT_JSON: JSON.stringify({ config: file }),
    ...more,
  };
  const { status, stderr } = spawnSync(process.execPath, [BIN], { env, cwd: folder, encoding: 'utf8' });
  return { status, errors: stderr, out: path.join(folder, 'out') };
}

const example = (): Record<string, unknown> => ({
  ...JSON.parse(fs.readFileSync(path.join(PACKAGE, 'transload.example.json'), 'utf8')),
  code: path.relative(path.join(CODE, 'app-xxxxxx'), CODE),
});

test('the example makes a stack with the outputs that the command line reads', () => {
  const { status, errors, out } = run(example());
  assert.deepStrictEqual([status, errors], [0, '']);
  const template = JSON.parse(fs.readFileSync(path.join(out, 'transload.template.json'), 'utf8')) as Template;
  assert.deepStrictEqual(Object.keys(template.Outputs), [
    'ObjectMachineArn',
    'BucketMachineArn',
    'JanitorMachineArn',
    'ResultsBucket',
    'AlarmTopicArn',
    'DashboardName',
    'Locations',
  ]);
  assert.strictEqual(template.Outputs.Locations.Value, 'global,china');
  assert.ok(Buffer.byteLength(JSON.stringify(template)) < 1_000_000, 'CloudFormation takes 1 MB');
});

test('the example makes a stack the other way round, in the China partition, in the Region of the credentials', () => {
  const { region: _, ...config } = example();
  const [{ source, destination, ...route }] = config.routes as {
    source: Record<string, string>;
    destination: Record<string, string>;
  }[];
  const locations = {
    china: { region: 'cn-north-1', buckets: [{ name: 'photos-cn' }] },
    global: { region: 'eu-west-1', credentials: { secret: 'transload/global' }, buckets: [{ name: 'photos' }] },
  };
  const back = {
    ...route,
    source: { ...destination, prefix: source.prefix },
    destination: { location: 'global', bucket: 'photos' },
  };
  const { status, errors, out } = run(
    { ...config, locations, routes: [back] },
    { CDK_DEFAULT_REGION: 'cn-north-1', CDK_DEFAULT_ACCOUNT: '123456789012' },
  );
  assert.deepStrictEqual([status, errors], [0, '']);
  assert.match(fs.readFileSync(path.join(out, 'manifest.json'), 'utf8'), /aws:\/\/123456789012\/cn-north-1/);
});

test('what is wrong is said in one line', () => {
  const { status, errors } = run({ ...example(), code: dummyCode('abort') });
  assert.match(
    errors,
    /^code: expected the function's binary .*abort\/bootstrap, found none; build it with \.\.\/build-lambdas[^\n]*\n$/,
  );
  assert.strictEqual(status, 1);
});

test('a file that is none of ours is refused without repeating what stands in it', () => {
  const rows: [string, RegExp][] = [
    ['{"locations": "AKIAIOSFODNN7EXAMPLE', /^config: expected JSON in .*config\.json/],
    ['{"stackName": "a_b"}', /^stackName: expected 1 to 72 letters/],
    ['{"account": "12"}', /^account: expected 12 digits, found "12"$/],
    ['{"lambda": "x"}', /^lambda: expected no such field; known are /],
    ['[]', /^properties: expected an object, found \[\]$/],
  ];
  for (const [text, expected] of rows) {
    assert.throws(
      () => readConfig(written(text)),
      (error: Error) => expected.test(error.message) && !error.message.includes('AKIA'),
      text,
    );
  }
  assert.throws(
    () => readConfig('/nowhere/transload.config.json'),
    /^Problem: config: expected the file .*, found none; copy transload\.example\.json/,
  );
});
