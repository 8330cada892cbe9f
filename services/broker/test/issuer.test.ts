import { setTimeout as sleep } from 'node:timers/promises';
import { issuer } from '../src/issuer';
import { awsUnavailable, roleUnavailable } from '../src/problem';
import type { RoleMapping } from '../src/role-mappings';
import { type TakeOnRole, takeOnRoleBy } from '../src/role-sessions';
import type { Facts, Scope, Session, User } from '../src/sessions';
import { tokenDigest } from '../src/tokens';

jest.setTimeout(60_000);

/** Faults that a real STS and real clocks can't be made to show: the parts beside the issuer are stand-ins here. */

const MINUTE_MS = 60_000;
const ROLE = 'arn:aws:iam::111122223333:role/example';
const clock = Date.now.bind(Date);
/** How far the clock was put forward: what was waited for, without waiting. Milliseconds. */
let ahead = 0;

beforeEach(() => {
  ahead = 0;
  jest.spyOn(Date, 'now').mockImplementation(() => clock() + ahead);
});
afterEach(() => {
  jest.restoreAllMocks();
});

interface StsAnswer {
  /** How long STS takes. */
  afterMs?: number;
  error?: (tags: object | undefined) => Error | undefined;
}

/**
 * A job, with all that is known of it.
 *
 * @param takeOnRole @default an STS that answers as `sts` says
 */
function theJob(takeOnRole?: TakeOnRole) {
  const session: Session = {
    sessionId: '1300',
    projectId: 'example',
    clusterName: 'alpha',
    clusterUser: 'user1',
    submittedTime: 'now',
    status: 'ACTIVE',
    tokenDigest: tokenDigest('token'),
    epoch: 0,
    roleArn: ROLE,
  };
  const mapping: RoleMapping = {
    projectId: 'example',
    roleArn: ROLE,
    sessionTags: true,
    revokedBefore: 0,
  };
  const users: Record<string, User> = {};
  const job = {
    session,
    mapping,
    user: (name: string) => (users[name] ??= { epoch: 0, notBefore: 0, scopes: [] }),
    reads: 0,
    /** What the roles' tags and scopes came to, in turn. */
    events: [] as string[],
    sts: {} as StsAnswer,
    issue: (token = 'token', sessionId = '1300') =>
      issue({ sessionId, clusterName: 'alpha', projectId: 'example', token, roleSessionName: 'node1' }),
    /** Calls of STS. */
    calls: 0,
  };
  const toldSts: TakeOnRole = async ({ tags }) => {
    const { afterMs, error } = job.sts;
    job.events.push(tags ? 'STS with tags' : 'STS without tags');
    const issuedAt = Date.now();
    const number = (job.calls += 1);
    if (afterMs !== undefined) await sleep(afterMs);
    const failure = error?.(tags);
    if (failure !== undefined) throw failure;
    return {
      accessKeyId: `ASIA${number}`,
      secretAccessKey: 'secret',
      sessionToken: 'session',
      expiresAt: issuedAt + 60 * MINUTE_MS,
      issuedAt,
    };
  };
  const issue = issuer({
    sessions: {
      // A copy, as what is read from a table does not change any more.
      facts: ({ sessionId, user }): Promise<Facts> => {
        job.reads += 1;
        return Promise.resolve({
          session: { ...session, sessionId },
          mapping: { ...mapping },
          user: user === undefined ? undefined : { ...job.user(user) },
        });
      },
      addScope: (user: string, scope: Scope) => {
        job.events.push(`scope ${JSON.stringify({ user, ...scope })}`);
        return Promise.resolve();
      },
    },
    mappings: {
      withoutTags: () => {
        job.events.push('mapping without tags');
        return Promise.resolve();
      },
    },
    takeOnRole: takeOnRole ?? toldSts,
    turn: () => Promise.resolve(),
  });
  return job;
}

/** A job that holds credentials of an hour, of which 10 minutes are left. */
async function jobWithTenMinutesLeft() {
  const job = theJob();
  const { credentials } = await job.issue();
  ahead += 50 * MINUTE_MS;
  return { job, held: credentials };
}

async function timed<T>(promise: Promise<T>): Promise<{ result: T; ms: number }> {
  const started = clock();
  const result = await promise;
  return { result, ms: clock() - started };
}

