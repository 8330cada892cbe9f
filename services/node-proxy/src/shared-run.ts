/**
 * Runs a task for all who ask for it until it begins, and one at a time: who asks meanwhile gets the next run's
 * result, which is newer than the question.
 */
export function sharedRun<T>(task: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;

  const begin = () => {
    next = undefined;
    const run = task();
    running = run.catch(() => undefined);
    return run;
  };
  return () => (next ??= running.then(begin));
}
