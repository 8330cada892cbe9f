import { GetBucketEncryptionCommand, GetObjectTaggingCommand } from '@aws-sdk/client-s3';
import { orNothing } from '../../authorization/world';
import { gap } from '../../refusal';
import { text, type Ask, type Context, type Mapping, type Rules } from '../ask';
import { throughService } from './kms-through';

/** What is asked for the bucket itself (Amazon S3 API Reference, each operation's "Permissions"). */
const OF_BUCKET: Readonly<Record<string, readonly string[]>> = {
  CreateBucket: ['CreateBucket'],
  DeleteBucket: ['DeleteBucket'],
  DeleteBucketAnalyticsConfiguration: ['PutAnalyticsConfiguration'],
  DeleteBucketCors: ['PutBucketCORS'],
  DeleteBucketEncryption: ['PutEncryptionConfiguration'],
  DeleteBucketIntelligentTieringConfiguration: ['PutIntelligentTieringConfiguration'],
  DeleteBucketInventoryConfiguration: ['PutInventoryConfiguration'],
  DeleteBucketLifecycle: ['PutLifecycleConfiguration'],
  DeleteBucketMetricsConfiguration: ['PutMetricsConfiguration'],
  DeleteBucketOwnershipControls: ['PutBucketOwnershipControls'],
  DeleteBucketPolicy: ['DeleteBucketPolicy'],
  DeleteBucketReplication: ['PutReplicationConfiguration'],
  DeleteBucketTagging: ['PutBucketTagging'],
  DeleteBucketWebsite: ['DeleteBucketWebsite'],
  DeletePublicAccessBlock: ['PutBucketPublicAccessBlock'],
  GetBucketAbac: ['GetBucketAbac'],
  GetBucketAccelerateConfiguration: ['GetAccelerateConfiguration'],
  GetBucketAcl: ['GetBucketAcl'],
  GetBucketAnalyticsConfiguration: ['GetAnalyticsConfiguration'],
  GetBucketCors: ['GetBucketCORS'],
  GetBucketEncryption: ['GetEncryptionConfiguration'],
  GetBucketIntelligentTieringConfiguration: ['GetIntelligentTieringConfiguration'],
  GetBucketInventoryConfiguration: ['GetInventoryConfiguration'],
  GetBucketLifecycleConfiguration: ['GetLifecycleConfiguration'],
  GetBucketLocation: ['GetBucketLocation'],
  GetBucketLogging: ['GetBucketLogging'],
  GetBucketMetricsConfiguration: ['GetMetricsConfiguration'],
  GetBucketNotificationConfiguration: ['GetBucketNotification'],
  GetBucketOwnershipControls: ['GetBucketOwnershipControls'],
  GetBucketPolicy: ['GetBucketPolicy'],
  GetBucketPolicyStatus: ['GetBucketPolicyStatus'],
  GetBucketReplication: ['GetReplicationConfiguration'],
  GetBucketRequestPayment: ['GetBucketRequestPayment'],
  GetBucketTagging: ['GetBucketTagging'],
  GetBucketVersioning: ['GetBucketVersioning'],
  GetBucketWebsite: ['GetBucketWebsite'],
  GetObjectLockConfiguration: ['GetBucketObjectLockConfiguration'],
  GetPublicAccessBlock: ['GetBucketPublicAccessBlock'],
  HeadBucket: ['ListBucket'],
  ListBucketAnalyticsConfigurations: ['GetAnalyticsConfiguration'],
  ListBucketIntelligentTieringConfigurations: ['GetIntelligentTieringConfiguration'],
  ListBucketInventoryConfigurations: ['GetInventoryConfiguration'],
  ListBucketMetricsConfigurations: ['GetMetricsConfiguration'],
  ListMultipartUploads: ['ListBucketMultipartUploads'],
  ListObjectVersions: ['ListBucketVersions'],
  ListObjects: ['ListBucket'],
  ListObjectsV2: ['ListBucket'],
  PutBucketAbac: ['PutBucketAbac'],
  PutBucketAccelerateConfiguration: ['PutAccelerateConfiguration'],
  PutBucketAcl: ['PutBucketAcl'],
  PutBucketAnalyticsConfiguration: ['PutAnalyticsConfiguration'],
  PutBucketCors: ['PutBucketCORS'],
  PutBucketEncryption: ['PutEncryptionConfiguration'],
  PutBucketIntelligentTieringConfiguration: ['PutIntelligentTieringConfiguration'],
  PutBucketInventoryConfiguration: ['PutInventoryConfiguration'],
  PutBucketLifecycleConfiguration: ['PutLifecycleConfiguration'],
  PutBucketLogging: ['PutBucketLogging'],
  PutBucketMetricsConfiguration: ['PutMetricsConfiguration'],
  PutBucketNotificationConfiguration: ['PutBucketNotification'],
  PutBucketOwnershipControls: ['PutBucketOwnershipControls'],
  PutBucketPolicy: ['PutBucketPolicy'],
  PutBucketReplication: ['PutReplicationConfiguration'],
  PutBucketRequestPayment: ['PutBucketRequestPayment'],
  PutBucketTagging: ['PutBucketTagging'],
  PutBucketVersioning: ['PutBucketVersioning'],
  PutBucketWebsite: ['PutBucketWebsite'],
  PutObjectLockConfiguration: ['PutBucketObjectLockConfiguration'],
  PutPublicAccessBlock: ['PutBucketPublicAccessBlock'],
};

