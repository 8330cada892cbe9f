import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';

/** As many as a browser opens to a server: more at once are rare, and take a millisecond longer. */
const WAITING = 6;

/**
 * moto closes every connection after its answer, and a new one costs it a thread and everybody a millisecond. So some
 * are always open and wait, each for one request.
 */
export class MotoConnections extends Agent {
  private readonly waiting: Socket[] = [];

  constructor(
    private readonly host: string,
    private readonly port: number,
  ) {
    super({ keepAlive: false });
  }

  override createConnection(): Socket {
    const socket = this.waiting.shift() ?? this.open();
    // While moto works on the answer there is time.
    setImmediate(() => {
      this.refill();
    });
    return socket;
  }

  private refill(): void {
    while (this.waiting.length < WAITING) {
      const socket = this.open();
      const forget = () => {
        const at = this.waiting.indexOf(socket);
        if (at >= 0) this.waiting.splice(at, 1);
      };
      socket.once('close', forget);
      // Whoever takes it listens for himself.
      socket.on('error', forget);
      this.waiting.push(socket);
    }
  }

  private open(): Socket {
    return connect({ host: this.host, port: this.port, noDelay: true });
  }
}
