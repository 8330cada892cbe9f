import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DynamoDBClient, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import {
  GetRolePolicyCommand,
  IAMClient,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromHttp } from '@aws-sdk/credential-providers';
import { type LocalAws, localEnvironment, startLocalAws } from '@slipway/local-aws';
import { LOCAL, type LocalBroker, makeProjectRole, startLocalBroker } from '../../../scripts/local-broker';
import { startService } from '../../../scripts/pair';
import { pythonWithBoto3 } from '../../../test/python';
import { type Answered, headNodeOf, type Job } from './head-node';

jest.setTimeout(120_000);
const run = promisify(execFile);

let aws: LocalAws;
let broker: LocalBroker;
let head: ReturnType<typeof headNodeOf>;
let administrator: {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
};

beforeAll(async () => {
  aws = await startLocalAws();
  administrator = {
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: aws.administrators[aws.account] ?? { accessKeyId: '', secretAccessKey: '' },
  };
  broker = await startLocalBroker(aws, {
    projects: ['example', 'other', 'crowded', 'full'],
    more: { SESSION_REQUESTS_PER_SECOND: '1000' },
  });
  head = headNodeOf(broker);
});
afterAll(async () => {
  await broker.stop();
  await aws.stop();
});

function credentialsOf({ status, body }: Answered) {
  expect({ status, body }).toMatchObject({ status: 200 });
  return {
    accessKeyId: body.AccessKeyId as string,
    secretAccessKey: body.SecretAccessKey as string,
    sessionToken: body.Token as string,
  };
}
type Credentials = ReturnType<typeof credentialsOf>;

/** Whether the credentials list the example bucket. */
async function listsBucket(credentials: Credentials): Promise<boolean> {
  const s3 = new S3Client({ ...administrator, credentials, forcePathStyle: true, maxAttempts: 1 });
  return allowed(s3.send(new ListObjectsV2Command({ Bucket: LOCAL.bucket })));
}

async function takesOn(credentials: Credentials, roleArn: string): Promise<boolean> {
  const sts = new STSClient({ ...administrator, credentials, maxAttempts: 1 });
  return allowed(sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'further' })));
}

async function allowed(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (['AccessDenied', 'AccessDeniedException'].includes((error as Error).name)) return false;
    throw error;
  }
}

async function arnOf(credentials: Credentials): Promise<string | undefined> {
  const sts = new STSClient({ ...administrator, credentials });
  return (await sts.send(new GetCallerIdentityCommand({}))).Arn;
}

async function revocationPolicy(project: string): Promise<string | undefined> {
  const RoleName = `${LOCAL.rolePrefix}${project}`;
  const iam = new IAMClient(administrator);
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  if (!PolicyNames.includes('slipway-revocations')) return undefined;
  const { PolicyDocument = '' } = await iam.send(
    new GetRolePolicyCommand({ RoleName, PolicyName: 'slipway-revocations' }),
  );
  return decodeURIComponent(PolicyDocument);
}

const roleSession = (project: string, name: string) =>
  `arn:aws:sts::${aws.account}:assumed-role/${LOCAL.rolePrefix}${project}/${name}`;