/** What is asked for an object. */
const OF_OBJECT: Readonly<Record<string, readonly string[]>> = {
  AbortMultipartUpload: ['AbortMultipartUpload'],
  CompleteMultipartUpload: ['PutObject'],
  CreateMultipartUpload: ['PutObject'],
  DeleteObject: ['DeleteObject'],
  DeleteObjectTagging: ['DeleteObjectTagging'],
  GetObject: ['GetObject'],
  GetObjectAcl: ['GetObjectAcl'],
  GetObjectAttributes: ['GetObject', 'GetObjectAttributes'],
  GetObjectLegalHold: ['GetObjectLegalHold'],
  GetObjectRetention: ['GetObjectRetention'],
  GetObjectTagging: ['GetObjectTagging'],
  HeadObject: ['GetObject'],
  ListParts: ['ListMultipartUploadParts'],
  PutObject: ['PutObject'],
  PutObjectAcl: ['PutObjectAcl'],
  PutObjectLegalHold: ['PutObjectLegalHold'],
  PutObjectRetention: ['PutObjectRetention'],
  PutObjectTagging: ['PutObjectTagging'],
  RestoreObject: ['RestoreObject'],
  SelectObjectContent: ['GetObject'],
  UploadPart: ['PutObject'],
};

/** Actions that have a twin for a version that the request names. */
const OF_VERSION: Readonly<Record<string, string>> = {
  DeleteObject: 'DeleteObjectVersion',
  DeleteObjectTagging: 'DeleteObjectVersionTagging',
  GetObject: 'GetObjectVersion',
  GetObjectAcl: 'GetObjectVersionAcl',
  GetObjectAttributes: 'GetObjectVersionAttributes',
  GetObjectTagging: 'GetObjectVersionTagging',
  PutObjectAcl: 'PutObjectVersionAcl',
  PutObjectTagging: 'PutObjectVersionTagging',
};

/** Headers by which a request does more than it is called for. */
const MORE: readonly (readonly [header: RegExp, action: string, operations: RegExp])[] = [
  [/^x-amz-(acl|grant-.*)$/, 'PutObjectAcl', /^(PutObject|CopyObject|CreateMultipartUpload)$/],
  [/^x-amz-tagging$/, 'PutObjectTagging', /^(PutObject|CopyObject|CreateMultipartUpload)$/],
  [
    /^x-amz-object-lock-(mode|retain-until-date)$/,
    'PutObjectRetention',
    /^(PutObject|CopyObject|CreateMultipartUpload)$/,
  ],
  [/^x-amz-object-lock-legal-hold$/, 'PutObjectLegalHold', /^(PutObject|CopyObject|CreateMultipartUpload)$/],
  [
    /^x-amz-bypass-governance-retention$/,
    'BypassGovernanceRetention',
    /^(DeleteObject|DeleteObjects|PutObjectRetention)$/,
  ],
  [/^x-amz-(acl|grant-.*)$/, 'PutBucketAcl', /^CreateBucket$/],
  [/^x-amz-object-ownership$/, 'PutBucketOwnershipControls', /^CreateBucket$/],
];

