import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { localEnvironment, startLocalAws, terraformForThisMachine, type LocalAws } from '@slipway/local-aws';
import { $ } from 'zx';
import type { Environment, EnvironmentInput } from '../environments';
import { bootstrapState, type BootstrapOptions } from '../scripts/state/bootstrap-state';
import { awsProviderVersion } from '../stacks/provider-version';
import { environment, synthesized } from './synthesized';

jest.setTimeout(120_000);
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const ACCOUNT = '111122223333';
const ANOTHER_ACCOUNT = '444455556666';
const BUCKET = 'kantox-terraform-state';

let aws: LocalAws;
let folder: string;
let terraformVariables: Record<string, string>;
let s3: S3Client;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-state-'));
  aws = await startLocalAws({ account: ACCOUNT, otherAccounts: [ANOTHER_ACCOUNT] });
  ({ variables: terraformVariables } = await terraformForThisMachine({
    folder,
    providerVersion: awsProviderVersion(),
  }));
  s3 = new S3Client({ ...access(ACCOUNT), region: aws.region });
});
afterAll(async () => {
  s3.destroy();
  await aws.stop();
  rmSync(folder, { recursive: true });
});

function access(account: string) {
  const credentials = aws.administrators[account];
  if (credentials === undefined) throw new Error(`No administrator of ${account}.`);
  return { endpoint: aws.endpoint, forcePathStyle: true, credentials };
}

const dev = (state: Partial<Extract<EnvironmentInput['state'], { backend: 's3' }>> = {}) =>
  environment('dev', { state: { backend: 's3', bucket: BUCKET, ...state } });

const bootstrap = async (of: Environment, options: Partial<BootstrapOptions> = {}) =>
  Object.fromEntries(
    await bootstrapState(of, { stateFolder: join(folder, 'state'), aws: access(ACCOUNT), ...options }),
  );

const refusal = (of: Environment, options?: Partial<BootstrapOptions>): Promise<string> =>
  bootstrap(of, options).then(
    () => 'no refusal',
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );

const textOf = async (key: string, Bucket = BUCKET) =>
  (await (await s3.send(new GetObjectCommand({ Bucket, Key: key }))).Body?.transformToString()) ?? '';
const KEY = 'slipway/dev/terraform.tfstate';

/** A configuration with dev's own backend, whose one resource takes a while when it is asked to. */
function configuration(of: Environment, name: string) {
  const backend = synthesized(of, { stateFolder: join(folder, 'state'), customEndpoint: true }).configuration
    .terraform?.backend;
  const cwd = join(folder, name);
  mkdirSync(join(cwd, '.terraform'), { recursive: true });
  writeFileSync(join(cwd, '.terraform', 'environment'), of.name);
  writeFileSync(
    join(cwd, 'main.tf.json'),
    JSON.stringify({
      terraform: { backend },
      variable: { seconds: { default: 0 } },
      resource: {
        terraform_data: {
          one: { input: 'x', provisioner: { 'local-exec': { command: 'sleep ${var.seconds}' } } },
        },
      },
    }),
  );
  const env = localEnvironment({ ...aws.variables, ...terraformVariables });
  return $({ cwd, env, quiet: true, nothrow: true });
}

