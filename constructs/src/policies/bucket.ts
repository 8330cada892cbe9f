import { bucketArn, type Place } from '../place';
import { deny, policyDocument, type PolicyDocument } from '../policy-document';

/** The same as a bare "*" (IAM User Guide, "Principal"). */
const EVERYONE = { AWS: '*' };

/** What a private bucket refuses everyone, and the one thing that it may allow: S3's delivery of access logs. */
export function bucketPolicy(bucket: {
  name: string;
  place: Place;
  receivesAccessLogs: boolean;
}): PolicyDocument {
  const { name, place, receivesAccessLogs } = bucket;
  const arn = bucketArn(place, name);
  const everything = [arn, `${arn}/*`];
  return policyDocument(
    {
      ...deny('DenyPlainHttp', ['s3:*'], everything, { Bool: { 'aws:SecureTransport': 'false' } }),
      Principal: EVERYONE,
    },
    {
      ...deny('DenyOldTls', ['s3:*'], everything, { NumericLessThan: { 's3:TlsVersion': '1.2' } }),
      Principal: EVERYONE,
    },
    ...(receivesAccessLogs
      ? [
          {
            // Without the account, anyone's bucket could log here (S3 User Guide, "Enabling server access logging").
            Sid: 'AllowAccessLogDelivery',
            Effect: 'Allow',
            Principal: { Service: 'logging.s3.amazonaws.com' },
            Action: 's3:PutObject',
            Resource: `${arn}/*`,
            Condition: { StringEquals: { 'aws:SourceAccount': place.account } },
          } as const,
        ]
      : []),
  );
}