function asksOf(mapping: Mapping): Ask[] | Promise<Ask[]> {
  const { call, head } = mapping;
  const { operation, input } = call;
  const bucket = bucketArn(text(input.Bucket) ?? '');
  const more = MORE.filter(
    ([header, , operations]) =>
      operations.test(operation) && Object.keys(head.headers).some((name) => header.test(name)),
  ).map(([, action]) => action);
  const ofBucket = OF_BUCKET[operation];
  if (ofBucket !== undefined) {
    const lock = operation === 'CreateBucket' && head.headers['x-amz-bucket-object-lock-enabled'] === 'true';
    const actions = [
      ...ofBucket,
      ...more,
      ...(lock ? ['PutBucketObjectLockConfiguration', 'PutBucketVersioning'] : []),
    ];
    return actions.map((action) => s3Ask(action, bucket, mapping));
  }
  const ofObject = OF_OBJECT[operation];
  if (ofObject === undefined) throw gap(`s3:${operation} isn't mapped.`);
  const object = `${bucket}/${text(input.Key) ?? ''}`;
  const versioned = text(input.VersionId) !== undefined;
  const actions = [
    ...ofObject.map((action) => (versioned ? (OF_VERSION[action] ?? action) : action)),
    ...more,
  ];
  const asks = [...new Set(actions)].map((action) => s3Ask(action, object, mapping));
  return WRITES.has(operation) ? withKey(asks, object, mapping) : asks;
}

const bucketArn = (bucket: string) => `arn:aws:s3:::${bucket}`;

export function s3Ask(action: string, resource: string, mapping: Mapping, more: Context = {}): Ask {
  const bucket = resource.replace('arn:aws:s3:::', '').split('/')[0] ?? '';
  return {
    action: `s3:${action}`,
    resource,
    account: mapping.world.buckets.get(bucket)?.account ?? mapping.account,
    context: { ...s3Context(mapping), ...more },
    // Tags of a bucket count only where attribute-based access control is on for it, which moto doesn't have.
    tags: () => Promise.resolve(undefined),
    objectTags: () => objectTags(mapping, resource, text(mapping.call.input.VersionId)),
  };
}

/** Headers that are condition keys of the same name (Service Authorization Reference, "Amazon S3"). */
const HEADER_KEYS = [
  'x-amz-acl',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
  'x-amz-metadata-directive',
  'x-amz-object-ownership',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
] as const;

function s3Context(mapping: Mapping): Context {
  const { call, head, body } = mapping;
  const { input } = call;
  const presigned = head.query.some(([name]) => name === 'X-Amz-Signature');
  const signed = presigned || head.headers.authorization !== undefined;
  const tags = new URLSearchParams(head.headers['x-amz-tagging'] ?? '');
  const bucket = mapping.world.buckets.get(text(input.Bucket) ?? '');
  return {
    ...Object.fromEntries(HEADER_KEYS.map((name) => [`s3:${name}`, head.headers[name]])),
    ...Object.fromEntries([...tags].map(([key, value]) => [`s3:RequestObjectTag/${key}`, value])),
    's3:RequestObjectTagKeys': tags.size > 0 ? [...tags.keys()] : undefined,
    's3:authType': signed ? (presigned ? 'REST-QUERY-STRING' : 'REST-HEADER') : undefined,
    's3:signatureversion': signed ? 'AWS4-HMAC-SHA256' : undefined,
    's3:signatureAge': presigned ? String(signatureAge(head.query)) : undefined,
    's3:TlsVersion': head.secure ? '1.3' : undefined,
    's3:ResourceAccount': bucket?.account ?? mapping.account,
    's3:prefix': text(input.Prefix) ?? emptyText(input.Prefix),
    's3:delimiter': text(input.Delimiter) ?? emptyText(input.Delimiter),
    's3:max-keys': text(input.MaxKeys),
    's3:VersionId': text(input.VersionId),
    's3:LocationConstraint': /<LocationConstraint>([^<]+)</.exec(body.toString('utf8'))?.[1],
    's3:if-match': head.headers['if-match'],
    's3:if-none-match': head.headers['if-none-match'],
    's3:object-lock-mode': head.headers['x-amz-object-lock-mode'],
    's3:object-lock-retain-until-date': head.headers['x-amz-object-lock-retain-until-date'],
    's3:object-lock-legal-hold': head.headers['x-amz-object-lock-legal-hold'],
    's3:ObjectCreationOperation': CREATES.has(call.operation) ? call.operation : undefined,
    's3:AccessGrantsInstanceArn': undefined,
    's3:AccessPointNetworkOrigin': undefined,
    's3:AccessPointTag': undefined,
    's3:DataAccessPointAccount': undefined,
    's3:DataAccessPointArn': undefined,
  };
}

