import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { mirrorWithoutProvider } from '../errors';
import { PLATFORM } from './platform';

/** The provider that is looked for, as a folder of a mirror. */
export const AWS_PROVIDER = 'registry.terraform.io/hashicorp/aws';

/** Not folders of files: thousands of entries that come and go. */
const NOT_SEARCHED = new Set(['proc', 'sys', 'dev']);
/** The bit that lets everybody write. */
const WRITABLE_BY_ALL = 0o002;

export interface MirrorSearch {
  /** @default - the environment of this process */
  readonly environment?: NodeJS.ProcessEnv;
  /** The user's home. @default - os.homedir() */
  readonly home?: string;
  /** The top of the filesystem. @default '/' */
  readonly root?: string;
}

/**
 * A folder on this machine from which `terraform init` can take hashicorp/aws without the network, in packed
 * or unpacked layout. Looked for, in this order, in
 *
 * 1. `SLIPWAY_PROVIDER_MIRROR`;
 * 2. Terraform's implied local mirror directories
 *    (https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories);
 * 3. one level below the top folders of the filesystem, where images of machines have theirs. Folders that
 *    others than root and the user can fill are passed over, because a provider is a program that runs.
 *
 * @param version such as `5.100.0`
 * @returns its absolute path, or undefined when there is none with that version for this platform
 * @throws LocalAwsError when SLIPWAY_PROVIDER_MIRROR names a folder without it
 */
export async function findProviderMirror(
  version: string,
  search: MirrorSearch = {},
): Promise<string | undefined> {
  const { environment = process.env, home = homedir(), root = '/' } = search;
  const chosen = environment.SLIPWAY_PROVIDER_MIRROR ?? '';
  if (chosen !== '') {
    if (await holds(chosen, version)) return path.resolve(chosen);
    throw mirrorWithoutProvider(chosen, version, PLATFORM);
  }
  for (const folder of impliedMirrors(environment, home, root)) {
    if (await holds(folder, version)) return folder;
  }
  for await (const folder of belowTopFolders(root)) {
    if ((await holds(folder, version)) && (await isTrusted(path.join(folder, AWS_PROVIDER)))) return folder;
  }
  return undefined;
}

function impliedMirrors(environment: NodeJS.ProcessEnv, home: string, root: string): string[] {
  const own = [path.resolve('terraform.d/plugins'), path.join(home, '.terraform.d/plugins')];
  if (process.platform === 'darwin') {
    const support = 'Library/Application Support/io.terraform/plugins';
    return [...own, path.join(home, support), path.join(root, support)];
  }
  const dataHome = environment.XDG_DATA_HOME ?? path.join(home, '.local/share');
  const dataFolders = environment.XDG_DATA_DIRS?.split(path.delimiter) ?? [
    path.join(root, 'usr/local/share'),
    path.join(root, 'usr/share'),
  ];
  const absolute = [dataHome, ...dataFolders].filter((folder) => path.isAbsolute(folder));
  return [...own, ...absolute.map((folder) => path.join(folder, 'terraform/plugins'))];
}

async function* belowTopFolders(root: string): AsyncGenerator<string> {
  for (const top of await foldersIn(root)) {
    if (NOT_SEARCHED.has(path.basename(top)) || !(await isTrusted(top))) continue;
    for (const folder of await foldersIn(top)) {
      if (await isTrusted(folder)) yield folder;
    }
  }
}

/** Links are left out: they lead to folders that are met elsewhere, or to none. */
async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(folder, entry.name));
}

async function isTrusted(folder: string): Promise<boolean> {
  const found = await stats(folder);
  return (
    found !== undefined && [0, process.getuid?.()].includes(found.uid) && (found.mode & WRITABLE_BY_ALL) === 0
  );
}

async function holds(mirror: string, version: string): Promise<boolean> {
  const provider = path.join(mirror, AWS_PROVIDER);
  const unpacked = await readdir(path.join(provider, version, PLATFORM)).catch(() => []);
  if (unpacked.some((file) => file.startsWith('terraform-provider-aws'))) return true;
  const packed = await stats(path.join(provider, `terraform-provider-aws_${version}_${PLATFORM}.zip`));
  return packed?.isFile() === true;
}

function stats(file: string): Promise<Stats | undefined> {
  return stat(file).catch(() => undefined);
}
