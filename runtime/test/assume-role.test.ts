import { setTimeout as pause } from 'node:timers/promises';
import { inspect, types } from 'node:util';
import type * as Runtime from '../src';
import { assumeRole, type StsTimeouts } from '../src/assume-role';
import type { Role } from '../src/settings';
import { type Answer, startStsServer, type StsServer } from './sts-server';

const SECRETS = /source-secret|source-token|secret-\d|token-\d/;
const isInstance = Function.prototype[Symbol.hasInstance];
const surroundings = { ...process.env };
const role: Role = {
  arn: 'arn:aws:iam::123456789012:role/reader',
  sessionName: 'test',
  externalId: undefined,
  durationSeconds: 3600,
  region: 'eu-west-1',
  source: { accessKeyId: 'AKIASOURCE', secretAccessKey: 'source-secret', sessionToken: 'source-token' },
  webIdentityTokenFile: undefined,
};
const SHORT: StsTimeouts = { connectionMs: 1000, attemptMs: 1000, totalMs: 2000 };
let sts: StsServer;

// Jest gives a test an Error class that isn't Node's own, so the SDK, which asks `instanceof Error`, would
// wrap socket errors as it never does outside.
Object.defineProperty(Error, Symbol.hasInstance, {
  value(this: unknown, thing: unknown): boolean {
    return this === Error ? types.isNativeError(thing) : Reflect.apply(isInstance, this, [thing]);
  },
});

beforeAll(async () => {
  sts = await startStsServer();
});

afterAll(() => sts.close());

beforeEach(() => {
  sts.answer = () => 'grant';
  sts.calls.length = 0;
  process.env = { ...surroundings, AWS_ENDPOINT_URL_STS: sts.url, AWS_MAX_ATTEMPTS: '1' };
});

afterEach(() => {
  sts.ahead = 0;
  process.env = surroundings;
});

/** The error of one try, which holds no secret anywhere, whatever the test is about. */
async function failureOf(given: Role = role, timeouts = SHORT): Promise<Error> {
  const error: unknown = await assumeRole(given, timeouts).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error('the role was taken on');
  expect(inspect(error, { showHidden: true, depth: 12, maxStringLength: Infinity })).not.toMatch(SECRETS);
  expect(error.name).toBe('RoleCredentialsError');
  expect(error.message).toContain(role.arn);
  return error;
}

test.each([
  ['AccessDenied', 'trust policy names the source'],
  ['ExpiredToken', 'renew them'],
  ['ExpiredTokenException', 'renew them'],
  ['InvalidClientTokenId', 'The source access key is unknown to AWS'],
  ['Throttling', 'Too many calls to STS'],
  ['ThrottlingException', 'Too many calls to STS'],
  ['ValidationError', 'maximum session duration'],
  ['RegionDisabledException', 'Activate STS'],
  ['InvalidIdentityToken', 'OIDC provider'],
])('%s says what to do next', async (code, next) => {
  sts.answer = () => ({ code, message: 'User: x is not authorized' });
  const error = await failureOf();
  expect(error.message).toContain(code);
  expect(error.message).toContain('User: x is not authorized');
  expect(error.message).toContain(next);
  expect(error.cause).toMatchObject({
    message: 'User: x is not authorized',
    $metadata: { httpStatusCode: 403 },
  });
});

