import { lifecycleRules, type BucketLifecycle } from '../src/bucket-lifecycle';

const rules = (lifecycle: BucketLifecycle) =>
  Object.fromEntries(lifecycleRules(lifecycle).map(({ id, ...rule }) => [id, rule]));
const transitions = (tiering: NonNullable<BucketLifecycle['tiering']>) =>
  rules({ tiering })['move-to-cheaper-storage']?.transition;

test('uploads that never ended go after a week, old versions after 90 days, objects never', () => {
  expect(rules({})).toEqual({
    'abort-unfinished-uploads': {
      status: 'Enabled',
      filter: [{ prefix: '' }],
      abortIncompleteMultipartUpload: [{ daysAfterInitiation: 7 }],
    },
    'expire-old-versions': {
      status: 'Enabled',
      filter: [{ prefix: '' }],
      noncurrentVersionExpiration: [{ noncurrentDays: 90 }],
      expiration: [{ expiredObjectDeleteMarker: true }],
    },
  });
});

test('each of the days can be another', () => {
  const found = rules({ abortUploadsAfterDays: 1, expireOldVersionsAfterDays: 2, expireAfterDays: 3 });
  expect(found['abort-unfinished-uploads']).toMatchObject({
    abortIncompleteMultipartUpload: [{ daysAfterInitiation: 1 }],
  });
  expect(found['expire-old-versions']).toMatchObject({
    noncurrentVersionExpiration: [{ noncurrentDays: 2 }],
  });
  // Days remove delete markers, too; S3 takes no two expirations that could both mean them.
  expect(found['expire-old-versions']).not.toHaveProperty('expiration');
  expect(found['expire-objects']).toMatchObject({ expiration: [{ days: 3 }] });
});

test('intelligent tiering decides for each object from its first day', () => {
  expect(transitions('intelligent')).toEqual([{ days: 0, storageClass: 'INTELLIGENT_TIERING' }]);
});

test('tiers by hand are moved to at the days that are said, each by itself or one after the other', () => {
  const infrequent = { days: 30, storageClass: 'STANDARD_IA' };
  const glacier = { days: 90, storageClass: 'GLACIER' };
  expect(transitions({ infrequentAccessAfterDays: 30 })).toEqual([infrequent]);
  expect(transitions({ glacierAfterDays: 90 })).toEqual([glacier]);
  expect(transitions({ infrequentAccessAfterDays: 30, glacierAfterDays: 90 })).toEqual([infrequent, glacier]);
  expect(transitions({})).toBeUndefined();
});
