import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { S3Client, ListBucketsCommand } from '@aws-sdk/client-s3';
import { type RoleCredentialsEvent, roleCredentials, RoleCredentialsError } from '../src';
import { STS_TIMEOUTS } from '../src/assume-role';
import { credentialsProvider, type World } from '../src/role-credentials';
import type { RoleCredentialsOptions } from '../src/settings';
import { type Answer, startStsServer, type StsServer } from './sts-server';

jest.setTimeout(60_000);

const ROLE = 'arn:aws:iam::123456789012:role/team/reader';
const MINUTE = 60_000;
const surroundings = { ...process.env };
let sts: StsServer;
let clock: number;
let notices: string[];
let events: RoleCredentialsEvent[];
let world: World;

beforeEach(async () => {
  sts = await startStsServer();
  sts.now = () => clock;
  clock = Date.now();
  notices = [];
  events = [];
  world = {
    clock: { wall: () => clock, monotonic: () => clock },
    sts: { timeouts: STS_TIMEOUTS },
    sessions: new Map(),
  };
  process.env = {
    ...Object.fromEntries(Object.entries(surroundings).filter(([name]) => !name.startsWith('AWS_'))),
    AWS_ENDPOINT_URL_STS: sts.url,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'AKIASOURCE',
    AWS_SECRET_ACCESS_KEY: 'source-secret',
    AWS_ROLE_ARN: ROLE,
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
  };
});

afterEach(async () => {
  process.env = surroundings;
  await sts.close();
});

/** A provider on the test's clock. What it still has to say when its test is over isn't said to the next one. */
function provider(options: RoleCredentialsOptions = {}) {
  const [saidNotices, saidEvents] = [notices, events];
  return credentialsProvider(
    {
      onNotice: (message) => saidNotices.push(message),
      onEvent: (event) => saidEvents.push(event),
      ...options,
    },
    world,
  );
}

const key = async (credentials: ReturnType<typeof provider>) => (await credentials()).accessKeyId;

describe('taking on the role', () => {
  test('an SDK client signs with the session, taken on by the source', async () => {
    const s3 = new S3Client({ credentials: roleCredentials(), endpoint: sts.url, forcePathStyle: true });
    await s3.send(new ListBucketsCommand({}));
    expect(sts.signatures).toEqual([
      expect.stringMatching(/Credential=AKIASOURCE\/\d{8}\/eu-west-1\/sts\//),
      expect.stringMatching(/Credential=AKIAGRANTED1\/\d{8}\/eu-west-1\/s3\//),
    ]);
    s3.destroy();
  });

  test('the variables reach STS', async () => {
    Object.assign(process.env, { AWS_ROLE_SESSION_NAME: 'night-job', AWS_ROLE_EXTERNAL_ID: 'kantox:dev' });
    await provider()();
    expect(Object.fromEntries(sts.calls[0] ?? [])).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: ROLE,
      RoleSessionName: 'night-job',
      ExternalId: 'kantox:dev',
      DurationSeconds: '3600',
    });
  });

  test('options beat the variables', async () => {
    Object.assign(process.env, { AWS_ROLE_SESSION_NAME: 'night-job', AWS_ROLE_EXTERNAL_ID: 'kantox:dev' });
    await provider({
      roleArn: 'arn:aws-cn:iam::210987654321:role/other',
      sessionName: 'day-job',
      externalId: 'other',
      region: 'cn-north-1',
      durationSeconds: 900,
      sourceCredentials: { accessKeyId: 'AKIAOTHER', secretAccessKey: 'x' },
    })();
    expect(Object.fromEntries(sts.calls[0] ?? [])).toMatchObject({
      RoleArn: 'arn:aws-cn:iam::210987654321:role/other',
      RoleSessionName: 'day-job',
      ExternalId: 'other',
      DurationSeconds: '900',
    });
    expect(sts.signatures[0]).toMatch(/Credential=AKIAOTHER\/\d{8}\/cn-north-1\//);
  });

  test('AWS_ENDPOINT_URL is honoured, and AWS_ENDPOINT_URL_STS comes before it', async () => {
    process.env.AWS_ENDPOINT_URL = 'http://127.0.0.1:1';
    await provider()();
    Object.assign(process.env, { AWS_ENDPOINT_URL: sts.url, AWS_ENDPOINT_URL_STS: '' });
    await provider()();
    expect(sts.calls).toHaveLength(2);
  });

  test('a source provider is asked again for each refresh', async () => {
    let asked = 0;
    const sourceCredentials = () =>
      Promise.resolve({ accessKeyId: `AKIASOURCE${++asked}`, secretAccessKey: 'x' });
    const credentials = provider({ sourceCredentials });
    await credentials();
    await credentials({ forceRefresh: true });
    expect(sts.signatures.map((each) => /AKIASOURCE\d/.exec(each)?.[0])).toEqual([
      'AKIASOURCE1',
      'AKIASOURCE2',
    ]);
  });
});

describe('without a role', () => {
  beforeEach(() => {
    process.env.AWS_ROLE_ARN = '';
  });

  test("the SDK's default chain is handed on, and said so once", async () => {
    const credentials = provider();
    await credentials();
    expect(await credentials()).toMatchObject({
      accessKeyId: 'AKIASOURCE',
      secretAccessKey: 'source-secret',
    });
    expect(notices).toEqual([expect.stringContaining('no role is set')]);
    expect(sts.calls).toEqual([]);
  });

  test('given source credentials are handed on', async () => {
    const given = { accessKeyId: 'AKIAGIVEN', secretAccessKey: 'x' };
    expect(await provider({ sourceCredentials: given })()).toEqual(given);
  });

  test('the notice goes to console.warn unless another place is given', () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    roleCredentials();
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });
});

