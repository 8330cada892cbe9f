import { LogGroup } from '../src/log-group';
import { key, synthesized } from './synthesized';

test("keeps lines for a year, under CloudWatch's own key", () => {
  const stack = synthesized((stack) => new LogGroup(stack, 'it', { name: '/aws/lambda/it' }));
  const body = stack.the('aws_cloudwatch_log_group');
  expect(body).toMatchObject({ name: '/aws/lambda/it', retention_in_days: 365 });
  expect(body).not.toHaveProperty('kms_key_id');
});

test('can keep them for another time, under a key of ours', () => {
  const stack = synthesized((stack) => {
    new LogGroup(stack, 'it', { name: 'it', retentionDays: 30, key: key(stack), tags: { Team: 'platform' } });
  });
  expect(stack.the('aws_cloudwatch_log_group')).toMatchObject({
    retention_in_days: 30,
    kms_key_id: stack.reference('aws_kms_key', 'arn'),
    tags: { Team: 'platform' },
  });
});
