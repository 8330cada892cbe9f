import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, grants, late, type Reply as ApiReply, refuses, says, startApi } from './api';
import { type LocalProxy, PATH, startProxy, TOKEN } from './local-proxy';

jest.setTimeout(20_000);

const SECOND = 1000;
const MINUTE = 60 * SECOND;

let api: Api;
let proxy: LocalProxy;
let started: LocalProxy[];

beforeAll(async () => {
  api = await startApi();
});
beforeEach(async () => {
  started = [];
  api.targets.length = 0;
  api.tokens.length = 0;
  api.reply = grants();
  proxy = await start();
});
afterEach(async () => {
  for (const each of started) await each.stop();
});
afterAll(() => api.down());

async function start(...flags: string[]): Promise<LocalProxy> {
  const one = await startProxy(api, flags);
  started.push(one);
  return one;
}

describe('a job asks for its credentials', () => {
  test('and gets them as the protocol has them, with nothing added and nothing to keep', async () => {
    api.reply = grants({ AccountId: '111122223333' });
    const { status, body, headers } = await proxy.get();
    expect(status).toBe(200);
    expect(body).toEqual({
      AccessKeyId: 'ASIA1',
      SecretAccessKey: 'secret-1',
      Token: 'token-1',
      AccountId: '111122223333',
      Expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
    });
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(api.targets).toEqual([PATH]);
    expect(api.tokens).toEqual([TOKEN]);
  });

  test('from the cache while the API has just spoken of the session', async () => {
    for (let each = 0; each < 5; each += 1) expect((await proxy.get()).body.AccessKeyId).toBe('ASIA1');
    expect(api.targets).toHaveLength(1);
  });

  test('a hundred at once: the API hears one question', async () => {
    api.reply = late(50, grants());
    const replies = await Promise.all(Array.from({ length: 100 }, () => proxy.get()));
    expect(new Set(replies.map(({ body }) => body.SecretAccessKey))).toEqual(new Set(['secret-1']));
    expect(api.targets).toHaveLength(1);
  });

  test.each([
    ['another token', PATH, 'token-of-another'],
    ['another name for the session', PATH.replace('node7', 'node8'), TOKEN],
    ['no name', PATH.replace(/\?.*/, ''), TOKEN],
    ['another project', PATH.replace('abc', 'abd'), TOKEN],
    ['another stage', PATH.replace('dev', 'qa'), TOKEN],
    ['no stage', PATH.replace('/dev', ''), TOKEN],
  ])('%s is another question', async (_, path, token) => {
    await proxy.get();
    expect((await proxy.get(path, token)).body.AccessKeyId).toBe('ASIA2');
    expect(api.targets).toEqual([PATH, path]);
    expect(api.tokens).toEqual([TOKEN, token]);
  });

  test('names that need encoding reach the API as they were meant, however they were written', async () => {
    const path = (user: string) =>
      `/sessions/1300_4.a%3Ab/cluster/alpha/project/my%20lab?roleSessionName=${user}`;
    await proxy.get(path('a%40b'));
    expect((await proxy.get(path('a@b'))).body.AccessKeyId).toBe('ASIA1');
    expect(api.targets).toEqual([path('a%40b')]);
  });

  test('with --stage, paths without one get it, and those with another lead nowhere', async () => {
    const staged = await start('--stage=dev');
    expect((await staged.get(PATH.replace('/dev', ''))).status).toBe(200);
    expect((await staged.get(PATH.replace('dev', 'qa'))).status).toBe(404);
    expect(api.targets).toEqual([PATH]);
  });

  test('with --cache_mode=none each request goes to the API', async () => {
    const plain = await start('--cache_mode=none');
    for (const n of [1, 2, 3]) expect((await plain.get()).body.AccessKeyId).toBe(`ASIA${n}`);
    api.reply = says(500, '');
    expect((await plain.get()).status).toBe(502);
  });

  test('with --max_queue_size the oldest credentials go first', async () => {
    const small = await start('--max_queue_size=2');
    for (const token of ['a', 'b', 'c']) await small.get(PATH, token);
    await small.get(PATH, 'b');
    await small.get(PATH, 'c');
    expect(api.tokens).toEqual(['a', 'b', 'c']);
    await small.get(PATH, 'a');
    expect(api.tokens).toEqual(['a', 'b', 'c', 'a']);
  });
});