describe('with a web identity token (IRSA)', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'runtime-'));
    writeFileSync(join(folder, 'token'), 'header.claims.first\n');
    delete process.env.AWS_ACCESS_KEY_ID;
    process.env.AWS_WEB_IDENTITY_TOKEN_FILE = join(folder, 'token');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('the role is taken on with the token, in one call, and the token is read again each time', async () => {
    const credentials = provider({ sessionName: 'pod' });
    expect(await key(credentials)).toBe('AKIAGRANTED1');
    writeFileSync(join(folder, 'token'), 'header.claims.second');
    await credentials({ forceRefresh: true });
    expect(sts.calls.map((call) => [call.get('Action'), call.get('WebIdentityToken')])).toEqual([
      ['AssumeRoleWithWebIdentity', 'header.claims.first'],
      ['AssumeRoleWithWebIdentity', 'header.claims.second'],
    ]);
    expect(sts.calls[0]?.get('RoleSessionName')).toBe('pod');
  });

  test('keys in the environment, as in the SDK, and given source credentials come before it', async () => {
    process.env.AWS_ACCESS_KEY_ID = 'AKIASOURCE';
    await provider()();
    delete process.env.AWS_ACCESS_KEY_ID;
    await provider({ sourceCredentials: { accessKeyId: 'AKIAOTHER', secretAccessKey: 'x' } })();
    expect(sts.calls.map((call) => call.get('Action'))).toEqual(['AssumeRole', 'AssumeRole']);
  });

  test("another role is taken on from the token's role", async () => {
    const other = 'arn:aws:iam::123456789012:role/other';
    await provider({ roleArn: other })();
    expect(sts.calls.map((call) => [call.get('Action'), call.get('RoleArn')])).toEqual([
      ['AssumeRoleWithWebIdentity', ROLE],
      ['AssumeRole', other],
    ]);
  });

  test('an external id, which such a call cannot carry, is noticed', async () => {
    await provider({ externalId: 'kantox' })();
    expect(sts.calls[0]?.has('ExternalId')).toBe(false);
    expect(notices).toEqual([expect.stringContaining('external id is not sent')]);
  });
});

