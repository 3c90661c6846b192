// What cannot work is refused before anything is deployed: by the property's name, with what to write there.
import * as assert from 'node:assert';
import { test } from 'node:test';
import { LocationCredentials, LocationProps } from '../lib/location-props';
import { Problem } from '../lib/problem';
import { Transload, TransloadProps } from '../lib/transload';
import { CHINA, GLOBAL, LEAST, LIST_PRICES, dummyCode, stack } from './support';

const route = (change: object, ...more: object[]): TransloadProps => ({
  ...LEAST,
  routes: [{ ...LEAST.routes[0], ...change }, ...more.map((one) => ({ ...LEAST.routes[0], ...one }))],
});
const sync = (found: object): TransloadProps => route({ sync: found });
const place = (there: LocationProps): TransloadProps => ({ ...LEAST, locations: { ...LEAST.locations, there } });
const credentials = (found: LocationCredentials, more: LocationProps = {}): TransloadProps =>
  place({ region: 'us-east-1', ...more, credentials: found });
const any = (found: unknown): TransloadProps => found as TransloadProps;
const HERE = { location: 'here' };

/** What is wrong, the beginning of what is said, and sometimes where it was to be deployed. */
// prettier-ignore
const ROWS: readonly (readonly [TransloadProps, string, { region?: string }?])[] = [
  // Nothing, or something else.
  [any({ ...LEAST, locations: undefined }), 'locations: expected at least one place, {"global": {...}}; found none'],
  [any({ ...LEAST, locations: {} }), 'locations: expected at least one place'],
  [any({ ...LEAST, routes: undefined }), 'routes: expected the ways that objects go'],
  [any({ ...LEAST, route: [] }), 'route: expected no such field; known are locations, routes,'],
  [any({ ...LEAST, retain: 'no' }), 'retain: expected true or false, found "no"'],
  [any({ ...LEAST, routes: {} }), 'routes: expected a list of objects, found {}'],
  [{ ...LEAST, logRetentionDays: 31 }, 'logRetentionDays: expected one of 1, 3, 5, 7, 14, 30,'],
  [{ ...LEAST, resultsRetentionDays: 0 }, 'resultsRetentionDays: expected 1 to 3650, found 0'],
  [{ ...LEAST, architecture: 'arm' }, 'architecture: expected one of arm64, x86_64, found "arm"'],
  [{ ...LEAST, memory: { prat: 512 } }, 'memory.prat: expected one of head, init, part, complete, copy, abort, remove, thaw, list, batch, delete, report'],
  [{ ...LEAST, memory: { part: 64 } }, 'memory.part: expected 128 to 10240, found 64'],
  [{ ...LEAST, reservedConcurrency: { part: 0 } }, 'reservedConcurrency.part: expected 1 to 10000, found 0'],
  [{ ...LEAST, alarmEmails: ['nobody'] }, 'alarmEmails[0]: expected a mail address, found "nobody"'],
  [{ ...LEAST, code: '/nowhere' }, 'code: expected the function\'s binary /nowhere/head/bootstrap, found none; build it with ../build-lambdas'],
  [{ ...LEAST, code: dummyCode('copy') }, 'code: expected the function\'s binary'],
  [{ ...LEAST, definitions: '/nowhere' }, 'definitions: expected the definition /nowhere/object.asl.json, found none'],
  // Networks.
  [{ ...LEAST, network: { subnetIds: ['subnet-1'] } }, 'network: expected subnetIds and securityGroupIds together'],
  [{ ...LEAST, network: { subnetIds: ['subnet-1'], securityGroupIds: ['sg-1'], natGateways: 1 } }, 'network: expected cidr and natGateways only for a new network'],
  [{ ...LEAST, network: { cidr: '10.0.0.0/28' } }, 'network.cidr: expected a range of addresses of /16 to /20'],
  [{ ...LEAST, network: { natGateways: 3 } }, 'network.natGateways: expected 0 to 2, found 3'],
  // Locations.
  [any({ ...LEAST, locations: { 'a b': {} } }), 'locations: expected names of 1 to 64 letters, digits, hyphens and underscores, found "a b"'],
  [place({}), 'locations.there.buckets: expected the buckets that the functions\' roles may use'],
  [place({ buckets: [{ name: 'Upper' }] }), 'locations.there.buckets[0].name: expected a bucket name of 3 to 63 lower-case letters'],
  [place(any({ buckets: [{ nmae: 'abc' }] }) as LocationProps), 'locations.there.buckets[0].nmae: expected no such field'],
  [place(any({ buckets: [{}] }) as LocationProps), 'locations.there.buckets[0].name: expected the name of a bucket, found none'],
  [place({ buckets: [{ name: 'abc', kmsKeyArns: ['alias/mine'] }] }), 'locations.there.buckets[0].kmsKeyArns[0]: expected ARN of a KMS key'],
  [place({ partition: 'china', buckets: [] }), 'locations.there.partition: expected one of aws, aws-cn, aws-us-gov, aws-eusc, found "china"'],
  [place({ partition: 'aws-cn', region: 'eu-west-1', buckets: [] }), 'locations.there.region: expected one of partition aws-cn, found "eu-west-1"'],
  [place({ partition: 'aws', endpoint: 'https://s3.cn-north-1.amazonaws.com.cn', buckets: [] }), 'locations.there.endpoint: expected one of partition aws, found'],
  [place({ region: 'Frankfurt', buckets: [] }), 'locations.there.region: expected a Region of AWS (or an endpoint), found "Frankfurt"'],
  [place({ endpoint: 'https://minio.example.com', credentials: { secret: 's' } }), 'locations.there.region: expected the Region that requests to the endpoint are signed for, found none'],
  [place({ endpoint: 'http://minio.example.com', region: 'x' }), 'locations.there.endpoint: expected https (or "allowHttp": true beside it)'],
  [place({ endpoint: 'minio.example.com', region: 'x' }), 'locations.there.endpoint: expected a URL such as https://s3.example.com'],
  [place({ endpoint: 'https://minio.example.com', region: 'x', buckets: [] }), 'locations.there.credentials: expected where credentials are read, for https://minio.example.com is not of AWS'],
  [place({ region: 'cn-north-1', buckets: [] }), 'locations.there.credentials: expected where credentials are read, for roles end at a partition\'s border (aws-cn is not the stack\'s aws)'],
  [{ ...place({ region: 'us-east-1', buckets: [] }) }, 'locations.there.credentials: expected where credentials are read, for roles end at a partition\'s border (aws is not the stack\'s aws-cn)', CHINA],
  [place({ buckets: [], profile: 'ceph' }), 'locations.there.profile: expected one of aws, generic, oss,'],
  [place({ buckets: [], checksums: ['CRC64XZ'] }), 'locations.there.checksums: expected CRC64XZ alone, and "trailers": false'],
  [place({ buckets: [], checksums: ['MD5'] }), 'locations.there.checksums[0]: expected one of CRC64NVME, CRC32C, CRC32'],
  [place({ buckets: [], expectedBucketOwner: '1234' }), 'locations.there.expectedBucketOwner: expected an account id of 12 digits'],
  // Credentials.
  [credentials({}), 'locations.there.credentials: expected exactly one of secret, parameter, role, webIdentity, found []'],
  [credentials({ secret: 's', parameter: 'p' }), 'locations.there.credentials: expected exactly one of secret, parameter, role, webIdentity, found ["secret","parameter"]'],
  [credentials({ secret: 's', externalId: 'e' }), 'locations.there.credentials.externalId: expected role beside it'],
  [credentials({ role: 'arn:aws:iam::333333333333:role/r', kmsKeyArn: 'arn:aws:kms:eu-west-1:111111111111:key/k' }), 'locations.there.credentials.kmsKeyArn: expected secret or parameter beside it'],
  [credentials({ secret: 'a b' }), 'locations.there.credentials.secret: expected name or ARN of a secret'],
  [credentials({ secret: 'arn:aws-cn:secretsmanager:cn-north-1:111111111111:secret:s-AbCdEf' }), 'locations.there.credentials.secret: expected one of the stack\'s Region eu-west-1'],
  [credentials({ secret: 's', kmsKeyArn: 'arn:aws:kms:us-east-1:111111111111:key/k' }), 'locations.there.credentials.kmsKeyArn: expected one of the stack\'s Region eu-west-1'],
  [credentials({ role: 'arn:aws:iam::333333333333:role/r', externalId: 'a b' }), 'locations.there.credentials.externalId: expected 2 to 1224 characters without spaces'],
  [credentials({ webIdentity: { role: 'arn:aws-cn:iam::333333333333:role/r', audience: ' ' } }, { region: 'cn-north-1' }), 'locations.there.credentials.webIdentity.audience: expected 1 to 1000'],
  [credentials({ webIdentity: { role: 'arn:aws-cn:iam::333333333333:role/r', audience: 'a' } }, { region: undefined, partition: 'aws-cn' }), 'locations.there.credentials.webIdentity: expected the location\'s region beside credentials'],
  [credentials({ parameter: 'a b' }), 'locations.there.credentials.parameter: expected name of an SSM parameter'],
  [credentials({ role: 'writer' }), 'locations.there.credentials.role: expected ARN of a role, found "writer"'],
  [credentials({ role: 'arn:aws-cn:iam::333333333333:role/r' }, { region: 'cn-north-1' }), 'locations.there.credentials.role: expected a role of the stack\'s partition aws (across partitions: webIdentity, secret or parameter)'],
  [credentials({ webIdentity: { role: 'arn:aws:iam::333333333333:role/r', audience: 'a' } }, { region: 'cn-north-1' }), 'locations.there.credentials.webIdentity.role: expected a role of the location\'s partition aws-cn'],
  [credentials(any({ webIdentity: { role: 'arn:aws:iam::333333333333:role/r' } }) as LocationCredentials), 'locations.there.credentials.webIdentity: expected role and audience'],
  [credentials(any({ profile: 'default' }) as LocationCredentials), 'locations.there.credentials.profile: expected no such field; known are secret, parameter'],
  // Keys, wherever they stand.
  [credentials(any({ aws_access_key_id: 'x' }) as LocationCredentials), 'locations.there.credentials.aws_access_key_id: expected no key here'],
  [credentials({ secret: 'AKIAIOSFODNN7EXAMPLE' }), 'locations.there.credentials.secret: expected no key here'],
  [route({ options: { metadata: { note: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' } } }), 'routes[0].options.metadata.note: expected no key here'],
  [any({ ...LEAST, secretAccessKey: 'x' }), 'secretAccessKey: expected no key here'],
  // Routes.
  [route({ name: undefined }), 'routes[0].name: expected a name for metrics and alarms, found none'],
  [route({ name: 'a b' }), 'routes[0].name: expected 1 to 40 letters, digits and hyphens, the first a letter, found "a b"'],
  [route({}, { source: { ...HERE, bucket: 'into' }, destination: { ...HERE, bucket: 'from' }, events: [] }), 'routes[1].name: expected a name of its own, found "least"'],
  [route({ source: undefined }), 'routes[0].source: expected {"location": ..., "bucket": ...}, found none'],
  [route({ source: { location: 'here' } }), 'routes[0].source.bucket: expected the name of a bucket, found none'],
  [route({ source: { location: 'hree', bucket: 'from' } }), 'routes[0].source.location: expected one of locations (here), found "hree"'],
  [route({ source: { ...HERE, bucket: 'form' } }), 'routes[0].source.bucket: expected a bucket of locations.here.buckets (from, into), found "form"'],
  [
    { ...route({}), locations: { here: { buckets: [{ name: 'from', prefixes: ['a/', 'b/'] }, { name: 'into' }] } } },
    'routes[0].source.prefix: expected a prefix that begins with one of locations.here.buckets\' (a/, b/), found ""',
  ],
  [route({ source: { ...HERE, bucket: 'from', prefix: 'a/' }, destination: { ...HERE, bucket: 'into', prefix: 'b/' } }), 'routes[0].destination.prefix: expected "a/" as at the source (or none), for EventBridge and queues hand keys on as they are, found "b/"'],
  [route({ source: { ...HERE, bucket: 'from', prefix: 'a"' } }), 'routes[0].source.prefix: expected up to 512 characters but'],
  [route({ events: ['deletd'] }), 'routes[0].events[0]: expected one of created, deleted, found "deletd"'],
  [route({ events: ['deleted'], options: { overwrite: 'always' } }), 'routes[0].options.overwrite: expected ifDifferent where deletions are followed, found "always"'],
  [route({ options: { thaw: { days: 2 } } }), 'routes[0].options.thaw: expected archived thaw beside it, found "fail"'],
  [route({ options: { archived: 'thaw', thaw: { tier: 'Fast' } } }), 'routes[0].options.thaw.tier: expected one of Standard, Bulk, Expedited, found "Fast"'],
  [route({ options: { metadataFilter: {} } }), 'routes[0].options.metadataFilter: expected at least one name (no filter: all objects), found {}'],
  [route({ options: { bandwidth: 1000 } }), 'routes[0].options.bandwidth: expected 131072 to 9007199254740991, found 1000'],
  [route({ options: { window: { opens: '24:00', closes: '06:00' } } }), 'routes[0].options.window.opens: expected a time from 00:00 to 23:59, found "24:00"'],
  [route({ options: { window: { opens: '22:00' } } }), 'routes[0].options.window.closes: expected a time from 00:00 to 24:00, found none'],
  [route({ options: { window: { opens: '22:00', closes: '6:00' } } }), 'routes[0].options.window.closes: expected a time from 00:00 to 24:00, found "6:00"'],
  [route({ options: { window: { opens: '22:00', closes: '22:00' } } }), 'routes[0].options.window.closes: expected another time than opens (no window: always), found "22:00"'],
  [route({ options: { window: { opens: '22:00', closes: '24:00', utcOffset: '+15:00' } } }), 'routes[0].options.window.utcOffset: expected an offset from -12:00 to +14:00, found "+15:00"'],
  [route({ options: { window: { opens: '22:00', closes: '24:00', days: ['friday'] } } }), 'routes[0].options.window.days[0]: expected one of mon, tue, wed, thu, fri, sat, sun, found "friday"'],
  [route({ events: ['created', 'restored'] }), 'routes[0].events[1]: expected one of created, deleted, found "restored"'],
  [route({ ignore: ['from/a?'] }), 'routes.least.ignore[0]: expected no ? (EventBridge has no wildcard for a single character'],
  [route({ ignore: ['*.tmp'], source: { ...HERE, bucket: 'from', prefix: 'a/' } }), 'routes[0].ignore: expected no prefix beside it, for EventBridge compares a key either with a prefix or with what it must not be'],
  [route({ ignore: ['*.tmp'], events: [] }), 'routes[0].ignore: expected events, a schedule or sync beside it, for it filters these'],
  [route({ ignore: Array.from({ length: 300 }, (_, index) => `*.${index}`) }), 'routes.least.ignore: expected an event pattern of at most 2048 characters, found'],
  [route({ retryAttempts: 186 }), 'routes[0].retryAttempts: expected 0 to 185, found 186'],
  [route({ maxEventAgeHours: 25 }), 'routes[0].maxEventAgeHours: expected 1 to 24, found 25'],
  [
    { ...place({ region: 'cn-north-1', credentials: { secret: 's' } }), routes: [{ ...LEAST.routes[0], source: { location: 'there', bucket: 'any' } }] },
    'routes[0].events: expected [], for events of there (aws-cn) do not reach a stack in aws; deploy the stack where the source is',
  ],
  // Comparisons.
  [sync({ comparison: 'size' }), 'routes[0].sync.comparison: expected no such field; known are compare,'],
  [sync({ mode: 'plan' }), 'routes[0].sync.mode: expected no such field'],
  [sync({ compare: 'md5' }), 'routes[0].sync.compare: expected one of none, size, checksum, version, newer, found "md5"'],
  [sync({ versions: 'all' }), 'routes[0].sync.versions: expected one of off, listed, found "all"'],
  [sync({ versions: 'listed' }), 'routes[0].sync.versions: expected "versions": true at from in locations.here.buckets beside it'],
  [sync({ archived: 'melt' }), 'routes[0].sync.archived: expected one of skip, fail, thaw, found "melt"'],
  [sync({ delete: true }), 'routes[0].sync.delete: expected an object, found true'],
  [sync({ budget: {} }), 'routes[0].sync.budget: expected objects, bytes or dollars, found "none"'],
  [sync({ budget: { dollars: 0 } }), 'routes[0].sync.budget.dollars: expected 0.000001 to 1000000000, found 0'],
  [sync({ budget: { dollars: '5' } }), 'routes[0].sync.budget.dollars: expected a number, found "5"'],
  [sync({ budget: { objects: 0 } }), 'routes[0].sync.budget.objects: expected 1 to 9007199254740991, found 0'],
  [sync({ budget: { euros: 1 } }), 'routes[0].sync.budget.euros: expected no such field; known are objects'],
  [sync({ prices: {} }), 'routes[0].sync.prices: expected budget.dollars beside them, found "none"'],
  [sync({ budget: { objects: 1 }, prices: {} }), 'routes[0].sync.prices: expected budget.dollars beside them'],
  [sync({ budget: { dollars: 5 }, prices: { name: 'ours' } }), 'routes[0].sync.prices: expected a table with name, sources, dollars, regions, partitions, lambda, stepFunctions, rates, found "none of sources,'],
  [sync({ budget: { dollars: 5 }, prices: { ...LIST_PRICES, euros: 1 } }), 'routes[0].sync.prices.euros: expected no such field; known are name, sources'],
  [sync({ delete: { maxPercent: 101 } }), 'routes[0].sync.delete.maxPercent: expected 0 to 100, found 101'],
  [sync({ delete: { maxCount: -1 } }), 'routes[0].sync.delete.maxCount: expected 0 to'],
  [sync({ delete: { percent: 1 } }), 'routes[0].sync.delete.percent: expected no such field; known are maxCount'],
  [sync({ include: [''] }), 'routes[0].sync.include[0]: expected a pattern of 1 to 1088 bytes without NUL'],
  [sync({ exclude: ['a', `${'x'.repeat(1_089)}`] }), 'routes[0].sync.exclude[1]: expected a pattern of 1 to 1088 bytes'],
  [sync({ ignore: ['photos'] }), 'routes[0].sync.ignore[0]: expected a pattern of bucket/key, with a slash or a wildcard, found "photos"'],
  [sync({ ignore: ['from/a', 'From/*'] }), 'routes[0].sync.ignore[1]: expected a pattern that begins with a bucket\'s name or a wildcard, found "From/*"'],
  [route({ sync: {}, ignore: ['/a'] }), 'routes[0].ignore[0]: expected a pattern that begins with a bucket\'s name'],
  [sync({ minSize: 2, maxSize: 1 }), 'routes[0].sync.minSize: expected less than maxSize, or nothing is left'],
  [sync({ modifiedAfter: 'yesterday' }), 'routes[0].sync.modifiedAfter: expected a time in UTC such as 2026-01-31'],
  [sync({ modifiedBefore: '2026-06-31' }), 'routes[0].sync.modifiedBefore: expected a time that there is, found "2026-06-31"'],
  [sync({ modifiedAfter: '2026-01-31', modifiedBefore: '2026-01-31T00:00:00Z' }), 'routes[0].sync.modifiedAfter: expected less than modifiedBefore'],
  [sync({ storageClasses: ['STANDARD', 'standard'] }), 'routes[0].sync.storageClasses[1]: expected a name such as STANDARD_IA, found "standard"'],
  [sync({ batchObjectLimit: 0 }), 'routes[0].sync.batchObjectLimit: expected 1 to 5368709120, found 0'],
  [sync({ batchObjects: 1_001 }), 'routes[0].sync.batchObjects: expected 1 to 1000, found 1001'],
  [sync({ batchBytes: 0 }), 'routes[0].sync.batchBytes: expected 1 to'],
  [sync({ inFlight: 257 }), 'routes[0].sync.inFlight: expected 1 to 256, found 257'],
  [sync({ batchConcurrency: 0 }), 'routes[0].sync.batchConcurrency: expected 1 to 10000, found 0'],
  [sync({ largeConcurrency: 901 }), 'routes[0].sync.largeConcurrency: expected 1 to 900, found 901'],
  [sync({ listers: 65 }), 'routes[0].sync.listers: expected 1 to 64, found 65'],
  // The page.
  [any({ ...LEAST, browse: { open: true } }), 'browse.open: expected no such field; known are issuer, audience, notes'],
  [{ ...LEAST, browse: { notes: true } }, 'browse.notes: expected a location that is a file system (files) to keep them on, found none'],
  [{ ...LEAST, browse: { issuer: 'issuer.example.com', audience: ['a'] } }, 'browse.issuer: expected the URL of an issuer, https://'],
  [{ ...LEAST, browse: { issuer: 'https://issuer.example.com' } }, 'browse.audience: expected the audiences of tokens beside issuer'],
  [{ ...LEAST, browse: { audience: ['a'] } }, 'browse.issuer: expected the issuer of tokens beside audience, found none'],
  [{ ...LEAST, browse: {}, code: dummyCode('browse') }, 'code: expected the function\'s binary'],
  // Notifications.
  [route({ notifications: true, ignore: ['*.tmp'] }), 'routes[0].ignore: expected none with notifications: the bucket filters them itself'],
  [route({ notifications: true, events: [], source: { ...HERE, bucket: 'from', prefix: 'a/' }, destination: { ...HERE, bucket: 'into', prefix: 'b/' } }), 'routes[0].destination.prefix: expected "a/" as at the source (or none), for EventBridge and queues hand keys on as they are'],
  [route({ notifications: true, source: { ...HERE, bucket: 'from', prefix: '{% 1 %}' } }), 'routes[0].source.prefix: expected another beginning than {%'],
  [{ ...LEAST, locations: { here: { ...LEAST.locations.here, region: 'us-east-1' } }, routes: [{ ...LEAST.routes[0], notifications: true }] }, 'routes[0].notifications: expected a bucket of the stack\'s Region (eu-west-1), for S3 sends to no queue of another one; found location here (us-east-1)'],
  [{ ...LEAST, locations: { ...LEAST.locations, minio: { endpoint: 'https://minio.example.com', region: 'eu-west-1', credentials: { secret: 's' } } }, routes: [{ ...LEAST.routes[0], source: { location: 'minio', bucket: 'from' }, notifications: true, events: [] }] }, 'routes[0].notifications: expected a bucket of the stack\'s Region (eu-west-1), for S3 sends to no queue of another one; found location minio (not of AWS)'],
  [{ ...LEAST, locations: { ...LEAST.locations, there: { credentials: { role: 'arn:aws:iam::333333333333:role/reader' } } }, routes: [{ ...LEAST.routes[0], source: { location: 'there', bucket: 'from' }, notifications: true, events: [] }] }, 'locations.there.expectedBucketOwner: expected the account that owns from'],
  [route({ events: [], notifications: true }, { name: 'back', source: { ...HERE, bucket: 'into' }, destination: { ...HERE, bucket: 'from' }, events: [], notifications: true }), 'routes[0]: expected no way back to its own source, found least -> back -> least'],
  [route({ manifests: true }), 'routes[0].manifests: expected sync or a schedule beside it'],
  [route({ schedule: 'hourly' }), 'routes[0].schedule: expected rate(1 hour), rate(15 minutes), or cron(...) with six fields in UTC, found "hourly"'],
  [route({ schedule: 'rate(1 hours)' }), 'routes[0].schedule: expected rate(1 hour)'],
  [route({ schedule: 'rate(0 minutes)' }), 'routes[0].schedule: expected rate(1 hour)'],
  [route({ schedule: 'cron(0 * * * *)' }), 'routes[0].schedule: expected rate(1 hour)'],
  [route({ schedule: 'rate(1 hour)', sync: { include: Array.from({ length: 600 }, (_, index) => `folder-${index}/**`) } }), 'routes.least.sync: expected an input of at most 8192 characters'],
  [
    route({ events: [], sync: {}, source: { ...HERE, bucket: 'from' }, destination: { ...HERE, bucket: 'from', prefix: 'copy/' } }),
    'routes[0].destination: expected a prefix apart from the source\'s in the same bucket, found "copy/"',
  ],
  // Circles.
  [
    route({}, { name: 'back', source: { ...HERE, bucket: 'into' }, destination: { ...HERE, bucket: 'from' }, events: [], schedule: 'rate(1 hour)', sync: { compare: 'newer' } }),
    'routes[0]: expected no way back to its own source, found least -> back -> least',
  ],
  [route({ destination: { ...HERE, bucket: 'from' } }), 'routes[0]: expected no way back to its own source, found least -> least: every object would be copied for ever'],
  [route({}, { name: 'back', source: { ...HERE, bucket: 'into', prefix: 'a/' }, destination: { ...HERE, bucket: 'from' } }), 'routes[0]: expected no way back to its own source, found least -> back -> least'],
  // Options.
  [route({ options: { parts: 3 } }), 'routes[0].options.parts: expected no such field; known are partSize,'],
  [route({ options: { maxConcurrency: 0 } }), 'routes[0].options.maxConcurrency: expected 1 to 10000, found 0'],
  [route({ options: { partSize: 5.5 } }), 'routes[0].options.partSize: expected a whole number, found 5.5'],
  [route({ options: { overwrite: 'sometimes' } }), 'routes[0].options.overwrite: expected one of ifDifferent, always, never'],
  [route({ options: { storageClass: 'OUTPOSTS' } }), 'routes[0].options.storageClass: expected one of STANDARD,'],
  [route({ options: { tags: { a: 1 } } }), 'routes[0].options.tags: expected an object of names and texts'],
  [route({ options: { metadata: { a: '<b>' } } }), 'routes[0].options: expected no < and >'],
  [route({ options: { encryption: {} } }), 'routes[0].options.encryption.type: expected AES256 or aws:kms, found none'],
  [route({ options: { encryption: { type: 'AES256', keyId: 'k' } } }), 'routes[0].options.encryption.keyId: expected type aws:kms beside keyId'],
  [route({ options: { encryption: { type: 'aws:kms', keyId: 'alias/k' } } }), 'routes[0].options.encryption.keyId: expected ARN of a KMS key'],
  [route({ options: { encryption: { type: 'aws:kms', keyId: 'arn:aws:kms:eu-west-1:111111111111:key/k' } } }), 'routes[0].options.encryption.keyId: expected a key that locations.here.buckets lists as kmsKeyArns of into'],
  // Together too much.
  [
    { ...LEAST, locations: { ...LEAST.locations, ...Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`there-${index}`, { region: 'us-east-1', credentials: { secret: 's' } }])) } },
    'locations: expected at most 3800 characters in all',
  ],
];

for (const [index, [props, expected, env = GLOBAL]] of ROWS.entries()) {
  test(`refused (${index}): ${expected.slice(0, 90)}`, () => {
    assert.throws(
      () => stack(props, env),
      (error) => {
        assert.ok(error instanceof Problem, `${error}`);
        assert.strictEqual(error.message.slice(0, expected.length), expected);
        assert.doesNotMatch(error.message, /AKIA|wJalr/, 'no key is repeated');
        return true;
      },
    );
  });
}

test('what is refused would be taken without the fault', () => {
  const times = { modifiedAfter: '2024-02-29', modifiedBefore: '2026-01-31T12:00:00.5Z' };
  assert.doesNotThrow(() => stack(sync({ ignore: ['*.tmp', 'from/x', 'fr?m/*'], include: ['**.jpg'], ...times })));
  const back = { name: 'back', source: { ...HERE, bucket: 'into' }, destination: { ...HERE, bucket: 'from' } };
  for (const compare of [undefined, 'size', 'checksum']) {
    assert.doesNotThrow(() => stack(route({}, { ...back, events: [], schedule: 'rate(1 hour)', sync: { compare } })));
  }
  const apart = {
    source: { ...HERE, bucket: 'from', prefix: 'a/' },
    destination: { ...HERE, bucket: 'from', prefix: 'b/' },
  };
  assert.doesNotThrow(() => stack(route({ ...apart, events: [], sync: {}, ignore: ['from/a/x?'] })));
  for (const schedule of ['rate(1 hour)', 'rate(15 minutes)', 'rate(10 days)', 'cron(15 10 ? * MON-FRI *)']) {
    assert.doesNotThrow(() => stack(route({ schedule })));
  }
  assert.doesNotThrow(() => stack(LEAST));
  assert.doesNotThrow(() => stack(place({ region: 'us-east-1', buckets: [{ name: 'abc', prefixes: ['a/'] }] })));
  assert.doesNotThrow(() => stack(credentials({ secret: 's' })));
  assert.doesNotThrow(() =>
    stack(
      route(
        {},
        {
          name: 'on',
          source: { ...HERE, bucket: 'into', prefix: 'a/' },
          destination: { ...HERE, bucket: 'from' },
          events: [],
        },
      ),
    ),
  );
});

test('a second one in the same stack is refused', () => {
  const made = stack(LEAST);
  assert.throws(
    () => new Transload(made, 'Second', LEAST),
    /^Problem: transload\/Second: expected one Transload in a stack .*, found transload\/Transload$/,
  );
});
