import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { motoForAnotherAccount, motoNotStarted, noFreePort } from '../errors';
import type { MotoCommand } from '../machine/find-moto';
import { ACCOUNT_HEADER } from './authorization/moto-clients';
import { NO_AWS_FILES } from '../process/no-aws-files';

/** Ready in 0.6 s when warm; a cold disk on a busy machine may take tens of seconds. */
const READY_WITHIN_MS = 90_000;
const POLL_MS = 25;
/** A port is lost only to a program that takes it in the half second before moto does. */
const PORT_ATTEMPTS = 5;
const LOG_TAIL_LINES = 20;

export interface MotoOptions {
  readonly command: MotoCommand;
  /** 12 digits. */
  readonly account: string;
  /** It has no other, and needs no header to tell them apart. @default - several accounts */
  readonly oneAccount?: boolean;
  /** Where its output goes. */
  readonly logFile: string;
  /** @default - a port that the operating system calls free */
  readonly choosePort?: () => Promise<number>;
}

export interface Moto {
  readonly host: string;
  readonly port: number;
  readonly process: ChildProcess;
}

const HOST = '127.0.0.1';

/**
 * Starts moto on a free loopback port and waits until it answers. It is in this process's group, and ends with it.
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
  const { command, account, oneAccount = false, logFile } = options;
  const output = openSync(logFile, 'w', 0o600);
  const child = spawn(command.command, [...command.args, '-H', HOST, '-p', String(port)], {
    stdio: ['ignore', output, output],
    env: motoEnvironment(oneAccount ? account : undefined),
  });
  closeSync(output);
  const log = () => readFileSync(logFile, 'utf8');
  try {
    await untilListening(child, port, log);
    await checkAccount(port, account, log);
    return { host: HOST, port, process: child };
  } catch (error) {
    child.kill('SIGKILL');
    if (log().includes('Address already in use')) return undefined;
    throw error;
  }
}

/** No variable of the user's may change this server: with an AWS_PROFILE that it doesn't find, moto fails every call. */
function motoEnvironment(onlyAccount: string | undefined): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(MOTO|AWS)_/.test(name) && name !== 'INITIAL_NO_AUTH_ACTION_COUNT',
  );
  return {
    ...Object.fromEntries(inherited),
    ...NO_AWS_FILES,
    // Over every header: with it, moto has this account alone.
    ...(onlyAccount !== undefined && { MOTO_ACCOUNT_ID: onlyAccount }),
    MOTO_IAM_LOAD_MANAGED_POLICIES: 'true',
    PYTHONUNBUFFERED: '1',
  };
}

/** The log is this moto's alone: what it says of the port is not said of another program's. */
async function untilListening(child: ChildProcess, port: number, log: () => string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let failed: Error | undefined;
  child.once('error', (error) => (failed = error));
  for (;;) {
    const ended = child.exitCode !== null || child.signalCode !== null; // before the log is read, so that its last words are in
    const text = log();
    if (failed !== undefined) throw motoNotStarted(`moto can't be run (${failed.message})`, tail(text));
    if (ended) throw motoNotStarted('moto ended by itself', tail(text));
    if (text.includes(`Running on http://${HOST}:${port}`)) return;
    if (Date.now() > deadline)
      throw motoNotStarted(`moto was not ready within ${READY_WITHIN_MS / 1000} s`, tail(text));
    await sleep(POLL_MS);
  }
}

async function checkAccount(port: number, account: string, log: () => string): Promise<void> {
  const answer = await callerIdentity(port, account).catch((error: unknown) => {
    throw motoNotStarted(`no answer from port ${port} (${(error as Error).message})`, tail(log()));
  });
  if (!answer.includes(`<Account>${account}</Account>`)) throw motoForAnotherAccount(account);
}

async function callerIdentity(port: number, account: string): Promise<string> {
  // moto takes the service from the credential's scope, and checks no signature.
  const authorization =
    'AWS4-HMAC-SHA256 Credential=AKIAREADINESSCHECKXX/20200101/us-east-1/sts/aws4_request';
  const body = new URLSearchParams({ Action: 'GetCallerIdentity', Version: '2011-06-15' });
  const signal = AbortSignal.timeout(READY_WITHIN_MS);
  const answer = await fetch(`http://${HOST}:${port}`, {
    method: 'POST',
    headers: { authorization, [ACCOUNT_HEADER]: account },
    body,
    signal,
  });
  return answer.text();
}

const tail = (log: string) => log.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return address !== null && typeof address === 'object' ? address.port : 0;
}
