import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { App, LocalBackend, S3Backend, type TerraformStack } from 'cdktf';
import type { Environment } from '../environments';
import type { Target } from './guard';

/** Keys of an S3 backend: `slipway/{workspace}/terraform.tfstate`. */
export const STATE_KEY_PREFIX = 'slipway';

/**
 * Where the environment's state is kept.
 *
 * @param stateFolder of the local backend; its workspaces are folders in it
 */
export function stateBackend(
  stack: TerraformStack,
  { name, state, region }: Environment,
  stateFolder: string,
  target: Target,
): void {
  if (state.backend === 'local') {
    // Relative to where Terraform runs: a clone that is moved is still the same backend.
    const workspaceDir = relative(resolve(App.of(stack).outdir, 'stacks', name), stateFolder);
    // `path` is the state of the workspace `default`, which the guard never lets through.
    new LocalBackend(stack, { path: join(workspaceDir, 'default', 'terraform.tfstate'), workspaceDir });
    return;
  }
  const backend = new S3Backend(stack, {
    bucket: state.bucket,
    key: 'terraform.tfstate',
    workspaceKeyPrefix: STATE_KEY_PREFIX,
    region: state.region ?? region,
    encrypt: true,
    ...(state.kmsKeyArn && { kmsKeyId: state.kmsKeyArn }),
    ...(target.customEndpoint && {
      usePathStyle: true,
      skipCredentialsValidation: true,
      skipRequestingAccountId: true,
    }),
  });
  // Not among the properties of cdktf 0.21.
  backend.addOverride('use_lockfile', state.lockFile);
}

/**
 * Makes plain `cdktf deploy dev` land in the workspace `dev`: Terraform reads the selected workspace from a file
 * beside the configuration, and takes a workspace of the local backend for existing when its folder does.
 */
export function selectWorkspace(
  stackFolder: string,
  { name, state }: Environment,
  stateFolder: string,
): void {
  mkdirSync(join(stackFolder, '.terraform'), { recursive: true });
  writeFileSync(join(stackFolder, '.terraform', 'environment'), name);
  // The state holds the base user's key.
  if (state.backend === 'local') mkdirSync(join(stateFolder, name), { recursive: true, mode: 0o700 });
}
