import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asDeployRole } from '../../scripts/deploy-role';
import { startLocalRun, type LocalRun } from '../../scripts/local-run';
import { cdktf } from '../../scripts/terraform';
import { OUTCOME_FILE, RUN_VARIABLE } from './deployed';

declare global {
  var slipwayRun: { run: LocalRun; deployed: Promise<void> } | undefined;
}

/** What an environment's deploy role stands on itself: an administrator's to make (docs/decisions/0005). */
const ADMINISTRATORS = [
  'aws_iam_policy.access_boundary_policy_E9684E8B',
  'aws_iam_role_policy_attachment.access_github-deploy_managed_8778C35B',
];

/**
 * One local AWS for all end-to-end tests, and one deploy of dev and qa (which share its account): of dev as its deploy
 * role, so that its policy is proven by a whole deploy. The tests that need no deploy go on meanwhile: whoever does
 * need it awaits `deployed()`.
 */
export default async function start(): Promise<void> {
  const run = await startLocalRun({ environment: 'dev' });
  process.env[RUN_VARIABLE] = JSON.stringify(run);
  const outcome = deploy(run).then(
    () => '',
    (error: unknown) => `${(error as Error).message}\n${run.faults()}`,
  );
  globalThis.slipwayRun = {
    run,
    deployed: outcome.then((problem) => {
      writeFileSync(join(run.folder, OUTCOME_FILE), problem);
    }),
  };
}

async function deploy(run: LocalRun): Promise<void> {
  const targets = ADMINISTRATORS.map((address) => `-target=${address}`).join(' ');
  await cdktf(['deploy', 'dev', '--auto-approve'], { env: { ...run.env, TF_CLI_ARGS_apply: targets } });
  await Promise.all([
    cdktf(['deploy', 'dev', '--auto-approve', '--skip-synth'], { env: await asDeployRole(run) }),
    cdktf(['deploy', 'qa', '--auto-approve', '--skip-synth'], { env: run.env }),
  ]);
}
