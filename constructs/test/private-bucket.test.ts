import { PrivateBucket, type PrivateBucketProps } from '../src/private-bucket';
import { key, place, policy, synthesized } from './synthesized';

const bucket = (props: Partial<PrivateBucketProps> = {}) =>
  synthesized((stack) => new PrivateBucket(stack, 'data', { name: 'kantox-data-dev', place, ...props }));

test('lets nobody in from outside', () => {
  const stack = bucket();
  expect(stack.the('aws_s3_bucket_public_access_block')).toMatchObject({
    bucket: stack.reference('aws_s3_bucket', 'id'),
    block_public_acls: true,
    block_public_policy: true,
    ignore_public_acls: true,
    restrict_public_buckets: true,
  });
  expect(stack.the('aws_s3_bucket_ownership_controls')).toMatchObject({
    rule: { object_ownership: 'BucketOwnerEnforced' },
  });
});

test('refuses everyone plain HTTP and TLS under 1.2, and allows nobody anything', () => {
  const { Statement: statements } = policy(bucket().the('aws_s3_bucket_policy'));
  const everything = ['arn:aws:s3:::kantox-data-dev', 'arn:aws:s3:::kantox-data-dev/*'];
  const everyone = { Effect: 'Deny', Principal: { AWS: '*' }, Action: ['s3:*'], Resource: everything };
  expect(statements).toEqual([
    expect.objectContaining({ ...everyone, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    expect.objectContaining({ ...everyone, Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } } }),
  ]);
});

test('keeps replaced versions, and tidies up only once versioning is on', () => {
  const stack = bucket();
  expect(stack.the('aws_s3_bucket_versioning')).toMatchObject({
    versioning_configuration: { status: 'Enabled' },
  });
  expect(stack.the('aws_s3_bucket_lifecycle_configuration')).toMatchObject({
    depends_on: [expect.stringMatching(/^aws_s3_bucket_versioning\./)],
  });
});

test("is encrypted with S3's own keys, or with the key that is given and few calls of KMS", () => {
  const encryption = (props: Partial<PrivateBucketProps>) =>
    bucket(props).the('aws_s3_bucket_server_side_encryption_configuration').rule;
  expect(encryption({})).toEqual([
    { apply_server_side_encryption_by_default: { sse_algorithm: 'AES256' }, bucket_key_enabled: false },
  ]);
  const withKey = synthesized(
    (stack) => new PrivateBucket(stack, 'data', { name: 'x', place, key: key(stack) }),
  );
  expect(withKey.the('aws_s3_bucket_server_side_encryption_configuration').rule).toEqual([
    {
      apply_server_side_encryption_by_default: {
        sse_algorithm: 'aws:kms',
        kms_master_key_id: withKey.reference('aws_kms_key', 'arn'),
      },
      bucket_key_enabled: true,
    },
  ]);
});

test.each([
  ['disposable', true, undefined],
  ['keep-objects', false, undefined],
  [undefined, false, undefined],
  ['locked', false, { prevent_destroy: true }],
] as const)('protection %s', (protection, deletedWithItsObjects, lifecycle) => {
  const body = bucket(protection && { protection }).the('aws_s3_bucket');
  expect(body.force_destroy).toBe(deletedWithItsObjects);
  expect(body.lifecycle).toEqual(lifecycle);
});

test('logs who used it into the bucket that is given, below its own name, once that bucket takes logs', () => {
  expect(bucket().all('aws_s3_bucket_logging')).toEqual([]);
  const stack = synthesized((stack) => {
    const accessLogs = new PrivateBucket(stack, 'logs', {
      name: 'kantox-logs-dev',
      place,
      receivesAccessLogs: true,
    });
    new PrivateBucket(stack, 'data', { name: 'kantox-data-dev', place, accessLogs });
  });
  expect(stack.the('aws_s3_bucket_logging')).toMatchObject({
    target_bucket: 'kantox-logs-dev',
    target_prefix: 'kantox-data-dev/',
    depends_on: [expect.stringMatching(/^aws_s3_bucket_policy\.logs_/)],
  });
});

test("takes access logs from S3 alone, and of the own account's buckets alone", () => {
  const { Statement: statements } = policy(bucket({ receivesAccessLogs: true }).the('aws_s3_bucket_policy'));
  expect(statements.filter(({ Effect }) => Effect === 'Allow')).toEqual([
    {
      Sid: 'AllowAccessLogDelivery',
      Effect: 'Allow',
      Principal: { Service: 'logging.s3.amazonaws.com' },
      Action: 's3:PutObject',
      Resource: 'arn:aws:s3:::kantox-data-dev/*',
      Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
    },
  ]);
});

test('carries the tags that are given', () => {
  expect(bucket().the('aws_s3_bucket').tags).toBeUndefined();
  expect(bucket({ tags: { Team: 'platform' } }).the('aws_s3_bucket').tags).toEqual({ Team: 'platform' });
});
