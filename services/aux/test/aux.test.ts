import { setTimeout as sleep } from 'node:timers/promises';
import { startLocalAws, type LocalAws } from '@slipway/local-aws';
import { z } from 'zod';
import { startService, type RunningService } from '../../../scripts/pair';
import { makeChain, SECRET_VALUE } from './chain';
import { unsteadyWay, type UnsteadyWay } from './unsteady-way';

jest.setTimeout(60_000);

let aws: LocalAws;
let way: UnsteadyWay;
let sts: UnsteadyWay;
let aux: RunningService;
let variables: Record<string, string>;
beforeAll(async () => {
  aws = await startLocalAws();
  ({ variables } = await makeChain(aws));
  way = await unsteadyWay(aws.endpoint, 'open');
  sts = await unsteadyWay(aws.endpoint, 'closed');
  aux = await startService('aux', {
    ...variables,
    AWS_ENDPOINT_URL: way.url,
    AWS_ENDPOINT_URL_STS: sts.url,
  });
});
afterAll(async () => {
  await aux.stop();
  await way.stop();
  await sts.stop();
  await aws.stop();
});

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(aux.url + path, { headers });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  return {
    status: response.status,
    body: type.includes('json') ? (JSON.parse(text) as unknown) : text,
    response,
  };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(100);
}

test('alive from the start; ready only once it can take on its role, and it says why not', async () => {
  expect(await get('/health')).toMatchObject({ status: 200, body: { alive: true } });
  expect(await get('/ready')).toMatchObject({
    status: 503,
    body: { detail: expect.stringMatching(/Could not take on role .*kantox-aux-role-dev: STS/) as string },
  });
  expect(await get('/v1/parameter?name=/kantox/dev/api/config')).toMatchObject({
    status: 503,
    body: { detail: 'AUX can not take on its role at the moment; its /ready says why.' },
  });
  sts.become('open');
  // The runtime spares an STS in trouble: its next try comes within seconds.
  await until(async () => (await get('/ready')).status === 200);
  expect((await get('/ready')).body).toEqual({ role: variables.AWS_ROLE_ARN });
});

test('reads what is of its environment', async () => {
  expect((await get('/v1/buckets')).body).toEqual({ buckets: ['kantox-data-dev', 'kantox-data-qa'] });
  expect((await get('/v1/objects?bucket=kantox-data-dev&prefix=reports/')).body).toMatchObject({
    objects: [{ key: 'reports/c.txt', size: 6 }, { key: 'reports/ä b.txt' }],
  });
  const { body, response } = await get('/v1/object?bucket=kantox-data-dev&key=reports/%C3%A4%20b.txt');
  expect(body).toBe('of dev');
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/html',
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
  });
  expect((await get('/v1/parameter?name=/kantox/dev/api/config')).body).toEqual({
    name: '/kantox/dev/api/config',
    type: 'String',
    version: 1,
    value: '{"logLevel":"debug"}',
  });
});

test("a secret's value only where it is asked for, and never in the log", async () => {
  const hidden = { name: '/kantox/dev/database/url', type: 'SecureString', version: 1 };
  const listed = (await get('/v1/parameters?path=/kantox/dev')).body;
  expect(listed).toMatchObject({ parameters: [{ name: '/kantox/dev/api/config' }, hidden] });
  expect((await get('/v1/parameter?name=/kantox/dev/database/url')).body).toEqual(hidden);
  expect(JSON.stringify(listed)).not.toContain('kms');
  expect((await get('/secret?name=/kantox/dev/database/url')).body).toEqual({
    ...hidden,
    value: SECRET_VALUE,
  });
  await until(() => aux.log().includes('"path":"/secret"'));
  for (const secret of [SECRET_VALUE, variables.AWS_SECRET_ACCESS_KEY ?? '', 'SessionToken'])
    expect(aux.log()).not.toContain(secret);
});

