import type { Rules } from '../ask';
import { apigateway } from './apigateway';
import { cloudformation } from './cloudformation';
import { cloudwatch } from './cloudwatch';
import { dynamodb } from './dynamodb';
import { ec2 } from './ec2';
import { ecr } from './ecr';
import { events } from './events';
import { iam } from './iam';
import { kms } from './kms';
import { lambda } from './lambda';
import { logs } from './logs';
import { s3 } from './s3';
import { secretsmanager } from './secretsmanager';
import { ses } from './ses';
import { ssm } from './ssm';
import { sts } from './sts';

const RULES: Readonly<Partial<Record<string, Rules>>> = {
  apigateway,
  cloudformation,
  cloudwatch,
  dynamodb,
  ec2,
  ecr,
  events,
  iam,
  kms,
  lambda,
  logs,
  s3,
  secretsmanager,
  ses,
  ssm,
  sts,
};

/** @param prefix of the service's actions */
export function rulesOf(prefix: string): Rules {
  return RULES[prefix] ?? {};
}
