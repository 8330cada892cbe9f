import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** From SIGTERM to SIGKILL. A local AWS holds nothing that is worth a longer wait. */
const GRACE_SECONDS = 3;
/** keeper.sh kills the server after the grace; if it is this much later itself, its whole group is killed. */
const KEEPER_LATE_MS = 2_000;

/** A server that ends with this process at the latest. */
export interface Kept {
  /** Its own, in $TMPDIR, with its output in server.log; removed when the server ends on request. */
  readonly folder: string;
  /** Its process id; undefined for the first moment. */
  readonly pid: () => Promise<number | undefined>;
  /** What it has written so far. */
  readonly log: () => Promise<string>;
  readonly hasEnded: () => boolean;
  /** From now on it keeps nobody from ending. When detached, it also outlives this process. */
  readonly release: (detached: boolean) => void;
  /** SIGTERM, SIGKILL after the grace; returns when it is gone and its files are removed. */
  readonly end: () => Promise<void>;
}

/**
 * Starts a server under keeper.sh, which ends it when this process is gone, however it went.
 *
 * @param program its absolute path and its arguments
 * @param env its whole environment, from the folder that it gets
 */
export async function keep(
  program: readonly string[],
  env: (folder: string) => NodeJS.ProcessEnv,
): Promise<Kept> {
  const folder = await mkdtemp(path.join(tmpdir(), 'slipway-local-aws-'));
  const logFile = path.join(folder, 'server.log');
  const keeper = await startKeeper(folder, logFile, program, env(folder));
  let ending: Promise<void> | undefined;
  return {
    folder,
    pid: async () => Number(await readFile(path.join(folder, 'pid'), 'utf8').catch(() => '')) || undefined,
    log: () => readFile(logFile, 'utf8').catch(() => ''),
    hasEnded: () => hasEnded(keeper),
    release: (detached) => {
      if (detached) keeper.stdin?.end('release\n');
      else if (keeper.stdin instanceof Socket) keeper.stdin.unref();
      keeper.unref();
    },
    end: () => (ending ??= endKeeper(keeper, folder)),
  };
}

async function startKeeper(
  folder: string,
  logFile: string,
  program: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ChildProcess> {
  const script = path.join(__dirname, 'keeper.sh');
  const log = await open(logFile, 'w', 0o600);
  try {
    const keeper = spawn('/bin/sh', [script, folder, String(GRACE_SECONDS), ...program], {
      // A process group of its own: Ctrl-C in the terminal must not end it before the caller's clean-up.
      detached: true,
      stdio: ['pipe', log.fd, log.fd],
      env,
    });
    keeper.stdin?.on('error', () => undefined); // a keeper that is gone is seen by its exit
    // If someone kills the keeper alone, what it kept goes too.
    keeper.once('exit', () => {
      killGroup(keeper);
    });
    await once(keeper, 'spawn');
    return keeper;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    await log.close();
  }
}

async function endKeeper(keeper: ChildProcess, folder: string): Promise<void> {
  if (!hasEnded(keeper)) {
    keeper.ref();
    const ended = once(keeper, 'exit');
    keeper.kill('SIGTERM');
    const late = setTimeout(
      () => {
        killGroup(keeper);
      },
      GRACE_SECONDS * 1000 + KEEPER_LATE_MS,
    );
    await ended;
    clearTimeout(late);
  }
  await rm(folder, { recursive: true, force: true });
}

function hasEnded(keeper: ChildProcess): boolean {
  return keeper.exitCode !== null || keeper.signalCode !== null;
}

function killGroup(keeper: ChildProcess): void {
  try {
    if (keeper.pid !== undefined) process.kill(-keeper.pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}
