/** From here on the refresh runs behind the caller's back. The SDK's clients ask again from 5 minutes too. */
const REFRESH_BEFORE_EXPIRY_MS = 5 * 60_000;

/** With less than this left a request could arrive at AWS too late, so callers wait for the refresh. */
const WAIT_BEFORE_EXPIRY_MS = 60_000;

/**
 * The least time from one refresh behind a caller's back to the next: a few tries fit in the 4 minutes there
 * are, and an STS in trouble isn't hammered. The jitter keeps many processes from coming at once.
 */
const NEXT_TRY_MS = 30_000;
const NEXT_TRY_JITTER_MS = 15_000;

interface Surroundings {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of each refresh that failed while the old credentials are still served. */
  readonly onFailedRefresh: (error: unknown, validUntil: Date) => void;
}

/**
 * Caches what `fetch` gives and renews it before it expires; never more than one `fetch` at a time.
 * `force` fetches even though the cached credentials are valid; the SDK passes it on as `forceRefresh`.
 *
 * @throws what `fetch` throws, only when there are no credentials with more than 1 minute left, or on `force`
 * @see Credential Refresh Behavior, as AWS has it for all its SDKs
 */
export function refreshing<T extends { readonly expiration: Date }>(
  fetch: () => Promise<T>,
  { now, onFailedRefresh }: Surroundings,
): (request?: { force?: boolean }) => Promise<T> {
  let current: T | undefined;
  let pending: Promise<T> | undefined;
  let nextTry = 0;

  async function renew(): Promise<T> {
    nextTry = now() + NEXT_TRY_MS + Math.random() * NEXT_TRY_JITTER_MS;
    try {
      current = await fetch();
      return current;
    } finally {
      pending = undefined;
    }
  }

  function renewOnce(): Promise<T> {
    pending ??= renew();
    return pending;
  }

  return async ({ force = false } = {}) => {
    if (force || !current) return renewOnce();
    const valid = current;
    const left = valid.expiration.getTime() - now();
    if (left <= WAIT_BEFORE_EXPIRY_MS) return renewOnce();
    if (left <= REFRESH_BEFORE_EXPIRY_MS && !pending && now() >= nextTry) {
      renewOnce().catch((error: unknown) => {
        onFailedRefresh(error, valid.expiration);
      });
    }
    return valid;
  };
}
