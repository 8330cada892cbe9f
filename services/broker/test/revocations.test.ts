import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';
import { type LocalAws, startLocalAws } from '@slipway/local-aws';
import { LOCAL, makeProjectRole, prepareBroker } from '../../../scripts/local-broker';
import { brokerOf } from '../src/operations';
import { ownAccountBy } from '../src/own-account';
import { readsOf } from '../src/reads';
import type { Revocation } from '../src/revocation/policy';
import { type RolePolicies, rolePoliciesOf } from '../src/revocation/role-policies';
import { Revocations } from '../src/revocation/revocations';
import { RoleMappings } from '../src/role-mappings';
import { Sessions } from '../src/sessions';

jest.setTimeout(60_000);
const HOUR = 3_600_000;
const SECOND = 1000;
/** Of a lease, short enough to see it end. */
const SHORT = { leaseMs: 2500, applyMs: 2000 };

let aws: LocalAws;
let administrator: {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
};
let policies: RolePolicies;
let now: number;
let roles = 0;

beforeAll(async () => {
  aws = await startLocalAws();
  administrator = {
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: aws.administrators[aws.account] ?? { accessKeyId: '', secretAccessKey: '' },
  };
  const { variables } = await prepareBroker(aws);
  const own = {
    ...administrator,
    credentials: {
      accessKeyId: variables.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: variables.AWS_SECRET_ACCESS_KEY ?? '',
    },
  };
  policies = rolePoliciesOf(new IAMClient(own), ownAccountBy(new STSClient(own)));
});
afterAll(() => aws.stop());

beforeEach(() => {
  now = Math.floor(Date.now() / 1000) * 1000;
});

const newRole = () => makeProjectRole(aws, `revoked${(roles += 1)}`);

/** Another process's, with nothing of this one's in memory. */
function revocationsOf(rolePolicies: RolePolicies, times?: typeof SHORT): Revocations {
  const client = new DynamoDBClient(administrator);
  const read = readsOf(client);
  const mappings = new RoleMappings(client, read, LOCAL.roleMappingTable);
  return new Revocations(client, read, LOCAL.sessionsTable, rolePolicies, mappings, times);
}

const user = (name: string, cutoff = now, expires = cutoff + HOUR): Revocation => ({
  kind: 'user',
  who: `*:alpha-${name}-*`,
  cutoff,
  expires,
});

async function policyOf(roleArn: string): Promise<string | undefined> {
  const RoleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  const command = new GetRolePolicyCommand({ RoleName, PolicyName: 'slipway-revocations' });
  try {
    const { PolicyDocument = '' } = await new IAMClient(administrator).send(command);
    return decodeURIComponent(PolicyDocument);
  } catch (error) {
    if ((error as Error).name === 'NoSuchEntityException') return undefined;
    throw error;
  }
}

async function revokedIn(roleArn: string): Promise<string[]> {
  const Key = { SessionId: { S: `#role:${roleArn}` } };
  const command = new GetItemCommand({ TableName: LOCAL.sessionsTable, Key, ConsistentRead: true });
  const { Item = {} } = await new DynamoDBClient(administrator).send(command);
  return Object.keys(Item).filter((name) => name.startsWith('revoked '));
}

/** Lets the revocations of a role expire. */
async function age(roleArn: string): Promise<void> {
  const names = await revokedIn(roleArn);
  await new DynamoDBClient(administrator).send(
    new UpdateItemCommand({
      TableName: LOCAL.sessionsTable,
      Key: { SessionId: { S: `#role:${roleArn}` } },
      UpdateExpression: `SET ${names.map((_, index) => `#r${index} = :past`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#r${index}`, name])),
      ExpressionAttributeValues: { ':past': { N: String(now - SECOND) } },
    }),
  );
}

describe('the sweep', () => {
  test('takes away what has expired, and the policy with the last of it', async () => {
    const revocations = revocationsOf(policies);
    const [role, other] = [await newRole(), await newRole()];
    await revocations.revoke(role, [user('one'), user('two')]);
    await revocations.revoke(other, [user('kept')]);
    await age(role);
    expect(await revocations.sweep()).toBe(1);
    expect(await policyOf(role)).toBeUndefined();
    expect(await revokedIn(role)).toEqual([]);
    expect(await policyOf(other)).toContain('kept');
    expect(await revocations.sweep()).toBe(0);
  });

  test('says once that it may not change a role, and does not try for ever', async () => {
    const revocations = revocationsOf(policies);
    const foreign = `arn:aws:iam::999999999999:role/${LOCAL.rolePrefix}foreign`;
    await expect(revocations.revoke(foreign, [user('one')])).rejects.toThrow('is not in');
    await age(foreign);
    await expect(revocations.sweep()).rejects.toThrow('is not in');
    expect(await revocations.sweep()).toBe(0);
  });
});

