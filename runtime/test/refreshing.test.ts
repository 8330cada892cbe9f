import { type Outcome, refreshing } from '../src/refreshing';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

interface Numbered {
  n: number;
  expiration: Date;
}

let wall: number;
let monotonic: number;
let lifetime: number;
let fetched: number;
let fault: Error | undefined;
let slow: Promise<void> | undefined;
let outcomes: Outcome<Numbered>[];

beforeEach(() => {
  wall = 1_800_000_000_000;
  monotonic = 0;
  lifetime = HOUR;
  fetched = 0;
  fault = undefined;
  slow = undefined;
  outcomes = [];
});

function pass(ms: number): void {
  wall += ms;
  monotonic += ms;
}

/** Sessions, numbered. */
function sessions() {
  const fetch = async (): Promise<Numbered> => {
    const n = ++fetched;
    await slow;
    if (fault) throw fault;
    return { n, expiration: new Date(wall + lifetime) };
  };
  const { get, ...rest } = refreshing(fetch, {
    clock: { wall: () => wall, monotonic: () => monotonic },
    isPermanent: (error) => (error as Error).message === 'permanent',
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  const next = (request: Partial<Parameters<typeof get>[0]> = {}) => get({ caller: undefined, ...request });
  return { next, ...rest };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** What a caller gets without waiting for a fetch. */
async function atOnce<T>(promise: Promise<T>): Promise<T | 'waits'> {
  const waits = settled().then(() => 'waits' as const);
  return Promise.race([promise, waits]);
}

test.each([
  [15 * MINUTE, 5 * MINUTE],
  [20 * MINUTE, 5 * MINUTE],
  [HOUR, 15 * MINUTE],
  [90 * MINUTE, 15 * MINUTE],
  [12 * HOUR, HOUR],
])(
  'of %d ms nothing is fetched before the last %d, and all is by four fifths of them',
  async (life, window) => {
    lifetime = life;
    const { next, warm } = sessions();
    await next();
    pass(life - window - 1001);
    expect(warm()).toMatchObject({ n: 1 });
    pass(1000);
    await next();
    await settled();
    expect(fetched).toBe(1);
    pass(window / 5 + 1);
    expect(warm()).toBeUndefined();
    expect(await next()).toMatchObject({ n: 1 });
    await settled();
    expect(await next()).toMatchObject({ n: 2 });
  },
);

test('windows differ, so that a fleet does not come at once', async () => {
  const due = [];
  for (let i = 0; i < 20; i++) {
    const { next, warm } = sessions();
    await next();
    pass(HOUR - 14 * MINUTE);
    due.push(warm() === undefined);
  }
  expect(new Set(due).size).toBe(2);
});

test('a session younger than its window is not fetched again at each call', async () => {
  lifetime = 4 * MINUTE;
  const { next } = sessions();
  for (let i = 0; i < 10; i++) await next();
  await settled();
  expect(fetched).toBe(1);
});

test('a refresh that failed waits 5 to 10 minutes, while what is valid is served', async () => {
  const { next } = sessions();
  await next();
  pass(HOUR - 12 * MINUTE);
  fault = new Error('out of order');
  for (const [minutes, fetches] of [
    [0, 2],
    [4.9, 2],
    [5.2, 3],
  ] as const) {
    pass(minutes * MINUTE);
    expect(await atOnce(next())).toMatchObject({ n: 1 });
    await settled();
    expect(fetched).toBe(fetches);
  }
  expect(outcomes.slice(1)).toMatchObject([
    { error: fault, served: { n: 1 } },
    { error: fault, served: { n: 1 } },
  ]);
});

test('the next try comes when the last minute does, however short the last one is ago', async () => {
  const { next } = sessions();
  await next();
  fault = new Error('out of order');
  pass(HOUR - 62 * SECOND);
  await next();
  await settled();
  fault = undefined;
  pass(2 * SECOND);
  expect(await next()).toMatchObject({ n: 3 });
});

test('in the last minute callers wait, then get what is valid, and STS is not asked for 5 seconds', async () => {
  const { next } = sessions();
  await next();
  pass(HOUR - 30 * SECOND);
  fault = new Error('out of order');
  let fail = (): void => undefined;
  slow = new Promise((resolve) => {
    fail = resolve;
  });
  const first = next();
  expect(await atOnce(first)).toBe('waits');
  fail();
  expect(await first).toMatchObject({ n: 1 });
  pass(4 * SECOND);
  expect(await atOnce(next())).toMatchObject({ n: 1 });
  expect(fetched).toBe(2);
  pass(27 * SECOND);
  await expect(next()).rejects.toBe(fault);
});

test.each([
  ['permanent', 999, 5001],
  ['passing', 199, 1001],
])(
  'with nothing valid a %s error is the answer for %d ms at least and %d at most',
  async (kind, least, most) => {
    const { next } = sessions();
    fault = new Error(kind);
    await expect(Promise.all([next(), next()])).rejects.toBe(fault);
    pass(least);
    await expect(next()).rejects.toBe(fault);
    expect(fetched).toBe(1);
    fault = undefined;
    pass(most - least);
    expect(await next()).toMatchObject({ n: 2 });
  },
);

test('a forced refresh fetches once for all who ask meanwhile', async () => {
  const { next } = sessions();
  await next();
  const both = await Promise.all([next({ force: true }), next({ force: true })]);
  expect(both.map(({ n }) => n)).toEqual([2, 2]);
});

describe('a clock that is set', () => {
  test('back does not make a session last longer', async () => {
    const { next } = sessions();
    await next();
    wall -= 2 * HOUR;
    pass(HOUR);
    expect(await next()).toMatchObject({ n: 2 });
  });

  test('forward, or a machine that slept, makes a new session', async () => {
    const { next } = sessions();
    await next();
    wall += HOUR;
    expect(await next()).toMatchObject({ n: 2 });
  });
});

describe('invalidating', () => {
  test('makes the next caller wait for a new session', async () => {
    const { next, invalidate, warm } = sessions();
    await next();
    expect(invalidate(({ n }) => n === 1)).toBe(true);
    expect(warm()).toBeUndefined();
    expect(await next()).toMatchObject({ n: 2 });
  });

  test('what is no longer current does nothing', async () => {
    const { next, invalidate } = sessions();
    await next();
    await next({ force: true });
    expect(invalidate(({ n }) => n === 1)).toBe(false);
    await next();
    expect(fetched).toBe(2);
  });

  test('again and again makes one call in 10 seconds', async () => {
    const { next, invalidate } = sessions();
    for (let i = 0; i < 20; i++) {
      const { n } = await next();
      invalidate((current) => current.n === n);
      pass(SECOND);
    }
    expect(fetched).toBe(3);
  });

  test('while STS is out of order keeps what a single service refused', async () => {
    const { next, invalidate } = sessions();
    await next();
    fault = new Error('out of order');
    invalidate(() => true);
    expect(await next()).toMatchObject({ n: 1 });
    await next();
    expect(fetched).toBe(2);
    fault = undefined;
    pass(10 * SECOND);
    expect(await next()).toMatchObject({ n: 3 });
  });
});

test('an aborted caller stops waiting, the others get what was fetched', async () => {
  const { next } = sessions();
  let answer = (): void => undefined;
  slow = new Promise((resolve) => {
    answer = resolve;
  });
  const controller = new AbortController();
  const impatient = next({ abortSignal: controller.signal });
  const patient = next();
  controller.abort(new Error('enough'));
  await expect(impatient).rejects.toThrow('enough');
  answer();
  expect(await patient).toMatchObject({ n: 1 });
  expect(fetched).toBe(1);
});
