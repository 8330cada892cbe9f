import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pino from 'pino';
import { MAX_CONNECTIONS, MAX_FETCHING, MAX_WAITING, MAX_WAITING_OF_ONE } from '../src/limits';
import { createMetrics } from '../src/metrics';
import { createProxy } from '../src/server';
import { type Api, grants, late, refuses, startApi } from './api';
import { type LocalProxy, PATH, startProxy, TOKEN } from './local-proxy';
import { buildProgram, start } from './process';
import { rawRequest } from './raw-request';

jest.setTimeout(40_000);

const run = promisify(execFile);

let api: Api;
let proxy: LocalProxy;

beforeAll(async () => {
  api = await startApi();
});
beforeEach(async () => {
  api.reply = grants();
  api.targets.length = 0;
  proxy = await startProxy(api);
});
afterEach(() => proxy.stop());
afterAll(() => api.down());

/** A request as it should be, but for what a test puts in place. */
function request({
  line = `GET ${PATH} HTTP/1.1`,
  host = `host: 127.0.0.1:${proxy.port}`,
  authorization = `authorization: ${TOKEN}`,
  more = '',
  rest = '',
}: Partial<Record<'line' | 'host' | 'authorization' | 'more' | 'rest', string>> = {}): string {
  const lines = [line, host, authorization, more, 'connection: close'].filter((each) => each !== '');
  return `${lines.join('\r\n')}\r\n\r\n${rest}`;
}

async function expectNothingLeaves(text: string, statuses: readonly number[]): Promise<void> {
  const answer = await rawRequest(proxy.port, text);
  expect(statuses).toContainEqual(answer.status);
  expect(answer.text).not.toMatch(/ASIA|secret|token-/);
}

/** With credentials in the cache there is something to steal. */
async function warm(): Promise<void> {
  expect((await proxy.get()).status).toBe(200);
  api.targets.length = 0;
}

test('the request that all others here differ from gets credentials', async () => {
  await warm();
  const { status, text } = await rawRequest(proxy.port, request());
  expect(status).toBe(200);
  expect(text).toContain('"AccessKeyId":"ASIA1"');
});

test.each(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST', '[0:0:0:0:0:0:0:1]'])(
  'it may be called %s',
  async (name) => {
    await warm();
    const { status } = await rawRequest(proxy.port, request({ host: `host: ${name}:${proxy.port}` }));
    expect(status).toBe(200);
  },
);

describe('by another name, as a browser that was led here by DNS would', () => {
  test.each([
    'host: evil.example',
    'host: evil.example:PORT',
    'host: 127.0.0.1',
    'host: 127.0.0.1:1',
    'host: 127.0.0.1.evil.example:PORT',
    'host: 169.254.169.254:PORT',
    'host:',
    'host: 127.0.0.1:PORT\r\nhost: evil.example',
    'host: evil.example\r\nhost: 127.0.0.1:PORT',
    'x-forwarded-host: 127.0.0.1:PORT\r\nhost: evil.example',
    'host: 127.0.0.1:PORT, evil.example',
    'host: 127.0.0.1:PORT@evil.example',
    'host: [::1]evil.example:PORT',
    'host: [::1:PORT',
    'host: [fe80::1]:PORT',
  ])('%s', async (host) => {
    await warm();
    const text = host.replaceAll('PORT', String(proxy.port));
    await expectNothingLeaves(request({ host: text }), [400, 421]);
    await expectNothingLeaves(request({ host: text, line: 'GET /metrics HTTP/1.1' }), [400, 421]);
    expect(api.targets).toEqual([]);
  });

  test('without any', async () => {
    await warm();
    await expectNothingLeaves(request({ host: '' }), [400]);
    await expectNothingLeaves(`GET ${PATH} HTTP/1.0\r\nauthorization: ${TOKEN}\r\n\r\n`, [400, 421]);
  });
});

