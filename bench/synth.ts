import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { z } from 'zod';
import { median, round } from './measure';
import type { Row } from './table';

export const title = `synth: all environments by the app command of cdktf.json, whole processes, median of several in turn.
Ratios are to the floor: one node process that only requires the same cdktf and provider modules.
Aim: the app at most 1.5 times the floor, and at least 5 times faster than ts-node, the stock template's way.
After an edit: nothing kept, esbuild bundles anew.
Per resource: the ratio is to the cost with 3 buckets an environment; aim: flat.`;

/** Rounds of the quick cases; they run in turn, so that a machine that slows down slows all of them. */
const ROUNDS = 9;
/** ts-node takes seconds: fewer rounds tell enough. */
const SLOW_ROUNDS = 3;
const MANY_BUCKETS = 300;

const ROOT = join(__dirname, '..');
const { app } = z
  .object({ app: z.string() })
  .parse(JSON.parse(readFileSync(join(ROOT, 'cdktf.json'), 'utf8')));

export function run(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  try {
    return Promise.resolve(measure(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function measure(folder: string): Row[] {
  const seconds = (command: string, environment: NodeJS.ProcessEnv = {}) => {
    const env = {
      ...process.env,
      CDKTF_OUTDIR: join(folder, 'out'),
      SLIPWAY_STATE_DIR: join(folder, 'state'),
      ...environment,
    };
    const started = process.hrtime.bigint();
    execFileSync('/bin/sh', ['-c', command], { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'] });
    return Number(process.hrtime.bigint() - started) / 1e9;
  };
  const floor = `node -e '${requiredModules()
    .map((name) => `require("${name}");`)
    .join('')}'`;
  const stock = 'node_modules/.bin/ts-node --project bench/stock-template.json stacks/main.ts';
  const many = (buckets: number) => () =>
    seconds('node stacks/run.cjs bench/many-buckets.ts', { BENCH_BUCKETS: String(buckets) });

  // The first run of each leaves what the others start from.
  seconds(app);
  const few = resources(folder, many(3));
  const lots = resources(folder, many(MANY_BUCKETS));
  const [floorTime = 0, appTime = 0, fewTime = 0, manyTime = 0] = medians(ROUNDS, [
    () => seconds(floor),
    () => seconds(app),
    many(3),
    many(MANY_BUCKETS),
  ]);
  const [firstTime = 0, stockTime = 0] = medians(SLOW_ROUNDS, [
    () => {
      rmSync(join(ROOT, 'node_modules/.cache/slipway'), { recursive: true, force: true });
      return seconds(app);
    },
    () => seconds(stock),
  ]);

  const row = (name: string, value: number): Row => ({
    case: name,
    value: round(value),
    unit: 's',
    ratio: value / floorTime,
  });
  const each = (time: number, count: number) => ((time - floorTime) * 1000) / count;
  return [
    row('floor', floorTime),
    row('the app', appTime),
    row('the app after an edit', firstTime),
    row('ts-node, the stock template', stockTime),
    { case: 'ts-node against the app', value: round(stockTime), unit: 's', ratio: stockTime / appTime },
    {
      case: `per resource, 3 buckets (${few} resources)`,
      value: round(each(fewTime, few)),
      unit: 'ms',
      ratio: 1,
    },
    {
      case: `per resource, ${MANY_BUCKETS} buckets (${lots} resources)`,
      value: round(each(manyTime, lots)),
      unit: 'ms',
      ratio: each(manyTime, lots) / each(fewTime, few),
    },
  ];
}

/** The cdktf and provider modules that our sources import, as esbuild sees them. */
function requiredModules(): string[] {
  const { metafile } = buildSync({
    entryPoints: [join(ROOT, 'stacks/main.ts')],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    packages: 'external',
    alias: { '@slipway/constructs': join(ROOT, 'constructs/src/index.ts') },
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  return [...new Set(imports)].filter(
    (path) => /^(cdktf|constructs|@cdktf\/)/.test(path) && !path.endsWith('.json'),
  );
}

function medians(rounds: number, cases: (() => number)[]): number[] {
  const times = cases.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1)
    cases.forEach((measureOne, index) => times[index]?.push(measureOne()));
  return times.map(median);
}

/** Counts what a synth wrote. */
function resources(folder: string, synth: () => unknown): number {
  synth();
  const stacks = ['dev', 'qa', 'prod'].map(
    (name) =>
      JSON.parse(readFileSync(join(folder, 'out/stacks', name, 'cdk.tf.json'), 'utf8')) as {
        resource: Record<string, object>;
      },
  );
  return stacks.flatMap(({ resource }) => Object.values(resource).flatMap((ofType) => Object.keys(ofType)))
    .length;
}
