import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { sharedRun } from './shared-run';

/**
 * The kernel's tables of connections (proc_pid_net(5)), by the address family of the socket. They have a line for
 * each connection, and take 20 ms with thousands of them: all who wait for one share a reading.
 */
const TABLES = {
  IPv4: sharedRun(() => usersIn('/proc/net/tcp')),
  IPv6: sharedRun(() => usersIn('/proc/net/tcp6')),
};
/** A line's columns: both addresses, the state "established", three others, the user. */
const LINE = /: (\w+:\w+ \w+:\w+) 01 \S+ \S+ \S+ +(\d+) /g;

/**
 * Who is at the other end of a connection within this machine: the user who made that socket.
 *
 * @returns undefined when the kernel doesn't tell: the other end has closed its side, say
 */
export async function peerUid(socket: Socket): Promise<number | undefined> {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || localAddress === undefined) return undefined;
  const theirs = inTable(remoteAddress, remotePort ?? 0);
  const ours = inTable(localAddress, localPort ?? 0);
  const users = await TABLES[remoteAddress.includes(':') ? 'IPv6' : 'IPv4']();
  return users.get(`${theirs} ${ours}`);
}

/** By both ends' addresses. A socket that its program has closed counts as root's, and isn't established. */
async function usersIn(table: string): Promise<Map<string, number>> {
  const text = await readFile(table, 'latin1');
  return new Map([...text.matchAll(LINE)].map(([, ends = '', uid]) => [ends, Number(uid)]));
}

/** As the tables have it: the address in words of the machine's byte order, then the port, all hexadecimal. */
function inTable(address: string, port: number): string {
  return `${hex(bytesOf(address))}:${hex([port >> 8, port & 255])}`.replace(/^(\w+)/, (words) =>
    words.replaceAll(/(..)(..)(..)(..)/g, '$4$3$2$1'),
  );
}

function bytesOf(address: string): number[] {
  if (!address.includes(':')) return address.split('.').map(Number);
  if (address === '::1') return [...Array<number>(15).fill(0), 1];
  // An IPv4 client of a socket that takes both.
  return [...Array<number>(10).fill(0), 255, 255, ...bytesOf(address.replace(/^::ffff:/, ''))];
}

function hex(bytes: number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('');
}
