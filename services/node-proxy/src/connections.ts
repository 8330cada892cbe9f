import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Keeps room for new connections: of more than `most`, the oldest that waits for no answer is closed. A local
 * user who opens thousands and says nothing so keeps nobody out.
 */
export function keepRoom(server: Server, most: number, waiting: ReadonlySet<Duplex>): void {
  const open = new Set<Duplex>();

  server.on('connection', (socket: Duplex) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size <= most) return;
    for (const oldest of open) {
      if (waiting.has(oldest)) continue;
      oldest.destroy();
      open.delete(oldest);
      return;
    }
  });
}
