import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeletePublicAccessBlockCommand,
  GetBucketEncryptionCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  PutPublicAccessBlockCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
  type CreateBucketCommandInput,
  type ListObjectsV2CommandInput,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Case, Who } from './case';
import { both, may, to } from './making';
import { allow, deny, policy, type PolicyDocument, type Statement } from './policies';
import { ACCOUNT, OTHER_ACCOUNT, REGION, type World } from './world';

const PERMISSIONS = 'Amazon S3 User Guide, "Required permissions for Amazon S3 API operations"';
const KEYS = 'Amazon S3 User Guide, "Bucket policy examples using condition keys"';
const EXAMPLES = 'Amazon S3 User Guide, "Examples of Amazon S3 bucket policies"';
const TAGGING = 'Amazon S3 User Guide, "Tagging and access control policies"';
const WALKTHROUGH = 'Amazon S3 User Guide, "Controlling access to a bucket with user policies"';
const MULTIPART = 'Amazon S3 User Guide, "Multipart upload API and permissions"';
const LOCK = 'Amazon S3 User Guide, "Managing Object Lock"';
const PUBLIC = 'Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage"';
const SIGNATURE =
  'Amazon S3 API Reference, "Amazon S3 Signature Version 4 Authentication Specific Policy Keys"';
const GLOBAL_KEYS = 'IAM User Guide, "AWS global condition context keys"';
const PRINCIPAL = 'IAM User Guide, "AWS JSON policy elements: Principal"';
const CROSS_ACCOUNT = 'IAM User Guide, "Cross-account policy evaluation logic"';
const VARIABLES = 'IAM User Guide, "IAM policy elements: Variables and tags"';
const api = (operation: string) => `Amazon S3 API Reference, "${operation}"`;

/** Buckets that cases make for themselves, and the objects in them. */
const OWN_BUCKETS = 'arn:aws:s3:::case-*';
const OWN_OBJECTS = 'arn:aws:s3:::case-*/*';
const SHARED_BUCKET = 'arn:aws:s3:::cases-shared';

const client = ({ options }: Who) => new S3Client(options);
const bucketArn = ({ name }: Who) => `arn:aws:s3:::${name}`;
const objectsArn = ({ name }: Who) => `arn:aws:s3:::${name}/*`;
const wholeBucket = (who: Who) => [bucketArn(who), objectsArn(who)];

export interface OwnBucket {
  /** Objects in it. @default - none */
  keys?: string[];
  /** Of all of them. @default - none */
  tagging?: string;
  policy?: PolicyDocument;
  /** @default false */
  versioned?: boolean;
  /** With what else it is made. @default - nothing */
  with?: Partial<CreateBucketCommandInput>;
  /** Its settings against public access are switched off. @default false */
  open?: boolean;
  /** Whose it is. @default ACCOUNT */
  account?: string;
}

/** Makes a bucket that is called as the caller is. */
export async function ownBucket(world: World, { name }: Who, own: OwnBucket = {}): Promise<S3Client> {
  const owner = new S3Client(own.account === OTHER_ACCOUNT ? world.otherAdministrator : world.administrator);
  await owner.send(
    new CreateBucketCommand({
      Bucket: name,
      CreateBucketConfiguration: { LocationConstraint: REGION },
      ...own.with,
    }),
  );
  if (own.versioned === true)
    await owner.send(
      new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }),
    );
  for (const key of own.keys ?? [])
    await owner.send(new PutObjectCommand({ Bucket: name, Key: key, Body: 'a,b\n', Tagging: own.tagging }));
  if (own.open === true) await owner.send(new DeletePublicAccessBlockCommand({ Bucket: name }));
  if (own.policy)
    await owner.send(new PutBucketPolicyCommand({ Bucket: name, Policy: JSON.stringify(own.policy) }));
  return owner;
}

const given =
  (own?: OwnBucket) =>
  (world: World, who: Who): Promise<unknown> =>
    ownBucket(world, who, own);

/** As `given`, for a policy that names the caller or the bucket. */
const guarded =
  (own: OwnBucket, ...statements: ((who: Who) => Statement)[]) =>
  (world: World, who: Who): Promise<unknown> =>
    ownBucket(world, who, { ...own, policy: policy(...statements.map((statement) => statement(who))) });

/** The ids of an object's versions, the newest first. */
async function versions(world: World, { name }: Who, key: string): Promise<string[]> {
  const { Versions: found = [] } = await new S3Client(world.administrator).send(
    new ListObjectVersionsCommand({ Bucket: name, Prefix: key }),
  );
  return found.map(({ VersionId: id = '' }) => id);
}

/** The id of an upload that the administrator begins. */
async function begunUpload(world: World, { name }: Who, key: string): Promise<string | undefined> {
  const command = new CreateMultipartUploadCommand({ Bucket: name, Key: key });
  return (await new S3Client(world.administrator).send(command)).UploadId;
}

const get =
  (key: string): Case['does'] =>
  (who) =>
    client(who).send(new GetObjectCommand({ Bucket: who.name, Key: key }));

const put =
  (key: string, more: Partial<PutObjectCommandInput> = {}): Case['does'] =>
  (who) =>
    client(who).send(new PutObjectCommand({ Bucket: who.name, Key: key, Body: 'a,b\n', ...more }));

const getShared =
  (key: string): Case['does'] =>
  (who, { bucket }) =>
    client(who).send(new GetObjectCommand({ Bucket: bucket, Key: key }));

const listShared =
  (more: Partial<ListObjectsV2CommandInput> = {}): Case['does'] =>
  (who, { bucket }) =>
    client(who).send(new ListObjectsV2Command({ Bucket: bucket, ...more }));

const createBucket =
  (more: Partial<CreateBucketCommandInput> = {}): Case['does'] =>
  (who) =>
    client(who).send(
      new CreateBucketCommand({
        Bucket: who.name,
        CreateBucketConfiguration: { LocationConstraint: REGION },
        ...more,
      }),
    );

const copy =
  (source: string, more: { VersionId?: boolean } = {}): Case['does'] =>
  async (who, world) => {
    const [version] = more.VersionId === true ? await versions(world, who, source) : [];
    return client(who).send(
      new CopyObjectCommand({
        Bucket: who.name,
        Key: 'copy',
        CopySource: `${who.name}/${source}${version === undefined ? '' : `?versionId=${version}`}`,
      }),
    );
  };

const getVersion =
  (key: string, index: number): Case['does'] =>
  async (who, world) => {
    const version = (await versions(world, who, key))[index];
    return client(who).send(new GetObjectCommand({ Bucket: who.name, Key: key, VersionId: version }));
  };

function refusal(code: string | undefined, message: string | undefined): Error {
  return Object.assign(new Error(message), { name: code });
}

/** Deletes several at once. @throws for the first that the answer calls an error */
async function deleteAll(who: Who, keys: string[]): Promise<void> {
  const { Errors: errors = [] } = await deleteSeveral(who, keys);
  if (errors[0]) throw refusal(errors[0].Code, errors[0].Message);
}

function deleteSeveral(who: Who, keys: string[]) {
  const command = new DeleteObjectsCommand({
    Bucket: who.name,
    Delete: { Objects: keys.map((Key) => ({ Key })) },
  });
  return client(who).send(command);
}

