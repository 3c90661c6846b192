// The page is deployed only if it is asked for, for callers that are known, and may do what its API does and no more.
import * as assert from 'node:assert';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { LEAST, MANY, PACKAGE, SHOWN, Template, flat, ofType, one, permissions, short, synth, words } from './support';

const template = synth(SHOWN);
const ISSUER = { issuer: 'https://issuer.example.com/', audience: ['transload'] };
const routes = (from: Template): Record<string, unknown>[] =>
  ofType(from, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties);

test('when nobody asks for a page, there is no function for it and no API', () => {
  for (const props of [LEAST, MANY]) {
    assert.deepStrictEqual(ofType(synth(props), 'AWS::ApiGatewayV2::Api'), []);
    assert.strictEqual(synth(props).Outputs.BrowseUrl, undefined);
  }
});

test('when it is asked for and nothing said of tokens, callers sign with IAM, whatever they ask for', () => {
  const [route, ...more] = routes(template);
  assert.strictEqual(more.length, 0);
  assert.deepStrictEqual([route.RouteKey, route.AuthorizationType], ['$default', 'AWS_IAM']);
  assert.deepStrictEqual(ofType(template, 'AWS::ApiGatewayV2::Authorizer'), []);
  assert.match(
    flat(template.Outputs.BrowseUrl.Value),
    /^https:\/\/\$\{\w+\}\.execute-api\.eu-west-1\.\$\{AWS::URLSuffix\}\/$/,
  );
});

test('when there is an issuer, a token of it for the audience is asked for', () => {
  const tokens = synth({ ...SHOWN, browse: ISSUER });
  const [[id, { Properties }]] = ofType(tokens, 'AWS::ApiGatewayV2::Authorizer');
  assert.strictEqual(Properties.AuthorizerType, 'JWT');
  assert.deepStrictEqual(Properties.JwtConfiguration, { Audience: ['transload'], Issuer: ISSUER.issuer });
  assert.deepStrictEqual(Properties.IdentitySource, ['$request.header.Authorization']);
  const [route, ...more] = routes(tokens);
  assert.strictEqual(more.length, 0);
  assert.deepStrictEqual([route.AuthorizationType, route.AuthorizerId], ['JWT', { Ref: id }]);
});

test('whoever asks is logged, requests are throttled, and no header is written down', () => {
  const [[, { Properties }]] = ofType(template, 'AWS::ApiGatewayV2::Stage');
  const { StageName, DefaultRouteSettings, AccessLogSettings } = Properties;
  assert.strictEqual(StageName, '$default');
  assert.deepStrictEqual(DefaultRouteSettings, { ThrottlingBurstLimit: 100, ThrottlingRateLimit: 50 });
  assert.match(flat(AccessLogSettings.DestinationArn), /^\$\{TransloadBrowseAccessLogs\w+\.Arn\}$/);
  const format = JSON.parse(AccessLogSettings.Format as string) as Record<string, string>;
  assert.deepStrictEqual(Object.keys(format).sort(), [
    'caller',
    'ip',
    'length',
    'method',
    'path',
    'requestId',
    'status',
    'subject',
    'time',
  ]);
});

const EXECUTION = [
  'DescribeExecution',
  'DescribeStateMachineForExecution',
  'GetExecutionHistory',
  'ListMapRuns',
  'RedriveExecution',
  'StopExecution',
];
const arn = (resource: string, machine: string): string =>
  `arn:\${AWS::Partition}:states:eu-west-1:111111111111:${resource}:\${Transload${machine}Machine.Name}`;

