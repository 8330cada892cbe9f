import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { startService } from '../scripts/pair';
import { step } from '../scripts/steps';
import { median, quantile, round } from './measure';
import type { Row } from './table';

const CONNECTIONS = 32;
const ROUNDS = 5;
const REQUESTS = 10_000;
/** Until the compiler has done its work on either. */
const WARM_UP = 10_000;

export const title = `gateway: the API against a bare node:http proxy on the same hop, in one run.
${CONNECTIONS} connections that are kept, ${ROUNDS} rounds of ${REQUESTS} requests in turn, medians; the backend answers 1 KB of JSON.
Aim: at least 0.7 of the bare proxy's requests a second. CPU: of the proxy's process alone, by the kernel's count.`;

interface Proxy {
  port: number;
  pid: number;
  stop: () => Promise<unknown>;
}

interface Measured {
  perSecond: number;
  p99: number;
  /** Microseconds of the proxy's own CPU time for each request. */
  cpu: number;
}

export async function run(): Promise<Row[]> {
  const backend = await helper('backend');
  const bare = await helper('proxy', backend.port);
  const api = await apiFor(backend.port);
  try {
    const measured: Record<'bare' | 'api', Measured[]> = { bare: [], api: [] };
    for (const proxy of [bare, api]) await load(proxy, WARM_UP);
    for (let each = 1; each <= ROUNDS; each += 1)
      for (const [name, proxy] of [
        ['bare', bare],
        ['api', api],
      ] as const)
        measured[name].push(await step(`round ${each} of ${ROUNDS}, ${name}`, () => load(proxy, REQUESTS)));
    const of = (name: 'bare' | 'api', what: keyof Measured) => median(measured[name].map((one) => one[what]));
    const row = (title: string, name: 'bare' | 'api', what: keyof Measured, unit: string): Row => ({
      case: `${title}, ${name === 'bare' ? 'bare proxy' : 'the API'}`,
      value: round(of(name, what)),
      unit,
      ratio: of(name, what) / of('bare', what),
    });
    return (
      [
        ['requests a second', 'perSecond', '1/s'],
        ['p99', 'p99', 'ms'],
        ['CPU a request', 'cpu', 'µs'],
      ] as const
    ).flatMap(([title, what, unit]) => [row(title, 'bare', what, unit), row(title, 'api', what, unit)]);
  } finally {
    for (const each of [api, bare, backend]) await each.stop();
  }
}

async function apiFor(backend: number): Promise<Proxy> {
  const api = await startService('api', { AUX_URL: `http://127.0.0.1:${backend}` });
  return { port: Number(new URL(api.url).port), pid: api.pid, stop: api.stop };
}

/** Backend and bare proxy: processes of their own, as the API is. */
async function helper(...args: [string, number?]): Promise<Proxy> {
  const child: ChildProcess = fork(join(__dirname, 'gateway-peers.cjs'), args.map(String));
  const [port] = (await once(child, 'message')) as [number];
  return {
    port,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}

/** One request after the other on each connection, written and read by hand: the load must cost less than what it measures. */
async function load({ port, pid }: Proxy, requests: number): Promise<Measured> {
  const times: number[] = [];
  const cpuBefore = cpuMicroseconds(pid);
  const started = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, () => connection(port, requests, times)));
  const seconds = (performance.now() - started) / 1000;
  return {
    perSecond: times.length / seconds,
    p99: quantile(times, 0.99),
    cpu: (cpuMicroseconds(pid) - cpuBefore) / times.length,
  };
}

const REQUEST = 'GET /v1/parameter?name=/bench HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n\r\n';

function connection(port: number, requests: number, times: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let sent = 0;
    let received = '';
    const send = () => {
      sent = performance.now();
      socket.write(REQUEST);
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

/** User and system time of a process so far; the kernel counts in hundredths of a second. */
function cpuMicroseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
