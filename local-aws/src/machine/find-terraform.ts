import { onPath } from './on-path';
import { runCommand } from './run-command';
import { downloadedTerraform, TERRAFORM_1_11_4, type TerraformRelease } from './terraform-release';

/** Write-only arguments, which keep secrets out of the state, came with 1.11. */
const OLDEST = { major: 1, minor: 11 };
/** `terraform version` takes 0.1 s; the first start of a downloaded program on macOS takes seconds. */
const ANSWER_WITHIN_MS = 60_000;

export interface Terraform {
  /** Absolute path of the program. */
  readonly path: string;
  /** Such as `1.11.4`. */
  readonly version: string;
  /** It is not the `terraform` on PATH but one in the user's cache. */
  readonly downloaded: boolean;
}

/**
 * `terraform` on PATH when it works and is 1.11 or later, else a pinned one, downloaded once into the user's
 * cache and checked.
 *
 * @param onProgress hears what takes long. @default - nobody
 * @param release what is downloaded. @default - Terraform 1.11.4
 * @throws LocalAwsError when it can't be had
 */
export async function findTerraform(
  onProgress: (text: string) => void = () => undefined,
  release: TerraformRelease = TERRAFORM_1_11_4,
): Promise<Terraform> {
  const installed = await onPath('terraform');
  const version = installed === undefined ? undefined : await versionOf(installed);
  if (installed !== undefined && version !== undefined && isNewEnough(version)) {
    return { path: installed, version, downloaded: false };
  }
  if (version !== undefined) onProgress(`Terraform ${version} on PATH is older than 1.11 and is not used`);
  return { path: await downloadedTerraform(release, onProgress), version: release.version, downloaded: true };
}

/** @returns undefined when the program does not work, as a version manager's shim may not */
async function versionOf(terraform: string): Promise<string | undefined> {
  try {
    const env = { ...process.env, CHECKPOINT_DISABLE: '1' };
    const answer = await runCommand(terraform, ['version', '-json'], { timeoutMs: ANSWER_WITHIN_MS, env });
    return (JSON.parse(answer) as { terraform_version?: string }).terraform_version;
  } catch {
    return undefined;
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor);
}
