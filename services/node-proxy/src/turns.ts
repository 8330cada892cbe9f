/** Runs so many tasks at once; the others wait for their turn, in the order in which they came. */
export interface Turns {
  /** @returns undefined when the task had no turn in time, and so was not begun */
  readonly run: <T>(task: () => Promise<T>) => Promise<T | undefined>;
}

/** @param withinMs how long a task waits for its turn, in milliseconds */
export function turns(most: number, withinMs: number): Turns {
  const waiting = new Set<() => void>();
  let free = most;
  return {
    async run(task) {
      if (free > 0) free -= 1;
      else if (!(await turn())) return undefined;
      try {
        return await task();
      } finally {
        over();
      }
    },
  };

  function turn(): Promise<boolean> {
    return new Promise((resolve) => {
      const begin = () => {
        clearTimeout(late);
        resolve(true);
      };
      const late = setTimeout(() => {
        waiting.delete(begin);
        resolve(false);
      }, withinMs).unref();
      waiting.add(begin);
    });
  }

  function over(): void {
    const [next] = waiting;
    if (!next) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  }
}
