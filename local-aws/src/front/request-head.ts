import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal';

/** All of a request but its body. */
export interface RequestHead {
  readonly method: string;
  /** As it was sent: still encoded, without the query string. */
  readonly path: string;
  /** Decoded, in the order sent. */
  readonly query: readonly (readonly [string, string])[];
  /** By lower-case name; one that was sent several times is joined by commas, as it is signed. */
  readonly headers: Readonly<Partial<Record<string, string>>>;
  /** It came in by the door that counts as TLS. */
  readonly secure: boolean;
  readonly sourceIp: string;
}

/** @throws Refusal when the path or the query string can't be decoded */
export function requestHead(request: IncomingMessage, secure: boolean): RequestHead {
  const [path = '/', ...rest] = (request.url ?? '/').split('?');
  const headers = new Map<string, string[]>();
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = (request.rawHeaders[at] ?? '').toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), (request.rawHeaders[at + 1] ?? '').trim()]);
  }
  for (const name of ONCE)
    if ((headers.get(name)?.length ?? 0) > 1)
      throw new Refusal('malformed', `The header ${name} was sent more than once.`);
  decoded(path.replaceAll('+', '%2B'));
  return {
    method: request.method ?? 'GET',
    path,
    query: queryPairs(rest.join('?')),
    headers: Object.fromEntries([...headers].map(([name, values]) => [name, values.join(',')])),
    secure,
    sourceIp: (request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
  };
}

/** Two of these would let this front and what stands behind it read two different requests. */
const ONCE = [
  'authorization',
  'host',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-target',
  'x-amz-copy-source',
  'content-type',
  'content-length',
];

/** Unlike URLSearchParams, which never fails, it refuses what can't be decoded. A `+` is a blank, for moto as well. */
function queryPairs(query: string): [string, string][] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [decoded(pair), ''] : [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))];
    });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new Refusal('malformed', `The URL can't be decoded: ${JSON.stringify(text.slice(0, 100))}`);
  }
}
