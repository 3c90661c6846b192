// What each function may do, as data: which action, on what, for which call of its code, and when. Constructs build the
// policies from this table and from nothing else; the tests compare the template with it.

/** The functions that move one object. */
export const OBJECT_FUNCTIONS = ['head', 'init', 'part', 'complete', 'copy', 'abort', 'remove', 'thaw'] as const;

/** The functions that make one tree of keys like another. */
export const BUCKET_FUNCTIONS = ['list', 'batch', 'delete', 'report'] as const;

/** Those that every deployment has. */
export const FUNCTIONS = [...OBJECT_FUNCTIONS, ...BUCKET_FUNCTIONS] as const;

/** The functions for archives, which a deployment has if it is asked for any. */
export const ARCHIVE_FUNCTIONS = ['pack', 'unpack'] as const;

/** All of them. */
export const ALL_FUNCTIONS = [...FUNCTIONS, ...ARCHIVE_FUNCTIONS] as const;

/** Name of a function. */
export type FunctionName = (typeof ALL_FUNCTIONS)[number];

/** An end of a route. */
export type Side = 'source' | 'destination';

/** What has to be so for a grant to be needed: all of those listed. */
export type Need =
  /** The bucket keeps versions: then calls name the one that Head pinned, or that a write answered. */
  | 'versions'
  /** The source's tags are read. */
  | 'readsTags'
  /** Tags are written. */
  | 'writesTags'
  /** The ETag is kept, so the parts of the source have to be known. */
  | 'keepsEtag'
  /** A comparison lists versions of the source, and reads what it listed. */
  | 'listsVersions'
  /** A comparison lists the source's objects without their versions. */
  | 'listsKeys'
  /** A comparison looks at single objects: by checksum, by version, or because a manifest names them. */
  | 'looks'
  /** Deletions of the source are followed. */
  | 'deletes';

/** One right of a function at one end of a route. */
export interface Grant {
  /** The action of the policy. */
  readonly action: string;
  /**
   * The keys below the route's prefix, the bucket (only for names below that prefix), the bucket for its open uploads (for
   * which S3 knows no condition on the prefix), the bucket's encryption keys, or what people hand in: frozen plans and
   * manifests.
   */
  readonly on: 'objects' | 'bucket' | 'uploads' | 'keys' | 'handed';
  /** The calls of the function's code that need it. */
  readonly calls: readonly string[];
  /** Without it: always. */
  readonly when?: readonly Need[];
  /** Why. */
  readonly reason: string;
}

const MISSING =
  "what is not there is answered 403 without it, and 404 has another meaning: see the function's failures";
const READ_BACK = 'reads back what it wrote: token, size and checksum';
const BY_VERSION = 'the same, of the version that was pinned or written';

const decrypt = (...calls: string[]): Grant => ({
  action: 'kms:Decrypt',
  on: 'keys',
  calls,
  reason: "S3 asks for it in the caller's name where the bucket's key is of KMS",
});
const encrypt = (...calls: string[]): readonly Grant[] => [
  { action: 'kms:GenerateDataKey', on: 'keys', calls, reason: 'writing under a key of KMS' },
  {
    action: 'kms:Decrypt',
    on: 'keys',
    calls,
    reason: 'a multipart upload under a key of KMS needs it beside GenerateDataKey',
  },
];
const missing = (...calls: string[]): Grant => ({ action: 's3:ListBucket', on: 'bucket', calls, reason: MISSING });
const read = (reason: string, ...calls: string[]): readonly Grant[] => [
  { action: 's3:GetObject', on: 'objects', calls, reason },
  { action: 's3:GetObjectVersion', on: 'objects', calls, when: ['versions'], reason: BY_VERSION },
];
const write = (reason: string, ...calls: string[]): readonly Grant[] => [
  { action: 's3:PutObject', on: 'objects', calls, reason },
  ...encrypt(...calls),
];
const writeTags = (...calls: string[]): Grant => ({
  action: 's3:PutObjectTagging',
  on: 'objects',
  calls,
  when: ['writesTags'],
  reason: 'tags travel in a header of the write',
});
const tagging = { on: 'objects', calls: ['GetObjectTagging'] } as const;
const readTags: readonly Grant[] = [
  { action: 's3:GetObjectTagging', ...tagging, when: ['readsTags'], reason: 'tags are copied' },
  { action: 's3:GetObjectVersionTagging', ...tagging, when: ['readsTags', 'versions'], reason: BY_VERSION },
];
const listParts: Grant = {
  action: 's3:ListMultipartUploadParts',
  on: 'objects',
  calls: ['ListParts'],
  reason: 'what is there is known from the destination alone',
};

