import { Counter, Histogram, Registry } from 'prom-client';
import { COUNTERS, type Counter as CounterName, type Metrics } from './metrics';

/** Counts for Prometheus, as `slipway_broker_issued_total` and so on. @returns also what /metrics shows */
export function prometheusMetrics(): Metrics & { shown: () => Promise<string>; contentType: string } {
  const registry = new Registry();
  const counters = new Map(
    (Object.keys(COUNTERS) as CounterName[]).map((name) => [
      name,
      new Counter({
        name: `slipway_broker_${snake(name)}_total`,
        help: COUNTERS[name],
        registers: [registry],
      }),
    ]),
  );
  const latency = new Histogram({
    name: 'slipway_broker_latency_seconds',
    help: 'How long an answer took',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return {
    count(name) {
      counters.get(name)?.inc();
    },
    took(milliseconds) {
      latency.observe(milliseconds / 1000);
    },
    shown: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

const snake = (name: string) => name.replaceAll(/(?<!^)[A-Z]/g, '_$&').toLowerCase();
