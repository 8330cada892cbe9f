import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/** The kernel's tables of connections (proc_pid_net(5)), by the address family of the socket. */
const TABLES = { IPv4: '/proc/net/tcp', IPv6: '/proc/net/tcp6' };
const ESTABLISHED = '01';
/** Columns of a table's line. */
const [LOCAL, REMOTE, STATE, UID] = [1, 2, 3, 7] as const;

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
  const table = await readFile(remoteAddress.includes(':') ? TABLES.IPv6 : TABLES.IPv4, 'latin1');
  // The columns are looked at only where the first one fits: the table has a line for each connection.
  const at = table.indexOf(`: ${theirs} ${ours} `);
  if (at < 0) return undefined;
  const columns = table.slice(at, table.indexOf('\n', at)).split(/\s+/);
  const [local, remote, state, uid] = [LOCAL, REMOTE, STATE, UID].map((column) => columns[column]);
  // A socket that its program has closed counts as root's.
  return local === theirs && remote === ours && state === ESTABLISHED ? Number(uid) : undefined;
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
