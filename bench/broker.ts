import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startService, type RunningService } from '../scripts/pair';
import { step } from '../scripts/steps';
import { load } from './load';
import { median, quantile, round } from './measure';
import type { Row } from './table';

const ROUNDS = 5;
const REQUESTS = 4000;
const WARM_UP = 4000;
const JOBS = 10_000;
const STS_CALLS_PER_SECOND = 400;

export const title = `broker: a job's credentials against a bare node:http server that answers with the same bytes, in one run.
AWS (DynamoDB, STS) is stubbed at the socket, by a process of its own. 32 connections that are kept, ${ROUNDS} rounds of
${REQUESTS} requests in turn, medians. Then ${JOBS} jobs that start at once, each its own session; at most ${STS_CALLS_PER_SECOND} calls of STS a second
(AWS's quota is 600). Ratio there: to the seconds that the quota itself would take.`;

interface Peer {
  port: number;
  secret: string;
  counts: () => Promise<Record<string, number | undefined>>;
  stop: () => Promise<void>;
}

export async function run(): Promise<Row[]> {
  const aws = await peer('aws');
  const broker = await startService('broker', {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${aws.port}`,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    SESSIONS_TABLE: 'sessions',
    ROLE_MAPPING_TABLE: 'mapping',
    HEAD_NODE_SECRET_ID: 'secret',
    PUBLIC_URL: 'http://127.0.0.1/bench',
    SESSION_REQUESTS_PER_SECOND: '1000000',
    SOURCE_REQUESTS_PER_SECOND: '1000000',
    STS_CALLS_PER_SECOND: String(STS_CALLS_PER_SECOND),
  });
  try {
    return [...(await warm(broker, aws)), ...(await massStart(broker, aws))];
  } finally {
    await broker.stop();
    await aws.stop();
  }
}

async function warm(broker: RunningService, aws: Peer): Promise<Row[]> {
  const [job] = await startJobs(broker, aws, 1, 'warm');
  if (!job) throw new Error('no job');
  const first = await ask(broker, job);
  const bare = await peer('bare', Buffer.from(first.body).toString('base64'));
  const both = [
    ['bare', { port: bare.port, request: requestOf(job) }],
    ['broker', { port: Number(new URL(broker.url).port), request: requestOf(job) }],
  ] as const;
  const times = { bare: [] as number[][], broker: [] as number[][] };
  const rates = { bare: [] as number[], broker: [] as number[] };
  for (const [, target] of both) await load(target, WARM_UP);
  const before = await aws.counts();
  for (let each = 1; each <= ROUNDS; each += 1)
    for (const [name, target] of both) {
      const measured = await step(`round ${each} of ${ROUNDS}, ${name}`, () => load(target, REQUESTS));
      times[name].push(measured.times);
      rates[name].push(measured.perSecond);
    }
  const after = await aws.counts();
  await bare.stop();
  const rate = (name: keyof typeof rates) => median(rates[name]);
  const p99 = (name: keyof typeof times) => median(times[name].map((round) => quantile(round, 0.99)));
  const issues = ROUNDS * REQUESTS;
  const perIssue = (...operations: string[]) =>
    operations.reduce((sum, name) => sum + (after[name] ?? 0) - (before[name] ?? 0), 0) / issues;
  const reads = perIssue('GetItem', 'BatchGetItem', 'Query');
  const writes = perIssue('PutItem', 'UpdateItem', 'DeleteItem');
  return [
    { case: 'requests a second, bare', value: round(rate('bare')), unit: '1/s', ratio: 1 },
    {
      case: 'requests a second, broker',
      value: round(rate('broker')),
      unit: '1/s',
      ratio: rate('broker') / rate('bare'),
    },
    { case: 'p99, bare', value: round(p99('bare')), unit: 'ms', ratio: 1 },
    { case: 'p99, broker', value: round(p99('broker')), unit: 'ms', ratio: p99('broker') / p99('bare') },
    { case: 'DynamoDB reads a warm answer (aim 1)', value: round(reads), unit: 'requests', ratio: reads },
    { case: 'DynamoDB writes a warm answer (aim 0)', value: round(writes), unit: 'requests', ratio: writes },
  ];
}

async function massStart(broker: RunningService, aws: Peer): Promise<Row[]> {
  const jobs = await step(`${JOBS} sessions`, () => startJobs(broker, aws, JOBS, 'mass'));
  const before = await aws.counts();
  const started = performance.now();
  let retried = 0;
  const lost = await step(`credentials for ${JOBS} jobs at once`, async () => {
    const answers = await Promise.all(
      jobs.map(async (job) => {
        // As an SDK does: a refusal for now is asked again.
        for (let attempt = 1; attempt <= 4; attempt += 1) {
          const { status } = await ask(broker, job);
          if (status === 200) return true;
          retried += 1;
          await sleep(2000 * attempt);
        }
        return false;
      }),
    );
    return answers.filter((got) => !got).length;
  });
  const seconds = (performance.now() - started) / 1000;
  const calls = ((await aws.counts()).AssumeRole ?? 0) - (before.AssumeRole ?? 0);
  return [
    {
      case: `${JOBS} jobs at once, until the last has credentials`,
      value: round(seconds),
      unit: 's',
      ratio: seconds / (JOBS / STS_CALLS_PER_SECOND),
    },
    {
      case: 'calls of STS a session (aim 1)',
      value: round(calls / JOBS),
      unit: 'calls',
      ratio: calls / JOBS,
    },
    {
      case: 'calls of STS a second (at most 600)',
      value: round(calls / seconds),
      unit: '1/s',
      ratio: calls / seconds / 600,
    },
    { case: 'asked again', value: retried, unit: 'requests', ratio: retried / JOBS },
    { case: 'lost (aim 0)', value: lost, unit: 'jobs', ratio: lost / JOBS },
  ];
}

interface Job {
  path: string;
  token: string;
}

const agent = new Agent({ keepAlive: true });

async function startJobs(
  broker: RunningService,
  { secret }: Peer,
  count: number,
  name: string,
): Promise<Job[]> {
  const jobs: Job[] = [];
  const one = async (index: number) => {
    const session = {
      sessionId: `${name}-${index}`,
      projectId: 'example',
      clusterName: 'alpha',
      clusterUser: `user${index % 100}`,
      submittedTime: '2026-01-01T00:00:00',
    };
    const { status, body } = await send(broker, '/sessions', secret, JSON.stringify(session));
    if (status !== 200) throw new Error(`POST /sessions: ${status} ${body}`);
    const { AWS_CONTAINER_AUTHORIZATION_TOKEN: token = '' } = JSON.parse(body) as Record<string, string>;
    const path = `/sessions/${session.sessionId}/cluster/alpha/project/example?roleSessionName=alpha-user${index % 100}-n${index}`;
    jobs.push({ path, token });
  };
  for (let start = 0; start < count; start += 64)
    await Promise.all(Array.from({ length: Math.min(64, count - start) }, (_, index) => one(start + index)));
  return jobs;
}

const ask = (broker: RunningService, { path, token }: Job) => send(broker, path, token);

const requestOf = ({ path, token }: Job) =>
  `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: ${token}\r\n\r\n`;

function send(
  broker: RunningService,
  path: string,
  authorization: string,
  body?: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(broker.url);
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request({ agent, hostname, port, path, method, headers: { authorization } }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, body: text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function peer(...args: string[]): Promise<Peer> {
  const child = fork(join(__dirname, 'broker-peers.cjs'), args);
  const [{ port, secret }] = (await once(child, 'message')) as [{ port: number; secret: string }];
  return {
    port,
    secret,
    counts: async () => {
      const answer = once(child, 'message');
      child.send('counts');
      const [counts] = (await answer) as [Record<string, number | undefined>];
      return counts;
    },
    stop: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}
