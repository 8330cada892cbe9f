import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { type Answers, cached, uncached } from './answers';
import type { Clock } from './clock';
import { createMetrics } from './metrics';
import { ownedBy } from './owners';
import { reach } from './reach';
import { createProxy } from './server';
import type { Settings } from './settings';
import { type Ask, upstream } from './upstream';

interface Options {
  readonly settings: Pick<
    Settings,
    'hostname' | 'stage' | 'cache_mode' | 'max_queue_size' | 'recheck_seconds' | 'bind_uid'
  >;
  /** Certificates as PEM. */
  readonly ca: string | undefined;
  /** `Host` headers under which the proxy is called. */
  readonly hosts: ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** All parts of the proxy, put together; servers made by `newServer` share them. */
export function proxy({ settings, ca, hosts, clock, log }: Options): {
  newServer: () => Server;
  close: () => Promise<void>;
} {
  const metrics = createMetrics();
  const {
    hostname: origin,
    stage,
    cache_mode,
    max_queue_size: capacity,
    recheck_seconds,
    bind_uid,
  } = settings;
  const api = reach(clock.monotonic);
  const way = upstream({ origin, ca, clock, reach: api });
  const ask = metrics.measured(logged(way.ask, log));
  const answers: Answers =
    cache_mode === 'none'
      ? uncached(ask)
      : cached({ ask, api, clock, capacity, recheckMs: recheck_seconds * 1000 });
  metrics.watch({ size: answers.size, reachable: api.heard });
  const answer = bind_uid ? ownedBy(answers.answer, capacity) : answers.answer;

  return {
    newServer: () => createProxy({ rules: { hosts, stage }, answer, reachable: api.heard, metrics, log }),
    close() {
      answers.stop();
      return way.close();
    },
  };
}

/** What came of each question, without the query and whatever is secret. */
function logged(ask: Ask, log: Logger): Ask {
  return async (question, purpose) => {
    const started = performance.now();
    const outcome = await ask(question, purpose);
    const path = question.target.split('?', 1)[0];
    const line = { path, outcome: outcome.kind, ms: Math.round(performance.now() - started) };
    if (outcome.kind === 'failed') log.warn({ ...line, reason: outcome.reason }, 'api');
    else log.info(line, 'api');
    return outcome;
  };
}
