import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { roleCredentials } from '@slipway/runtime';
import { startStsServer } from '../runtime/test/sts-server';
import { step } from '../scripts/steps';
import { median, round } from './measure';
import { importCosts } from './runtime/import-cost';
import { outage, usualDay } from './runtime/simulation';
import type { Row } from './table';

const ROLE = 'arn:aws:iam::123456789012:role/reader';
const SOURCE = { accessKeyId: 'AKIASOURCE', secretAccessKey: 'secret' };
const REGION = 'eu-west-1';
const ROUNDS = 15;
const CALLS = 200_000;

export const title = `runtime: roleCredentials against the SDK's fromTemporaryCredentials, under the same clients, in one run.
The ratio is to fromTemporaryCredentials (0.00x also when both are 0).
Warm call: what a client's credentials cost it in processor time, median of ${ROUNDS} rounds of ${CALLS} in turn.
Simulated: 1,000 requests a second, sessions of an hour, STS answers in 100 ms, out of order with 503 in 1 s; one attempt each.
Import: medians of fresh processes; "first credentials" is import and the first call, on a local STS.`;

const OUTAGES = [
  ['outage from minute 28 to 58', { from: 28, to: 58 }],
  ['outage from minute 3 to 58', { from: 3, to: 58 }],
  ["outage from minute 40 to 70, over the session's end", { from: 40, to: 70 }],
  ['the same with sessions of 12 hours', { from: 700, to: 730, hours: 12 }],
] as const;

/** The same clients with both. */
const WAYS = {
  ours: () => roleCredentials({ roleArn: ROLE, region: REGION, sourceCredentials: SOURCE }),
  theirs: () =>
    fromTemporaryCredentials({
      params: { RoleArn: ROLE },
      masterCredentials: SOURCE,
      clientConfig: { region: REGION },
    }),
};

export async function run(): Promise<Row[]> {
  const sts = await startStsServer();
  process.env.AWS_ENDPOINT_URL_STS = sts.url;
  process.env.AWS_MAX_ATTEMPTS = '1';
  try {
    const warm = await step('warm calls', warmCalls);
    const calls = await step('calls of STS', () => stsCalls(() => sts.calls));
    const costs = await step('import', importCosts);
    const simulated = await step('simulations', simulations);
    return [
      ...warm,
      ...calls,
      ...costs.flatMap(({ name, unit, ...both }) => pair(name, unit, both)),
      ...simulated,
    ];
  } finally {
    await sts.close();
  }
}

async function simulations(progress: (text: string) => void): Promise<Row[]> {
  const rows = pair('simulated day: requests that waited', 'requests', await usualDay());
  for (const [name, times] of OUTAGES) {
    progress(name);
    rows.push(...pair(`requests lost, ${name}`, 'requests', await outage(times)));
  }
  return rows;
}

interface Compared {
  readonly ours: number;
  readonly theirs: number;
}

function pair(name: string, unit: string, { ours, theirs }: Compared): Row[] {
  const ratio = theirs === 0 ? Number(ours > 0) : round(ours / theirs);
  return [
    { case: name, value: round(ours), unit, ratio },
    { case: '  fromTemporaryCredentials', value: round(theirs), unit, ratio: 1 },
  ];
}

async function warmCalls(): Promise<Row[]> {
  const clients = { ours: client('ours'), theirs: client('theirs') };
  const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let i = 0; i < ROUNDS; i++) {
    for (const way of ['ours', 'theirs'] as const) times[way].push(await nanosecondsPerCall(clients[way]));
  }
  return pair('warm call', 'ns', { ours: median(times.ours), theirs: median(times.theirs) });
}

async function nanosecondsPerCall({ config: { credentials } }: STSClient): Promise<number> {
  await credentials();
  const start = process.cpuUsage();
  for (let i = 0; i < CALLS; i++) await credentials();
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1000) / CALLS;
}

async function stsCalls(calls: () => URLSearchParams[]): Promise<Row[]> {
  const rows = [];
  for (const count of [1, 10, 100]) {
    const counted = { ours: 0, theirs: 0 };
    for (const way of ['ours', 'theirs'] as const) {
      calls().length = 0;
      // Another session name each time: the process's sessions outlast a row.
      process.env.AWS_ROLE_SESSION_NAME = `clients-${count}`;
      const clients = Array.from({ length: count }, () => client(way));
      await Promise.all(clients.map((each) => each.send(new GetCallerIdentityCommand({}))));
      counted[way] = calls().filter((call) => call.get('Action') === 'AssumeRole').length;
    }
    rows.push(...pair(`AssumeRole calls of ${count} client${count === 1 ? '' : 's'}`, 'calls', counted));
  }
  return rows;
}

function client(way: keyof typeof WAYS): STSClient {
  return new STSClient({ region: REGION, credentials: WAYS[way]() });
}
