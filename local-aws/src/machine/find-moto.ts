import path from 'node:path';
import { cached } from './cache';
import { LocalAwsError, noMoto } from '../errors';
import { onPath } from './on-path';
import { runCommand } from './run-command';

/** The version that the tests run against; a moto_server on PATH may be another. */
const MOTO = 'moto[server]==5.2.1';
const MOTO_FOLDER = 'moto-5.2.1';

/** A start from a cold disk reads some 300 MB of Python; a warm one takes 0.4 s. */
const ANSWER_WITHIN_MS = 60_000;
/** The first use downloads some 60 MB of packages. */
const INSTALL_WITHIN_MS = 600_000;

export interface MotoCommand {
  /** Absolute path of the program. */
  readonly command: string;
  /** Arguments that come before moto_server's own. */
  readonly args: readonly string[];
}

type Attempt = (onProgress: (text: string) => void) => Promise<MotoCommand>;

/** In order of preference: what the user installed, what installs fastest, what is nearly always there. */
const ATTEMPTS: Record<string, Attempt> = {
  moto_server: installed,
  uv: withUv,
  pipx: withPipx,
  python3: withVenv,
};

/**
 * A command that runs moto_server, tried out: `moto_server` on PATH; else by uv or pipx, which fetch it; else
 * a virtual environment in the user's cache. A program that is on PATH but fails, such as a pyenv shim without
 * a version behind it, counts as missing.
 *
 * @param onProgress hears what takes long. @default - nobody
 * @throws LocalAwsError when nothing works
 */
export async function findMoto(onProgress: (text: string) => void = () => undefined): Promise<MotoCommand> {
  const reasons: string[] = [];
  for (const [program, attempt] of Object.entries(ATTEMPTS)) {
    try {
      return await attempt(onProgress);
    } catch (error) {
      if (error instanceof LocalAwsError) throw error;
      reasons.push(`${program}: ${(error as Error).message}`);
    }
  }
  throw noMoto(reasons.join('; '), MOTO);
}

async function installed(): Promise<MotoCommand> {
  return triedOut({ command: await existing('moto_server'), args: [] }, ANSWER_WITHIN_MS);
}

async function withUv(onProgress: (text: string) => void): Promise<MotoCommand> {
  const uv = await existing('uv');
  onProgress(`Fetching ${MOTO} with uv (only the first time takes long)`);
  // `uv tool run` is what the program uvx runs.
  return triedOut({ command: uv, args: ['tool', 'run', '--from', MOTO, 'moto_server'] }, INSTALL_WITHIN_MS);
}

async function withPipx(onProgress: (text: string) => void): Promise<MotoCommand> {
  const pipx = await existing('pipx');
  onProgress(`Fetching ${MOTO} with pipx (only the first time takes long)`);
  return triedOut({ command: pipx, args: ['run', '--spec', MOTO, 'moto_server'] }, INSTALL_WITHIN_MS);
}

async function withVenv(onProgress: (text: string) => void): Promise<MotoCommand> {
  const python = await existing('python3');
  const folder = await cached(MOTO_FOLDER, async (venv) => {
    onProgress(`Installing ${MOTO} with pip (once)`);
    await runCommand(python, ['-m', 'venv', venv], { timeoutMs: INSTALL_WITHIN_MS });
    const pip = ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '--quiet', MOTO];
    await runCommand(path.join(venv, 'bin', 'python'), pip, { timeoutMs: INSTALL_WITHIN_MS });
  });
  // Not bin/moto_server: its first line still names the folder that the environment was built in.
  return triedOut(
    { command: path.join(folder, 'bin', 'python'), args: ['-m', 'moto.server'] },
    ANSWER_WITHIN_MS,
  );
}

async function triedOut(moto: MotoCommand, timeoutMs: number): Promise<MotoCommand> {
  await runCommand(moto.command, [...moto.args, '-h'], { timeoutMs });
  return moto;
}

async function existing(program: string): Promise<string> {
  const found = await onPath(program);
  if (found === undefined) throw new Error('not on PATH');
  return found;
}
