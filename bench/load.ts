import { connect, type Socket } from 'node:net';

/** Connections that are kept, each with one request after the other. */
export const CONNECTIONS = 32;

export interface Load {
  perSecond: number;
  /** How long each answer took, in milliseconds. */
  times: number[];
}

/**
 * The same request again and again, written and read by hand: the load must cost less than what it measures.
 *
 * @param target port of 127.0.0.1, and the request as it goes over the wire
 * @throws on any answer but a 200 with its length
 */
export async function load(target: { port: number; request: string }, requests: number): Promise<Load> {
  const times: number[] = [];
  const started = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, () => connection(target, requests, times)));
  return { perSecond: times.length / ((performance.now() - started) / 1000), times };
}

function connection(
  { port, request }: { port: number; request: string },
  requests: number,
  times: number[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let sent = 0;
    let received = '';
    const send = () => {
      sent = performance.now();
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
      times.push(performance.now() - sent);
      if (times.length <= requests - CONNECTIONS) {
        send();
        return;
      }
      resolve();
      socket.destroy();
    });
  });
}
