import { GetBucketEncryptionCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { orNothing, type Place } from '../../authorization/moto-clients';
import type { ObjectKey } from '../../authorization/world';
import { text, type Ask, type Mapping } from '../ask';
import { throughService } from './kms-through';

/** AWS's own, for whoever names none. */
const DEFAULT_KEY = 'alias/aws/s3';
/** S3 User Guide, "Uploading and copying objects using multipart upload", "Multipart upload API and permissions". */
const NEEDS: Readonly<Partial<Record<string, readonly string[]>>> = {
  CompleteMultipartUpload: ['Decrypt'],
  CopyObject: ['GenerateDataKey'],
  CreateMultipartUpload: ['GenerateDataKey'],
  PutObject: ['GenerateDataKey'],
  UploadPart: ['Decrypt'],
  UploadPartCopy: ['Decrypt'],
};

/**
 * What an object that is written needs of KMS (S3 User Guide, "Using server-side encryption with AWS KMS keys").
 *
 * @param object its ARN
 */
export async function encryptionAsks(object: string, mapping: Mapping): Promise<Ask[]> {
  const { operation, input } = mapping.call;
  const actions = NEEDS[operation];
  if (actions === undefined) return [];
  const upload = text(input.UploadId);
  const key = upload === undefined ? await requestedKey(mapping) : mapping.world.uploadKeys.get(upload);
  return key === undefined ? [] : keyAsks(key, object, actions, mapping);
}

/** What an object that is read needs of KMS, where it is encrypted with one of its keys. */
export async function decryptionAsks(
  object: string,
  version: string | undefined,
  mapping: Mapping,
): Promise<Ask[]> {
  const { world } = mapping;
  const [, bucket = '', key = ''] = /^arn:aws:s3:::([^/]+)\/(.+)$/s.exec(object) ?? [];
  const found = await orNothing(
    world
      .client('s3', placeOf(bucket, mapping))
      .send(new HeadObjectCommand({ Bucket: bucket, Key: key, VersionId: version })),
  );
  if (found?.ServerSideEncryption?.startsWith('aws:kms') !== true) return [];
  return keyAsks(
    { key: found.SSEKMSKeyId ?? managedKeyOf(bucket, mapping), bucketKey: found.BucketKeyEnabled === true },
    object,
    ['Decrypt'],
    mapping,
  );
}

/** AWS's own key in the account of a bucket: what is encrypted with it is for that account alone. */
export function managedKeyOf(bucket: string, mapping: Mapping): string {
  const { account, region } = placeOf(bucket, mapping);
  return `arn:aws:kms:${region}:${account}:${DEFAULT_KEY}`;
}

export function keyAsks(
  { key, bucketKey }: ObjectKey,
  object: string,
  actions: readonly string[],
  mapping: Mapping,
): Promise<Ask[]> {
  const [bucket = object] = object.split('/');
  return throughService(mapping, 's3', key, actions, { 'aws:s3:arn': bucketKey ? bucket : object });
}

/** The key that a request's object will be encrypted with: the request's, or the bucket's. */
export async function requestedKey(mapping: Mapping): Promise<ObjectKey | undefined> {
  const { headers } = mapping.head;
  const asked = headers['x-amz-server-side-encryption'];
  const enabled = headers['x-amz-server-side-encryption-bucket-key-enabled'];
  const own = headers['x-amz-server-side-encryption-aws-kms-key-id'];
  if (asked !== undefined && !asked.startsWith('aws:kms')) return undefined;
  const ofBucket = await bucketEncryption(text(mapping.call.input.Bucket) ?? '', mapping);
  const bucketKey = enabled === undefined ? (ofBucket?.bucketKey ?? false) : enabled === 'true';
  const key = own ?? ofBucket?.key ?? (asked === undefined ? undefined : DEFAULT_KEY);
  return key === undefined ? undefined : { key, bucketKey };
}

/** `s3:x-amz-server-side-encryption-aws-kms-key-id`: the header, or else the bucket's key. */
export async function encryptionKeyArn(mapping: Mapping): Promise<string | undefined> {
  const { world, account, call, head } = mapping;
  const own = head.headers['x-amz-server-side-encryption-aws-kms-key-id'];
  if (own !== undefined || NEEDS[call.operation] === undefined) return own;
  const found = await requestedKey(mapping);
  return found && (await world.key({ account, region: call.region }, found.key))?.arn;
}

async function bucketEncryption(name: string, mapping: Mapping): Promise<ObjectKey | undefined> {
  const { world } = mapping;
  const answer = await world.kept.read([`s3-encryption:${name}`], name, () =>
    orNothing(
      world.client('s3', placeOf(name, mapping)).send(new GetBucketEncryptionCommand({ Bucket: name })),
    ),
  );
  const [rule] = answer?.ServerSideEncryptionConfiguration?.Rules ?? [];
  const { SSEAlgorithm: algorithm, KMSMasterKeyID: key = DEFAULT_KEY } =
    rule?.ApplyServerSideEncryptionByDefault ?? {};
  return algorithm?.startsWith('aws:kms') === true
    ? { key, bucketKey: rule?.BucketKeyEnabled === true }
    : undefined;
}

const placeOf = (bucket: string, { world, account, call }: Mapping): Place => ({
  account: world.buckets.get(bucket)?.account ?? account,
  region: call.region,
});