/** Reads an object of the caller's own bucket by a presigned URL. */
const getPresigned =
  (key: string, minutesAgo: number): Case['does'] =>
  async ({ options, name }) => {
    const { endpoint, region, credentials } = options;
    const { host, hostname, port } = new URL(endpoint);
    const { sha256 } = new S3Client(options).config;
    const { query = {}, path } = await new SignatureV4({
      service: 's3',
      region,
      credentials,
      sha256,
      uriEscapePath: false,
    }).presign(
      {
        method: 'GET',
        protocol: 'http:',
        hostname,
        port: Number(port),
        path: `/${name}/${key}`,
        query: {},
        headers: { host, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' },
      },
      { expiresIn: 3600, signingDate: new Date(Date.now() - minutesAgo * 60_000) },
    );
    const search = Object.entries(query).map(
      ([parameter, value]) => `${encodeURIComponent(parameter)}=${encodeURIComponent(String(value))}`,
    );
    const answer = await fetch(`${endpoint}${path}?${search.join('&')}`);
    const xml = await answer.text();
    if (!answer.ok)
      throw refusal(/<Code>(.*)<\/Code>/.exec(xml)?.[1], /<Message>(.*)<\/Message>/.exec(xml)?.[1]);
  };

const notFound = (error: unknown): void => {
  if (!(error instanceof Error) || error.name !== 'NoSuchKey') throw error;
};

const inDays = (days: number) => new Date(Date.now() + days * 24 * 3600_000);

/** Actions that aren't called as their operations are. */
const names: Case[] = [
  ...both(
    {
      source: `${api('HeadObject')}: HEAD takes s3:GetObject`,
      service: 's3',
      does: (who, { bucket }) =>
        client(who).send(new HeadObjectCommand({ Bucket: bucket, Key: 'reports/1.csv' })),
    },
    { name: 'HeadObject takes s3:GetObject', caller: may(allow('s3:GetObject', `${SHARED_BUCKET}/*`)) },
    {
      name: 'HeadObject is no action of its own',
      caller: may(allow(['s3:HeadObject', 's3:ListBucket'])),
    },
  ),
  ...both(
    {
      source: `${api('HeadBucket')}: it takes s3:ListBucket`,
      service: 's3',
      does: (who, { bucket }) => client(who).send(new HeadBucketCommand({ Bucket: bucket })),
    },
    { name: 'HeadBucket takes s3:ListBucket', caller: may(allow('s3:ListBucket', SHARED_BUCKET)) },
    {
      name: 'HeadBucket is no action of its own',
      caller: may(allow(['s3:HeadBucket', 's3:GetBucketLocation', 's3:ListAllMyBuckets'])),
    },
  ),
  ...both(
    {
      source: `${PERMISSIONS}: ListObjectsV2 takes s3:ListBucket`,
      service: 's3',
      does: listShared(),
    },
    { name: 'ListObjectsV2 takes s3:ListBucket', caller: may(allow('s3:ListBucket', SHARED_BUCKET)) },
    {
      name: 'ListObjectsV2 is no action of its own',
      caller: may(allow(['s3:ListObjects*', 's3:GetObject', 's3:ListBucketVersions'])),
    },
  ),
  ...both(
    {
      source: `${api('ListBuckets')}: it takes s3:ListAllMyBuckets; ${WALKTHROUGH} gives it on arn:aws:s3:::*`,
      service: 's3',
      does: (who) => client(who).send(new ListBucketsCommand({})),
    },
    {
      name: 's3:ListAllMyBuckets is given on arn:aws:s3:::*',
      caller: may(allow('s3:ListAllMyBuckets', 'arn:aws:s3:::*')),
    },
    {
      name: 's3:ListAllMyBuckets is not about a single bucket',
      caller: may(allow('s3:ListAllMyBuckets', SHARED_BUCKET)),
    },
  ),
  ...both(
    {
      source: `${PERMISSIONS}: GetBucketEncryption takes s3:GetEncryptionConfiguration`,
      service: 's3',
      does: (who, { bucket }) =>
        client(who)
          .send(new GetBucketEncryptionCommand({ Bucket: bucket }))
          .catch(noConfiguration),
    },
    {
      name: 'GetBucketEncryption takes s3:GetEncryptionConfiguration',
      caller: may(allow('s3:GetEncryptionConfiguration', SHARED_BUCKET)),
    },
    { name: 's3:GetBucket* leaves out s3:GetEncryptionConfiguration', caller: may(allow('s3:GetBucket*')) },
  ),
  ...both(
    {
      source: `${PERMISSIONS}: PutBucketLifecycleConfiguration takes s3:PutLifecycleConfiguration`,
      service: 's3',
      given: given(),
      does: (who) =>
        client(who).send(
          new PutBucketLifecycleConfigurationCommand({
            Bucket: who.name,
            LifecycleConfiguration: {
              Rules: [{ ID: 'old', Status: 'Enabled', Filter: { Prefix: 'old/' }, Expiration: { Days: 30 } }],
            },
          }),
        ),
    },
    {
      name: 'PutBucketLifecycleConfiguration takes s3:PutLifecycleConfiguration',
      caller: may(allow('s3:PutLifecycleConfiguration', OWN_BUCKETS)),
    },
    { name: 's3:PutBucket* leaves out s3:PutLifecycleConfiguration', caller: may(allow('s3:PutBucket*')) },
  ),
  ...both(
    {
      source: `${api('ListObjectVersions')}: it takes s3:ListBucketVersions`,
      service: 's3',
      does: (who, { bucket }) => client(who).send(new ListObjectVersionsCommand({ Bucket: bucket })),
    },
    {
      name: 'ListObjectVersions takes s3:ListBucketVersions',
      caller: may(allow('s3:ListBucketVersions', SHARED_BUCKET)),
    },
    { name: 's3:ListBucket lists no versions', caller: may(allow('s3:ListBucket')) },
  ),
  ...both(
    {
      source: `${api('GetObject')}: with a versionId it takes s3:GetObjectVersion, and s3:GetObject is not required`,
      service: 's3',
      given: given({ versioned: true, keys: ['a'] }),
      does: getVersion('a', 0),
    },
    {
      name: 'GetObject of a version takes s3:GetObjectVersion alone',
      caller: may(allow('s3:GetObjectVersion', OWN_OBJECTS)),
    },
    { name: 's3:GetObject reads no version by its id', caller: may(allow('s3:GetObject')) },
  ),
  {
    name: 's3:GetObjectVersion does not read the current version',
    source: `${api('GetObject')}: without a versionId it takes s3:GetObject`,
    service: 's3',
    caller: may(allow('s3:GetObjectVersion')),
    does: getShared('reports/1.csv'),
    expect: 'denied',
  },
  ...both(
    {
      source: `${api('DeleteObject')}: to delete a version takes s3:DeleteObjectVersion`,
      service: 's3',
      given: given({ versioned: true, keys: ['a'] }),
      does: async (who, world) => {
        const [version] = await versions(world, who, 'a');
        return client(who).send(new DeleteObjectCommand({ Bucket: who.name, Key: 'a', VersionId: version }));
      },
    },
    {
      name: 'DeleteObject of a version takes s3:DeleteObjectVersion',
      caller: may(allow(['s3:DeleteObject', 's3:DeleteObjectVersion'], OWN_OBJECTS)),
    },
    { name: 's3:DeleteObject deletes no version by its id', caller: may(allow('s3:DeleteObject')) },
  ),
  ...both(
    {
      source: `${api('GetObjectAttributes')}: it takes s3:GetObject and s3:GetObjectAttributes`,
      service: 's3',
      beyondMoto: true,
      does: (who, { bucket }) =>
        client(who).send(
          new GetObjectAttributesCommand({
            Bucket: bucket,
            Key: 'reports/1.csv',
            ObjectAttributes: ['ETag'],
          }),
        ),
    },
    {
      name: 'GetObjectAttributes takes s3:GetObject and s3:GetObjectAttributes',
      caller: may(allow(['s3:GetObject', 's3:GetObjectAttributes'], `${SHARED_BUCKET}/*`)),
    },
    {
      name: 'GetObjectAttributes takes s3:GetObject, too',
      caller: may(allow('s3:GetObjectAttributes')),
    },
  ),
];

/** A bucket without a configuration of its own answers so, to whoever may ask. */
function noConfiguration(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'ServerSideEncryptionConfigurationNotFoundError')
    throw error;
}

