import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { LocalAws } from '@slipway/local-aws';
import { policyDocument } from '../../../constructs/src/policy-document';
import { assumeOnly, serviceStatements, trustAccount } from '../../../constructs/src/policies/role-chain';

export const SECRET_VALUE = 'postgres://aux:hidden@database/aux';

/** The role chain of dev as the stacks make it, with something to read, and the things of qa beside it. */
export async function makeChain(aws: LocalAws): Promise<{ variables: Record<string, string> }> {
  const options = {
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: aws.administrators[aws.account] ?? { accessKeyId: '', secretAccessKey: '' },
    forcePathStyle: true,
  };
  const [iam, s3, ssm] = [new IAMClient(options), new S3Client(options), new SSMClient(options)];
  const place = { account: aws.account, region: aws.region };
  const role = 'kantox-aux-role-dev';
  const roleArn = `arn:aws:iam::${aws.account}:role/${role}`;

  for (const environment of ['dev', 'qa']) {
    const bucket = `kantox-data-${environment}`;
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    for (const key of ['reports/ä b.txt', 'reports/c.txt'])
      await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: `of ${environment}`,
          ContentType: 'text/html',
        }),
      );
    const put = (name: string, Type: 'String' | 'SecureString', Value: string) =>
      ssm.send(new PutParameterCommand({ Name: `/kantox/${environment}/${name}`, Type, Value }));
    await put('api/config', 'String', '{"logLevel":"debug"}');
    await put('database/url', 'SecureString', SECRET_VALUE);
  }

  await iam.send(
    new CreateRoleCommand({ RoleName: role, AssumeRolePolicyDocument: JSON.stringify(trustAccount(place)) }),
  );
  const statements = serviceStatements({
    place,
    buckets: [{ name: 'kantox-data-dev', access: 'read-write' }],
    parameters: { below: '/kantox/dev' },
  });
  const listBuckets = { Effect: 'Allow' as const, Action: ['s3:ListAllMyBuckets'], Resource: ['*'] };
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: role,
      PolicyName: 'permissions',
      PolicyDocument: JSON.stringify(
        policyDocument(...statements, { Sid: 'ListAllBuckets', ...listBuckets }),
      ),
    }),
  );
  await iam.send(new CreateUserCommand({ UserName: 'base' }));
  await iam.send(
    new PutUserPolicyCommand({
      UserName: 'base',
      PolicyName: 'permissions',
      PolicyDocument: JSON.stringify(assumeOnly(roleArn)),
    }),
  );
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: 'base' }));
  return {
    variables: {
      AWS_ENDPOINT_URL: aws.endpoint,
      AWS_REGION: aws.region,
      AWS_ACCESS_KEY_ID: key?.AccessKeyId ?? '',
      AWS_SECRET_ACCESS_KEY: key?.SecretAccessKey ?? '',
      AWS_ROLE_ARN: roleArn,
    },
  };
}