describe("a clock that is ahead of STS's by nearly a second", () => {
  /** STS counts in whole seconds of its own clock. */
  const BEHIND_MS = 900;
  const secondOf = (moment: number) => Math.floor((moment - BEHIND_MS) / 1000) * 1000;
  /** When STS issued what an access key's id names. */
  const issueTimes = new Map<string, number>();
  const client = {
    send: () => {
      const now = clock();
      const AccessKeyId = `ASIA${issueTimes.size}`;
      issueTimes.set(AccessKeyId, secondOf(now));
      return Promise.resolve({
        Credentials: {
          AccessKeyId,
          SecretAccessKey: 'secret',
          SessionToken: 'session',
          Expiration: new Date(secondOf(now) + 60 * MINUTE_MS),
        },
      });
    },
  } as unknown as Parameters<typeof takeOnRoleBy>[0];

  beforeEach(() => {
    issueTimes.clear();
  });

  function jobOfThatSts() {
    const job = theJob(takeOnRoleBy(client, 3600));
    return {
      job,
      issuedAt: async () => issueTimes.get((await job.issue()).credentials.accessKeyId) ?? 0,
    };
  }

  test("the user's next credentials are not hit by the revocation before them", async () => {
    const { job, issuedAt } = jobOfThatSts();
    const cutoff = Math.ceil(clock() / 1000) * 1000;
    job.user('user1').notBefore = cutoff;
    expect(await issuedAt()).toBeGreaterThanOrEqual(cutoff);
    // Nor are those that are kept.
    expect(await issuedAt()).toBeGreaterThanOrEqual(cutoff);
    // Once when the user was not known yet, and once when the time had come.
    expect(issueTimes.size).toBe(2);
  });

  test('what is kept is not served once a revocation has hit it', async () => {
    const { job, issuedAt } = jobOfThatSts();
    // Early in a second of this clock it is still the one before at STS.
    while (clock() % 1000 > BEHIND_MS / 2) await sleep(20);
    const cutoff = Math.floor(clock() / 1000) * 1000;
    expect(await issuedAt()).toBeLessThan(cutoff);
    job.mapping.revokedBefore = cutoff;
    expect(await issuedAt()).toBeGreaterThanOrEqual(cutoff);
  });
});

describe('a renewal', () => {
  test('that STS does not answer delays nobody for long, and is made once', async () => {
    const { job, held } = await jobWithTenMinutesLeft();
    job.sts = { afterMs: 2500 };
    const first = await Promise.all(Array.from({ length: 5 }, () => timed(job.issue())));
    for (const { result, ms } of first) {
      expect(result).toMatchObject({ credentials: held, fresh: false });
      expect(ms).toBeGreaterThan(700);
      expect(ms).toBeLessThan(2000);
    }
    // Who comes later does not wait again.
    const { result, ms } = await timed(job.issue());
    expect(result.credentials).toBe(held);
    expect(ms).toBeLessThan(600);
    await sleep(2000);
    const renewed = await Promise.all([job.issue(), job.issue()]);
    expect(renewed.map(({ credentials }) => credentials.accessKeyId)).toEqual(['ASIA2', 'ASIA2']);
    // One of them is the first to have them, which the audit log tells.
    expect(renewed.map(({ fresh }) => fresh)).toEqual([true, false]);
    expect(job.calls).toBe(2);
  });

  test('that STS answers soon is waited for', async () => {
    const { job } = await jobWithTenMinutesLeft();
    job.sts = { afterMs: 100 };
    const all = await Promise.all([job.issue(), job.issue()]);
    expect(all.map(({ credentials }) => credentials.accessKeyId)).toEqual(['ASIA2', 'ASIA2']);
  });

  test.each([
    ['STS is out of order', awsUnavailable(undefined)],
    ['the role is changed', roleUnavailable(undefined)],
  ])('that fails, as %s, refuses nobody who holds valid credentials', async (_, error) => {
    const { job, held } = await jobWithTenMinutesLeft();
    job.sts = { afterMs: 100, error: () => error };
    const all = await Promise.all(Array.from({ length: 5 }, () => job.issue()));
    expect(new Set(all.map(({ credentials }) => credentials))).toEqual(new Set([held]));
    expect(job.calls).toBe(2);
    // With a minute left they are of no use any more.
    ahead += 9 * MINUTE_MS;
    await expect(job.issue()).rejects.toBe(error);
  });

  test('that failed is tried again 15 seconds after the failure, however long that took', async () => {
    const { job } = await jobWithTenMinutesLeft();
    job.sts = { afterMs: 400, error: () => awsUnavailable(undefined) };
    const renewed = job.issue();
    await sleep(20);
    ahead += 16_000;
    await renewed;
    await job.issue();
    expect(job.calls).toBe(2);
    ahead += 15_000;
    await job.issue();
    expect(job.calls).toBe(3);
  });

  test('that finds the session ended gives nobody what was held', async () => {
    const { job } = await jobWithTenMinutesLeft();
    job.sts = { afterMs: 300 };
    const all = [job.issue(), job.issue()];
    await sleep(100);
    job.session.status = 'INVALIDATED';
    const results = await Promise.allSettled(all);
    expect(results).toMatchObject([{ reason: { status: 403 } }, { reason: { status: 403 } }]);
    // Not even if it were active again.
    job.session.status = 'ACTIVE';
    expect((await job.issue()).credentials.accessKeyId).toBe('ASIA3');
  });

  test.each([
    ['the session', (job: ReturnType<typeof theJob>) => (job.session.status = 'INVALIDATED')],
    ['its user', (job: ReturnType<typeof theJob>) => (job.user('user1').epoch = 1)],
  ])('that takes long serves nothing once %s was revoked', async (_, revoke) => {
    const { job } = await jobWithTenMinutesLeft();
    job.sts = { afterMs: 1500 };
    const asked = job.issue();
    await sleep(300);
    revoke(job);
    await expect(asked).rejects.toMatchObject({ status: 403 });
  });

  test('that takes long serves nothing that was revoked meanwhile', async () => {
    const { job } = await jobWithTenMinutesLeft();
    job.sts = { afterMs: 1500 };
    const asked = job.issue();
    await sleep(300);
    job.user('user1').notBefore = Date.now() - MINUTE_MS;
    expect((await asked).credentials.accessKeyId).toBe('ASIA2');
  });
});

