import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asDeployRole } from '../../scripts/deploy-role';
import { startLocalRun, type LocalRun } from '../../scripts/local-run';
import { cdktf, initialize, plain, terraform } from '../../scripts/terraform';
import { OUTCOME_FILE, RUN_VARIABLE } from './deployed';

declare global {
  var slipwayRun: { run: LocalRun; deployed: Promise<void> } | undefined;
}

/** What an environment's deploy role stands on itself: an administrator's to make (docs/decisions/0005). */
const ADMINISTRATORS = [
  'aws_iam_policy.access_boundary_policy_E9684E8B',
  'aws_iam_role_policy.access_github-deploy_permissions_CA48B468',
  'aws_iam_role_policy_attachment.broker_role_managed_AF47DC26',
  'aws_iam_policy.broker_project-boundary_policy_F2397559',
  'aws_apigatewayv2_stage.broker_api_stage_131D4CA0',
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
  // By Terraform itself: cdktf breaks off where some of a stack's outputs are there and others not yet.
  await initialize('dev', { env: run.env });
  const targets = ADMINISTRATORS.map((address) => `-target=${address}`);
  const made = await terraform('dev', ['apply', '-input=false', '-auto-approve', '-no-color', ...targets], {
    env: run.env,
  });
  if (made.exitCode !== 0) throw new Error(plain(made.stdall));
  await Promise.all([
    cdktf(['deploy', 'dev', '--auto-approve', '--skip-synth'], { env: await asDeployRole(run) }),
    cdktf(['deploy', 'qa', '--auto-approve', '--skip-synth'], { env: run.env }),
  ]);
}