describe('a job', () => {
  let job: Job;
  const variables = () => ({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: broker.url + job.path,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: job.token,
  });
  /** Nothing of AWS's but what the head node gave, and where the local AWS is. */
  const environment = () =>
    localEnvironment({
      ...variables(),
      AWS_REGION: aws.region,
      AWS_DEFAULT_REGION: aws.region,
      AWS_EC2_METADATA_DISABLED: 'true',
    });

  beforeAll(async () => {
    job = await head.start();
  });

  test('is told where its credentials are, by the API and on its node', async () => {
    const { body } = await head.call('POST', '/sessions', {
      sessionId: '1300',
      projectId: 'example',
      clusterName: 'alpha',
      clusterUser: 'user1',
      submittedTime: '2023-08-15T00:00:00',
    });
    expect(body).toEqual({
      APIGATEWAY_AWS_CONTAINER_CREDENTIALS_FULL_URI: `${broker.url}/local/sessions/1300/cluster/alpha/project/example`,
      LOCALHOST_AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:9999/local/sessions/1300/cluster/alpha/project/example`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: expect.stringMatching(/^[\w-]{43}$/) as string,
    });
  });

  test('gets the answer of the container-credentials protocol, exactly', async () => {
    const answer = await fetch(broker.url + job.path, { headers: { authorization: job.token } });
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const body = (await answer.json()) as Record<string, string>;
    expect(Object.keys(body)).toEqual(['AccessKeyId', 'SecretAccessKey', 'Token', 'Expiration']);
    expect(body.Expiration).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Date.parse(body.Expiration ?? '') - Date.now()).toBeGreaterThan(59 * 60_000);
  });

  test('is its project with the aws CLI', async () => {
    const { stdout } = await run(
      'aws',
      ['sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text', '--endpoint-url', aws.endpoint],
      { env: environment() },
    );
    expect(stdout.trim()).toBe(roleSession('example', 'alpha-user1-node1'));
  });

  test('is its project with boto3', async () => {
    const program = `import boto3; print(boto3.client('sts', endpoint_url='${aws.endpoint}').get_caller_identity()['Arn'])`;
    const { stdout } = await run(pythonWithBoto3(), ['-c', program], { env: environment() });
    expect(stdout.trim()).toBe(roleSession('example', 'alpha-user1-node1'));
  });

  test('is its project with the JavaScript SDK', async () => {
    const provider = fromHttp({
      awsContainerCredentialsFullUri: variables().AWS_CONTAINER_CREDENTIALS_FULL_URI,
      awsContainerAuthorizationToken: job.token,
    });
    expect(await arnOf((await provider()) as Credentials)).toBe(roleSession('example', 'alpha-user1-node1'));
  });

  test('makes one call to STS, however many of its processes ask', async () => {
    const many = await head.start();
    const answers = await Promise.all(Array.from({ length: 50 }, () => head.credentials(many)));
    expect(new Set(answers.map(({ body }) => body.AccessKeyId)).size).toBe(1);
  });

  test('that is completed gets no more, and can not become active again', async () => {
    const done = await head.start();
    expect(await head.credentials(done)).toMatchObject({ status: 200 });
    const move = (status: string) => head.call('PUT', `/sessions/${done.sessionId}`, { status });
    expect(await move('ACTIVE')).toMatchObject({ status: 200, body: { status: 'ACTIVE' } });
    expect(await move('COMPLETED')).toMatchObject({ status: 200, body: { status: 'COMPLETED' } });
    expect(await head.credentials(done)).toMatchObject({ status: 403, body: { code: 'AccessDenied' } });
    expect(await move('COMPLETED')).toMatchObject({ status: 200 });
    expect(await move('ACTIVE')).toMatchObject({ status: 409, body: { code: 'InvalidTransition' } });
    expect(await move('INVALIDATED')).toMatchObject({ status: 409 });
    expect(await head.call('PUT', '/sessions/none', { status: 'COMPLETED' })).toMatchObject({ status: 404 });
  });

  test('that is requeued gets a new token, and the old one is void', async () => {
    const first = await head.start();
    const { sessionId } = first;
    const again = await head.start({ sessionId });
    expect(await head.credentials(first)).toMatchObject({ status: 403 });
    expect(await head.credentials(again)).toMatchObject({ status: 200 });
    await head.call('PUT', `/sessions/${sessionId}`, { status: 'COMPLETED' });
    expect(await head.credentials(await head.start({ sessionId }))).toMatchObject({ status: 200 });
    await expect(head.start({ sessionId, clusterUser: 'another' })).rejects.toThrow('409');
  });

  test("is refused with anything of another session's, all alike", async () => {
    const another = await head.start({ clusterUser: 'user2', projectId: 'other' });
    const [own, theirs] = [job.path, another.path];
    const refusals = await Promise.all(
      [
        { path: own, token: another.token },
        { path: theirs, token: job.token },
        { path: own.replace('/alpha/', '/beta/'), token: job.token },
        { path: own.replace('/example?', '/other?'), token: job.token },
        { path: own.replace(job.sessionId, '9999'), token: job.token },
        { path: own, token: `${job.token}x` },
        { path: own, token: `Bearer ${job.token}` },
        { path: own, token: broker.headNodeSecret },
      ].map((asked) => head.credentials(asked)),
    );
    for (const { status, body } of refusals) {
      expect(status).toBe(403);
      expect(body).toEqual(refusals[0]?.body);
    }
    const without = await fetch(broker.url + own);
    expect(without.status).toBe(401);
  });

  test.each([
    ['a name with every kind of letter', 'bücher & ☃', 'DOM\\jürgen müller'],
    ['hyphens', 'cluster-a', 'user-b'],
    ['the longest names', 'c'.repeat(128), 'u'.repeat(128)],
  ])('with %s gets credentials, and can be revoked', async (_, clusterName, clusterUser) => {
    const odd = await head.start({ clusterName, clusterUser });
    const credentials = credentialsOf(await head.credentials(odd));
    expect(await arnOf(credentials)).toMatch(/\/[\w+=,.@-]{2,64}$/);
    expect(await listsBucket(credentials)).toBe(true);
    const revoked = await head.call('DELETE', `/sessions/users/${encodeURIComponent(clusterUser)}`);
    expect(revoked).toMatchObject({ status: 200, body: { invalidated: 1 } });
    expect(await listsBucket(credentials)).toBe(false);
  });
});

describe('a user who is revoked', () => {
  test('loses at once what was issued, on S3 and for a further role; others and later sessions work', async () => {
    const before = await head.start({ clusterUser: 'mallory' });
    const otherProject = await head.start({
      clusterUser: 'mallory',
      projectId: 'other',
      clusterName: 'beta',
    });
    const bystander = await head.start({ clusterUser: 'bystander' });
    const [lost, lostToo, kept] = await Promise.all(
      [before, otherProject, bystander].map(async (job) => credentialsOf(await head.credentials(job))),
    );
    if (!lost || !lostToo || !kept) throw new Error('no credentials');
    await allowTakingOn('example', 'other');
    expect(await listsBucket(lost)).toBe(true);
    expect(await takesOn(lost, broker.roleArn('other'))).toBe(true);

    const answer = await head.call('DELETE', '/sessions/users/mallory');
    expect(answer).toMatchObject({ status: 200, body: { userId: 'mallory', invalidated: 2 } });
    expect(answer.body.roles).toEqual(
      expect.arrayContaining([broker.roleArn('example'), broker.roleArn('other')]),
    );

    expect(await listsBucket(lost)).toBe(false);
    expect(await takesOn(lost, broker.roleArn('other'))).toBe(false);
    expect(await listsBucket(lostToo)).toBe(false);
    expect(await head.credentials(before)).toMatchObject({ status: 403 });
    expect(await head.call('PUT', `/sessions/${before.sessionId}`, { status: 'ACTIVE' })).toMatchObject({
      status: 409,
    });
    expect(await listsBucket(kept)).toBe(true);
    expect(await listsBucket(credentialsOf(await head.credentials(bystander)))).toBe(true);

    const later = credentialsOf(await head.credentials(await head.start({ clusterUser: 'mallory' })));
    expect(await listsBucket(later)).toBe(true);
    expect(await listsBucket(lost)).toBe(false);

    const { body } = await head.call('GET', '/sessions?user=mallory');
    expect((body.sessions as { status: string }[]).map(({ status }) => status).sort()).toEqual([
      'ACTIVE',
      'INVALIDATED',
      'INVALIDATED',
    ]);
    expect(await head.call('DELETE', '/sessions/users/mallory')).toMatchObject({
      status: 200,
      body: { invalidated: 1 },
    });
    expect(await head.call('DELETE', '/sessions/users/mallory')).toMatchObject({
      status: 200,
      body: { invalidated: 0 },
    });
    expect(await listsBucket(later)).toBe(false);
  });

  test('has no credentials of later than the answer, whatever was on its way', async () => {
    const jobs = await Promise.all(Array.from({ length: 20 }, () => head.start({ clusterUser: 'racer' })));
    const asked = Promise.all(
      jobs.flatMap((job) =>
        Array.from({ length: 5 }, async (_, index) => {
          await new Promise((resolve) => setTimeout(resolve, index * 40));
          const answer = await head.credentials(job);
          return { answer, at: Date.now() };
        }),
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(await head.call('DELETE', '/sessions/users/racer')).toMatchObject({ status: 200 });
    const answeredAt = Date.now();
    const all = await asked;
    const issued = all.filter(({ answer }) => answer.status === 200);
    expect(issued.length).toBeLessThan(all.length);
    // What was on its way out may arrive a moment after; but then it is dead.
    for (const { at } of issued) expect(at).toBeLessThan(answeredAt + 500);
    const distinct = [...new Map(issued.map(({ answer }) => [answer.body.AccessKeyId, answer])).values()];
    for (const answer of distinct) expect(await listsBucket(credentialsOf(answer))).toBe(false);
    for (const job of jobs) expect(await head.credentials(job)).toMatchObject({ status: 403 });
  });

  test('is found where the index of sessions does not show the session yet', async () => {
    const job = await head.start({ clusterUser: 'unseen' });
    const lost = credentialsOf(await head.credentials(job));
    // As an index that lags behind: the session is not the user's there.
    await table((client) =>
      client.send(
        new UpdateItemCommand({
          TableName: LOCAL.sessionsTable,
          Key: { SessionId: { S: job.sessionId } },
          UpdateExpression: 'SET ClusterUser = :nobody',
          ExpressionAttributeValues: { ':nobody': { S: 'nobody' } },
        }),
      ),
    );
    expect(await head.call('DELETE', '/sessions/users/unseen')).toMatchObject({ body: { invalidated: 0 } });
    await table((client) =>
      client.send(
        new UpdateItemCommand({
          TableName: LOCAL.sessionsTable,
          Key: { SessionId: { S: job.sessionId } },
          UpdateExpression: 'SET ClusterUser = :user',
          ExpressionAttributeValues: { ':user': { S: 'unseen' } },
        }),
      ),
    );
    expect(await listsBucket(lost)).toBe(false);
    expect(await head.credentials(job)).toMatchObject({ status: 403 });
    expect(await head.call('GET', '/sessions?user=unseen')).toMatchObject({
      body: { sessions: [{ status: 'INVALIDATED' }] },
    });
  });

  test('loses what was issued under the role that the project had before', async () => {
    const job = await head.start({ clusterUser: 'mover', projectId: 'other' });
    const old = credentialsOf(await head.credentials(job));
    await mapTo('other', broker.roleArn('crowded'));
    const recent = credentialsOf(await head.credentials(job));
    expect(await arnOf(recent)).toBe(roleSession('crowded', 'alpha-mover-node1'));
    await mapTo('other', broker.roleArn('example'));
    expect(await head.call('DELETE', '/sessions/users/mover')).toMatchObject({ status: 200 });
    expect([await listsBucket(old), await listsBucket(recent)]).toEqual([false, false]);
    await mapTo('other', broker.roleArn('other'));
  });

  test('is told of where nothing could be revoked, and can be revoked again', async () => {
    const job = await head.start({ clusterUser: 'unreachable' });
    const lost = credentialsOf(await head.credentials(job));
    const foreign = `arn:aws:iam::${aws.account}:role/of-another`;
    await addScope('unreachable', foreign);
    const failed = await head.call('DELETE', '/sessions/users/unreachable');
    expect(failed).toMatchObject({ status: 502, body: { code: 'RevocationIncomplete' } });
    expect(failed.body.message).toContain(foreign);
    // What could be done was done.
    expect(await listsBucket(lost)).toBe(false);
  });

  test('a hundred of them at once are one policy in the end, and all are revoked', async () => {
    const users = Array.from({ length: 100 }, (_, index) => `crowd${index}`);
    const jobs = await Promise.all(
      users.map((clusterUser) => head.start({ clusterUser, projectId: 'crowded' })),
    );
    const bystander = credentialsOf(await head.credentials(await head.start({ projectId: 'crowded' })));
    const held = await Promise.all(jobs.map(async (job) => credentialsOf(await head.credentials(job))));
    const answers = await Promise.all(users.map((user) => head.call('DELETE', `/sessions/users/${user}`)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const policy = (await revocationPolicy('crowded')) ?? '';
    for (const user of users) expect(policy).toContain(`*:alpha-${user}-*`);
    for (const credentials of [held[0], held[50], held[99]])
      expect(credentials && (await listsBucket(credentials))).toBe(false);
    expect(await listsBucket(bystander)).toBe(true);
  });

  test("at the policy's limit: all are still revoked, the policy fits, and what the broker kept in memory is replaced", async () => {
    const RoleName = `${LOCAL.rolePrefix}full`;
    const filler = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Action: 's3:DeleteObject',
          Resource: Array.from({ length: 185 }, (_, index) => `arn:aws:s3:::${'x'.repeat(30)}-${index}`),
        },
      ],
    };
    await new IAMClient(administrator).send(
      new PutRolePolicyCommand({ RoleName, PolicyName: 'filler', PolicyDocument: JSON.stringify(filler) }),
    );
    const bystander = await head.start({ projectId: 'full' });
    const first = credentialsOf(await head.credentials(bystander));
    const lost = [];
    for (let round = 0; round < 3; round += 1) {
      const users = Array.from({ length: 12 }, (_, index) => `${'long'.repeat(6)}${round}x${index}`);
      const jobs = await Promise.all(
        users.map((clusterUser) => head.start({ clusterUser, projectId: 'full' })),
      );
      lost.push(...(await Promise.all(jobs.map(async (job) => credentialsOf(await head.credentials(job))))));
      const answers = await Promise.all(users.map((user) => head.call('DELETE', `/sessions/users/${user}`)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      await new Promise((resolve) => setTimeout(resolve, 1100));
    }
    const policy = (await revocationPolicy('full')) ?? '';
    expect(policy.length + JSON.stringify(filler).length).toBeLessThan(10_240);
    for (const credentials of [lost[0], lost[17], lost[35]])
      expect(credentials && (await listsBucket(credentials))).toBe(false);
    // There was no other way than to hit everyone; the bystander's job gets others at once.
    expect(await listsBucket(first)).toBe(false);
    expect(await listsBucket(credentialsOf(await head.credentials(bystander)))).toBe(true);
  });
});

describe('one session that is revoked', () => {
  test("loses what was issued, and the same user's other session does not", async () => {
    const [one, other] = await Promise.all([
      head.start({ clusterUser: 'two' }),
      head.start({ clusterUser: 'two' }),
    ]);
    const lost = credentialsOf(await head.credentials(one));
    const kept = credentialsOf(await head.credentials(other));
    expect(await head.call('DELETE', `/sessions/${one.sessionId}`)).toMatchObject({
      status: 200,
      body: { sessionId: one.sessionId, status: 'INVALIDATED' },
    });
    expect([await listsBucket(lost), await listsBucket(kept)]).toEqual([false, true]);
    expect(await head.credentials(one)).toMatchObject({ status: 403 });
    expect(await listsBucket(credentialsOf(await head.credentials(other)))).toBe(true);
    // A job that is requeued after that has the same id, and works.
    const again = await head.start({ clusterUser: 'two', sessionId: one.sessionId });
    expect(await listsBucket(credentialsOf(await head.credentials(again)))).toBe(true);
    expect(await head.call('DELETE', '/sessions/none')).toMatchObject({ status: 404 });
  });

  test('after its end stays COMPLETED, and loses what it was issued all the same', async () => {
    const job = await head.start({ clusterUser: 'leaver' });
    const lost = credentialsOf(await head.credentials(job));
    await head.call('PUT', `/sessions/${job.sessionId}`, { status: 'COMPLETED' });
    expect(await listsBucket(lost)).toBe(true);
    expect(await head.call('DELETE', `/sessions/${job.sessionId}`)).toMatchObject({
      status: 200,
      body: { status: 'COMPLETED' },
    });
    expect(await listsBucket(lost)).toBe(false);
    expect(await head.call('GET', '/sessions?user=leaver')).toMatchObject({
      body: { sessions: [{ status: 'COMPLETED' }] },
    });
  });

  test('of a role that takes no session tags: all that the user had there', async () => {
    const roleArn = await makeProjectRole(aws, 'untagged', { tags: false });
    await table((client) =>
      client.send(
        // As a row of before Slipway: project and role, nothing else.
        new PutItemCommand({
          TableName: LOCAL.roleMappingTable,
          Item: { ProjectId: { S: 'untagged' }, RoleArn: { S: roleArn } },
        }),
      ),
    );
    const [one, other] = await Promise.all([
      head.start({ clusterUser: 'old', projectId: 'untagged' }),
      head.start({ clusterUser: 'old', projectId: 'untagged' }),
    ]);
    const lost = credentialsOf(await head.credentials(one));
    const lostToo = credentialsOf(await head.credentials(other));
    expect(await listsBucket(lost)).toBe(true);
    expect(await head.call('GET', '/projects/untagged/role')).toMatchObject({
      body: { roleArn, sessionTags: false },
    });
    expect(await head.call('DELETE', `/sessions/${one.sessionId}`)).toMatchObject({ status: 200 });
    expect([await listsBucket(lost), await listsBucket(lostToo)]).toEqual([false, false]);
    // The other job is still active, and what it gets next works.
    expect(await listsBucket(credentialsOf(await head.credentials(other)))).toBe(true);
  });

  test('of a role that took no tags when the credentials were issued, but does now', async () => {
    const roleArn = await makeProjectRole(aws, 'learner', { tags: false });
    expect(await mapTo('learner', roleArn)).toMatchObject({ body: { sessionTags: false } });
    const job = await head.start({ clusterUser: 'early', projectId: 'learner' });
    const lost = credentialsOf(await head.credentials(job));
    expect(await listsBucket(lost)).toBe(true);
    await mapTo('learner', broker.roleArn('other'));
    expect(await head.call('DELETE', `/sessions/${job.sessionId}`)).toMatchObject({ status: 200 });
    expect(await listsBucket(lost)).toBe(false);
  });
});

describe('revocations that have expired', () => {
  test('go with the next one, the others stay', async () => {
    const roleArn = broker.roleArn('crowded');
    const past = String(Date.now() - 1000);
    const gone = 'revoked user 1764000000000 *:alpha-gone-*';
    await table((client) =>
      client.send(
        new UpdateItemCommand({
          TableName: LOCAL.sessionsTable,
          Key: { SessionId: { S: `#role:${roleArn}` } },
          UpdateExpression: 'SET #gone = :gone',
          ExpressionAttributeNames: { '#gone': gone },
          ExpressionAttributeValues: { ':gone': { N: past } },
        }),
      ),
    );
    await head.call('DELETE', `/sessions/${(await head.start({ projectId: 'crowded' })).sessionId}`);
    expect(await revocationPolicy('crowded')).toContain('crowd8-');
    const item = await table((client) =>
      client.send(
        new GetItemCommand({ TableName: LOCAL.sessionsTable, Key: { SessionId: { S: `#role:${roleArn}` } } }),
      ),
    );
    expect(Object.keys(item.Item ?? {})).not.toContain(gone);
    expect(Object.keys(item.Item ?? {})).toContainEqual(
      expect.stringMatching(/^revoked user \d+ \*:alpha-crowd8-/),
    );
  });
});

