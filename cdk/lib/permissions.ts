// From the table of grants to statements: what a function may do at the ends of the routes, and nothing beside.
import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { acknowledgeResource } from './acknowledge';
import { FileSystem } from './file-system';
import { FunctionName, Need, Side, grantsFor, opens, workGrants, writes } from './grants';
import { HANDED_PREFIXES, ResultsBucket, WORK_PREFIX } from './results-bucket';
import { Transfer, TransferEnd } from './transfer';

/** An end of a transfer that a function opens. */
interface Opened {
  readonly transfer: Transfer;
  readonly side: Side;
}

const SIDES = ['source', 'destination'] as const;

/** Gives a function's role what it needs for these transfers. */
export function grantTransfers(
  role: iam.Role,
  name: FunctionName,
  transfers: Transfer[],
  files: FileSystem | undefined,
): void {
  for (const { transfer, side } of openedBy(name, transfers)) {
    grantEnd(role, name, side, transfer, files);
  }
  denyWithoutTls(role);
}

/** The functions that see to a transfer from a URL: what has no versions is not looked at again, and nothing there thaws. */
const OF_URLS: readonly FunctionName[] = ['head', 'init', 'part', 'complete', 'copy', 'abort'];

/** Gives a function's role what it needs to write there what a URL gives, which has no tags. */
export function grantUrls(
  role: iam.Role,
  name: FunctionName,
  destinations: TransferEnd[],
  files: FileSystem | undefined,
): void {
  if (!OF_URLS.includes(name)) {
    return;
  }
  for (const end of destinations) {
    const transfer = { name: 'https', source: end, destination: end, options: { copyTags: false } };
    grantEnd(role, name, 'destination', transfer, files);
  }
}

/** Gives a role what it needs to show the trees at the ends of these transfers. */
export function grantListing(role: iam.Role, transfers: Transfer[], files: FileSystem | undefined): void {
  for (const end of transfers.flatMap(({ source, destination }) => [source, destination])) {
    if (end.location.isFiles) {
      files?._grant(role, false);
    } else if (end.location.usesOwnRole) {
      allow(role, ['s3:ListBucket'], [bucketArn(role, end)], below(end));
    } else {
      grantCredentials(role, end);
    }
  }
  denyWithoutTls(role);
}

/** Whether a function, or the page, has to do with the file system. */
export function mounts(
  name: FunctionName | 'browse',
  transfers: Transfer[],
  urlDestinations: TransferEnd[] = [],
): boolean {
  if (name !== 'browse' && OF_URLS.includes(name) && urlDestinations.some((end) => end.location.isFiles)) {
    return true;
  }
  const all = transfers.flatMap((transfer) => SIDES.map((side) => ({ transfer, side })));
  const opened = name === 'browse' ? all : openedBy(name, transfers);
  return opened.some(({ transfer, side }) => transfer[side].location.isFiles);
}

function openedBy(name: FunctionName, transfers: Transfer[]): Opened[] {
  const sides = SIDES.filter((side) => opens(name, side));
  return transfers
    .filter((transfer) => serves(name, transfer))
    .flatMap((transfer) => sides.map((side) => ({ transfer, side })));
}

/** Gives a function's role what it needs in the bucket of the workflow's own. */
export function grantWork(role: iam.Role, name: FunctionName, bucket: ResultsBucket): void {
  const objects = bucket.objectsArn(WORK_PREFIX);
  allow(role, workGrants(name, 'objects'), [objects]);
  allow(role, workGrants(name, 'bucket'), [bucket.bucket.bucketArn], {
    StringLike: { 's3:prefix': `${WORK_PREFIX}*` },
  });
  acknowledgeResource(role, objects, 'Lists, results and reports of runs, whose names are given when they start.');
  grantHanded(role, workGrants(name, 'handed'), bucket);
}

function grantHanded(role: iam.Role, actions: string[], bucket: ResultsBucket): void {
  if (actions.length === 0) {
    return;
  }
  const handed = HANDED_PREFIXES.map((prefix) => bucket.objectsArn(prefix));
  allow(role, actions, handed);
  for (const resource of handed) {
    acknowledgeResource(role, resource, 'Plans and manifests that people hand in, each under a name of its own.');
  }
}

/** What the machines for archives call: what is packed is joined as every upload is, and what is given up is released. */
const FOR_ARCHIVES: { readonly [archive: string]: readonly FunctionName[] } = {
  pack: ['pack', 'complete', 'abort'],
  unpack: ['unpack', 'abort'],
};

