/** Runs one task a key at a time; whoever comes meanwhile shares its result. */
export interface SingleFlight<T> {
  readonly run: (key: string, task: () => Promise<T>) => Promise<T>;
}

export function singleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Promise<T>>();
  return {
    run(key, task) {
      const running = flights.get(key);
      if (running) return running;
      const flight = task().finally(() => flights.delete(key));
      flights.set(key, flight);
      return flight;
    },
  };
}
