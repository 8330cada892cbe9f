import { setTimeout as pause } from 'node:timers/promises';
import { inspect, types } from 'node:util';
import type * as Runtime from '../src';
import { type Asker, assumeRole, type StsTimeouts } from '../src/assume-role';
import { RoleCredentialsError } from '../src/errors';
import type { Role } from '../src/settings';
import { type Answer, startStsServer, type StsServer } from './sts-server';

const SECRETS = /source-secret|source-token|secret-\d|token-\d/;
const isInstance = Function.prototype[Symbol.hasInstance];
const surroundings = { ...process.env };
const ROLE = 'arn:aws:iam::123456789012:role/reader';
const role: Role = {
  input: { RoleArn: ROLE, RoleSessionName: 'test', DurationSeconds: 3600 },
  region: 'eu-west-1',
  webIdentityTokenFile: undefined,
};
const asker: Asker = {
  source: { accessKeyId: 'AKIASOURCE', secretAccessKey: 'source-secret', sessionToken: 'source-token' },
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
  sts.dates.length = 0;
  process.env = { ...surroundings, AWS_ENDPOINT_URL_STS: sts.url, AWS_MAX_ATTEMPTS: '1' };
});

afterEach(() => {
  sts.ahead = 0;
  sts.now = Date.now;
  process.env = surroundings;
});

/** The error of one try, which holds no secret anywhere, whatever the test is about. */
async function failureOf({ of = role, by = asker, timeouts = SHORT } = {}): Promise<RoleCredentialsError> {
  const error: unknown = await assumeRole(of, by, { timeouts }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RoleCredentialsError)) throw new Error('the role was taken on');
  expect(inspect(error, { showHidden: true, depth: 12, maxStringLength: Infinity })).not.toMatch(SECRETS);
  expect(error.name).toBe('RoleCredentialsError');
  expect(error.message).toContain(ROLE);
  return error;
}

