import type { Case } from './case';
import { ec2 } from './ec2';
import { evaluation } from './evaluation';
import { events } from './events';
import { iam } from './iam';
import { kms } from './kms';
import { s3 } from './s3';
import { services } from './services';
import { ssm } from './ssm';
import { sts } from './sts';

export const CASES: readonly Case[] = [
  ...evaluation,
  ...iam,
  ...sts,
  ...s3,
  ...kms,
  ...ssm,
  ...ec2,
  ...services,
  ...events,
];
