import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Ask } from './upstream';

export interface Metrics {
  readonly registry: Registry;
  /** Counts an answer to a client. */
  readonly answered: (status: number) => void;
  /** The same way to the API, measured. */
  readonly measured: (ask: Ask) => Ask;
  /** Shows the cache's size, and whether the API answers. */
  readonly watch: (state: { size: () => number; reachable: () => boolean }) => void;
}

/** Prometheus metrics: counts and times alone, nothing of a session. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  /** Counted by hand, as the Counter's own way costs a microsecond. */
  const answers = new Map<number, number>();
  new Counter({
    name: 'slipway_proxy_requests_total',
    help: 'Answers to clients, by status.',
    labelNames: ['status'],
    registers,
    collect() {
      this.reset();
      for (const [status, count] of answers) this.inc({ status }, count);
    },
  });
  const questions = new Histogram({
    name: 'slipway_proxy_api_seconds',
    help: 'Questions to the credentials API, by what came of them: granted, refused, failed.',
    labelNames: ['outcome'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });

  return {
    registry,
    answered(status) {
      answers.set(status, (answers.get(status) ?? 0) + 1);
    },
    measured: (ask) => async (question, purpose) => {
      const end = questions.startTimer();
      const outcome = await ask(question, purpose);
      end({ outcome: outcome.kind });
      return outcome;
    },
    watch({ size, reachable }) {
      new Gauge({
        name: 'slipway_proxy_cached_sessions',
        help: 'Sessions in the cache.',
        registers,
        collect() {
          this.set(size());
        },
      });
      new Gauge({
        name: 'slipway_proxy_api_reachable',
        help: '1 as long as the credentials API answers in time.',
        registers,
        collect() {
          this.set(Number(reachable()));
        },
      });
    },
  };
}
