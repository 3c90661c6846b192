// Each function may do what its code calls, on the keys of the routes, and nothing else.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { ALL_FUNCTIONS, FUNCTIONS, FunctionName, GRANTS, OBJECT_FUNCTIONS } from '../lib/grants';
import { SyncOptions } from '../lib/sync';
import { TransloadProps } from '../lib/transload';
import { LEAST, MANY, OWN, PACKAGE, Permission, Template, functionRole, permissions, synth } from './support';

const ARN = 'arn:${AWS::Partition}';
const XRAY = ['xray:PutTelemetryRecords on *', 'xray:PutTraceSegments on *'];
const REPOSITORY = path.join(PACKAGE, '..');

/** What a function's role allows beside its own log and X-Ray, in words. */
function allowed(template: Template, name: string): string[] {
  const found = permissions(template, functionRole(name))
    .filter(({ effect }) => effect === 'Allow')
    .map(words);
  const log = `\${${functionRole(name).replace(/Role$/, 'Logs')}.Arn}`;
  const everybody = [`logs:CreateLogStream on ${log}`, `logs:PutLogEvents on ${log}`, ...XRAY];
  for (const expected of everybody) {
    assert.ok(found.includes(expected), `${name}: ${expected} is missing`);
  }
  return found.filter((one) => !everybody.includes(one)).sort();
}

function words({ action, resource, condition }: Permission): string {
  return `${action} on ${resource}${condition === '' ? '' : ` if ${condition}`}`;
}

const VIA = '{"StringEquals":{"kms:ViaService":"s3.eu-west-1.${AWS::URLSuffix}"}}';
const from = (...actions: string[]): string[] => actions.map((action) => `s3:${action} on ${ARN}:s3:::from/a/*`);
const into = (...actions: string[]): string[] => actions.map((action) => `s3:${action} on ${ARN}:s3:::into/a/*`);
const list = (bucket: string): string => `s3:ListBucket on ${ARN}:s3:::${bucket} if {"StringLike":{"s3:prefix":"a/*"}}`;
const key = (id: string, ...actions: string[]): string[] =>
  actions.map((action) => `kms:${action} on arn:aws:kms:eu-west-1:111111111111:key/${id} if ${VIA}`);

const work = (...actions: string[]): string[] =>
  actions.map((action) => `s3:${action} on ${ARN}:s3:::\${TransloadResultsBucket}/sync/*`);
const handed = ['plans', 'manifests'].map(
  (prefix) => `s3:GetObject on ${ARN}:s3:::\${TransloadResultsBucket}/${prefix}/*`,
);
const LISTED = 's3:ListBucket on ${TransloadResultsBucket.Arn} if {"StringLike":{"s3:prefix":"sync/*"}}';

/** Written by hand, from what the code of the functions calls. */
const MOST: Readonly<Record<(typeof FUNCTIONS)[number], string[]>> = {
  head: [
    ...from(
      'GetObject',
      'GetObjectAttributes',
      'GetObjectTagging',
      'GetObjectVersion',
      'GetObjectVersionAttributes',
      'GetObjectVersionTagging',
    ),
    list('from'),
    ...key('from', 'Decrypt'),
    ...into('GetObject'),
    list('into'),
    ...key('into', 'Decrypt'),
  ],
  init: [
    ...into('AbortMultipartUpload', 'ListMultipartUploadParts', 'PutObject', 'PutObjectTagging'),
    `s3:ListBucketMultipartUploads on ${ARN}:s3:::into`,
    ...key('into', 'Decrypt', 'GenerateDataKey'),
  ],
  part: [
    ...from('GetObject', 'GetObjectVersion'),
    ...key('from', 'Decrypt'),
    ...into('ListMultipartUploadParts', 'PutObject'),
    ...key('into', 'Decrypt', 'GenerateDataKey'),
  ],
  complete: [
    ...into('GetObject', 'GetObjectVersion', 'ListMultipartUploadParts', 'PutObject'),
    list('into'),
    ...key('into', 'Decrypt', 'GenerateDataKey'),
  ],
  copy: [
    ...from('GetObject', 'GetObjectVersion'),
    ...key('from', 'Decrypt'),
    ...into('GetObject', 'GetObjectVersion', 'PutObject', 'PutObjectTagging'),
    list('into'),
    ...key('into', 'Decrypt', 'GenerateDataKey'),
  ],
  abort: [...into('AbortMultipartUpload', 'GetObject', 'ListMultipartUploadParts'), ...key('into', 'Decrypt')],
  remove: [
    ...from('GetObject'),
    list('from'),
    ...key('from', 'Decrypt'),
    ...into('DeleteObject', 'GetObject'),
    list('into'),
    ...key('into', 'Decrypt'),
  ],
  thaw: [...from('GetObject', 'GetObjectVersion', 'RestoreObject'), list('from'), ...key('from', 'Decrypt')],
  list: [
    ...from('GetObject', 'GetObjectVersion'),
    list('from'),
    list('from').replace('ListBucket', 'ListBucketVersions'),
    ...key('from', 'Decrypt'),
    ...into('GetObject'),
    list('into'),
    ...key('into', 'Decrypt'),
    ...work('DeleteObject', 'PutObject'),
    ...handed,
    LISTED,
  ],
  batch: [
    ...from('GetObject', 'GetObjectTagging', 'GetObjectVersion', 'GetObjectVersionTagging'),
    list('from'),
    ...key('from', 'Decrypt'),
    ...into('GetObject', 'PutObject', 'PutObjectTagging'),
    list('into'),
    ...key('into', 'Decrypt', 'GenerateDataKey'),
  ],
  delete: [list('from'), ...into('DeleteObject', 'GetObject')],
  report: [...work('AbortMultipartUpload', 'GetObject', 'PutObject'), LISTED],
};

