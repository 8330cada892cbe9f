import type { Check, Fault } from './check';
import { argumentIs } from './looks';
import { isForAnyone, principalShown, statements, statementsOf, type Statement } from './policy';
import { list, resourcesOf, shown, valueAt, type Resource } from './resource';

const BUCKET = ['aws_s3_bucket'];
const PUBLIC_ACCESS_BLOCK = ['aws_s3_bucket_public_access_block'];
/** The bucket's own argument is deprecated, and valid. */
const POLICY = ['aws_s3_bucket', 'aws_s3_bucket_policy'];

export const s3Checks: readonly Check[] = [
  {
    id: 'CKV_AWS_18',
    asks: 'S3 buckets have their access logged.',
    on: BUCKET,
    look: (bucket) => (companion(bucket, 'aws_s3_bucket_logging') ? [] : [without('aws_s3_bucket_logging')]),
  },
  {
    id: 'CKV_AWS_19',
    asks: 'What S3 buckets hold is encrypted at rest; S3 does so by itself where nothing else is said.',
    on: BUCKET,
    look: (bucket) =>
      encryption(bucket) === undefined ? [] : encryptedBy(bucket, 'AES256', 'aws:kms', 'aws:kms:dsse'),
  },
  {
    id: 'CKV_AWS_20',
    asks: 'No ACL lets everyone read an S3 bucket.',
    on: BUCKET,
    look: (bucket) =>
      publicGrants(bucket, ['public-read', 'public-read-write', 'authenticated-read', 'website'], /./),
  },
  {
    id: 'CKV_AWS_57',
    asks: 'No ACL lets everyone write into an S3 bucket.',
    on: BUCKET,
    look: (bucket) => publicGrants(bucket, ['public-read-write'], /WRITE|FULL_CONTROL/),
  },
  {
    id: 'CKV_AWS_21',
    asks: 'S3 buckets keep versions.',
    on: BUCKET,
    look: (bucket) =>
      companionIs(bucket, 'aws_s3_bucket_versioning', 'versioning_configuration.status', 'Enabled'),
  },
  {
    id: 'CKV_AWS_53',
    asks: 'New public ACLs are refused.',
    on: PUBLIC_ACCESS_BLOCK,
    look: argumentIs('block_public_acls', true),
  },
  {
    id: 'CKV_AWS_54',
    asks: 'Public bucket policies are refused.',
    on: PUBLIC_ACCESS_BLOCK,
    look: argumentIs('block_public_policy', true),
  },
  {
    id: 'CKV_AWS_55',
    asks: 'Public ACLs count for nothing.',
    on: PUBLIC_ACCESS_BLOCK,
    look: argumentIs('ignore_public_acls', true),
  },
  {
    id: 'CKV_AWS_56',
    asks: 'A public bucket policy lets in nobody from outside of the account.',
    on: PUBLIC_ACCESS_BLOCK,
    look: argumentIs('restrict_public_buckets', true),
  },
  {
    id: 'CKV2_AWS_6',
    asks: 'S3 buckets have a public access block that refuses public ACLs and policies.',
    on: BUCKET,
    look: (bucket) =>
      companion(bucket, 'aws_s3_bucket_public_access_block')
        ? ['block_public_acls', 'block_public_policy'].flatMap((path) =>
            companionIs(bucket, 'aws_s3_bucket_public_access_block', path, true),
          )
        : [without('aws_s3_bucket_public_access_block')],
  },
  {
    id: 'CKV_AWS_70',
    asks: 'No bucket policy allows anything to everyone.',
    on: POLICY,
    look: statements(
      'policy',
      'Allow',
      (statement) => isForAnyone(statement) && !isNarrowed(statement) && principalShown(statement),
    ),
  },
  {
    id: 'CKV_AWS_93',
    asks: 'No bucket policy locks out everyone but root from changing it.',
    on: POLICY,
    look: statements(
      'policy',
      'Deny',
      (statement) =>
        isForAnyone(statement) &&
        !statement.Condition &&
        list(statement.Action).some((action) => LOCKS_OUT.has(action)) &&
        `denies ${shown(statement.Action)} to everyone`,
    ),
  },
  {
    id: 'CKV_AWS_145',
    asks: 'S3 buckets are encrypted with a KMS key.',
    on: BUCKET,
    look: (bucket) => encryptedBy(bucket, 'aws:kms', 'aws:kms:dsse'),
  },
  {
    id: 'CKV_AWS_300',
    asks: 'Unfinished uploads of a whole bucket are aborted after a time.',
    on: ['aws_s3_bucket_lifecycle_configuration'],
    look: ({ body }) =>
      list(body.rule).some(
        (rule) =>
          valueAt(rule, 'status') === 'Enabled' &&
          valueAt(rule, 'abort_incomplete_multipart_upload.days_after_initiation') !== undefined &&
          isForEveryObject(valueAt(rule, 'filter')),
      )
        ? []
        : [{ argument: 'rule', found: 'no enabled rule for all objects that aborts uploads' }],
  },
  {
    id: 'CKV2_AWS_61',
    asks: 'S3 buckets have a lifecycle.',
    on: BUCKET,
    look: (bucket) =>
      companion(bucket, 'aws_s3_bucket_lifecycle_configuration')
        ? []
        : [without('aws_s3_bucket_lifecycle_configuration')],
  },
  {
    id: 'CKV2_AWS_65',
    asks: 'S3 buckets have no ACLs: what is in them belongs to their owner.',
    on: ['aws_s3_bucket_ownership_controls'],
    look: argumentIs('rule.object_ownership', 'BucketOwnerEnforced'),
  },
  {
    id: 'S3.5',
    asks: 'S3 buckets refuse every request without TLS.',
    on: BUCKET,
    look: (bucket) => {
      const policy = companion(bucket, 'aws_s3_bucket_policy');
      if (!policy) return [without('aws_s3_bucket_policy')];
      return statementsOf(policy, 'policy').some(({ statement }) => deniesPlainHttp(statement, bucket))
        ? []
        : [
            {
              argument: 'aws_s3_bucket_policy.policy',
              found: 'no statement denies s3:* to everyone, on bucket and objects, without TLS',
            },
          ];
    },
  },
];

