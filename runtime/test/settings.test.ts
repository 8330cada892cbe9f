import { readSettings } from '../src/settings';

const ROLE = 'arn:aws:iam::123456789012:role/reader';

test.each([
  ROLE,
  'arn:aws-us-gov:iam::123456789012:role/a/path/of_it/name+=,.@-_',
  'arn:aws-iso-b:iam::123456789012:role/x',
])('%s is a role', (roleArn) => {
  expect(readSettings({ roleArn }, {}).role?.arn).toBe(roleArn);
});

test.each([
  '',
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
  expect(readSettings({ roleArn: ROLE, durationSeconds }, {}).role?.durationSeconds).toBe(durationSeconds);
});

test('every malformed value is named in one error', () => {
  const bad = { roleArn: 'arn:x', sessionName: 'a b', externalId: '?', durationSeconds: 1 };
  expect(() => readSettings(bad, {})).toThrow(/roleArn.*sessionName.*externalId.*durationSeconds/);
});

test('what may be a secret in the wrong place is not repeated', () => {
  const secret = 'wJalrXUtnFEMI/K7MDENG';
  const bad = () => readSettings({ roleArn: secret, externalId: `${secret} ` }, {});
  expect(bad).toThrow('21 characters');
  expect(bad).not.toThrow(secret);
});

test('an empty variable counts as not set', () => {
  const env = { AWS_ROLE_ARN: '', AWS_ROLE_SESSION_NAME: '', AWS_ROLE_EXTERNAL_ID: '', AWS_REGION: '' };
  expect(readSettings({}, env)).toEqual({ role: undefined, region: undefined, source: undefined });
});
