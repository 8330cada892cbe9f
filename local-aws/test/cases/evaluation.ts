import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Case } from './case';
import { allow, deny, policy } from './policies';

const LOGIC = 'IAM User Guide, "Policy evaluation logic"';
const reports = 'arn:aws:s3:::cases-shared/reports/*';

const readReport: Case['does'] = ({ options }, { bucket }) =>
  new S3Client(options).send(new GetObjectCommand({ Bucket: bucket, Key: 'reports/1.csv' }));

/** How policies of all kinds play together; shown on S3, which has them all. */
export const evaluation: Case[] = [
  {
    name: 'a request is denied by default',
    source: `${LOGIC}: by default, all requests are implicitly denied`,
    service: 's3',
    does: readReport,
    expect: 'denied',
    says: /because no identity-based policy allows the s3:GetObject action$/,
  },
  {
    name: 'an explicit allow in an identity-based policy overrides the default',
    source: `${LOGIC}: requests must be explicitly allowed by a policy`,
    service: 's3',
    caller: { policies: [policy(allow('s3:GetObject', reports))] },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: 'an explicit deny in any policy overrides any allow',
    source: `${LOGIC}: an explicit deny overrides an explicit allow`,
    service: 's3',
    caller: { policies: [policy(allow('s3:*')), policy(deny('s3:GetObject', reports))] },
    does: readReport,
    expect: 'denied',
    says: /with an explicit deny in an identity-based policy$/,
  },
];