describe('a session ends', () => {
  test.each([401, 403, 404, 410])(
    'by a refusal (%d), which is passed on and drops what was cached',
    async (status) => {
      await proxy.get();
      proxy.pass(6 * SECOND);
      api.reply = refuses(status);
      expect(await proxy.get()).toMatchObject({
        status,
        body: {
          code: 'AccessDenied',
          message: 'Not for this session, or it is not active.',
          Code: 'AccessDenied',
          Message: 'Not for this session, or it is not active.',
        },
      });
      await api.down();
      expect((await proxy.get()).status).toBe(503);
      await api.up();
    },
  );

  test('for one token alone', async () => {
    await proxy.get();
    await proxy.get(PATH, 'other');
    proxy.pass(6 * SECOND);
    api.reply = (response, request) =>
      (request.headers.authorization === 'other' ? refuses(403) : grants())(response, request);
    expect((await proxy.get(PATH, 'other')).status).toBe(403);
    expect((await proxy.get()).status).toBe(200);
  });

  test('as seen by the next request, with --recheck_seconds=0', async () => {
    const strict = await start('--recheck_seconds=0');
    await strict.get();
    api.reply = refuses(403);
    expect((await strict.get()).status).toBe(403);
  });

  test('while the API was slow: the late refusal counts', async () => {
    await proxy.get();
    proxy.pass(6 * SECOND);
    api.reply = late(900, refuses(403));
    expect((await proxy.get()).status).toBe(200);
    await sleep(400);
    api.reply = grants();
    expect(api.targets).toHaveLength(2);
    await proxy.get();
    expect(api.targets).toHaveLength(3);
  });
});

const FAULTS: [string, ApiReply][] = [
  ['answers 500', says(500, '{"message":"Internal Server Error"}')],
  ['answers 200 with nothing', says(200, '')],
  ['answers 200 with garbage', says(200, '<html>captive portal</html>')],
  ['answers 200 with half', says(200, '{"AccessKeyId":"ASIA2","SecretAccessKey":"b"}')],
  [
    'leaves a field empty',
    says(200, '{"AccessKeyId":"","SecretAccessKey":"b","Token":"c","Expiration":"2099-01-01T00:00:00Z"}'),
  ],
  ['gives expired credentials', grants({ seconds: -1 })],
  ['gives no time', says(200, '{"AccessKeyId":"a","SecretAccessKey":"b","Token":"c","Expiration":"soon"}')],
  ['sends elsewhere', says(302, '', { location: 'http://127.0.0.1:1/' })],
  ['sends too much', says(200, 'x'.repeat(100_000))],
  [
    'breaks off',
    (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      setTimeout(() => response.destroy(), 20);
    },
  ],
  ['hangs up', (response) => response.destroy()],
  ['answers no HTTP', (response) => response.socket?.end('\x16\x03 nothing\r\n\r\n')],
  ['answers 429', refuses(429, { 'retry-after': '30' })],
  ['answers 400', refuses(400)],
  ['answers 503', refuses(503, { 'retry-after': '2' })],
];