test("it may list trees of the routes, and look at and steer executions of this stack's machines, and nothing else", () => {
  const found = permissions(template, 'TransloadBrowseRole')
    .map(words)
    .filter((one) => !/^Allow (xray:\w+ on \*|logs:\w+ on \$\{TransloadBrowseLogs\.Arn\})$/.test(one));
  const of = (machine: string): string[] => [
    ...['ListExecutions', 'StartExecution'].map((action) => `Allow states:${action} on \${Transload${machine}Machine}`),
    ...EXECUTION.flatMap((action) =>
      [':*', '/*:*'].map((rest) => `Allow states:${action} on ${arn('execution', machine)}${rest}`),
    ),
    ...['DescribeMapRun', 'ListExecutions', 'UpdateMapRun'].map(
      (action) => `Allow states:${action} on ${arn('mapRun', machine)}/*:*`,
    ),
  ];
  const listed = ['from', 'into'].map(
    (bucket) => `Allow s3:ListBucket on arn:\${AWS::Partition}:s3:::${bucket} if {"StringLike":{"s3:prefix":"a/*"}}`,
  );
  const denied = 'Deny s3:* on * if {"Bool":{"aws:SecureTransport":"false"}}';
  assert.deepStrictEqual(found.sort(), [...of('Object'), ...of('Bucket'), ...listed, denied].sort());
});

/** What the code asks of Step Functions, by the names of IAM. */
function asked(): string[] {
  const file = path.join(PACKAGE, '..', 'functions', 'browse', 'src', 'states.rs');
  const calls = [
    ...fs.readFileSync(file, 'utf8').matchAll(/\.((?:list|describe|get|start|stop|redrive|update)_\w+)\(\)/g),
  ];
  const camel = (name: string): string =>
    name.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
  return [...new Set(calls.map(([, name]) => `states:${camel(name)}`))].sort();
}

test('its rights are the calls of its code', () => {
  const given = permissions(template, 'TransloadBrowseRole').filter(({ action }) => action.startsWith('states:'));
  assert.ok(asked().length > 8, asked().join());
  assert.deepStrictEqual([...new Set(given.map(({ action }) => action))].sort(), asked());
});

test('it is told the machines, and the variables that its code reads', () => {
  const { Properties } = one(template, 'AWS::Lambda::Function', 'TransloadBrowseFunction');
  const variables = Properties.Environment.Variables as Record<string, unknown>;
  const read = fs.readFileSync(path.join(PACKAGE, '..', 'functions', 'browse', 'src', 'gateway.rs'), 'utf8');
  for (const name of Object.keys(variables).filter((one) => one !== 'TRANSLOAD_LOCATIONS')) {
    assert.ok(read.includes(`"${name}"`), name);
  }
  assert.strictEqual(short(flat(variables.TRANSLOAD_OBJECT_MACHINE)), '${TransloadObjectMachine}');
  assert.strictEqual(short(flat(variables.TRANSLOAD_BUCKET_MACHINE)), '${TransloadBucketMachine}');
  assert.ok(Properties.Timeout < 30, 'a gateway waits no longer');
});

test('a location with credentials of its own: it reads these, and has no right on the buckets', () => {
  const found = permissions(synth({ ...MANY, browse: {} }), 'TransloadBrowseRole');
  assert.ok(found.some(({ action }) => action === 'secretsmanager:GetSecretValue'));
  assert.ok(found.every(({ resource }) => !/:::(cn-|us-|lake)/.test(resource)));
});

test('in a network of its own it has a way to Step Functions, which others do not need', () => {
  const services = (from: Template): string[] =>
    ofType(from, 'AWS::EC2::VPCEndpoint').map(([, { Properties }]) =>
      flat(Properties.ServiceName).replace(/^.*\./, ''),
    );
  assert.ok(!services(synth(MANY)).includes('states'));
  assert.ok(services(synth({ ...MANY, browse: {} })).includes('states'));
});

test('its errors and throttles raise an alarm', () => {
  const alarms = ofType(template, 'AWS::CloudWatch::Alarm').map(([id]) => short(id));
  for (const id of ['BrowseErrors', 'BrowseThrottles']) {
    assert.ok(alarms.includes(`TransloadObservability${id}`), id);
  }
});
