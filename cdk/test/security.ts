// Nothing is open, wide or lost without a reason that stands in the code.
import * as assert from 'node:assert';
import { test } from 'node:test';
import { App } from 'aws-cdk-lib';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { TransloadStack } from '../lib/transload-stack';
import {
  CHINA,
  CODE,
  FILED,
  GLOBAL,
  LEAST,
  LINKED,
  MANY,
  OWN,
  PACKED,
  SHOWN,
  TOLD,
  flat,
  ofType,
  one,
  short,
  stack,
  statements,
  synth,
  Template,
} from './support';

/** What cdk-nag finds and nobody acknowledged. */
function findings(made: TransloadStack): string[] {
  return new AwsSolutionsChecks()
    .validateScope(made)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
    );
}

test('cdk-nag finds nothing that is not acknowledged, in either partition', () => {
  for (const made of [LEAST, OWN, MANY, TOLD, SHOWN, { ...MANY, browse: {} }, FILED, LINKED, PACKED]
    .map((props) => stack(props))
    .concat(stack(TOLD, CHINA), stack(LEAST, {}))) {
    assert.deepStrictEqual(findings(made), []);
  }
});

test('a prefix of any characters leaves no finding', () => {
  for (const prefix of ['a b/', 'a  b (1]/', '((/', '](/', 'a::b/', 'a*b?c${d}/']) {
    const [route] = LEAST.routes;
    const props = { ...LEAST, routes: [{ ...route, source: { ...route.source, prefix } }] };
    for (const made of [stack(props), stack(props, CHINA), stack({ ...props, browse: {} })]) {
      assert.deepStrictEqual(findings(made), [], prefix);
    }
  }
});

test('cdk-nag would find a wide right and a missing guard', () => {
  const made = stack(LEAST);
  (made.transload.functions.part.role as Role).addToPolicy(
    new PolicyStatement({ actions: ['s3:Get*'], resources: ['arn:aws:s3:::any/*'] }),
  );
  const ids = findings(made).map((finding) => finding.split(' ')[0]);
  assert.deepStrictEqual(
    ids.sort(),
    ['AwsSolutions-IAM5[Action::s3:*]', 'AwsSolutions-IAM5[Resource::arn:aws:s3:::any/*]']
      .map((id) => id.replace('s3:*', 's3:Get*'))
      .sort(),
  );
});

/** Actions that are allowed on everything: none of them knows resources. */
const WITHOUT_RESOURCES =
  /^(xray:(GetSampling(Rules|Targets)|PutT(elemetryRecords|raceSegments))|logs:((Create|Get|List|Delete|Update)LogDeliver(y|ies)|DescribeLogGroups|(Describe|Put)ResourcePolic(y|ies))|ec2:((Create|Describe|Delete)NetworkInterfaces?|DescribeSubnets|(Una|A)ssignPrivateIpAddresses)|sts:GetWebIdentityToken)$/;

test('only actions that know no resources are allowed on all', () => {
  for (const props of [LEAST, OWN, MANY, TOLD, SHOWN, FILED, LINKED, PACKED]) {
    const template = synth(props);
    let seen = 0;
    for (const [id, policy] of [
      ...ofType(template, 'AWS::IAM::Policy'),
      ...ofType(template, 'AWS::IAM::ManagedPolicy'),
    ]) {
      for (const { effect, action, resource } of statements(policy.Properties.PolicyDocument)) {
        if (effect === 'Allow' && resource === '*') {
          seen += 1;
          assert.match(action, WITHOUT_RESOURCES, id);
        }
        assert.ok(effect === 'Deny' || !action.includes('*'), `${id}: ${action}`);
      }
    }
    assert.ok(seen > 10);
  }
});

test('roles have policies of their own only, and are assumed by one service each', () => {
  for (const [id, { Properties }] of [MANY, TOLD, SHOWN].flatMap((props) => ofType(synth(props), 'AWS::IAM::Role'))) {
    assert.strictEqual(Properties.ManagedPolicyArns, undefined, id);
    const [statement, ...more] = Properties.AssumeRolePolicyDocument.Statement;
    assert.strictEqual(more.length, 0);
    assert.match(statement.Principal.Service, /^(lambda|states|events|pipes|vpc-flow-logs)\.amazonaws\.com$/, id);
    if (/^(states|events|pipes)/.test(statement.Principal.Service)) {
      assert.deepStrictEqual(statement.Condition, { StringEquals: { 'aws:SourceAccount': GLOBAL.account } }, id);
    }
  }
});

