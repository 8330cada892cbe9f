import { bucketArn, iamArn, regionalArn, type Place } from '../place';
import { allow, policyDocument, type PolicyDocument, type Statement } from '../policy-document';

/** The base user's whole policy: one action on one role. */
export function assumeOnly(roleArn: string): PolicyDocument {
  return policyDocument(allow('AssumeServiceRole', ['sts:AssumeRole'], [roleArn]));
}

/** Lets exactly one principal of the account take on a role. */
export function trustPrincipal(arn: string): PolicyDocument {
  return policyDocument({
    Sid: 'AssumedBy',
    Effect: 'Allow',
    Principal: { AWS: arn },
    Action: ['sts:AssumeRole'],
  });
}

/** Lets an AWS service take on a role, such as ec2.amazonaws.com for an instance profile. */
export function trustService(service: string): PolicyDocument {
  return policyDocument({
    Sid: 'AssumedBy',
    Effect: 'Allow',
    Principal: { Service: service },
    Action: ['sts:AssumeRole'],
  });
}

/**
 * Leaves the decision to the policies of the account's own principals. Not the base user's name here: a trust policy
 * that names a user of its own account allows it by itself (IAM User Guide, "Policy evaluation logic").
 */
export function trustAccount(place: Place): PolicyDocument {
  return trustPrincipal(iamArn(place, 'root'));
}

export interface ServiceAccess {
  place: Place;
  /** Bucket names, and whether the service may write. */
  buckets: { name: string; access: 'read' | 'read-write' }[];
  /** Whole parameter names, such as /kantox/dev/api/config, or a path, below which all may be listed and read. */
  parameters: string[] | { below: string };
}

/** What a service does with its buckets and parameters. */
export function serviceStatements({ place, buckets, parameters }: ServiceAccess): Statement[] {
  const arns = buckets.map(({ name }) => bucketArn(place, name));
  const writable = buckets
    .filter(({ access }) => access === 'read-write')
    .map(({ name }) => bucketArn(place, name));
  return [
    ...(arns.length > 0
      ? [
          allow('ListBuckets', ['s3:ListBucket', 's3:GetBucketLocation'], arns),
          allow(
            'ReadObjects',
            ['s3:GetObject', 's3:GetObjectVersion'],
            arns.map((arn) => `${arn}/*`),
          ),
        ]
      : []),
    ...(writable.length > 0
      ? [
          allow(
            'WriteObjects',
            ['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
            writable.map((arn) => `${arn}/*`),
          ),
        ]
      : []),
    ...parameterStatements(place, parameters),
  ];
}

function parameterStatements(place: Place, parameters: ServiceAccess['parameters']): Statement[] {
  const arn = (name: string) => regionalArn(place, 'ssm', `parameter${name}`);
  const read = ['ssm:GetParameter', 'ssm:GetParameters'];
  if (Array.isArray(parameters)) {
    return parameters.length === 0 ? [] : [allow('ReadParameters', read, parameters.map(arn))];
  }
  // Systems Manager checks a listing against the path itself and a reading against the parameter's name.
  return [
    allow(
      'ListParameters',
      ['ssm:GetParametersByPath'],
      [arn(parameters.below), arn(`${parameters.below}/*`)],
    ),
    allow('ReadParameters', read, [arn(`${parameters.below}/*`)]),
  ];
}
