import { EncryptionKey } from '../src/encryption-key';
import { key, place, policy, synthesized } from './synthesized';

test('turns every year, and can be had back for 30 days', () => {
  expect(synthesized(key).the('aws_kms_key')).toMatchObject({
    enable_key_rotation: true,
    deletion_window_in_days: 30,
  });
});

test('is found by its alias', () => {
  const stack = synthesized(key);
  expect(stack.the('aws_kms_alias')).toMatchObject({
    name: 'alias/key',
    target_key_id: stack.reference('aws_kms_key', 'key_id'),
  });
});

test('leaves it to the IAM policies of its own account who may use it', () => {
  expect(policy(synthesized(key).the('aws_kms_key')).Statement).toEqual([
    expect.objectContaining({
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111122223333:root' },
      Action: ['kms:*'],
    }),
  ]);
});

test('lets a role use it only by way of the services that are named', () => {
  const stack = synthesized((stack) => {
    expect(key(stack).useThrough(['s3', 'ssm'], place)).toMatchObject({
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Condition: {
        StringEquals: { 'kms:ViaService': ['s3.eu-west-1.amazonaws.com', 'ssm.eu-west-1.amazonaws.com'] },
      },
    });
  });
  expect(stack.all('aws_kms_key')).toHaveLength(1);
});

test('carries the tags that are given', () => {
  const tags = { Team: 'platform' };
  const stack = synthesized((stack) => new EncryptionKey(stack, 'key', { name: 'key', place, tags }));
  expect(stack.the('aws_kms_key').tags).toEqual(tags);
});

test('lets CloudWatch Logs encrypt the groups that are named, and no others', () => {
  const stack = synthesized((stack) => {
    new EncryptionKey(stack, 'key', { name: 'key', place, logGroups: ['/aws/lambda/it'] });
  });
  expect(policy(stack.the('aws_kms_key')).Statement.slice(1)).toEqual([
    expect.objectContaining({
      Effect: 'Allow',
      Principal: { Service: 'logs.eu-west-1.amazonaws.com' },
      Condition: {
        ArnEquals: {
          'kms:EncryptionContext:aws:logs:arn': [
            'arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/it',
          ],
        },
      },
    }),
  ]);
});