test.each([
  ['AccessDenied', "the role's trust policy allows sts:AssumeRole"],
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

test.each([
  ['because no identity-based policy allows the sts:AssumeRole action', /caller's side.*own policy/],
  [
    'because no resource-based policy allows the sts:AssumeRole action',
    /role's side.*no external id was sent/,
  ],
  [
    'with an explicit deny in a service control policy',
    /explicit deny in a service control policy\): change/,
  ],
])('a denial %s says whose side it is', async (because, next) => {
  const message = `User: x is not authorized to perform: sts:AssumeRole on resource: y ${because}`;
  sts.answer = () => ({ code: 'AccessDenied', message });
  const { message: text } = await failureOf();
  expect(text).toMatch(next);
});

test('a denial with an external id speaks of it, and does not show it', async () => {
  const message = 'User: x is not authorized to perform: sts:AssumeRole on resource: y, ExternalId secret-1';
  sts.answer = () => ({ code: 'AccessDenied', message });
  const { message: text } = await failureOf({
    of: { ...role, input: { ...role.input, ExternalId: 'secret-1' } },
  });
  expect(text).toContain('the external id that was sent, AWS_ROLE_EXTERNAL_ID, must be the one it asks for');
});

test.each([
  ['Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z', "machine's clock is wrong"],
  ['The request signature we calculated does not match', 'does not belong to its access key'],
])('%s tells clock and secret apart', async (message, next) => {
  sts.answer = () => ({ code: 'SignatureDoesNotMatch', message });
  expect((await failureOf()).message).toContain(next);
});

test.each([
  [{ code: 'AccessDenied' }, true],
  [{ code: 'Throttling', status: 400 }, false],
  [{ code: 'InternalFailure', status: 500 }, false],
  ['reset', false],
] as const)('%j is permanent: %j', async (answer, isPermanent) => {
  sts.answer = () => answer;
  expect(await failureOf()).toMatchObject({ isPermanent, roleArn: ROLE });
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
  const { accessKeyId } = await assumeRole(role, asker, { timeouts: { ...SHORT, attemptMs: 50 } });
  expect(accessKeyId).toMatch(/^AKIAGRANTED/);
});

test('all attempts together are given up', async () => {
  sts.answer = () => 'hang';
  expect((await failureOf({ timeouts: { ...SHORT, totalMs: 50 } })).message).toContain(
    'no answer within 50 ms',
  );
});

test('after it is given up STS is not asked again', async () => {
  process.env.AWS_MAX_ATTEMPTS = '3';
  sts.answer = () => 'hang';
  await failureOf({ timeouts: { ...SHORT, attemptMs: 600, totalMs: 500 } });
  await pause(400);
  expect(sts.calls).toHaveLength(1);
});

test('no socket stays open', async () => {
  await assumeRole(role, asker, { timeouts: SHORT });
  await pause(50);
  expect(await sts.connections()).toBe(0);
});

test('a source that hangs is given up, and named', async () => {
  const error = await failureOf({
    by: { source: () => new Promise(() => undefined) },
    timeouts: { ...SHORT, totalMs: 50 },
  });
  expect(error.message).toContain('the source credentials could not be loaded (no answer within 50 ms)');
  expect(sts.calls).toEqual([]);
});

test('a source that fails is named', async () => {
  const error = await failureOf({ by: { source: () => Promise.reject(new Error('log in first')) } });
  expect(error.message).toContain('the source credentials could not be loaded (log in first)');
  expect(error.cause).toMatchObject({ message: 'log in first' });
});

test('a token file that is missing is named', async () => {
  const error = await failureOf({ of: { ...role, webIdentityTokenFile: '/nonexistent/token' } });
  expect(error.message).toMatch(/could not be loaded \(ENOENT.*\/nonexistent\/token/);
});

test('a missing region is named, unless the client that asks has one', async () => {
  process.env = {
    ...process.env,
    AWS_REGION: '',
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  };
  const of = { ...role, region: undefined };
  expect((await failureOf({ of })).message).toContain('Set AWS_REGION');
  await assumeRole(of, { ...asker, clientRegion: () => Promise.resolve('eu-south-2') }, { timeouts: SHORT });
  expect(sts.signatures.at(-1)).toContain('/eu-south-2/sts/');
});

test('throttling is tried again before it is an error', async () => {
  process.env.AWS_MAX_ATTEMPTS = '2';
  sts.answer = () => (sts.calls.length === 1 ? { code: 'Throttling', status: 400 } : 'grant');
  await assumeRole(role, asker, { timeouts: SHORT });
  expect(sts.calls).toHaveLength(2);
});

test.each<[string, Answer, string]>([
  ['an empty answer', { body: '' }, 'without a whole set of credentials'],
  ['a cut answer', { body: '<a><SecretAccessKey>secret-9</SecretAccessKey><Sess' }, 'HTTP 200'],
  ['a page of a proxy', { body: '<html>secret-9', status: 502 }, 'HTTP 502'],
  [
    'a repeated request',
    { code: 'SignatureDoesNotMatch', message: 'x-amz-security-token:source-token' },
    'secret key',
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
  const { expiration } = await assumeRole(role, asker, { timeouts: SHORT });
  const left = expiration.getTime() - Date.now();
  expect(Math.abs(left - 3600_000)).toBeLessThan(5000);
});

test('what has ended already is not handed out', async () => {
  sts.now = () => Date.now() - 2 * 3600_000;
  expect((await failureOf()).message).toContain('STS answered with credentials that ended at');
});

test('a clock that is wrong is corrected by the first answer', async () => {
  process.env.AWS_MAX_ATTEMPTS = '2';
  sts.ahead = 3600_000;
  sts.answer = () =>
    sts.calls.length === 1 ? { code: 'RequestExpired', message: 'Request has expired.' } : 'grant';
  await assumeRole(role, asker, { timeouts: SHORT });
  const [first = 0, second = 0] = sts.dates.map((date) => date.getTime());
  expect(Math.abs(second - first - 3600_000)).toBeLessThan(5000);
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
    roleArn: ROLE,
    region: 'eu-west-1',
    sourceCredentials: { accessKeyId: 'AKIASOURCE', secretAccessKey: 'x' },
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
