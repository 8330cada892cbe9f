import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { startLocalAws, type LocalAws } from '../src';
import { allow, policy } from './cases/policies';
import { asAdministrator, type ClientOptions } from './clients';

jest.setTimeout(120_000);

const REQUESTS = 2_000;
const AT_ONCE = 20;
const BUCKET = 'load';

/** A user or a role's session that may read and write what is called as it is, and nothing else. */
interface Principal {
  readonly name: string;
  readonly arn: string;
  readonly s3: S3Client;
  readonly ssm: SSMClient;
  readonly sts: STSClient;
}

let aws: LocalAws;
let principals: Principal[];
beforeAll(async () => {
  aws = await startLocalAws();
  const administrator = asAdministrator(aws);
  await new S3Client(administrator).send(
    new CreateBucketCommand({
      Bucket: BUCKET,
      CreateBucketConfiguration: { LocationConstraint: aws.region as 'eu-west-1' },
    }),
  );
  principals = [];
  for (const name of ['ann', 'ben', 'cho', 'dan']) principals.push(await makeUser(administrator, name));
  for (const name of ['eve', 'fay', 'gus', 'hal']) principals.push(await makeRole(administrator, name));
  for (const { name } of principals) {
    await new S3Client(administrator).send(
      new PutObjectCommand({ Bucket: BUCKET, Key: `${name}/who`, Body: name }),
    );
    await new SSMClient(administrator).send(
      new PutParameterCommand({ Name: `/load/${name}`, Value: name, Type: 'String' }),
    );
  }
});
afterAll(() => aws.stop());

const ownOnly = (name: string) =>
  JSON.stringify(
    policy(
      allow(['s3:GetObject', 's3:PutObject'], `arn:aws:s3:::${BUCKET}/${name}/*`),
      allow('ssm:GetParameter', `arn:aws:ssm:*:*:parameter/load/${name}`),
    ),
  );

async function makeUser(administrator: ClientOptions, name: string): Promise<Principal> {
  const iam = new IAMClient(administrator);
  const { User: user } = await iam.send(new CreateUserCommand({ UserName: name }));
  await iam.send(
    new PutUserPolicyCommand({ UserName: name, PolicyName: 'own', PolicyDocument: ownOnly(name) }),
  );
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  return principal(name, user?.Arn, {
    ...administrator,
    credentials: { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' },
  });
}

async function makeRole(administrator: ClientOptions, name: string): Promise<Principal> {
  const iam = new IAMClient(administrator);
  const trust = policy({
    ...allow('sts:AssumeRole'),
    Principal: { AWS: `arn:aws:iam::${aws.account}:root` },
  });
  const { Resource: _none, ...statement } = trust.Statement[0] ?? allow('sts:AssumeRole');
  const { Role: role } = await iam.send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify({ ...trust, Statement: [statement] }),
    }),
  );
  await iam.send(
    new PutRolePolicyCommand({ RoleName: name, PolicyName: 'own', PolicyDocument: ownOnly(name) }),
  );
  const { Credentials: given, AssumedRoleUser: session } = await new STSClient(administrator).send(
    new AssumeRoleCommand({ RoleArn: role?.Arn, RoleSessionName: name }),
  );
  return principal(name, session?.Arn, {
    ...administrator,
    credentials: {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    },
  });
}

function principal(name: string, arn: string | undefined, options: ClientOptions): Principal {
  // moto trips over its own threads now and then, and the SDK asks again.
  const patient = { ...options, maxAttempts: 3 };
  return {
    name,
    arn: arn ?? '',
    s3: new S3Client(patient),
    ssm: new SSMClient(patient),
    sts: new STSClient(patient),
  };
}

/** What a request came to: whose things it brought, or that it was refused. */
type Attempt = (asker: Principal, whose: string) => Promise<string | undefined>;

const ATTEMPTS: Attempt[] = [
  async ({ ssm }, whose) =>
    (await ssm.send(new GetParameterCommand({ Name: `/load/${whose}` }))).Parameter?.Value,
  async ({ s3 }, whose) =>
    (await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: `${whose}/who` }))).Body?.transformToString(),
  async ({ s3 }, whose) => {
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${whose}/who`, Body: whose }));
    return whose;
  },
];

/** Always the same: Knuth's linear congruential generator. */
function* choices(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    yield state;
  }
}

test('no decision of 2,000 is wrong, 20 at once, and nobody is taken for another', async () => {
  const choose = choices(1);
  const pick = <T>(list: readonly T[]): T =>
    list[Math.floor((choose.next().value / 4_294_967_296) * list.length)] as T;
  const wrong: string[] = [];
  const found = { allowed: 0, denied: 0, named: 0 };
  let left = REQUESTS;

  async function one(): Promise<void> {
    const asker = pick(principals);
    if (pick([0, 1, 2, 3]) === 0) {
      const { Arn: arn } = await asker.sts.send(new GetCallerIdentityCommand({}));
      found.named += 1;
      if (arn !== asker.arn) wrong.push(`${asker.name} was called ${arn ?? 'nothing'}`);
      return;
    }
    const whose = pick([asker, asker, pick(principals)]).name;
    const result = await pick(ATTEMPTS)(asker, whose).catch((error: unknown) => (error as Error).name);
    const expected = whose === asker.name ? [whose] : ['AccessDenied', 'AccessDeniedException'];
    found[whose === asker.name ? 'allowed' : 'denied'] += 1;
    if (!expected.includes(result ?? ''))
      wrong.push(`${asker.name} asked for ${whose}: ${result ?? 'nothing'}`);
  }

  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await one();
    }),
  );

  expect(wrong).toEqual([]);
  expect(found.allowed + found.denied + found.named).toBe(REQUESTS);
  expect(Math.min(found.allowed, found.denied, found.named)).toBeGreaterThan(REQUESTS / 10);
});
