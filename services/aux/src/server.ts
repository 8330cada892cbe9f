import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Aws, StoredObject } from './aws';
import { openApi } from './openapi';
import { OPERATIONS } from './operations';
import { bodyOf, loggable, Problem, problemOf } from './problem';

/** Shorter than the gateway's, so that it is AUX that says what took so long. */
const DEADLINE_MS = 8000;
/** A probe gets its answer sooner: see the manifest's timeoutSeconds. */
const READY_WITHIN_MS = 4000;
/** Longer than the gateway keeps an idle connection, so that it is never AUX that closes one under a request. */
const KEEP_ALIVE_MS = 65_000;
/** Names and keys are in the query; nothing else is long. */
const MAX_HEADER_BYTES = 16 * 1024;
/** For a whole request to come in; none has a body. */
const REQUEST_WITHIN_MS = 10_000;

const REQUEST_ID = /^[\w-]{8,64}$/;

interface Options {
  aws: Aws;
  /** The role that `aws` takes on. */
  role: string;
  log: Logger;
}

/** AUX's HTTP server, not yet listening. */
export function createAux({ aws, role, log }: Options): Server {
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
  const document = openApi();
  const own = new Map<string, () => unknown>([
    ['/health', () => ({ alive: true })],
    ['/ready', readiness],
    ['/v1/openapi.json', () => document],
  ]);
  return server;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const requestId = requestIdOf(request);
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const answer = { requestId, response };
    let failed: unknown;
    try {
      if (request.method !== 'GET') throw new Problem(405, 'AUX answers to GET alone.');
      await reply(path, query, answer);
    } catch (error) {
      failed = error;
      sendProblem(answer, problemOf(error));
    }
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

  async function reply(path: string, query: string, answer: Answer): Promise<void> {
    const about = own.get(path);
    if (about) {
      sendJson(answer, await about());
      return;
    }
    const operation = Object.hasOwn(OPERATIONS, path) ? OPERATIONS[path] : undefined;
    if (!operation) throw new Problem(404, 'There is nothing here; /v1/openapi.json says what there is.');
    const parameters = parametersOf(query, operation.query);
    const found = await withDeadline(DEADLINE_MS, answer.response, (signal) =>
      operation.run(parameters, aws, signal),
    );
    if (operation.answer === 'bytes') await sendObject(answer, found as StoredObject);
    else sendJson(answer, found);
  }

  async function readiness(): Promise<{ role: string }> {
    try {
      await withDeadline(READY_WITHIN_MS, undefined, () => aws.takeOnRole());
      return { role };
    } catch (error) {
      throw error instanceof Problem ? error : new Problem(503, (error as Error).message);
    }
  }
}

interface Answer {
  requestId: string;
  response: ServerResponse;
}

/** The gateway's, where it looks like one. */
function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

function parametersOf(query: string, schema: z.ZodObject): unknown {
  const parameters = new URLSearchParams(query);
  const names = [...parameters.keys()];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Problem(400, 'A parameter of the query is there twice.');
  const read = schema.safeParse(Object.fromEntries(parameters));
  if (read.success) return read.data;
  throw new Problem(400, `The query is wrong: ${z.prettifyError(read.error).replaceAll(/\s*\n\s*/g, ' ')}`);
}

/** Gives up after `ms`, or as soon as the client has gone; work that does not listen goes on unheard. */
async function withDeadline<T>(
  ms: number,
  client: ServerResponse | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = (problem: Problem) => () => {
    controller.abort(problem);
  };
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => {
      reject(controller.signal.reason as Problem);
    });
  });
  const timer = setTimeout(abort(new Problem(504, `AWS gave no answer within ${ms / 1000} s.`)), ms);
  const gone = abort(new Problem(499, 'The client has gone.'));
  client?.once('close', gone);
  try {
    return await Promise.race([work(controller.signal), aborted]);
  } finally {
    clearTimeout(timer);
    client?.off('close', gone);
  }
}

function sendJson(answer: Answer, body: unknown): void {
  send(answer, 200, 'application/json', body);
}

function sendProblem(answer: Answer, problem: Problem): void {
  const { response, requestId } = answer;
  // What has begun can only be cut off, so that nobody takes a part for the whole.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (problem.status === 405) response.setHeader('allow', 'GET');
  if (problem.status === 503) response.setHeader('retry-after', '5');
  send(answer, problem.status, 'application/problem+json', bodyOf(problem, requestId));
}

function send({ response, requestId }: Answer, status: number, contentType: string, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response
    .writeHead(status, {
      'content-type': contentType,
      'content-length': bytes.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    })
    .end(bytes);
}

/** As a download: what somebody stored must not run as a page of this host. */
async function sendObject({ response, requestId }: Answer, stored: StoredObject): Promise<void> {
  const { body, contentType, contentLength, etag } = stored;
  response.writeHead(200, {
    'content-type': contentType,
    ...(contentLength !== undefined && { 'content-length': contentLength }),
    ...(etag !== undefined && { etag }),
    'content-disposition': 'attachment',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
  });
  await pipeline(body, response);
}