test('a refused connection is a matter of the network', async () => {
  process.env.AWS_ENDPOINT_URL_STS = 'http://127.0.0.1:1';
  const error = await failureOf();
  expect(error.message).toMatch(/STS could not be reached \(ECONNREFUSED.*Check network/);
  expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
});

test('an STS that hangs is given up, attempt by attempt', async () => {
  process.env.AWS_MAX_ATTEMPTS = '2';
  sts.answer = () => (sts.calls.length === 1 ? 'hang' : 'grant');
  const { accessKeyId } = await assumeRole(role, { ...SHORT, attemptMs: 50 });
  expect(accessKeyId).toMatch(/^AKIAGRANTED/);
});

test('all attempts together are given up', async () => {
  sts.answer = () => 'hang';
  expect((await failureOf(role, { ...SHORT, totalMs: 50 })).message).toContain('no answer within 50 ms');
});

test('after it is given up STS is not asked again', async () => {
  process.env.AWS_MAX_ATTEMPTS = '3';
  sts.answer = () => 'hang';
  await failureOf(role, { ...SHORT, attemptMs: 100, totalMs: 50 });
  await pause(300);
  expect(sts.calls).toHaveLength(1);
});

test('no socket stays open', async () => {
  await assumeRole(role, SHORT);
  await pause(50);
  expect(await sts.connections()).toBe(0);
});

test('a source that hangs is given up, and named', async () => {
  const error = await failureOf(
    { ...role, source: () => new Promise(() => undefined) },
    { ...SHORT, totalMs: 50 },
  );
  expect(error.message).toContain('the source credentials could not be loaded (no answer within 50 ms)');
  expect(sts.calls).toEqual([]);
});

test('a source that fails is named', async () => {
  const error = await failureOf({ ...role, source: () => Promise.reject(new Error('log in first')) });
  expect(error.message).toContain('the source credentials could not be loaded (log in first)');
  expect(error.cause).toMatchObject({ message: 'log in first' });
});

test('a token file that is missing is named', async () => {
  const error = await failureOf({ ...role, webIdentityTokenFile: '/nonexistent/token' });
  expect(error.message).toMatch(/could not be loaded \(ENOENT.*\/nonexistent\/token/);
});

test('a missing region is named', async () => {
  process.env = {
    ...process.env,
    AWS_REGION: '',
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  };
  expect((await failureOf({ ...role, region: undefined })).message).toContain('Set AWS_REGION');
});

test('throttling is tried again before it is an error', async () => {
  process.env.AWS_MAX_ATTEMPTS = '2';
  sts.answer = () => (sts.calls.length === 1 ? { code: 'Throttling', status: 400 } : 'grant');
  await assumeRole(role, SHORT);
  expect(sts.calls).toHaveLength(2);
});

test.each<[string, Answer, string]>([
  ['an empty answer', { body: '' }, 'without a whole set of credentials'],
  ['a cut answer', { body: '<a><SecretAccessKey>secret-9</SecretAccessKey><Sess' }, 'HTTP 200'],
  ['a page of a proxy', { body: '<html>secret-9', status: 502 }, 'HTTP 502'],
  [
    'a repeated request',
    { code: 'SignatureDoesNotMatch', message: 'x-amz-security-token:source-token' },
    'clock',
  ],
  [
    'a repeated value',
    { code: 'ValidationError', message: "Value 'source-secret' at" },
    "Value '[redacted]' at",
  ],
])('%s from STS is an error that shows no secret', async (_, answer, text) => {
  sts.answer = () => answer;
  expect((await failureOf()).message).toContain(text);
});

test.each(['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration'])(
  'credentials without %s are none',
  async (missing) => {
    const whole = { AccessKeyId: 'A', SecretAccessKey: 'secret-9', SessionToken: 'token-9' };
    const fields = { ...whole, Expiration: '2030-01-01T00:00:00Z', [missing]: undefined };
    sts.answer = () => ({ body: inResult(fields) });
    expect((await failureOf()).message).toContain('without a whole set of credentials');
  },
);

test('the expiration is by this clock, when it goes wrong by more than 30 seconds', async () => {
  sts.ahead = 2 * 3600_000;
  const { expiration } = await assumeRole(role, SHORT);
  const left = expiration.getTime() - Date.now();
  expect(Math.abs(left - 3600_000)).toBeLessThan(5000);
});

test('the SDK is loaded on first use only', async () => {
  let loaded = false;
  jest.resetModules();
  jest.doMock('@aws-sdk/client-sts', () => {
    loaded = true;
    return jest.requireActual<object>('@aws-sdk/client-sts');
  });
  const { roleCredentials } = jest.requireActual<typeof Runtime>('../src');
  const credentials = roleCredentials({
    roleArn: role.arn,
    region: role.region,
    sourceCredentials: role.source,
  });
  expect(loaded).toBe(false);
  await credentials();
  expect(loaded).toBe(true);
});

function inResult(fields: Record<string, string | undefined>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    ${given.map(([name, value]) => `<${name}>${value}</${name}>`).join('')}
    </Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}
