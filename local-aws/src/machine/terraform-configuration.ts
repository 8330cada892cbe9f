import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findTerraform, type Terraform } from './find-terraform';
import { AWS_PROVIDER, findProviderMirror } from './provider-mirror';
import type { TerraformRelease } from './terraform-release';

export interface TerraformOptions {
  /** Where the CLI configuration is written: a folder of the run's own. Made when it is not there. */
  readonly folder: string;
  /** The version of hashicorp/aws that the run needs, such as `5.100.0`. */
  readonly providerVersion: string;
  /** Hears what takes long. @default - nobody */
  readonly onProgress?: (text: string) => void;
  /** What is downloaded when there is no Terraform on PATH. @default - Terraform 1.11.4 */
  readonly release?: TerraformRelease;
}

export interface TerraformForThisMachine {
  readonly terraform: Terraform;
  /** The folder that the provider comes from; undefined: the registry. */
  readonly mirror: string | undefined;
  /** What terraform and cdktf need in their environment. */
  readonly variables: Record<string, string>;
}

/**
 * All that a run of Terraform needs from this machine: the program, the provider and their configuration.
 *
 * @throws LocalAwsError when Terraform can't be had
 */
export async function terraformForThisMachine(options: TerraformOptions): Promise<TerraformForThisMachine> {
  const { folder, providerVersion, onProgress, release } = options;
  const terraform = await findTerraform(onProgress, release);
  const mirror = await findProviderMirror(providerVersion);
  const variables = await writeTerraformConfiguration(folder, mirror);
  return { terraform, mirror, variables: { ...variables, ...pathTo(terraform) } };
}

/**
 * Writes a Terraform CLI configuration for one run: hashicorp/aws from the mirror and nowhere else, so that
 * its registry is not even asked, and all other providers directly.
 *
 * @param folder made when it is not there
 * @returns the variables that make terraform and cdktf use it
 */
export async function writeTerraformConfiguration(
  folder: string,
  mirror: string | undefined,
): Promise<Record<string, string>> {
  const file = path.resolve(folder, 'slipway.tfrc');
  await mkdir(folder, { recursive: true });
  await writeFile(file, `${JSON.stringify(configuration(mirror), undefined, 2)}\n`);
  return {
    TF_CLI_CONFIG_FILE: file,
    CHECKPOINT_DISABLE: '1',
    // The lock would hold the hashes of all platforms, which only the registry knows.
    ...(mirror === undefined
      ? {}
      : {
          CDKTF_SKIP_PROVIDER_LOCK: 'true',
          // cdktf's shared plugin cache breaks under two runs at once (terraform#31964); the mirror needs none.
          CDKTF_DISABLE_PLUGIN_CACHE_ENV: 'true',
        }),
  };
}

/**
 * In HCL's JSON form, which Terraform reads here as well: a path with quotes, backslashes or `${` then needs
 * no escaping but JSON's. Every block is a list, because Terraform takes a plain object for an argument.
 */
function configuration(mirror: string | undefined): object {
  const methods =
    mirror === undefined
      ? { direct: [{}] }
      : {
          filesystem_mirror: [{ path: path.resolve(mirror), include: [AWS_PROVIDER] }],
          direct: [{ exclude: [AWS_PROVIDER] }],
        };
  return { provider_installation: [methods] };
}

/** cdktf runs the `terraform` it finds on PATH. */
function pathTo(terraform: Terraform): Record<string, string> {
  if (!terraform.downloaded) return {};
  return { PATH: [path.dirname(terraform.path), process.env.PATH ?? ''].join(path.delimiter) };
}