test('when a route uses everything, each function may do what its code calls and no more', () => {
  const template = synth(OWN);
  for (const name of FUNCTIONS) {
    // With the tidying of policies CDK joins statements; what they say in all is compared.
    assert.deepStrictEqual(allowed(template, name), [...MOST[name]].sort(), name);
  }
});

test('when a route asks for the least, no right on versions, tags, attributes or keys is given', () => {
  const template = synth(LEAST);
  for (const name of FUNCTIONS) {
    for (const one of allowed(template, name).filter((found) => !found.includes('ResultsBucket'))) {
      assert.doesNotMatch(one, /Version|Tagging|Attributes|kms:|Delete/, name);
    }
  }
  assert.deepStrictEqual(allowed(template, 'part'), [
    `s3:GetObject on ${ARN}:s3:::from/*`,
    `s3:ListMultipartUploadParts on ${ARN}:s3:::into/*`,
    `s3:PutObject on ${ARN}:s3:::into/*`,
  ]);
});

const PARAMETER = `ssm:GetParameter on ${ARN}:ssm:eu-west-1:\${AWS::AccountId}:parameter/transload/china`;
const via = (service: string, id: string): string =>
  `kms:Decrypt on arn:aws:kms:eu-west-1:111111111111:key/${id} if {"StringEquals":{"kms:ViaService":"${service}.eu-west-1.\${AWS::URLSuffix}"}}`;
const SECRET = `secretsmanager:GetSecretValue on ${ARN}:secretsmanager:eu-west-1:\${AWS::AccountId}:secret:transload/china-??????`;
const ROLE = 'sts:AssumeRole on arn:aws:iam::333333333333:role/writer if {"StringEquals":{"sts:ExternalId":"ours"}}';
const TOKEN =
  'sts:GetWebIdentityToken on * if {"ForAllValues:StringEquals":{"sts:IdentityTokenAudience":["transload"]},"Null":{"sts:IdentityTokenAudience":"false"}}';
const MINIO = 'secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:111111111111:secret:minio-AbCdEf';

test('when a location has credentials of its own, a function may read these and touch none of its buckets', () => {
  const template = synth(MANY);
  const account = (one: string): string => one.replace('111111111111', '${AWS::AccountId}');
  const found = (name: string): string[] =>
    allowed(template, name)
      .filter((one) => !/^(s3|ec2):/.test(one))
      .map(account)
      .sort();
  const everywhere = [SECRET, via('secretsmanager', 'secret'), PARAMETER, via('ssm', 'parameter'), ROLE, TOKEN].map(
    account,
  );
  for (const name of OBJECT_FUNCTIONS.filter((one) => one !== 'thaw')) {
    const reads = ['head', 'part', 'copy', 'remove'].includes(name);
    assert.deepStrictEqual(found(name), [...everywhere, ...(reads ? [account(MINIO)] : [])].sort(), name);
  }
  // Two routes are compared, and one of them deletes.
  const compared = [PARAMETER, via('ssm', 'parameter')].map(account);
  assert.deepStrictEqual(found('list'), [...compared, account(MINIO)].sort());
  assert.deepStrictEqual(found('batch'), [...compared, account(MINIO)].sort());
  assert.deepStrictEqual(found('delete'), compared.sort());
  assert.deepStrictEqual(found('report'), []);
  assert.deepStrictEqual(found('thaw'), [], 'no route thaws');
  for (const name of FUNCTIONS) {
    assert.ok(
      allowed(template, name).every((one) => !/:::(cn-|us-|lake)/.test(one)),
      `${name} has no right on foreign buckets`,
    );
  }
});