describe('npm run bootstrap-state', () => {
  test('makes a bucket with all that a state needs, and says so', async () => {
    expect(await bootstrap(dev())).toEqual({
      [`bucket ${BUCKET} in eu-west-1`]: 'made',
      'no public access': 'was there',
      'owner alone, no ACLs': 'set',
      versions: 'set',
      'encryption by KMS': 'set',
      'TLS 1.2 or later': 'set',
      'old versions expire after 90 days': 'set',
      tags: 'set',
      'workspace dev': 'made',
    });
    const of = { Bucket: BUCKET };
    const [versions, encryption, block, ownership, lifecycle, tags] = await Promise.all([
      s3.send(new GetBucketVersioningCommand(of)),
      s3.send(new GetBucketEncryptionCommand(of)),
      s3.send(new GetPublicAccessBlockCommand(of)),
      s3.send(new GetBucketOwnershipControlsCommand(of)),
      s3.send(new GetBucketLifecycleConfigurationCommand(of)),
      s3.send(new GetBucketTaggingCommand(of)),
    ]);
    expect(versions.Status).toBe('Enabled');
    expect(encryption.ServerSideEncryptionConfiguration?.Rules).toEqual([
      { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' }, BucketKeyEnabled: true },
    ]);
    expect(Object.values(block.PublicAccessBlockConfiguration ?? {})).toEqual([true, true, true, true]);
    expect(ownership.OwnershipControls?.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    expect(lifecycle.Rules).toMatchObject([
      { Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
      { Status: 'Enabled', NoncurrentVersionExpiration: { NoncurrentDays: 90 } },
    ]);
    expect(tags.TagSet).toEqual([
      { Key: 'Team', Value: 'platform' },
      { Key: 'ManagedBy', Value: 'slipway' },
    ]);
  });

  test('whose objects are refused over plain HTTP to those who may have them', async () => {
    const credentials = await userWith('s3:*');
    const got = (endpoint: string) => {
      const client = new S3Client({ ...access(ACCOUNT), credentials, endpoint, region: aws.region });
      return client.send(new GetObjectCommand({ Bucket: BUCKET, Key: KEY })).finally(() => {
        client.destroy();
      });
    };
    await expect(got(aws.plainEndpoint)).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(got(aws.endpoint)).resolves.toMatchObject({ ContentType: 'application/json' });
  });

  test('changes nothing a second time', async () => {
    const before = (await aws.decisions()).length;
    const outcomes = await bootstrap(dev());
    expect(new Set(Object.values(outcomes))).toEqual(new Set(['was there', 'was there, with no resources']));
    const actions = (await aws.decisions()).slice(before).map(({ action }) => action);
    // The put of a state that may replace none, and does not.
    expect(actions.filter((action) => !/:(Get|List)/.test(action))).toEqual(['s3:PutObject']);
  });

  test('mends what has gone, and keeps what someone added', async () => {
    const rule = { ID: 'own', Status: 'Enabled', Filter: { Prefix: 'x/' }, Expiration: { Days: 5 } } as const;
    const of = { Bucket: BUCKET };
    await s3.send(
      new PutBucketLifecycleConfigurationCommand({ ...of, LifecycleConfiguration: { Rules: [rule] } }),
    );
    const outcomes = await bootstrap(dev());
    expect(Object.values(outcomes).filter((outcome) => outcome === 'mended')).toHaveLength(1);
    const { Rules = [] } = await s3.send(new GetBucketLifecycleConfigurationCommand(of));
    expect(Rules.map(({ ID }) => ID)).toEqual(['abort-unfinished-uploads', 'expire-old-versions', 'own']);
  });

  test("takes the environment's own key and region", async () => {
    const kms = new KMSClient({ ...access(ACCOUNT), region: 'us-east-1' });
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    kms.destroy();
    const kmsKeyArn = KeyMetadata?.Arn ?? '';
    const bucket = 'kantox-state-elsewhere';
    await bootstrap(dev({ bucket, kmsKeyArn, region: 'us-east-1' }));
    expect(await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: KEY }))).toMatchObject({
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: kmsKeyArn,
    });
    const { ServerSideEncryptionConfiguration: found } = await s3.send(
      new GetBucketEncryptionCommand({ Bucket: bucket }),
    );
    expect(found?.Rules?.[0]?.ApplyServerSideEncryptionByDefault).toEqual({
      SSEAlgorithm: 'aws:kms',
      KMSMasterKeyID: kmsKeyArn,
    });
    expect(await refusal(dev({ bucket }))).toContain(
      `The bucket ${bucket} is in us-east-1, not in eu-west-1. Nothing was changed. Put "region: 'us-east-1'" beside its name in environments/dev.ts (state)`,
    );
  });

  test('refuses what is not its own to change, and says which it found', async () => {
    expect(await refusal(dev(), { aws: access(ANOTHER_ACCOUNT) })).toContain(
      `dev belongs in the AWS account ${ACCOUNT}; these credentials are of account ${ANOTHER_ACCOUNT} (arn:aws:iam::${ANOTHER_ACCOUNT}:user/administrator).`,
    );
    const Bucket = 'somebody-elses-state';
    const another = new S3Client({ ...access(ANOTHER_ACCOUNT), region: 'us-east-1' });
    await another.send(new CreateBucketCommand({ Bucket }));
    another.destroy();
    expect(await refusal(dev({ bucket: Bucket }))).toMatch(
      `OperatorError: The bucket ${Bucket} exists, and S3 refuses it to arn:aws:iam::${ACCOUNT}:user/administrator`,
    );
    expect(await refusal(environment('dev'))).toContain(
      `put this into environments/dev.ts:\n\n  state: { backend: 's3', bucket: 'kantox-terraform-state-${ACCOUNT}' },`,
    );
    const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' };
    expect(await refusal(dev(), { aws: { ...access(ACCOUNT), credentials } })).toMatch(
      /^OperatorError: Check the credentials: these AWS credentials can't be used \(InvalidClientTokenId/,
    );
  });

  test('never replaces what lies in the place of a state', async () => {
    const bucket = 'kantox-broken-state';
    await bootstrap(dev({ bucket }));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: KEY, Body: 'x' }));
    expect(await refusal(dev({ bucket }))).toContain(
      `s3://${bucket}/${KEY} is not a state of Terraform's that can be read.`,
    );
    expect(await textOf(KEY, bucket)).toBe('x');
  });
});

