import type { Server } from 'node:http';
import pino from 'pino';
import { listen } from '../src/listen';
import { proxy } from '../src/proxy';
import { readSettings } from '../src/settings';

export interface LocalProxy {
  readonly url: string;
  readonly port: number;
  readonly servers: readonly Server[];
  /** What it has logged, a line each. */
  readonly logged: string[];
  /** Lets time pass on the monotonic clock alone. */
  pass: (ms: number) => void;
  /** Sets the wall's clock off by so much, as an operator or NTP does. */
  setWall: (ms: number) => void;
  get: (path?: string, token?: string, init?: RequestInit) => Promise<Reply>;
  stop: () => Promise<void>;
}

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
  readonly ms: number;
}

export const TOKEN = 'token-of-the-job';
export const PATH = '/dev/sessions/1300/cluster/alpha/project/abc?roleSessionName=alpha-user1-node7';

/** The proxy in this process, on a free port, with clocks that a test can set. */
export async function startProxy(
  api: { host: string; ca: string },
  flags: readonly string[] = [],
): Promise<LocalProxy> {
  const settings = readSettings(['--hostname', api.host, '--port=0', ...flags], {});
  if (!settings) throw new Error('help was asked for');
  const logged: string[] = [];
  const hosts = new Set<string>();
  let passed = 0;
  let off = 0;
  const { newServer, close } = proxy({
    settings,
    ca: api.ca,
    hosts,
    clock: { wall: () => Date.now() + off, monotonic: () => performance.now() + passed },
    log: pino({ level: settings.log_level }, { write: (line) => logged.push(line) }),
  });
  const { servers, port } = await listen(newServer, hosts, settings, {});
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    servers,
    logged,
    pass: (ms) => (passed += ms),
    setWall: (ms) => (off = ms),
    async get(path = PATH, token = TOKEN, init = {}) {
      const started = performance.now();
      const headers: Record<string, string> = token === '' ? {} : { authorization: token };
      const signal = AbortSignal.timeout(15_000);
      const response = await fetch(url + path, { redirect: 'manual', ...init, headers, signal });
      const text = await response.text();
      const body = (text.startsWith('{') ? JSON.parse(text) : { text }) as Record<string, unknown>;
      return { status: response.status, body, headers: response.headers, ms: performance.now() - started };
    },
    async stop() {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
      await close();
    },
  };
}
