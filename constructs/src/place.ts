/** Where a resource lives: what its ARN needs beside its name. */
export interface Place {
  /** An AWS account id of 12 digits. */
  account: string;
  /** An AWS region, such as eu-west-1. */
  region: string;
}

/** `aws`, or the partition of China and GovCloud (AWS General Reference, "Amazon Resource Names"). */
export function partition({ region }: Pick<Place, 'region'>): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  return 'aws';
}

/** The domain of AWS's services: `amazonaws.com`, with `.cn` in China. */
export function dnsSuffix(place: Pick<Place, 'region'>): string {
  return partition(place) === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
}

/** ARN of a resource that has a region: `arn:aws:ssm:eu-west-1:111122223333:parameter/x`. */
export function regionalArn(place: Place, service: string, resource: string): string {
  return `arn:${partition(place)}:${service}:${place.region}:${place.account}:${resource}`;
}

/** ARN of an IAM resource, which has no region: `arn:aws:iam::111122223333:role/x`. */
export function iamArn(place: Place, resource: string): string {
  return `arn:${partition(place)}:iam::${place.account}:${resource}`;
}

/** ARN of a bucket, which has neither region nor account: `arn:aws:s3:::x`. */
export function bucketArn(place: Pick<Place, 'region'>, name: string): string {
  return `arn:${partition(place)}:s3:::${name}`;
}
