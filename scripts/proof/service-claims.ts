import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import {
  DeleteBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  GetParameterCommand,
  GetParametersByPathCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { roleCredentials } from '@slipway/runtime';
import { names } from '../../stacks/names';
import type { LocalRunAccess } from '../local-run';
import { keyOf, namesOf, options, roleArn, type Claim, type PodSecret, type Result } from './claim';

/** Its keys are good for one thing. */
export function baseUserClaims(run: LocalRunAccess, secret: PodSecret, other: string): Claim[] {
  const own = names(run.environment);
  const of = options(run, keyOf(secret));
  const [s3, ssm, sts] = [new S3Client(of), new SSMClient(of), new STSClient(of)];
  const claim = (does: string, expected: Result, request: Claim['request']): Claim => ({
    who: 'base user',
    does,
    expected,
    request,
  });
  const takeOn = (role: string, expected: Result) =>
    claim(`takes on ${role}`, expected, () =>
      sts.send(new AssumeRoleCommand({ RoleArn: roleArn(run, role), RoleSessionName: 'demo' })),
    );
  return [
    claim(`lists ${own.bucket('data')}`, 'denied', () =>
      s3.send(new ListObjectsV2Command({ Bucket: own.bucket('data') })),
    ),
    claim(`reads ${own.parameter('api/config')}`, 'denied', () =>
      ssm.send(new GetParameterCommand({ Name: own.parameter('api/config') })),
    ),
    takeOn(own.serviceRole('aux'), 'allowed'),
    ...[
      own.serviceRole('api'),
      own.pushRole,
      own.deployRole,
      own.dockerHost('docker'),
      namesOf(run, other).serviceRole('aux'),
    ].map((role) => takeOn(role, 'denied')),
  ];
}

/** The one service with access to AWS. */
export function auxClaims(run: LocalRunAccess, secret: PodSecret, other: string): Claim[] {
  const [own, others] = [names(run.environment), namesOf(run, other)];
  const source = keyOf(secret);
  // The chain itself: the runtime takes the role on with the base user's key.
  const credentials = withEndpoint(run, () =>
    roleCredentials({
      roleArn: secret.AWS_ROLE_ARN,
      region: run.environment.region,
      sourceCredentials: source,
    }),
  );
  const of = options(run, credentials);
  const plain = new S3Client({ ...of, endpoint: run.plainEndpoint });
  const [s3, ssm, sts] = [new S3Client(of), new SSMClient(of), new STSClient(of)];
  const claim = (does: string, expected: Result, request: Claim['request']): Claim => ({
    who: 'AUX',
    does,
    expected,
    request,
  });
  const put = (client: S3Client, Bucket: string) => () =>
    client.send(new PutObjectCommand({ Bucket, Key: 'demo', Body: 'demo' }));
  const get = (client: S3Client, Bucket: string) => () =>
    client.send(new GetObjectCommand({ Bucket, Key: 'demo' }));
  const read = (Name: string) => () => ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
  const data = own.bucket('data');
  return [
    claim(`writes ${data}/demo`, 'allowed', put(s3, data)),
    claim(`reads ${data}/demo`, 'allowed', get(s3, data)),
    claim(`lists ${data}`, 'allowed', () => s3.send(new ListObjectsV2Command({ Bucket: data }))),
    claim(`reads ${own.parameter('api/config')}`, 'allowed', read(own.parameter('api/config'))),
    claim(
      `reads and decrypts ${own.parameter('database/url')}`,
      'allowed',
      read(own.parameter('database/url')),
    ),
    claim(`lists ${own.parameterPath}`, 'allowed', () =>
      ssm.send(new GetParametersByPathCommand({ Path: own.parameterPath, Recursive: true })),
    ),
    claim(`writes ${data}/demo over plain HTTP`, 'denied', put(plain, data)),
    claim(`reads ${data}/demo over plain HTTP`, 'denied', get(plain, data)),
    claim(`reads ${own.bucket('logs')}/demo`, 'denied', get(s3, own.bucket('logs'))),
    claim(`deletes ${data}`, 'denied', () => s3.send(new DeleteBucketCommand({ Bucket: data }))),
    claim(`changes ${own.parameter('api/config')}`, 'denied', () =>
      ssm.send(new PutParameterCommand({ Name: own.parameter('api/config'), Value: '{}', Overwrite: true })),
    ),
    claim(`reads ${others.bucket('data')}/demo`, 'denied', get(s3, others.bucket('data'))),
    claim(`writes ${others.bucket('data')}/demo`, 'denied', put(s3, others.bucket('data'))),
    claim(`reads ${others.parameter('api/config')}`, 'denied', read(others.parameter('api/config'))),
    claim(`takes on ${own.deployRole}`, 'denied', () =>
      sts.send(new AssumeRoleCommand({ RoleArn: roleArn(run, own.deployRole), RoleSessionName: 'demo' })),
    ),
  ];
}

/** The runtime's STS client reads the endpoint from the environment, as a service's would. */
function withEndpoint<T>({ env }: LocalRunAccess, make: () => T): T {
  process.env.AWS_ENDPOINT_URL = env.AWS_ENDPOINT_URL;
  return make();
}

/** The gateway has none any more. */
export async function apiClaims(run: LocalRunAccess): Promise<Claim[]> {
  const own = names(run.environment);
  const administrator = options(run, run.administrator);
  const { Credentials: given } = await new STSClient(administrator).send(
    new AssumeRoleCommand({ RoleArn: roleArn(run, own.serviceRole('api')), RoleSessionName: 'demo' }),
  );
  const of = options(run, {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  });
  const claim = (does: string, request: Claim['request']): Claim => ({
    who: 'API',
    does,
    expected: 'denied',
    request,
  });
  return [
    claim(`lists ${own.bucket('data')}`, () =>
      new S3Client(of).send(new ListObjectsV2Command({ Bucket: own.bucket('data') })),
    ),
    claim(`reads ${own.parameter('api/config')}`, () =>
      new SSMClient(of).send(new GetParameterCommand({ Name: own.parameter('api/config') })),
    ),
    claim(`takes on ${own.serviceRole('aux')}`, () =>
      new STSClient(of).send(
        new AssumeRoleCommand({ RoleArn: roleArn(run, own.serviceRole('aux')), RoleSessionName: 'demo' }),
      ),
    ),
    claim('gets a login to ECR', () => new ECRClient(of).send(new GetAuthorizationTokenCommand({}))),
  ];
}
