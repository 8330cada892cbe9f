/** What is counted, and what each means. */
export const COUNTERS = {
  Requests: 'Requests answered',
  Issued: 'Credentials handed to jobs',
  Refusals: 'Requests refused: all answers from 400 to 499',
  Failures: 'Requests that failed: all answers from 500 on',
  StsCalls: 'Calls of AssumeRole',
  Revocations: 'Sessions and users revoked',
} as const;

export type Counter = keyof typeof COUNTERS;

/** Where counts go: CloudWatch's embedded metric format on Lambda, Prometheus on Node. */
export interface Metrics {
  count: (name: Counter) => void;
  /** How long an answer took. */
  took: (milliseconds: number) => void;
}

export const NAMESPACE = 'Slipway/Broker';

/**
 * Counts as a line of the log that CloudWatch reads as metrics (CloudWatch User Guide, "Embedded metric format
 * specification"), dimension `Broker`.
 *
 * @param broker the function's name
 * @param write gets each line, when it is flushed
 */
export function embeddedMetrics(
  broker: string,
  write: (line: string) => void,
): Metrics & { flush: () => void } {
  let counts = new Map<Counter, number>();
  let times: number[] = [];
  return {
    count(name) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    },
    took(milliseconds) {
      times.push(Math.round(milliseconds));
    },
    flush() {
      if (counts.size === 0 && times.length === 0) return;
      const Metrics = [
        ...[...counts.keys()].map((Name) => ({ Name, Unit: 'Count' })),
        ...(times.length > 0 ? [{ Name: 'Latency', Unit: 'Milliseconds' }] : []),
      ];
      write(
        JSON.stringify({
          _aws: {
            Timestamp: Date.now(),
            CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [['Broker']], Metrics }],
          },
          Broker: broker,
          ...Object.fromEntries(counts),
          ...(times.length > 0 && { Latency: times }),
        }),
      );
      counts = new Map();
      times = [];
    },
  };
}
