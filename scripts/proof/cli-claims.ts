import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localEnvironment } from '@slipway/local-aws';
import { $, chalk, which } from 'zx';
import { names } from '../../stacks/names';
import type { LocalRunAccess } from '../local-run';
import { namesOf, type Claim, type PodSecret, type Result } from './claim';

/** The same by a program that is nobody's of ours. */
export async function cliClaims(run: LocalRunAccess, secret: PodSecret, other: string): Promise<Claim[]> {
  if ((await which('aws', { nothrow: true })) === null) {
    console.log(chalk.dim('  (no aws CLI on this machine: its part is left out)'));
    return [];
  }
  const [own, others] = [names(run.environment), namesOf(run, other)];
  // The CLI's own way to take on a role: a profile of a file.
  const config = join(run.folder, 'aws-config');
  writeFileSync(
    config,
    `[profile aux]\nrole_arn = ${secret.AWS_ROLE_ARN}\ncredential_source = Environment\nregion = ${run.environment.region}\n`,
  );
  const base = localEnvironment({
    ...run.variables,
    // It keeps sessions of roles in its home, and would come back with one of an earlier run.
    HOME: run.folder,
    AWS_ACCESS_KEY_ID: secret.AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY: secret.AWS_SECRET_ACCESS_KEY,
    AWS_CONFIG_FILE: config,
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  const aws = (who: string, expected: Result, profile: string[], args: string[]): Claim => ({
    who: `${who} (aws CLI)`,
    does: args.join(' '),
    expected,
    request: () => cli(base, [...args, ...profile]),
  });
  const aux = ['--profile', 'aux'];
  return [
    aws('base user', 'denied', [], ['s3', 'ls', own.bucket('data')]),
    aws('AUX', 'allowed', aux, ['s3', 'ls', own.bucket('data')]),
    aws('AUX', 'allowed', aux, ['ssm', 'get-parameter', '--name', own.parameter('api/config')]),
    aws('AUX', 'denied', aux, ['s3', 'ls', others.bucket('data')]),
  ];
}

/** @throws an error whose name is AWS's code */
async function cli(env: NodeJS.ProcessEnv, args: string[]): Promise<void> {
  const { exitCode, stderr } = await $({ env, quiet: true, nothrow: true })`aws ${args}`;
  if (exitCode === 0) return;
  const [, code = 'Error'] = /\((\w+)\) when calling/.exec(stderr) ?? [];
  throw Object.assign(new Error(stderr.trim()), { name: code });
}
