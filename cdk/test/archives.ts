// Archives: two machines, two functions with just their rights, and rules for those that are packed at times.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { definitionFile } from '../lib/files';
import { Problem } from '../lib/problem';
import { ArchiveProps } from '../lib/archives';
import { LEAST, PACKED, flat, functionRole, ofType, one, permissions, short, stack, synth, words } from './support';

const template = synth(PACKED);
const ARN = 'arn:${AWS::Partition}';
const allowed = (name: string): string[] =>
  permissions(template, functionRole(name))
    .filter(({ effect, action }) => effect === 'Allow' && /^(s3|kms|elasticfilesystem):/.test(action))
    .map(words)
    .map((word) => word.replace(/^Allow /, ''))
    .sort();

test('without archives there is nothing of them', () => {
  const least = JSON.stringify(synth(LEAST));
  assert.doesNotMatch(least, /[Pp]ackMachine|TransloadPack|TransloadUnpack/);
});

test('the definitions are deployed as they stand, with the functions that they call', () => {
  for (const [name, functions] of [
    ['pack', ['Abort', 'Complete', 'Pack']],
    ['unpack', ['Abort', 'Unpack']],
  ] as const) {
    const id = `Transload${name[0].toUpperCase()}${name.slice(1)}Machine`;
    const { Properties } = one(template, 'AWS::StepFunctions::StateMachine', id);
    assert.strictEqual(Properties.DefinitionString, fs.readFileSync(definitionFile(name), 'utf8'));
    assert.strictEqual(Properties.StateMachineName, `transload-${name}`);
    const filled = Object.entries(Properties.DefinitionSubstitutions as Record<string, unknown>);
    assert.deepStrictEqual(
      filled.map(([placeholder, value]) => [placeholder, short(flat(value))]).sort(),
      functions.map((one) => [`${one}FunctionArn`, `\${Transload${one}Function.Arn}`]),
    );
  }
});

test('a function may read what is packed and write the archive, and no more', () => {
  const via = ' if {"StringEquals":{"kms:ViaService":"s3.eu-west-1.${AWS::URLSuffix}"}}';
  const key = (name: string): string => `arn:aws:kms:eu-west-1:111111111111:key/${name}${via}`;
  const below = (prefix: string): string => ` if {"StringLike":{"s3:prefix":"${prefix}*"}}`;
  const archives = ['logs.tar.zst', 'models/EFSbackup-'];
  const found = allowed('pack').filter((word) => !word.startsWith('elasticfilesystem:'));
  assert.deepStrictEqual(
    found,
    [
      ...archives.flatMap((prefix) => [
        `s3:GetObject on ${ARN}:s3:::backups/${prefix}*`,
        `s3:PutObject on ${ARN}:s3:::backups/${prefix}*`,
        `s3:ListBucket on ${ARN}:s3:::backups${below(prefix)}`,
      ]),
      `s3:GetObject on ${ARN}:s3:::from/logs/*`,
      `s3:ListBucket on ${ARN}:s3:::from${below('logs/')}`,
      `kms:Decrypt on ${key('backups')}`,
      `kms:GenerateDataKey on ${key('backups')}`,
      `kms:Decrypt on ${key('from')}`,
    ].sort(),
  );
  assert.ok(allowed('pack').some((word) => word.startsWith('elasticfilesystem:ClientMount')));
});

test('only what may be restored is written by unpacking', () => {
  const words = allowed('unpack').filter((word) => word.startsWith('s3:'));
  assert.ok(
    words.every((word) => word.includes('backups') && !word.startsWith('s3:Put')),
    words.join('\n'),
  );
  assert.ok(words.includes(`s3:GetObject on ${ARN}:s3:::backups/models/EFSbackup-*`));
  assert.ok(!words.some((word) => word.includes('logs.tar.zst')));
  assert.ok(allowed('unpack').some((word) => word.startsWith('elasticfilesystem:ClientWrite')));
  for (const name of ['head', 'init', 'part', 'copy', 'list', 'batch']) {
    assert.deepStrictEqual(
      allowed(name).filter((word) => /backups|:::from/.test(word)),
      [],
      name,
    );
  }
  assert.ok(allowed('complete').includes(`s3:PutObject on ${ARN}:s3:::backups/logs.tar.zst*`));
  assert.ok(allowed('abort').includes(`s3:AbortMultipartUpload on ${ARN}:s3:::backups/logs.tar.zst*`));
});

