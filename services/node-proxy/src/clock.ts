import { uptime } from 'node:os';

/** Two clocks, in milliseconds. People set the wall's; the other one only goes forward. */
export interface Clock {
  /** Since 1970. */
  readonly wall: () => number;
  /** Since the machine was started. */
  readonly monotonic: () => number;
}

/** The kernel's count costs a file's reading. */
const LOOKED_AT_EVERY_MS = 1000;

/** Node's own monotonic clock stands still while the machine sleeps, and credentials don't: that time is added. */
export function machineClock(): Clock {
  let asleep = -Infinity;
  let lookedAt = -Infinity;
  const monotonic = () => {
    const now = performance.now();
    if (now - lookedAt >= LOOKED_AT_EVERY_MS) {
      asleep = Math.max(asleep, uptime() * 1000 - now);
      lookedAt = now;
    }
    return now + asleep;
  };
  return { wall: Date.now, monotonic };
}