test('a route that is not compared gives no right to the functions for that, and one without deletions none to delete', () => {
  const rights = (props: TransloadProps, name: string): string[] =>
    allowed(synth(props), name).filter((one) => !one.includes('ResultsBucket'));
  const compared = (sync: SyncOptions): TransloadProps => ({ ...LEAST, routes: [{ ...LEAST.routes[0], sync }] });
  for (const name of ['list', 'batch', 'delete', 'report']) {
    assert.deepStrictEqual(rights(LEAST, name), [], name);
  }
  assert.deepStrictEqual(rights(compared({}), 'delete'), []);
  assert.deepStrictEqual(rights(compared({ delete: {} }), 'delete'), [
    `s3:DeleteObject on ${ARN}:s3:::into/*`,
    `s3:GetObject on ${ARN}:s3:::into/*`,
    `s3:ListBucket on ${ARN}:s3:::from`,
  ]);
  for (const compare of ['none', 'size', 'newer', undefined]) {
    const found = [`s3:ListBucket on ${ARN}:s3:::from`, `s3:ListBucket on ${ARN}:s3:::into`];
    assert.deepStrictEqual(rights(compared({ compare }), 'list'), found, compare);
  }
  for (const compare of ['checksum', 'version']) {
    assert.ok(rights(compared({ compare }), 'list').includes(`s3:GetObject on ${ARN}:s3:::from/*`), compare);
  }
  assert.ok(rights(compared({}), 'batch').includes(`s3:PutObject on ${ARN}:s3:::into/*`));
  const filtered = {
    ...LEAST,
    routes: [{ ...LEAST.routes[0], sync: {}, options: { metadataFilter: { team: 'maps*' } } }],
  };
  assert.ok(rights(filtered, 'list').includes(`s3:GetObject on ${ARN}:s3:::from/*`));
  assert.ok(!rights(filtered, 'list').includes(`s3:GetObject on ${ARN}:s3:::into/*`), "metadata are the source's");
  const named = { ...LEAST, routes: [{ ...LEAST.routes[0], sync: {}, manifests: true }] };
  assert.deepStrictEqual(rights(named, 'list'), rights(compared({ compare: 'checksum' }), 'list'));
});

test('only a route that follows deletions gives the right to delete, and only one that thaws the right to restore', () => {
  const rights = (asked: object, name: string): string[] =>
    allowed(synth({ ...LEAST, routes: [{ ...LEAST.routes[0], ...asked }] }), name);
  const looks = [`s3:GetObject on ${ARN}:s3:::from/*`, `s3:GetObject on ${ARN}:s3:::into/*`];
  assert.deepStrictEqual(rights({}, 'remove'), looks);
  assert.deepStrictEqual(rights({}, 'thaw'), []);
  assert.deepStrictEqual(rights({ events: ['deleted'] }, 'thaw'), []);
  assert.ok(rights({ events: ['deleted'] }, 'remove').includes(`s3:DeleteObject on ${ARN}:s3:::into/*`));
  assert.ok(rights({ options: { delete: true } }, 'remove').includes(`s3:DeleteObject on ${ARN}:s3:::into/*`));
  for (const asked of [{ options: { archived: 'thaw' } }, { sync: { archived: 'thaw' } }]) {
    assert.ok(rights(asked, 'thaw').includes(`s3:RestoreObject on ${ARN}:s3:::from/*`));
    assert.deepStrictEqual(rights(asked, 'remove'), looks);
  }
});

test('without events each end has a prefix of its own, and rights there', () => {
  const { source, destination } = LEAST.routes[0];
  const apart = { source: { ...source, prefix: 'a/' }, destination: { ...destination, prefix: 'b/' }, events: [] };
  const found = allowed(synth({ ...LEAST, routes: [{ ...LEAST.routes[0], ...apart, sync: {} }] }), 'batch');
  assert.ok(found.includes(`s3:GetObject on ${ARN}:s3:::from/a/*`), found.join('\n'));
  assert.ok(found.includes(`s3:PutObject on ${ARN}:s3:::into/b/*`), found.join('\n'));
});

test('a prefix stands for itself in a policy', () => {
  const strange = {
    ...LEAST,
    routes: [{ ...LEAST.routes[0], source: { ...LEAST.routes[0].source, prefix: 'a*b?c${d}/' } }],
  };
  const found = allowed(synth(strange), 'part');
  assert.ok(found.includes(`s3:GetObject on ${ARN}:s3:::from/a\${*}b\${?}c\${$}{d}/*`), found.join('\n'));
});