/** Requests that need leave for more than they are called for. */
const several: Case[] = [
  ...both(
    {
      source: `${api('PutObject')}: to set an ACL takes s3:PutObjectAcl`,
      service: 's3',
      given: given({ with: { ObjectOwnership: 'ObjectWriter' } }),
      does: put('a', { ACL: 'bucket-owner-full-control' }),
    },
    {
      name: 'x-amz-acl takes s3:PutObjectAcl',
      caller: may(allow(['s3:PutObject', 's3:PutObjectAcl'], OWN_OBJECTS)),
    },
    { name: 's3:PutObject sets no ACL', caller: may(allow('s3:PutObject')) },
  ),
  ...both(
    {
      source: `${api('PutObject')}: to set tags takes s3:PutObjectTagging`,
      service: 's3',
      given: given(),
      does: put('a', { Tagging: 'stage=dev' }),
    },
    {
      name: 'x-amz-tagging takes s3:PutObjectTagging',
      caller: may(allow(['s3:PutObject', 's3:PutObjectTagging'], OWN_OBJECTS)),
    },
    { name: 's3:PutObject sets no tags', caller: may(allow('s3:PutObject')) },
  ),
  ...both(
    {
      source: `${api('CopyObject')}: it takes s3:GetObject on the source and s3:PutObject on the destination`,
      service: 's3',
      given: given({ keys: ['source'] }),
      does: copy('source'),
    },
    {
      name: 'CopyObject takes s3:GetObject on the source and s3:PutObject on the target',
      caller: may(
        allow('s3:GetObject', `${OWN_BUCKETS}/source`),
        allow('s3:PutObject', `${OWN_BUCKETS}/copy`),
      ),
    },
    {
      name: 'CopyObject reads no source without s3:GetObject',
      caller: may(allow('s3:PutObject'), allow('s3:GetObject', `${OWN_BUCKETS}/copy`)),
    },
  ),
  {
    name: 'CopyObject writes no target without s3:PutObject',
    source: `${api('CopyObject')}: it takes s3:PutObject on the destination`,
    service: 's3',
    caller: may(allow('s3:GetObject'), allow('s3:PutObject', `${OWN_BUCKETS}/source`)),
    given: given({ keys: ['source'] }),
    does: copy('source'),
    expect: 'denied',
  },
  {
    name: 'CopyObject of a version takes s3:GetObjectVersion',
    source: `${PERMISSIONS}: CopyObject takes s3:GetObjectVersion where the source names a version`,
    service: 's3',
    caller: may(allow(['s3:GetObject', 's3:PutObject'], OWN_OBJECTS)),
    given: given({ versioned: true, keys: ['source'] }),
    does: copy('source', { VersionId: true }),
    expect: 'denied',
    says: /s3:GetObjectVersion/,
  },
  ...both(
    {
      source: `${MULTIPART}: to upload a part by copying takes s3:GetObject on the source`,
      service: 's3',
      given: given({ keys: ['source'] }),
      does: async (who, world) =>
        client(who).send(
          new UploadPartCopyCommand({
            Bucket: who.name,
            Key: 'large',
            UploadId: await begunUpload(world, who, 'large'),
            PartNumber: 1,
            CopySource: `${who.name}/source`,
          }),
        ),
    },
    {
      name: 'UploadPartCopy takes s3:GetObject on the source',
      caller: may(
        allow('s3:GetObject', `${OWN_BUCKETS}/source`),
        allow('s3:PutObject', `${OWN_BUCKETS}/large`),
      ),
    },
    { name: 'UploadPartCopy reads no source without s3:GetObject', caller: may(allow('s3:PutObject')) },
  ),
  {
    name: 's3:PutObject uploads in parts',
    source: `${MULTIPART}: to create and complete an upload, and to upload a part, takes s3:PutObject`,
    service: 's3',
    caller: may(allow('s3:PutObject', OWN_OBJECTS)),
    given: given(),
    does: async (who) => {
      const at = { Bucket: who.name, Key: 'large' };
      const { UploadId } = await client(who).send(new CreateMultipartUploadCommand(at));
      const part = { ...at, UploadId, PartNumber: 1 };
      const { ETag } = await client(who).send(new UploadPartCommand({ ...part, Body: 'a,b\n' }));
      return client(who).send(
        new CompleteMultipartUploadCommand({
          ...at,
          UploadId,
          MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] },
        }),
      );
    },
    expect: 'allowed',
  },
  ...both(
    {
      source: `${MULTIPART}: to stop an upload takes s3:AbortMultipartUpload`,
      service: 's3',
      given: given(),
      does: async (who, world) =>
        client(who).send(
          new AbortMultipartUploadCommand({
            Bucket: who.name,
            Key: 'large',
            UploadId: await begunUpload(world, who, 'large'),
          }),
        ),
    },
    {
      name: "another's upload is stopped by s3:AbortMultipartUpload",
      caller: may(allow('s3:AbortMultipartUpload', OWN_OBJECTS)),
    },
    {
      name: "s3:PutObject stops nobody else's upload",
      caller: may(allow(['s3:PutObject', 's3:DeleteObject'])),
    },
  ),
  ...both(
    {
      source: `${MULTIPART}: to list uploads in progress takes s3:ListBucketMultipartUploads on the bucket`,
      service: 's3',
      does: (who, { bucket }) => client(who).send(new ListMultipartUploadsCommand({ Bucket: bucket })),
    },
    {
      name: 'ListMultipartUploads takes s3:ListBucketMultipartUploads',
      caller: may(allow('s3:ListBucketMultipartUploads', SHARED_BUCKET)),
    },
    {
      name: 's3:ListBucket and s3:ListMultipartUploadParts list no uploads',
      caller: may(allow(['s3:ListBucket', 's3:ListMultipartUploadParts'])),
    },
  ),
  ...both(
    {
      source: `${api('DeleteObjects')}: S3 deletes key by key and says for each how it went; it takes s3:DeleteObject`,
      service: 's3',
      given: given({ keys: ['open/1', 'closed/1'] }),
      caller: may(allow('s3:DeleteObject', `${OWN_BUCKETS}/open/*`)),
      does: async (who) => {
        const { Deleted: deleted = [], Errors: errors = [] } = await deleteSeveral(who, [
          'open/1',
          'closed/1',
        ]);
        const told = [deleted.map(({ Key }) => Key).join(), errors.map(({ Key }) => Key).join()];
        if (told.join('; ') !== 'open/1; closed/1') throw new Error(`Deleted; refused: ${told.join('; ')}`);
      },
    },
    { name: 'DeleteObjects deletes the keys that it may, and names the others as errors' },
    {
      name: 'DeleteObjects deletes no key that it may not',
      does: (who) => deleteAll(who, ['open/1', 'closed/1']),
    },
  ),
  ...both(
    {
      source: `${api('CreateBucket')}: x-amz-object-ownership takes s3:PutBucketOwnershipControls`,
      service: 's3',
      does: createBucket({ ObjectOwnership: 'BucketOwnerEnforced' }),
    },
    {
      name: 'CreateBucket with its ownership takes s3:PutBucketOwnershipControls',
      caller: may(allow(['s3:CreateBucket', 's3:PutBucketOwnershipControls'], OWN_BUCKETS)),
    },
    { name: 's3:CreateBucket sets no ownership', caller: may(allow('s3:CreateBucket')) },
  ),
  ...both(
    {
      source: `${api('CreateBucket')}: a private ACL takes s3:CreateBucket alone; with Object Lock it takes s3:PutBucketObjectLockConfiguration and s3:PutBucketVersioning besides`,
      service: 's3',
      caller: may(allow('s3:CreateBucket', OWN_BUCKETS)),
      does: createBucket({ ACL: 'private' }),
    },
    { name: 's3:CreateBucket is enough for a private bucket' },
    { name: 's3:CreateBucket locks no objects', does: createBucket({ ObjectLockEnabledForBucket: true }) },
  ),
  ...both(
    {
      source: `${api('CreateBucketConfiguration')}: to create a bucket with tags takes s3:TagResource`,
      service: 's3',
      does: createBucket({
        CreateBucketConfiguration: { LocationConstraint: REGION, Tags: [{ Key: 'stage', Value: 'dev' }] },
      }),
    },
    {
      name: 'CreateBucket with tags takes s3:TagResource',
      caller: may(allow(['s3:CreateBucket', 's3:TagResource'], OWN_BUCKETS)),
    },
    { name: 's3:CreateBucket sets no tags', caller: may(allow(['s3:CreateBucket', 's3:PutBucketTagging'])) },
  ),
  ...both(
    {
      source: `${LOCK}: to delete a version that is locked in governance mode takes s3:BypassGovernanceRetention`,
      service: 's3',
      given: async (world, who) => {
        const owner = await ownBucket(world, who, { with: { ObjectLockEnabledForBucket: true } });
        await owner.send(
          new PutObjectCommand({
            Bucket: who.name,
            Key: 'a',
            Body: 'a,b\n',
            ObjectLockMode: 'GOVERNANCE',
            ObjectLockRetainUntilDate: inDays(5),
          }),
        );
      },
      does: async (who, world) => {
        const [version] = await versions(world, who, 'a');
        return client(who).send(
          new DeleteObjectCommand({
            Bucket: who.name,
            Key: 'a',
            VersionId: version,
            BypassGovernanceRetention: true,
          }),
        );
      },
    },
    {
      name: 'governance mode is bypassed with s3:BypassGovernanceRetention',
      caller: may(allow(['s3:DeleteObjectVersion', 's3:BypassGovernanceRetention'], OWN_OBJECTS)),
    },
    {
      name: 'governance mode is not bypassed by s3:DeleteObjectVersion',
      caller: may(allow('s3:DeleteObject*')),
    },
  ),
];

