// Transfers from URLs: who reads their queries, who writes what they give, and what the readers are told.
import * as assert from 'node:assert';
import { test } from 'node:test';
import { FUNCTIONS } from '../lib/grants';
import { TransloadProps } from '../lib/transload';
import { FILED, LEAST, LINKED, Template, flat, ofType, one, permissions, synth, words } from './support';

const capital = (name: string): string => `${name[0].toUpperCase()}${name.slice(1)}`;

/** What a function may do more than without URLs. */
function more(name: string): string[] {
  const of = (props: TransloadProps): string[] =>
    permissions(synth(props), `Transload${capital(name)}Role`)
      .filter(({ effect }) => effect === 'Allow')
      .map(words);
  const before = of(LEAST);
  return of(LINKED)
    .filter((right) => !before.includes(right))
    .map((right) => right.replace(/^Allow /, ''))
    .sort();
}

const ARN = 'arn:${AWS::Partition}';
const KEY = 'arn:aws:kms:eu-west-1:111111111111:key';
const VIA = (...services: string[]): string =>
  JSON.stringify({ StringEquals: { 'kms:ViaService': services.length > 1 ? services : services[0] } });
const S3 = VIA('s3.eu-west-1.${AWS::URLSuffix}');

const QUERIES = [
  `kms:Decrypt on ${KEY}/urls if ${VIA('secretsmanager.eu-west-1.${AWS::URLSuffix}', 'ssm.eu-west-1.${AWS::URLSuffix}')}`,
  'secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:111111111111:secret:two-AbCdEf',
  `secretsmanager:GetSecretValue on ${ARN}:secretsmanager:eu-west-1:111111111111:secret:transload/one-??????`,
  `secretsmanager:GetSecretValue on ${ARN}:secretsmanager:eu-west-1:111111111111:secret:transload/urls/*`,
  `ssm:GetParameter on ${ARN}:ssm:eu-west-1:111111111111:parameter/transload/urls/*`,
];
const into = (...actions: string[]): string[] => actions.map((action) => `s3:${action} on ${ARN}:s3:::links/in/*`);
const key = (...actions: string[]): string[] => actions.map((action) => `kms:${action} on ${KEY}/links if ${S3}`);
const LIST = `s3:ListBucket on ${ARN}:s3:::links if {"StringLike":{"s3:prefix":"in/*"}}`;

/** By hand, from what the code calls for a source that is a URL: no tags, no versions, no look afterwards. */
const EXPECTED: Readonly<Record<string, string[]>> = {
  head: [...QUERIES, ...into('GetObject'), LIST, ...key('Decrypt')],
  init: [
    ...into('AbortMultipartUpload', 'ListMultipartUploadParts', 'PutObject'),
    `s3:ListBucketMultipartUploads on ${ARN}:s3:::links`,
    ...key('Decrypt', 'GenerateDataKey'),
  ],
  part: [...QUERIES, ...into('ListMultipartUploadParts', 'PutObject'), ...key('Decrypt', 'GenerateDataKey')],
  complete: [...into('GetObject', 'ListMultipartUploadParts', 'PutObject'), LIST, ...key('Decrypt', 'GenerateDataKey')],
  copy: [...QUERIES, ...into('GetObject', 'PutObject'), LIST, ...key('Decrypt', 'GenerateDataKey')],
  abort: [...into('AbortMultipartUpload', 'GetObject', 'ListMultipartUploadParts'), ...key('Decrypt')],
};

test('when URLs may be written somewhere, then each function has just what that asks for', () => {
  for (const name of FUNCTIONS) {
    assert.deepStrictEqual(more(name), [...(EXPECTED[name] ?? [])].sort(), name);
  }
});

const told = (template: Template, name: string): { https?: unknown } =>
  JSON.parse(
    flat(
      one(template, 'AWS::Lambda::Function', `Transload${capital(name)}Function`).Properties.Environment.Variables
        .TRANSLOAD_LOCATIONS,
    ),
  ) as { https?: unknown };

test('when hosts are allowed, then those functions are told that read URLs, and no other', () => {
  const template = synth({ ...LINKED, browse: {} });
  for (const name of [...FUNCTIONS, 'browse']) {
    const reads = ['head', 'part', 'copy'].includes(name);
    assert.deepStrictEqual(told(template, name).https, reads ? { private_hosts: ['files.internal'] } : undefined, name);
  }
  const plain = synth({ ...LEAST, https: { httpHosts: ['10.0.0.5', '[::1]'] } });
  assert.deepStrictEqual(told(plain, 'part').https, { http_hosts: ['10.0.0.5', '[::1]'] });
});

test('when the destination is a file system, then those mount it that write what a URL gives', () => {
  const template = synth({
    ...FILED,
    browse: undefined,
    routes: LEAST.routes,
    locations: { ...LEAST.locations, efs: FILED.locations.efs },
    https: { destinations: [{ location: 'efs', bucket: 'files' }] },
  });
  const mounted = ofType(template, 'AWS::Lambda::Function')
    .filter(([, { Properties }]) => Properties.FileSystemConfigs !== undefined)
    .map(([id]) => /^Transload([A-Z][a-z]+)F/.exec(id)?.[1].toLowerCase());
  assert.deepStrictEqual(mounted.sort(), Object.keys(EXPECTED).sort());
});

test('when there is a network, then URLs have a way out, and their queries one to where they are kept', () => {
  const services = (from: Template): string[] =>
    ofType(from, 'AWS::EC2::VPCEndpoint').map(([, { Properties }]) =>
      flat(Properties.ServiceName).replace(/^.*\./, ''),
    );
  const template = synth({ ...LINKED, network: {} });
  assert.strictEqual(ofType(template, 'AWS::EC2::NatGateway').length, 1);
  assert.deepStrictEqual(services(template).sort(), ['s3', 'secretsmanager', 'ssm']);
  assert.strictEqual(ofType(synth({ ...LEAST, network: {} }), 'AWS::EC2::NatGateway').length, 0);
});

test('when it can not work, then it is refused by the property', () => {
  const rows: [NonNullable<TransloadProps['https']>, string][] = [
    [{ privateHosts: ['Files'] }, 'https.privateHosts[0]: expected a host in lower case'],
    [{ httpHosts: ['a.example', 'a.example:80'] }, 'https.httpHosts[1]: expected a host in lower case'],
    [{ secrets: ['a b'] }, 'https.secrets[0]: expected name or ARN of a secret'],
    [{ parameters: ['*/a'] }, 'https.parameters[0]: expected name of an SSM parameter'],
    [
      { kmsKeyArns: ['arn:aws:kms:eu-west-1:111111111111:key/urls'] },
      'https.kmsKeyArns: expected secrets or parameters',
    ],
    [{ destinations: [{ location: 'here', bucket: 'other' }] }, 'https.destinations[0].bucket: expected a bucket of'],
    [{ destinations: [{ location: 'there', bucket: 'into' }] }, 'https.destinations[0].location: expected one of'],
    [{ hosts: [] } as object, 'https.hosts: expected no such field'],
  ];
  for (const [https, expected] of rows) {
    assert.throws(
      () => synth({ ...LEAST, https }),
      (error: Error) =>
        error.message.startsWith(expected) || assert.fail(`expected ${expected}, found ${error.message}`),
    );
  }
});