describe('when the API', () => {
  test.each(FAULTS)('%s: whoever has valid credentials gets them', async (_, fault) => {
    const first = (await proxy.get()).body;
    proxy.pass(6 * SECOND);
    api.reply = fault;
    for (let each = 0; each < 3; each += 1) {
      const { status, body, ms } = await proxy.get();
      expect({ status, body }).toEqual({ status: 200, body: first });
      expect(ms).toBeLessThan(1000);
    }
    api.reply = grants();
    proxy.pass(61 * SECOND);
    await proxy.get();
    await sleep(100);
    expect(api.targets.length).toBeGreaterThanOrEqual(3);
  });

  test.each(FAULTS)(
    '%s: whoever has none is told so, never with 200 and never with 3xx',
    async (_, fault) => {
      api.reply = fault;
      const { status, body } = await proxy.get();
      expect([400, 429, 502, 503]).toContain(status);
      expect(body).toEqual({
        code: body.Code,
        message: body.Message,
        Code: expect.stringMatching(/^\w+$/) as string,
        Message: expect.stringMatching(/\.$/) as string,
      });
      api.reply = grants();
      expect((await proxy.get()).status).toBe(200);
    },
  );

  test('is away: cached credentials at once and up to their end; 503 to others', async () => {
    await proxy.get();
    await api.down();
    for (const minutes of [1, 20, 20, 18]) {
      proxy.pass(minutes * MINUTE);
      const { status, ms } = await proxy.get();
      expect(status).toBe(200);
      expect(ms).toBeLessThan(300);
    }
    proxy.pass(1.1 * MINUTE);
    const { status, headers } = await proxy.get();
    expect({ status, retry: headers.get('retry-after') }).toEqual({ status: 503, retry: '2' });
    await api.up();
    expect((await proxy.get()).status).toBe(200);
  });

  test('is slow: the first client waits 0.7 s, then nobody, and what comes late is taken', async () => {
    await proxy.get();
    proxy.pass(6 * SECOND);
    api.reply = late(1500, grants());
    const first = await proxy.get();
    expect(first.status).toBe(200);
    expect(first.ms).toBeGreaterThan(600);
    expect(first.ms).toBeLessThan(1000);
    for (let each = 0; each < 20; each += 1) expect((await proxy.get()).ms).toBeLessThan(200);
    expect(api.targets).toHaveLength(2);
    await sleep(1200);
    expect((await proxy.get()).body.Expiration).not.toBe(first.body.Expiration);
  });

  test('has 429 for one session: it is left alone for as long as it said, and others are not', async () => {
    await proxy.get();
    await proxy.get(PATH, 'other');
    proxy.pass(6 * SECOND);
    api.reply = refuses(429, { 'retry-after': '30' });
    await proxy.get();
    proxy.pass(20 * SECOND);
    await proxy.get();
    expect(api.targets).toHaveLength(3);
    await proxy.get(PATH, 'other');
    expect(api.targets).toHaveLength(4);
    proxy.pass(11 * SECOND);
    await proxy.get();
    expect(api.targets).toHaveLength(5);
  });
});

describe('credentials are renewed', () => {
  test('at 20 to 24 minutes left, without a client', async () => {
    const patient = await start('--recheck_seconds=3600');
    await patient.get();
    patient.pass(35.9 * MINUTE);
    await sleep(1200);
    expect(api.targets).toHaveLength(1);
    patient.pass(4.2 * MINUTE);
    await sleep(1200);
    expect(api.targets).toHaveLength(2);
    expect((await patient.get()).body.AccessKeyId).toBe('ASIA2');
  });

  test('but not over and over for a client that is gone', async () => {
    const patient = await start('--recheck_seconds=3600');
    await patient.get();
    patient.pass(41 * MINUTE);
    await sleep(1200);
    patient.pass(41 * MINUTE);
    await sleep(1200);
    expect(api.targets).toHaveLength(2);
  });

  test('once a minute, while the API gives the same ones from its own cache', async () => {
    const issued = Date.now();
    let passed = 0;
    const body = JSON.stringify({
      AccessKeyId: 'ASIA1',
      SecretAccessKey: 'secret-1',
      Token: 'token-1',
      Expiration: new Date(issued + 60 * MINUTE).toISOString(),
    });
    api.reply = (response, request) => {
      says(200, body, { date: new Date(issued + passed).toUTCString() })(response, request);
    };
    const patient = await start('--recheck_seconds=3600');
    await patient.get();
    for (const [minutes, questions] of [
      [41, 2],
      [0.5, 2],
      [0.6, 3],
    ] as const) {
      passed += minutes * MINUTE;
      patient.pass(minutes * MINUTE);
      await sleep(1200);
      expect(api.targets).toHaveLength(questions);
    }
  });

  test('those that a check brought, too, if a client got them', async () => {
    await proxy.get();
    proxy.pass(6 * SECOND);
    expect((await proxy.get()).body.AccessKeyId).toBe('ASIA2');
    proxy.pass(41 * MINUTE);
    await sleep(1200);
    expect(api.targets).toHaveLength(3);
  });

  test('a refusal then ends the session', async () => {
    const patient = await start('--recheck_seconds=3600');
    await patient.get();
    api.reply = refuses(403);
    patient.pass(41 * MINUTE);
    await sleep(1200);
    expect(api.targets).toHaveLength(2);
    expect((await patient.get()).status).toBe(403);
  });
});