test('every role is denied S3 without TLS, and the trust of each is in one service', () => {
  const template = synth(OWN);
  for (const name of FUNCTIONS) {
    const denied = permissions(template, functionRole(name))
      .filter(({ effect }) => effect === 'Deny')
      .map(words);
    assert.deepStrictEqual(denied, ['s3:* on * if {"Bool":{"aws:SecureTransport":"false"}}']);
  }
});

/** Where a function works: the ends of a route, and the bucket of the workflow's own. */
const PLACES = ['source', 'destination', 'work'] as const;
type Place = (typeof PLACES)[number];

const ON_RECORD = path.join(PACKAGE, 'grants.json');

/** The table without its reasons, for tests that are not written in TypeScript. */
function record(): string {
  const rows = (place: Place, name: FunctionName): object[] => {
    const grants = GRANTS[name][place] ?? [];
    return [...new Map(grants.map(({ action, on, when }) => [`${action} ${when}`, { action, on, when }])).values()];
  };
  const table = Object.fromEntries(
    ALL_FUNCTIONS.map((name) => [name, Object.fromEntries(PLACES.map((place) => [place, rows(place, name)]))]),
  );
  return `${JSON.stringify(table, null, 1)}\n`;
}

test('the table on record, which the functions are tried with, is this one', () => {
  if (process.env.UPDATE === '1') {
    fs.writeFileSync(ON_RECORD, record());
  }
  assert.deepStrictEqual(fs.readFileSync(ON_RECORD, 'utf8').split('\n'), record().split('\n'));
});

/** Operations of a store, by S3's names, as the code has them. */
function verbs(): string[] {
  const text = fs.readFileSync(path.join(REPOSITORY, 'functions', 'store', 'src', 'verb.rs'), 'utf8');
  return [...text.matchAll(/Self::\w+ => "(\w+)"/g)].map((match) => match[1]);
}

test('the table knows every operation of the code, and no other', () => {
  const all = ALL_FUNCTIONS.flatMap((name) => PLACES.flatMap((place) => GRANTS[name][place] ?? [])).flatMap(
    (grant) => grant.calls,
  );
  const expected = verbs();
  assert.ok(expected.length >= 10, 'the operations were found');
  assert.deepStrictEqual([...new Set(all)].sort(), expected.sort());
});

/** What the code asks of the services that keep and issue credentials, by the names of IAM. */
function asked(): string[] {
  const source = (file: string): string =>
    fs.readFileSync(path.join(REPOSITORY, 'functions', 'store', 'src', 'keys', file), 'utf8');
  const services: Record<string, string> = { secretsmanager: 'secretsmanager', AmazonSSM: 'ssm' };
  const json = [...source('json.rs').matchAll(/"(secretsmanager|AmazonSSM)\.(\w+)"/g)].map(
    ([, service, action]) => `${services[service]}:${action}`,
  );
  const sts = [...source('roles.rs').matchAll(/"(sts:\w+)"/g)].map(([, action]) => action);
  // This one is asked for in nobody's name: the token is what it shows.
  return [...new Set([...json, ...sts])].filter((action) => action !== 'sts:AssumeRoleWithWebIdentity').sort();
}

test('credentials are read with the calls that the code makes, and each of them is allowed where it is needed', () => {
  const given = FUNCTIONS.flatMap((name) => permissions(synth(MANY), functionRole(name)))
    .filter(({ effect, action }) => effect === 'Allow' && /^(secretsmanager|ssm|sts):/.test(action))
    .map(({ action }) => action);
  assert.deepStrictEqual([...new Set(given)].sort(), asked());
  assert.strictEqual(asked().length, 4);
});

/** What the code of a function opens. */
function opened(name: FunctionName): Place[] {
  const folder = path.join(REPOSITORY, 'functions', name, 'src');
  const text = fs
    .readdirSync(folder)
    .map((file) => fs.readFileSync(path.join(folder, file), 'utf8'))
    .join('\n');
  const words: Record<Place, RegExp> = {
    source: /open_source\(|open\("source"/,
    destination: /open\("destination"/,
    work: /OpenWork/,
  };
  return PLACES.filter((place) => words[place].test(text));
}

test('the table has rights at the ends that the code opens, and at no other', () => {
  for (const name of ALL_FUNCTIONS) {
    const places = PLACES.filter((place) => (GRANTS[name][place] ?? []).length > 0);
    assert.deepStrictEqual(places, opened(name), name);
  }
});
