import { setTimeout as sleep } from 'node:timers/promises';
import { atMost } from './at-most';
import type { Clock } from './clock';
import { credentialsBody } from './credentials';
import { MAX_CHECKING, MAX_FETCHING } from './limits';
import { IN_TIME_MS, type Reach } from './reach';
import { type Asked, keyOf } from './request';
import { singleFlight } from './single-flight';
import { boundedStore } from './store';
import type { Ask, Outcome } from './upstream';

/**
 * New credentials are fetched with so much left, up to a fifth more by jitter: botocore asks for new ones at each
 * call from 15 minutes on, so what it gets must have more.
 */
const REFRESH_LEFT_MS = 20 * 60_000;
const REFRESH_JITTER = 0.2;
/** Until the next try, where what came has hardly more: short credentials, or the same ones from the API's own cache. */
const REFRESH_AGAIN_MS = 60_000;
/** The whole store is looked through in a minute, a part of it each second. */
const ROUND_MS = 60_000;
const LOOK_EVERY_MS = 1000;
/** Refreshes at once that no client waits for, and so a second: 75,000 sessions in the 20 minutes that there are. */
const MAX_REFRESHES = 64;

/**
 * The body with a session's credentials; at once, where they are there.
 *
 * @throws Refusal, or rejects with one
 */
export type Answer = (asked: Asked) => string | Promise<string>;

export interface Answers {
  readonly answer: Answer;
  /** Sessions in the cache. */
  readonly size: () => number;
  readonly stop: () => void;
}

/** Without a cache: each question goes to the API. */
export function uncached(ask: Ask): Answers {
  const waiting = atMost(MAX_FETCHING);
  return {
    answer: (asked) => waiting(async () => bodyOf(await ask(asked, 'fetch'))),
    size: () => 0,
    stop: () => undefined,
  };
}

interface Options {
  readonly ask: Ask;
  /** What `ask` has found out about the API. */
  readonly api: Pick<Reach, 'good' | 'mayAsk'>;
  readonly clock: Clock;
  /** Sessions that are kept at the most. */
  readonly capacity: number;
  /** How long the API's last word on a session is believed, in milliseconds. */
  readonly recheckMs: number;
}

/**
 * Keeps each session's credentials as long as they are valid and the session is on.
 *
 * - A session that the API has spoken of in the last `recheckMs` is answered from the cache.
 * - Otherwise the API is asked, once whatever the number of clients. They wait 700 ms for it at the most, then
 *   get what there is; once it has been away nobody waits, until it has answered again.
 * - A refusal ends the session at once. Anything else but credentials changes nothing.
 * - Credentials that a client has asked for are renewed ahead of their end, without a client.
 */
export function cached({ ask, api, clock, capacity, recheckMs }: Options): Answers {
  const store = boundedStore(capacity);
  const flights = singleFlight<Outcome>();
  const fetching = atMost(MAX_FETCHING);
  let checking = 0;
  let refreshes = 0;
  const timer = setInterval(lookThrough, LOOK_EVERY_MS).unref();

  return {
    answer(asked) {
      const key = keyOf(asked);
      const held = store.find(key);
      const now = clock.monotonic();
      if (!held || held.deadline <= now) return fetching(() => fetched(key, asked));
      if (!held.wanted) store.mark(key, { wanted: true });
      const body = credentialsBody(held.credentials);
      if (now < held.checkFrom || !api.mayAsk()) return body;
      const waits = api.good() && checking < MAX_CHECKING;
      const flight = renewed(key, asked);
      return waits ? checked(key, flight, body) : body;
    },
    size: store.size,
    stop() {
      clearInterval(timer);
    },
  };

  /** Nothing valid is here: the client has to wait. */
  async function fetched(key: string, asked: Asked): Promise<string> {
    const outcome = await renewed(key, asked);
    store.mark(key, { wanted: true });
    return bodyOf(outcome);
  }

  async function checked(key: string, flight: Promise<Outcome>, body: string): Promise<string> {
    checking += 1;
    const waiting = new AbortController();
    const late = sleep(IN_TIME_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
    const outcome = await Promise.race([flight, late]);
    waiting.abort();
    checking -= 1;
    if (!outcome || outcome.kind === 'failed') return body;
    store.mark(key, { wanted: true });
    return bodyOf(outcome);
  }

  function renewed(key: string, question: Asked): Promise<Outcome> {
    return flights.run(key, async () => {
      const outcome = await ask(question, store.times(key) ? 'check' : 'fetch');
      if (outcome.kind === 'refused') store.drop(key);
      if (outcome.kind === 'failed') putOff(key, clock.monotonic() + outcome.retryMs);
      if (outcome.kind === 'granted') {
        const { credentials, askedAt, lifetimeMs } = outcome;
        const before = store.find(key);
        const same = before?.credentials.accessKeyId === credentials.accessKeyId;
        const times = timesOf(askedAt, lifetimeMs, recheckMs);
        store.put(key, { question, credentials, ...times, wanted: same && before.wanted });
      }
      return outcome;
    });
  }

  function putOff(key: string, until: number): void {
    const refreshFrom = Math.max(until, store.times(key)?.refreshFrom ?? 0);
    store.mark(key, { checkFrom: until, refreshFrom });
  }

  function lookThrough(): void {
    const part = Math.ceil((store.size() * LOOK_EVERY_MS) / ROUND_MS);
    for (const key of store.round(part)) {
      const times = store.times(key);
      const now = clock.monotonic();
      if (!times) continue;
      if (times.deadline <= now) store.drop(key);
      else if (times.wanted && now >= times.refreshFrom) refresh(key);
    }
  }

  function refresh(key: string): void {
    const question = store.question(key);
    if (!question || refreshes >= MAX_REFRESHES || !api.mayAsk()) return;
    refreshes += 1;
    void renewed(key, question).finally(() => (refreshes -= 1));
  }
}

/** @throws Refusal */
function bodyOf(outcome: Outcome): string {
  if (outcome.kind === 'granted') return credentialsBody(outcome.credentials);
  throw outcome.refusal;
}

function timesOf(askedAt: number, lifetimeMs: number, recheckMs: number) {
  const deadline = askedAt + lifetimeMs;
  const ahead = REFRESH_LEFT_MS * (1 + Math.random() * REFRESH_JITTER);
  const refreshFrom = Math.max(deadline - ahead, askedAt + REFRESH_AGAIN_MS);
  return { deadline, refreshFrom, checkFrom: askedAt + recheckMs };
}