describe('the cache', () => {
  test('10,000 concurrent callers make one call', async () => {
    const credentials = provider();
    const keys = await Promise.all(Array.from({ length: 10_000 }, () => key(credentials)));
    expect(new Set(keys)).toEqual(new Set(['AKIAGRANTED1']));
    expect(sts.calls).toHaveLength(1);
  });

  test('100 clients of one role make one call, whichever way they got to it', async () => {
    const sourceCredentials = { accessKeyId: 'AKIASOURCE', secretAccessKey: 'x' };
    const clients = Array.from({ length: 100 }, (_, n) => {
      const credentials = provider(n % 2 ? { sourceCredentials: { ...sourceCredentials } } : {});
      return new S3Client({ credentials, endpoint: sts.url, forcePathStyle: true });
    });
    await Promise.all(clients.map((client) => client.send(new ListBucketsCommand({}))));
    expect(sts.calls).toHaveLength(2);
    for (const client of clients) client.destroy();
  });

  test.each<[string, RoleCredentialsOptions]>([
    ['external id', { externalId: 'other' }],
    ['tags', { sessionTags: { team: 'red' } }],
    ['policy', { sessionPolicy: {} }],
    ['duration', { durationSeconds: 901 }],
    ['name', { sessionName: 'other' }],
    ['source identity', { sourceIdentity: 'other' }],
    ['source', { sourceCredentials: { accessKeyId: 'AKIASOURCE', secretAccessKey: 'y' } }],
    [
      'source function',
      { sourceCredentials: () => Promise.resolve({ accessKeyId: 'A', secretAccessKey: 'x' }) },
    ],
    ['region', { region: 'eu-west-3' }],
    ['chain', { chain: [ROLE] }],
  ])('another %s is another session', async (_, options) => {
    const same = { sourceCredentials: { accessKeyId: 'AKIASOURCE', secretAccessKey: 'x' } };
    const first = await key(provider(same));
    expect(await key(provider(same))).toBe(first);
    expect(await key(provider({ ...same, ...options }))).not.toBe(first);
  });

  test('so is another user in the environment', async () => {
    const first = await key(provider());
    process.env.AWS_ACCESS_KEY_ID = 'AKIAOTHER';
    expect(await key(provider())).not.toBe(first);
  });

  test('a session that nobody used to its end is forgotten', async () => {
    await provider({ externalId: 'tenant-1' })();
    clock += 61 * MINUTE;
    await provider({ externalId: 'tenant-2' })();
    expect(world.sessions.size).toBe(1);
  });

  test('in the last minutes the caller gets credentials at once and STS is asked behind its back', async () => {
    const credentials = provider();
    await credentials();
    clock += 56 * MINUTE;
    let release = (): void => undefined;
    sts.answer = () =>
      new Promise((resolve) => {
        release = () => {
          resolve('grant');
        };
      });
    expect(await key(credentials)).toBe('AKIAGRANTED1');
    await until(() => sts.calls.length === 2);
    expect(await key(credentials)).toBe('AKIAGRANTED1');
    release();
    await until(async () => (await key(credentials)) === 'AKIAGRANTED2');
    expect(sts.calls).toHaveLength(2);
  });

  test('an outage of STS is not felt while the credentials are valid, but noticed', async () => {
    const credentials = provider();
    await credentials();
    clock += 56 * MINUTE;
    sts.answer = () => 'reset';
    expect(await key(credentials)).toBe('AKIAGRANTED1');
    await until(() => notices.length === 1);
    expect(await key(credentials)).toBe('AKIAGRANTED1');
    expect(notices[0]).toMatch(/could not be refreshed.*valid until .*STS could not be reached/);
    clock += 4 * MINUTE;
    await expect(credentials()).rejects.toThrow('STS could not be reached');
    sts.answer = () => 'grant';
    clock += 1001;
    expect(await key(credentials)).toBe('AKIAGRANTED2');
    expect(events.map(({ type }) => type)).toEqual(['assumed', 'served-stale', 'failed', 'refreshed']);
    expect(JSON.stringify(events)).not.toMatch(/secret|token-/);
  });

  test('access key, secret and token always stem from one answer', async () => {
    const credentials = provider();
    for (let i = 0; i < 5; i++) {
      const many = await Promise.all(Array.from({ length: 50 }, () => credentials()));
      for (const { accessKeyId, secretAccessKey, sessionToken } of many) {
        const n = accessKeyId.replace('AKIAGRANTED', '');
        expect([secretAccessKey, sessionToken]).toEqual([`secret-${n}`, `token-${n}`]);
      }
      clock += 56 * MINUTE;
      const old = await key(credentials);
      await until(async () => (await key(credentials)) !== old);
    }
  });

  test("no caller can alter another's credentials", async () => {
    const credentials = provider();
    const first = await credentials();
    Object.assign(first, { secretAccessKey: 'altered' });
    first.expiration?.setFullYear(2000);
    expect(await credentials()).toMatchObject({
      secretAccessKey: 'secret-1',
      expiration: new Date(clock + 60 * MINUTE),
    });
  });

  test('a notice that throws breaks nothing', async () => {
    let told = 0;
    const credentials = provider({
      onNotice: () => {
        told++;
        throw new Error('the log is full');
      },
    });
    await credentials();
    clock += 56 * MINUTE;
    sts.answer = () => 'reset';
    await credentials();
    await until(() => told === 1);
    expect(await key(credentials)).toBe('AKIAGRANTED1');
  });
});

