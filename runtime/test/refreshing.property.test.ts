import fc from 'fast-check';
import { refreshing } from '../src/refreshing';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const MANDATORY = MINUTE;
const LEAST_PAUSE = 200;

/** What a service does next, and how long after the last. */
const steps = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 30 * MINUTE })),
    act: fc.constantFrom(
      'call',
      'call',
      'call',
      'burst',
      'force',
      'invalidate',
      'clock back',
      'clock forward',
    ),
  }),
  { minLength: 5, maxLength: 60 },
);

/** What STS does with its n-th call. */
const answers = fc.array(
  fc.record({
    latencyMs: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 30 * SECOND })),
    fault: fc.option(fc.constantFrom('permanent', 'passing'), { freq: 2 }),
    lifetimeMs: fc.constantFrom(15 * MINUTE, 60 * MINUTE, 12 * 60 * MINUTE),
  }),
  { minLength: 1, maxLength: 20 },
);

interface Behaviour {
  latencyMs: number;
  fault: string | null;
  lifetimeMs: number;
}

const USUAL: Behaviour = { latencyMs: 100, fault: null, lifetimeMs: 60 * MINUTE };

interface Triple {
  accessKeyId: number;
  secretAccessKey: number;
  sessionToken: number;
  expiration: Date;
}

/** A failed refresh, and right after it a clock that makes what is held invalid. */
const SET_FORWARD: [Parameters<typeof live>[0], Behaviour[]] = [
  [
    { afterMs: 0, act: 'call' },
    { afterMs: 832_996, act: 'invalidate' },
    { afterMs: 638_686, act: 'call' },
    { afterMs: 886, act: 'clock forward' },
    { afterMs: 927_228, act: 'call' },
    { afterMs: 199, act: 'clock forward' },
    { afterMs: 6, act: 'call' },
  ],
  [
    { latencyMs: 1, fault: null, lifetimeMs: 15 * MINUTE },
    { latencyMs: 1, fault: null, lifetimeMs: 60 * MINUTE },
    { latencyMs: 1, fault: 'permanent', lifetimeMs: 15 * MINUTE },
    { latencyMs: 6, fault: 'permanent', lifetimeMs: 15 * MINUTE },
    { latencyMs: 1, fault: null, lifetimeMs: 15 * MINUTE },
  ],
];

test('over any timeline: one call at a time, nobody waits or fails without need, nothing expired or mixed', async () => {
  await fc.assert(fc.asyncProperty(steps, answers, live), { numRuns: 300, examples: [SET_FORWARD] });
});

async function live(timeline: { afterMs: number; act: string }[], behaviours: Behaviour[]): Promise<void> {
  const time = virtualTime();
  let skew = 0;
  let asked = 0;
  let inFlight = 0;
  let newest = 0;
  let lastFailure = -Infinity;
  let lastEagerness = -Infinity;
  const sessions: { end: number; skew: number }[] = [];
  const wrong: string[] = [];
  const must = (holds: boolean, what: string) => {
    if (!holds) wrong.push(`${what} at ${time.now()}`);
  };

  const left = (n: number) => (sessions[n]?.end ?? 0) - time.now();
  /** A clock that was set forward makes a session look older, and there is no knowing that it isn't. */
  const believedLeft = (n: number) => left(n) - Math.max(0, skew - (sessions[n]?.skew ?? 0));

  const fetch = async (): Promise<Triple> => {
    const n = ++asked;
    const { latencyMs, fault, lifetimeMs } = behaviours[n % behaviours.length] ?? USUAL;
    must(++inFlight === 1, 'two calls at once');
    must(
      time.now() - lastFailure >= LEAST_PAUSE || lastEagerness >= lastFailure,
      'a call right after one that failed',
    );
    await time.passed(latencyMs);
    inFlight--;
    if (fault) {
      lastFailure = time.now();
      throw new Error(fault);
    }
    sessions[n] = { end: time.now() + lifetimeMs, skew };
    newest = n;
    return {
      accessKeyId: n,
      secretAccessKey: n,
      sessionToken: n,
      expiration: new Date(time.now() + skew + lifetimeMs),
    };
  };
  const { warm, get, invalidate } = refreshing(fetch, {
    clock: { wall: () => time.now() + skew, monotonic: time.now },
    isPermanent: (error) => (error as Error).message === 'permanent',
    onOutcome: () => undefined,
  });

  let refused = 0;
  const waiting: Promise<void>[] = [];
  const call = async (force: boolean): Promise<void> => {
    const known = newest;
    const mustNotWait = !force && refused !== known && believedLeft(known) > MANDATORY;
    let done = false as boolean;
    const atOnce = force ? undefined : warm();
    const answered = (atOnce ? Promise.resolve(atOnce) : get({ force, caller: undefined })).then(
      ({ accessKeyId, secretAccessKey, sessionToken }) => {
        done = true;
        must(accessKeyId === secretAccessKey && accessKeyId === sessionToken, 'a mixed triple');
        must(accessKeyId >= known, 'an older session than one that was there');
        must(left(accessKeyId) > 0, 'an expired session');
      },
      () => {
        done = true;
        must(force || believedLeft(newest) <= 0, 'an error without need');
      },
    );
    await time.settled();
    must(done || !mustNotWait, 'a wait without need');
    waiting.push(answered);
  };

  for (const { afterMs, act } of timeline) {
    await time.pass(afterMs);
    if (act === 'clock back') skew -= 10 * MINUTE;
    else if (act === 'clock forward') skew += 10 * MINUTE;
    else if (act === 'invalidate') {
      if (invalidate(({ accessKeyId }) => accessKeyId === newest)) refused = newest;
      lastEagerness = time.now();
    } else {
      if (act === 'force') lastEagerness = time.now();
      for (let i = 0; i < (act === 'burst' ? 20 : 1); i++) await call(act === 'force');
    }
  }
  await time.pass(60 * SECOND);
  await Promise.all(waiting);
  expect(wrong).toEqual([]);
}

/** A clock that goes only when told to, and runs what falls due on the way. */
function virtualTime() {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  const settled = async () => {
    for (let i = 0; i < 12; i++) await Promise.resolve();
  };
  return {
    now: () => now,
    settled,
    passed: (ms: number) => new Promise<void>((run) => timers.push({ at: now + ms, run })),
    async pass(ms: number) {
      const end = now + ms;
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        timers = timers.filter((timer) => timer !== next);
        now = next.at;
        next.run();
        await settled();
      }
      now = end;
    },
  };
}