/** The resource of a type that says more about a bucket, by its `bucket` argument. */
function companion({ configuration, name, body }: Resource, type: string): Resource | undefined {
  return resourcesOf(configuration, [type]).find(
    ({ body: { bucket } }) =>
      bucket === body.bucket || String(bucket).startsWith(`\${aws_s3_bucket.${name}.`),
  );
}

function without(type: string): Fault {
  return { argument: type, found: 'none for this bucket' };
}

function companionIs(bucket: Resource, type: string, path: string, ...expected: readonly unknown[]): Fault[] {
  const value = valueAt(companion(bucket, type)?.body, path);
  return expected.includes(value) ? [] : [{ argument: `${type}.${path}`, found: shown(value) }];
}

const ENCRYPTION = 'aws_s3_bucket_server_side_encryption_configuration';

function encryption(bucket: Resource): Resource | undefined {
  return companion(bucket, ENCRYPTION);
}

function encryptedBy(bucket: Resource, ...algorithms: readonly string[]): Fault[] {
  return companionIs(
    bucket,
    ENCRYPTION,
    'rule.apply_server_side_encryption_by_default.sse_algorithm',
    ...algorithms,
  );
}

const EVERYONE = /\/(AllUsers|AuthenticatedUsers)$/;

/** What ACLs grant to everyone: by one of S3's ready-made ones, or by a grant of such a permission. */
function publicGrants(bucket: Resource, readyMade: readonly string[], permission: RegExp): Fault[] {
  return [bucket, companion(bucket, 'aws_s3_bucket_acl')].flatMap((resource) => {
    const acl = resource?.body.acl;
    const grants = list(valueAt(resource?.body, 'access_control_policy.grant')).filter(
      (grant) =>
        EVERYONE.test(String(valueAt(grant, 'grantee.uri'))) &&
        permission.test(String(valueAt(grant, 'permission'))),
    );
    return [
      ...(readyMade.includes(String(acl)) ? [{ argument: `${resource?.type}.acl`, found: shown(acl) }] : []),
      ...grants.map((grant) => ({
        argument: 'aws_s3_bucket_acl.access_control_policy.grant',
        found: `${shown(valueAt(grant, 'permission'))} to everyone`,
      })),
    ];
  });
}

/** What binds a request to somebody or to a place of one's own, in an `Allow` to everyone. */
const NARROWING_KEYS = new Set(
  [
    'aws:PrincipalAccount',
    'aws:PrincipalArn',
    'aws:PrincipalOrgID',
    'aws:PrincipalOrgPaths',
    'aws:SourceArn',
    'aws:SourceVpc',
    'aws:SourceVpce',
    'aws:userid',
  ].map((key) => key.toLowerCase()),
);

function isNarrowed({ Condition = {} }: Statement): boolean {
  return Object.entries(Condition).some(
    ([operator, keys]) =>
      /^(String|Arn)(Equals(IgnoreCase)?|Like)$/.test(operator) &&
      Object.entries(keys).some(
        ([key, values]) => NARROWING_KEYS.has(key.toLowerCase()) && !list(values).includes('*'),
      ),
  );
}

const LOCKS_OUT = new Set(['*', 's3:*', 's3:Put*', 's3:*BucketPolicy', 's3:PutBucketPolicy']);

function isForEveryObject(filter: unknown): boolean {
  return Object.values(list(filter)[0] ?? {}).every((value) => value === '');
}

function deniesPlainHttp(statement: Statement, { name, body }: Resource): boolean {
  const { Effect, Action, Resource, Condition = {} } = statement;
  const covers = (suffix: string) =>
    list(Resource).some((resource) =>
      ['*', `${String(body.bucket)}${suffix}`, `\${aws_s3_bucket.${name}.arn}${suffix}`].includes(
        resource.replace(/^arn:[^:]+:s3:::/, ''),
      ),
    );
  return (
    Effect === 'Deny' &&
    isForAnyone(statement) &&
    list(Action).some((action) => action === '*' || action === 's3:*') &&
    covers('') &&
    covers('/*') &&
    JSON.stringify(Condition) === '{"Bool":{"aws:SecureTransport":"false"}}'
  );
}
