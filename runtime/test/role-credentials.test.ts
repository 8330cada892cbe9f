import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { S3Client, ListBucketsCommand } from '@aws-sdk/client-s3';
import { roleCredentials } from '../src';
import { STS_TIMEOUTS } from '../src/assume-role';
import { credentialsProvider } from '../src/role-credentials';
import type { RoleCredentialsOptions } from '../src/settings';
import { startStsServer, type StsServer } from './sts-server';

const ROLE = 'arn:aws:iam::123456789012:role/team/reader';
const MINUTE = 60_000;
const surroundings = { ...process.env };
let sts: StsServer;
let clock: number;
let notices: string[];
const onNotice = (message: string) => notices.push(message);

beforeEach(async () => {
  sts = await startStsServer();
  sts.now = () => clock;
  clock = Date.now();
  notices = [];
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

/** A provider on the test's clock. */
function provider(options: RoleCredentialsOptions = {}) {
  return credentialsProvider({ onNotice, ...options }, { now: () => clock, stsTimeouts: STS_TIMEOUTS });
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
  test('1,000 concurrent callers make one call', async () => {
    const credentials = provider();
    const keys = await Promise.all(Array.from({ length: 1000 }, () => key(credentials)));
    expect(new Set(keys)).toEqual(new Set(['AKIAGRANTED1']));
    expect(sts.calls).toHaveLength(1);
  });

  test('each provider has its own', async () => {
    expect([await key(provider()), await key(provider())]).toEqual(['AKIAGRANTED1', 'AKIAGRANTED2']);
  });

  test('in the last 5 minutes the caller gets credentials at once and STS is asked behind its back', async () => {
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
    clock += 3 * MINUTE + 1000;
    await expect(credentials()).rejects.toThrow('STS could not be reached');
    sts.answer = () => 'grant';
    expect(await key(credentials)).toBe('AKIAGRANTED2');
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
    const credentials = provider({
      onNotice: () => {
        throw new Error('the log is full');
      },
    });
    await credentials();
    clock += 56 * MINUTE;
    sts.answer = () => 'reset';
    await credentials();
    await until(() => sts.calls.length === 2);
    expect(await key(credentials)).toBe('AKIAGRANTED1');
  });
});

test('printed credentials show no secret', async () => {
  const credentials = provider();
  const shown = inspect([await credentials(), credentials], { showHidden: true, depth: 9 });
  expect(shown).toContain('AKIAGRANTED1');
  expect(shown).not.toMatch(/secret-1|token-1|source-secret/);
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
