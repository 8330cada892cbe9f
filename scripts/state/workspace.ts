import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { z } from 'zod';
import { STATE_KEY_PREFIX } from '../../stacks/backend';
import type { Environment } from '../../environments';
import { locked, notAState, nothingToMove, readBackDifferent, stateThere, type LockHolder } from './refusals';

/** An environment's state in its bucket. */
export interface RemoteState {
  s3: S3Client;
  environment: Environment;
  bucket: string;
  /** @default - S3's own, as Terraform's backend writes it without a key */
  kmsKeyArn?: string | undefined;
  /** Whether Terraform locks by a file beside the state. */
  lockFile: boolean;
}

/**
 * Makes the environment's workspace, which exists for Terraform when its state does.
 *
 * @returns how many resources its state holds
 * @throws OperatorError when there is something else than a state in its place
 */
export async function ensureWorkspace(remote: RemoteState): Promise<{ made: boolean; resources: number }> {
  const state = { version: 4, serial: 1, lineage: randomUUID(), outputs: {}, resources: [] };
  const made = await putIfAbsent(remote, stateKey(remote), JSON.stringify(state, undefined, 2));
  if (made) return { made, resources: 0 };
  return { made, resources: resourcesIn((await read(remote, stateKey(remote)))?.text ?? '', at(remote)) };
}

/**
 * Copies the state of this machine into the bucket, reads it back, and renames the file here, which stays.
 *
 * @param stateFolder of the local backend: workspaces are folders in it
 * @returns the file's new name, and how many resources were moved
 * @throws OperatorError when there is nothing to move, a state in the way, or a deploy under way on either side
 */
export async function moveState(
  remote: RemoteState,
  stateFolder: string,
): Promise<{ kept: string; resources: number }> {
  const folder = join(stateFolder, remote.environment.name);
  const file = join(folder, 'terraform.tfstate');
  const local = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const resources = local === '' ? 0 : resourcesIn(local, file);
  if (resources === 0) throw nothingToMove(file);
  const lock = join(folder, '.terraform.tfstate.lock.info');
  if (existsSync(lock)) throw locked(file, lockHolder(readFileSync(lock, 'utf8')));

  await withLock(remote, async () => {
    const there = await read(remote, stateKey(remote));
    // The same state: a move that was cut off before the file was renamed.
    if (there?.text === local) return;
    const inTheWay = there === undefined ? 0 : resourcesIn(there.text, at(remote));
    if (inTheWay > 0) throw stateThere(at(remote), inTheWay);
    await put(remote, stateKey(remote), local, there ? { IfMatch: there.tag } : { IfNoneMatch: '*' });
    if ((await read(remote, stateKey(remote)))?.text !== local) throw readBackDifferent(at(remote), file);
  });
  const kept = `${file}.moved-${new Date().toISOString().replace(/[:.]/g, '-')}`;
  renameSync(file, kept);
  return { kept, resources };
}

function stateKey({ environment }: RemoteState): string {
  return `${STATE_KEY_PREFIX}/${environment.name}/terraform.tfstate`;
}

function at(remote: RemoteState): string {
  return `s3://${remote.bucket}/${stateKey(remote)}`;
}

const stateShape = z.object({ version: z.literal(4), resources: z.array(z.unknown()) });

function resourcesIn(text: string, where: string): number {
  const state = stateShape.safeParse(parsed(text));
  if (!state.success) throw notAState(where);
  return state.data.resources.length;
}

const lockShape = z.object({
  ID: z.string().optional(),
  Operation: z.string().optional(),
  Who: z.string().optional(),
  Created: z.string().optional(),
});

function lockHolder(text: string): LockHolder {
  return lockShape.safeParse(parsed(text)).data ?? {};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Holds Terraform's own lock meanwhile, in its own form, so that a deploy says who holds it (Terraform, "S3 backend"). */
async function withLock(remote: RemoteState, run: () => Promise<void>): Promise<void> {
  if (!remote.lockFile) {
    await run();
    return;
  }
  const key = `${stateKey(remote)}.tflock`;
  const lock = {
    ID: randomUUID(),
    Operation: 'bootstrap-state --move',
    Info: '',
    Who: `${userInfo().username}@${hostname()}`,
    Version: '',
    Created: new Date().toISOString(),
    Path: `${remote.bucket}/${stateKey(remote)}`,
  };
  if (!(await putIfAbsent(remote, key, JSON.stringify(lock))))
    throw locked(at(remote), lockHolder((await read(remote, key))?.text ?? ''));
  try {
    await run();
  } finally {
    await remote.s3.send(new DeleteObjectCommand({ ...of(remote), Key: key }));
  }
}

async function read(remote: RemoteState, Key: string): Promise<{ text: string; tag: string } | undefined> {
  try {
    const { Body, ETag = '' } = await remote.s3.send(new GetObjectCommand({ ...of(remote), Key }));
    return { text: (await Body?.transformToString()) ?? '', tag: ETag };
  } catch (error) {
    if ((error as Error).name === 'NoSuchKey') return undefined;
    throw error;
  }
}

async function putIfAbsent(remote: RemoteState, key: string, text: string): Promise<boolean> {
  try {
    await put(remote, key, text, { IfNoneMatch: '*' });
    return true;
  } catch (error) {
    if ((error as Error).name === 'PreconditionFailed') return false;
    throw error;
  }
}

async function put(
  remote: RemoteState,
  Key: string,
  text: string,
  condition: Pick<PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch'>,
): Promise<void> {
  const { kmsKeyArn } = remote;
  await remote.s3.send(
    new PutObjectCommand({
      ...of(remote),
      ...condition,
      Key,
      Body: text,
      ContentType: 'application/json',
      // As the backend does it: whoever may read the one may read the other.
      ...(kmsKeyArn
        ? { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyArn }
        : { ServerSideEncryption: 'AES256' }),
    }),
  );
}

function of({ bucket, environment }: RemoteState) {
  return { Bucket: bucket, ExpectedBucketOwner: environment.account };
}