/** What a policy's resource is about. */
const resources: Case[] = [
  {
    name: "a bucket's ARN covers none of its objects",
    source: `${PERMISSIONS}: for object operations the Resource is the object's ARN`,
    service: 's3',
    caller: may(allow('s3:GetObject', SHARED_BUCKET)),
    does: getShared('reports/1.csv'),
    expect: 'denied',
  },
  {
    name: "a bucket's listing is not covered by its objects' ARN",
    source: `${PERMISSIONS}: for bucket operations the Resource is the bucket's ARN`,
    service: 's3',
    caller: may(allow('s3:ListBucket', `${SHARED_BUCKET}/*`)),
    does: listShared(),
    expect: 'denied',
  },
  ...both(
    {
      source: `${VARIABLES}: \${*} stands for an asterisk that is no wildcard`,
      service: 's3',
      caller: may(allow('s3:GetObject', `${OWN_BUCKETS}/reports/\${*}`)),
      given: given({ keys: ['reports/*', 'reports/1.csv'] }),
      does: get('reports/*'),
    },
    { name: '${*} in a policy is the asterisk in a key' },
    { name: '${*} in a policy is no wildcard', does: get('reports/1.csv') },
  ),
  {
    name: 'an asterisk in the key that is asked for matches nothing but itself',
    source:
      'IAM User Guide, "IAM JSON policy elements: Resource": wildcards are of the policy, and match characters of the ARN that is asked for',
    service: 's3',
    caller: may(allow('s3:GetObject', `${OWN_BUCKETS}/reports/1.csv`)),
    given: given({ keys: ['reports/*', 'reports/1.csv'] }),
    does: get('reports/*'),
    expect: 'denied',
  },
  ...both(
    {
      source:
        'Amazon S3 User Guide, "Naming Amazon S3 objects": a key is a sequence of Unicode characters, some of which have to be encoded in a URL',
      service: 's3',
      given: given({ keys: ['a b+ü&c.txt'] }),
      does: get('a b+ü&c.txt'),
    },
    {
      name: 'a key with special characters is named as it is',
      caller: may(allow('s3:GetObject', `${OWN_BUCKETS}/a b+ü&c.txt`)),
    },
    {
      name: 'a key is not named by how its URL is encoded',
      caller: may(allow('s3:GetObject', `${OWN_BUCKETS}/a%20b%2B%C3%BC%26c.txt`)),
    },
  ),
  ...both(
    {
      source: `${api('GetObject')}: for an object that doesn't exist it is 404 with s3:ListBucket, and 403 without`,
      service: 's3',
      does: (who, world) => Promise.resolve(getShared('reports/2.csv')(who, world)).catch(notFound),
    },
    {
      name: 'a missing object is told to be missing to whoever may list',
      caller: may(allow('s3:GetObject', `${SHARED_BUCKET}/*`), allow('s3:ListBucket', SHARED_BUCKET)),
    },
    {
      name: 'a missing object is access denied to whoever may not list',
      caller: may(allow('s3:GetObject', `${SHARED_BUCKET}/*`)),
    },
  ),
];

