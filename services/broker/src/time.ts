/** AWS's clocks and this one differ by less. */
const SKEW_MS = 1000;

/**
 * The moment before which what was issued is revoked. STS counts in whole seconds, so it is a whole second, and so late
 * that nothing issued until now is left out, whatever the clocks.
 */
export function cutoffAfter(now: number): number {
  return Math.ceil(now / 1000) * 1000 + SKEW_MS;
}

/** As a condition of IAM has it. */
export function isoSeconds(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
