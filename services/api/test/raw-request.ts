import { once } from 'node:events';
import { connect } from 'node:net';

/** What no client of HTTP would send: the text as it is, and all that comes back until the server closes. */
export async function rawRequest(url: string, text: string): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString())).on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1]), text: received };
}
