// What the tests share: a configuration that uses everything, templates of it, and statements taken apart.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { App } from 'aws-cdk-lib';
import { ALL_FUNCTIONS } from '../lib/grants';
import { TransloadProps } from '../lib/transload';
import { TransloadStack } from '../lib/transload-stack';

// CDK's own check of templates takes longer than all tests together: `npm run validate` has it made, as every deployment does.
process.env.CDK_VALIDATION = 'false';

/** The folder of package.json; tests run from build/test. */
export const PACKAGE = path.resolve(__dirname, '..', '..');

/** The table of prices that `transload plan` has. */
export const LIST_PRICES = JSON.parse(
  fs.readFileSync(path.join(PACKAGE, '..', 'functions', 'plan', 'src', 'cost', 'prices.json'), 'utf8'),
) as { [field: string]: any };

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly Properties: any;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** A template. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

/** A permission, taken apart. */
export interface Permission {
  readonly effect: string;
  readonly action: string;
  readonly resource: string;
  readonly condition: string;
}

/** A permission in words, with its effect. */
export function words({ effect, action, resource, condition }: Permission): string {
  return `${effect} ${action} on ${resource}${condition === '' ? '' : ` if ${condition}`}`;
}

/** A folder with binaries that nobody runs. */
export function dummyCode(without?: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'transload-code-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  for (const name of [...ALL_FUNCTIONS, 'browse'].filter((one) => one !== without)) {
    fs.mkdirSync(path.join(folder, name));
    fs.writeFileSync(path.join(folder, name, 'bootstrap'), `not a binary: ${name}`);
  }
  return folder;
}

export const CODE = dummyCode();

export const GLOBAL = { account: '111111111111', region: 'eu-west-1' };
export const CHINA = { account: '222222222222', region: 'cn-north-1' };

const key = (id: string, region = 'eu-west-1'): string => `arn:aws:kms:${region}:111111111111:key/${id}`;

/** Both ends in this account, with everything that asks for rights: versions, tags, ETags, keys, a comparison that deletes. */
export const OWN: TransloadProps = {
  code: CODE,
  locations: {
    here: {
      buckets: [
        { name: 'from', versions: true, kmsKeyArns: [key('from')] },
        { name: 'into', versions: true, kmsKeyArns: [key('into')] },
      ],
    },
  },
  routes: [
    {
      name: 'own',
      source: { location: 'here', bucket: 'from', prefix: 'a/' },
      destination: { location: 'here', bucket: 'into' },
      events: ['created', 'deleted'],
      options: { preserveEtag: true, archived: 'thaw' },
      schedule: 'rate(1 hour)',
      sync: { compare: 'checksum', versions: 'listed', delete: {} },
    },
  ],
};

/** The least that can be asked for. */
export const LEAST: TransloadProps = {
  code: CODE,
  locations: { here: { buckets: [{ name: 'from' }, { name: 'into' }] } },
  routes: [
    {
      name: 'least',
      source: { location: 'here', bucket: 'from' },
      destination: { location: 'here', bucket: 'into' },
      options: { copyTags: false },
    },
  ],
};

