/** An answer is in good time if it comes within so many milliseconds: the JS SDK gives up after 1 s. */
export const IN_TIME_MS = 700;
/** How long an API that is away is left alone, at most doubled by jitter. */
const LEFT_ALONE_MS = 5000;

/**
 * What a question to the API is for: to `check` on a session that is in the cache, or to `fetch` one that is not.
 * Any local user can make the latter up, as many as he likes.
 */
export type Purpose = 'check' | 'fetch';

/** Whether the API can be reached, as far as is known: a circuit breaker, which only checks open and close. */
export interface Reach {
  /** Whether clients that could be served without it should wait for its answer. */
  readonly good: () => boolean;
  /** Whether it may be asked on behalf of credentials that are still valid. While it is away one question in 5 to 10 s tries it. */
  readonly mayAsk: () => boolean;
  /** Whether the latest question was answered in good time, whatever it was for. */
  readonly heard: () => boolean;
  /** It has answered in good time. */
  readonly answered: (purpose: Purpose) => void;
  /** It has not answered, or too late. */
  readonly silent: (purpose: Purpose) => void;
}

export function reach(monotonic: () => number): Reach {
  let nextTry: number | undefined;
  let heard = true;

  function leaveAlone(): void {
    nextTry = monotonic() + LEFT_ALONE_MS * (1 + Math.random());
  }

  return {
    good: () => nextTry === undefined,
    mayAsk() {
      if (nextTry === undefined) return true;
      if (monotonic() < nextTry) return false;
      leaveAlone();
      return true;
    },
    heard: () => heard,
    answered(purpose) {
      heard = true;
      if (purpose === 'check') nextTry = undefined;
    },
    silent(purpose) {
      heard = false;
      if (purpose === 'check') leaveAlone();
    },
  };
}
