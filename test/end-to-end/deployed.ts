import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Carries the run from jest's start to its workers. */
export const RUN_VARIABLE = 'SLIPWAY_END_TO_END_RUN';
/** In the run's folder, once the deploy has ended: empty, or what went wrong. */
export const OUTCOME_FILE = 'deploy-outcome';

export interface DeployedRun {
  folder: string;
  env: NodeJS.ProcessEnv;
}

/** Waits for the shared deploy of dev and qa. */
export async function deployed(): Promise<DeployedRun> {
  const run = JSON.parse(process.env[RUN_VARIABLE] ?? '') as DeployedRun;
  const outcome = join(run.folder, OUTCOME_FILE);
  while (!existsSync(outcome)) await wait(500);
  const problem = readFileSync(outcome, 'utf8');
  if (problem) throw new Error(`The deploy that all end-to-end tests share failed:\n${problem}`);
  return run;
}
