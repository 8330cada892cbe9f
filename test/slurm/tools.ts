import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { pythonWithBoto3 } from '../python';

const ROOT = join(__dirname, '../..');

/** Programs that jobs run: the aws CLI, a Python with boto3, and Node with the JS SDK. */
export interface Tools {
  /** PATH of jobs. */
  path: string;
  /** Where Node finds the SDK. */
  root: string;
  /** Folders that jobs read. */
  folders: string[];
}

/** @throws an Error that names what is missing */
export function findTools(): Tools {
  const ask = 'import json, sys; print(json.dumps([sys.prefix, sys.base_prefix]))';
  const said = execFileSync(pythonWithBoto3(), ['-c', ask], { encoding: 'utf8' });
  const [prefix = '', base = ''] = JSON.parse(said) as string[];
  const node = dirname(process.execPath);
  const folders = [prefix, base, node, ROOT].filter((folder) => folder !== '/usr');
  return { path: [join(prefix, 'bin'), node, '/usr/bin', '/bin'].join(':'), root: ROOT, folders };
}

/**
 * Shell lines that let everyone read folders that lie in somebody's closed home, under the same names; for a mount
 * namespace of one's own.
 */
export function opened(folders: readonly string[], stash: string): string {
  const byHome = new Map<string, string[]>();
  for (const folder of folders) {
    const home = closedAncestor(folder);
    if (home !== undefined) byHome.set(home, [...(byHome.get(home) ?? []), folder]);
  }
  return [...byHome]
    .flatMap(([home, inside], index) => {
      const kept = `${stash}/${index}`;
      return [
        `mkdir --parents '${kept}'`,
        `mount --bind '${home}' '${kept}'`,
        `mount -t tmpfs -o mode=755 tmpfs '${home}'`,
        ...inside.flatMap((folder) => [
          `mkdir --parents '${folder}'`,
          `mount --bind '${kept}${folder.slice(home.length)}' '${folder}'`,
        ]),
      ];
    })
    .join('\n');
}

/** The topmost folder on the way that others can't pass. */
function closedAncestor(folder: string): string | undefined {
  const parts = folder.split(sep).slice(1);
  return parts
    .map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)
    .find((each) => existsSync(each) && (statSync(each).mode & 0o001) === 0);
}