/** Condition keys of a listing. */
const listing: Case[] = [
  ...both(
    {
      source: `${WALKTHROUGH}: s3:prefix with StringLike requires the request to have such a prefix`,
      service: 's3',
      caller: may(allow('s3:ListBucket', SHARED_BUCKET, { StringLike: { 's3:prefix': 'reports/*' } })),
      does: listShared({ Prefix: 'reports/' }),
    },
    { name: 's3:prefix allows the listing of a folder' },
    { name: "s3:prefix refuses another folder's listing", does: listShared({ Prefix: 'secret/' }) },
  ),
  {
    name: 's3:prefix refuses a listing without a prefix',
    source: `${WALKTHROUGH}: without the prefix parameter S3 returns all keys; IAM User Guide, "IAM JSON policy elements: Condition operators": a key that is absent doesn't match`,
    service: 's3',
    caller: may(allow('s3:ListBucket', SHARED_BUCKET, { StringLike: { 's3:prefix': 'reports/*' } })),
    does: listShared(),
    expect: 'denied',
  },
  ...both(
    {
      source: `${WALKTHROUGH}: s3:prefix "" and s3:delimiter "/" let users list the root level, by the parameters prefix= and delimiter=/`,
      service: 's3',
      caller: may(
        allow('s3:ListBucket', SHARED_BUCKET, { StringEquals: { 's3:prefix': '', 's3:delimiter': '/' } }),
      ),
      does: listShared({ Prefix: '', Delimiter: '/' }),
    },
    { name: 's3:prefix "" allows the listing of the root' },
    { name: 's3:delimiter refuses a listing of all levels', does: listShared({ Prefix: '' }) },
  ),
  ...both(
    {
      source: `${KEYS}: s3:max-keys with numeric operators sets the most keys that may be asked for`,
      service: 's3',
      caller: may(allow('s3:ListBucket', SHARED_BUCKET, { NumericLessThanEquals: { 's3:max-keys': '10' } })),
      does: listShared({ MaxKeys: 10 }),
    },
    { name: 's3:max-keys allows as many keys' },
    { name: 's3:max-keys refuses more keys', does: listShared({ MaxKeys: 11 }) },
  ),
  {
    name: 's3:max-keys is there even if the request names no number',
    source: `IAM User Guide, "IAM JSON policy elements: Condition operators": s3:max-keys is always present in ListBucket; ${KEYS}: by default up to 1,000 keys are returned`,
    service: 's3',
    caller: may(
      allow('s3:ListBucket', SHARED_BUCKET),
      deny('s3:ListBucket', SHARED_BUCKET, { NumericGreaterThan: { 's3:max-keys': '10' } }),
    ),
    does: listShared(),
    expect: 'denied',
  },
];

/** Condition keys of objects and of what is asked of them. */
const objects: Case[] = [
  ...both(
    {
      source: `${TAGGING}: s3:ExistingObjectTag lets read only objects with a tag`,
      service: 's3',
      caller: may(
        allow('s3:GetObject', OWN_OBJECTS, { StringEquals: { 's3:ExistingObjectTag/stage': 'dev' } }),
      ),
      does: get('a'),
    },
    {
      name: 's3:ExistingObjectTag allows to read an object with the tag',
      given: given({ keys: ['a'], tagging: 'stage=dev&team=a' }),
    },
    {
      name: 's3:ExistingObjectTag refuses to read an object with another value',
      given: given({ keys: ['a'], tagging: 'stage=prod' }),
    },
  ),
  {
    name: 's3:ExistingObjectTag allows no deletion',
    source: `${TAGGING}: s3:ExistingObjectTag is not supported for DELETE Object: no policy grants a deletion by tags`,
    service: 's3',
    caller: may(
      allow('s3:DeleteObject', OWN_OBJECTS, { StringEquals: { 's3:ExistingObjectTag/stage': 'dev' } }),
    ),
    given: given({ keys: ['a'], tagging: 'stage=dev' }),
    does: (who) => client(who).send(new DeleteObjectCommand({ Bucket: who.name, Key: 'a' })),
    expect: 'denied',
  },
  ...both(
    {
      source: `${EXAMPLES}: s3:RequestObjectTag lets add only objects with a tag`,
      service: 's3',
      given: given(),
      caller: may(
        allow('s3:PutObject', OWN_OBJECTS, { StringEquals: { 's3:RequestObjectTag/Department': 'Finance' } }),
        allow('s3:PutObjectTagging', OWN_OBJECTS),
      ),
      does: put('a', { Tagging: 'Department=Finance' }),
    },
    { name: 's3:RequestObjectTag allows an object with the tag' },
    { name: 's3:RequestObjectTag refuses an object without tags', does: put('a') },
  ),
  ...both(
    {
      source:
        'IAM User Guide, "Multivalued context keys": ForAllValues wants every value of the request in the policy; Amazon S3 User Guide, "Tagging and access control policies": s3:RequestObjectTagKeys are the keys that PutObject adds',
      service: 's3',
      given: given(),
      caller: may(
        allow('s3:PutObject', OWN_OBJECTS),
        allow('s3:PutObjectTagging', OWN_OBJECTS, {
          'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['Owner', 'CreationDate'] },
        }),
      ),
      does: put('a', { Tagging: 'Owner=a&CreationDate=b' }),
    },
    { name: 'ForAllValues on s3:RequestObjectTagKeys allows the keys that it lists' },
    {
      name: 'ForAllValues on s3:RequestObjectTagKeys refuses a key that it does not list',
      does: put('a', { Tagging: 'Owner=a&Stage=b' }),
    },
  ),
  ...both(
    {
      source: `${TAGGING}: s3:RequestObjectTagKeys are the keys that PutObjectTagging adds; with ForAnyValue one of those listed must be among them`,
      service: 's3',
      given: given({ keys: ['a'] }),
      caller: may(
        allow('s3:PutObjectTagging', OWN_OBJECTS, {
          'ForAnyValue:StringEquals': { 's3:RequestObjectTagKeys': ['Owner', 'CreationDate'] },
        }),
      ),
      does: tag('Owner', 'a'),
    },
    { name: 's3:RequestObjectTagKeys are those that PutObjectTagging has in its body' },
    { name: 's3:RequestObjectTagKeys refuses other keys of PutObjectTagging', does: tag('Stage', 'dev') },
  ),
  ...both(
    {
      source: `${TAGGING}: s3:RequestObjectTag restricts the values that PutObjectTagging adds`,
      service: 's3',
      given: given({ keys: ['a'] }),
      caller: may(
        allow('s3:PutObjectTagging', OWN_OBJECTS),
        deny('s3:PutObjectTagging', OWN_OBJECTS, { StringEquals: { 's3:RequestObjectTag/Project': 'X' } }),
      ),
      does: tag('Project', 'Y'),
    },
    { name: "s3:RequestObjectTag lets PutObjectTagging's other values pass" },
    { name: "s3:RequestObjectTag counts PutObjectTagging's value", does: tag('Project', 'X') },
  ),
  ...both(
    {
      source: `${EXAMPLES}: another account may upload only with the ACL bucket-owner-full-control`,
      service: 's3',
      given: guarded({ with: { ObjectOwnership: 'BucketOwnerPreferred' } }, (who) =>
        to(
          { AWS: OTHER_ACCOUNT },
          allow(['s3:PutObject', 's3:PutObjectAcl'], objectsArn(who), {
            StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' },
          }),
        ),
      ),
      caller: { ...may(allow('s3:*')), account: OTHER_ACCOUNT },
      does: put('a', { ACL: 'bucket-owner-full-control' }),
    },
    { name: "s3:x-amz-acl allows another account's upload that gives the owner control" },
    { name: "s3:x-amz-acl refuses another account's upload without an ACL", does: put('a') },
  ),
  ...both(
    {
      source: `Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)": a Deny with StringNotEquals on s3:x-amz-server-side-encryption refuses uploads without the header that asks for it`,
      service: 's3',
      given: guarded({}, (who) =>
        to(
          '*',
          deny('s3:PutObject', objectsArn(who), {
            StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' },
          }),
        ),
      ),
      caller: may(allow('s3:PutObject', OWN_OBJECTS)),
      does: put('a', { ServerSideEncryption: 'aws:kms' }),
    },
    { name: 'an upload that asks for the encryption passes the deny of others' },
    { name: 'an upload that asks for no encryption is refused by StringNotEquals', does: put('a') },
  ),
  {
    name: 'an upload that asks for another encryption is refused by StringNotEquals',
    source: `Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)": the Deny is for everyone who doesn't ask for aws:kms`,
    service: 's3',
    given: guarded({}, (who) =>
      to(
        '*',
        deny('s3:PutObject', objectsArn(who), {
          StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' },
        }),
      ),
    ),
    caller: may(allow('s3:PutObject', OWN_OBJECTS)),
    does: put('a', { ServerSideEncryption: 'AES256' }),
    expect: 'denied',
    says: /with an explicit deny in a resource-based policy$/,
  },
  ...both(
    {
      source:
        'IAM User Guide, "IAM JSON policy elements: Condition operators": Null with "true" is for a key that is absent from the request',
      service: 's3',
      given: guarded({}, (who) =>
        to(
          '*',
          deny('s3:PutObject', objectsArn(who), { Null: { 's3:x-amz-server-side-encryption': 'true' } }),
        ),
      ),
      caller: may(allow('s3:PutObject', OWN_OBJECTS)),
      does: put('a', { ServerSideEncryption: 'AES256' }),
    },
    { name: 'an upload with any encryption passes a deny of Null' },
    { name: 'an upload that names no encryption is refused by Null', does: put('a') },
  ),
  ...both(
    {
      source: `${KEYS}: s3:x-amz-storage-class restricts uploads to a storage class`,
      service: 's3',
      given: given(),
      caller: may(
        allow('s3:PutObject', OWN_OBJECTS, { StringEquals: { 's3:x-amz-storage-class': 'STANDARD_IA' } }),
      ),
      does: put('a', { StorageClass: 'STANDARD_IA' }),
    },
    { name: 's3:x-amz-storage-class allows the class' },
    { name: 's3:x-amz-storage-class refuses an upload that names none', does: put('a') },
  ),
  ...both(
    {
      source: `${KEYS}: a Deny with StringNotEquals on s3:VersionId leaves one version to be read`,
      service: 's3',
      given: async (world, who) => {
        const owner = await ownBucket(world, who, { versioned: true, keys: ['a', 'a'] });
        const [newest = ''] = await versions(world, who, 'a');
        const own = { AWS: who.arn };
        await owner.send(
          new PutBucketPolicyCommand({
            Bucket: who.name,
            Policy: JSON.stringify(
              policy(
                to(own, allow('s3:GetObjectVersion', objectsArn(who))),
                to(
                  own,
                  deny('s3:GetObjectVersion', objectsArn(who), {
                    StringNotEquals: { 's3:VersionId': newest },
                  }),
                ),
              ),
            ),
          }),
        );
      },
      does: getVersion('a', 0),
    },
    { name: 's3:VersionId allows the version' },
    { name: 's3:VersionId refuses another version', does: getVersion('a', 1) },
  ),
  ...both(
    {
      source: `${KEYS}: a Deny with StringNotLike on s3:x-amz-copy-source restricts what may be copied`,
      service: 's3',
      given: guarded({ keys: ['public/1', 'private/1'] }, (who) =>
        to(
          { AWS: who.arn },
          deny('s3:PutObject', objectsArn(who), {
            StringNotLike: { 's3:x-amz-copy-source': `${who.name}/public/*` },
          }),
        ),
      ),
      caller: may(allow(['s3:GetObject', 's3:PutObject'], OWN_OBJECTS)),
      does: copy('public/1'),
    },
    { name: 's3:x-amz-copy-source allows to copy from the prefix' },
    { name: 's3:x-amz-copy-source refuses to copy from elsewhere', does: copy('private/1') },
  ),
  ...both(
    {
      source: `${LOCK}: s3:object-lock-remaining-retention-days limits the period that PutObjectRetention sets`,
      service: 's3',
      given: guarded({ with: { ObjectLockEnabledForBucket: true }, keys: ['a'] }, (who) =>
        to(
          '*',
          deny('s3:PutObjectRetention', objectsArn(who), {
            NumericGreaterThan: { 's3:object-lock-remaining-retention-days': '10' },
          }),
        ),
      ),
      caller: may(allow('s3:PutObjectRetention', OWN_OBJECTS)),
      does: retain(5),
    },
    { name: 's3:object-lock-remaining-retention-days allows a short retention' },
    { name: 's3:object-lock-remaining-retention-days refuses a long retention', does: retain(30) },
  ),
  ...both(
    {
      source:
        'Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets": s3:if-none-match is required of PutObject; s3:ObjectCreationOperation exempts CreateMultipartUpload and UploadPart, which take no such header',
      service: 's3',
      given: guarded({}, (who) =>
        to(
          '*',
          deny('s3:PutObject', objectsArn(who), {
            Null: { 's3:if-none-match': 'true' },
            Bool: { 's3:ObjectCreationOperation': 'true' },
          }),
        ),
      ),
      caller: may(allow('s3:PutObject', OWN_OBJECTS)),
      does: (who) => client(who).send(new CreateMultipartUploadCommand({ Bucket: who.name, Key: 'large' })),
    },
    { name: 's3:ObjectCreationOperation is false for CreateMultipartUpload' },
    { name: 's3:ObjectCreationOperation is true for PutObject', does: put('a') },
  ),
  {
    name: 's3:if-none-match is there when the header is',
    source:
      'Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets": PutObject with If-None-Match is allowed',
    service: 's3',
    given: guarded({}, (who) =>
      to('*', deny('s3:PutObject', objectsArn(who), { Null: { 's3:if-none-match': 'true' } })),
    ),
    caller: may(allow('s3:PutObject', OWN_OBJECTS)),
    does: put('a', { IfNoneMatch: '*' }),
    expect: 'allowed',
  },
];