/** One route for each way to get at credentials, an ignore list, a schedule, a route without events. */
export const MANY: TransloadProps = {
  code: CODE,
  alarmEmails: ['somebody@example.com'],
  locations: {
    here: { buckets: [{ name: 'from' }, { name: 'other', prefixes: ['logs/', 'data/'] }] },
    secret: { region: 'cn-north-1', credentials: { secret: 'transload/china', kmsKeyArn: key('secret') } },
    parameter: {
      region: 'cn-northwest-1',
      credentials: { parameter: '/transload/china', kmsKeyArn: key('parameter') },
    },
    role: { region: 'us-east-1', credentials: { role: 'arn:aws:iam::333333333333:role/writer', externalId: 'ours' } },
    token: {
      region: 'cn-north-1',
      credentials: { webIdentity: { role: 'arn:aws-cn:iam::444444444444:role/writer', audience: 'transload' } },
    },
    minio: {
      endpoint: 'https://minio.example.com',
      region: 'us-east-1',
      pathStyle: true,
      profile: 'generic',
      etagMd5: true,
      credentials: { secret: 'arn:aws:secretsmanager:eu-west-1:111111111111:secret:minio-AbCdEf' },
    },
  },
  routes: [
    {
      name: 'secret',
      source: { location: 'here', bucket: 'from' },
      destination: { location: 'secret', bucket: 'cn-1' },
      ignore: ['*.tmp', 'from/drafts/*', '*/readme.md', 'elsewhere/*'],
    },
    {
      name: 'parameter',
      source: { location: 'here', bucket: 'other', prefix: 'data/' },
      destination: { location: 'parameter', bucket: 'cn-2' },
      options: { overwrite: 'never', storageClass: 'GLACIER_IR' },
      schedule: 'cron(0 * * * ? *)',
      sync: { compare: 'newer', include: ['**.jpg'], ignore: ['other/data/drafts/*'], delete: { maxCount: 5 } },
    },
    {
      name: 'role',
      source: { location: 'here', bucket: 'from' },
      destination: { location: 'role', bucket: 'us-1' },
      maxEventAgeHours: 2,
      retryAttempts: 3,
    },
    { name: 'token', source: { location: 'here', bucket: 'from' }, destination: { location: 'token', bucket: 'cn-3' } },
    {
      name: 'by-hand',
      source: { location: 'minio', bucket: 'lake', prefix: 'logs/' },
      destination: { location: 'here', bucket: 'other' },
      events: [],
      sync: {},
    },
  ],
  network: {},
};

/** A route that only a queue starts, with a prefix and options. */
export const TOLD: TransloadProps = {
  ...LEAST,
  routes: [
    {
      ...LEAST.routes[0],
      name: 'told',
      source: { location: 'here', bucket: 'from', prefix: 'a/' },
      events: [],
      notifications: true,
    },
  ],
};

/** A page for whoever signs with IAM. */
export const SHOWN: TransloadProps = { ...OWN, browse: {} };

/** A new file system, written to by events of a bucket and compared with another one; and the page. */
export const FILED: TransloadProps = {
  code: CODE,
  locations: { here: { buckets: [{ name: 'from' }, { name: 'into' }] }, efs: { files: {} } },
  routes: [
    { name: 'in', source: { location: 'here', bucket: 'from' }, destination: { location: 'efs', bucket: 'files' } },
    {
      name: 'out',
      source: { location: 'efs', bucket: 'files', prefix: 'models/' },
      destination: { location: 'here', bucket: 'into' },
      events: [],
      schedule: 'rate(1 day)',
    },
  ],
  network: {},
  browse: {},
};

/** An existing file system whose burst credits are looked at. */
export const PACED: TransloadProps = {
  ...FILED,
  locations: {
    ...FILED.locations,
    efs: {
      files: {
        accessPointArn: 'arn:aws:elasticfilesystem:eu-west-1:111111111111:access-point/fsap-0123456789abcdef0',
        fileSystemArn: 'arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/fs-0123456789abcdef0',
        lowCredits: 100_000_000_000,
      },
    },
  },
  network: { subnetIds: ['subnet-1'], securityGroupIds: ['sg-1'] },
};

/** URLs into a bucket of no route, with signatures that are kept in secrets and parameters. */
export const LINKED: TransloadProps = {
  ...LEAST,
  locations: { here: { buckets: [{ name: 'from' }, { name: 'into' }, { name: 'links', kmsKeyArns: [key('links')] }] } },
  https: {
    destinations: [{ location: 'here', bucket: 'links', prefix: 'in/' }],
    privateHosts: ['files.internal'],
    secrets: ['transload/one', 'transload/urls/*', 'arn:aws:secretsmanager:eu-west-1:111111111111:secret:two-AbCdEf'],
    parameters: ['/transload/urls/*'],
    kmsKeyArns: [key('urls')],
  },
};

