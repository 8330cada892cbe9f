import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { keepRoom } from './connections';
import { MAX_CONNECTIONS, MAX_WAITING } from './limits';
import type { Metrics } from './metrics';
import type { LocalAnswer } from './owners';
import { badRequest, notGet, proxyFault, Refusal, refusalBody, tooManyAtOnce } from './refusal';
import { asked, checkCaller, type Rules } from './request';

/** Path, query and token are all that a request has to hold. */
const MAX_HEADER_BYTES = 16 * 1024;
/** For a whole request to come in; none has a body. */
const REQUEST_WITHIN_MS = 5000;
const KEEP_ALIVE_MS = 30_000;
/** For a refusal to arrive, before the connection goes whether or not the client closes its side. */
const LINGER_MS = 500;

interface Options {
  readonly rules: Rules;
  readonly answer: LocalAnswer;
  /** Whether the API answers, as far as is known. */
  readonly reachable: () => boolean;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** The proxy's HTTP server, not yet listening. */
export function createProxy({ rules, answer, reachable, metrics, log }: Options): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: REQUEST_WITHIN_MS,
      headersTimeout: REQUEST_WITHIN_MS,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    handle,
  );
  /** Connections with a request that is not answered yet. */
  const waiting = new Set<Duplex>();
  /** Those whose last answer is out. */
  const closing = new WeakSet<Duplex>();
  keepRoom(server, MAX_CONNECTIONS, waiting);
  server.on('clientError', refuse);
  return server;

  function handle(request: IncomingMessage, response: ServerResponse): void {
    try {
      checkCaller(request, rules.hosts);
      const own = request.url === '/health' || request.url === '/metrics';
      const body = own ? aboutItself(request) : credentials(request);
      if (typeof body === 'string') send(response, 200, body);
      else void later(request, response, body);
    } catch (error) {
      fail(response, error);
    }
  }

  async function later(
    { socket }: IncomingMessage,
    response: ServerResponse,
    body: Promise<string>,
  ): Promise<void> {
    // No SDK sends a request before it has the last one's answer; what waits must not grow with a connection's rate.
    if (waiting.has(socket) || waiting.size >= MAX_WAITING) {
      body.catch(() => undefined);
      fail(response, tooManyAtOnce());
      return;
    }
    waiting.add(socket);
    try {
      send(response, 200, await body);
    } catch (error) {
      fail(response, error);
    } finally {
      waiting.delete(socket);
    }
  }

  function credentials(request: IncomingMessage): string | Promise<string> {
    return answer(asked(request, rules), request.socket);
  }

  function aboutItself({ method, url }: IncomingMessage): string | Promise<string> {
    if (method !== 'GET') throw notGet();
    return url === '/metrics'
      ? metrics.registry.metrics()
      : JSON.stringify({ alive: true, apiReachable: reachable() });
  }

  function fail(response: ServerResponse, error: unknown): void {
    const refusal = error instanceof Refusal ? error : proxyFault();
    if (refusal !== error) log.error({ error: (error as Error).name }, 'fault');
    // What is left of a body that nobody wants isn't read.
    if (refusal.status === 413) {
      response.shouldKeepAlive = false;
      if (response.socket) closing.add(response.socket);
    }
    if (refusal.retryAfter !== undefined) response.setHeader('retry-after', refusal.retryAfter);
    if (refusal.status === 405) response.setHeader('allow', 'GET');
    send(response, refusal.status, refusalBody(refusal));
  }

  /** Bodies are ASCII, which is written faster when Node is told so. */
  function send(response: ServerResponse, status: number, body: string): void {
    metrics.answered(status);
    response.writeHead(status, [
      'content-type',
      body.startsWith('{') ? 'application/json' : metrics.registry.contentType,
      'content-length',
      String(body.length),
      'cache-control',
      'no-store',
      'x-content-type-options',
      'nosniff',
    ]);
    response.end(body, 'latin1');
  }

  /** What node's parser refuses: there is no request to answer, so the answer is written by hand. */
  function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    // The last answer is on its way, and takes the connection with it.
    if (closing.has(socket)) return;
    // An answer that is still to come would stand behind this one.
    if (!socket.writable || waiting.has(socket)) {
      socket.destroy();
      return;
    }
    const refusal = REFUSALS[error.code ?? ''] ?? badRequest('This is no well-formed HTTP request.');
    metrics.answered(refusal.status);
    const body = refusalBody(refusal);
    const head = [
      `HTTP/1.1 ${refusal.status} Refused`,
      'content-type: application/json',
      `content-length: ${body.length}`,
      'connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }
}

const REFUSALS: Readonly<Record<string, Refusal | undefined>> = {
  HPE_HEADER_OVERFLOW: new Refusal(
    431,
    'HeadersTooLong',
    `Headers may have ${MAX_HEADER_BYTES} bytes together.`,
  ),
  ERR_HTTP_REQUEST_TIMEOUT: new Refusal(
    408,
    'RequestTimeout',
    `A request must come in whole within ${REQUEST_WITHIN_MS / 1000} s.`,
  ),
};
