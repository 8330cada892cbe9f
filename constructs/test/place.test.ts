import { bucketArn, iamArn, partition, regionalArn } from '../src/place';

const account = '111122223333';

test.each([
  ['eu-west-1', 'aws'],
  ['cn-north-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
])('ARNs in %s are of the partition %s', (region, expected) => {
  const place = { account, region };
  expect(partition(place)).toBe(expected);
  expect(regionalArn(place, 'ssm', 'parameter/x')).toBe(
    `arn:${expected}:ssm:${region}:${account}:parameter/x`,
  );
  expect(iamArn(place, 'role/x')).toBe(`arn:${expected}:iam::${account}:role/x`);
  expect(bucketArn(place, 'x')).toBe(`arn:${expected}:s3:::x`);
});