const list = (reason: string, ...calls: string[]): Grant => ({ action: 's3:ListBucket', on: 'bucket', calls, reason });

/** A function's rights at both ends, and in the bucket of the workflow's own. */
export interface FunctionGrants extends Readonly<Record<Side, readonly Grant[]>> {
  /** Below the prefix of lists, results and reports; without it: none. */
  readonly work?: readonly Grant[];
}

/** The whole table. An end without grants is one that the function does not open at all. */
export const GRANTS: Readonly<Record<FunctionName, FunctionGrants>> = {
  head: {
    source: [
      ...read("the source's facts; one byte where HEAD does not say why it is refused", 'HeadObject', 'GetObject'),
      missing('HeadObject'),
      ...readTags,
      {
        action: 's3:GetObjectAttributes',
        on: 'objects',
        calls: ['GetObjectAttributes'],
        when: ['keepsEtag'],
        reason: 'where the source was cut',
      },
      {
        action: 's3:GetObjectVersionAttributes',
        on: 'objects',
        calls: ['GetObjectAttributes'],
        when: ['keepsEtag', 'versions'],
        reason: BY_VERSION,
      },
      decrypt('HeadObject', 'GetObject', 'GetObjectAttributes'),
    ],
    destination: [
      // Whatever is newest there: never by version.
      {
        action: 's3:GetObject',
        on: 'objects',
        calls: ['HeadObject'],
        reason: 'whether the destination holds this version already',
      },
      missing('HeadObject'),
      decrypt('HeadObject'),
    ],
  },
  init: {
    source: [],
    destination: [
      ...write('makes the upload; leaves a token in one that is parked', 'CreateMultipartUpload', 'UploadPart'),
      writeTags('CreateMultipartUpload'),
      listParts,
      decrypt('ListParts'),
      {
        action: 's3:ListBucketMultipartUploads',
        on: 'uploads',
        calls: ['ListMultipartUploads'],
        reason: 'finds what an execution with the same input has parked',
      },
      {
        action: 's3:AbortMultipartUpload',
        on: 'objects',
        calls: ['AbortMultipartUpload'],
        reason: 'releases what was parked and can not be gone on with',
      },
    ],
  },
  part: {
    source: [...read('the bytes', 'GetObject'), decrypt('GetObject')],
    // A worker that is tried again looks first what the one before it left.
    destination: [...write('sends a part', 'UploadPart'), listParts, decrypt('ListParts')],
  },
  complete: {
    source: [],
    destination: [
      ...write('joins the parts', 'CompleteMultipartUpload'),
      listParts,
      decrypt('ListParts'),
      ...read(
        `${READ_BACK}; S3 asks for it where a write is conditional on an ETag`,
        'HeadObject',
        'CompleteMultipartUpload',
      ),
      missing('HeadObject'),
      decrypt('HeadObject'),
    ],
  },
  copy: {
    source: [...read('the bytes', 'GetObject'), decrypt('GetObject')],
    destination: [
      ...write('sends the object', 'PutObject'),
      writeTags('PutObject'),
      ...read(`${READ_BACK}; S3 asks for it where a write is conditional on an ETag`, 'HeadObject', 'PutObject'),
      missing('HeadObject'),
      decrypt('HeadObject'),
    ],
  },
  abort: {
    source: [],
    destination: [
      {
        action: 's3:AbortMultipartUpload',
        on: 'objects',
        calls: ['AbortMultipartUpload'],
        reason: 'releases the upload',
      },
      listParts,
      decrypt('ListParts'),
      // Not by version, and 403 and 404 mean the same to it: nothing of this transfer stands there.
      {
        action: 's3:GetObject',
        on: 'objects',
        calls: ['HeadObject'],
        reason: 'whether the upload was completed after all',
      },
      decrypt('HeadObject'),
    ],
  },
  // The look after a write that replaced something; it deletes only for routes that follow deletions.
  remove: {
    source: [
      { action: 's3:GetObject', on: 'objects', calls: ['HeadObject'], reason: 'whether the source is what was copied' },
      {
        ...list(
          'whether the source is gone: HEAD does not tell a missing key from a missing bucket',
          'ListObjectsV2',
          'HeadObject',
        ),
        when: ['deletes'],
      },
      decrypt('HeadObject'),
    ],
    destination: [
      {
        action: 's3:GetObject',
        on: 'objects',
        calls: ['HeadObject', 'DeleteObject'],
        reason: 'what stands there, and from which source; S3 asks for it where a deletion is conditional on an ETag',
      },
      { ...missing('HeadObject'), when: ['deletes'] },
      {
        action: 's3:DeleteObject',
        on: 'objects',
        calls: ['DeleteObject'],
        when: ['deletes'],
        reason: 'deletes the copy of what is gone',
      },
      decrypt('HeadObject'),
    ],
  },
  // Only for routes that thaw.
  thaw: {
    source: [
      ...read('whether the source can be read by now', 'HeadObject'),
      missing('HeadObject'),
      { action: 's3:RestoreObject', on: 'objects', calls: ['RestoreObject'], reason: 'asks the source back' },
      decrypt('HeadObject'),
    ],
    destination: [],
  },
  list: {
    source: [
      { ...list('compares both sides', 'ListObjectsV2'), when: ['listsKeys'] },
      { ...missing('HeadObject'), when: ['looks'] },
      {
        action: 's3:ListBucketVersions',
        on: 'bucket',
        calls: ['ListObjectVersions'],
        when: ['listsVersions'],
        reason: 'lists each object with its version',
      },
      {
        action: 's3:GetObject',
        on: 'objects',
        calls: ['HeadObject'],
        when: ['looks'],
        reason: 'what a list does not tell: checksum and version',
      },
      {
        action: 's3:GetObjectVersion',
        on: 'objects',
        calls: ['HeadObject'],
        when: ['looks', 'listsVersions'],
        reason: 'the same, of the version that was listed',
      },
      { ...decrypt('HeadObject'), when: ['looks'] },
    ],
    destination: [
      list('compares both sides', 'ListObjectsV2'),
      {
        action: 's3:GetObject',
        on: 'objects',
        calls: ['HeadObject'],
        when: ['looks'],
        reason: 'from which version of the source it was made, and its checksum',
      },
      { ...decrypt('HeadObject'), when: ['looks'] },
    ],
    work: [
      { action: 's3:PutObject', on: 'objects', calls: ['PutObject'], reason: 'writes the lists of work' },
      list('finds the lists of a call that failed', 'ListObjectsV2'),
      { action: 's3:DeleteObject', on: 'objects', calls: ['DeleteObject'], reason: 'deletes them' },
      {
        action: 's3:GetObject',
        on: 'handed',
        calls: ['HeadObject', 'GetObject'],
        reason: 'executes a frozen plan, or sees to what a manifest names',
      },
    ],
  },
  batch: {
    source: [
      {
        action: 's3:GetObject',
        on: 'objects',
        calls: ['GetObject', 'HeadObject'],
        reason: 'the bytes; facts of an object that changed since it was listed',
      },
      {
        action: 's3:GetObjectVersion',
        on: 'objects',
        calls: ['GetObject', 'HeadObject'],
        when: ['listsVersions'],
        reason: 'the same, of the version that was listed',
      },
      missing('GetObject', 'HeadObject'),
      ...readTags,
      decrypt('GetObject', 'HeadObject'),
    ],
    destination: [
      ...write('sends the object', 'PutObject'),
      writeTags('PutObject'),
      // Never by version: where an answer was lost, nothing names it.
      {
        action: 's3:GetObject',
        on: 'objects',
        calls: ['HeadObject', 'PutObject'],
        reason:
          'what stands there, where a list is old or an answer was lost; S3 asks for it where a write is conditional on an ETag',
      },
      missing('HeadObject'),
      decrypt('HeadObject'),
    ],
  },
  delete: {
    source: [list('looks once more whether the object is there', 'ListObjectsV2')],
    destination: [
      { action: 's3:DeleteObject', on: 'objects', calls: ['DeleteObject'], reason: 'deletes' },
      {
        action: 's3:GetObject',
        on: 'objects',
        calls: ['DeleteObject', 'HeadObject'],
        reason: 'S3 asks for it where a deletion is conditional on an ETag',
      },
    ],
  },
  pack: {
    source: [
      list('finds what is packed', 'ListObjectsV2'),
      {
        action: 's3:GetObject',
        on: 'objects',
        calls: ['GetObject', 'HeadObject'],
        reason: 'the bytes; facts of an object that changed since it was listed',
      },
      missing('GetObject', 'HeadObject'),
      decrypt('GetObject', 'HeadObject'),
    ],
    destination: [
      ...write('makes the upload, and sends its parts', 'CreateMultipartUpload', 'UploadPart'),
      writeTags('CreateMultipartUpload'),
      { action: 's3:GetObject', on: 'objects', calls: ['HeadObject'], reason: 'what stands there already' },
      missing('HeadObject'),
      decrypt('HeadObject'),
    ],
  },
  unpack: {
    source: [
      ...read("the archive's facts and its bytes", 'HeadObject', 'GetObject'),
      missing('HeadObject', 'GetObject'),
      decrypt('HeadObject', 'GetObject'),
    ],
    destination: [
      ...write(
        'writes files, large ones in parts',
        'PutObject',
        'CreateMultipartUpload',
        'UploadPart',
        'CompleteMultipartUpload',
      ),
      writeTags('PutObject', 'CreateMultipartUpload'),
      listParts,
      decrypt('ListParts'),
      ...read(
        `${READ_BACK}, and what stands there already; S3 asks for it where a write is conditional on an ETag`,
        'HeadObject',
        'PutObject',
        'CompleteMultipartUpload',
      ),
      missing('HeadObject'),
      decrypt('HeadObject'),
    ],
  },
  report: {
    source: [],
    destination: [],
    work: [
      {
        action: 's3:GetObject',
        on: 'objects',
        calls: ['HeadObject', 'GetObject'],
        reason: 'reads the results of the maps, and after a redrive the lists of work',
      },
      list('finds the results, and what was skipped', 'ListObjectsV2'),
      {
        action: 's3:PutObject',
        on: 'objects',
        calls: ['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'],
        reason: 'writes the report; after a redrive the lists of what failed',
      },
      {
        action: 's3:AbortMultipartUpload',
        on: 'objects',
        calls: ['AbortMultipartUpload'],
        reason: 'gives up a file that can not be written to its end',
      },
    ],
  },
};

/** The grants that hold under these circumstances, each action once. */
export function grantsFor(name: FunctionName, side: Side, needs: readonly Need[], on: Grant['on']): string[] {
  const holds = (grant: Grant): boolean => grant.on === on && (grant.when ?? []).every((need) => needs.includes(need));
  return actionsOf(GRANTS[name][side].filter(holds));
}

/** The grants in the bucket of the workflow's own, each action once. */
export function workGrants(name: FunctionName, on: Grant['on']): string[] {
  return actionsOf((GRANTS[name].work ?? []).filter((grant) => grant.on === on));
}

function actionsOf(grants: readonly Grant[]): string[] {
  return [...new Set(grants.map((grant) => grant.action))].sort();
}

/** Whether a function opens an end at all. */
export function opens(name: FunctionName, side: Side): boolean {
  return GRANTS[name][side].length > 0;
}

/** Whether a function changes an end: that is more than reading for a place which tells the two apart. */
export function writes(name: FunctionName, side: Side): boolean {
  return GRANTS[name][side].some(({ action }) => /^s3:(Put|Delete|Abort)/.test(action));
}
