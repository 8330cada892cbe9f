import { connect } from 'node:net';

/** What no client of HTTP would send: the text as it is, and all that comes back until the server closes. */
export async function rawRequest(
  port: number,
  text: string,
  host = '127.0.0.1',
): Promise<{ status: number; text: string }> {
  const socket = connect(port, host);
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1'))).on('error', () => undefined);
  socket.write(text, 'latin1');
  await new Promise((resolve) => socket.once('close', resolve));
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1]), text: received };
}
