import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { controlOf } from '@slipway/local-aws';
import type { LocalRunAccess } from '../../scripts/local-run';

/** Carries the run from jest's start to its workers. */
export const RUN_VARIABLE = 'SLIPWAY_END_TO_END_RUN';
/** In the run's folder, once the deploy has ended: empty, or what went wrong. */
export const OUTCOME_FILE = 'deploy-outcome';

/** Waits for the shared deploy of dev and qa. */
export async function deployed(): Promise<LocalRunAccess> {
  const run = JSON.parse(process.env[RUN_VARIABLE] ?? '') as Omit<LocalRunAccess, 'control'>;
  const outcome = join(run.folder, OUTCOME_FILE);
  while (!existsSync(outcome)) await wait(500);
  const problem = readFileSync(outcome, 'utf8');
  if (problem) throw new Error(`The deploy that all end-to-end tests share failed:\n${problem}`);
  const { environment, env, administrator } = run;
  const control = controlOf({
    endpoint: env.AWS_ENDPOINT_URL ?? '',
    region: environment.region,
    ...administrator,
  });
  return { ...run, control };
}
