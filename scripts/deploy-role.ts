import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localEnvironment } from '@slipway/local-aws';
import { names } from '../stacks/names';
import type { LocalRunAccess } from './local-run';

/**
 * The variables of a run for whoever is no administrator but a workflow of GitHub's, in the environment's own
 * repository and environment: a token, and the role to take on with it. There is no key among them.
 */
export async function asDeployRole(run: LocalRunAccess): Promise<NodeJS.ProcessEnv> {
  const { environment, folder, control, variables } = run;
  const token = join(folder, 'github-token');
  const repository = environment.github.repository;
  writeFileSync(token, await control.githubToken({ repository, environment: environment.name }), {
    mode: 0o600,
  });
  const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...others } = variables;
  return {
    ...localEnvironment({
      ...others,
      AWS_ROLE_ARN: `arn:aws:iam::${environment.account}:role/${names(environment).deployRole}`,
      AWS_ROLE_SESSION_NAME: 'GitHubActions',
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      // For the provider's first call of all, AWS_ENDPOINT_URL doesn't count.
      AWS_ENDPOINT_URL_STS: variables.AWS_ENDPOINT_URL ?? '',
    }),
    TMPDIR: run.env.TMPDIR,
  };
}
