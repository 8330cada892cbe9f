import type { Server, ServerResponse } from 'node:http';
import type { Logger } from 'pino';

/** How long connections are still taken after the signal, so that clients hear "connection: close" on theirs. */
const DRAIN_MS = 1000;
/** How long requests in flight may take. With DRAIN_MS it stays under the pod's terminationGracePeriodSeconds. */
const GRACE_MS = 20_000;

/** On SIGTERM or SIGINT: answers what is in flight or still comes on open connections, then ends the process. */
export function stopOnSignal(server: Server, log: Logger): void {
  const inFlight = new Set<ServerResponse>();
  let stopping = false;
  server.prependListener('request', (_, response: ServerResponse) => {
    if (stopping) response.shouldKeepAlive = false;
    inFlight.add(response);
    response.once('close', () => inFlight.delete(response));
  });

  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal, inFlight: inFlight.size }, 'stopping');
    for (const response of inFlight) response.shouldKeepAlive = false;
    setTimeout(() => {
      server.close(() => {
        log.info('stopped');
        process.exit(0);
      });
    }, DRAIN_MS);
    setTimeout(() => {
      log.warn({ inFlight: inFlight.size }, 'requests cut off');
      server.closeAllConnections();
    }, DRAIN_MS + GRACE_MS);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
}
