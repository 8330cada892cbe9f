import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { cacheNotWritable } from '../errors';

/**
 * A folder of the user's cache (`$XDG_CACHE_HOME/slipway/`, else `~/.cache/slipway/`), built on its first
 * use. It is built beside and renamed when whole, so a build that broke off is never taken for a whole one,
 * and of two that build at once the first to end wins.
 *
 * @param name the folder's name, which holds everything that makes it different (version, platform)
 * @param build fills the folder it is given; the folder's path is not the last one yet
 * @returns the folder's path
 */
export async function cached(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(cacheFolder(), name);
  if (await exists(folder)) return folder;
  const partial = await makePartial(folder);
  try {
    await build(partial);
    await rename(partial, folder);
  } catch (error) {
    if (!(await exists(folder))) throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

/** The XDG base directory specification: a relative XDG_CACHE_HOME counts as unset. */
function cacheFolder(): string {
  const configured = process.env.XDG_CACHE_HOME ?? '';
  return path.join(path.isAbsolute(configured) ? configured : path.join(homedir(), '.cache'), 'slipway');
}

async function makePartial(folder: string): Promise<string> {
  try {
    await mkdir(path.dirname(folder), { recursive: true });
    return await mkdtemp(`${folder}.partial-`);
  } catch (error) {
    throw cacheNotWritable(path.dirname(folder), (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}
