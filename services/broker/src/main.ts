import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { createBroker } from './broker';
import { stopOnSignal } from './graceful-stop';
import { prometheusMetrics } from './prometheus';
import { readSettings, SettingsError, type Settings } from './settings';

/** How often revocations that have expired are removed. On Lambda, EventBridge says when. */
const SWEEP_MS = 3_600_000;

/** Longer than what stands in front keeps an idle connection, so that it is never the broker that closes one under a request. */
const KEEP_ALIVE_MS = 65_000;
/** Connections that may wait to be taken: a cluster's jobs start at once. The kernel has a limit of its own. */
const BACKLOG = 4096;

// The SDK's versions are pinned; its notice of the end of Node 20's support tells an operator nothing.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

try {
  start(readSettings(process.env));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function start(settings: Settings): void {
  if (settings.HEAD_NODE_AUTH === 'iam')
    throw new SettingsError(
      "The broker can't start: HEAD_NODE_AUTH=iam needs API Gateway, which verifies signatures; here use a secret.",
    );
  const metrics = prometheusMetrics();
  const broker = createBroker(settings, metrics, async () => ({
    text: await metrics.shown(),
    contentType: metrics.contentType,
  }));
  const { app, log } = broker;
  const server = createAdaptorServer({
    fetch: (request, env) =>
      app.fetch(request, { source: (env as HttpBindings).incoming.socket.remoteAddress ?? 'unknown' }),
    serverOptions: {
      maxHeaderSize: 16 * 1024,
      requestTimeout: 10_000,
      headersTimeout: 10_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
  }) as Server;
  stopOnSignal(server, log);
  server.once('error', (error: NodeJS.ErrnoException) => {
    console.error(
      `The broker can't listen on ${settings.HOST}:${settings.PORT} (${error.code ?? error.message}).`,
    );
    process.exit(1);
  });
  server.listen({ host: settings.HOST, port: settings.PORT, backlog: BACKLOG }, () => {
    log.info({ port: (server.address() as AddressInfo).port }, 'listening');
  });
  setInterval(() => {
    broker.sweep().catch((error: unknown) => {
      log.error({ error: (error as Error).name }, 'expired revocations stay until the next time');
    });
  }, SWEEP_MS).unref();
}
