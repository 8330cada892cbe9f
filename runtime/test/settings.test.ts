import type { RoleOptions } from '../src/role-options';
import { readSettings } from '../src/settings';

const ROLE = 'arn:aws:iam::123456789012:role/reader';
const OTHER = 'arn:aws:iam::210987654321:role/writer,of,commas';
const POLICY = 'arn:aws:iam::aws:policy/ReadOnlyAccess';

test.each([
  ROLE,
  'arn:aws-us-gov:iam::123456789012:role/a/path/of_it/name+=,.@-_',
  'arn:aws-iso-b:iam::123456789012:role/x',
])('%s is a role', (roleArn) => {
  expect(readSettings({ roleArn }, {}).roles[0]?.input.RoleArn).toBe(roleArn);
});

test.each([
  `${ROLE}\n`,
  'reader',
  'arn:aws:iam::12345:role/reader',
  'arn:aws:iam::123456789012:user/reader',
  'arn:aws:sts::123456789012:assumed-role/reader/session',
  'arn:aws:iam::123456789012:role/',
  `arn:aws:iam::123456789012:role/${'x'.repeat(65)}`,
])('%j is no role', (roleArn) => {
  expect(() => readSettings({ roleArn }, {})).toThrow('roleArn (AWS_ROLE_ARN) must look like');
});

test.each([899, 43_201, 3600.5, Number.NaN])('%d seconds are no duration', (durationSeconds) => {
  expect(() => readSettings({ durationSeconds }, {})).toThrow('from 900 to 43200');
});

test.each([900, 43_200])('%d seconds are a duration', (durationSeconds) => {
  expect(readSettings({ roleArn: ROLE, durationSeconds }, {}).roles[0]?.input.DurationSeconds).toBe(
    durationSeconds,
  );
});

test('every malformed value is named in one error', () => {
  const bad = {
    roleArn: 'arn:x',
    externalId: '?',
    chain: ['arn:y'],
    sessionName: 'a b',
    sourceIdentity: 'x',
    durationSeconds: 1,
  };
  expect(() => readSettings(bad, {})).toThrow(
    /roleArn.*externalId.*chain, role 1, roleArn.*sessionName.*sourceIdentity.*durationSeconds/,
  );
});

test('what may be a secret in the wrong place is not repeated', () => {
  const secret = 'wJalrXUtnFEMI/K7MDENG';
  const bad = () => readSettings({ roleArn: secret, externalId: `${secret} ` }, {});
  expect(bad).toThrow('21 characters');
  expect(bad).not.toThrow(secret);
});

test('an empty variable counts as not set', () => {
  const names = ['ARN', 'SESSION_NAME', 'EXTERNAL_ID', 'CHAIN', 'DURATION_SECONDS'].map(
    (name) => `AWS_ROLE_${name}`,
  );
  const env = Object.fromEntries(['AWS_REGION', ...names].map((name) => [name, '']));
  expect(readSettings({}, env)).toEqual({ roles: [], region: undefined, source: undefined });
});

test.each<[string, Partial<RoleOptions>]>([
  ['sessionTags may have 50 at most, got 51', { sessionTags: tags(51) }],
  ['"aws:x" has not', { sessionTags: { 'aws:x': '1' } }],
  ['"key" has not', { sessionTags: { key: 'x'.repeat(257) } }],
  [
    'transitiveTagKeys may name keys of sessionTags only',
    { sessionTags: { a: '1' }, transitiveTagKeys: ['b'] },
  ],
  ['at most 2048 characters; the one given has 2057', { sessionPolicy: { Sid: 'x'.repeat(2047) } }],
  ['sessionPolicy must be a JSON object', { sessionPolicy: '"s3:*"' }],
  ['sessionPolicyArns may have 10 at most', { sessionPolicyArns: Array<string>(11).fill(POLICY) }],
  ['must look like arn:aws:iam::aws:policy', { sessionPolicyArns: ['ReadOnlyAccess'] }],
])('%s', (text, options) => {
  expect(() => readSettings({ roleArn: ROLE, ...options }, {})).toThrow(text);
  expect(() => readSettings({ roleArn: ROLE, chain: [{ roleArn: OTHER, ...options }] }, {})).toThrow(text);
});

test('all that can be given becomes AssumeRole’s input', () => {
  const sessionPolicy = { Version: '2012-10-17', Statement: [] };
  const settings = readSettings(
    {
      roleArn: ROLE,
      sessionName: 'name',
      sourceIdentity: 'ann',
      sessionTags: { team: 'blue', 'cost center': '' },
      transitiveTagKeys: ['team'],
      sessionPolicy,
      sessionPolicyArns: [POLICY],
    },
    { AWS_ROLE_EXTERNAL_ID: 'kantox', AWS_ROLE_DURATION_SECONDS: '1800' },
  );
  expect(settings.roles.map(({ input }) => input)).toEqual([
    {
      RoleArn: ROLE,
      RoleSessionName: 'name',
      SourceIdentity: 'ann',
      ExternalId: 'kantox',
      DurationSeconds: 1800,
      Tags: [
        { Key: 'team', Value: 'blue' },
        { Key: 'cost center', Value: '' },
      ],
      TransitiveTagKeys: ['team'],
      Policy: JSON.stringify(sessionPolicy),
      PolicyArns: [{ arn: POLICY }],
    },
  ]);
});

describe('a chain', () => {
  test.each([`${ROLE},${OTHER}`, ` ${ROLE} , ${OTHER}\n`, `${ROLE}\n${OTHER}`])(
    'is read from %j',
    (variable) => {
      const { roles } = readSettings({ roleArn: OTHER }, { AWS_ROLE_CHAIN: variable });
      expect(roles.map(({ input }) => input.RoleArn)).toEqual([OTHER, ROLE, OTHER]);
    },
  );

  test('takes on each role with its own options, and the last for as long as is asked', () => {
    const chain = [{ roleArn: OTHER, externalId: 'other' }];
    const { roles } = readSettings({ roleArn: ROLE, externalId: 'first', sourceIdentity: 'ann', chain }, {});
    expect(roles.map(({ input }) => input)).toMatchObject([
      { ExternalId: 'first', DurationSeconds: 900, SourceIdentity: 'ann' },
      { ExternalId: 'other', DurationSeconds: 3600, SourceIdentity: 'ann' },
    ]);
  });

  test('lasts an hour at most', () => {
    const options = { roleArn: ROLE, chain: [OTHER], durationSeconds: 3601 };
    expect(() => readSettings(options, {})).toThrow('from 900 to 3600, got 3601');
  });

  test('starts at a role', () => {
    expect(() => readSettings({ chain: [OTHER] }, {})).toThrow('roleArn (AWS_ROLE_ARN) must look like');
  });
});

test('tags and source identity cannot go with a web identity token', () => {
  const env = { AWS_ROLE_ARN: ROLE, AWS_WEB_IDENTITY_TOKEN_FILE: '/token' };
  expect(() => readSettings({ sourceIdentity: 'ann' }, env)).toThrow(
    'cannot be sent with a web identity token',
  );
  expect(() => readSettings({ sessionTags: { a: '1' } }, env)).toThrow('cannot be sent with a web identity');
  expect(readSettings({ chain: [{ roleArn: OTHER, sessionTags: { a: '1' } }] }, env).roles).toHaveLength(2);
});

function tags(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`key${i}`, 'value']));
}