describe('without the token', () => {
  test.each([
    ['none', ''],
    ['an empty one', 'authorization:'],
    ['another', 'authorization: token-of-the-jo'],
    ['a longer one', `authorization: ${TOKEN}x`],
    ['two', `authorization: ${TOKEN}\r\nauthorization: other`],
    ['two, the right one last', `authorization: other\r\nauthorization: ${TOKEN}`],
    ['one in a list', `authorization: ${TOKEN}, other`],
    ['one under another name', `x-aws-ec2-metadata-token: ${TOKEN}`],
    ['one that is too long', `authorization: ${'a'.repeat(3000)}`],
  ])('%s', async (_, authorization) => {
    await warm();
    api.reply = (response) => response.writeHead(403).end();
    await expectNothingLeaves(request({ authorization }), [401, 403]);
  });
});

describe('for what is not a question for credentials', () => {
  test.each([
    ['POST', `POST ${PATH} HTTP/1.1`, [405]],
    ['HEAD', `HEAD ${PATH} HTTP/1.1`, [405]],
    ['PUT', 'PUT /dev/sessions/1300 HTTP/1.1', [405]],
    ['DELETE', 'DELETE /dev/sessions/users/user1 HTTP/1.1', [405]],
    ['CONNECT', 'CONNECT 169.254.169.254:80 HTTP/1.1', [NaN]],
    ['TRACE', `TRACE ${PATH} HTTP/1.1`, [405]],
    ['absolute form', `GET http://evil.example${PATH} HTTP/1.1`, [404]],
    ['absolute form of itself', `GET http://127.0.0.1${PATH} HTTP/1.1`, [404]],
    ['no slash', `GET evil.example${PATH} HTTP/1.1`, [400, 404]],
    ['two slashes', `GET //evil.example${PATH} HTTP/1.1`, [404]],
    ['the list of sessions', 'GET /dev/sessions?user=user1 HTTP/1.1', [404]],
    ["the projects' roles", 'GET /dev/projects HTTP/1.1', [404]],
    ['an encoded slash', 'GET /dev/sessions/1300%2Fcluster/cluster/alpha/project/abc HTTP/1.1', [400]],
    ['a twice encoded slash', 'GET /dev/sessions/1300%252F/cluster/alpha/project/abc HTTP/1.1', [400]],
    ['an encoded backslash', 'GET /dev/sessions/1300%5C/cluster/alpha/project/abc HTTP/1.1', [400]],
    ['a way up', 'GET /dev/sessions/../cluster/alpha/project/abc HTTP/1.1', [400]],
    ['an encoded way up', 'GET /dev/sessions/%2e%2e/cluster/alpha/project/abc HTTP/1.1', [400]],
    ['a way around', `GET /x/..${PATH} HTTP/1.1`, [404]],
    ['a line break', 'GET /dev/sessions/a%0d%0aX-Evil:1/cluster/alpha/project/abc HTTP/1.1', [400]],
    ['a zero', 'GET /dev/sessions/a%00/cluster/alpha/project/abc HTTP/1.1', [400]],
    ['half a character', 'GET /dev/sessions/%e4/cluster/alpha/project/abc HTTP/1.1', [400]],
    ['a broken one', 'GET /dev/sessions/%zz/cluster/alpha/project/abc HTTP/1.1', [400]],
    ['more segments', 'GET /dev/x/sessions/1/cluster/alpha/project/abc HTTP/1.1', [404]],
    ['an end', 'GET /dev/sessions/1/cluster/alpha/project/abc/ HTTP/1.1', [404]],
    ['another parameter', `GET ${PATH}&duration=43200 HTTP/1.1`, [400]],
    ['the parameter twice', `GET ${PATH}&roleSessionName=root HTTP/1.1`, [400]],
    ['another one alone', `GET ${PATH.replace('roleSessionName', 'roleArn')} HTTP/1.1`, [400]],
    ['a parameter in a parameter', `GET ${PATH}%0a%26a=b HTTP/1.1`, [400]],
    ['a fragment', `GET ${PATH}#a HTTP/1.1`, [200, 400, 403, 404]],
    ['HTTP/2', 'PRI * HTTP/2.0', [400]],
    ['an asterisk', 'OPTIONS * HTTP/1.1', [405]],
  ])('%s', async (_, line, statuses) => {
    api.reply = (response) => response.writeHead(403).end();
    await expectNothingLeaves(request({ line }), statuses);
    for (const target of api.targets)
      expect(target).toMatch(/^\/dev\/sessions\/1300\/cluster\/alpha\/project\/abc/);
  });

  test.each([
    ['a body', 'content-length: 5', 'GET /'],
    ['chunks', 'transfer-encoding: chunked', '5\r\nGET /\r\n0\r\n\r\n'],
    ['a length and chunks', 'content-length: 4\r\ntransfer-encoding: chunked', '0\r\n\r\n'],
    ['two lengths', 'content-length: 0\r\ncontent-length: 5', 'GET /'],
    ['chunks in disguise', 'transfer-encoding: xchunked', '0\r\n\r\n'],
    ['chunks after a space', 'transfer-encoding : chunked', '0\r\n\r\n'],
    ['a folded header', 'x-a: b\r\n authorization: other', ''],
    ['a bare line feed', 'x-a: b\nauthorization: other', ''],
    ['a zero in a header', 'x-a: \0', ''],
    ['huge headers', `x-a: ${'b'.repeat(20_000)}`, ''],
  ])(
    'with %s: refused, and the connection closed before what is behind it is read',
    async (_, more, rest) => {
      await warm();
      const smuggled = request({ line: `GET ${PATH} HTTP/1.1` });
      const text = request({ more, rest: rest + smuggled }).replace('connection: close\r\n', '');
      const answer = await rawRequest(proxy.port, text);
      expect([400, 413, 431]).toContain(answer.status);
      expect(answer.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      expect(answer.text).not.toMatch(/ASIA/);
      expect(api.targets).toEqual([]);
    },
  );

  test('hop-by-hop headers and those of a proxy end here', async () => {
    const seen: string[][] = [];
    api.reply = (response, { rawHeaders }) => {
      seen.push(rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
      response.writeHead(403).end();
    };
    const more =
      'x-forwarded-for: 10.0.0.1\r\ncookie: a=b\r\nupgrade: h2c\r\nte: trailers\r\nproxy-authorization: a';
    await rawRequest(proxy.port, request({ more }));
    expect(seen.map((names) => names.sort())).toEqual([
      ['accept', 'authorization', 'connection', 'host', 'user-agent'],
    ]);
  });
});

describe('from elsewhere', () => {
  const permitted = process.getuid?.() === 0 && canMakeNamespaces();
  const withNamespaces = permitted ? test : test.skip;

  withNamespaces(
    'another machine, where the port is open to it (needs root and network namespaces)',
    async () => {
      const [open] = proxy.servers.map((server) => server.listeners('request')[0]);
      const { createServer } = await import('node:http');
      const everywhere = createServer(open as Parameters<typeof createServer>[1]).listen(0, '0.0.0.0');
      await once(everywhere, 'listening');
      const { port } = everywhere.address() as { port: number };
      const name = `slipway${process.pid}`;
      await warm();
      try {
        for (const args of [
          `netns add ${name}`,
          `link add sw${process.pid} type veth peer name sw1 netns ${name}`,
          `addr add 198.18.77.1/30 dev sw${process.pid}`,
          `link set sw${process.pid} up`,
          `-n ${name} addr add 198.18.77.2/30 dev sw1`,
          `-n ${name} link set sw1 up`,
        ])
          await run('ip', args.split(' '));
        const headers = [
          `host: 127.0.0.1:${proxy.port}`,
          `authorization: ${TOKEN}`,
          'x-forwarded-for: 127.0.0.1',
        ];
        const curl = ['curl', '-s', '-m', '5', ...headers.flatMap((each) => ['-H', each])];
        const there = await run('ip', ['netns', 'exec', name, ...curl, `http://198.18.77.1:${port}${PATH}`]);
        expect(JSON.parse(there.stdout)).toMatchObject({ code: 'NotLocal' });
        const here = await run('curl', [...curl.slice(1), `http://127.0.0.1:${port}${PATH}`]);
        expect(JSON.parse(here.stdout)).toMatchObject({ AccessKeyId: 'ASIA1' });
      } finally {
        await run('ip', ['netns', 'del', name]).catch(() => undefined);
        everywhere.close();
      }
    },
  );

  const asRoot = process.getuid?.() === 0 ? test : test.skip;

  asRoot('with --bind_uid, another local user who has the token (needs root, to be others)', async () => {
    const bound = await startProxy(api, ['--bind_uid', '--ipv6', '--recheck_seconds=0']);
    const as = (uid: number, token: string, host = '127.0.0.1') =>
      askedBy(uid, token, `http://${host}:${bound.port}${PATH}`);
    try {
      // A prolog that looks whether all is well owns nothing.
      expect(await as(0, 'first')).toBe('credentials');
      expect(await as(65_501, 'first')).toBe('credentials');
      expect(await as(65_502, 'first')).toBe('AnothersToken');
      expect(await as(65_502, 'first', '[::1]')).toBe('AnothersToken');
      expect(await as(65_502, 'second', '[::1]')).toBe('credentials');
      expect(await as(65_501, 'second')).toBe('AnothersToken');
      expect(await as(65_501, 'first', '[::1]')).toBe('credentials');
      expect(await as(0, 'second')).toBe('credentials');
    } finally {
      await bound.stop();
    }
  });

  asRoot('with --bind_uid, one local user by numbers (needs root, to be others)', async () => {
    const bound = await startProxy(api, ['--bind_uid']);
    const held: (() => void)[] = [];
    api.reply = (...question) => held.push(() => refuses(403)(...question));
    const args = ['-e', FLOOD_OF_ONE, String(bound.port), String(MAX_FETCHING + 200), PATH];
    const flood = start('setpriv', [...user(65_501), process.execPath, ...args]);
    try {
      while (!flood.output.out.includes('Busy')) await sleep(20);
      await sleep(500);
      const other = askedBy(65_502, TOKEN, `${bound.url}${PATH}`);
      await sleep(500);
      const refused = flood.output.out.match(/"code":"Busy"/g)?.length;
      expect(refused).toBeGreaterThanOrEqual(MAX_FETCHING + 200 - MAX_WAITING_OF_ONE);
      api.reply = (response, request) => {
        (request.headers.authorization === TOKEN ? grants() : refuses(403))(response, request);
      };
      for (const answer of held) answer();
      expect(await other).toBe('credentials');
    } finally {
      flood.child.kill();
      await flood.ended;
      await bound.stop();
    }
  });

  test('with --bind_uid, who has closed a side of the connection is nobody', async () => {
    const bound = await startProxy(api, ['--bind_uid']);
    const socket = connect(bound.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.end(request({ host: `host: 127.0.0.1:${bound.port}` }));
    await once(socket, 'close');
    expect(text === '' || text.includes('AnothersToken')).toBe(true);
    await bound.stop();
  });
});

describe('by numbers', () => {
  test('five thousand connections that say nothing, or half a request, keep nobody out', async () => {
    await warm();
    const silent: Socket[] = [];
    for (let n = 0; n < 5000; n += 1) {
      const socket = connect(proxy.port, '127.0.0.1')
        .on('error', () => undefined)
        .resume();
      if (n % 2 === 0) socket.write(`GET ${PATH} HTTP/1.1\r\nhost: `);
      silent.push(socket);
      if (n % 500 === 499) await sleep(20);
    }
    await expectServed();
    // Each has 5 s for a request.
    const deadline = performance.now() + 15_000;
    const server = only(proxy.servers);
    while ((await connections(server)) > 5 && performance.now() < deadline) await sleep(100);
    expect(await connections(server)).toBeLessThanOrEqual(5);
    for (const socket of silent) socket.destroy();
  });

  test.each([
    ['each for a session of its own making', [], (n: number) => `made-up-${n}`],
    ['all for the same one', [], () => 'made-up'],
    ['with --bind_uid', ['--bind_uid'], (n: number) => `made-up-${n}`],
  ])(
    'connections that all wait, %s: what is cached is served, and others are told to come again',
    async (_, flags, token) => {
      await proxy.stop();
      proxy = await startProxy(api, flags);
      await warm();
      api.reply = (response, request) => {
        // The others' answers would come after this test.
        if (request.headers.authorization === TOKEN) grants()(response, request);
      };
      const flood = await waitingConnections(only(proxy.servers), token);
      try {
        await expectServed();
        proxy.pass(6000);
        await expectServed();
        const { status, body, headers } = await proxy.get(PATH, 'new');
        expect({ status, code: body.code, retry: headers.get('retry-after') }).toEqual({
          status: 503,
          code: 'Busy',
          retry: '1',
        });
        expect(flood.refused()).toBeGreaterThanOrEqual(FLOOD - MAX_FETCHING);
      } finally {
        flood.end();
      }
    },
  );

  test('whatever they wait for, some connections are left to make room', async () => {
    const hosts = new Set<string>();
    const server = createProxy({
      rules: { hosts, stage: undefined },
      answer: ({ authorization }) => (authorization === TOKEN ? '{}' : new Promise(() => undefined)),
      reachable: () => true,
      metrics: createMetrics(),
      log: pino({ level: 'silent' }),
    }).listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    hosts.add(`127.0.0.1:${port}`);
    const flood = await waitingConnections(server, (n) => `made-up-${n}`);
    try {
      const { status } = await rawRequest(port, request({ host: `host: 127.0.0.1:${port}` }));
      expect(status).toBe(200);
      expect(flood.refused()).toBe(FLOOD - MAX_WAITING);
    } finally {
      flood.end();
      server.close();
    }
  });

  test('of requests that wait for the API, one a connection', async () => {
    api.reply = late(300, grants());
    const one = request().replace('connection: close\r\n', '');
    const { text } = await rawRequest(proxy.port, one + one + request());
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      '200',
      '503',
      '503',
    ]);
    expect(api.targets).toHaveLength(1);
  });

  test('100,000 random requests: no credentials leave, and the process does not grow', async () => {
    const main = buildProgram();
    const ca = join(dirname(main), 'ca.pem');
    writeFileSync(ca, api.ca);
    const program = start(process.execPath, [main, '--hostname', api.host, '--ca', ca, '--port=0']);
    const port = await program.port;
    const counts = new Map<number, number>();
    let leaked = '';
    const health = `GET /health HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`;
    const send = async (requests: number) => {
      let sent = 0;
      const connection = async () => {
        while (sent < requests) {
          const batch = Array.from({ length: 200 }, () => randomRequest(port));
          sent += batch.length;
          const { text } = await rawRequest(port, batch.join('') + health);
          for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3})/g))
            counts.set(Number(status), (counts.get(Number(status)) ?? 0) + 1);
          if (/ASIA|secret-|"Token"/.test(text)) leaked ||= text;
        }
      };
      await Promise.all(Array.from({ length: 16 }, connection));
    };
    const headers = { authorization: TOKEN };
    const own = async () => (await fetch(`http://127.0.0.1:${port}${PATH}`, { headers })).json();
    api.reply = (response, request) => {
      (request.headers.authorization === TOKEN ? grants() : refuses(403))(response, request);
    };
    expect(await own()).toMatchObject({ AccessKeyId: 'ASIA1' });
    await send(40_000);
    const before = memory(program.child.pid ?? 0);
    await send(60_000);
    expect(memory(program.child.pid ?? 0) - before).toBeLessThan(50 * 1024 * 1024);
    expect(leaked).toBe('');
    expect([...counts.keys()].sort()).toEqual([200, 400, 401, 403, 404, 405, 413, 421, 431, 503]);
    expect([...counts.values()].reduce((sum, each) => sum + each, 0)).toBeGreaterThan(50_000);
    expect(await own()).toMatchObject({ AccessKeyId: 'ASIA1' });
    program.child.kill();
    expect(await program.ended).toBe(0);
    rmSync(dirname(main), { recursive: true });
  });
});