function tag(Key: string, Value: string): Case['does'] {
  return (who) =>
    client(who).send(
      new PutObjectTaggingCommand({ Bucket: who.name, Key: 'a', Tagging: { TagSet: [{ Key, Value }] } }),
    );
}

function retain(days: number): Case['does'] {
  return (who) =>
    client(who).send(
      new PutObjectRetentionCommand({
        Bucket: who.name,
        Key: 'a',
        Retention: { Mode: 'GOVERNANCE', RetainUntilDate: inDays(days) },
      }),
    );
}

/** Condition keys of a bucket that is made. */
const making: Case[] = [
  ...both(
    {
      source: `${KEYS}: s3:LocationConstraint lets create buckets in one Region only`,
      service: 's3',
      caller: may(allow('s3:CreateBucket', OWN_BUCKETS, { StringLike: { 's3:LocationConstraint': REGION } })),
      does: createBucket(),
    },
    { name: 's3:LocationConstraint allows its Region' },
    {
      name: 's3:LocationConstraint refuses another Region',
      does: (who) =>
        new S3Client({ ...who.options, region: 'eu-central-1' }).send(
          new CreateBucketCommand({
            Bucket: who.name,
            CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
          }),
        ),
    },
  ),
  ...both(
    {
      source:
        'Amazon S3 User Guide, "Disabling ACLs for all new buckets and enforcing Object Ownership": a Deny with StringNotEquals on s3:x-amz-object-ownership requires BucketOwnerEnforced',
      service: 's3',
      caller: may(
        allow(['s3:CreateBucket', 's3:PutBucketOwnershipControls'], OWN_BUCKETS),
        deny('s3:CreateBucket', '*', {
          StringNotEquals: { 's3:x-amz-object-ownership': 'BucketOwnerEnforced' },
        }),
      ),
      does: createBucket({ ObjectOwnership: 'BucketOwnerEnforced' }),
    },
    { name: 's3:x-amz-object-ownership allows a bucket without ACLs' },
    { name: 's3:x-amz-object-ownership refuses a bucket that says nothing', does: createBucket() },
  ),
];

