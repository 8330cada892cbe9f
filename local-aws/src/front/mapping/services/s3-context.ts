import { isRecord, records, shown, text, type Context, type Mapping } from '../ask';
import { tagsIn } from '../request-tags';
import { encryptionKeyArn } from './s3-encryption';

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
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
] as const;

/** What a list holds at the most when the request doesn't say (Amazon S3 API Reference, "ListObjectsV2"). */
const MOST_KEYS = 1000;
const DAY_MS = 86_400_000;

/** Condition keys of S3 that a request fills. */
export function s3Context(mapping: Mapping): Context {
  const { call, head, world } = mapping;
  const { input, operation } = call;
  const presigned = head.query.some(([name]) => name === 'X-Amz-Signature');
  const signed = presigned || head.headers.authorization !== undefined;
  const bucket = world.buckets.get(text(input.Bucket) ?? '');
  const configuration = isRecord(input.CreateBucketConfiguration) ? input.CreateBucketConfiguration : {};
  return {
    ...Object.fromEntries(HEADER_KEYS.map((name) => [`s3:${name}`, head.headers[name]])),
    ...objectTagContext(mapping),
    ...lockContext(mapping),
    's3:x-amz-server-side-encryption-aws-kms-key-id': () => encryptionKeyArn(mapping),
    's3:authType': signed ? (presigned ? 'REST-QUERY-STRING' : 'REST-HEADER') : undefined,
    's3:signatureversion': signed ? 'AWS4-HMAC-SHA256' : undefined,
    's3:signatureAge': presigned ? String(signatureAge(head.query)) : undefined,
    's3:TlsVersion': head.secure ? '1.3' : undefined,
    's3:ResourceAccount': bucket?.account ?? mapping.account,
    's3:prefix': text(input.Prefix) ?? emptyText(input.Prefix),
    's3:delimiter': text(input.Delimiter) ?? emptyText(input.Delimiter),
    's3:max-keys': operation.startsWith('ListObject')
      ? (text(input.MaxKeys) ?? String(MOST_KEYS))
      : undefined,
    's3:VersionId': text(input.VersionId),
    's3:LocationConstraint': text(configuration.LocationConstraint),
    's3:if-match': head.headers['if-match'],
    's3:if-none-match': head.headers['if-none-match'],
    's3:ObjectCreationOperation': createsObject(operation),
    's3:AccessGrantsInstanceArn': undefined,
    's3:AccessPointNetworkOrigin': undefined,
    's3:AccessPointTag': undefined,
    's3:DataAccessPointAccount': undefined,
    's3:DataAccessPointArn': undefined,
  };
}

/** Whether a request for s3:PutObject leaves an object behind, and not just a part of one. */
function createsObject(operation: string): string | undefined {
  if (['PutObject', 'CopyObject', 'CompleteMultipartUpload'].includes(operation)) return 'true';
  return ['CreateMultipartUpload', 'UploadPart', 'UploadPartCopy'].includes(operation) ? 'false' : undefined;
}

/** Tags for an object, in a header or in the body. */
function objectTagContext({ call, head }: Mapping): Context {
  const { Tagging: tagging } = call.input;
  const tags =
    call.operation === 'PutObjectTagging'
      ? tagsIn(isRecord(tagging) ? records(tagging.TagSet) : [])
      : Object.fromEntries(new URLSearchParams(head.headers['x-amz-tagging'] ?? ''));
  const keys = Object.keys(tags);
  return {
    ...Object.fromEntries(keys.map((key) => [`s3:RequestObjectTag/${key}`, tags[key]])),
    's3:RequestObjectTagKeys': keys.length > 0 ? keys : undefined,
  };
}

/** Locks on an object, in headers or in the body. */
function lockContext({ call, head }: Mapping): Context {
  const { Retention: retention, LegalHold: hold } = call.input;
  const { Mode: mode, RetainUntilDate: date } = isRecord(retention) ? retention : {};
  const until =
    date instanceof Date ? date.toISOString() : head.headers['x-amz-object-lock-retain-until-date'];
  const days = until === undefined ? undefined : Math.ceil((Date.parse(until) - Date.now()) / DAY_MS);
  return {
    's3:object-lock-mode': text(mode) ?? head.headers['x-amz-object-lock-mode'],
    's3:object-lock-retain-until-date': until,
    's3:object-lock-remaining-retention-days': shown(days),
    's3:object-lock-legal-hold':
      (isRecord(hold) ? text(hold.Status) : undefined) ?? head.headers['x-amz-object-lock-legal-hold'],
  };
}

/** An empty prefix is one; a missing one isn't. */
const emptyText = (value: unknown) => (value === '' ? '' : undefined);

function signatureAge(query: readonly (readonly [string, string])[]): number {
  const date = new Map(query).get('X-Amz-Date') ?? '';
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  return Math.max(0, Date.now() - at);
}