/** A file system and a prefix that are packed, one of them at times, and one that may be unpacked again. */
export const PACKED: TransloadProps = {
  code: CODE,
  locations: {
    here: {
      buckets: [
        { name: 'from', kmsKeyArns: [key('from')] },
        { name: 'backups', kmsKeyArns: [key('backups')] },
      ],
    },
    efs: { files: {} },
  },
  routes: [],
  archives: [
    {
      name: 'models',
      source: { location: 'efs', bucket: 'files', prefix: 'models/' },
      destination: { location: 'here', bucket: 'backups', key: 'models/EFSbackup-{date}.tar.gz' },
      schedule: 'cron(0 3 * * ? *)',
      options: { storageClass: 'GLACIER_IR', partSize: 33554432 },
      level: 9,
      restore: true,
    },
    {
      name: 'logs',
      source: { location: 'here', bucket: 'from', prefix: 'logs/' },
      destination: { location: 'here', bucket: 'backups', key: 'logs.tar.zst' },
      exclude: ['**.tmp'],
    },
  ],
  network: {},
};

/** As the app runs: with the flags of cdk.json. */
export function app(): App {
  const { context } = JSON.parse(fs.readFileSync(path.join(PACKAGE, 'cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  return new App({ context });
}

export function stack(transload: TransloadProps, env: { account?: string; region?: string } = GLOBAL): TransloadStack {
  return new TransloadStack(app(), 'transload', { env, transload });
}

const templates: Map<string, Template> = new Map();

/** The template; each made once, for tests only read it. */
export function synth(transload: TransloadProps, env: { account?: string; region?: string } = GLOBAL): Template {
  const key = JSON.stringify([transload, env]);
  const template = templates.get(key) ?? fresh(transload, env);
  templates.set(key, template);
  return template;
}

function fresh(transload: TransloadProps, env: { account?: string; region?: string }): Template {
  const made = stack(transload, env);
  const assembly = (made.node.root as App).synth();
  return assembly.getStackByName('transload').template as Template;
}

/** Resources of a type, by logical id. */
export function ofType(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
}

/** The one resource of a type whose logical id begins so. */
export function one(template: Template, type: string, id: string): Resource {
  const found = ofType(template, type).filter(([name]) => name.startsWith(id));
  if (found.length !== 1) {
    throw new Error(`expected one ${type} ${id}..., found ${found.map(([name]) => name).join(', ') || 'none'}`);
  }
  return found[0][1];
}

/** A value with references, in a line: `arn:${AWS::Partition}:s3:::from/*`. */
export function flat(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  const node = value as Record<string, unknown>;
  if (Array.isArray(node['Fn::Join'])) {
    const [delimiter, items] = node['Fn::Join'] as [string, unknown[]];
    return items.map(flat).join(delimiter);
  }
  if (Array.isArray(node['Fn::GetAtt'])) {
    return `\${${(node['Fn::GetAtt'] as string[]).join('.')}}`;
  }
  return typeof node.Ref === 'string' ? `\${${node.Ref}}` : JSON.stringify(value);
}

/** All values of a condition in a line each. */
function deep(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(deep);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const keys = Object.keys(value);
  return keys.length === 1 && /^(Ref|Fn::\w+)$/.test(keys[0])
    ? flat(value)
    : Object.fromEntries(Object.entries(value).map(([name, one]) => [name, deep(one)]));
}

/** Without the eight characters that CDK adds. */
export function short(text: string): string {
  return text.replace(/\b(Transload\w*?)[0-9A-F]{8}\b/g, '$1');
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** What the policies of a role say: `Transload<Construct>Role...`. */
export function permissions(template: Template, role: string): Permission[] {
  const policies = ofType(template, 'AWS::IAM::Policy').filter(([, { Properties }]) =>
    (Properties.Roles as { Ref: string }[]).some(({ Ref }) => short(Ref) === role),
  );
  return policies.flatMap(([, { Properties }]) => statements(Properties.PolicyDocument));
}

export function statements(document: { Statement: Record<string, unknown>[] }): Permission[] {
  return document.Statement.flatMap((statement) =>
    list(statement.Action).flatMap((action) =>
      list(statement.Resource).map((resource) => ({
        effect: statement.Effect as string,
        action: action as string,
        resource: short(flat(resource)),
        condition: statement.Condition === undefined ? '' : short(JSON.stringify(deep(statement.Condition))),
      })),
    ),
  );
}

/** The role of a function. */
export function functionRole(name: string): string {
  return `Transload${name[0].toUpperCase()}${name.slice(1)}Role`;
}