const CREATES = new Set(['PutObject', 'CopyObject', 'CreateMultipartUpload', 'CompleteMultipartUpload']);

/** An empty prefix is one; a missing one isn't. */
const emptyText = (value: unknown) => (value === '' ? '' : undefined);

function signatureAge(query: readonly (readonly [string, string])[]): number {
  const date = new Map(query).get('X-Amz-Date') ?? '';
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  return Math.max(0, Date.now() - at);
}

/** Tags of an object that is there. */
async function objectTags(
  { call, world, account }: Mapping,
  resource: string,
  version?: string,
): Promise<Readonly<Record<string, string>>> {
  const [, bucket, key] = /^arn:aws:s3:::([^/]+)\/(.+)$/s.exec(resource) ?? [];
  if (bucket === undefined || key === undefined) return {};
  const place = { account: world.buckets.get(bucket)?.account ?? account, region: call.region };
  const command = new GetObjectTaggingCommand({ Bucket: bucket, Key: key, VersionId: version });
  const answer = await orNothing(world.client('s3', place).send(command));
  return Object.fromEntries(
    (answer?.TagSet ?? []).map(({ Key: name = '', Value: value = '' }) => [name, value]),
  );
}

/** Operations that write an object, which KMS may have to encrypt. */
const WRITES = new Set(['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload']);

/**
 * Encrypting with a key of the account's own needs leave for the key as well (S3 User Guide, "Using server-side
 * encryption with AWS KMS keys"). AWS's own key, aws/s3, is open to all of the account by way of S3.
 */
async function withKey(asks: Ask[], object: string, mapping: Mapping): Promise<Ask[]> {
  const key = await encryptionKey(mapping);
  if (key === undefined) return asks;
  const multipart = mapping.call.operation !== 'PutObject';
  const actions = multipart ? ['GenerateDataKey', 'Decrypt'] : ['GenerateDataKey'];
  return [...asks, ...(await throughService(mapping, 's3', key, actions, { 'aws:s3:arn': object }))];
}

/** The key that an object will be encrypted with: the request's, or the bucket's. */
async function encryptionKey(mapping: Mapping): Promise<string | undefined> {
  const { head } = mapping;
  const asked = head.headers['x-amz-server-side-encryption'];
  if (asked !== undefined && !asked.startsWith('aws:kms')) return undefined;
  const own = head.headers['x-amz-server-side-encryption-aws-kms-key-id'];
  return own ?? (await bucketKey(text(mapping.call.input.Bucket) ?? '', mapping));
}

async function bucketKey(name: string, { world, account, call }: Mapping): Promise<string | undefined> {
  const place = { account: world.buckets.get(name)?.account ?? account, region: call.region };
  const answer = await world.kept.read(`s3-encryption:${name}`, name, () =>
    orNothing(world.client('s3', place).send(new GetBucketEncryptionCommand({ Bucket: name }))),
  );
  const byDefault = answer?.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
  return byDefault?.SSEAlgorithm?.startsWith('aws:kms') === true ? byDefault.KMSMasterKeyID : undefined;
}

