/** How long before the end a session is renewed behind the callers' backs, by how long it lives. */
const ADVISORY_WINDOWS_MS = [
  { lifetimeUpTo: 20 * 60_000, window: 5 * 60_000 },
  { lifetimeUpTo: 90 * 60_000, window: 15 * 60_000 },
  { lifetimeUpTo: Infinity, window: 60 * 60_000 },
];

/** A fleet that started at once would come back at once; each session's window is up to a fifth shorter. */
const WINDOW_JITTER = 0.2;

/** With less than this left a request could arrive at AWS too late, so callers wait for the refresh. */
const MANDATORY_WINDOW_MS = 60_000;

/**
 * The least time from a failed refresh to the next, at most doubled by jitter; a third of a short session's
 * window, so that it gets its tries too.
 */
const LONGEST_BACKOFF_MS = 300_000;
const MANDATORY_BACKOFF_MS = 5000;

/**
 * How long at least, and 5 times that at most, an error is the answer when there is nothing valid to serve:
 * else each call would make one of STS.
 */
const PERMANENT_REMEMBERED_MS = 1000;
const PASSING_REMEMBERED_MS = 200;

/** A service that refuses everything must not make one AssumeRole of each of its refusals. */
const BETWEEN_INVALIDATIONS_MS = 10_000;

/** What has been found warm is so for this long: a second clock at each call would double its cost. */
const LOOKED_AT_EVERY_MS = 1000;

/** Two clocks, in milliseconds: the wall's is set by people, the monotonic one stands still while a machine sleeps. */
export interface Clock {
  /** Since 1970. */
  readonly wall: () => number;
  readonly monotonic: () => number;
}

interface Surroundings<T, C> {
  readonly clock: Clock;
  readonly isPermanent: (error: unknown) => boolean;
  /** Told of each fetch, with the caller that started it. */
  readonly onOutcome: (outcome: Outcome<T>, caller: C) => void;
}

/** What came of one fetch. */
export type Outcome<T> =
  | { readonly value: T; readonly first: boolean; readonly tookMs: number }
  | {
      readonly error: unknown;
      /** What is served meanwhile, if it is still valid. */
      readonly served: T | undefined;
      /** Until the next try, at the earliest. */
      readonly nextTryMs: number;
    };

export interface Request<C> {
  /** Fetches even though what there is is valid. @default false */
  readonly force?: boolean;
  /** Ends this caller's wait; the fetch goes on for the others. */
  readonly abortSignal?: AbortSignal | undefined;
  /** Who asks. The fetch that this call starts, if it starts one, is told. */
  readonly caller: C;
}

export interface Refreshing<T, C> {
  /** What can be served at once and needs no refresh yet. */
  readonly warm: () => T | undefined;
  readonly get: (request: Request<C>) => Promise<T>;
  /**
   * The next caller waits for a fetch, if what there is now is what was refused.
   * @returns whether it is so
   */
  readonly invalidate: (isRefused: (current: T) => boolean) => boolean;
  /** Whether it holds nothing valid and fetches nothing. */
  readonly idle: () => boolean;
}

/**
 * Caches what `fetch` gives and renews it before it expires; never more than one `fetch` at a time.
 *
 * - Outside the advisory window nothing happens. Inside it callers are served at once and the refresh runs
 *   behind them; when it fails the next one waits.
 * - In the last minute callers wait for the refresh. When it fails, what is still valid is served.
 * - With nothing valid the error goes to the caller, and to those that come within a second (5 when
 *   `isPermanent`), without another fetch.
 *
 * @see Credential Refresh Behavior, as AWS has it for all its SDKs
 */
