const DAY_MS = 86_400_000;

/** A key that is older than this many days is due (CIS AWS Foundations Benchmark, "access keys are rotated every 90 days"). */
export const DUE_AFTER_DAYS = 90;

/**
 * How long an old key must have been quiet before it may go, in milliseconds. A service takes its role on for an hour
 * (runtime, `durationSeconds`) and then comes back to STS with the key that it holds: whoever was quiet for twice as
 * long doesn't hold it any more.
 */
export const QUIET_MS = 2 * 3_600_000;

export function ageInDays(made: Date, now = new Date()): number {
  return Math.floor((now.getTime() - made.getTime()) / DAY_MS);
}

/** When a key that was last used then may go; undefined where that is now. */
export function busyUntil(lastUsed: Date | undefined, now = new Date()): Date | undefined {
  if (lastUsed === undefined) return undefined;
  const quiet = new Date(lastUsed.getTime() + QUIET_MS);
  return quiet > now ? quiet : undefined;
}

/** Such as `2026-11-24 20:52 UTC`. */
export function shownTime(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
