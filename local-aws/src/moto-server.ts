import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { motoForAnotherAccount, motoNotStarted, noFreePort } from './errors';
import type { MotoCommand } from './find-moto';
import { keep, type Kept } from './keeper';
import { NO_AWS_FILES } from './no-aws-files';

/** Ready in 0.6 s when warm; a cold disk on a busy machine may take tens of seconds. */
const READY_WITHIN_MS = 90_000;
const POLL_MS = 50;
/** A port is lost only to a program that takes it in the half second before moto does. */
const PORT_ATTEMPTS = 5;
const LOG_TAIL_LINES = 20;

export interface MotoOptions {
  readonly command: MotoCommand;
  /** 12 digits. */
  readonly account: string;
  /** `true`: moto outlives this process. */
  readonly detached: boolean;
  /** @default - a port that the operating system calls free */
  readonly choosePort?: () => Promise<number>;
}

export interface Moto {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** moto's own process (or its launcher's, such as uv); SIGTERM ends it, and its files go. */
  readonly pid: number;
  readonly logFile: string;
  /** Ends moto and returns when it is gone; a second call waits for the same end. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts moto on a free loopback port and waits until it answers.
 *
 * @throws LocalAwsError with the end of moto's log
 */
export async function startMoto(options: MotoOptions): Promise<Moto> {
  const { choosePort = freePort } = options;
  for (let attempt = 1; attempt <= PORT_ATTEMPTS; attempt++) {
    const moto = await startOn(await choosePort(), options);
    if (moto !== undefined) return moto;
  }
  throw noFreePort(PORT_ATTEMPTS);
}

/** @returns undefined when another program has the port */
async function startOn(port: number, options: MotoOptions): Promise<Moto | undefined> {
  const { command, account, detached } = options;
  const program = [command.command, ...command.args, '-H', '127.0.0.1', '-p', String(port)];
  const endpoint = `http://127.0.0.1:${port}`;
  const kept = await keep(program, motoEnvironment(account));
  try {
    const pid = await untilListening(kept, endpoint);
    await checkAccount(kept, endpoint, account);
    kept.release(detached);
    return { endpoint, pid, logFile: kept.logFile, stop: kept.end };
  } catch (error) {
    const log = await kept.log();
    await kept.end();
    if (log.includes('Address already in use')) return undefined;
    throw error;
  }
}

/** No variable of the user's may change this server: with an AWS_PROFILE that it doesn't find, moto fails every call. */
function motoEnvironment(account: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(MOTO|AWS)_/.test(name) && name !== 'INITIAL_NO_AUTH_ACTION_COUNT',
  );
  return {
    ...Object.fromEntries(inherited),
    ...NO_AWS_FILES,
    MOTO_ACCOUNT_ID: account,
    MOTO_IAM_LOAD_MANAGED_POLICIES: 'true',
    PYTHONUNBUFFERED: '1',
  };
}

/** The log is this moto's alone: what it says of the port is not said of another program's. */
async function untilListening(kept: Kept, endpoint: string): Promise<number> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const ended = kept.hasEnded(); // before the log is read, so that its last words are in
    const [log, pid] = await Promise.all([kept.log(), kept.pid()]);
    if (ended) throw motoNotStarted('moto ended by itself', tail(log));
    if (pid !== undefined && log.includes(`Running on ${endpoint}`)) return pid;
    if (Date.now() > deadline)
      throw motoNotStarted(`moto was not ready within ${READY_WITHIN_MS / 1000} s`, tail(log));
    await sleep(POLL_MS);
  }
}

async function checkAccount(kept: Kept, endpoint: string, account: string): Promise<void> {
  const answer = await callerIdentity(endpoint).catch(async (error: unknown) => {
    throw motoNotStarted(`no answer from ${endpoint} (${(error as Error).message})`, tail(await kept.log()));
  });
  if (!answer.includes(`<Account>${account}</Account>`)) throw motoForAnotherAccount(account);
}

async function callerIdentity(endpoint: string): Promise<string> {
  // moto takes the service from the credential's scope, and checks no signature.
  const authorization =
    'AWS4-HMAC-SHA256 Credential=AKIAREADINESSCHECKXX/20200101/us-east-1/sts/aws4_request';
  const body = new URLSearchParams({ Action: 'GetCallerIdentity', Version: '2011-06-15' });
  const signal = AbortSignal.timeout(READY_WITHIN_MS);
  const answer = await fetch(endpoint, { method: 'POST', headers: { authorization }, body, signal });
  return answer.text();
}

const tail = (log: string) => log.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return address !== null && typeof address === 'object' ? address.port : 0;
}