describe("a project's role", () => {
  test('is mapped once the broker has taken it on, and listed', async () => {
    const roleArn = await makeProjectRole(aws, 'new');
    expect(await mapTo('neu ü', roleArn)).toEqual({
      status: 200,
      body: { projectId: 'neu ü', roleArn, sessionTags: true },
    });
    const { body } = await head.call('GET', '/projects');
    expect(body.projects).toEqual(
      expect.arrayContaining([{ projectId: 'neu ü', roleArn, sessionTags: true }]),
    );
    expect(await head.call('GET', '/projects/none/role')).toMatchObject({ status: 404 });
  });

  test('that can not be taken on is refused, and the old one stays', async () => {
    const { body } = await mapTo('example', `arn:aws:iam::${aws.account}:role/${LOCAL.rolePrefix}missing`);
    expect(body).toMatchObject({ code: 'RoleNotAssumable' });
    expect(await head.call('GET', '/projects/example/role')).toMatchObject({
      body: { roleArn: broker.roleArn('example') },
    });
    expect(await mapTo('example', 'not an arn')).toMatchObject({
      status: 400,
      body: { code: 'InvalidRequest' },
    });
  });

  test('is needed before a job starts', async () => {
    await expect(head.start({ projectId: 'unknown' })).rejects.toThrow('NoSuchProject');
  });
});

