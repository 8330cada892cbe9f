import type { S3BucketLifecycleConfigurationRule } from '@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration';

export interface BucketLifecycle {
  /** Days after which parts of uploads that never ended are removed. @default 7 */
  abortUploadsAfterDays?: number;
  /** Days after which a replaced or deleted version is removed for good. @default 90 */
  expireOldVersionsAfterDays?: number;
  /** Days after which objects are removed. @default - never */
  expireAfterDays?: number;
  /** `intelligent` lets S3 move each object by its use. @default - all stay in S3 Standard */
  tiering?: 'intelligent' | { infrequentAccessAfterDays?: number; glacierAfterDays?: number };
}

/** The rules of a bucket, one for each thing that happens (S3 User Guide, "Managing the lifecycle of objects"). */
export function lifecycleRules(lifecycle: BucketLifecycle): S3BucketLifecycleConfigurationRule[] {
  const { abortUploadsAfterDays = 7, expireOldVersionsAfterDays = 90, expireAfterDays } = lifecycle;
  const transitions = transitionsOf(lifecycle.tiering);
  return [
    rule('abort-unfinished-uploads', {
      abortIncompleteMultipartUpload: [{ daysAfterInitiation: abortUploadsAfterDays }],
    }),
    rule('expire-old-versions', {
      noncurrentVersionExpiration: [{ noncurrentDays: expireOldVersionsAfterDays }],
      // What a delete leaves when its object's versions are gone; a rule with days removes it by itself.
      ...(expireAfterDays === undefined && { expiration: [{ expiredObjectDeleteMarker: true }] }),
    }),
    ...(expireAfterDays === undefined
      ? []
      : [rule('expire-objects', { expiration: [{ days: expireAfterDays }] })]),
    ...(transitions.length === 0 ? [] : [rule('move-to-cheaper-storage', { transition: transitions })]),
  ];
}

type RuleBody = Partial<S3BucketLifecycleConfigurationRule>;

/** An empty prefix is all objects; S3 wants a filter said. */
function rule(id: string, body: RuleBody): S3BucketLifecycleConfigurationRule {
  return { id, status: 'Enabled', filter: [{ prefix: '' }], ...body };
}

function transitionsOf(tiering: BucketLifecycle['tiering']): { days: number; storageClass: string }[] {
  if (tiering === undefined) return [];
  if (tiering === 'intelligent') return [{ days: 0, storageClass: 'INTELLIGENT_TIERING' }];
  const { infrequentAccessAfterDays: infrequent, glacierAfterDays: glacier } = tiering;
  return [
    ...(infrequent === undefined ? [] : [{ days: infrequent, storageClass: 'STANDARD_IA' }]),
    ...(glacier === undefined ? [] : [{ days: glacier, storageClass: 'GLACIER' }]),
  ];
}
