import type { Check } from './check';
import { cloudwatchChecks } from './cloudwatch';
import { dynamodbChecks } from './dynamodb';
import { ec2Checks } from './ec2';
import { ecrChecks } from './ecr';
import { githubChecks } from './github';
import { httpApiChecks } from './http-api';
import { iamChecks } from './iam';
import { kmsChecks } from './kms';
import { lambdaChecks } from './lambda';
import { s3Checks } from './s3';
import { secretChecks } from './secrets';
import { ssmChecks } from './ssm';

export const checks: readonly Check[] = [
  ...s3Checks,
  ...ecrChecks,
  ...ssmChecks,
  ...iamChecks,
  ...githubChecks,
  ...ec2Checks,
  ...kmsChecks,
  ...dynamodbChecks,
  ...secretChecks,
  ...lambdaChecks,
  ...httpApiChecks,
  ...cloudwatchChecks,
];

/** Where the check is described by who made it. */
export function pageOf(id: string): string {
  return id.startsWith('CKV')
    ? 'https://www.checkov.io/5.Policy%20Index/terraform.html'
    : `https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#${id.toLowerCase().replace('.', '-')}`;
}
