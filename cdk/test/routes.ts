// Events of a bucket reach the machine in its own form, and those that cannot are kept.
import * as assert from 'node:assert';
import { test } from 'node:test';
import { Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Route } from '../lib/route';
import { eventWildcard, keyPatterns } from '../lib/wildcard';
import { LEAST, LIST_PRICES, MANY, Resource, app, flat, ofType, one, permissions, short, synth } from './support';

const template = synth(MANY);
const rule = (name: string): Resource => one(template, 'AWS::Events::Rule', `TransloadRoute${name}Rule`);

test('when a route has neither prefix nor ignore list, every new object of the bucket matches', () => {
  assert.deepStrictEqual(rule('role').Properties.EventPattern, {
    source: ['aws.s3'],
    'detail-type': ['Object Created'],
    detail: { bucket: { name: ['from'] } },
  });
});

test('when it follows deletions, their events match too, and the machine is told', () => {
  const followed = synth({
    ...LEAST,
    routes: [{ ...LEAST.routes[0], events: ['created', 'deleted'], schedule: 'rate(1 hour)' }],
  });
  const { EventPattern, Targets } = one(followed, 'AWS::Events::Rule', 'TransloadRouteleastRule').Properties;
  assert.deepStrictEqual(EventPattern['detail-type'], ['Object Created', 'Object Deleted']);
  const input = (Targets[0].InputTransformer.InputTemplate as string).replaceAll('<detail-object-key>', '"k"');
  assert.deepStrictEqual(JSON.parse(input).options, { copyTags: false, delete: true });
  const schedule = one(followed, 'AWS::Events::Rule', 'TransloadRouteleastSchedule').Properties.Targets[0].Input;
  assert.deepStrictEqual(JSON.parse(schedule as string).options, { copyTags: false }, 'a comparison counts first');
});

test('when it has a prefix, keys below it match', () => {
  assert.deepStrictEqual(rule('parameter').Properties.EventPattern.detail, {
    bucket: { name: ['other'] },
    object: { key: [{ prefix: 'data/' }] },
  });
});

test('when it has an ignore list, keys outside of it match', () => {
  assert.deepStrictEqual(rule('secret').Properties.EventPattern.detail.object.key, [
    { 'anything-but': { wildcard: ['*.tmp', 'drafts/*', '*/readme.md', 'readme.md'] } },
  ]);
});

test('the machine is given its own input, with the key as it came and without a version', () => {
  const { InputTransformer, RoleArn, Arn } = rule('secret').Properties.Targets[0];
  assert.deepStrictEqual(InputTransformer.InputPathsMap, { 'detail-object-key': '$.detail.object.key' });
  const input = (InputTransformer.InputTemplate as string).replaceAll('<detail-object-key>', '"a \\"b\\""');
  assert.deepStrictEqual(JSON.parse(input), {
    source: { location: 'here', bucket: 'from', key: 'a "b"' },
    destination: { location: 'secret', bucket: 'cn-1', key: 'a "b"' },
    route: 'secret',
  });
  assert.strictEqual(short(flat(Arn)), '${TransloadObjectMachine}');
  assert.strictEqual(short(flat(RoleArn)), '${TransloadObjectStart.Arn}');
});

test('options travel with the input', () => {
  const input = (rule('parameter').Properties.Targets[0].InputTransformer.InputTemplate as string).replaceAll(
    '<detail-object-key>',
    '"k"',
  );
  assert.deepStrictEqual(JSON.parse(input).options, { overwrite: 'never', storageClass: 'GLACIER_IR' });
});

test('a route may start its machine and do nothing else', () => {
  assert.deepStrictEqual(permissions(template, 'TransloadObjectStart'), [
    { effect: 'Allow', action: 'states:StartExecution', resource: '${TransloadObjectMachine}', condition: '' },
  ]);
});

test('what cannot be delivered is kept in a queue that only its rule writes to', () => {
  const { DeadLetterConfig, RetryPolicy } = rule('role').Properties.Targets[0];
  assert.deepStrictEqual(RetryPolicy, { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 7_200 });
  assert.strictEqual(short(flat(DeadLetterConfig.Arn)), '${TransloadRouteroleDeadLettersQueue.Arn}');
  const policy = one(template, 'AWS::SQS::QueuePolicy', 'TransloadRouterole').Properties.PolicyDocument
    .Statement as Record<string, unknown>[];
  assert.deepStrictEqual(
    policy.map(({ Effect, Action }) => [Effect, Action]),
    [
      ['Deny', 'sqs:*'],
      ['Allow', 'sqs:SendMessage'],
    ],
  );
  assert.match(
    short(JSON.stringify(policy[1].Condition)),
    /"aws:SourceArn":\{"Fn::GetAtt":\["TransloadRouteroleRule","Arn"\]\}/,
  );
});

test('when a route has no events there is no rule, but there are the rights', () => {
  assert.strictEqual(ofType(template, 'AWS::Events::Rule').length, 6);
  assert.ok(
    permissions(template, 'TransloadPartRole').some(
      ({ action, resource }) => action === 's3:PutObject' && resource.endsWith(':::other/logs/*'),
    ),
  );
});