export function refreshing<T extends { readonly expiration: Date }, C>(
  fetch: (caller: C) => Promise<T>,
  { clock, isPermanent, onOutcome }: Surroundings<T, C>,
): Refreshing<T, C> {
  let held: Held<T> | undefined;
  let pending: Promise<T> | undefined;
  let nextTry = 0;
  let warmFrom = Infinity;
  let failure: { readonly error: unknown; readonly until: number } | undefined;
  let lastInvalidation = -Infinity;

  /** Milliseconds; whichever clock has gone further is believed. */
  function left({ since, lifetime }: Held<T>): number {
    return lifetime - Math.max(clock.wall() - since.wall, clock.monotonic() - since.monotonic);
  }

  function warm(): T | undefined {
    if (!held || held.refused) return undefined;
    const wall = clock.wall();
    if (wall >= warmFrom && wall < warmFrom + LOOKED_AT_EVERY_MS) return held.value;
    if (left(held) <= held.window + LOOKED_AT_EVERY_MS) return undefined;
    warmFrom = wall;
    return held.value;
  }

  function valid(): T | undefined {
    return held && left(held) > 0 ? held.value : undefined;
  }

  async function get(request: Request<C>): Promise<T> {
    if (request.force) return unlessAborted(renewed(request), request.abortSignal);
    const value = valid();
    if (!held || value === undefined) {
      if (!pending && failure && clock.monotonic() < failure.until) throw failure.error;
      return unlessAborted(renewedOrValid(request), request.abortSignal);
    }
    const due = pending !== undefined || clock.monotonic() >= nextTry;
    if (!held.refused && left(held) > mandatoryWindow(held)) {
      if (due && left(held) <= held.window) renewed(request).catch(() => undefined);
      return value;
    }
    return due ? unlessAborted(renewedOrValid(request), request.abortSignal) : value;
  }

  function renewed({ caller }: Request<C>): Promise<T> {
    pending ??= renew(caller).finally(() => {
      pending = undefined;
    });
    return pending;
  }

  async function renewedOrValid(request: Request<C>): Promise<T> {
    try {
      return await renewed(request);
    } catch (error) {
      const value = valid();
      if (value === undefined) throw error;
      return value;
    }
  }

  async function renew(caller: C): Promise<T> {
    const first = held === undefined;
    const start = clock.monotonic();
    try {
      const value = await fetch(caller);
      held = holding(value, clock);
      warmFrom = Infinity;
      failure = undefined;
      nextTry = 0;
      onOutcome({ value, first, tookMs: clock.monotonic() - start }, caller);
      return value;
    } catch (error) {
      const served = valid();
      // Also where something is served: a clock that is set forward can make it invalid at once.
      const rememberedMs = remember(error);
      const nextTryMs = served === undefined ? rememberedMs : backOff();
      onOutcome({ error, served, nextTryMs }, caller);
      throw error;
    }
  }

  function remember(error: unknown): number {
    const ms = isPermanent(error) ? jittered(PERMANENT_REMEMBERED_MS, 5) : jittered(PASSING_REMEMBERED_MS, 5);
    // A clock that is set back can make what is held valid again.
    nextTry = clock.monotonic() + ms;
    failure = { error, until: nextTry };
    return ms;
  }

  /** The next try comes before the last minute does, however long the wait. */
  function backOff(): number {
    if (!held) return 0;
    const untilMandatory = held.refused ? 0 : left(held) - mandatoryWindow(held);
    const least =
      untilMandatory > 0 ? Math.min(LONGEST_BACKOFF_MS, held.fullWindow / 3) : MANDATORY_BACKOFF_MS;
    const wait = jittered(least, 2);
    const ms = untilMandatory > 0 ? Math.max(PASSING_REMEMBERED_MS, Math.min(wait, untilMandatory)) : wait;
    nextTry = clock.monotonic() + ms;
    return ms;
  }

  function invalidate(isRefused: (current: T) => boolean): boolean {
    if (!held || !isRefused(held.value)) return false;
    const now = clock.monotonic();
    if (!held.refused && now - lastInvalidation < BETWEEN_INVALIDATIONS_MS) return false;
    if (!held.refused) lastInvalidation = now;
    held = { ...held, refused: true };
    return true;
  }

  return { warm, get, invalidate, idle: () => pending === undefined && valid() === undefined };
}

interface Held<T> {
  readonly value: T;
  /** By both clocks, when it came. */
  readonly since: { readonly wall: number; readonly monotonic: number };
  /** Milliseconds. */
  readonly lifetime: number;
  /** The advisory window, in milliseconds. */
  readonly window: number;
  /** Before jitter shortened it. */
  readonly fullWindow: number;
  readonly refused: boolean;
}

function holding<T extends { readonly expiration: Date }>(value: T, clock: Clock): Held<T> {
  const since = { wall: clock.wall(), monotonic: clock.monotonic() };
  const lifetime = value.expiration.getTime() - since.wall;
  const full = ADVISORY_WINDOWS_MS.find(({ lifetimeUpTo }) => lifetime <= lifetimeUpTo)?.window ?? 0;
  // Were a session younger than its window, each call would be one of STS.
  const fullWindow = Math.min(full, lifetime / 2);
  const window = fullWindow * (1 - Math.random() * WINDOW_JITTER);
  return { value, since, lifetime, window, fullWindow, refused: false };
}

function mandatoryWindow({ window }: { readonly window: number }): number {
  return Math.min(MANDATORY_WINDOW_MS, window);
}

function jittered(least: number, times: number): number {
  return least * (1 + Math.random() * (times - 1));
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