/** Only routes that are compared need the functions for that, and only those that delete by comparison the one for it. */
function serves(name: FunctionName, transfer: Transfer): boolean {
  if (transfer.archive !== undefined) {
    return FOR_ARCHIVES[transfer.archive].includes(name);
  }
  switch (name) {
    case 'pack':
    case 'unpack':
      return false;
    case 'list':
    case 'batch':
      return transfer.sync !== undefined;
    case 'delete':
      return transfer.sync?.delete !== undefined;
    case 'thaw':
      return transfer.options?.archived === 'thaw' || transfer.sync?.archived === 'thaw';
    default:
      return true;
  }
}

function grantEnd(
  role: iam.Role,
  name: FunctionName,
  side: Side,
  transfer: Transfer,
  files: FileSystem | undefined,
): void {
  const end = transfer[side];
  if (end.location.isFiles) {
    files?._grant(role, writes(name, side));
    return;
  }
  if (!end.location.usesOwnRole) {
    // What may be done at the other account, partition or store is written there.
    grantCredentials(role, end);
    return;
  }
  const needs = needsOf(side, transfer);
  const prefix = end.prefix ?? '';
  const objects = `${bucketArn(role, end)}/${literal(prefix)}*`;
  allow(role, grantsFor(name, side, needs, 'objects'), [objects]);
  acknowledgeResource(
    role,
    objects,
    `The keys of a route: ${side} ${end.location.locationName}:s3://${end.bucket.name}/${prefix}. Which of them comes next is not known before.`,
  );
  allow(role, grantsFor(name, side, needs, 'bucket'), [bucketArn(role, end)], below(end));
  allow(role, grantsFor(name, side, needs, 'uploads'), [bucketArn(role, end)]);
  allow(role, grantsFor(name, side, needs, 'keys'), end.bucket.kmsKeyArns ?? [], viaS3(role, end));
}

function allow(role: iam.Role, actions: string[], resources: string[], conditions?: Record<string, unknown>): void {
  if (actions.length > 0 && resources.length > 0) {
    role.addToPolicy(new iam.PolicyStatement({ actions, resources, conditions }));
  }
}

function grantCredentials(role: iam.Role, end: TransferEnd): void {
  for (const statement of end.location._credentialStatements()) {
    role.addToPolicy(statement);
  }
  if (end.location.props.credentials?.webIdentity !== undefined) {
    acknowledgeResource(
      role,
      '*',
      'sts:GetWebIdentityToken knows no resources; the condition holds it to one audience. X-Ray knows none either.',
    );
  }
}

/** What is so at this end. */
function needsOf(side: Side, transfer: Transfer): Need[] {
  const { options = {}, sync, manifests } = transfer;
  const copies = options.tags === undefined && options.copyTags !== false;
  const all: readonly (readonly [boolean, Need])[] = [
    [transfer[side].bucket.versions === true, 'versions'],
    [side === 'source' && copies, 'readsTags'],
    [side === 'source' && options.preserveEtag === true, 'keepsEtag'],
    [side === 'destination' && (copies || Object.keys(options.tags ?? {}).length > 0), 'writesTags'],
    [options.delete === true, 'deletes'],
    [side === 'source' && sync?.versions === 'listed', 'listsVersions'],
    [side === 'source' && sync !== undefined && sync.versions !== 'listed', 'listsKeys'],
    [
      sync?.compare === 'checksum' ||
        sync?.compare === 'version' ||
        manifests === true ||
        (side === 'source' && sync !== undefined && options.metadataFilter !== undefined),
      'looks',
    ],
  ];
  return all.filter(([holds]) => holds).map(([, need]) => need);
}

/** Only names below the prefix, if there is one. */
function below({ prefix = '' }: TransferEnd): Record<string, unknown> | undefined {
  return prefix === '' ? undefined : { StringLike: { 's3:prefix': `${literal(prefix)}*` } };
}

function bucketArn(role: iam.Role, end: TransferEnd): string {
  return Stack.of(role).formatArn({
    service: 's3',
    region: '',
    account: '',
    resource: end.bucket.name,
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
  });
}

/** Keys only through S3, in the Region of the bucket. */
function viaS3(role: iam.Role, end: TransferEnd): Record<string, unknown> {
  const stack = Stack.of(role);
  return { StringEquals: { 'kms:ViaService': `s3.${end.location.props.region ?? stack.region}.${stack.urlSuffix}` } };
}

/** A prefix that stands for itself in a policy, where * and ? are wildcards and $ begins a variable. */
function literal(prefix: string): string {
  return prefix.replace(/[*?$]/g, (char) => `\${${char}}`);
}

/** Keys and metadata are nobody's business on the way. */
function denyWithoutTls(role: iam.Role): void {
  role.addToPolicy(
    new iam.PolicyStatement({
      effect: iam.Effect.DENY,
      actions: ['s3:*'],
      resources: ['*'],
      conditions: { Bool: { 'aws:SecureTransport': 'false' } },
    }),
  );
}
