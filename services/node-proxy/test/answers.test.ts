import { cached } from '../src/answers';
import { MAX_CHECKING } from '../src/limits';
import type { Outcome } from '../src/upstream';

const asked = { target: '/sessions/1300/cluster/alpha/project/abc', authorization: 'token' };

test('of those who wait for a check, no more than some do; further ones get what is cached at once', async () => {
  let now = 0;
  let questions = 0;
  const outcome: Outcome = {
    kind: 'granted',
    credentials: {
      accessKeyId: 'ASIA1',
      secretAccessKey: 'secret-1',
      sessionToken: 'token-1',
      accountId: undefined,
      expiration: '2099-06-30T00:00:00Z',
    },
    askedAt: 0,
    lifetimeMs: 3_600_000,
  };
  let reply: (outcome: Outcome) => void = () => undefined;
  const answers = cached({
    ask() {
      questions += 1;
      return questions === 1 ? Promise.resolve(outcome) : new Promise((resolve) => (reply = resolve));
    },
    api: { good: () => true, mayAsk: () => true },
    clock: { wall: Date.now, monotonic: () => now },
    capacity: 10,
    recheckMs: 5000,
  });
  const body = await answers.answer(asked);
  now = 6000;
  const given = Array.from({ length: MAX_CHECKING + 10 }, () => answers.answer(asked));
  expect(given.slice(MAX_CHECKING)).toEqual(Array.from({ length: 10 }, () => body));
  expect(given.slice(0, MAX_CHECKING).some((each) => typeof each === 'string')).toBe(false);
  expect(questions).toBe(2);
  reply(outcome);
  expect(new Set(await Promise.all(given.map((each) => Promise.resolve(each))))).toEqual(new Set([body]));
  // They wait no longer, so that others may.
  now = 12_000;
  expect(answers.answer(asked)).toBeInstanceOf(Promise);
  reply(outcome);
  answers.stop();
});
