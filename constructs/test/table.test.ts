import { Table, type TableProps } from '../src/table';
import { key, synthesized } from './synthesized';

const table = (change: Partial<TableProps> = {}) =>
  synthesized(
    (stack) =>
      new Table(stack, 'it', {
        name: 'kantox-sessions-dev',
        key: key(stack),
        by: { partition: 'SessionId' },
        ...change,
      }),
  );

test('is encrypted with the key, restored to any second, paid by request and not deleted by a slip', () => {
  const stack = table();
  expect(stack.the('aws_dynamodb_table')).toMatchObject({
    name: 'kantox-sessions-dev',
    billing_mode: 'PAY_PER_REQUEST',
    hash_key: 'SessionId',
    attribute: [{ name: 'SessionId', type: 'S' }],
    server_side_encryption: { enabled: true, kms_key_arn: stack.reference('aws_kms_key', 'arn') },
    point_in_time_recovery: { enabled: true },
    deletion_protection_enabled: true,
  });
  expect(stack.the('aws_dynamodb_table')).not.toHaveProperty('range_key');
  expect(stack.the('aws_dynamodb_table')).not.toHaveProperty('ttl');
});

test('an index holds whole items, and states each attribute once', () => {
  const indexes = { ByUser: { partition: 'ClusterUser', sort: 'SessionId' } };
  expect(table({ indexes }).the('aws_dynamodb_table')).toMatchObject({
    attribute: [
      { name: 'SessionId', type: 'S' },
      { name: 'ClusterUser', type: 'S' },
    ],
    global_secondary_index: [
      { name: 'ByUser', hash_key: 'ClusterUser', range_key: 'SessionId', projection_type: 'ALL' },
    ],
  });
});

test('can have a sort key, a time at which items go, no protection, and tags', () => {
  const body = table({
    by: { partition: 'A', sort: 'B' },
    expiresAt: 'ExpiresAt',
    deletionProtection: false,
    tags: { Team: 'platform' },
  }).the('aws_dynamodb_table');
  expect(body).toMatchObject({
    hash_key: 'A',
    range_key: 'B',
    ttl: { enabled: true, attribute_name: 'ExpiresAt' },
    deletion_protection_enabled: false,
    tags: { Team: 'platform' },
  });
});

test('an item is written as DynamoDB has it, after the table', () => {
  const stack = synthesized((stack) => {
    const made = new Table(stack, 'it', { name: 'roles', key: key(stack), by: { partition: 'ProjectId' } });
    made.item('abc', 'abc', { RoleArn: 'arn:aws:iam::111122223333:role/abc' });
  });
  expect(stack.the('aws_dynamodb_table_item')).toMatchObject({
    table_name: stack.reference('aws_dynamodb_table', 'name'),
    hash_key: 'ProjectId',
    item: '{"ProjectId":{"S":"abc"},"RoleArn":{"S":"arn:aws:iam::111122223333:role/abc"}}',
  });
});
