import { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket';
import { S3BucketLifecycleConfiguration } from '@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration';
import { S3BucketLoggingA } from '@cdktf/provider-aws/lib/s3-bucket-logging';
import { S3BucketOwnershipControls } from '@cdktf/provider-aws/lib/s3-bucket-ownership-controls';
import { S3BucketPolicy } from '@cdktf/provider-aws/lib/s3-bucket-policy';
import { S3BucketPublicAccessBlock } from '@cdktf/provider-aws/lib/s3-bucket-public-access-block';
import { S3BucketServerSideEncryptionConfigurationA } from '@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration';
import { S3BucketVersioningA } from '@cdktf/provider-aws/lib/s3-bucket-versioning';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { lifecycleRules, type BucketLifecycle } from './bucket-lifecycle';
import type { EncryptionKey } from './encryption-key';
import { literal } from './literal';
import type { Place } from './place';
import { bucketPolicy } from './policies/bucket';

export interface PrivateBucketProps extends BucketLifecycle {
  name: string;
  place: Place;
  /** @default - S3's own keys (SSE-S3, AES256) */
  key?: EncryptionKey;
  /** The bucket that gets this one's access logs. @default - none */
  accessLogs?: PrivateBucket;
  /** Lets S3 deliver access logs of the account's buckets here. @default false */
  receivesAccessLogs?: boolean;
  /**
   * `disposable`: deleted with its objects. `keep-objects`: not deleted unless empty. `locked`: no plan may delete it while
   * it is in the configuration.
   * @default 'keep-objects'
   */
  protection?: 'disposable' | 'keep-objects' | 'locked';
  tags?: Record<string, string>;
}

/**
 * An S3 bucket that nobody reaches from outside the account: public access blocked, ACLs off, TLS 1.2 or later,
 * encrypted, versioned, tidied up.
 */
export class PrivateBucket extends Construct implements ITerraformDependable {
  readonly name: string;
  /** Depending on a bucket is depending on its policy, the last thing that others need. */
  readonly fqn: string;

  constructor(scope: Construct, id: string, props: PrivateBucketProps) {
    super(scope, id);
    const { name, place, key, accessLogs, receivesAccessLogs, protection, tags, ...lifecycle } =
      literal(props);

    const bucket = new S3Bucket(this, 'bucket', {
      bucket: name,
      forceDestroy: protection === 'disposable',
      // At a destroy that S3 refuses, because there are objects, the key that they need must not have gone before.
      ...(key && { dependsOn: [key] }),
      ...(protection === 'locked' && { lifecycle: { preventDestroy: true } }),
      ...(tags && { tags }),
    });
    const of = { bucket: bucket.id };

    const versioning = new S3BucketVersioningA(this, 'versioning', {
      ...of,
      versioningConfiguration: { status: 'Enabled' },
    });
    new S3BucketServerSideEncryptionConfigurationA(this, 'encryption', {
      ...of,
      rule: [
        {
          applyServerSideEncryptionByDefault: key
            ? { sseAlgorithm: 'aws:kms', kmsMasterKeyId: key.arn }
            : { sseAlgorithm: 'AES256' },
          // One data key serves many objects: fewer (billed) calls of KMS.
          bucketKeyEnabled: key !== undefined,
        },
      ],
    });
    const publicAccess = new S3BucketPublicAccessBlock(this, 'public-access', {
      ...of,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    new S3BucketOwnershipControls(this, 'ownership', {
      ...of,
      rule: { objectOwnership: 'BucketOwnerEnforced' },
    });
    const policy = new S3BucketPolicy(this, 'policy', {
      ...of,
      policy: JSON.stringify(bucketPolicy({ name, place, receivesAccessLogs: receivesAccessLogs ?? false })),
      // S3 refuses two changes of a bucket's access at once (OperationAborted).
      dependsOn: [publicAccess],
    });
    new S3BucketLifecycleConfiguration(this, 'lifecycle', {
      ...of,
      rule: lifecycleRules(lifecycle),
      // The rules on old versions need versioning to be on.
      dependsOn: [versioning],
    });
    if (accessLogs) {
      new S3BucketLoggingA(this, 'access-logs', {
        ...of,
        targetBucket: accessLogs.name,
        targetPrefix: `${name}/`,
        // Else S3 is asked to log into a bucket that isn't there, or doesn't let it, yet.
        dependsOn: [accessLogs],
      });
    }

    this.name = name;
    this.fqn = policy.fqn;
  }
}