describe('the head node', () => {
  test.each([
    ['GET', '/sessions?user=user1'],
    ['POST', '/sessions'],
    ['PUT', '/sessions/1300'],
    ['DELETE', '/sessions/1300'],
    ['DELETE', '/sessions/users/user1'],
    ['GET', '/projects'],
    ['GET', '/projects/example/role'],
    ['PUT', '/projects/example/role'],
  ])('alone may %s %s', async (method, path) => {
    const job = await head.start();
    for (const authorization of [
      '',
      job.token,
      `Bearer ${broker.headNodeSecret}`,
      `${broker.headNodeSecret} `.repeat(2),
    ]) {
      const answer = await fetch(broker.url + path, { method, headers: { authorization } });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ code: 'Unauthorized' });
    }
  });

  test('may use the new secret at once, and the one before it until the next', async () => {
    const put = (SecretString: string) =>
      new SecretsManagerClient(administrator).send(
        new PutSecretValueCommand({ SecretId: LOCAL.secret, SecretString }),
      );
    const status = async (headNodeSecret: string) =>
      (await headNodeOf({ url: fresh.url, headNodeSecret }).call('GET', '/projects')).status;
    // A broker that has not looked at the secret for 2 seconds, as guesses may not make it look more often.
    const fresh = await startService('broker', broker.variables);
    const [first, second, third] = [
      broker.headNodeSecret,
      'second secret of some length',
      'third secret of some length',
    ];
    expect(await status(first)).toBe(200);
    await put(second);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect([await status(second), await status(first), await status('guess')]).toEqual([200, 200, 401]);
    await put(third);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect([await status(third), await status(second), await status(first)]).toEqual([200, 200, 401]);
    await put(first);
    await fresh.stop();
  });

  test.each([
    ['no JSON', '{', 'must be JSON'],
    ['a list', [], 'the body is missing or of the wrong type'],
    ['nothing in it', {}, 'sessionId is missing'],
    ['a path for an id', { sessionId: '../x' }, 'sessionId must be 1 to 128 letters'],
    ['an id of a user record', { sessionId: '#user:user1' }, 'sessionId must be'],
    ['an empty user', { clusterUser: '' }, 'clusterUser must not be empty'],
    ['a line break in the user', { clusterUser: 'a\nb' }, 'clusterUser must hold no control characters'],
    ['a slash in the project', { projectId: 'a/b' }, 'projectId must not hold /'],
    ['a project that leads up', { projectId: '..' }, 'projectId must not be . or ..'],
    ['a cluster of 129 bytes', { clusterName: 'ü'.repeat(65) }, 'clusterName must have at most 128 bytes'],
  ])('is told what is wrong with %s', async (_, given, expected) => {
    const whole = {
      sessionId: '1',
      projectId: 'example',
      clusterName: 'alpha',
      clusterUser: 'user1',
      submittedTime: '2023-08-15T00:00:00',
    };
    const isPart = typeof given === 'object' && !Array.isArray(given) && Object.keys(given).length > 0;
    const answer = await fetch(`${broker.url}/sessions`, {
      method: 'POST',
      headers: { authorization: broker.headNodeSecret },
      body: typeof given === 'string' ? given : JSON.stringify(isPart ? { ...whole, ...given } : given),
    });
    const body = (await answer.json()) as { code: string; message: string; Code: string; Message: string };
    expect(answer.status).toBe(400);
    expect(body.message).toContain(expected);
    expect([body.Code, body.Message]).toEqual([body.code, body.message]);
  });
});