describe('Terraform in the workspace', () => {
  test('plans and applies there; a second apply meanwhile is refused, and told who holds the lock since when', async () => {
    const run = configuration(dev(), 'first');
    expect((await run`terraform init -input=false -no-color`).exitCode).toBe(0);
    expect((await run`terraform workspace show`).stdout.trim()).toBe('dev');
    const slow = run`terraform apply -auto-approve -input=false -no-color -var seconds=4`;
    await new Promise<void>((resolve) => {
      slow.stdout.on('data', (chunk: Buffer) => {
        if (chunk.includes('Creating...')) resolve();
      });
    });
    const second = await run`terraform apply -auto-approve -input=false -no-color`;
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toMatch(
      /Error acquiring the state lock[\s\S]*ID: +[\w-]+\s+Path: +kantox-terraform-state\/slipway\/dev\/terraform\.tfstate\s+Operation: OperationTypeApply\s+Who: +\S+@\S+\s+Version: +\S+\s+Created: +\d{4}-/,
    );
    expect(await refusal(dev(), { move: true, stateFolder: oneResource('locked') })).toMatch(
      /^OperatorError: s3:\S+tfstate is locked by \S+@\S+ since \d{4}-.+ \(OperationTypeApply, [\w-]+\)\. Nothing/,
    );
    expect((await slow).exitCode).toBe(0);
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    expect(Contents?.map(({ Key }) => Key)).toEqual([KEY]);
    expect(await bootstrap(dev())).toMatchObject({ 'workspace dev': 'was there, with 1 resource' });
  });

  test('goes on from a state that was moved: an empty plan, and the old file is kept', async () => {
    const bucket = 'kantox-moved-state';
    const stateFolder = join(folder, 'state');
    const local = configuration(environment('dev'), 'second');
    mkdirSync(join(stateFolder, 'dev'), { recursive: true });
    await local`terraform init -input=false -no-color`;
    await local`terraform apply -auto-approve -input=false -no-color`;
    const state = readFileSync(join(stateFolder, 'dev', 'terraform.tfstate'), 'utf8');

    configuration(dev({ bucket }), 'second');
    // An empty workspace is no obstacle.
    await bootstrap(dev({ bucket }));
    const moved = await bootstrap(dev({ bucket }), { move: true, stackFolder: join(folder, 'second') });
    expect(moved['workspace dev']).toBe('its state was moved here, with 1 resource');
    const [kept = '', ...others] = readdirSync(join(stateFolder, 'dev'));
    expect({ kept, others }).toEqual({
      kept: expect.stringMatching(/^terraform\.tfstate\.moved-/) as string,
      others: [],
    });
    expect(readFileSync(join(stateFolder, 'dev', kept), 'utf8')).toBe(state);

    await local`terraform init -input=false -no-color`;
    const plan = await local`terraform plan -input=false -no-color -detailed-exitcode`;
    expect({ exitCode: plan.exitCode, text: plan.stdall }).toMatchObject({
      exitCode: 0,
      text: expect.stringContaining('No changes.') as string,
    });
    expect(await refusal(dev({ bucket }), { move: true })).toContain('so there is nothing to move');
    expect(await refusal(dev({ bucket }), { move: true, stateFolder: oneResource('other') })).toContain(
      `s3://${bucket}/${KEY} holds another state already, with 1 resource; it is never replaced.`,
    );
    expect(await textOf(KEY, bucket)).toBe(state);
  });
});

/** @returns the key of a user of its own, since a local AWS's administrator is above all policies */
async function userWith(Action: string): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const iam = new IAMClient({ ...access(ACCOUNT), region: aws.region });
  const of = { UserName: 'operator' };
  await iam.send(new CreateUserCommand(of));
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
  });
  await iam.send(new PutUserPolicyCommand({ ...of, PolicyName: 'all', PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand(of));
  iam.destroy();
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

/** @returns a state folder in which dev has a state of another lineage */
function oneResource(name: string): string {
  const stateFolder = join(folder, name);
  mkdirSync(join(stateFolder, 'dev'), { recursive: true });
  writeFileSync(
    join(stateFolder, 'dev', 'terraform.tfstate'),
    JSON.stringify({ version: 4, serial: 1, lineage: name, outputs: {}, resources: [{}] }),
  );
  return stateFolder;
}
