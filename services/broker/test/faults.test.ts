import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type LocalAws, startLocalAws } from '@slipway/local-aws';
import { type LocalBroker, startLocalBroker } from '../../../scripts/local-broker';
import { type RunningService, startService } from '../../../scripts/pair';
import { type Fault, faultyWay } from './faulty-aws';
import { headNodeOf } from './head-node';

jest.setTimeout(180_000);

/** So many by hand: RANDOM_REQUESTS=100000 */
const RANDOM_REQUESTS = Number(process.env.RANDOM_REQUESTS ?? 10_000);

let aws: LocalAws;
let way: Awaited<ReturnType<typeof faultyWay>>;
let broker: LocalBroker;
let head: ReturnType<typeof headNodeOf>;

beforeAll(async () => {
  aws = await startLocalAws();
  way = await faultyWay(aws.endpoint);
  broker = await startLocalBroker(aws, {
    more: {
      AWS_ENDPOINT_URL: way.url,
      SOURCE_REQUESTS_PER_SECOND: '1000000',
      SESSION_REQUESTS_PER_SECOND: '1000',
      // Else Node lets garbage lie, and what grows can't be told from it.
      NODE_OPTIONS: '--max-old-space-size=128',
    },
  });
  head = headNodeOf(broker);
});
afterEach(() => {
  way.faults.clear();
});
afterAll(async () => {
  await broker.stop();
  await way.stop();
  await aws.stop();
});

const THROTTLED: Fault = {
  status: 400,
  body: JSON.stringify({
    __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
    message: 'The level of configured provisioned throughput for the table was exceeded',
  }),
};
const OUT_OF_ORDER: Fault = { status: 500, body: '{"__type":"InternalServiceError"}' };
const UNAVAILABLE = { status: 503, body: { code: 'ServiceUnavailable', Code: 'ServiceUnavailable' } };

test('DynamoDB throttles: everything is refused clearly, and works again without a restart', async () => {
  const job = await head.start();
  way.faults.set('dynamodb', THROTTLED);
  const answer = await fetch(broker.url + job.path, { headers: { authorization: job.token } });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
  expect(await head.call('PUT', `/sessions/${job.sessionId}`, { status: 'COMPLETED' })).toMatchObject(
    UNAVAILABLE,
  );
  expect(await head.call('DELETE', '/sessions/users/user1')).toMatchObject(UNAVAILABLE);
  await expect(head.start()).rejects.toThrow('503');
  way.faults.clear();
  expect(await head.credentials(job)).toMatchObject({ status: 200 });
});

test.each(['no answer', OUT_OF_ORDER] as const)(
  'STS is down (%j): what is held is served, the rest is told to come again',
  async (fault) => {
    const [warm, cold] = [await head.start(), await head.start()];
    const first = await head.credentials(warm);
    way.faults.set('sts', fault);
    expect(await head.credentials(warm)).toEqual(first);
    expect(await head.credentials(cold)).toMatchObject(UNAVAILABLE);
    way.faults.clear();
    expect(await head.credentials(cold)).toMatchObject({ status: 200 });
  },
);

test('Secrets Manager is down: who is known goes on, who is not is told to come again', async () => {
  const fresh: RunningService = await startService('broker', broker.variables);
  const freshHead = headNodeOf({ ...broker, url: fresh.url });
  way.faults.set('secretsmanager', OUT_OF_ORDER);
  expect(await head.call('GET', '/projects')).toMatchObject({ status: 200 });
  expect(await freshHead.call('GET', '/projects')).toMatchObject(UNAVAILABLE);
  way.faults.clear();
  expect(await freshHead.call('GET', '/projects')).toMatchObject({ status: 200 });
  await fresh.stop();
});

test('IAM is down: no more credentials, a clear answer, and the revocation works when asked again', async () => {
  const job = await head.start({ clusterUser: 'gone' });
  expect(await head.credentials(job)).toMatchObject({ status: 200 });
  way.faults.set('iam', OUT_OF_ORDER);
  const failed = await head.call('DELETE', '/sessions/users/gone');
  expect(failed).toMatchObject({ status: 502, body: { code: 'RevocationIncomplete' } });
  expect(failed.body.message).toContain(broker.roleArn('example'));
  expect(await head.credentials(job)).toMatchObject({ status: 403 });
  way.faults.clear();
  expect(await head.call('DELETE', '/sessions/users/gone')).toMatchObject({ status: 200 });
});

test('a warm answer reads DynamoDB once, writes nothing, and asks nobody else', async () => {
  const job = await head.start();
  await head.credentials(job);
  const before = new Map(way.calls);
  for (let again = 0; again < 5; again += 1) await head.credentials(job);
  const more = [...way.calls].map(([service, count]) => [service, count - (before.get(service) ?? 0)]);
  expect(more.filter(([, count]) => count !== 0)).toEqual([['dynamodb', 5]]);
});

