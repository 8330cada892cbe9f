import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Settings, StartError } from './settings';

/** The first descriptor that a service manager hands over (sd_listen_fds(3)). */
const FIRST_INHERITED = 3;
const LOOPBACK = /^127\.|^::1$/;
/** A mass start's connections wait in the kernel, as many as its somaxconn allows. */
const BACKLOG = 4096;

/**
 * Listens on the sockets that systemd hands over, if there are any; else on 127.0.0.1, and on ::1 if asked.
 *
 * @param newServer makes a server for each of them
 * @param hosts gets the `Host` headers under which the proxy is then called
 * @throws StartError when an address is taken, or is not this machine's own alone
 */
export async function listen(
  newServer: () => Server,
  hosts: Set<string>,
  { port, ipv6 }: Pick<Settings, 'port' | 'ipv6'>,
  env: NodeJS.ProcessEnv,
): Promise<{ servers: Server[]; port: number }> {
  const inherited = inheritedSockets(env);
  const servers: Server[] = [];
  let taken = port;
  const places: Place[] =
    inherited.length > 0
      ? inherited.map((fd) => ({ fd }))
      : ['127.0.0.1', ...(ipv6 ? ['::1'] : [])].map((host) => ({ host }));
  for (const place of places) {
    // ::1 has the port that 127.0.0.1 got.
    const where = place.host === undefined ? place : { ...place, port: taken };
    const server = newServer().listen({ ...where, backlog: BACKLOG });
    servers.push(server);
    await once(server, 'listening').catch((error: unknown) => {
      throw notListening({ ...place, port: taken }, error as NodeJS.ErrnoException);
    });
    const bound = server.address();
    if (bound === null || typeof bound === 'string' || !LOOPBACK.test(bound.address))
      throw notLoopback(bound);
    taken = bound.port;
    for (const name of ['127.0.0.1', 'localhost', '[::1]']) {
      hosts.add(`${name}:${taken}`);
      // A port that goes without saying.
      if (taken === 80) hosts.add(name);
    }
  }
  return { servers, port: taken };
}

interface Place {
  fd?: number;
  host?: string;
}

/** Those that were meant for this very process. */
function inheritedSockets({ LISTEN_PID, LISTEN_FDS }: NodeJS.ProcessEnv): number[] {
  if (LISTEN_PID !== String(process.pid)) return [];
  return Array.from({ length: Number(LISTEN_FDS ?? 0) }, (_, index) => FIRST_INHERITED + index);
}

function notListening({ host, port }: Place & { port: number }, { code }: NodeJS.ErrnoException): StartError {
  const why =
    code === 'EADDRINUSE' ? 'another program has it, and gets the tokens that jobs send there' : code;
  const place = host === undefined ? 'the socket that was handed over' : `${host}:${port}`;
  return new StartError(`The node proxy can't listen on ${place} (${why ?? 'unknown reason'}).`);
}

function notLoopback(bound: AddressInfo | string | null): StartError {
  const place = typeof bound === 'object' ? (bound?.address ?? 'no address') : bound;
  return new StartError(
    `The node proxy can't start: the socket that was handed over is on ${place}; it must be on 127.0.0.1 or [::1].`,
  );
}