test('a schedule starts the machine of comparisons with the whole route', () => {
  const { ScheduleExpression, EventPattern, Targets } = rule('parameterSchedule').Properties;
  assert.deepStrictEqual([ScheduleExpression, EventPattern], ['cron(0 * * * ? *)', undefined]);
  const [{ Arn, RoleArn, Input, InputTransformer, DeadLetterConfig, RetryPolicy }] = Targets;
  assert.strictEqual(short(flat(Arn)), '${TransloadBucketMachine}');
  assert.strictEqual(short(flat(RoleArn)), '${TransloadBucketStart.Arn}');
  assert.strictEqual(short(flat(DeadLetterConfig.Arn)), '${TransloadRouteparameterScheduleDeadLettersQueue.Arn}');
  assert.deepStrictEqual(RetryPolicy, { MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86_400 });
  assert.strictEqual(InputTransformer, undefined);
  assert.deepStrictEqual(JSON.parse(Input), {
    source: { location: 'here', bucket: 'other', prefix: 'data/' },
    destination: { location: 'parameter', bucket: 'cn-2', prefix: 'data/' },
    options: { overwrite: 'never', storageClass: 'GLACIER_IR' },
    sync: { compare: 'newer', include: ['**.jpg'], ignore: ['other/data/drafts/*'], delete: { maxCount: 5 } },
    route: 'parameter',
  });
  assert.deepStrictEqual(permissions(template, 'TransloadBucketStart'), [
    { effect: 'Allow', action: 'states:StartExecution', resource: '${TransloadBucketMachine}', condition: '' },
  ]);
});

test('what a route ignores is ignored by its comparisons too, before their own list', () => {
  const route = { ...LEAST.routes[0], schedule: 'rate(1 hour)', ignore: ['*.tmp'], sync: { ignore: ['from/x/*'] } };
  const made = synth({ ...LEAST, routes: [route] });
  const { Targets } = one(made, 'AWS::Events::Rule', 'TransloadRouteleastSchedule').Properties;
  assert.deepStrictEqual(JSON.parse(Targets[0].Input).sync, { ignore: ['*.tmp', 'from/x/*'] });
  const events = one(made, 'AWS::Events::Rule', 'TransloadRouteleastRule').Properties.EventPattern;
  assert.deepStrictEqual(events.detail.object.key, [{ 'anything-but': { wildcard: ['*.tmp'] } }]);
});

test('dollars are counted by a table of prices that is given', () => {
  const sync = { budget: { dollars: 5 }, prices: LIST_PRICES };
  const made = synth({ ...LEAST, routes: [{ ...LEAST.routes[0], schedule: 'rate(1 hour)', sync }] });
  const { Targets } = one(made, 'AWS::Events::Rule', 'TransloadRouteleastSchedule').Properties;
  assert.deepStrictEqual(JSON.parse(Targets[0].Input).sync, sync);
});

test('an own bucket tells EventBridge of its objects without a helper function', () => {
  const stack = new Stack(app(), 'Own');
  Route.sendEvents(new s3.Bucket(stack, 'Bucket'));
  const made = stack.node.findAll().map((node) => node.node.path);
  assert.ok(!made.some((path) => path.includes('Handler')), made.join());
  const bucket = stack.node.findChild('Bucket').node.defaultChild as s3.CfnBucket;
  assert.match(
    JSON.stringify(stack.resolve(bucket._toCloudFormation())),
    /"EventBridgeConfiguration":\{"EventBridgeEnabled":true\}/,
  );
});

test('patterns over bucket and key become patterns over keys', () => {
  const rows: [string, string[]][] = [
    ['photos/exact.mp4', ['exact.mp4']],
    ['photos/exact.*', ['exact.*']],
    ['photos/your_*', ['your_*']],
    ['*.jpg', ['*.jpg']],
    ['*/readme.md', ['*/readme.md', 'readme.md']],
    ['*', ['*']],
    ['pho*', ['*']],
    ['p?otos/a?', ['a?']],
    ['photos', []],
    ['photos/', []],
    ['elsewhere/*', []],
    ['Photos/*', []],
  ];
  for (const [pattern, expected] of rows) {
    assert.deepStrictEqual(keyPatterns(pattern, 'photos').sort(), expected.sort(), pattern);
  }
});

/** Ignore patterns by the letter of their meaning, to compare with. */
function ignores(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '[^]*')
    .replace(/\?/g, '[^]');
  return new RegExp(`^${source}$`).test(text);
}

test('over all short patterns and keys, what is left out is what the pattern says', () => {
  const words = (letters: string[], most: number): string[] =>
    most === 0 ? [''] : ['', ...words(letters, most - 1).flatMap((word) => letters.map((letter) => letter + word))];
  const keys = words(['b', '/', '.'], 4).filter((key) => key !== '');
  let matches = 0;
  for (const pattern of new Set(words(['b', '/', '*', '.'], 5))) {
    const over = keyPatterns(pattern, 'bb');
    for (const key of new Set(keys)) {
      const expected = ignores(pattern, `bb/${key}`);
      matches += expected ? 1 : 0;
      assert.strictEqual(
        over.some((one) => ignores(one, key)),
        expected,
        `${pattern} and ${key}`,
      );
    }
  }
  assert.ok(matches > 1_000, `${matches}`);
});

test('a wildcard is written as EventBridge reads it', () => {
  assert.strictEqual(eventWildcard('x', 'a**b'), 'a*b');
  assert.strictEqual(eventWildcard('x', 'a\\b'), 'a\\\\b');
  assert.throws(() => eventWildcard('routes.x.ignore[0]', 'a?'), /^Problem: routes\.x\.ignore\[0\]: expected no \?/);
});

test('keys of one route are those of no other bucket', () => {
  const least = synth(LEAST);
  assert.deepStrictEqual(one(least, 'AWS::Events::Rule', 'TransloadRoute').Properties.EventPattern.detail.bucket.name, [
    'from',
  ]);
});