test('a user is denied first; that sessions can not be marked keeps nobody in', async () => {
  const client = new DynamoDBClient({ ...administrator, maxAttempts: 1 });
  // As DynamoDB does when it is short of capacity.
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (JSON.stringify(args.input).includes(':invalidated'))
        throw Object.assign(new Error('throttled'), { name: context.commandName });
      return next(args);
    },
    { step: 'initialize' },
  );
  const read = readsOf(client);
  const mappings = new RoleMappings(client, read, LOCAL.roleMappingTable);
  const sessions = new Sessions(client, read, LOCAL.sessionsTable, mappings);
  const revocations = new Revocations(client, read, LOCAL.sessionsTable, policies, mappings);
  const never = () => Promise.reject(new Error('not asked here'));
  const broker = brokerOf({
    sessions,
    mappings,
    revocations,
    issue: never,
    takeOnRole: never,
    publicUrl: 'https://broker.example/v1',
    localhostPort: 9999,
    sessionSeconds: 3600,
  });
  const roleArn = await newRole();
  await mappings.put({ projectId: 'throttled', roleArn, sessionTags: true });
  await broker.create({
    sessionId: '77',
    projectId: 'throttled',
    clusterName: 'alpha',
    clusterUser: 'many',
    submittedTime: '2026-11-29T00:00:00',
  });
  expect(await broker.revokeUser('many')).toMatchObject({ invalidated: 1, roles: [roleArn] });
  expect(await policyOf(roleArn)).toContain('alpha-many-');
  expect(await broker.sessionsOf('many')).toMatchObject({ sessions: [{ status: 'INVALIDATED' }] });
});

test("a role of another account is not taken for this one's of the same name", async () => {
  const own = await newRole();
  const foreign = own.replace(/:\d{12}:/, ':999999999999:');
  await expect(revocationsOf(policies).revoke(foreign, [user('one')])).rejects.toThrow('is not in');
  expect(await policyOf(own)).toBeUndefined();
});

test('an earlier cutoff that comes later does not take the place of the later one', async () => {
  const revocations = revocationsOf(policies);
  const role = await newRole();
  await revocations.revoke(role, [user('one', now + 5 * SECOND)]);
  await revocations.revoke(role, [user('one', now)]);
  const { Statement } = JSON.parse((await policyOf(role)) ?? '{}') as { Statement: object[] };
  expect(Statement).toHaveLength(1);
  expect(JSON.stringify(Statement)).toContain(new Date(now + 5 * SECOND).toISOString().replace('.000Z', 'Z'));
  // What has been replaced is not kept.
  expect(await revokedIn(role)).toEqual([`revoked user ${now + 5 * SECOND} *:alpha-one-*`]);
});

test('nor does it let the user have credentials of before', async () => {
  const client = new DynamoDBClient(administrator);
  const read = readsOf(client);
  const sessions = new Sessions(
    client,
    read,
    LOCAL.sessionsTable,
    new RoleMappings(client, read, LOCAL.roleMappingTable),
  );
  expect(await sessions.notBefore('slow', now + 5 * SECOND)).toMatchObject({ epoch: 0 });
  expect(await sessions.invalidateUser('slow', now)).toMatchObject({
    epoch: 1,
    notBefore: now + 5 * SECOND,
  });
  expect(await sessions.notBefore('slow', now)).toMatchObject({ epoch: 1, notBefore: now + 5 * SECOND });
});

test('four processes at once on one role: all is in force when each has its answer', async () => {
  const role = await newRole();
  const processes = Array.from({ length: 4 }, () => revocationsOf(policies));
  await Promise.all(
    Array.from({ length: 80 }, (_, index) =>
      (processes[index % 4] ?? revocationsOf(policies))
        .revoke(role, [user(`n${index}x`, now + (index % 3) * SECOND)])
        .then(async () => {
          expect(await policyOf(role)).toContain(`alpha-n${index}x-`);
        }),
    ),
  );
});

describe('with IAM slower than the lease', () => {
  /** IAM, whose first write does something else first. */
  const slow = (first: (abortSignal: AbortSignal) => Promise<void>): RolePolicies => {
    let writes = 0;
    return {
      ...policies,
      write: async (roleArn, document, abortSignal) => {
        if ((writes += 1) === 1) await first(abortSignal);
        await policies.write(roleArn, document, AbortSignal.timeout(5000));
      },
    };
  };

  test('a write that is given up is an error, and the next caller makes up for it', async () => {
    const role = await newRole();
    const hangs = slow(
      (abortSignal) =>
        new Promise((_, reject) => {
          abortSignal.addEventListener('abort', () => {
            reject(new Error('given up'));
          });
        }),
    );
    await expect(revocationsOf(hangs, SHORT).revoke(role, [user('one')])).rejects.toThrow('given up');
    await revocationsOf(policies, SHORT).revoke(role, [user('two')]);
    expect(await policyOf(role)).toMatch(/alpha-one-.*alpha-two-/);
  });

  test("a write that comes after the lease's end is written over with all there is", async () => {
    const role = await newRole();
    // As if the call were carried out long after it was given up: over what another process has written since.
    const late = revocationsOf(
      slow(() => sleep(5000)),
      SHORT,
    ).revoke(role, [user('one')]);
    await sleep(2700);
    await revocationsOf(policies, SHORT).revoke(role, [user('two')]);
    expect(await policyOf(role)).toMatch(/alpha-one-.*alpha-two-/);
    await late;
    expect(await policyOf(role)).toMatch(/alpha-one-.*alpha-two-/);
  });
});

test('a role that is gone needs no revocation', async () => {
  const role = `arn:aws:iam::${aws.account}:role/${LOCAL.rolePrefix}gone`;
  await revocationsOf(policies).revoke(role, [user('one')]);
});

test("other policies' room is left to them", async () => {
  const role = await newRole();
  const before = (await policies.room(role, AbortSignal.timeout(5000))) ?? 0;
  const filler = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: '*' }],
  });
  const RoleName = role.slice(role.lastIndexOf('/') + 1);
  await new IAMClient(administrator).send(
    new PutRolePolicyCommand({ RoleName, PolicyName: 'more', PolicyDocument: filler }),
  );
  expect(await policies.room(role, AbortSignal.timeout(5000))).toBe(before - filler.length);
});
