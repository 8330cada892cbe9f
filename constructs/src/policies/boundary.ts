import { bucketArn, dnsSuffix, iamArn, regionalArn, type Place } from '../place';
import { allow, type Statement } from '../policy-document';
import { pushStatements } from './github';
import { sessionManagerStatements } from './session-manager';

/** The names that the resources of one environment share. Each may end in a wildcard of IAM. */
export interface BoundaryScope {
  place: Place;
  buckets: string[];
  /** Path of the parameters, such as /kantox/dev. */
  parameterPath: string;
  /** May end in a wildcard, as the others. */
  repositories: string[];
  /** The roles that may be taken on from inside. */
  serviceRoles: string[];
}

/** The most that the base user and the roles of an environment can ever do: use its own things. Nothing is managed from here. */
export function boundaryStatements(scope: BoundaryScope): Statement[] {
  const { place, buckets, parameterPath, repositories, serviceRoles } = scope;
  const bucketArns = buckets.map((name) => bucketArn(place, name));
  return [
    allow(
      'TakeOnServiceRoles',
      ['sts:AssumeRole'],
      serviceRoles.map((name) => iamArn(place, `role/${name}`)),
    ),
    allow('UseBuckets', ['s3:ListBucket', 's3:GetBucketLocation'], bucketArns),
    allow(
      'UseObjects',
      [
        's3:GetObject',
        's3:GetObjectVersion',
        's3:PutObject',
        's3:DeleteObject',
        's3:AbortMultipartUpload',
        's3:ListMultipartUploadParts',
      ],
      bucketArns.map((arn) => `${arn}/*`),
    ),
    allow(
      'ReadParameters',
      ['ssm:GetParameter', 'ssm:GetParameters', 'ssm:GetParametersByPath'],
      [
        regionalArn(place, 'ssm', `parameter${parameterPath}`),
        regionalArn(place, 'ssm', `parameter${parameterPath}/*`),
      ],
    ),
    allow(
      'UseKeysThroughServices',
      ['kms:Decrypt', 'kms:GenerateDataKey'],
      [regionalArn(place, 'kms', 'key/*')],
      {
        StringEquals: {
          'kms:ViaService': ['s3', 'ssm'].map((service) => `${service}.${place.region}.${dnsSuffix(place)}`),
        },
      },
    ),
    ...pushStatements(place, repositories),
    ...sessionManagerStatements(),
  ];
}
