import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a cluster can't be made to show: the hooks of two jobs at once, in a given order. The broker is a stand-in. */
let folder: string;
let server: Server;
/** Method and path of each request. */
let asked: string[];
/** What the broker does before it answers, and the status it answers with. */
let answer: (request: string) => Promise<number> | number;

const state = (name: string) => join(folder, 'state', name);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-hooks-'));
  mkdirSync(join(folder, 'state'));
  cpSync(join(__dirname, '../slurm'), join(folder, 'hooks'), { recursive: true });
  writeFileSync(join(folder, 'hooks/head-node-secret'), 'secret\n');
  asked = [];
  answer = () => 200;
  server = createServer((request, response) => {
    const what = `${request.method ?? ''} ${request.url ?? ''}`;
    asked.push(what);
    void Promise.resolve(answer(what)).then((status) => response.writeHead(status).end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const settings = [
    `BROKER_URL=http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    `STATE_FOLDER=${folder}/state`,
    `PROJECTS_FILE=${folder}/projects`,
  ];
  writeFileSync(join(folder, 'hooks/slipway.conf'), settings.join('\n'));
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  rmSync(folder, { recursive: true });
});

function hook(name: string, job: string, signal?: AbortSignal): Promise<unknown> {
  const env = {
    PATH: process.env.PATH,
    SLURM_JOB_ID: job,
    SLURM_JOB_USER: 'user1',
    SLURM_JOB_UID: '1001',
    SLURM_JOB_ACCOUNT: 'abc',
    SLURM_CLUSTER_NAME: 'alpha',
  };
  return promisify(execFile)(join(folder, 'hooks', name), [], { env, ...(signal && { signal }) });
}

test('an end that is told late is not told of a job that has been requeued meanwhile', async () => {
  for (const job of ['1', '2']) writeFileSync(state(job), '');
  answer = (request) => {
    // As its PrologSlurmctld does, which gets the lock between two sessions.
    if (request === 'PUT /sessions/1') rmSync(state('2'));
    return 200;
  };
  await hook('epilog-slurmctld.sh', '3');
  expect(asked).toEqual(['PUT /sessions/3', 'PUT /sessions/1']);
  expect(readdirSync(join(folder, 'state'))).toEqual(['lock']);
});

test('a requeued job waits for what is told of its last run, and makes its session then', async () => {
  writeFileSync(join(folder, 'projects'), 'user1: abc');
  for (const job of ['1', '2']) writeFileSync(state(job), '');
  let requeued: Promise<unknown> | undefined;
  answer = async (request) => {
    if (request !== 'PUT /sessions/1') return 200;
    requeued = hook('prolog-slurmctld.sh', '1');
    // Time enough for a session to be made, were nothing waited for.
    await new Promise((resolve) => setTimeout(resolve, 700));
    return 200;
  };
  await hook('epilog-slurmctld.sh', '3');
  await requeued;
  const made = asked.indexOf('POST /sessions');
  expect(made).toBeGreaterThan(asked.indexOf('PUT /sessions/1'));
  expect(asked.slice(made)).not.toContain('PUT /sessions/1');
});

test('the end of a session that may still be on its way is told again', async () => {
  writeFileSync(join(folder, 'projects'), 'user1: abc\n');
  const cancelled = new AbortController();
  answer = (request) => {
    if (request !== 'POST /sessions') return 404;
    // SLURM kills PrologSlurmctld at a cancel, and starts EpilogSlurmctld at once.
    cancelled.abort();
    return 200;
  };
  await expect(hook('prolog-slurmctld.sh', '7', cancelled.signal)).rejects.toThrow('aborted');
  await hook('epilog-slurmctld.sh', '7');
  expect(existsSync(state('7'))).toBe(true);
  answer = () => 200;
  await hook('epilog-slurmctld.sh', '8');
  expect(asked).toEqual(['POST /sessions', 'PUT /sessions/7', 'PUT /sessions/8', 'PUT /sessions/7']);
  expect(readdirSync(join(folder, 'state'))).toEqual(['lock']);
});

test('a job that never had a session leaves nothing to be told', async () => {
  answer = () => 404;
  await hook('epilog-slurmctld.sh', '9');
  expect(readdirSync(join(folder, 'state'))).toEqual(['lock']);
});
