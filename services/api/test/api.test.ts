import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { $ } from 'zx';
import { z } from 'zod';
import { startService } from '../../../scripts/pair';
import { hopTo } from '../src/hop';
import { createGateway } from '../src/server';
import { rawRequest } from './raw-request';

jest.setTimeout(30_000);

/** Of the gateway under test, so that the tests needn't wait for its ten seconds. */
const AUX_TIMEOUT_MS = 600;

type Reply = (socket: Socket, id: string) => unknown;

let backend: Server;
let gateway: ReturnType<typeof createGateway>;
let url: string;
let reply: Reply;
let received: string[];
let logged: string[];
const open = new Set<Socket>();

beforeAll(async () => {
  backend = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      received.push(text);
      reply(socket, /x-request-id: (\S+)/i.exec(text)?.[1] ?? '');
    });
  }).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const { port } = backend.address() as AddressInfo;
  gateway = createGateway({
    hop: hopTo(`http://127.0.0.1:${port}`, AUX_TIMEOUT_MS),
    hosts: new Set(['localhost', '127.0.0.1']),
    log: pino({}, { write: (line) => logged.push(line) }),
  });
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
});
beforeEach(() => {
  received = [];
  logged = [];
  reply = well;
});
afterEach(() => {
  for (const socket of open) socket.destroy();
});
afterAll(() => {
  gateway.closeAllConnections();
  gateway.close();
  backend.close();
});

const well: Reply = (socket, id) =>
  socket.write(
    `HTTP/1.1 200 OK\r\nx-request-id: ${id}\r\ncontent-type: application/json\r\nset-cookie: a=b\r\nx-powered-by: aux\r\ncontent-length: 2\r\n\r\n{}`,
  );

const problem = z.strictObject({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  requestId: z.uuid(),
});

async function get(path: string, init: RequestInit = {}) {
  const started = performance.now();
  const response = await fetch(url + path, { signal: AbortSignal.timeout(10_000), ...init });
  const body: unknown = await response.json().catch(() => undefined);
  return { status: response.status, body, headers: response.headers, ms: performance.now() - started };
}

