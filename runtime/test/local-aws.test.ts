import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type LocalAws, startLocalAws } from '@slipway/local-aws';
import { roleCredentials, type RoleCredentialsOptions } from '../src';

jest.setTimeout(120_000);

const ACCOUNT = '111122223333';
const EXTERNAL_ID = 'kantox:dev';
const arn = (name: string) => `arn:aws:iam::${ACCOUNT}:${name}`;
const [FIRST, SECOND] = [arn('role/first'), arn('role/second')];

let aws: LocalAws;
let base: { accessKeyId: string; secretAccessKey: string };
const surroundings = { ...process.env };

/** Base user → first (external id) → second, which reads the parameters of the team in its session tag. */
beforeAll(async () => {
  aws = await startLocalAws({ account: ACCOUNT });
  const administrator = {
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: {
      accessKeyId: aws.variables.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: aws.variables.AWS_SECRET_ACCESS_KEY ?? '',
    },
  };
  const iam = new IAMClient(administrator);
  await iam.send(new CreateUserCommand({ UserName: 'base' }));
  await iam.send(
    new PutUserPolicyCommand({
      UserName: 'base',
      PolicyName: 'chain',
      PolicyDocument: policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: FIRST }),
    }),
  );
  const assume = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'];
  await role('first', {
    Principal: { AWS: arn('user/base') },
    Action: 'sts:AssumeRole',
    Condition: { StringEquals: { 'sts:ExternalId': EXTERNAL_ID } },
  });
  await role('second', { Principal: { AWS: FIRST }, Action: assume });
  await allow('first', { Action: assume, Resource: SECOND });
  await allow('second', {
    Action: 'ssm:GetParameter',
    Resource: '*',
    Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
  });
  await new SSMClient(administrator).send(
    new PutParameterCommand({ Name: '/blue/colour', Value: 'blue', Type: 'String' }),
  );
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: 'base' }));
  base = { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' };
  process.env.AWS_ENDPOINT_URL = aws.endpoint;

  async function role(RoleName: string, trust: object): Promise<void> {
    const AssumeRolePolicyDocument = policy({ Effect: 'Allow', ...trust });
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  }

  async function allow(RoleName: string, statement: object): Promise<void> {
    const PolicyDocument = policy({ Effect: 'Allow', ...statement });
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'own', PolicyDocument }));
  }
});

afterAll(async () => {
  process.env = surroundings;
  await aws.stop();
});

function policy(statement: object): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
}

const second = { roleArn: SECOND, sessionTags: { team: 'blue' } };

function as(options: RoleCredentialsOptions) {
  return roleCredentials({
    roleArn: FIRST,
    externalId: EXTERNAL_ID,
    sessionName: 'test',
    region: aws.region,
    sourceCredentials: base,
    ...options,
  });
}

async function read(options: RoleCredentialsOptions): Promise<string | undefined> {
  const ssm = new SSMClient({ credentials: as(options), region: aws.region });
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: '/blue/colour' }));
  return Parameter?.Value;
}

test('a chain of two roles ends as the second, whose session tag opens what it should', async () => {
  const sts = new STSClient({ credentials: as({ chain: [second] }), region: aws.region });
  const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
  expect(Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/second/test`);
  expect(await read({ chain: [second] })).toBe('blue');
});

test('without the tag, or with another, it opens nothing', async () => {
  await expect(read({ chain: [SECOND] })).rejects.toThrow('not authorized to perform: ssm:GetParameter');
  const red = { roleArn: SECOND, sessionTags: { team: 'red' } };
  await expect(read({ chain: [red] })).rejects.toThrow('not authorized to perform: ssm:GetParameter');
});

test('a session policy takes away what the role has', async () => {
  const sessionPolicy = policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' });
  await expect(read({ chain: [{ ...second, sessionPolicy }] })).rejects.toThrow('no session policy allows');
});

test('a source identity that the trust policy does not allow is refused, and the permission named', async () => {
  await expect(as({ sourceIdentity: 'ann' })()).rejects.toThrow('trust policy allows sts:SetSourceIdentity');
});

test.each(['kantox:prod', undefined])(
  'the external id %j is refused, with what to do',
  async (externalId) => {
    const credentials = roleCredentials({
      roleArn: FIRST,
      region: aws.region,
      sourceCredentials: base,
      ...(externalId !== undefined && { externalId }),
    });
    await expect(credentials()).rejects.toThrow(/AccessDenied.*AWS_ROLE_EXTERNAL_ID/);
  },
);

test('a role that the caller may not take on is named', async () => {
  await expect(as({ roleArn: SECOND })()).rejects.toThrow(
    /role\/second: STS answered AccessDenied.*source's own policy allows sts:AssumeRole/,
  );
});