describe('when the clock on the wall is set', () => {
  test.each([
    ['forward', 86_400_000],
    ['back', -86_400_000],
  ])('%s by a day, nothing changes', async (_, ms) => {
    await proxy.get();
    proxy.setWall(ms);
    await api.down();
    proxy.pass(59 * MINUTE);
    expect((await proxy.get()).status).toBe(200);
    proxy.pass(1.1 * MINUTE);
    expect((await proxy.get()).status).toBe(503);
    await api.up();
    // By the API's own date these are good.
    expect((await proxy.get()).status).toBe(200);
  });
});

describe('with more questions at once than the API answers in good time', () => {
  const tokens = Array.from({ length: 400 }, (_, n) => `token-${n}`);
  const slow = (reply: ApiReply) => late(150, reply);
  const all = () => Promise.all(tokens.map((token) => proxy.get(PATH, token)));

  /** An API that was taken for silent would be left alone for longer. */
  async function expectEndNoticed(): Promise<void> {
    const deadline = performance.now() + 3 * SECOND;
    let { status } = await proxy.get();
    while (status === 200 && performance.now() < deadline) {
      await sleep(100);
      ({ status } = await proxy.get());
    }
    expect(status).toBe(403);
  }

  test('about made-up sessions, the end of one in the cache is noticed', async () => {
    await proxy.get();
    proxy.pass(6 * SECOND);
    api.reply = slow(refuses(403));
    const flood = all();
    // The last in the queue have waited for longer than 0.7 s.
    while (api.targets.length < 380) await sleep(10);
    await expectEndNoticed();
    await flood;
  });

  test('about made-up sessions, to which it gives no answer at all, it is noticed too', async () => {
    await proxy.get();
    proxy.pass(6 * SECOND);
    api.reply = (response, request) => {
      if (request.headers.authorization === TOKEN) refuses(403)(response, request);
    };
    const flood = Promise.allSettled(tokens.slice(0, 100).map((token) => proxy.get(PATH, token)));
    // Each of those that were asked is late by then.
    await sleep(SECOND);
    await expectEndNoticed();
    await proxy.stop();
    await flood;
  });

  test('about sessions in the cache, so is the end of another one', async () => {
    await all();
    await proxy.get();
    proxy.pass(6 * SECOND);
    api.reply = slow(grants());
    const flood = all();
    while (api.targets.length < 780) await sleep(10);
    api.reply = refuses(403);
    await expectEndNoticed();
    await flood;
  });
});

describe('tells of itself', () => {
  test('health, and whether the API can be reached', async () => {
    expect((await proxy.get('/health', '')).body).toEqual({ alive: true, apiReachable: true });
    await api.down();
    await proxy.get();
    expect((await proxy.get('/health', '')).body).toEqual({ alive: true, apiReachable: false });
    await api.up();
  });

  test('metrics, without anything of a session', async () => {
    await proxy.get();
    await proxy.get();
    api.reply = refuses(403);
    await proxy.get(PATH, 'other');
    const { headers, body } = await proxy.get('/metrics', '');
    const text = String(body.text);
    expect(headers.get('content-type')).toContain('text/plain');
    expect(text).toContain('slipway_proxy_requests_total{status="200"} 2');
    expect(text).toContain('slipway_proxy_requests_total{status="403"} 1');
    expect(text).toContain('slipway_proxy_cached_sessions 1');
    expect(text).toContain('slipway_proxy_api_reachable 1');
    expect(text).toContain('slipway_proxy_api_seconds_count{outcome="granted"} 1');
    // The session's id may be in a number that has nothing to do with it.
    const withoutValues = text.replaceAll(/ [\d.e+-]+$/gm, '');
    expect(withoutValues).not.toMatch(/1300|alpha|abc|token-|ASIA/);
  });

  test('in its log: the path and what came of it; no token, no credentials, no query', async () => {
    await proxy.get();
    api.reply = refuses(403);
    await proxy.get(PATH, 'other-token');
    api.reply = says(500, 'secret-in-a-body');
    await proxy.get(PATH, 'third-token');
    await proxy.get('/dev/elsewhere?a=secret-in-a-query', 'fourth-token');
    const lines = proxy.logged.map((line) => JSON.parse(line) as object);
    const path = PATH.replace(/\?.*/, '');
    expect(lines).toMatchObject([
      { path, outcome: 'granted' },
      { path, outcome: 'refused' },
      { path, outcome: 'failed', reason: 'status 500' },
    ]);
    expect(proxy.logged.join('')).not.toMatch(/ASIA|secret|token-|-token|roleSessionName|user1/);
  });
});
