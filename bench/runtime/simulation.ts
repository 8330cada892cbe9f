import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { STSClientConfig } from '@aws-sdk/client-sts';
import { STSClient } from '@aws-sdk/client-sts';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { credentialsProvider } from '../../runtime/src/role-credentials';

const ROLE = 'arn:aws:iam::123456789012:role/reader';
const SOURCE = { accessKeyId: 'AKIASOURCE', secretAccessKey: 'secret' };
const REGION = 'eu-west-1';
const REQUESTS_PER_SECOND = 1000;
const LATENCY_MS = 100;
const FAILURE_LATENCY_MS = 1000;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** An outage in minutes after the first request; `hours` is how long a session lasts. */
export interface Outage {
  readonly from: number;
  readonly to: number;
  readonly hours?: number;
}

/** Of a day's requests, how many did not get their credentials at once. */
export async function usualDay(): Promise<{ ours: number; theirs: number }> {
  const day = { minutes: 24 * 60, hours: 1, fails: () => false };
  return { ours: (await live(ours, day)).waited, theirs: (await live(theirs, day)).waited };
}

/** How many requests got an error in place of credentials, from the first to 10 minutes after the outage. */
export async function outage({ from, to, hours = 1 }: Outage): Promise<{ ours: number; theirs: number }> {
  const fails = (minute: number) => minute >= from && minute < to;
  const time = { minutes: to + 10, hours, fails };
  return { ours: (await live(ours, time)).lost, theirs: (await live(theirs, time)).lost };
}

interface Timeline {
  readonly minutes: number;
  readonly hours: number;
  readonly fails: (minute: number) => boolean;
}

/** A way to credentials under an SDK client, and whether it is asking STS just now. */
interface Subject {
  readonly credentials: () => Promise<unknown>;
  readonly busy: () => boolean;
}

interface Simulated {
  readonly now: () => number;
  readonly seconds: number;
  readonly requestHandler: STSClientConfig['requestHandler'];
}

function ours({ now, seconds, requestHandler }: Simulated): Subject {
  let begun = 0;
  let ended = 0;
  const credentials = credentialsProvider(
    {
      roleArn: ROLE,
      region: REGION,
      durationSeconds: seconds,
      sourceCredentials: () => {
        begun++;
        return Promise.resolve(SOURCE);
      },
      onEvent: () => ended++,
      onNotice: () => undefined,
    },
    {
      clock: { wall: now, monotonic: now },
      sts: { timeouts: { connectionMs: MINUTE, attemptMs: MINUTE, totalMs: MINUTE }, requestHandler },
      sessions: new Map(),
    },
  );
  return under(credentials, () => begun > ended);
}

function theirs({ seconds, requestHandler }: Simulated): Subject {
  let asking = 0;
  const ask = fromTemporaryCredentials({
    params: { RoleArn: ROLE, DurationSeconds: seconds },
    masterCredentials: SOURCE,
    clientConfig: { region: REGION, requestHandler },
  });
  const counted: typeof ask = async (properties) => {
    asking++;
    try {
      return await ask(properties);
    } finally {
      asking--;
    }
  };
  return under(counted, () => asking > 0);
}

function under(credentials: STSClientConfig['credentials'], busy: () => boolean): Subject {
  const { config } = new STSClient({ region: REGION, credentials });
  return { credentials: () => config.credentials(), busy };
}

/**
 * Lives through the time. A second in which nothing is asked of STS has a thousand equal requests, and one of
 * them is made; any other is gone through millisecond by millisecond.
 */
async function live(
  subjectIn: (simulated: Simulated) => Subject,
  { minutes, hours, fails }: Timeline,
): Promise<{ waited: number; lost: number }> {
  const realNow = Date.now;
  const start = realNow();
  let now = start;
  Date.now = () => now;
  const calls: { due: number; answer: () => void }[] = [];
  const seconds = hours * 3600;
  const failing = () => fails(Math.floor((now - start) / MINUTE));
  const requestHandler = simulatedSts(
    (answer) => calls.push({ due: now + (failing() ? FAILURE_LATENCY_MS : LATENCY_MS), answer }),
    () => ({ now, fails: failing(), expiration: new Date(now + seconds * SECOND) }),
  );
  const subject = subjectIn({ now: () => now, seconds, requestHandler });
  const counts = { waited: 0, lost: 0 };
  const requests = new Set<Promise<void>>();

  /** @returns whether it got its credentials at once */
  async function request(): Promise<boolean> {
    let done = false as boolean;
    const answered = subject.credentials().then(
      () => {
        done = true;
      },
      () => {
        done = true;
        counts.lost++;
      },
    );
    await settled();
    if (done) return true;
    counts.waited++;
    requests.add(answered);
    void answered.then(() => requests.delete(answered));
    return false;
  }

  try {
    for (let second = 0; second < minutes * 60; second++) {
      now = start + second * SECOND;
      for (let each = 0; each < REQUESTS_PER_SECOND; each++) {
        now = start + second * SECOND + each;
        const lostBefore = counts.lost;
        const atOnce = await request();
        // Its way to the simulated STS takes real time, in which the simulated one stands still.
        while (subject.busy() && calls.length === 0) await turn();
        if (atOnce && !subject.busy() && counts.lost === lostBefore) break;
        if (calls[0] && calls[0].due <= now) {
          calls.shift()?.answer();
          while (subject.busy() && calls.length === 0) await turn();
        }
      }
    }
    while (calls.length > 0) calls.shift()?.answer();
    await Promise.all(requests);
    return counts;
  } finally {
    Date.now = realNow;
  }
}

/** What is there already takes no longer than these; much cheaper than a turn of the event loop. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** STS without a network: each call is held back until `held` lets it go. */
function simulatedSts(
  held: (answer: () => void) => void,
  world: () => { now: number; fails: boolean; expiration: Date },
): STSClientConfig['requestHandler'] {
  const handler = {
    async handle() {
      await new Promise<void>((answer) => {
        held(answer);
      });
      const { now, fails, expiration } = world();
      const body = fails ? '' : granted(expiration);
      return {
        response: {
          statusCode: fails ? 503 : 200,
          headers: { date: new Date(now).toUTCString(), 'content-type': 'text/xml' },
          body: Readable.from([Buffer.from(body)]),
        },
      };
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
    destroy: () => undefined,
  };
  return handler;
}

function granted(expiration: Date): string {
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>AKIAGRANTED</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
    <Expiration>${expiration.toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}
