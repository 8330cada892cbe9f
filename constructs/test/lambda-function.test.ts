import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GeneratedSecret } from '../src/generated-secret';
import type { LambdaFunctionProps } from '../src/lambda-function';
import { key, lambda, synthesized } from './synthesized';

const lambdaOf = (change: Partial<LambdaFunctionProps> = {}) =>
  synthesized((stack) => lambda(stack, change)).the('aws_lambda_function');

test('runs on Node.js 22 and arm64 under its role, after what it needs', () => {
  expect(lambdaOf()).toMatchObject({
    function_name: 'lambda',
    runtime: 'nodejs22.x',
    architectures: ['arm64'],
    handler: 'index.handler',
    memory_size: 512,
    timeout: 10,
    role: 'arn:aws:iam::111122223333:role/lambda',
    depends_on: [
      expect.stringMatching(/^aws_iam_role\.lambda-role_/),
      expect.stringMatching(/^aws_cloudwatch_log_group\.lambda-logs_/),
    ],
  });
});

describe('its code', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'slipway-'))));
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('is deployed when its bytes change, and not otherwise', () => {
    const zipFile = join(folder, 'code.zip');
    const hashOf = (content: string) => {
      writeFileSync(zipFile, content);
      return lambdaOf({ zipFile }).source_code_hash;
    };
    expect(hashOf('one')).toBe(createHash('sha256').update('one').digest('base64'));
    expect(hashOf('two')).not.toBe(hashOf('one'));
    expect(hashOf('one')).toBe(hashOf('one'));
  });
});

test('has variables: texts, and the names and addresses of other constructs', () => {
  const stack = synthesized((stack) => {
    const secret = new GeneratedSecret(stack, 'secret', { name: 'secret', description: '', key: key(stack) });
    lambda(stack, { environment: { SECRET: secret, URL: { url: 'https://a' }, MODE: '${text}' } });
  });
  expect(stack.the('aws_lambda_function').environment).toEqual({
    variables: {
      SECRET: stack.reference('aws_secretsmanager_secret', 'name'),
      URL: 'https://a',
      MODE: '$${text}',
    },
  });
});

test('can have more memory and time, and tags', () => {
  expect(lambdaOf({ memoryMib: 1024, timeoutSeconds: 30, tags: { Team: 'platform' } })).toMatchObject({
    memory_size: 1024,
    timeout: 30,
    tags: { Team: 'platform' },
  });
});

test('is called by a service for one resource alone', () => {
  const stack = synthesized((stack) => {
    lambda(stack).allowCallsFrom(
      'from',
      'events.amazonaws.com',
      'arn:aws:events:eu-west-1:111122223333:rule/it',
    );
  });
  expect(stack.the('aws_lambda_permission')).toMatchObject({
    function_name: stack.reference('aws_lambda_function', 'function_name'),
    action: 'lambda:InvokeFunction',
    principal: 'events.amazonaws.com',
    source_arn: 'arn:aws:events:eu-west-1:111122223333:rule/it',
  });
});
