/** The middle of a list of measurements; the upper one of two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The value below which a share of the measurements is. */
export function quantile(values: readonly number[], share: number): number {
  return (
    [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0
  );
}

/** To three places: finer than any measurement here. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