test('the log tells of every decision, and holds no secret', async () => {
  const job = await head.start({ clusterUser: 'audited' });
  const credentials = credentialsOf(await head.credentials(job));
  await head.credentials({ ...job, token: 'wrong' });
  await head.call('DELETE', '/sessions/users/audited');
  // An answer may be sooner than its line.
  for (let tries = 0; tries < 100 && !broker.log().includes('"userId":"audited"'); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const lines = broker
    .log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const own = lines.filter(
    ({ audit, sessionId, userId }) => audit && (sessionId === job.sessionId || userId === 'audited'),
  );
  expect(own).toMatchObject([
    { event: 'session-created', clusterUser: 'audited', projectId: 'example' },
    {
      event: 'issued',
      user: 'audited',
      roleSessionName: 'alpha-audited-node1',
      accessKeyId: credentials.accessKeyId,
    },
    { event: 'refused', status: 403, source: '127.0.0.1' },
    { event: 'user-revoked', userId: 'audited', invalidated: 1 },
  ]);
  const secrets = [job.token, credentials.secretAccessKey, credentials.sessionToken, broker.headNodeSecret];
  for (const secret of secrets) expect(broker.log()).not.toContain(secret);
  const metrics = await (await fetch(`${broker.url}/metrics`)).text();
  expect(metrics).toMatch(/slipway_broker_issued_total [1-9]/);
  expect(metrics).toMatch(/slipway_broker_revocations_total [1-9]/);
});

async function mapTo(project: string, roleArn: string): Promise<Answered> {
  return head.call('PUT', `/projects/${encodeURIComponent(project)}/role`, { roleArn });
}

async function table<T>(run: (client: DynamoDBClient) => Promise<T>): Promise<T> {
  return run(new DynamoDBClient(administrator));
}

async function addScope(user: string, roleArn: string): Promise<void> {
  await table((client) =>
    client.send(
      new UpdateItemCommand({
        TableName: LOCAL.sessionsTable,
        Key: { SessionId: { S: `#user:${user}` } },
        UpdateExpression: 'ADD Scopes :scope',
        ExpressionAttributeValues: { ':scope': { SS: [JSON.stringify(['alpha', roleArn])] } },
      }),
    ),
  );
}

/** Lets one project's role take on another's, as chains do. */
async function allowTakingOn(project: string, further: string): Promise<void> {
  const iam = new IAMClient(administrator);
  const policy = (Statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [Statement] });
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: `${LOCAL.rolePrefix}${project}`,
      PolicyName: 'further',
      PolicyDocument: policy({
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Resource: broker.roleArn(further),
      }),
    }),
  );
  await iam.send(
    new UpdateAssumeRolePolicyCommand({
      RoleName: `${LOCAL.rolePrefix}${further}`,
      PolicyDocument: policy({
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${aws.account}:root` },
        Action: ['sts:AssumeRole', 'sts:TagSession'],
      }),
    }),
  );
}
