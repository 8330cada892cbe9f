import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, get as request, type IncomingMessage } from 'node:http';
import { startLocalAws, type LocalAws } from '@slipway/local-aws';
import { startPair, type Pair } from '../../../scripts/pair';
import { makeChain } from './chain';
import { unsteadyWay, type UnsteadyWay } from './unsteady-way';

jest.setTimeout(60_000);

const PARAMETER = '/v1/parameter?name=/kantox/dev/api/config';
const TIMEOUT_MS = 2000;

let aws: LocalAws;
let way: UnsteadyWay;
let pair: Pair;
let variables: Record<string, string>;
beforeAll(async () => {
  aws = await startLocalAws();
  ({ variables } = await makeChain(aws));
  way = await unsteadyWay(aws.endpoint, 'closed');
  pair = await startPair({ ...variables, AWS_ENDPOINT_URL: way.url }, { AUX_TIMEOUT_MS: String(TIMEOUT_MS) });
});
afterAll(async () => {
  await pair.stop();
  await way.stop();
  await aws.stop();
});

async function get(path: string) {
  const started = performance.now();
  const response = await fetch(pair.api.url + path);
  const text = await response.text();
  const body: unknown = text.startsWith('{') ? JSON.parse(text) : text;
  const requestId = response.headers.get('x-request-id') ?? '';
  return { status: response.status, body, requestId, ms: performance.now() - started };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50);
}

test.each([
  ['closed', 503],
  ['garbage', 503],
  ['silent', 504],
] as const)('STS %s: the client gets a problem in time, by its request id', async (mode, expected) => {
  way.become(mode);
  let answer = await get(PARAMETER);
  // For a moment the runtime answers with the fault before this one, and spares STS.
  for (let tries = 1; answer.status !== expected && tries < 30; tries += 1) {
    await sleep(100);
    answer = await get(PARAMETER);
  }
  const { status, body, requestId, ms } = answer;
  expect(status).toBe(expected);
  expect(body).toMatchObject({ status, requestId });
  expect(ms).toBeLessThan(TIMEOUT_MS + 500);
});

test('client, API, AUX, AssumeRole, S3 and SSM: what AUX read comes back, under one request id', async () => {
  way.become('open');
  await until(async () => (await get(PARAMETER)).status === 200);
  const { body, requestId } = await get(PARAMETER);
  expect(body).toMatchObject({ value: '{"logLevel":"debug"}' });
  expect((await get('/v1/object?bucket=kantox-data-dev&key=reports/%C3%A4%20b.txt')).body).toBe('of dev');
  for (const { log } of [pair.api, pair.aux]) await until(() => log().includes(requestId));

  const asked = (await aws.decisions())
    .filter(({ allowed, principal }) => allowed && !principal.endsWith('administrator'))
    .map(({ action, principal }) => `${principal.replace(/^.*:/, '').replace(/\/[^/]*$/, '')} ${action}`);
  expect(new Set(asked)).toEqual(
    new Set([
      'user sts:AssumeRole',
      'assumed-role/kantox-aux-role-dev ssm:GetParameter',
      'assumed-role/kantox-aux-role-dev s3:GetObject',
    ]),
  );
});

test("another environment's things, secrets and what is for the cluster are out of the client's reach", async () => {
  expect((await get('/v1/objects?bucket=kantox-data-qa')).status).toBe(403);
  expect((await get('/v1/parameter?name=/kantox/qa/api/config')).status).toBe(403);
  expect((await get('/secret?name=/kantox/dev/database/url')).status).toBe(404);
  expect((await get('/v1/parameter?name=/kantox/dev/database/url')).body).not.toHaveProperty('value');
  const document = await get('/v1/openapi.json');
  expect(document.body).toMatchObject({ info: { title: 'AUX' } });
});

test('SIGTERM under load loses no request that a service has taken, at the API or at AUX', async () => {
  const load = startLoad(`${pair.api.url}/v1/openapi.json`);
  await until(() => load.answered() > 200);
  way.become('silent');
  const slow = get(PARAMETER);
  await until(() => load.answered() > 300);
  expect(await pair.api.stop()).toBe(0);
  expect(await load.end()).toEqual({ lost: [] });
  expect((await slow).status).toBe(504);
  way.become('open');
  expect(pair.api.log()).toMatch(/"msg":"stopped"/);

  const direct = startLoad(`${pair.aux.url}${PARAMETER}`);
  await until(() => direct.answered() > 50);
  expect(await pair.aux.stop()).toBe(0);
  expect(await direct.end()).toEqual({ lost: [] });
});

/** Clients as a load balancer is: they keep their connections, and go elsewhere when told "connection: close". */
function startLoad(url: string) {
  let answered = 0;
  let ending = false;
  const lost: string[] = [];
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let closed = false; !closed && !ending; ) {
      const outcome = await new Promise<{ status?: number | undefined; closed: boolean; error?: string }>(
        (resolve) => {
          request(url, { agent }, (answer: IncomingMessage) => {
            answer.resume();
            answer.once('error', ({ message }) => {
              resolve({ closed: true, error: message });
            });
            answer.once('end', () => {
              resolve({ status: answer.statusCode, closed: answer.headers.connection === 'close' });
            });
          }).once('error', ({ message }) => {
            resolve({ closed: true, error: message });
          });
        },
      );
      closed = outcome.closed;
      if (outcome.status === 200) answered += 1;
      else lost.push(outcome.error ?? String(outcome.status));
    }
    agent.destroy();
  };
  const clients = Array.from({ length: 16 }, client);
  return {
    answered: () => answered,
    end: async () => {
      ending = true;
      await Promise.all(clients);
      return { lost };
    },
  };
}
