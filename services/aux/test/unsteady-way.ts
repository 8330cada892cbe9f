import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** How a server is met: as it is; shut; taking requests and silent; answering what is no HTTP. */
export type Mode = 'open' | 'closed' | 'silent' | 'garbage';

/** A way to a server that can be made to fail; connections that stand are cut at each change. */
export interface UnsteadyWay {
  url: string;
  become: (mode: Mode) => void;
  stop: () => Promise<void>;
}

export async function unsteadyWay(to: string, first: Mode): Promise<UnsteadyWay> {
  const target = new URL(to);
  let mode = first;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    if (mode === 'closed') socket.resetAndDestroy();
    if (mode === 'garbage') socket.once('data', () => socket.end('\x16\x03 no HTTP at all\r\n\r\n'));
    if (mode !== 'open') return;
    const onward = connect(Number(target.port), target.hostname);
    sockets.add(onward);
    onward.on('close', () => socket.destroy()).on('error', () => undefined);
    socket.on('close', () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    become: (next) => {
      mode = next;
      cut();
    },
    stop: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