test('an outage of 55 minutes within the hour costs no request', async () => {
  let asked = 0;
  const credentials = provider({
    sourceCredentials: () => {
      asked++;
      return Promise.resolve({ accessKeyId: 'AKIASOURCE', secretAccessKey: 'x' });
    },
  });
  const s3 = new S3Client({ credentials, endpoint: sts.url, forcePathStyle: true, systemClockOffset: 0 });
  await s3.send(new ListBucketsCommand({}));
  const faults: Answer[] = [
    'reset',
    { code: 'Throttling', status: 400 },
    { code: 'InternalFailure', status: 500 },
  ];
  sts.answer = () => faults[sts.calls.length % 3] ?? 'reset';
  for (let minute = 0; minute < 55; minute++) {
    clock += MINUTE;
    await s3.send(new ListBucketsCommand({}));
    await until(() => events.length === asked);
  }
  sts.answer = () => 'grant';
  clock += 4.5 * MINUTE;
  await s3.send(new ListBucketsCommand({}));
  expect(await key(credentials)).toBe('AKIAGRANTED2');
  expect(sts.calls.length).toBeLessThanOrEqual(5);
  s3.destroy();
});

test('an SDK client is not held up by a refresh', async () => {
  const credentials = provider();
  const s3 = new S3Client({ credentials, endpoint: sts.url, forcePathStyle: true });
  await s3.send(new ListBucketsCommand({}));
  sts.answer = () => 'hang';
  clock += 56 * MINUTE;
  await s3.send(new ListBucketsCommand({}));
  await until(() => sts.calls.length === 2);
  s3.destroy();
});

test('credentials that a service refused are renewed, once', async () => {
  const credentials = provider();
  const refused = await credentials();
  expect(credentials.invalidate(refused)).toBe(true);
  expect(await key(credentials)).toBe('AKIAGRANTED2');
  expect(credentials.invalidate(refused)).toBe(false);
  expect(await key(credentials)).toBe('AKIAGRANTED2');
});

test('a caller gives up waiting when it wants to', async () => {
  sts.answer = () => 'hang';
  await expect(provider()({ abortSignal: AbortSignal.timeout(20) })).rejects.toThrow(
    'aborted due to timeout',
  );
});

test('a permanent error is not hammered', async () => {
  sts.answer = () => ({ code: 'AccessDenied' });
  const credentials = provider();
  for (let i = 0; i < 50; i++) await expect(credentials()).rejects.toThrow(RoleCredentialsError);
  expect(sts.calls).toHaveLength(1);
});

test('a chain is taken on role by role, and renewed as one', async () => {
  const chain = [
    'arn:aws:iam::123456789012:role/second',
    { roleArn: 'arn:aws:iam::210987654321:role/third', externalId: 'x:3' },
  ];
  const credentials = provider({ chain });
  expect(await key(credentials)).toBe('AKIAGRANTED3');
  expect(sts.calls.map((call) => [call.get('RoleArn')?.split('/').pop(), call.get('ExternalId')])).toEqual([
    ['reader', null],
    ['second', null],
    ['third', 'x:3'],
  ]);
  expect(sts.signatures.map((each) => /AKIA\w+/.exec(each)?.[0])).toEqual([
    'AKIASOURCE',
    'AKIAGRANTED1',
    'AKIAGRANTED2',
  ]);
  sts.answer = (call) => (call.get('RoleArn')?.endsWith('second') ? { code: 'AccessDenied' } : 'grant');
  clock += 61 * MINUTE;
  await expect(credentials()).rejects.toThrow('Could not take on role arn:aws:iam::123456789012:role/second');
});

test('a key that was rotated in the credentials file is the one that asks next', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'runtime-'));
  const file = join(folder, 'credentials');
  const write = (id: string) => {
    writeFileSync(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = x\n`);
  };
  delete process.env.AWS_ACCESS_KEY_ID;
  process.env.AWS_SHARED_CREDENTIALS_FILE = file;
  write('AKIAOLD');
  const credentials = provider();
  await credentials();
  write('AKIANEW');
  await credentials({ forceRefresh: true });
  expect(sts.signatures.map((each) => /AKIA\w+/.exec(each)?.[0])).toEqual(['AKIAOLD', 'AKIANEW']);
  rmSync(folder, { recursive: true });
});

test('printed credentials show no secret, nor do they as JSON', async () => {
  const credentials = provider();
  const session = await credentials();
  expect(JSON.parse(JSON.stringify(session))).toEqual({
    accessKeyId: 'AKIAGRANTED1',
    expiration: session.expiration?.toISOString(),
  });
  const shown = inspect([session, credentials], { showHidden: true, depth: 9 });
  expect(shown).toContain('AKIAGRANTED1');
  expect(shown).not.toMatch(/secret-1|token-1|source-secret/);
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
