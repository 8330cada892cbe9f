import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { median } from '../measure';

const ROOT = join(__dirname, '../..');
const PROCESSES = 9;
const execute = promisify(execFile);

export interface Cost {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly theirs: number;
}

const SOURCE = `{ accessKeyId: 'AKIASOURCE', secretAccessKey: 'secret' }`;
const OURS = `require('./runtime.js').roleCredentials({ roleArn: ROLE, region: 'eu-west-1', sourceCredentials: ${SOURCE} })`;
const THEIRS = `require('@aws-sdk/credential-providers').fromTemporaryCredentials({
  params: { RoleArn: ROLE }, masterCredentials: ${SOURCE}, clientConfig: { region: 'eu-west-1' } })`;

const STEPS = [
  ['import', ''],
  ['first credentials', '()'],
] as const;

/** Time and memory that a process spends on importing, and on getting to its first credentials. */
export function importCosts(): Promise<Cost[]> {
  return inFolder(async (folder) => {
    const costs: Cost[] = [];
    for (const [name, call] of STEPS) {
      const ours: Spent[] = [];
      const theirs: Spent[] = [];
      for (let i = 0; i < PROCESSES; i++) {
        ours.push(await spent(folder, `${OURS}${call}`));
        theirs.push(await spent(folder, `${THEIRS}${call}`));
      }
      for (const unit of ['ms', 'MB'] as const) {
        const medianOf = (all: Spent[]) => median(all.map((each) => each[unit]));
        costs.push({ name, unit, ours: medianOf(ours), theirs: medianOf(theirs) });
      }
    }
    return costs;
  });
}

interface Spent {
  readonly ms: number;
  /** Of resident memory, over that of an empty process. */
  readonly MB: number;
}

async function spent(folder: string, expression: string): Promise<Spent> {
  const script = `
    const ROLE = 'arn:aws:iam::123456789012:role/reader';
    const memory = process.memoryUsage.rss();
    const start = performance.now();
    Promise.resolve(${expression}).then(() => {
      const ms = performance.now() - start;
      console.log(JSON.stringify({ ms, MB: (process.memoryUsage.rss() - memory) / 2 ** 20 }));
      process.exit();
    });`;
  const { stdout } = await execute(process.execPath, ['--no-warnings', '-e', script], { cwd: folder });
  return JSON.parse(stdout) as Spent;
}

/** The runtime as it is published, beside the packages of this repository. */
async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    buildSync({
      entryPoints: [join(ROOT, 'runtime/src/index.ts')],
      outfile: join(folder, 'runtime.js'),
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'cjs',
      supported: { 'dynamic-import': false },
    });
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