test('a warm answer reads once', async () => {
  const job = theJob();
  await job.issue();
  job.reads = 0;
  for (let again = 0; again < 3; again += 1) await job.issue();
  expect([job.reads, job.calls]).toEqual([3, 1]);
});

test('a job that is requeued does not hang on the call for the one before it', async () => {
  const job = theJob();
  job.sts = { afterMs: 300 };
  const before = job.issue();
  await sleep(100);
  job.session.tokenDigest = tokenDigest('another');
  const [first, second] = await Promise.allSettled([before, job.issue('another')]);
  expect(first).toMatchObject({ reason: { status: 403 } });
  expect(second).toMatchObject({ value: { credentials: { accessKeyId: 'ASIA2' } } });
});

test('an id that is now the session of another user is that user’s', async () => {
  const job = theJob();
  await job.issue();
  job.user('user1').epoch = 1;
  job.session.clusterUser = 'user2';
  expect((await job.issue()).session.clusterUser).toBe('user2');
});

test('what is held is not served while nothing is known of its user', async () => {
  const job = theJob();
  const others = Array.from({ length: 49_999 }, (_, index) => String(index + 2));
  const ask = (ids: string[]) => Promise.all(ids.map((id) => job.issue('token', id)));
  await ask(others);
  await ask(['1']);
  // Its user is what was not asked for longest, its credentials are not what was issued longest ago.
  await ask(others);
  await ask(['50001']);
  job.user('user1').epoch = 1;
  await expect(job.issue('token', '1')).rejects.toMatchObject({ status: 403 });
});

describe('a role that takes no session tags', () => {
  const scope = `scope ${JSON.stringify({ user: 'user1', cluster: 'alpha', roleArn: ROLE, untagged: true })}`;

  test('is recorded for the user before anything is issued there', async () => {
    const job = theJob();
    job.mapping.sessionTags = false;
    await job.issue();
    expect(job.events).toEqual([scope, 'STS without tags']);
    await job.issue();
    expect(job.events).toHaveLength(2);
  });

  test('is so, too, where that only now turns out', async () => {
    const job = theJob();
    const refusal = roleUnavailable(new Error('not authorized to perform: sts:TagSession'));
    job.sts = { error: (tags) => (tags ? refusal : undefined) };
    await job.issue();
    expect(job.events).toEqual(['STS with tags', scope, 'STS without tags', 'mapping without tags']);
  });
});
