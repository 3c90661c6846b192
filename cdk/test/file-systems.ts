// A file system as a place: mounted by whom, with which rights, reached from where.
import * as assert from 'node:assert';
import { test } from 'node:test';
import { FUNCTIONS } from '../lib/grants';
import { TransloadProps } from '../lib/transload';
import { FILED, LEAST, Resource, flat, ofType, one, permissions, short, synth, words } from './support';

const template = synth(FILED);
const POINT = 'arn:aws:elasticfilesystem:eu-west-1:111111111111:access-point/fsap-0123456789abcdef0';
const SYSTEM = 'arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/fs-0123456789abcdef0';
const EXISTING: TransloadProps = {
  ...FILED,
  browse: undefined,
  locations: {
    ...FILED.locations,
    efs: {
      files: {
        accessPointArn: POINT,
        fileSystemArn: SYSTEM,
        roots: { files: '/data', 'big-files': '/' },
        mode: '0640',
        directoryMode: '0750',
      },
    },
  },
  network: { subnetIds: ['subnet-1'], securityGroupIds: ['sg-1'] },
};

const handler = (name: string, from = template): Resource =>
  one(from, 'AWS::Lambda::Function', `Transload${name[0].toUpperCase()}${name.slice(1)}Function`);

/** Rights on file systems, in words, of a function's role. */
function rights(name: string, from = template): string[] {
  return permissions(from, `Transload${name[0].toUpperCase()}${name.slice(1)}Role`)
    .filter(({ action }) => action.startsWith('elasticfilesystem:'))
    .map(words)
    .sort();
}

const IF =
  'on ${TransloadFilesSystem.Arn} if {"StringEquals":{"elasticfilesystem:AccessPointArn":"${TransloadFilesAccessPoint.Arn}"}}';
const READS = [`Allow elasticfilesystem:ClientMount ${IF}`];
const WRITES = [...READS, `Allow elasticfilesystem:ClientWrite ${IF}`];

/** By hand: of both routes, one writes to the file system, one reads it, and nothing deletes, nothing thaws. */
const EXPECTED: Readonly<Record<string, string[]>> = {
  head: READS,
  init: WRITES,
  part: WRITES,
  complete: WRITES,
  copy: WRITES,
  abort: WRITES,
  remove: WRITES,
  thaw: [],
  list: READS,
  batch: READS,
  delete: [],
  report: [],
  browse: READS,
};

test('when a function has an end on the file system, then it mounts it with just its rights, and no other function does', () => {
  assert.deepStrictEqual(Object.keys(EXPECTED).sort(), [...FUNCTIONS, 'browse'].sort());
  for (const [name, expected] of Object.entries(EXPECTED)) {
    assert.deepStrictEqual(rights(name), expected, name);
    const mounted = handler(name).Properties.FileSystemConfigs as
      { Arn: unknown; LocalMountPath: string }[] | undefined;
    const found = mounted?.map(({ Arn, LocalMountPath }) => [short(flat(Arn)), LocalMountPath]);
    const wanted = expected.length > 0 ? [['${TransloadFilesAccessPoint.Arn}', '/mnt/transload']] : undefined;
    assert.deepStrictEqual(found, wanted, name);
  }
});

test('when it has one end there, then the other end keeps its rights, and no right of S3 names the file system', () => {
  const part = permissions(template, 'TransloadPartRole').filter(({ action }) => action.startsWith('s3:'));
  const resources = new Set(part.filter(({ effect }) => effect === 'Allow').map(({ resource }) => resource));
  assert.deepStrictEqual([...resources].sort(), [
    'arn:${AWS::Partition}:s3:::from/*',
    'arn:${AWS::Partition}:s3:::into/models/*',
  ]);
});

test('when the functions are told of it, then by the folders beneath the mount, which has to be there', () => {
  const told = (from: typeof template): unknown =>
    (
      JSON.parse(flat(handler('part', from).Properties.Environment.Variables.TRANSLOAD_LOCATIONS)) as {
        locations: Record<string, unknown>;
      }
    ).locations.efs;
  assert.deepStrictEqual(told(template), { kind: 'file', roots: { files: '/mnt/transload' }, mounted: true });
  assert.deepStrictEqual(told(synth(EXISTING)), {
    kind: 'file',
    roots: { files: '/mnt/transload/data', 'big-files': '/mnt/transload' },
    mounted: true,
    mode: '0640',
    directory_mode: '0750',
  });
});

