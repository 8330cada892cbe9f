import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startService } from '../scripts/pair';
import { step } from '../scripts/steps';
import { CONNECTIONS, load } from './load';
import { median, quantile, round } from './measure';
import type { Row } from './table';

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
    for (const proxy of [bare, api]) await measuredLoad(proxy, WARM_UP);
    for (let each = 1; each <= ROUNDS; each += 1)
      for (const [name, proxy] of [
        ['bare', bare],
        ['api', api],
      ] as const)
        measured[name].push(
          await step(`round ${each} of ${ROUNDS}, ${name}`, () => measuredLoad(proxy, REQUESTS)),
        );
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

const REQUEST = 'GET /v1/parameter?name=/bench HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n\r\n';

async function measuredLoad({ port, pid }: Proxy, requests: number): Promise<Measured> {
  const cpuBefore = cpuMicroseconds(pid);
  const { perSecond, times } = await load({ port, request: REQUEST }, requests);
  return {
    perSecond,
    p99: quantile(times, 0.99),
    cpu: (cpuMicroseconds(pid) - cpuBefore) / times.length,
  };
}

/** User and system time of a process so far; the kernel counts in hundredths of a second. */
function cpuMicroseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
