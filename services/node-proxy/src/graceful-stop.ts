import type { Server, ServerResponse } from 'node:http';
import type { Logger } from 'pino';

/** How long requests in flight may take; the API's answer may be on its way. */
const GRACE_MS = 5000;
const LOOK_EVERY_MS = 50;

/**
 * On SIGTERM or SIGINT: takes no more connections, answers what is in flight, then ends the process. A socket
 * that systemd holds goes on taking them, for the next process.
 */
export function stopOnSignal(servers: readonly Server[], log: Logger): void {
  let open = servers.length;
  let stopping = false;

  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    for (const server of servers) stopOne(server);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);

  function stopOne(server: Server): void {
    server.prependListener('request', (_, response: ServerResponse) => {
      response.shouldKeepAlive = false;
    });
    server.close(() => {
      open -= 1;
      if (open > 0) return;
      log.info('stopped');
      process.exit(0);
    });
    // A connection falls idle when its answer is out.
    setInterval(() => {
      server.closeIdleConnections();
    }, LOOK_EVERY_MS);
    setTimeout(() => {
      log.warn('requests cut off');
      server.closeAllConnections();
    }, GRACE_MS);
  }
}
