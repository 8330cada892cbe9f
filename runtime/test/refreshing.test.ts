import { refreshing } from '../src/refreshing';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
let now: number;
let fetched: number;
let fault: Error | undefined;
let slow: Promise<void> | undefined;
let failed: unknown[];

beforeEach(() => {
  now = 1_800_000_000_000;
  fetched = 0;
  fault = undefined;
  slow = undefined;
  failed = [];
});

/** Sessions of one hour, numbered. */
function sessions() {
  const fetch = async () => {
    const n = ++fetched;
    await slow;
    if (fault) throw fault;
    return { n, expiration: new Date(now + HOUR) };
  };
  return refreshing(fetch, { now: () => now, onFailedRefresh: (error) => failed.push(error) });
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('nothing is fetched with more than 5 minutes left', async () => {
  const session = sessions();
  await session();
  now += HOUR - 300 * SECOND - 1;
  await session();
  await settled();
  expect(fetched).toBe(1);
});

test('from 5 minutes on the old session is given and a new one fetched', async () => {
  const session = sessions();
  await session();
  now += HOUR - 300 * SECOND;
  expect(await session()).toMatchObject({ n: 1 });
  await settled();
  expect(await session()).toMatchObject({ n: 2 });
});

test('a refresh that failed is tried again after 30 to 45 seconds, not before', async () => {
  const session = sessions();
  await session();
  now += HOUR - 300 * SECOND;
  fault = new Error('out of order');
  for (const [wait, fetches] of [
    [0, 2],
    [29, 2],
    [17, 3],
  ] as const) {
    now += wait * SECOND;
    expect(await session()).toMatchObject({ n: 1 });
    await settled();
    expect(fetched).toBe(fetches);
  }
  expect(failed).toEqual([fault, fault]);
});

test('with 1 minute left callers wait for the new session, however short the last try is ago', async () => {
  const session = sessions();
  await session();
  now += HOUR - 61 * SECOND;
  fault = new Error('out of order');
  expect(await session()).toMatchObject({ n: 1 });
  await settled();
  now += SECOND;
  await expect(session()).rejects.toBe(fault);
  fault = undefined;
  expect(await session()).toMatchObject({ n: 4 });
});

test('a refresh that takes long and fails is reported once, however many asked meanwhile', async () => {
  const session = sessions();
  await session();
  now += HOUR - 300 * SECOND;
  fault = new Error('out of order');
  let fail = (): void => undefined;
  slow = new Promise((resolve) => {
    fail = resolve;
  });
  await session();
  now += 60 * SECOND;
  await Promise.all([session(), session()]);
  fail();
  await settled();
  expect(failed).toEqual([fault]);
});

test('after a first failure the next caller tries again', async () => {
  const session = sessions();
  fault = new Error('out of order');
  await expect(Promise.all([session(), session()])).rejects.toBe(fault);
  fault = undefined;
  expect(await session()).toMatchObject({ n: 2 });
});

test('a forced refresh fetches once for all who ask meanwhile', async () => {
  const session = sessions();
  await session();
  const both = await Promise.all([session({ force: true }), session({ force: true })]);
  expect(both.map(({ n }) => n)).toEqual([2, 2]);
});
