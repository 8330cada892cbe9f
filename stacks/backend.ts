import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalBackend, S3Backend, type TerraformStack } from 'cdktf';
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
  { state, region }: Environment,
  stateFolder: string,
  target: Target,
): void {
  if (state.backend === 'local') {
    // `path` is the state of the workspace `default`, which the guard never lets through.
    new LocalBackend(stack, {
      path: join(stateFolder, 'default', 'terraform.tfstate'),
      workspaceDir: stateFolder,
    });
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
  if (state.backend === 'local') mkdirSync(join(stateFolder, name), { recursive: true });
}
