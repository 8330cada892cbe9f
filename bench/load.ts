import { connect } from 'node:net';

/** Connections that are kept, each with one request after the other. */
export const CONNECTIONS = 32;

export interface Target {
  /** Of 127.0.0.1. */
  port: number;
  /** As it goes over the wire: always the same, or by how many were sent before on how many-th connection. */
  request: string | ((sent: number, connection: number) => string);
}

export interface Load {
  perSecond: number;
  /** How long each answer took, in milliseconds. */
  times: number[];
}

/** @throws on any answer but a 200 with its length */
export async function load({ port, request }: Target, requests: number): Promise<Load> {
  const times: number[] = [];
  const started = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, index) =>
      connection(port, times, (sent) => {
        if (times.length + CONNECTIONS > requests) return undefined;
        return typeof request === 'string' ? request : request(sent, index);
      }),
    ),
  );
  return { perSecond: times.length / ((performance.now() - started) / 1000), times };
}

/**
 * Written and read by hand: the load must cost less than what it measures. The first time holds connecting, too.
 *
 * @param next what to send, given how many were sent; undefined ends it
 */
export function connection(
  port: number,
  times: number[],
  next: (sent: number) => string | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let since = performance.now();
    const socket = connect(port, '127.0.0.1');
    let sent = 0;
    let received = '';
    const send = () => {
      const request = next(sent);
      if (request === undefined) {
        resolve();
        socket.destroy();
        return;
      }
      if (sent > 0) since = performance.now();
      sent += 1;
      socket.write(request);
    };
    socket.setNoDelay(true);
    socket.once('connect', send);
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error('A connection was closed under load.'));
    });
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const head = received.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1]);
      if (head < 0 || received.length < head + 4 + length) return;
      if (!received.startsWith('HTTP/1.1 200')) reject(new Error(received.slice(0, head)));
      received = '';
      times.push(performance.now() - since);
      send();
    });
  });
}
