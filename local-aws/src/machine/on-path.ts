import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';

/** The absolute path of the first program of that name on PATH; undefined when there is none. */
export async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const candidate = path.join(folder, name);
    // A relative entry would run whatever lies in the working folder.
    if (path.isAbsolute(folder) && (await isProgram(candidate))) return candidate;
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