/** How a request comes in. */
const transport: Case[] = [
  ...both(
    {
      source: `${EXAMPLES}: a Deny with aws:SecureTransport "false" refuses HTTP requests`,
      service: 's3',
      given: guarded({ keys: ['a'] }, (who) =>
        to('*', deny('s3:*', wholeBucket(who), { Bool: { 'aws:SecureTransport': 'false' } })),
      ),
      caller: may(allow('s3:GetObject', OWN_OBJECTS)),
      does: get('a'),
    },
    { name: 'aws:SecureTransport lets TLS pass' },
    {
      name: 'aws:SecureTransport refuses plain HTTP',
      caller: { ...may(allow('s3:GetObject', OWN_OBJECTS)), plain: true },
    },
  ),
  ...both(
    {
      source: `${KEYS}: s3:TlsVersion with NumericGreaterThan 1.1 allows clients with a higher version of TLS`,
      service: 's3',
      given: given(),
      caller: may(allow('s3:PutObject', OWN_OBJECTS, { NumericGreaterThan: { 's3:TlsVersion': '1.1' } })),
      does: put('a'),
    },
    { name: 's3:TlsVersion lets a new version of TLS pass' },
    {
      name: 's3:TlsVersion is absent from plain HTTP',
      caller: {
        ...may(allow('s3:PutObject', OWN_OBJECTS, { NumericGreaterThan: { 's3:TlsVersion': '1.1' } })),
        plain: true,
      },
    },
  ),
  ...both(
    {
      source: `${SIGNATURE}: a Deny with NumericGreaterThan on s3:signatureAge refuses presigned URLs that are older than ten minutes`,
      service: 's3',
      given: guarded({ keys: ['a'] }, (who) =>
        to('*', deny('s3:*', objectsArn(who), { NumericGreaterThan: { 's3:signatureAge': '600000' } })),
      ),
      caller: may(allow('s3:GetObject', OWN_OBJECTS)),
      does: getPresigned('a', 5),
    },
    { name: 's3:signatureAge lets a young presigned URL pass' },
    { name: 's3:signatureAge refuses an old presigned URL', does: getPresigned('a', 15) },
  ),
  ...both(
    {
      source: `${SIGNATURE}: s3:authType is REST-HEADER for the Authorization header, and REST-QUERY-STRING for a presigned URL`,
      service: 's3',
      given: guarded({ keys: ['a'] }, (who) =>
        to('*', deny('s3:*', objectsArn(who), { StringNotEquals: { 's3:authType': 'REST-HEADER' } })),
      ),
      caller: may(allow('s3:GetObject', OWN_OBJECTS)),
      does: get('a'),
    },
    { name: 's3:authType REST-HEADER lets the Authorization header pass' },
    { name: 's3:authType REST-HEADER refuses a presigned URL', does: getPresigned('a', 0) },
  ),
  ...both(
    {
      source: `${EXAMPLES}: a Deny with NotIpAddress on aws:SourceIp refuses requests from elsewhere`,
      service: 's3',
      caller: may(allow('s3:GetObject', OWN_OBJECTS)),
      does: get('a'),
    },
    {
      name: 'aws:SourceIp lets its range pass',
      given: guarded({ keys: ['a'] }, (who) =>
        to('*', deny('s3:*', wholeBucket(who), { NotIpAddress: { 'aws:SourceIp': '127.0.0.0/8' } })),
      ),
    },
    {
      name: 'aws:SourceIp refuses other addresses',
      given: guarded({ keys: ['a'] }, (who) =>
        to('*', deny('s3:*', wholeBucket(who), { NotIpAddress: { 'aws:SourceIp': '192.0.2.0/24' } })),
      ),
    },
  ),
];

const fromOtherAccount = guarded({ keys: ['a'], account: OTHER_ACCOUNT }, (who) =>
  to({ AWS: who.arn }, allow('s3:GetObject', objectsArn(who))),
);

