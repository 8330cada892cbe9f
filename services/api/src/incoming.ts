import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Problem } from './problem';

/** AUX's requests are short; with MAX_CONNECTIONS of the server this bounds the memory that bodies take to 64 MiB. */
export const MAX_BODY_BYTES = 64 * 1024;
const MAX_TARGET_LENGTH = 4096;

/** What stands under /v1 is public. No percent, no empty segment and none that begins with a dot: nothing to decode, nothing to climb. */
const PATH = /^\/v1(?:\/[\w~-][\w.~-]*)+$/;
/** RFC 3986; passed on as it came. */
const QUERY = /^[\w\-.~!$'()*,;:@/?&=+%]*$/;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
/** All that AUX gets to see. Anything else stays here: hop-by-hop headers, cookies, who the client says it is. */
const PASSED_ON = ['accept', 'content-type', 'if-none-match', 'traceparent', 'tracestate'] as const;

/** What is passed on to AUX. */
export interface Passed {
  method: string;
  /** Path and query. */
  target: string;
  headers: Record<string, string>;
}

/** @throws Problem when the request must not go further */
export function passedOn({ method = '', url = '', headers }: IncomingMessage): Passed {
  if (!METHODS.has(method))
    throw new Problem(405, `This gateway answers to ${[...METHODS].join(', ')} alone.`);
  if (url.length > MAX_TARGET_LENGTH)
    throw new Problem(414, `Path and query may have ${MAX_TARGET_LENGTH} characters together.`);
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  if (!PATH.test(path))
    throw new Problem(404, 'There is nothing here; /openapi.json and /v1/openapi.json say what there is.');
  if (mark >= 0 && !QUERY.test(url.slice(mark + 1)))
    throw new Problem(400, 'The query holds characters that must be percent-encoded.');
  return { method, target: url, headers: headersPassedOn(headers) };
}

function headersPassedOn(headers: IncomingHttpHeaders): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = headers[name];
    if (typeof value === 'string') passed[name] = value;
  }
  return passed;
}

/** Refuses a request for somebody else's name, as DNS rebinding and poisoned caches make them. @throws Problem */
export function checkHost({ headers }: IncomingMessage, hosts: ReadonlySet<string>): void {
  const name = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (!hosts.has(name)) throw new Problem(421, 'This gateway is not called by that name (API_HOSTS).');
}

/**
 * The whole body, before AUX hears of the request: one that is too long or never ends costs AUX nothing.
 *
 * @throws Problem when it is over the limit, or breaks off
 */
export async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const { 'content-length': length, 'transfer-encoding': chunked } = request.headers;
  if (length === undefined && chunked === undefined) return undefined;
  if (Number(length) > MAX_BODY_BYTES) throw tooLong();
  const parts: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > MAX_BODY_BYTES) reject(tooLong());
      else parts.push(part);
    });
    request.once('end', () => {
      resolve(Buffer.concat(parts));
    });
    request.once('error', (error) => {
      reject(new Problem(400, 'The body broke off.', { cause: error }));
    });
  });
}

function tooLong(): Problem {
  return new Problem(413, `A body may have ${MAX_BODY_BYTES} bytes.`);
}