test('a schedule starts the machine with the whole request', () => {
  const rules = ofType(template, 'AWS::Events::Rule').filter(([id]) => id.includes('Archives'));
  assert.strictEqual(rules.length, 1);
  const [[, { Properties }]] = rules;
  assert.strictEqual(Properties.ScheduleExpression, 'cron(0 3 * * ? *)');
  assert.match(short(flat(Properties.Targets[0].Arn)), /TransloadPackMachine/);
  assert.deepStrictEqual(JSON.parse(Properties.Targets[0].Input), {
    source: { location: 'efs', bucket: 'files', prefix: 'models/' },
    destination: { location: 'here', bucket: 'backups', key: 'models/EFSbackup-{date}.tar.gz' },
    options: { copyTags: false, storageClass: 'GLACIER_IR', partSize: 33554432 },
    pack: { level: 9 },
    route: 'models',
  });
});

test('the janitor cleans up after them, alarms watch them, and outputs name them', () => {
  const [[, rule]] = ofType(template, 'AWS::Events::Rule').filter(([id]) => id.includes('Janitor'));
  const machines = (rule.Properties.EventPattern.detail.stateMachineArn as unknown[]).map((arn) => short(flat(arn)));
  assert.deepStrictEqual(machines.map((name) => /Transload(\w+?)Machine/.exec(name)?.[1]).sort(), [
    'Object',
    'Pack',
    'Unpack',
  ]);
  const alarms = ofType(template, 'AWS::CloudWatch::Alarm').map(([id]) => id);
  for (const name of ['PackFailed', 'PackTimedOut', 'UnpackFailed', 'DeadLettersmodelsarchive']) {
    assert.ok(
      alarms.some((id) => id.includes(name)),
      `${name}: ${alarms.join(' ')}`,
    );
  }
  assert.ok('PackMachineArn' in template.Outputs && 'UnpackMachineArn' in template.Outputs);
});

test('what can not work is refused by its name', () => {
  const [archive] = PACKED.archives as ArchiveProps[];
  const logs = (PACKED.archives as ArchiveProps[])[1];
  const { destination } = archive;
  for (const [change, said] of [
    [{ name: undefined }, 'archives[0].name: expected a name'],
    [{ name: 'a b' }, 'archives[0].name: expected 1 to 40 letters'],
    [{ destination: { ...destination, key: 'a.zip' } }, 'archives[0].format: expected tar, tar.gz or tar.zst'],
    [{ destination: { ...destination, key: undefined } }, 'archives[0].destination.key: expected the key'],
    [{ destination: { ...destination, prefix: 'a' } }, 'archives[0].destination.prefix: expected no such field'],
    [{ level: 10 }, 'archives[0].level: expected 1 to 9, found 10'],
    [{ format: 'tar' }, 'archives[0].level: expected none for tar, found 9'],
    [{ format: 'zip' }, 'archives[0].format: expected one of tar, tar.gz, tar.zst'],
    [{ schedule: 'daily' }, 'archives[0].schedule: expected rate(1 hour)'],
    [{ options: { delete: true } }, 'archives[0].options.delete: expected one of partSize'],
    [{ source: { location: 'nowhere', bucket: 'files' } }, 'archives[0].source.location: expected one of locations'],
    [{ restored: true }, 'archives[0].restored: expected no such field'],
  ] as const) {
    const archives = [{ ...archive, ...change } as unknown as ArchiveProps];
    assert.throws(
      () => stack({ ...PACKED, archives }),
      (error: Error) => error instanceof Problem && error.message.startsWith(said),
      said,
    );
  }
  const twice = [logs, { ...logs, name: 'Logs' }];
  assert.throws(() => stack({ ...PACKED, archives: twice }), /archives\[1\].name: expected a name of its own/);
  const inside = [{ ...logs, destination: { ...logs.destination, bucket: 'from', key: 'logs/all.tar' } }];
  assert.throws(
    () => stack({ ...PACKED, archives: inside }),
    /archives\[0\].destination.key: expected a key outside of/,
  );
});