const user = (uid: number) => ['--reuid', String(uid), '--clear-groups'];

/** What a local user is answered: credentials, or a refusal's code. */
async function askedBy(uid: number, token: string, url: string): Promise<string | undefined> {
  const curl = ['curl', '-s', '-g', '-m', '6', '-H', `authorization: ${token}`, url];
  const { stdout } = await run('setpriv', [...user(uid), ...curl]);
  const { AccessKeyId, code } = JSON.parse(stdout) as Record<string, string | undefined>;
  return AccessKeyId === undefined ? code : 'credentials';
}

/** Asks on so many connections at once, each with a token of its own making, and prints what it is answered. */
const FLOOD_OF_ONE = `
const [port, count, path] = process.argv.slice(1);
for (let n = 0; n < Number(count); n += 1) {
  const socket = require('node:net').connect(port, '127.0.0.1');
  socket.write(\`GET \${path} HTTP/1.1\\r\\nhost: 127.0.0.1:\${port}\\r\\nauthorization: made-up-\${n}\\r\\n\\r\\n\`);
  socket.on('data', (chunk) => console.log(String(chunk).split('\\r\\n\\r\\n')[1])).on('error', () => undefined);
}
`;

/** More connections than the proxy takes. */
const FLOOD = MAX_CONNECTIONS + 200;