test('who guesses is slowed down, and a job that asks too often', async () => {
  const strict = await startService('broker', {
    ...broker.variables,
    SOURCE_REQUESTS_PER_SECOND: '40',
    SESSION_REQUESTS_PER_SECOND: '1',
  });
  const strictHead = headNodeOf({ ...broker, url: strict.url });
  const job = await strictHead.start();
  const asked = await Promise.all(Array.from({ length: 8 }, () => strictHead.credentials(job)));
  expect(asked.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
  // Its other nodes are not held up by that, but all of them together have a limit, too.
  const nodes = await Promise.all(
    Array.from({ length: 150 }, (_, node) => strictHead.credentials(job, `node${node}`)),
  );
  const statuses = nodes.map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(95);
  const guesses = await Promise.all(
    Array.from({ length: 30 }, () =>
      strictHead.credentials({ ...job, path: '/sessions/1/cluster/a/project/b' }),
    ),
  );
  expect(guesses.filter(({ status }) => status === 429).length).toBeGreaterThan(15);
  await strict.stop();
});

test("who knows a job's id can't use up its limit", async () => {
  const strict = await startService('broker', { ...broker.variables, SESSION_REQUESTS_PER_SECOND: '1' });
  const strictHead = headNodeOf({ ...broker, url: strict.url });
  const job = await strictHead.start();
  const guesses = await Promise.all(
    Array.from({ length: 50 }, (_, guess) =>
      strictHead.credentials({ ...job, token: `${job.token}${guess}` }),
    ),
  );
  expect(new Set(guesses.map(({ status }) => status))).toEqual(new Set([403]));
  expect(await strictHead.credentials(job)).toMatchObject({ status: 200 });
  await strict.stop();
});

test(`${RANDOM_REQUESTS} random requests: no credentials leave, nothing breaks, nothing grows without bound`, async () => {
  const victim = await head.start({ clusterUser: 'victim' });
  await head.credentials(victim);
  const before = residentMiB();
  const seen = { answers: 0, credentials: 0, oks: 0 };
  const random = randomOf(7);
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      const ask = rawClient(broker.url);
      while (seen.answers < RANDOM_REQUESTS) {
        const text = await ask(randomRequest(random, victim));
        seen.answers += 1;
        if (text.startsWith('HTTP/1.1 200')) seen.oks += 1;
        if (/SecretAccessKey|ASIA/.test(text)) seen.credentials += 1;
      }
    }),
  );
  expect(seen.credentials).toBe(0);
  // Some were for everyone, so the others were refused, not lost.
  expect(seen.oks).toBeGreaterThan(RANDOM_REQUESTS / 100);
  expect(residentMiB() - before).toBeLessThan(100);
  expect(await head.credentials(victim)).toMatchObject({ status: 200 });
  expect(broker.log()).not.toContain('InternalError');
});

function residentMiB(): number {
  const status = readFileSync(`/proc/${broker.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

type Random = (below: number) => number;

/** Numbers that are the same at each run (Park and Miller's generator). */
function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** Nearly right ones among nonsense: what is all nonsense is refused at the first look. */
function randomRequest(random: Random, victim: { path: string; token: string; sessionId: string }): string {
  const pick = <T>(all: readonly T[]): T => all[random(all.length)] as T;
  const noise = () =>
    pick(['%2F', '%00', '..', '%', '%ff', '\\', "'", '{}', '*', '#', ';', 'ü', 'a'.repeat(random(300)), '']);
  const spoiled = (text: string): string => {
    const at = random(text.length);
    const other =
      text.slice(0, at) +
      pick(['%2e', 'x', '%2F', '%25', '//', '\\u0000', 'Ａ']) +
      text.slice(at + random(4));
    // An x for an x spoils nothing.
    return other === text ? spoiled(text) : other;
  };
  const path = pick([
    () => (random(20) === 0 ? spoiled(victim.path) : `/sessions/${spoiled('1300')}%2F/cluster/a/project/b`),
    () => `/local/sessions/${noise()}${noise()}`,
    () => `/sessions/users/${noise()}`,
    () => `/sessions?user=${noise()}&after=${noise()}`,
    () => `/projects/${noise()}/role`,
    () => `/${noise()}/${noise()}?${noise()}`,
    () => `http://169.254.169.254${victim.path}`,
    // The one that gets as far as DynamoDB: the right path, without the token.
    () => (random(50) === 0 ? victim.path : '/health'),
  ])();
  const authorization = pick([
    '',
    `authorization: ${spoiled(victim.token)}\r\n`,
    `authorization: Bearer ${victim.token.slice(1)}\r\n`,
    `authorization: ${'x'.repeat(random(3000))}\r\n`,
    `x-authorization: ${victim.token}\r\n`,
  ]);
  const body =
    random(3) === 0
      ? pick(['{', '[]', '{"status":"ACTIVE"}', '\u0000'.repeat(9), 'x'.repeat(random(500))])
      : '';
  const safePath = Buffer.from(path)
    .toString('latin1')
    .replaceAll(/[\s\0]/g, '');
  return `${pick(['GET', 'GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])} ${safePath} HTTP/1.1\r\nhost: ${pick(['broker', '127.0.0.1', 'evil.example'])}\r\n${authorization}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Sends a request as it is written. @returns what comes back; what came until then where the other side closes */
function rawClient(url: string): (request: string) => Promise<string> {
  const { hostname, port } = new URL(url);
  let socket: Socket | undefined;
  return (request) =>
    new Promise((resolve) => {
      let text = '';
      const end = () => {
        socket?.removeAllListeners();
        resolve(text);
      };
      const closed = () => {
        socket?.destroy();
        end();
        socket = undefined;
      };
      socket ??= connect(Number(port), hostname).setNoDelay(true);
      socket.on('error', closed).on('close', closed);
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        const head = text.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
        if (head < 0 || text.length < head + 4 + length) return;
        if (/connection: close/i.test(text)) closed();
        else end();
      });
      socket.write(request, 'latin1');
    });
}
