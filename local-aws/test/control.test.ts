import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import {
  CreateAccessKeyCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  GenerateServiceLastAccessedDetailsCommand,
  GetUserCommand,
  IAMClient,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  GetBucketLoggingCommand,
  ListBucketsCommand,
  PutBucketLoggingCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { decisionTable, leastPolicy, startLocalAws, type LocalAws } from '../src';
import { allow, policy, type Statement } from './cases/policies';
import { asAdministrator, type ClientOptions } from './clients';

jest.setTimeout(60_000);

let aws: LocalAws;
let administrator: ClientOptions;
let iam: IAMClient;
beforeAll(async () => {
  aws = await startLocalAws({ account: '111122223333', region: 'eu-west-1' });
  administrator = asAdministrator(aws);
  iam = new IAMClient(administrator);
});
afterAll(() => aws.stop());

const GITHUB = 'token.actions.githubusercontent.com';
const trusts = (statement: Partial<Statement>) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });

async function makeRole(name: string, trust: Partial<Statement>): Promise<string> {
  const { Role: role } = await iam.send(
    new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trusts(trust) }),
  );
  return role?.Arn ?? '';
}

async function makeUser(name: string, ...statements: Statement[]): Promise<ClientOptions> {
  await iam.send(new CreateUserCommand({ UserName: name }));
  if (statements.length > 0)
    await iam.send(
      new PutUserPolicyCommand({
        UserName: name,
        PolicyName: 'own',
        PolicyDocument: JSON.stringify(policy(...statements)),
      }),
    );
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  return {
    ...administrator,
    credentials: { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' },
  };
}

const DENIED = { name: expect.stringMatching(/^AccessDenied/) as string };

describe('control', () => {
  test("a token of GitHub's issuer takes on a role, for the repository that the role trusts", async () => {
    await iam.send(
      new CreateOpenIDConnectProviderCommand({
        Url: `https://${GITHUB}`,
        ClientIDList: ['sts.amazonaws.com'],
      }),
    );
    const role = await makeRole('deploy', {
      Principal: { Federated: `arn:aws:iam::${aws.account}:oidc-provider/${GITHUB}` },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: {
        StringEquals: {
          [`${GITHUB}:aud`]: 'sts.amazonaws.com',
          [`${GITHUB}:sub`]: 'repo:acme/app:environment:dev',
        },
      },
    });
    const takeOn = async (repository: string) =>
      new STSClient(administrator).send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: role,
          RoleSessionName: 'workflow',
          WebIdentityToken: await aws.githubToken({ repository, environment: 'dev' }),
        }),
      );

    await expect(takeOn('acme/app')).resolves.toMatchObject({
      SubjectFromWebIdentityToken: 'repo:acme/app:environment:dev',
    });
    await expect(takeOn('acme/other')).rejects.toMatchObject(DENIED);
  });

  test('a service takes on the role that trusts it, until its session is ended', async () => {
    const role = await makeRole('host', {
      Principal: { Service: 'ec2.amazonaws.com' },
      Action: 'sts:AssumeRole',
    });
    const { accessKeyId, secretAccessKey, sessionToken, arn } = await aws.serviceCredentials({
      service: 'ec2.amazonaws.com',
      roleArn: role,
      sessionName: 'i-1',
    });
    const host = new STSClient({
      ...administrator,
      credentials: { accessKeyId, secretAccessKey, sessionToken },
    });

    await expect(host.send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({ Arn: arn });
    await expect(aws.serviceCredentials({ service: 'lambda.amazonaws.com', roleArn: role })).rejects.toThrow(
      `The role ${role} does not trust lambda.amazonaws.com.`,
    );

    expect(await aws.expireSessions({ principalArn: arn })).toBe(1);
    await expect(host.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'ExpiredToken' });
  });

  test('a run becomes the least policy that allows it', async () => {
    const run = async (options: ClientOptions) => {
      await new SSMClient(options).send(new GetParameterCommand({ Name: '/run/config' }));
      await new S3Client(options).send(
        new PutObjectCommand({ Bucket: 'run', Key: 'what*/is$this', Body: 'a' }),
      );
    };
    await new SSMClient(administrator).send(
      new PutParameterCommand({ Name: '/run/config', Value: 'v', Type: 'String' }),
    );
    await makeBucket('run');
    const before = (await aws.decisions()).length;
    await run(administrator);

    const least = leastPolicy((await aws.decisions()).slice(before));
    expect(least.Statement).toEqual([
      { Effect: 'Allow', Action: ['s3:PutObject'], Resource: ['arn:aws:s3:::run/what${*}/is${$}this'] },
      {
        Effect: 'Allow',
        Action: ['ssm:GetParameter'],
        Resource: [`arn:aws:ssm:eu-west-1:${aws.account}:parameter/run/config`],
      },
    ]);

    const user = await makeUser('runner');
    await expect(run(user)).rejects.toMatchObject(DENIED);
    await iam.send(
      new PutUserPolicyCommand({
        UserName: 'runner',
        PolicyName: 'least',
        PolicyDocument: JSON.stringify(least),
      }),
    );
    await run(user);
    await expect(
      new S3Client(user).send(new PutObjectCommand({ Bucket: 'run', Key: 'whatever/is$this', Body: 'a' })),
    ).rejects.toMatchObject(DENIED);
  });

  test('the log says who, what, on what, and which statement decided; as a table, too', async () => {
    const user = await makeUser('reader', { ...allow('ssm:GetParameter'), Sid: 'Reads' });
    const before = (await aws.decisions()).length;
    await new SSMClient(user).send(new GetParameterCommand({ Name: '/run/config' }));
    await expect(new S3Client(user).send(new ListBucketsCommand({}))).rejects.toMatchObject(DENIED);

    const decisions = (await aws.decisions()).slice(before);
    expect(decisions).toMatchObject([
      {
        principal: `arn:aws:iam::${aws.account}:user/reader`,
        operation: 'ssm:GetParameter',
        action: 'ssm:GetParameter',
        resource: `arn:aws:ssm:eu-west-1:${aws.account}:parameter/run/config`,
        allowed: true,
        by: 'policy',
        statements: [{ kind: 'identity', policy: 'own', statement: 'Reads' }],
        context: { 'aws:SecureTransport': 'true', 'aws:username': 'reader' },
      },
      { operation: 's3:ListBuckets', action: 's3:ListAllMyBuckets', allowed: false },
    ]);
    const [allowed, denied] = decisionTable(decisions).split('\n');
    expect(allowed).toMatch(/^allowed  111122223333:user\/reader  ssm:GetParameter .* own #Reads$/);
    expect(denied).toMatch(
      /^DENIED .* because no identity-based policy allows the s3:ListAllMyBuckets action$/,
    );
  });
});