/** `bucket/key` of x-amz-copy-source, with the version that it may name. */
function copySource(header: string): { object: string; version: string | undefined } {
  const [path = '', query = ''] = header.split('?');
  const decoded = decodeURIComponent(path).replace(/^\//, '');
  if (decoded.startsWith('arn:')) throw gap('an access point as the source of a copy.');
  return {
    object: `arn:aws:s3:::${decoded}`,
    version: new URLSearchParams(query).get('versionId') ?? undefined,
  };
}

async function copy(mapping: Mapping): Promise<Ask[]> {
  const { call, head } = mapping;
  const source = copySource(head.headers['x-amz-copy-source'] ?? '');
  const target = `${bucketArn(text(call.input.Bucket) ?? '')}/${text(call.input.Key) ?? ''}`;
  const tagging = call.operation === 'CopyObject' && head.headers['x-amz-tagging-directive'] !== 'REPLACE';
  const more = MORE.filter(
    ([header, , operations]) =>
      operations.test('CopyObject') &&
      call.operation === 'CopyObject' &&
      Object.keys(head.headers).some((name) => header.test(name)),
  ).map(([, action]) => action);
  const version = { 's3:VersionId': source.version };
  const asks = [
    s3Ask(source.version === undefined ? 'GetObject' : 'GetObjectVersion', source.object, mapping, version),
    ...['PutObject', ...more].map((action) => s3Ask(action, target, mapping)),
  ];
  // Copied tags must be read and written; where there are none, S3 asks for nothing.
  if (tagging && Object.keys(await objectTags(mapping, source.object, source.version)).length > 0)
    asks.push(
      s3Ask(
        source.version === undefined ? 'GetObjectTagging' : 'GetObjectVersionTagging',
        source.object,
        mapping,
        version,
      ),
      s3Ask('PutObjectTagging', target, mapping),
    );
  return withKey(asks, target, mapping);
}

/** Keys of DeleteObjects are asked for one by one, and refused one by one: see answers/delete-objects.ts. */
function deleteObjects(mapping: Mapping): Ask[] {
  const bucket = bucketArn(text(mapping.call.input.Bucket) ?? '');
  return objectsToDelete(mapping.body).map(({ key, version }) =>
    s3Ask(version === undefined ? 'DeleteObject' : 'DeleteObjectVersion', `${bucket}/${key}`, mapping, {
      's3:VersionId': version,
    }),
  );
}

export interface ObjectToDelete {
  readonly key: string;
  readonly version: string | undefined;
  /** The element itself. */
  readonly xml: string;
}

/** @throws Refusal when the body isn't what S3 takes */
export function objectsToDelete(body: Buffer): ObjectToDelete[] {
  const elements = [...body.toString('utf8').matchAll(/<Object>(.*?)<\/Object>/gs)];
  if (elements.length === 0) throw gap('the body of DeleteObjects names no object.');
  return elements.map(([xml, content = '']) => {
    const [, key] = /<Key>(.*?)<\/Key>/s.exec(content) ?? [];
    if (key === undefined) throw gap('an object in the body of DeleteObjects has no key.');
    const [, version] = /<VersionId>(.*?)<\/VersionId>/s.exec(content) ?? [];
    return { key: unescapeXml(key), version: version && unescapeXml(version), xml };
  });
}

const ENTITIES: Readonly<Partial<Record<string, string>>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
};

function unescapeXml(xml: string): string {
  return xml.replaceAll(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return ENTITIES[name ?? ''] ?? whole;
    },
  );
}

export const s3: Rules = {
  asks: {
    ...Object.fromEntries(
      [...Object.keys(OF_BUCKET), ...Object.keys(OF_OBJECT)].map((operation) => [operation, asksOf]),
    ),
    ListBuckets: (mapping) => [s3Ask('ListAllMyBuckets', '*', mapping)],
    ListDirectoryBuckets: (mapping) => [s3Ask('ListAllMyBuckets', '*', mapping)],
    CopyObject: copy,
    UploadPartCopy: copy,
    DeleteObjects: deleteObjects,
  },
};
