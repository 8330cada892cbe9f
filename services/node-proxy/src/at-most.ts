import { tooManyAtOnce } from './refusal';

/** Runs a task, or refuses it. */
export type Bounded = <T>(task: () => Promise<T>) => Promise<T>;

/** Lets so many tasks run at once: further ones are not begun but reject with a Refusal. */
export function atMost(most: number): Bounded {
  let running = 0;
  return async (task) => {
    if (running >= most) throw tooManyAtOnce();
    running += 1;
    try {
      return await task();
    } finally {
      running -= 1;
    }
  };
}
