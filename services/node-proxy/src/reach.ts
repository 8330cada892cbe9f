/** How long an API that is away is left alone, at most doubled by jitter. */
const LEFT_ALONE_MS = 5000;

/** Whether the API can be reached, as far as is known: a circuit breaker. */
export interface Reach {
  /** Whether clients that could be served without it should wait for its answer. */
  readonly good: () => boolean;
  /** Whether it may be asked on behalf of credentials that are still valid. While it is away one question in 5 to 10 s tries it. */
  readonly mayAsk: () => boolean;
  /** It has answered in good time. */
  readonly answered: () => void;
  /** It has not answered, or too late. */
  readonly silent: () => void;
}

export function reach(monotonic: () => number): Reach {
  let nextTry: number | undefined;

  function silent(): void {
    nextTry = monotonic() + LEFT_ALONE_MS * (1 + Math.random());
  }

  return {
    good: () => nextTry === undefined,
    mayAsk() {
      if (nextTry === undefined) return true;
      if (monotonic() < nextTry) return false;
      silent();
      return true;
    },
    answered() {
      nextTry = undefined;
    },
    silent,
  };
}
