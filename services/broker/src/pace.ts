import { setTimeout as sleep } from 'node:timers/promises';
import { busy } from './problem';

/**
 * Lets work start at no more than so many a second, in turn.
 *
 * @param perSecond starts a second
 * @param longestWaitMs of one in the queue
 * @returns a function that resolves when it is the caller's turn @throws Refusal when that would take too long
 */
export function pace(perSecond: number, longestWaitMs: number): () => Promise<void> {
  let next = 0;
  return async () => {
    const now = performance.now();
    const turn = Math.max(now, next);
    if (turn - now > longestWaitMs) throw busy();
    next = turn + 1000 / perSecond;
    if (turn > now) await sleep(turn - now);
  };
}