test('buckets and logs outlive the stack unless it is asked for otherwise; a stack that failed leaves nothing', () => {
  for (const [retain, deletion, replacement] of [
    [undefined, 'RetainExceptOnCreate', 'Retain'],
    [true, 'RetainExceptOnCreate', 'Retain'],
    [false, 'Delete', 'Delete'],
  ] as const) {
    const template = synth({ ...LEAST, network: {}, retain });
    const kept = [...ofType(template, 'AWS::S3::Bucket'), ...ofType(template, 'AWS::Logs::LogGroup')];
    assert.strictEqual(kept.length, 17);
    for (const [id, { DeletionPolicy, UpdateReplacePolicy }] of kept) {
      assert.deepStrictEqual([DeletionPolicy, UpdateReplacePolicy], [deletion, replacement], id);
    }
    const others = Object.entries(template.Resources).filter(
      ([id, { DeletionPolicy }]) => /Retain/.test(DeletionPolicy ?? '') && !kept.some(([name]) => name === id),
    );
    assert.deepStrictEqual(others, []);
  }
});

test("what outlives a stack is in nobody's way when the stack is made again", () => {
  for (const [id, { Properties }] of ofType(synth(LEAST), 'AWS::Logs::LogGroup')) {
    assert.ok(Properties.LogGroupName === undefined || flat(Properties.LogGroupName).includes('AWS::StackId'), id);
    assert.strictEqual(Properties.RetentionInDays, 30);
  }
  assert.ok(ofType(synth(LEAST), 'AWS::S3::Bucket').every(([, { Properties }]) => Properties.BucketName === undefined));
});

test('the results bucket is private, encrypted, by TLS only, and forgets', () => {
  const template = synth({ ...LEAST, resultsRetentionDays: 7 });
  const [[id, { Properties }]] = ofType(template, 'AWS::S3::Bucket');
  assert.deepStrictEqual(Object.values(Properties.PublicAccessBlockConfiguration), [true, true, true, true]);
  assert.ok(Properties.BucketEncryption);
  assert.deepStrictEqual(
    Properties.LifecycleConfiguration.Rules.map((rule: Record<string, unknown>) => [
      rule.ExpirationInDays,
      rule.AbortIncompleteMultipartUpload,
    ]),
    [[7, { DaysAfterInitiation: 1 }]],
  );
  const [[, policy]] = ofType(template, 'AWS::S3::BucketPolicy');
  assert.deepStrictEqual(policy.Properties.Bucket, { Ref: id });
  assert.strictEqual(policy.Properties.PolicyDocument.Statement[0].Effect, 'Deny');
});

test('no custom resource and no function but those of the workflow', () => {
  for (const props of [LEAST, OWN, MANY]) {
    const types = Object.values(synth(props).Resources).map(({ Type }) => Type);
    assert.strictEqual(types.filter((type) => type === 'AWS::Lambda::Function').length, 12);
    assert.ok(
      types.every((type) => /^AWS::(?!CloudFormation)/.test(type)),
      types.join(),
    );
  }
});

test('the functions know names of places and of secrets, and no key', () => {
  const known = ['TRANSLOAD_LOCATIONS', 'TRANSLOAD_MACHINE', 'TRANSLOAD_METRICS'];
  for (const [id, { Properties }] of ofType(synth(MANY), 'AWS::Lambda::Function')) {
    const work = /^Transload(List|Report)F/.test(id) ? ['TRANSLOAD_WORK_BUCKET'] : [];
    assert.deepStrictEqual(Object.keys(Properties.Environment.Variables as object), [...known, ...work], id);
  }
  const variables = one(synth(MANY), 'AWS::Lambda::Function', 'TransloadHeadFunction').Properties.Environment
    .Variables as Record<string, unknown>;
  const text = flat(variables.TRANSLOAD_LOCATIONS).replaceAll('${AWS::Partition}', 'aws');
  assert.deepStrictEqual(JSON.parse(text), {
    locations: {
      here: { kind: 's3', partition: 'aws', region: 'eu-west-1', expected_bucket_owner: GLOBAL.account },
      secret: { kind: 's3', partition: 'aws-cn', region: 'cn-north-1', credentials: { secret: 'transload/china' } },
      parameter: {
        kind: 's3',
        partition: 'aws-cn',
        region: 'cn-northwest-1',
        credentials: { parameter: '/transload/china' },
      },
      role: {
        kind: 's3',
        partition: 'aws',
        region: 'us-east-1',
        credentials: { role: 'arn:aws:iam::333333333333:role/writer', external_id: 'ours' },
      },
      token: {
        kind: 's3',
        partition: 'aws-cn',
        region: 'cn-north-1',
        credentials: { web_identity: { role: 'arn:aws-cn:iam::444444444444:role/writer', audience: 'transload' } },
      },
      minio: {
        kind: 's3',
        region: 'us-east-1',
        endpoint: 'https://minio.example.com',
        path_style: true,
        profile: 'generic',
        etag_md5: true,
        credentials: { secret: 'arn:aws:secretsmanager:eu-west-1:111111111111:secret:minio-AbCdEf' },
      },
    },
  });
  assert.deepStrictEqual([variables.TRANSLOAD_MACHINE, variables.TRANSLOAD_METRICS], ['transload-object', '1']);
});

