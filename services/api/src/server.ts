import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Hop } from './hop';
import { bodyOf as requestBody, checkHost, passedOn } from './incoming';
import { openApi } from './openapi';
import { bodyOf, Problem } from './problem';

/** Each holds a body of MAX_BODY_BYTES at the most. */
const MAX_CONNECTIONS = 1000;
const MAX_HEADER_BYTES = 16 * 1024;
/** For a whole request to come in, body and all. */
const REQUEST_WITHIN_MS = 10_000;
/** A connection on which nothing moves, in either direction; longer than AUX may take. */
const IDLE_MS = 70_000;
/** Longer than load balancers keep an idle connection (60 s), so that it is never the gateway that closes one under a request. */
const KEEP_ALIVE_MS = 65_000;

interface Options {
  hop: Hop;
  /** Names that the gateway is called by. */
  hosts: ReadonlySet<string>;
  log: Logger;
}

/** The gateway's HTTP server, not yet listening. */
export function createGateway({ hop, hosts, log }: Options): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: REQUEST_WITHIN_MS,
      headersTimeout: REQUEST_WITHIN_MS,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => void handle(request, response),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_MS;
  server.on('clientError', refuse);
  const document = Buffer.from(JSON.stringify(openApi()));
  return server;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const requestId = randomUUID();
    begun.set(request.socket, response);
    let failed: unknown;
    try {
      await reply(request, response, requestId);
    } catch (error) {
      failed = error;
      sendProblem(response, error, requestId);
    }
    const path = request.url?.split('?', 1)[0] ?? '';
    const line = {
      requestId,
      method: request.method,
      path: path.slice(0, 200),
      status: response.statusCode,
      ms: Math.round(performance.now() - started),
      ...(failed !== undefined && { error: loggable(failed) }),
    };
    // Probes come every few seconds and say nothing as long as they go well.
    if (response.statusCode >= 500) log.error(line, 'request');
    else if (path === '/health' || path === '/ready') log.debug(line, 'request');
    else log.info(line, 'request');
  }

  async function reply(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    // The kubelet asks by the pod's address.
    if (request.method === 'GET' && (request.url === '/health' || request.url === '/ready')) {
      sendJson(response, 200, ALIVE, requestId);
      return;
    }
    checkHost(request, hosts);
    if (request.method === 'GET' && request.url === '/openapi.json') {
      sendJson(response, 200, document, requestId);
      return;
    }
    const passed = passedOn(request);
    const body = await requestBody(request);
    await hop.pass(passed, { body, requestId, response });
  }
}

const ALIVE = Buffer.from('{"alive":true}');

/** The latest response of each connection. */
const begun = new WeakMap<Duplex, ServerResponse>();

/** What node's parser refuses: there is no request to answer, so the answer is written by hand. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  const response = begun.get(socket);
  // In the middle of an answer another one can't begin.
  if (!socket.writable || (response?.headersSent && !response.writableFinished)) {
    socket.destroy();
    return;
  }
  const requestId = randomUUID();
  const problem = REFUSALS[error.code ?? ''] ?? new Problem(400, 'This is no well-formed HTTP request.');
  const body = JSON.stringify(bodyOf(problem, requestId));
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${bodyOf(problem, requestId).title}`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

const REFUSALS: Readonly<Record<string, Problem | undefined>> = {
  HPE_HEADER_OVERFLOW: new Problem(431, `Headers may have ${MAX_HEADER_BYTES} bytes together.`),
  ERR_HTTP_REQUEST_TIMEOUT: new Problem(
    408,
    `A request must come in whole within ${REQUEST_WITHIN_MS / 1000} s.`,
  ),
};

function sendProblem(response: ServerResponse, error: unknown, requestId: string): void {
  // What has begun can only be cut off, so that nobody takes a part for the whole.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const problem = error instanceof Problem ? error : new Problem(500, 'A fault of the gateway itself.');
  // The rest of the body isn't read.
  if (problem.status === 413) response.shouldKeepAlive = false;
  if (problem.status === 503) response.setHeader('retry-after', '5');
  response.setHeader('content-type', 'application/problem+json');
  sendJson(response, problem.status, Buffer.from(JSON.stringify(bodyOf(problem, requestId))), requestId);
}

function sendJson(response: ServerResponse, status: number, body: Buffer, requestId: string): void {
  if (!response.hasHeader('content-type')) response.setHeader('content-type', 'application/json');
  response
    .writeHead(status, {
      'content-length': body.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    })
    .end(body);
}

function loggable(error: unknown): Record<string, unknown> {
  const { detail, cause = error } = error as Problem;
  const { name, code, message } = cause as NodeJS.ErrnoException;
  return { detail, name, code, ...(!(cause instanceof Problem) && { message }) };
}
