import type { Check } from './check';
import { argumentIsSet } from './looks';
import { referred, resourcesOf } from './resource';

const SECRET = ['aws_secretsmanager_secret'];
const ROTATION = 'aws_secretsmanager_secret_rotation';

export const secretChecks: readonly Check[] = [
  {
    id: 'CKV_AWS_149',
    asks: 'Secrets are encrypted with a KMS key of their own account.',
    on: SECRET,
    look: argumentIsSet('kms_key_id'),
  },
  {
    id: 'CKV2_AWS_57',
    asks: 'Secrets change by themselves.',
    on: SECRET,
    look: ({ configuration, address }) =>
      resourcesOf(configuration, [ROTATION]).some(
        ({ body }) => referred(configuration, body.secret_id)?.address === address,
      )
        ? []
        : [{ argument: ROTATION, found: 'not there' }],
  },
];
