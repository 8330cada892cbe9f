import type { Check } from './check';
import { argumentIs, argumentIsSet } from './looks';

const PARAMETER = ['aws_ssm_parameter'];

export const ssmChecks: readonly Check[] = [
  {
    id: 'CKV2_AWS_34',
    asks: 'SSM parameters are encrypted.',
    on: PARAMETER,
    look: argumentIs('type', 'SecureString'),
  },
  {
    id: 'CKV_AWS_337',
    asks: 'Encrypted SSM parameters have a KMS key of their own account.',
    on: PARAMETER,
    look: (parameter) => (parameter.body.type === 'SecureString' ? argumentIsSet('key_id')(parameter) : []),
  },
];
