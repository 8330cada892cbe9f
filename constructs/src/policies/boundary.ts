import { bucketArn, dnsSuffix, iamArn, regionalArn, type Place } from '../place';
import { allow, type Statement } from '../policy-document';
import { pushStatements } from './github';
import { sessionManagerStatements } from './session-manager';

/** The names that the resources of one environment share. Each may end in a wildcard of IAM. */
export interface BoundaryScope {
  place: Place;
  buckets: string[];
  /** Buckets whose objects are used, each by its whole name: a wildcard would reach over the slash, into keys. */
  objectsOf: string[];
  /** Path of the parameters, such as /kantox/dev. */
  parameterPath: string;
  /** May end in a wildcard, as the others. */
  repositories: string[];
  /** The roles that may be taken on from inside. */
  serviceRoles: string[];
}

/** The most that the base user and the roles of an environment can ever do: use its own things. Nothing is managed from here. */
export function boundaryStatements(scope: BoundaryScope): Statement[] {
  const { place, buckets, objectsOf, parameterPath, repositories, serviceRoles } = scope;
  return [
    allow(
      'TakeOnServiceRoles',
      ['sts:AssumeRole'],
      serviceRoles.map((name) => iamArn(place, `role/${name}`)),
    ),
    allow(
      'UseBuckets',
      ['s3:ListBucket', 's3:GetBucketLocation'],
      buckets.map((name) => bucketArn(place, name)),
    ),
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
      objectsOf.map((name) => `${bucketArn(place, name)}/*`),
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
