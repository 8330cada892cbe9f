import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cdktf } from '../../scripts/terraform';
import { startLocalRun, type LocalRun } from '../../scripts/local-run';
import { OUTCOME_FILE, RUN_VARIABLE } from './deployed';

declare global {
  var slipwayRun: { run: LocalRun; deployed: Promise<void> } | undefined;
}

/**
 * One local AWS for all end-to-end tests, and one deploy of dev and qa (which share its account). The tests that need
 * no deploy go on meanwhile: whoever does need it awaits `deployed()`.
 */
export default async function start(): Promise<void> {
  const run = await startLocalRun({ environment: 'dev' });
  process.env[RUN_VARIABLE] = JSON.stringify({ folder: run.folder, env: run.env });
  const deployed = cdktf(['deploy', 'dev', 'qa', '--auto-approve'], { env: run.env }).then(
    () => '',
    (error: unknown) => `${(error as Error).message}\n${run.faults()}`,
  );
  globalThis.slipwayRun = {
    run,
    deployed: deployed.then((problem) => {
      writeFileSync(join(run.folder, OUTCOME_FILE), problem);
    }),
  };
}