/** Whose the bucket is. */
const owners: Case[] = [
  ...['s3:ResourceAccount', 'aws:ResourceAccount'].flatMap((key) =>
    both(
      {
        source: `${KEYS}: aws:ResourceAccount and s3:ResourceAccount restrict access to buckets that a given account owns`,
        service: 's3',
        caller: may(
          allow('s3:GetObject', OWN_OBJECTS),
          deny('s3:*', '*', { StringNotEquals: { [key]: ACCOUNT } }),
        ),
        does: get('a'),
      },
      { name: `${key} lets the account's buckets pass`, given: given({ keys: ['a'] }) },
      { name: `${key} refuses another account's bucket`, given: fromOtherAccount },
    ),
  ),
  ...both(
    {
      source: `${CROSS_ACCOUNT}: both the identity's account and the resource's must allow the request`,
      service: 's3',
      caller: { ...may(allow('s3:GetObject', OWN_OBJECTS)), account: OTHER_ACCOUNT },
      does: get('a'),
    },
    {
      name: 'another account reads what both sides allow',
      given: guarded({ keys: ['a'] }, (who) =>
        to({ AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` }, allow('s3:GetObject', objectsArn(who))),
      ),
    },
    {
      name: 'another account reads nothing without a bucket policy',
      given: given({ keys: ['a'] }),
      says: /because no resource-based policy allows the s3:GetObject action$/,
    },
  ),
  {
    name: 'another account reads nothing by the bucket policy alone, even if that names the user',
    source: `${CROSS_ACCOUNT}: a resource-based policy doesn't do without the identity-based policy of the other account`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT },
    given: guarded({ keys: ['a'] }, (who) => to({ AWS: who.arn }, allow('s3:GetObject', objectsArn(who)))),
    does: get('a'),
    expect: 'denied',
    says: /because no identity-based policy allows the s3:GetObject action$/,
  },
  ...both(
    {
      source: `${PRINCIPAL}: a user in the same account needs nothing but the policy that names him; an account as the principal delegates to the account, which must grant it to its users`,
      service: 's3',
      caller: {},
      does: get('a'),
    },
    {
      name: 'a bucket policy that names a user of the account is enough',
      given: guarded({ keys: ['a'] }, (who) => to({ AWS: who.arn }, allow('s3:GetObject', objectsArn(who)))),
    },
    {
      name: 'a bucket policy that names the account gives none of its users anything',
      given: guarded({ keys: ['a'] }, (who) => to({ AWS: ACCOUNT }, allow('s3:GetObject', objectsArn(who)))),
    },
  ),
  ...both(
    {
      source:
        'Amazon S3 User Guide, "Verifying bucket ownership with bucket owner condition": where x-amz-expected-bucket-owner is not the account that owns the bucket, it is 403 Forbidden',
      service: 's3',
      caller: may(allow('s3:GetObject', `${SHARED_BUCKET}/*`)),
      does: (who, { bucket }) =>
        client(who).send(
          new GetObjectCommand({ Bucket: bucket, Key: 'reports/1.csv', ExpectedBucketOwner: ACCOUNT }),
        ),
    },
    { name: 'the owner that a request expects lets it pass' },
    {
      name: 'another owner than the one that a request expects refuses it',
      notByPolicy: true,
      does: (who, { bucket }) =>
        client(who).send(
          new GetObjectCommand({ Bucket: bucket, Key: 'reports/1.csv', ExpectedBucketOwner: OTHER_ACCOUNT }),
        ),
    },
  ),
];

/** Who asks. */
const askers: Case[] = [
  ...both(
    {
      source: `${GLOBAL_KEYS}: for a role, aws:PrincipalArn is the ARN of the role, not of the session`,
      service: 's3',
      caller: { kind: 'role', ...may(allow('s3:GetObject', OWN_OBJECTS)) },
      does: get('a'),
    },
    {
      name: 'aws:PrincipalArn is the ARN of the role',
      given: guarded({ keys: ['a'] }, (who) =>
        to('*', deny('s3:*', objectsArn(who), { ArnNotEquals: { 'aws:PrincipalArn': who.principalArn } })),
      ),
    },
    {
      name: "aws:PrincipalArn is not the ARN of the role's session",
      given: guarded({ keys: ['a'] }, (who) =>
        to('*', deny('s3:*', objectsArn(who), { ArnNotEquals: { 'aws:PrincipalArn': who.arn } })),
      ),
    },
  ),
  ...['job', 'other'].map(
    (session): Case => ({
      name: `aws:userid with the session name job ${session === 'job' ? 'lets this session pass' : 'refuses another session'}`,
      source: `${VARIABLES}: for an assumed role aws:userid is role-id:caller-specified-role-name`,
      service: 's3',
      caller: { kind: 'role', session: { name: session }, ...may(allow('s3:GetObject', OWN_OBJECTS)) },
      given: async (world, who) => {
        const iam = new IAMClient(world.administrator);
        const { Role: role } = await iam.send(new GetRoleCommand({ RoleName: who.name }));
        return guarded({ keys: ['a'] }, () =>
          to(
            '*',
            deny('s3:*', objectsArn(who), { StringNotLike: { 'aws:userid': `${role?.RoleId ?? ''}:job` } }),
          ),
        )(world, who);
      },
      does: get('a'),
      expect: session === 'job' ? 'allowed' : 'denied',
    }),
  ),
  ...both(
    {
      source: `${VARIABLES}: \${aws:username} in a resource and in s3:prefix gives each user a folder of his own`,
      service: 's3',
      given: given(),
      caller: may(allow('s3:PutObject', `${OWN_BUCKETS}/home/\${aws:username}/*`)),
      does: (who, world) => put(`home/${who.name}/a`)(who, world),
    },
    { name: '${aws:username} lets a user write into his folder' },
    { name: "${aws:username} keeps a user out of another's folder", does: put('home/case/a') },
  ),
  ...both(
    {
      source: `${VARIABLES}: aws:username is there for IAM users, and absent for assumed roles`,
      service: 's3',
      does: (who, { bucket }) =>
        client(who).send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `home/${who.name}/` })),
    },
    {
      name: '${aws:username} lets a user list his folder',
      caller: may(
        allow('s3:ListBucket', SHARED_BUCKET, { StringLike: { 's3:prefix': 'home/${aws:username}/*' } }),
      ),
    },
    {
      name: '${aws:username} is nothing for a role',
      caller: {
        kind: 'role',
        ...may(
          allow('s3:ListBucket', SHARED_BUCKET, { StringLike: { 's3:prefix': 'home/${aws:username}/*' } }),
        ),
      },
    },
  ),
  ...both(
    {
      source:
        'IAM User Guide, "AWS JSON policy elements: NotPrincipal": Deny with NotPrincipal is for everyone but the user named, whose account is named as well',
      service: 's3',
      caller: may(allow('s3:GetObject', OWN_OBJECTS)),
      does: get('a'),
    },
    {
      name: 'a deny with NotPrincipal leaves out the user that it names',
      given: guarded({ keys: ['a'] }, (who) => ({
        ...deny('s3:*', wholeBucket(who)),
        NotPrincipal: { AWS: [who.arn, `arn:aws:iam::${ACCOUNT}:root`] },
      })),
    },
    {
      name: 'a deny with NotPrincipal is for every other user of the account',
      given: guarded({ keys: ['a'] }, (who) => ({
        ...deny('s3:*', wholeBucket(who)),
        NotPrincipal: { AWS: [`${who.arn}-other`, `arn:aws:iam::${ACCOUNT}:root`] },
      })),
    },
  ),
];

const readableByAll = (who: Who) => to('*', allow('s3:GetObject', objectsArn(who)));

/** Everyone, and what keeps everyone out. */
const everyone: Case[] = [
  ...both(
    {
      source: `${PRINCIPAL}: "*" with Allow is for all, anonymous users among them`,
      service: 's3',
      caller: { kind: 'anonymous' },
      given: guarded({ keys: ['a'], open: true }, readableByAll),
      does: get('a'),
    },
    { name: 'Principal "*" lets anonymous users read' },
    {
      name: 'Principal "*" lets anonymous users do nothing but what it allows',
      does: (who) => client(who).send(new ListObjectsV2Command({ Bucket: who.name })),
    },
  ),
  {
    name: 'anonymous users read nothing without a bucket policy',
    source: 'IAM User Guide, "Policy evaluation logic": by default, all requests are implicitly denied',
    service: 's3',
    caller: { kind: 'anonymous' },
    does: getShared('reports/1.csv'),
    expect: 'denied',
  },
  {
    name: 'Principal "*" lets a user of the account read without a policy of his own',
    source: `${PRINCIPAL}: for users and roles of the account, "*" needs no other permission`,
    service: 's3',
    given: guarded({ keys: ['a'], open: true }, readableByAll),
    does: get('a'),
    expect: 'allowed',
  },
  {
    name: 'Principal "*" is not enough for a user of another account',
    source: `${PRINCIPAL}: users of other accounts must have identity-based permissions, too`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT },
    given: guarded({ keys: ['a'], open: true }, readableByAll),
    does: get('a'),
    expect: 'denied',
  },
  ...both(
    {
      source: `${PUBLIC}: RestrictPublicBuckets leaves a bucket with a public policy to authorized users of its owner's account`,
      service: 's3',
      given: async (world, who) => {
        await guarded({ keys: ['a'], open: true }, readableByAll)(world, who);
        return new S3Client(world.administrator).send(
          new PutPublicAccessBlockCommand({
            Bucket: who.name,
            PublicAccessBlockConfiguration: { RestrictPublicBuckets: true },
          }),
        );
      },
      does: get('a'),
    },
    {
      name: "RestrictPublicBuckets leaves a public policy to the owner's account",
      caller: may(allow('s3:GetObject', OWN_OBJECTS)),
    },
    { name: 'RestrictPublicBuckets keeps anonymous users out', caller: { kind: 'anonymous' } },
  ),
  ...both(
    {
      source: `${PUBLIC}: BlockPublicPolicy rejects public bucket policies; "Default settings for new S3 buckets FAQ": it is on for new buckets`,
      service: 's3',
      given: given(),
      caller: may(allow('s3:PutBucketPolicy', OWN_BUCKETS)),
      does: putPolicy((who) => to({ AWS: who.arn }, allow('s3:GetObject', objectsArn(who)))),
    },
    { name: 'a new bucket takes a policy that names a user' },
    {
      name: 'a new bucket takes no public policy',
      does: putPolicy(readableByAll),
      notByPolicy: true,
    },
  ),
];

function putPolicy(statement: (who: Who) => Statement): Case['does'] {
  return (who) =>
    client(who).send(
      new PutBucketPolicyCommand({ Bucket: who.name, Policy: JSON.stringify(policy(statement(who))) }),
    );
}

export const s3: Case[] = [
  ...names,
  ...several,
  ...resources,
  ...listing,
  ...objects,
  ...making,
  ...transport,
  ...owners,
  ...askers,
  ...everyone,
];
