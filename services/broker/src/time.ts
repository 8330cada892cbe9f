/** AWS's clocks and this one differ by less. */
const SKEW_MS = 1000;

/**
 * The moment before which what was issued is revoked. STS counts in whole seconds, so it is a whole second, and so late
 * that nothing issued until now is left out, whatever the clocks.
 */
export function cutoffAfter(now: number): number {
  return Math.ceil(now / 1000) * 1000 + SKEW_MS;
}

/** From when on STS can be asked, so that no cutoff until then hits what it issues, whatever the clocks. */
export const hitByNone = (cutoff: number) => cutoff + SKEW_MS;

/** The earliest moment on STS's clock at which it can have issued what it was asked for at a moment of this clock. */
export const issuedAtEarliest = (asked: number) => asked - SKEW_MS;

/** As a condition of IAM has it. */
export function isoSeconds(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * What a promise becomes, unless that takes too long; then it goes on by itself.
 *
 * @returns undefined when so many milliseconds have passed before
 */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
