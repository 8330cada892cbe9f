import type { Check } from './check';
import { argumentIs, argumentIsSet } from './looks';

const TABLE = ['aws_dynamodb_table'];

export const dynamodbChecks: readonly Check[] = [
  {
    id: 'CKV_AWS_28',
    asks: 'DynamoDB tables can be restored to any second of the last weeks.',
    on: TABLE,
    look: argumentIs('point_in_time_recovery.enabled', true),
  },
  {
    id: 'CKV_AWS_119',
    asks: 'DynamoDB tables are encrypted with a KMS key of their own account.',
    on: TABLE,
    look: argumentIsSet('server_side_encryption.kms_key_arn'),
  },
  {
    id: 'CKV2_AWS_16',
    asks: 'DynamoDB tables grow with their load.',
    on: TABLE,
    look: argumentIs('billing_mode', 'PAY_PER_REQUEST'),
  },
];
