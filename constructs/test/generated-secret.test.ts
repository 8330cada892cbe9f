import { GeneratedSecret, type GeneratedSecretProps } from '../src/generated-secret';
import { key, synthesized } from './synthesized';

const secret = (change: Partial<GeneratedSecretProps> = {}) =>
  synthesized(
    (stack) =>
      new GeneratedSecret(stack, 'it', {
        name: 'kantox-broker-dev',
        description: 'Of the head node',
        key: key(stack),
        ...change,
      }),
  );

test('is encrypted with the key, and can be had back for 30 days', () => {
  const stack = secret();
  expect(stack.the('aws_secretsmanager_secret')).toMatchObject({
    name: 'kantox-broker-dev',
    description: 'Of the head node',
    kms_key_id: stack.reference('aws_kms_key', 'arn'),
    recovery_window_in_days: 30,
  });
});

test('gets its value from an ephemeral resource by a write-only argument, so that no state holds it', () => {
  const stack = secret();
  const { ephemeral } = stack.configuration as { ephemeral?: Record<string, Record<string, unknown>> };
  const [[name, password] = []] = Object.entries(ephemeral?.aws_secretsmanager_random_password ?? {});
  expect(password).toEqual({ password_length: 48, exclude_punctuation: true });
  const body = stack.the('aws_secretsmanager_secret_version');
  expect(body).toMatchObject({
    secret_id: stack.reference('aws_secretsmanager_secret', 'id'),
    secret_string_wo: `\${ephemeral.aws_secretsmanager_random_password.${String(name)}.random_password}`,
    secret_string_wo_version: 1,
  });
  expect(body).not.toHaveProperty('secret_string');
});

test("leaves somebody's own value in its place: the label of the current one may move on", () => {
  expect(secret().the('aws_secretsmanager_secret_version')).toMatchObject({
    version_stages: ['AWSCURRENT', 'GENERATED'],
    lifecycle: { ignore_changes: ['version_stages'] },
  });
});

test('can have another length, and be gone at once', () => {
  const stack = secret({ length: 20, recoveryDays: 0, tags: { Team: 'platform' } });
  expect(stack.the('aws_secretsmanager_secret')).toMatchObject({
    recovery_window_in_days: 0,
    tags: { Team: 'platform' },
  });
  expect(JSON.stringify(stack.configuration)).toContain('"password_length":20');
});

test('two in a stack have a value each', () => {
  const stack = synthesized((stack) => {
    const common = { description: 'text', key: key(stack) };
    for (const name of ['one', 'two']) new GeneratedSecret(stack, name, { ...common, name });
  });
  const values = stack.all('aws_secretsmanager_secret_version').map((body) => body.secret_string_wo);
  expect(new Set(values).size).toBe(2);
});