describe('passes on', () => {
  test('path and query as they are, a request id of its own, and only the headers it knows', async () => {
    const { status, headers } = await get('/v1/object?bucket=a&key=b%2Fc%20d', {
      headers: {
        'x-request-id': 'forged-by-client',
        'x-forwarded-for': '10.0.0.1',
        cookie: 'session=1',
        authorization: 'Bearer a',
        accept: 'text/plain',
        'x-amz-security-token': 'a',
      },
    });
    const [head = ''] = received;
    expect(status).toBe(200);
    expect(head).toMatch(/^GET \/v1\/object\?bucket=a&key=b%2Fc%20d HTTP\/1\.1\r\n/);
    expect(
      head
        .match(/^[\w-]+(?=:)/gm)
        ?.map((name) => name.toLowerCase())
        .sort(),
    ).toEqual(['accept', 'connection', 'host', 'x-request-id']);
    expect(head).not.toContain('forged');
    expect(headers.get('x-request-id')).toBe(/x-request-id: (\S+)/i.exec(head)?.[1]);
    expect(headers.get('set-cookie') ?? headers.get('x-powered-by')).toBeNull();
    expect(logged.join('')).toContain(headers.get('x-request-id'));
    expect(logged.join('')).not.toMatch(/Bearer|session=1|bucket=a/);
  });

  test('a body whole, up to its limit, and none beyond', async () => {
    const post = (bytes: number) => get('/v1/a', { method: 'POST', body: 'a'.repeat(bytes) });
    expect((await post(1000)).status).toBe(200);
    expect(received[0]).toContain('content-length: 1000');
    received = [];
    const { status, body } = await post(64 * 1024 + 1);
    expect({ status, detail: problem.parse(body).detail }).toEqual({
      status: 413,
      detail: 'A body may have 65536 bytes.',
    });
    const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`;
    const chunked = `POST /v1/a HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(5)}`;
    expect((await rawRequest(url, chunked)).status).toBe(413);
    expect(received).toEqual([]);
  });
});

describe('refuses before AUX hears of it', () => {
  const raw = (line: string, headers = 'host: localhost\r\n') =>
    rawRequest(url, `${line} HTTP/1.1\r\n${headers}connection: close\r\n\r\n`);

  test.each([
    '/v1/../health',
    '/v1/%2e%2e/secret',
    '/v1/..%2fsecret',
    '/v1/a%2Fb',
    '/v1//secret',
    '/v1/.hidden',
    '/v1/a\\..\\secret',
    '/v1/',
    '/v1',
    '/v2/a',
    '/secret?name=a',
    '/V1/a',
    'http://elsewhere.example/v1/a',
    '*',
    '/v1/a;b',
    '/v1/ä',
  ])('GET %s', async (target) => {
    const { status, text } = await raw(`GET ${target}`);
    expect([400, 404]).toContain(status);
    expect(problem.parse(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).status).toBe(status);
    expect(received).toEqual([]);
  });

  test.each([
    ['an unknown method', 'TRACE /v1/a', undefined, 405],
    ['a foreign Host', 'GET /v1/a', 'host: evil.example\r\n', 421],
    ['no Host', 'GET /v1/a', '', 400],
    ['a long target', `GET /v1/a?${'a'.repeat(5000)}`, undefined, 414],
    ['a line break in the query', 'GET /v1/a?b=<script>', undefined, 400],
    ['huge headers', 'GET /v1/a', `host: localhost\r\na: ${'b'.repeat(17_000)}\r\n`, 431],
    ['two lengths', 'POST /v1/a', 'host: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n', 400],
    [
      'a length and chunks',
      'POST /v1/a',
      'host: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n',
      400,
    ],
  ])('%s', async (_, line, headers, status) => {
    const answer = await raw(line, headers);
    expect(answer.status).toBe(status);
    expect(received).toEqual([]);
  });

  test('hop-by-hop headers end here', async () => {
    await raw(
      'GET /v1/a',
      'host: localhost\r\nconnection: x-secret\r\nx-secret: 1\r\nte: trailers\r\nupgrade: h2c\r\nproxy-authorization: a\r\n',
    );
    expect(received[0]).not.toMatch(/x-secret|^te:|upgrade|proxy/im);
  });

  test('a client that hangs in its request is told so, and cut off', async () => {
    const limits = { headersTimeout: gateway.headersTimeout, requestTimeout: gateway.requestTimeout };
    Object.assign(gateway, { headersTimeout: 300, requestTimeout: 300 });
    const { status, text } = await rawRequest(
      url,
      'POST /v1/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf',
    );
    expect({ status, text }).toMatchObject({
      status: 408,
      text: expect.stringContaining('within 10 s') as string,
    });
    expect(limits).toEqual({ headersTimeout: 10_000, requestTimeout: 10_000 });
    Object.assign(gateway, limits);
    expect(received).toEqual([]);
  });
});

const GARBAGE: [string, Reply, number][] = [
  ['is silent', () => undefined, 504],
  ['is slow with its headers', (socket) => socket.write('HTTP/1.1 200 OK\r\n'), 504],
  ['hangs up', (socket) => socket.end(), 503],
  ['answers what is no HTTP', (socket) => socket.write('\x16\x03 nothing\r\n\r\n'), 502],
  ['answers for somebody else', (socket) => well(socket, 'other'), 502],
  ['switches protocols', (socket) => socket.write('HTTP/1.1 101 Switching\r\nupgrade: a\r\n\r\n'), 502],
  [
    'has huge headers',
    (socket, id) =>
      socket.write(`HTTP/1.1 200 OK\r\nx-request-id: ${id}\r\na: ${'b'.repeat(20_000)}\r\n\r\n`),
    502,
  ],
];

describe('when AUX', () => {
  test.each(GARBAGE)('%s: a problem in time, and well again afterwards', async (_, fault, status) => {
    reply = fault;
    const { status: found, body, headers, ms } = await get('/v1/a');
    expect(found).toBe(status);
    expect(problem.parse(body).requestId).toBe(headers.get('x-request-id'));
    expect(ms).toBeLessThan(AUX_TIMEOUT_MS + 400);
    expect(logged.at(-1)).toContain(headers.get('x-request-id'));
    reply = well;
    expect((await get('/v1/a')).status).toBe(200);
  });

  test('breaks off in its body: the client is cut off, too', async () => {
    reply = (socket, id) => {
      socket.write(`HTTP/1.1 200 OK\r\nx-request-id: ${id}\r\ncontent-length: 100\r\n\r\nhalf`, () =>
        setTimeout(() => socket.destroy(), 50),
      );
    };
    const { text } = await rawRequest(url, 'GET /v1/a HTTP/1.1\r\nhost: localhost\r\n\r\n');
    expect(text).toMatch(/content-length: 100[^]*half$/);
  });

  test('hangs up once: what reads is sent again, what writes never is', async () => {
    let times = 0;
    reply = (socket, id) => {
      times += 1;
      if (times === 1) socket.destroy();
      else well(socket, id);
    };
    expect((await get('/v1/a')).status).toBe(200);
    expect(received).toHaveLength(2);
    times = 0;
    received = [];
    expect((await get('/v1/a', { method: 'POST', body: 'a' })).status).toBe(503);
    expect(received).toHaveLength(1);
  });

  test('is waited for in vain by a client that goes: the request to it is given up', async () => {
    expect((await get('/v1/a')).status).toBe(200);
    const asked: Socket[] = [];
    reply = (socket) => asked.push(socket);
    await fetch(`${url}/v1/a`, { signal: AbortSignal.timeout(100) }).catch(() => undefined);
    // Sooner than its time would be up.
    await sleep(250);
    expect(asked.map(({ destroyed }) => destroyed)).toEqual([true]);
  });
});

type Schema = Parameters<typeof z.fromJSONSchema>[0];
type Responses = Record<string, { content: Record<string, { schema: Schema } | undefined> } | undefined>;
interface Document {
  paths: Record<string, Record<'get' | 'post', { responses: Responses }> | undefined>;
}

test('the document is true', async () => {
  const document = (await get('/openapi.json')).body as Document;
  const { paths } = document;
  expect(Object.keys(paths)).toEqual(['/health', '/ready', '/openapi.json', '/v1/{path}']);
  const expectDescribed = async (path: string, of: string, init?: RequestInit) => {
    const { status, body, headers } = await get(path, init);
    const method = (init?.method ?? 'get').toLowerCase() as 'get' | 'post';
    const described = paths[of]?.[method].responses[status];
    const schema = described?.content[headers.get('content-type') ?? '']?.schema;
    expect({ path, status, schema }).toMatchObject({ path, status, schema: {} });
    const shape = z.fromJSONSchema(schema ?? false);
    expect(shape.safeParse(body).error).toBeUndefined();
    return status;
  };
  for (const path of ['/health', '/ready', '/openapi.json'])
    expect(await expectDescribed(path, path)).toBe(200);
  const found = [
    await expectDescribed('/v1/.a', '/v1/{path}'),
    await expectDescribed('/v1/a', '/v1/{path}', { method: 'POST', body: 'a'.repeat(70_000) }),
    await expectDescribed(`/v1/a?${'a'.repeat(5000)}`, '/v1/{path}'),
  ];
  for (const fault of ['is silent', 'hangs up', 'answers what is no HTTP']) {
    reply = GARBAGE.find(([name]) => name === fault)?.[1] ?? well;
    found.push(await expectDescribed('/v1/a', '/v1/{path}'));
  }
  expect(found).toEqual([404, 413, 414, 504, 503, 502]);
});

describe('no way to AWS', () => {
  test('no package of AWS is in the tree', () => {
    const tree = execFileSync('npm', ['ls', '--all', '--json', '--omit=dev', '--workspace', '@slipway/api'], {
      cwd: join(__dirname, '../../..'),
      encoding: 'utf8',
    });
    const names = [...tree.matchAll(/"((?:@[\w.-]+\/)?[\w.-]+)": \{\s*"version"/g)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(['@slipway/api', 'pino', 'zod']));
    expect(names.filter((name) => /aws|smithy|slipway\/(?!api)/.test(name ?? ''))).toEqual([]);
  });

  test('nothing in the whole environment of the process lets anybody in', async () => {
    const api = await startService('api', { AUX_URL: 'http://127.0.0.1:1' });
    const environment = readFileSync(`/proc/${api.pid}/environ`, 'utf8').split('\0').filter(Boolean);
    expect(environment.map((line) => line.split('=')[0]).sort()).toEqual(['AUX_URL', 'HOME', 'HOST', 'PORT']);
    const whoAmI = await $({
      quiet: true,
      nothrow: true,
      env: {
        ...Object.fromEntries(environment.map((line) => line.split('=', 2))),
        PATH: process.env.PATH,
        AWS_EC2_METADATA_DISABLED: 'true',
      } as NodeJS.ProcessEnv,
    })`aws sts get-caller-identity --region eu-west-1 --endpoint-url http://127.0.0.1:1`;
    expect(whoAmI.stderr).toContain('Unable to locate credentials');
    expect(await api.stop()).toBe(0);
  });

  test('it does not start without AUX_URL, and says so in a sentence', async () => {
    await expect(startService('api', {})).rejects.toThrow(/API can't start: AUX_URL is not set\./);
    await expect(startService('api', { AUX_URL: 'https://aux/a' })).rejects.toThrow(/AUX_URL is wrong/);
  });
});