test('when it is new, then it is encrypted, kept, by TLS and IAM only, and reached by the functions alone', () => {
  const [[, system]] = ofType(template, 'AWS::EFS::FileSystem');
  assert.deepStrictEqual([system.DeletionPolicy, system.UpdateReplacePolicy], ['RetainExceptOnCreate', 'Retain']);
  const { Encrypted, BackupPolicy, FileSystemPolicy } = system.Properties;
  assert.deepStrictEqual([Encrypted, BackupPolicy], [true, { Status: 'ENABLED' }]);
  // Of the file system whose policy it is: no resource.
  assert.deepStrictEqual(FileSystemPolicy.Statement, [
    { Action: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } }, Effect: 'Deny', Principal: { AWS: '*' } },
  ]);
  const point = one(template, 'AWS::EFS::AccessPoint', 'TransloadFilesAccessPoint').Properties;
  assert.deepStrictEqual(point.PosixUser, { Uid: '1000', Gid: '1000' });
  const subnets = ofType(template, 'AWS::EFS::MountTarget').map(([, { Properties }]) => flat(Properties.SubnetId));
  const used = (handler('part').Properties.VpcConfig.SubnetIds as unknown[]).map(flat);
  assert.deepStrictEqual(subnets.sort(), used.sort());
  const ingress = ofType(template, 'AWS::EC2::SecurityGroupIngress').filter(
    ([, { Properties }]) => Properties.FromPort === 2049,
  );
  const [[, { Properties: nfs }]] = ingress;
  assert.deepStrictEqual(
    [ingress.length, short(flat(nfs.GroupId)), short(flat(nfs.SourceSecurityGroupId))],
    [1, '${TransloadFilesTargets.GroupId}', '${TransloadNetworkWorkers.GroupId}'],
  );
  const waits = (template.Resources as Record<string, Resource & { DependsOn?: string[] }>)[
    ofType(template, 'AWS::Lambda::Function').filter(([id]) => id.startsWith('TransloadPartFunction'))[0][0]
  ].DependsOn;
  assert.strictEqual(
    waits?.filter((id) => id.startsWith('TransloadFilesTarget')).length,
    2,
    'Lambda mounts it at once',
  );
});

test('when it exists, then nothing is made but the mounts', () => {
  const made = synth(EXISTING);
  for (const type of ['FileSystem', 'AccessPoint', 'MountTarget']) {
    assert.deepStrictEqual(ofType(made, `AWS::EFS::${type}`), []);
  }
  assert.deepStrictEqual(handler('part', made).Properties.FileSystemConfigs, [
    { Arn: POINT, LocalMountPath: '/mnt/transload' },
  ]);
});

test('when nothing is to be kept, then the file system goes with the stack', () => {
  const [[, { DeletionPolicy }]] = ofType(synth({ ...FILED, retain: false }), 'AWS::EFS::FileSystem');
  assert.strictEqual(DeletionPolicy, 'Delete');
});

const efs = (files: object, others: object = {}): TransloadProps => ({
  ...FILED,
  locations: { here: FILED.locations.here, efs: { files, ...others } },
});

test('when it can not work, then it is refused by the property', () => {
  const existing = { accessPointArn: POINT, fileSystemArn: SYSTEM };
  const [first, second] = FILED.routes;
  const rows: [TransloadProps, string][] = [
    [{ ...FILED, network: undefined }, 'network: expected a network beside locations.efs.files'],
    [efs(existing), 'network.subnetIds: expected subnets of the network that has the mount targets'],
    [
      { ...FILED, network: EXISTING.network },
      'locations.efs.files.accessPointArn: expected an access point that can be mounted',
    ],
    [efs({ accessPointArn: POINT }), 'locations.efs.files: expected accessPointArn and fileSystemArn together'],
    [
      efs({ ...existing, accessPointArn: SYSTEM }),
      'locations.efs.files.accessPointArn: expected ARN of an access point',
    ],
    [efs({}, { region: 'eu-west-1' }), 'locations.efs.region: expected nothing beside files'],
    [efs({ roots: {} }), 'locations.efs.files.roots: expected at least one folder'],
    [efs({ ...existing, roots: { files: '/a/../b' } }), 'locations.efs.files.roots.files: expected a path beneath'],
    [efs({ ...existing, roots: { files: 'a' } }), 'locations.efs.files.roots.files: expected a path beneath'],
    [efs({ roots: { files: '/a' } }), 'locations.efs.files.roots.files: expected / for a new file system'],
    [efs({ roots: { F: '/' } }), 'locations.efs.files.roots: expected names of 3 to 63'],
    [efs({ mode: '0800' }), 'locations.efs.files.mode: expected three octal digits'],
    [
      { ...FILED, locations: { ...FILED.locations, other: { files: {} } } },
      'locations.other.files: expected one file system in a stack',
    ],
    [
      { ...FILED, routes: [first, { ...second, events: ['created'] }] },
      'routes[1].events: expected [], for a file system',
    ],
    [{ ...FILED, routes: [first, { ...second, notifications: true }] }, 'routes[1].notifications: expected a bucket'],
    [
      { ...FILED, routes: [{ ...first, destination: { location: 'efs', bucket: 'other' } }] },
      'routes[0].destination.bucket: expected a bucket of locations.efs.files.roots (files)',
    ],
  ];
  for (const [props, expected] of rows) {
    assert.throws(
      () => synth(props),
      (error: Error) =>
        error.message.startsWith(expected) || assert.fail(`expected ${expected}, found ${error.message}`),
    );
  }
});

test('when no location is a file system, then nothing is mounted', () => {
  for (const [, { Properties }] of ofType(synth(LEAST), 'AWS::Lambda::Function')) {
    assert.strictEqual(Properties.FileSystemConfigs, undefined);
  }
});

test('when notes are kept, then the page alone may write to the file system for them, whatever is transferred', () => {
  for (const props of [FILED, { ...FILED, routes: [] }]) {
    const kept = synth({ ...props, browse: { notes: true } });
    assert.deepStrictEqual([...new Set(rights('browse', kept))], WRITES);
    const { Environment, FileSystemConfigs } = handler('browse', kept).Properties;
    assert.strictEqual(Environment.Variables.TRANSLOAD_NOTES, '/mnt/transload/.transload/notes');
    assert.strictEqual((FileSystemConfigs as { LocalMountPath: string }[])[0].LocalMountPath, '/mnt/transload');
  }
  assert.strictEqual(handler('browse').Properties.Environment.Variables.TRANSLOAD_NOTES, undefined);
});
