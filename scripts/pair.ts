import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandFailed } from './errors';

const ROOT = join(__dirname, '..');
/** tsx takes a second or two on a machine that is busy. */
const READY_WITHIN_MS = 30_000;

/** A service as a process of its own, with nothing in its environment but what it is given. */
export interface RunningService {
  url: string;
  pid: number;
  /** What it has logged so far, one JSON object a line. */
  log: () => string;
  /** The exit code, once it has ended. */
  ended: Promise<number | null>;
  /** Sends SIGTERM and waits. @returns the exit code */
  stop: () => Promise<number | null>;
}

export interface Pair {
  api: RunningService;
  aux: RunningService;
  stop: () => Promise<void>;
}

/**
 * Starts AUX and API on free ports of 127.0.0.1 and waits until both listen.
 *
 * @param auxVariables all that AUX gets: the variables of its Kubernetes secret, and the way to a local AWS
 * @param apiVariables what the API gets besides the way to AUX @default - nothing
 * @throws OperatorError when one does not start
 */
export async function startPair(
  auxVariables: Record<string, string>,
  apiVariables: Record<string, string> = {},
): Promise<Pair> {
  const aux = await startService('aux', auxVariables);
  try {
    const api = await startService('api', { AUX_URL: aux.url, ...apiVariables });
    const stop = async () => {
      await api.stop();
      await aux.stop();
    };
    return { api, aux, stop };
  } catch (error) {
    await aux.stop();
    throw error;
  }
}

/** @throws OperatorError when it does not start */
export async function startService(
  name: 'api' | 'aux' | 'broker' | 'node-proxy',
  variables: Record<string, string>,
): Promise<RunningService> {
  const child = spawn(
    process.execPath,
    ['--require', require.resolve('tsx/cjs'), join(ROOT, 'services', name, 'src/main.ts')],
    {
      cwd: ROOT,
      env: { HOME: '/nonexistent', HOST: '127.0.0.1', PORT: '0', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const ended = once(child, 'exit');
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  let log = '';
  let errors = '';
  let port: number | undefined;
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const listening = new Promise<number>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (port !== undefined) return;
      const told = /^\{.*"port":(\d+).*"msg":"listening"\}$/m.exec(log)?.[1];
      if (told !== undefined) resolve((port = Number(told)));
    });
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    process.off('exit', endWithUs);
    return child.exitCode;
  };
  await Promise.race([listening, ended, sleep(READY_WITHIN_MS, undefined, { ref: false })]);
  if (port === undefined) {
    child.kill('SIGKILL');
    throw commandFailed(
      `services/${name}`,
      errors || log || `It did not listen within ${READY_WITHIN_MS / 1000} s.`,
    );
  }
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    log: () => log,
    ended: ended.then(() => child.exitCode),
    stop,
  };
}
