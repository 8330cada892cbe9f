import type { Check } from './check';
import { argumentIs } from './looks';
import { isForAnyone, principalShown, statements } from './policy';

const KEY = ['aws_kms_key'];

export const kmsChecks: readonly Check[] = [
  {
    id: 'CKV_AWS_7',
    asks: 'KMS keys rotate; only symmetric ones can.',
    on: KEY,
    look: (key) =>
      [undefined, 'SYMMETRIC_DEFAULT'].includes(key.body.customer_master_key_spec as string)
        ? argumentIs('enable_key_rotation', true)(key)
        : [],
  },
  {
    id: 'CKV_AWS_33',
    asks: 'No key policy allows anything to everyone.',
    on: KEY,
    look: statements(
      'policy',
      'Allow',
      (statement) => isForAnyone(statement) && !statement.Condition && principalShown(statement),
    ),
  },
];
