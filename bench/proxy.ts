import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { step } from '../scripts/steps';
import { CONNECTIONS, connection, load } from './load';
import { median, quantile, round } from './measure';
import type { Row } from './table';

/** Many and short, so that both meet the same machine. */
const ROUNDS = 25;
const REQUESTS = 6000;
/** Until the compiler has done its work on either. */
const WARM_UP = 30_000;
/** Sessions that the requests go round. */
const SESSIONS = 1000;
const CLIENTS = 1000;
const MASS_STARTS = 5;

export const title = `proxy: the node proxy's answers from its cache against a bare node:http server with the same bytes, in one run.
${CONNECTIONS} connections that are kept, ${ROUNDS} rounds of ${REQUESTS} requests in turn, over ${SESSIONS} sessions;
medians, and the median of the rounds' ratios.
Aim: at least 0.7 of the bare server's requests a second, p99 under 5 ms.
Mass start: ${CLIENTS} clients at once, each with a connection of its own; the slowest of them. Aim: under 1,000 ms.
Memory: what the process grows by; session tokens of 800 characters. The ratio is to plain objects in a Map.`;

const SCRIPT = ['--require', require.resolve('tsx/cjs')];

type Name = 'bare' | 'proxy';

interface Peer {
  port: number;
  stop: () => Promise<unknown>;
}

export async function run(): Promise<Row[]> {
  const memory = await step('memory', sessionMemory);
  const api = await peer('api');
  const proxy = await startProxy(api.port);
  const body = await bodyOf(proxy.port);
  const bare = await peer('bare', body);
  try {
    const rounds: Record<Name, Measured>[] = [];
    for (const each of [bare, proxy]) await measuredLoad(each.port, WARM_UP);
    await step(`${ROUNDS} rounds`, async (progress) => {
      for (let n = 1; n <= ROUNDS; n += 1) {
        progress(`round ${n}`);
        rounds.push({
          bare: await measuredLoad(bare.port, REQUESTS),
          proxy: await measuredLoad(proxy.port, REQUESTS),
        });
      }
    });
    const starts: Record<Name, number>[] = [];
    await step('mass starts', async () => {
      for (let n = 1; n <= MASS_STARTS; n += 1)
        starts.push({ bare: await massStart(bare.port), proxy: await massStart(proxy.port) });
    });
    return [
      ...compared(
        'requests a second',
        '1/s',
        rounds.map(({ bare, proxy }) => ({ bare: bare.perSecond, proxy: proxy.perSecond })),
      ),
      ...compared(
        'p99',
        'ms',
        rounds.map(({ bare, proxy }) => ({ bare: bare.p99, proxy: proxy.p99 })),
      ),
      ...compared(`slowest of ${CLIENTS} clients at once`, 'ms', starts),
      ...memory,
    ];
  } finally {
    for (const each of [proxy, bare, api]) await each.stop();
  }
}

function compared(title: string, unit: string, rounds: Record<Name, number>[]): Row[] {
  return (['bare', 'proxy'] as const).map((name) => ({
    case: `${title}, ${name === 'bare' ? 'bare server' : 'the proxy'}`,
    value: round(median(rounds.map((one) => one[name]))),
    unit,
    ratio: median(rounds.map((one) => one[name] / one.bare)),
  }));
}

async function sessionMemory(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of [100_000, 1_000_000]) {
    const [objects, store] = [await memoryOf('objects', count), await memoryOf('store', count)];
    const mib = (bytes: number) => round(bytes / 1024 / 1024);
    const name = `${count.toLocaleString('en')} sessions`;
    rows.push({ case: `${name}, objects`, value: mib(objects), unit: 'MiB', ratio: 1 });
    rows.push({ case: `${name}, the store`, value: mib(store), unit: 'MiB', ratio: store / objects });
  }
  return rows;
}

async function memoryOf(kind: 'objects' | 'store', count: number): Promise<number> {
  const flags = ['--expose-gc', '--max-old-space-size=8000', ...SCRIPT];
  const args = [...flags, join(__dirname, 'proxy-memory.ts'), kind, String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { bytes, kept } = JSON.parse(stdout) as { bytes: number; kept: number };
  if (kept !== count) throw new Error(`Only ${kept} of ${count} sessions were kept.`);
  return bytes;
}

async function startProxy(api: number): Promise<Peer> {
  const main = join(__dirname, '../services/node-proxy/src/main.ts');
  const flags = ['--port=0', '--recheck_seconds=3600', '--log_level=info'];
  const child = spawn(
    process.execPath,
    [...SCRIPT, main, '--hostname', `http://127.0.0.1:${api}`, ...flags],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let log = '';
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', () => {
      reject(new Error('The proxy did not start.'));
    });
    child.stdout.on('data', (chunk: Buffer) => {
      if (log.length < 10_000) log += chunk.toString();
      const told = /"port":(\d+)/.exec(log)?.[1];
      if (told !== undefined) resolve(Number(told));
    });
  });
  return { port, stop: () => stopped(child) };
}

async function peer(...args: string[]): Promise<Peer> {
  const child = fork(join(__dirname, 'proxy-peers.cjs'), args);
  const [port] = (await once(child, 'message')) as [number];
  return { port, stop: () => stopped(child) };
}

async function stopped(child: ChildProcess): Promise<void> {
  child.removeAllListeners('exit').kill();
  await once(child, 'exit');
}

async function bodyOf(port: number): Promise<string> {
  const headers = { authorization: tokenOf(0) };
  const response = await fetch(`http://127.0.0.1:${port}${pathOf(0)}`, { headers });
  return response.text();
}

interface Measured {
  perSecond: number;
  p99: number;
}

async function measuredLoad(port: number, requests: number): Promise<Measured> {
  const request = (sent: number, connection: number) => requestOf((sent + connection * 31) % SESSIONS, port);
  const { perSecond, times } = await load({ port, request }, requests);
  return { perSecond, p99: quantile(times, 0.99) };
}

async function massStart(port: number): Promise<number> {
  const times: number[] = [];
  const one = (n: number) =>
    connection(port, times, (sent) => (sent === 0 ? requestOf(n % SESSIONS, port) : undefined));
  await Promise.all(Array.from({ length: CLIENTS }, (_, n) => one(n)));
  return Math.max(...times);
}

function requestOf(session: number, port: number): string {
  return `GET ${pathOf(session)} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: ${tokenOf(session)}\r\naccept: */*\r\n\r\n`;
}

function pathOf(session: number): string {
  return `/dev/sessions/${session}/cluster/alpha/project/abc?roleSessionName=alpha-user1-node7`;
}

function tokenOf(session: number): string {
  return `${'t'.repeat(36)}${String(session).padStart(7, '0')}`;
}
