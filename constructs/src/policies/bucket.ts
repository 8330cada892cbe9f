import { bucketArn, type Place } from '../place';
import { allow, deny, policyDocument, type PolicyDocument } from '../policy-document';

/** What a private bucket refuses everyone, and the one thing that it may allow: S3's delivery of access logs. */
export function bucketPolicy(bucket: { name: string; place: Place; receivesAccessLogs: boolean }): PolicyDocument {
  const { name, place, receivesAccessLogs } = bucket;
  const arn = bucketArn(place, name);
  const everything = [arn, `${arn}/*`];
  return policyDocument(
    { ...deny('DenyPlainHttp', ['s3:*'], everything, { Bool: { 'aws:SecureTransport': 'false' } }), Principal: '*' },
    { ...deny('DenyOldTls', ['s3:*'], everything, { NumericLessThan: { 's3:TlsVersion': '1.2' } }), Principal: '*' },
    ...(receivesAccessLogs
      ? [
          {
            // Without the account, anyone's bucket could log here (S3 User Guide, "Enabling server access logging").
            ...allow('AllowAccessLogDelivery', ['s3:PutObject'], [`${arn}/*`], {
              StringEquals: { 'aws:SourceAccount': place.account },
            }),
            Principal: { Service: 'logging.s3.amazonaws.com' },
          },
        ]
      : []),
  );
}
