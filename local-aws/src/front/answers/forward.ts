import { request, type Agent, type IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { ACCOUNT_HEADER } from '../authorization/moto-clients';

export interface ForwardOptions {
  readonly connections: Agent;
  /** Whose things the request is about. */
  readonly account: string;
  /** @default - the client's own */
  readonly body: Buffer | { readonly stream: Readable; readonly check: Transform | undefined };
  /** In place of the client's. @default - unchanged */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Sends a request on to moto as it came, and returns its answer as soon as that begins.
 *
 * @throws Refusal when the body turns out not to be the one that was signed; any other error when moto fails
 */
export function forward(incoming: IncomingMessage, options: ForwardOptions): Promise<IncomingMessage> {
  const { connections, account, body, headers = {} } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      agent: connections,
      method: incoming.method,
      path: incoming.url,
      headers: { ...passedOn(incoming), ...headers, [ACCOUNT_HEADER]: account },
    });
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    if (Buffer.isBuffer(body)) {
      outgoing.end(body);
      return;
    }
    const { stream, check } = body;
    if (check === undefined) stream.pipe(outgoing);
    else {
      stream.pipe(check).pipe(outgoing);
      // The connection to the client stays, for him to be told; the rest of what he sends is thrown away.
      check.once('error', (error) => {
        stream.unpipe(check);
        stream.resume();
        outgoing.destroy();
        reject(error);
      });
    }
    // A client that goes away takes its request with it: moto must not take half a body for a whole one.
    incoming.once('aborted', () => outgoing.destroy(new Error('the client hung up')));
  });
}

/** An answer of moto's web server, and of no service. */
export const isMotosFailure = ({ statusCode, headers }: IncomingMessage): boolean =>
  statusCode === 500 && (headers['content-type'] ?? '').startsWith('text/html');

/** All headers as they were sent, but the one that only this front may set. */
function passedOn({ rawHeaders }: IncomingMessage): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const lower = name.toLowerCase();
    if (lower === ACCOUNT_HEADER || HOP_BY_HOP.has(lower)) continue;
    const value = rawHeaders[at + 1] ?? '';
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : [earlier, value].flat();
  }
  return headers;
}

/** They are about one connection, and this is another (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set(['connection', 'expect', 'keep-alive', 'proxy-connection', 'te', 'upgrade']);

/** The whole of an answer, for the few that are read here. */
export async function wholeAnswer(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
