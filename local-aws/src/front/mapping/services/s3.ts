import { GetObjectTaggingCommand } from '@aws-sdk/client-s3';
import { orNothing } from '../../authorization/moto-clients';
import { gap, Refusal } from '../../refusal';
import { isRecord, records, text, type Ask, type Context, type Mapping, type Rules } from '../ask';
import { requestTagContext, tagsIn } from '../request-tags';
import { s3Context } from './s3-context';
import { decryptionAsks, encryptionAsks } from './s3-encryption';

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
  [/^x-amz-bypass-governance-retention$/, 'BypassGovernanceRetention', /^(DeleteObject|PutObjectRetention)$/],
  [/^x-amz-grant-/, 'PutBucketAcl', /^CreateBucket$/],
  [/^x-amz-object-ownership$/, 'PutBucketOwnershipControls', /^CreateBucket$/],
];

async function asksOf(mapping: Mapping): Promise<Ask[]> {
  checkOwner(mapping);
  const { call, head } = mapping;
  const { operation, input } = call;
  const bucket = bucketArn(text(input.Bucket) ?? '');
  const more = MORE.filter(
    ([header, , operations]) =>
      operations.test(operation) && Object.keys(head.headers).some((name) => header.test(name)),
  ).map(([, action]) => action);
  const ofBucket = OF_BUCKET[operation];
  if (operation === 'CreateBucket') return createBucket(bucket, more, mapping);
  if (ofBucket !== undefined) return [...ofBucket, ...more].map((action) => s3Ask(action, bucket, mapping));
  const ofObject = OF_OBJECT[operation];
  if (ofObject === undefined) throw gap(`s3:${operation} isn't mapped.`);
  const object = `${bucket}/${text(input.Key) ?? ''}`;
  const versioned = text(input.VersionId) !== undefined;
  const actions = [
    ...ofObject.map((action) => (versioned ? (OF_VERSION[action] ?? action) : action)),
    ...more,
  ];
  const asks = [...new Set(actions)].map((action) => s3Ask(action, object, mapping));
  return [...asks, ...(await encryptionAsks(object, mapping))];
}

/** With what a bucket is made: its tags, its ACL, a lock (Amazon S3 API Reference, "CreateBucket"). */
function createBucket(bucket: string, more: readonly string[], mapping: Mapping): Ask[] {
  const { headers } = mapping.head;
  const { CreateBucketConfiguration: configuration } = mapping.call.input;
  const tags = tagsIn(isRecord(configuration) ? configuration.Tags : []);
  const tagged = Object.keys(tags).length > 0;
  const actions = [
    'CreateBucket',
    ...more,
    ...((headers['x-amz-acl'] ?? 'private') === 'private' ? [] : ['PutBucketAcl']),
    ...(headers['x-amz-bucket-object-lock-enabled'] === 'true'
      ? ['PutBucketObjectLockConfiguration', 'PutBucketVersioning']
      : []),
    ...(tagged ? ['TagResource'] : []),
  ];
  return [...new Set(actions)].map((action) => s3Ask(action, bucket, mapping, requestTagContext(tags)));
}

/**
 * A request may say whose buckets it expects.
 *
 * @throws Refusal for another's (S3 User Guide, "Verifying bucket ownership with bucket owner condition")
 */
function checkOwner({ head, call, world, account }: Mapping): void {
  const source = /^\/?([^/]+)/.exec(head.headers['x-amz-copy-source'] ?? '')?.[1] ?? '';
  for (const [header, bucket] of [
    ['x-amz-expected-bucket-owner', text(call.input.Bucket) ?? ''],
    ['x-amz-source-expected-bucket-owner', source],
  ] as const) {
    const expected = head.headers[header];
    if (expected !== undefined && expected !== (world.buckets.get(bucket)?.account ?? account))
      throw new Refusal('denied', 'Access Denied');
  }
}

const ALL_BUCKETS = 'arn:aws:s3:::*';
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
  checkOwner(mapping);
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
  const [encryption, decryption] = await Promise.all([
    encryptionAsks(target, mapping),
    decryptionAsks(source.object, source.version, mapping),
  ]);
  return [...asks, ...encryption, ...decryption];
}

/** Keys of DeleteObjects are asked for one by one, and refused one by one. */
function deleteObjects(mapping: Mapping): Ask[] {
  checkOwner(mapping);
  const bucket = bucketArn(text(mapping.call.input.Bucket) ?? '');
  const bypasses = mapping.head.headers['x-amz-bypass-governance-retention'] !== undefined;
  return objectsToDelete(mapping).flatMap(({ key, version }, part) =>
    [
      version === undefined ? 'DeleteObject' : 'DeleteObjectVersion',
      ...(bypasses ? ['BypassGovernanceRetention'] : []),
    ].map((action) => ({ ...s3Ask(action, `${bucket}/${key}`, mapping, { 's3:VersionId': version }), part })),
  );
}

export interface ObjectToDelete {
  readonly key: string;
  readonly version: string | undefined;
}

export function objectsToDelete({ call }: Mapping): ObjectToDelete[] {
  const objects = records(isRecord(call.input.Delete) ? call.input.Delete.Objects : []);
  if (objects.length === 0) throw gap('the body of DeleteObjects names no object.');
  return objects.map(({ Key: key, VersionId: version }) => ({
    key: text(key) ?? '',
    version: text(version),
  }));
}

export const s3: Rules = {
  asks: {
    ...Object.fromEntries(
      [...Object.keys(OF_BUCKET), ...Object.keys(OF_OBJECT)].map((operation) => [operation, asksOf]),
    ),
    ListBuckets: (mapping) => [s3Ask('ListAllMyBuckets', ALL_BUCKETS, mapping)],
    ListDirectoryBuckets: (mapping) => [s3Ask('ListAllMyBuckets', ALL_BUCKETS, mapping)],
    CopyObject: copy,
    UploadPartCopy: copy,
    DeleteObjects: deleteObjects,
  },
};
