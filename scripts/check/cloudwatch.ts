import type { Check } from './check';
import { argumentIsSet } from './looks';
import { shown } from './resource';

const GROUP = ['aws_cloudwatch_log_group'];
const YEAR = 365;

export const cloudwatchChecks: readonly Check[] = [
  {
    id: 'CKV_AWS_66',
    asks: 'It is said how long lines of logs stay.',
    on: GROUP,
    look: argumentIsSet('retention_in_days'),
  },
  {
    id: 'CKV_AWS_158',
    asks: 'Logs are encrypted with a KMS key of their own account.',
    on: GROUP,
    look: argumentIsSet('kms_key_id'),
  },
  {
    id: 'CKV_AWS_338',
    asks: 'Lines of logs stay for a year at least; 0 is forever.',
    on: GROUP,
    look: ({ body: { retention_in_days: days } }) =>
      typeof days === 'number' && days > 0 && days < YEAR
        ? [{ argument: 'retention_in_days', found: shown(days) }]
        : [],
  },
  {
    id: 'CKV_AWS_319',
    asks: 'Alarms tell whom they are to tell.',
    on: ['aws_cloudwatch_metric_alarm', 'aws_cloudwatch_composite_alarm'],
    look: ({ body: { actions_enabled: enabled } }) =>
      enabled === false ? [{ argument: 'actions_enabled', found: shown(enabled) }] : [],
  },
];
