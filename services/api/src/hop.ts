import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import type { Passed } from './incoming';
import { Problem } from './problem';

/** Connections to AUX at once; further requests wait for one, within their time. */
const MAX_CONNECTIONS = 256;
const CONNECT_WITHIN_MS = 2000;
/** An answer that has begun and stands still for so long is given up. */
const IDLE_MS = 15_000;
const ATTEMPTS = 2;
/** Long enough for a pod that was replaced to be out of the service's addresses. */
const BETWEEN_ATTEMPTS_MS = 200;

/** Methods that may be sent twice (RFC 9110, "Idempotent Methods"), as far as they also change nothing. */
const REPEATABLE = new Set(['GET', 'HEAD']);
/** Faults of a connection, before there was any answer. */
const CONNECTION_FAULTS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** Of AUX's answer, what the client gets to see. */
const PASSED_BACK = [
  'content-type',
  'content-length',
  'content-disposition',
  'etag',
  'cache-control',
  'allow',
  'retry-after',
] as const;

export interface Hop {
  /**
   * Asks AUX and hands its answer on to the client, to the end.
   *
   * @throws Problem (502, 503, 504) when there is no answer in time; after the response has begun, any error
   */
  pass: (
    passed: Passed,
    options: { body: Buffer | undefined; requestId: string; response: ServerResponse },
  ) => Promise<void>;
}

/** The way to AUX. */
export function hopTo(auxUrl: string, timeoutMs: number): Hop {
  const { origin } = new URL(auxUrl);
  const options = {
    connections: MAX_CONNECTIONS,
    connect: { timeout: CONNECT_WITHIN_MS },
    bodyTimeout: IDLE_MS,
    headersTimeout: 0,
  };
  const reused = new Pool(origin, { ...options, pipelining: 1 });
  // AUX may close an idle connection just as a request goes out; what can't be sent again goes on one of its own.
  const fresh = new Pool(origin, { ...options, pipelining: 0 });

  return {
    async pass({ method, target, headers }, { body, requestId, response }) {
      const repeatable = REPEATABLE.has(method);
      const request: Dispatcher.DispatchOptions = {
        method,
        path: target,
        headers: { ...headers, 'x-request-id': requestId },
        body: body ?? null,
      };
      const end = performance.now() + timeoutMs;
      for (let attempt = 1; ; attempt += 1) {
        try {
          await sent(repeatable ? reused : fresh, request, {
            requestId,
            response,
            ms: end - performance.now(),
          });
          return;
        } catch (error) {
          const again =
            repeatable &&
            attempt < ATTEMPTS &&
            isConnectionFault(error) &&
            !response.headersSent &&
            end - performance.now() > BETWEEN_ATTEMPTS_MS;
          if (!again) throw problemOf(error, timeoutMs);
          await sleep(BETWEEN_ATTEMPTS_MS);
        }
      }
    },
  };
}

/** One request, its answer written as it comes: a stream between them would cost the gateway a third of its speed. */
function sent(
  pool: Pool,
  request: Dispatcher.DispatchOptions,
  { requestId, response, ms }: { requestId: string; response: ServerResponse; ms: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let running: Dispatcher.DispatchController | undefined;
    let given: Error | undefined;
    const giveUp = (error: Error) => {
      given = error;
      running?.abort(error);
      reject(error);
    };
    const timer = setTimeout(() => {
      giveUp(new LateAnswer());
    }, ms);
    const gone = () => {
      giveUp(new Problem(499, 'The client has gone.'));
    };
    const done = () => {
      clearTimeout(timer);
      response.off('close', gone);
    };
    response.once('close', gone);
    pool.dispatch(request, {
      onRequestStart(controller) {
        running = controller;
        if (given) controller.abort(given);
      },
      onResponseStart(controller, status, headers) {
        if (status < 200) return;
        clearTimeout(timer);
        // AUX says whose answer this is: anything else is somebody else's.
        if (headers['x-request-id'] === requestId) response.writeHead(status, passedBack(headers, requestId));
        else giveUp(noUsableAnswer());
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return;
        controller.pause();
        response.once('drain', () => {
          controller.resume();
        });
      },
      onResponseEnd() {
        done();
        response.end(resolve);
      },
      onResponseError(_, error) {
        done();
        reject(error);
      },
    });
  });
}

function passedBack(headers: IncomingHttpHeaders, requestId: string): Record<string, string> {
  const passed: Record<string, string> = { 'x-content-type-options': 'nosniff', 'x-request-id': requestId };
  for (const name of PASSED_BACK) {
    const value = headers[name];
    if (typeof value === 'string') passed[name] = value;
  }
  return passed;
}

class LateAnswer extends Error {
  override readonly name = 'LateAnswer';
}

function isConnectionFault(error: unknown): boolean {
  return CONNECTION_FAULTS.has((error as NodeJS.ErrnoException).code ?? '');
}

function noUsableAnswer(cause?: unknown): Problem {
  return new Problem(502, 'AUX gave no usable answer; try again later.', { cause });
}

function problemOf(error: unknown, timeoutMs: number): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof LateAnswer)
    return new Problem(504, `AUX gave no answer within ${timeoutMs / 1000} s.`, { cause: error });
  if (isConnectionFault(error))
    return new Problem(503, 'AUX can not be reached at the moment; try again later.', { cause: error });
  return noUsableAnswer(error);
}