/** As many connections as FLOOD, each with a request; until the proxy has taken, and refused, all that it does. */
async function waitingConnections(
  server: Server,
  token: (n: number) => string,
): Promise<{ refused: () => number; end: () => void }> {
  const { port } = server.address() as AddressInfo;
  const head = `GET ${PATH} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: `;
  const sockets: Socket[] = [];
  let refused = 0;
  for (let n = 0; n < FLOOD; n += 1) {
    const socket = connect(port, '127.0.0.1')
      .on('error', () => undefined)
      .on('data', (chunk) => (refused += Number(chunk.toString().includes('"code":"Busy"'))));
    socket.write(`${head}${token(n)}\r\n\r\n`);
    sockets.push(socket);
    if (n % 200 === 199) await sleep(20);
  }
  while ((await connections(server)) < MAX_CONNECTIONS) await sleep(20);
  for (let before = -1; before < refused; ) {
    before = refused;
    await sleep(1000);
  }
  return {
    refused: () => refused,
    end() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Whoever has credentials in the cache gets them, on a new connection each time. */
async function expectServed(): Promise<void> {
  const times: number[] = [];
  for (let each = 0; each < 21; each += 1) {
    const { status, ms } = await proxy.get(PATH, TOKEN, { headers: { connection: 'close' } });
    expect(status).toBe(200);
    times.push(ms);
  }
  expect(times.sort((one, other) => one - other)[10]).toBeLessThan(1000);
}

function only(servers: readonly Server[]): Server {
  const [server] = servers;
  if (!server) throw new Error('The proxy has no server.');
  return server;
}

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}

/** Bytes of a process that are in memory. */
function memory(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

const pick = <T>(values: readonly [T, ...T[]]): T =>
  values[Math.floor(Math.random() * values.length)] ?? values[0];

/** Never with the right token; now and then what breaks the connection off. */
function randomRequest(port: number): string {
  const host = `127.0.0.1:${port}`;
  const random = Math.random().toString(36).slice(2);
  const whole = Math.random() < 0.997;
  const method = pick(['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']);
  const path = pick([
    PATH,
    PATH.replace('1300', random),
    `/${random}`,
    PATH.replace('/', '//'),
    PATH.replace('abc', '%2e%2e%2f'),
    '/health',
    '/',
    '/dev/projects',
    '/dev/sessions?user=user1',
    `http://evil.example${PATH}`,
    `${PATH}%0d%0a`,
    PATH.replace('sessions', random),
    PATH.replace('?', '/?'),
    PATH.replace('roleSessionName', random),
    `${PATH}&${random}`,
  ]);
  const headers = [
    `host: ${pick([host, host, host, host, 'evil.example', random])}`,
    pick([
      `authorization: ${random}`,
      `authorization: ${TOKEN} ${random}`,
      '',
      `authorization: ${TOKEN}\r\nauthorization: ${random}`,
    ]),
    whole
      ? ''
      : pick(['content-length: 3', 'transfer-encoding: chunked', random, `x: ${'y'.repeat(20_000)}`]),
  ];
  return `${[`${method} ${path} HTTP/1.1`, ...headers.filter((each) => each !== '')].join('\r\n')}\r\n\r\n`;
}

function canMakeNamespaces(): boolean {
  try {
    execFileSync('unshare', ['--net', 'true'], { stdio: 'ignore' });
    execFileSync('ip', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