test('a network of its own has no public address, a way out only if needed, and endpoints for the credentials', () => {
  const many = synth(MANY);
  assert.strictEqual(ofType(many, 'AWS::EC2::NatGateway').length, 1);
  const services = ofType(many, 'AWS::EC2::VPCEndpoint')
    .map(([, { Properties }]) => flat(Properties.ServiceName).replace(/^.*\./, ''))
    .sort();
  assert.deepStrictEqual(services, ['s3', 'secretsmanager', 'ssm', 'sts']);
  for (const [, { Properties }] of ofType(many, 'AWS::Lambda::Function')) {
    assert.strictEqual(Properties.VpcConfig.SubnetIds.length, 2);
    assert.strictEqual(Properties.VpcConfig.SecurityGroupIds.length, 1);
  }
  const quiet = synth({ ...LEAST, network: {} });
  assert.strictEqual(ofType(quiet, 'AWS::EC2::NatGateway').length, 0);
  assert.strictEqual(ofType(quiet, 'AWS::EC2::InternetGateway').length, 0);
  assert.ok(ofType(many, 'AWS::EC2::Subnet').every(([, { Properties }]) => Properties.MapPublicIpOnLaunch === false));
});

test('an existing network is used as it is', () => {
  const template = synth({
    ...LEAST,
    code: CODE,
    network: { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] },
  });
  assert.deepStrictEqual(ofType(template, 'AWS::EC2::VPC'), []);
  for (const [, { Properties }] of ofType(template, 'AWS::Lambda::Function')) {
    assert.deepStrictEqual(Properties.VpcConfig, {
      SubnetIds: ['subnet-0123456789abcdef0'],
      SecurityGroupIds: ['sg-0123456789abcdef0'],
    });
  }
});

test('no partition, domain or Region is written down', () => {
  const text = JSON.stringify(
    Object.values(synth(LEAST, {}).Resources).map(({ Properties }) => ({
      ...Properties,
      DefinitionString: '',
      AssumeRolePolicyDocument: '',
      PolicyDocument: short(JSON.stringify(Properties.PolicyDocument ?? ''))
        .replace(/"Service":"[a-z]+\.amazonaws\.com"/g, '')
        .replace(/\\"Service\\":\\"[a-z]+\.amazonaws\.com\\"/g, ''),
    })),
  );
  assert.doesNotMatch(text, /arn:aws|amazonaws\.com|(eu|us|cn)-[a-z]+-\d/);
});

test('sixty routes fit into a stack, and their rights into policies', () => {
  const numbers = Array.from({ length: 60 }, (_, index) => index);
  const made = stack({
    ...LEAST,
    locations: {
      here: {
        buckets: numbers.flatMap((number) => [
          { name: `from-a-bucket-${number}` },
          { name: `into-a-bucket-${number}` },
        ]),
      },
    },
    routes: numbers.map((number) => ({
      name: `route-${number}`,
      source: { location: 'here', bucket: `from-a-bucket-${number}` },
      destination: { location: 'here', bucket: `into-a-bucket-${number}` },
    })),
  });
  const template = (made.node.root as App).synth().getStackByName('transload').template as Template;
  assert.ok(Object.keys(template.Resources).length <= 500);
  assert.deepStrictEqual(findings(made), []);
  // 10,240 characters in a role's own policies, 6,144 in a managed one, blanks not counted; ten managed ones to a role.
  for (const [id, { Type, Properties }] of Object.entries(template.Resources)) {
    if (/^AWS::IAM::(Managed)?Policy$/.test(Type)) {
      const characters = flatPolicy(Properties.PolicyDocument);
      assert.ok(characters <= (Type === 'AWS::IAM::Policy' ? 10_240 : 6_144), `${id}: ${characters}`);
    }
  }
  assert.ok(ofType(template, 'AWS::IAM::ManagedPolicy').length > 0);
});

/** Characters of a policy when it is deployed. */
function flatPolicy(document: { Statement: object[] }): number {
  const text = JSON.stringify(document, (name, value: unknown) =>
    name === 'Resource' ? [value].flat().map(flat) : value,
  );
  return text.replaceAll('${AWS::Partition}', 'aws-cn').replace(/\$\{[^}]*\}/g, 'x'.repeat(100)).length;
}
