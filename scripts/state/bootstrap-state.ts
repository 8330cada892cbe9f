import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  HeadBucketCommand,
  S3Client,
  waitUntilBucketExists,
  type BucketLocationConstraint,
} from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Environment } from '../../environments';
import { bucketSettings, type BucketSetting, type StateBucket } from './bucket-settings';
import {
  bucketElsewhere,
  bucketOfAnother,
  inOperatorsWords,
  localState,
  otherAccount,
  resourceCount,
} from './refusals';
import { ensureWorkspace, moveState, type RemoteState } from './workspace';

export interface BootstrapOptions {
  /** Folder of the local backend's state: one folder in it for each workspace. */
  stateFolder: string;
  /** Brings the state of this machine into the bucket. @default false */
  move?: boolean;
  /** What the SDK's clients get. @default - what the SDK finds on this machine by itself */
  aws?: {
    endpoint?: string | undefined;
    credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
    /** Buckets in the path, as a local AWS wants it. */
    forcePathStyle?: boolean;
  };
  /**
   * Where cdktf synthesized the environment. Terraform remembers its backend there, and would refuse another one.
   *
   * @default - nothing is forgotten
   */
  stackFolder?: string;
  /** Runs each step, and tells of it. @default - silently */
  step?: Step;
}

type Step = <T>(title: string, run: (progress: (text: string) => void) => Promise<T>) => Promise<T>;

const SILENTLY: Step = (_title, run) => run(() => undefined);

/** What is there now, and how it came to be. */
export type Outcome = [what: string, how: string];

/**
 * Makes the S3 bucket of an environment's state, and the environment's workspace in it. May run any number of times: it
 * mends what is missing and never replaces a state.
 *
 * @throws OperatorError when the state is local, for another account's bucket or credentials, and for what AWS refuses
 */
export async function bootstrapState(
  environment: Environment,
  { stateFolder, move = false, aws = {}, stackFolder, step = SILENTLY }: BootstrapOptions,
): Promise<Outcome[]> {
  const { name, state } = environment;
  if (state.backend === 'local') throw localState(environment);
  const region = state.region ?? environment.region;
  const bucket = { name: state.bucket, region, kmsKeyArn: state.kmsKeyArn };
  const s3 = new S3Client({ ...aws, region, followRegionRedirects: true });
  const sts = new STSClient({ ...aws, region });
  const doing: Step = (title, run) =>
    step(title, (progress) =>
      run(progress).catch((error: unknown) => {
        throw inOperatorsWords(error, title, environment);
      }),
    );
  try {
    const arn = await doing('Check the credentials', () => checkAccount(environment, sts));
    const made = await doing(`Find or make the bucket ${bucket.name}`, () =>
      ensureBucket(environment, bucket, s3, arn),
    );
    const settings = await doing('Bring its settings into order', (progress) =>
      ensureSettings(bucketSettings(environment, bucket), s3, progress),
    );
    const remote = {
      s3,
      environment,
      bucket: bucket.name,
      kmsKeyArn: state.kmsKeyArn,
      lockFile: state.lockFile,
    };
    const workspace = move
      ? await doing(`Move the state of ${name} into it`, () => moved(remote, stateFolder))
      : await doing(`Find or make the workspace ${name}`, () => found(remote));
    if (stackFolder !== undefined) forgetOtherBackend(stackFolder, bucket.name);
    return [[`bucket ${bucket.name} in ${region}`, made ? 'made' : 'was there'], ...settings, ...workspace];
  } finally {
    s3.destroy();
    sts.destroy();
  }
}

async function ensureSettings(
  settings: BucketSetting[],
  s3: S3Client,
  progress: (text: string) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  // One after the other: S3 refuses two changes of a bucket at once (OperationAborted).
  for (const { name, ensure } of settings) {
    progress(name);
    outcomes.push([name, await ensure(s3)]);
  }
  return outcomes;
}

async function found(remote: RemoteState): Promise<Outcome[]> {
  const { made, resources } = await ensureWorkspace(remote);
  return [
    [`workspace ${remote.environment.name}`, made ? 'made' : `was there, with ${resourceCount(resources)}`],
  ];
}

async function moved(remote: RemoteState, stateFolder: string): Promise<Outcome[]> {
  const { name } = remote.environment;
  const { kept, resources } = await moveState(remote, stateFolder);
  return [
    [`workspace ${name}`, `its state was moved here, with ${resourceCount(resources)}`],
    ['old file', `${kept}: it holds a key, so delete it once "npx cdktf diff ${name}" shows no change`],
  ];
}

/** Terraform keeps in this file which backend it was initialized with, and nothing else. */
function forgetOtherBackend(stackFolder: string, bucket: string): void {
  const file = join(stackFolder, '.terraform', 'terraform.tfstate');
  if (existsSync(file) && !readFileSync(file, 'utf8').includes(`"${bucket}"`)) rmSync(file);
}

/** @returns who the credentials are */
async function checkAccount(environment: Environment, sts: STSClient): Promise<string> {
  const { Account = '', Arn = '' } = await sts.send(new GetCallerIdentityCommand({}));
  if (Account !== environment.account) throw otherAccount(environment, Account, Arn);
  return Arn;
}

async function ensureBucket(
  environment: Environment,
  { name: Bucket, region }: StateBucket,
  s3: S3Client,
  arn: string,
): Promise<boolean> {
  try {
    const { BucketRegion = region } = await s3.send(
      new HeadBucketCommand({ Bucket, ExpectedBucketOwner: environment.account }),
    );
    if (BucketRegion !== region) throw bucketElsewhere(environment, Bucket, BucketRegion, region);
    return false;
  } catch (error) {
    // A HEAD has no body, and so no error code.
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    if (status === 403) throw bucketOfAnother(environment, Bucket, arn);
    if (status !== 404) throw error;
  }
  await s3.send(
    new CreateBucketCommand({
      Bucket,
      // The one region that may not be named.
      ...(region !== 'us-east-1' && {
        CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint },
      }),
    }),
  );
  await waitUntilBucketExists({ client: s3, maxWaitTime: 60 }, { Bucket });
  return true;
}
