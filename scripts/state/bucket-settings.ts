import { isDeepStrictEqual } from 'node:util';
import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  type LifecycleRule,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Statement } from '../../constructs/src/policy-document';
import { bucketPolicy } from '../../constructs/src/policies/bucket';
import type { Environment } from '../../environments';

/** How long an older version of a state can be gone back to, in days. */
const EXPIRE_OLD_VERSIONS_AFTER_DAYS = 90;
const ABORT_UPLOADS_AFTER_DAYS = 7;

/** The bucket that an environment's state is in. */
export interface StateBucket {
  name: string;
  region: string;
  /** @default - AWS's own key for S3 */
  kmsKeyArn?: string | undefined;
}

/** One thing that is to be so of a bucket. */
export interface BucketSetting {
  name: string;
  /** Makes it so where it isn't. @returns what was found */
  ensure: (s3: S3Client) => Promise<'was there' | 'set' | 'mended'>;
}

/** All that a bucket with state has. What someone added beside it (a statement, a rule, a tag) stays. */
export function bucketSettings(environment: Environment, bucket: StateBucket): BucketSetting[] {
  const of = { Bucket: bucket.name, ExpectedBucketOwner: environment.account };
  return [
    setting('no public access', {
      read: async (s3) => (await s3.send(new GetPublicAccessBlockCommand(of))).PublicAccessBlockConfiguration,
      wanted: () => ({
        BlockPublicAcls: true,
        IgnorePublicAcls: true,
        BlockPublicPolicy: true,
        RestrictPublicBuckets: true,
      }),
      write: (s3, PublicAccessBlockConfiguration) =>
        s3.send(new PutPublicAccessBlockCommand({ ...of, PublicAccessBlockConfiguration })),
    }),
    setting('owner alone, no ACLs', {
      read: async (s3) => (await s3.send(new GetBucketOwnershipControlsCommand(of))).OwnershipControls?.Rules,
      wanted: () => [{ ObjectOwnership: 'BucketOwnerEnforced' as const }],
      write: (s3, Rules) =>
        s3.send(new PutBucketOwnershipControlsCommand({ ...of, OwnershipControls: { Rules } })),
    }),
    setting('versions', {
      read: async (s3) => (await s3.send(new GetBucketVersioningCommand(of))).Status,
      wanted: () => 'Enabled' as const,
      write: (s3, Status) =>
        s3.send(new PutBucketVersioningCommand({ ...of, VersioningConfiguration: { Status } })),
    }),
    setting('encryption by KMS', {
      read: async (s3) =>
        (await s3.send(new GetBucketEncryptionCommand(of))).ServerSideEncryptionConfiguration?.Rules?.[0],
      wanted: (found) => {
        const { SSEAlgorithm, KMSMasterKeyID } = found?.ApplyServerSideEncryptionByDefault ?? {};
        const key = bucket.kmsKeyArn ?? (SSEAlgorithm === 'aws:kms' ? KMSMasterKeyID : undefined);
        return {
          ...found,
          ApplyServerSideEncryptionByDefault: {
            SSEAlgorithm: 'aws:kms' as const,
            ...(key !== undefined && { KMSMasterKeyID: key }),
          },
          BucketKeyEnabled: true,
        };
      },
      write: (s3, rule) =>
        s3.send(
          new PutBucketEncryptionCommand({ ...of, ServerSideEncryptionConfiguration: { Rules: [rule] } }),
        ),
    }),
    setting('TLS 1.2 or later', {
      read: async (s3) => {
        const { Policy } = await s3.send(new GetBucketPolicyCommand(of));
        return Policy === undefined ? undefined : statementsOf(Policy);
      },
      wanted: (found = []) => {
        const place = { account: environment.account, region: bucket.region };
        const policy = bucketPolicy({ name: bucket.name, place, receivesAccessLogs: false });
        return withOthers(statementsOf(JSON.stringify(policy)), found, ({ Sid }) => Sid);
      },
      write: (s3, Statement) =>
        s3.send(
          new PutBucketPolicyCommand({ ...of, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }),
        ),
    }),
    setting(`old versions expire after ${EXPIRE_OLD_VERSIONS_AFTER_DAYS} days`, {
      read: async (s3) => (await s3.send(new GetBucketLifecycleConfigurationCommand(of))).Rules,
      wanted: (found = []) => withOthers(lifecycleRules(), found, ({ ID }) => ID),
      write: (s3, Rules) =>
        s3.send(new PutBucketLifecycleConfigurationCommand({ ...of, LifecycleConfiguration: { Rules } })),
    }),
    setting('tags', {
      read: async (s3) => (await s3.send(new GetBucketTaggingCommand(of))).TagSet,
      // Environments of one account may share the bucket, so it isn't tagged as one's own, and the first one's stay.
      wanted: (found = []) => {
        const own = Object.entries({ ...environment.tags, ManagedBy: 'slipway' });
        return withOthers(
          found,
          own.map(([Key, Value]) => ({ Key, Value })),
          ({ Key }) => Key,
        );
      },
      write: (s3, TagSet) => s3.send(new PutBucketTaggingCommand({ ...of, Tagging: { TagSet } })),
    }),
  ];
}

interface Property<T> {
  read: (s3: S3Client) => Promise<T | undefined>;
  wanted: (found: T | undefined) => T;
  write: (s3: S3Client, value: T) => Promise<unknown>;
}

function setting<T>(name: string, { read, wanted, write }: Property<T>): BucketSetting {
  return {
    name,
    ensure: async (s3) => {
      const found = await orUndefined(read(s3));
      const value = wanted(found);
      if (isDeepStrictEqual(found, value)) return 'was there';
      await write(s3, value);
      return found === undefined ? 'set' : 'mended';
    },
  };
}

/** S3 answers 404 for what was never set. */
async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 404)
      return undefined;
    throw error;
  }
}

/** The first ones, and of the others those that none of the first is called as. */
function withOthers<T>(first: T[], others: T[], nameOf: (each: T) => unknown): T[] {
  const taken = new Set(first.map(nameOf));
  return [...first, ...others.filter((each) => !taken.has(nameOf(each)))];
}

/** S3 gives back a list of one as the one. */
function statementsOf(policy: string): Statement[] {
  const { Statement: found } = JSON.parse(policy, (_key, value: unknown) =>
    Array.isArray(value) && value.length === 1 ? (value as unknown[])[0] : value,
  ) as { Statement: Statement | Statement[] };
  return [found].flat();
}

function lifecycleRules(): LifecycleRule[] {
  const rule = (ID: string, body: Partial<LifecycleRule>): LifecycleRule => ({
    ID,
    Status: 'Enabled',
    Filter: { Prefix: '' },
    ...body,
  });
  return [
    rule('abort-unfinished-uploads', {
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_UPLOADS_AFTER_DAYS },
    }),
    rule('expire-old-versions', {
      NoncurrentVersionExpiration: { NoncurrentDays: EXPIRE_OLD_VERSIONS_AFTER_DAYS },
      // Each lock that was let go leaves one.
      Expiration: { ExpiredObjectDeleteMarker: true },
    }),
  ];
}