async function makeBucket(name: string): Promise<S3Client> {
  const s3 = new S3Client(administrator);
  await s3.send(
    new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }),
  );
  return s3;
}

describe('what moto has not', () => {
  test('what a stack would do is told by no request: only the administrator makes one', async () => {
    const template = JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } } });
    const create = (options: ClientOptions) =>
      new CloudFormationClient(options).send(
        new CreateStackCommand({ StackName: 'topics', TemplateBody: template }),
      );
    const user = await makeUser('stacker', allow('*'));

    await expect(create(user)).rejects.toThrow(
      "The local AWS can't tell what this request needs, so it refuses it: cloudformation:CreateStack",
    );
    await expect(create(administrator)).resolves.toMatchObject({ StackId: expect.any(String) as string });
  });

  test("users' boundaries are kept, told and counted", async () => {
    const user = await makeUser('bounded', allow('ssm:*'), allow('s3:*'));
    const { Policy: boundary } = await iam.send(
      new CreatePolicyCommand({
        PolicyName: 'only-s3',
        PolicyDocument: JSON.stringify(policy(allow('s3:*'))),
      }),
    );
    const read = () => new SSMClient(user).send(new GetParameterCommand({ Name: '/run/config' }));
    await read();

    await iam.send(
      new PutUserPermissionsBoundaryCommand({ UserName: 'bounded', PermissionsBoundary: boundary?.Arn }),
    );
    const { User: told } = await iam.send(new GetUserCommand({ UserName: 'bounded' }));
    expect(told?.PermissionsBoundary).toEqual({
      PermissionsBoundaryArn: boundary?.Arn,
      PermissionsBoundaryType: 'Policy',
    });
    expect(told?.UserId).toMatch(/^AIDA[A-Z0-9]{17}$/);
    await expect(read()).rejects.toThrow(
      'because no permissions boundary allows the ssm:GetParameter action',
    );

    await iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName: 'bounded' }));
    await read();
    await expect(
      iam.send(
        new PutUserPermissionsBoundaryCommand({
          UserName: 'bounded',
          PermissionsBoundary: `arn:aws:iam::${aws.account}:policy/missing`,
        }),
      ),
    ).rejects.toMatchObject({ name: 'NoSuchEntityException' });
  });

  test('S3 delivers its logs where the bucket policy lets it', async () => {
    const s3 = await makeBucket('logged');
    await makeBucket('logs');
    const deliver = () =>
      s3.send(
        new PutBucketLoggingCommand({
          Bucket: 'logged',
          BucketLoggingStatus: { LoggingEnabled: { TargetBucket: 'logs', TargetPrefix: 's3/' } },
        }),
      );
    const letOnly = (account: string) =>
      s3.send(
        new PutBucketPolicyCommand({
          Bucket: 'logs',
          Policy: JSON.stringify(
            policy({
              ...allow('s3:PutObject', 'arn:aws:s3:::logs/s3/*', {
                StringEquals: { 'aws:SourceAccount': account },
              }),
              Principal: { Service: 'logging.s3.amazonaws.com' },
            }),
          ),
        }),
      );

    await letOnly('444455556666');
    await expect(deliver()).rejects.toThrow();
    await letOnly(aws.account);
    await deliver();
    const { LoggingEnabled: logging } = await s3.send(new GetBucketLoggingCommand({ Bucket: 'logged' }));
    expect(logging).toMatchObject({ TargetBucket: 'logs', TargetPrefix: 's3/' });
  });

  test("what moto lacks is said in the service's own form", async () => {
    await expect(
      iam.send(
        new GenerateServiceLastAccessedDetailsCommand({ Arn: `arn:aws:iam::${aws.account}:user/reader` }),
      ),
    ).rejects.toMatchObject({
      name: 'InternalFailure',
      message:
        'moto, which stands behind the local AWS, lacks or failed iam:GenerateServiceLastAccessedDetails; its log says which.',
    });
  });
});