test.each([
  ['/v1/objects?bucket=kantox-data-qa', 403],
  ['/v1/object?bucket=kantox-data-qa&key=reports/c.txt', 403],
  ['/v1/parameters?path=/kantox/qa', 403],
  ['/v1/parameter?name=/kantox/qa/api/config', 403],
  ['/secret?name=/kantox/qa/database/url', 403],
  ['/v1/object?bucket=kantox-data-dev&key=none', 404],
  ['/v1/parameter?name=/kantox/dev/none', 404],
  ['/v1/none', 404],
  ['/__proto__', 404],
  ['/v1/objects', 400],
  ['/v1/objects?bucket=kantox-data-dev&bucket=kantox-data-qa', 400],
  ['/v1/objects?bucket=kantox-data-dev&unknown=1', 400],
])('%s is answered with %i and a problem', async (path, status) => {
  const { body, status: found, response } = await get(path, { 'x-request-id': 'test-request-1' });
  expect({ found, type: response.headers.get('content-type') }).toEqual({
    found: status,
    type: 'application/problem+json',
  });
  expect(body).toMatchObject({ status, requestId: 'test-request-1' });
  expect(JSON.stringify(body)).not.toMatch(/arn:|\d{12}/);
});

test('answers to GET alone', async () => {
  expect((await fetch(`${aux.url}/v1/buckets`, { method: 'POST' })).status).toBe(405);
});

test('the document is true: every operation with the query that it names is answered in the shape it names', async () => {
  const document = (await get('/v1/openapi.json')).body as Document;
  const values: Record<string, string> = {
    bucket: 'kantox-data-dev',
    key: 'reports/c.txt',
    path: '/kantox/dev',
    name: '/kantox/dev/api/config',
  };
  const paths = Object.entries(document.paths);
  expect(paths).toHaveLength(9);
  for (const [path, item] of paths) {
    const { parameters = [], responses } = item.get;
    const required = parameters.filter((each) => each.required);
    const query = new URLSearchParams(
      required.map(({ name }): [string, string] => [name, values[name] ?? '']),
    );
    await expectDescribed(`${path}?${query.toString()}`, 200, responses);
    for (const { name } of required) {
      const without = new URLSearchParams(query);
      without.delete(name);
      await expectDescribed(`${path}?${without.toString()}`, 400, responses);
    }
  }
});

type Schema = Parameters<typeof z.fromJSONSchema>[0];
type Responses = Record<string, { content: Record<string, { schema: Schema } | undefined> } | undefined>;
interface Document {
  paths: Record<
    string,
    { get: { parameters?: { name: string; required: boolean }[]; responses: Responses } }
  >;
}

async function expectDescribed(path: string, status: number, responses: Responses) {
  const { body, status: found, response } = await get(path);
  expect({ path, found }).toEqual({ path, found: status });
  const content = responses[status]?.content ?? {};
  const media = content[response.headers.get('content-type') ?? ''] ?? content['*/*'];
  expect({ path, media }).toMatchObject({ path, media: { schema: {} } });
  const shape = z.fromJSONSchema(media?.schema ?? false);
  expect(shape.safeParse(body).error).toBeUndefined();
}

test.each([
  ['closed', 503],
  ['garbage', 503],
  ['silent', 504],
] as const)('AWS %s: a problem in time, and well again without a restart', async (mode, status) => {
  way.become(mode);
  const started = performance.now();
  const { status: found } = await get('/v1/objects?bucket=kantox-data-dev');
  expect([503, status]).toContain(found);
  expect(performance.now() - started).toBeLessThan(9000);
  way.become('open');
  expect((await get('/v1/objects?bucket=kantox-data-dev')).status).toBe(200);
});

test('without its variables it does not start, and names them in a sentence', async () => {
  await expect(startService('aux', { AWS_REGION: 'eu-west-1', AWS_ROLE_ARN: 'role' })).rejects.toThrow(
    /failed:\n\nroleCredentials: roleArn \(AWS_ROLE_ARN\) must look like .*$/,
  );
  await expect(startService('aux', { AWS_REGION: 'eu-west-1', PORT: '99999' })).rejects.toThrow(
    /AUX can't start: AWS_ROLE_ARN is not set; PORT is wrong/,
  );
});
