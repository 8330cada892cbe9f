import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const PACKAGE = join(__dirname, '..');

/** The program as it is installed, in a folder of its own. @returns the file */
export function buildProgram(): string {
  const outfile = join(mkdtempSync(join(tmpdir(), 'slipway-proxy-')), 'main.cjs');
  buildSync({
    entryPoints: [join(PACKAGE, 'src/main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    outfile,
  });
  return outfile;
}

export interface Program {
  readonly child: ChildProcess;
  /** All that it has written to stdout, and to stderr. */
  readonly output: { out: string; errors: string };
  /** The port that it tells. @throws when it ends before */
  readonly port: Promise<number>;
  /** Waits for its end. @returns the exit code, or the signal */
  readonly ended: Promise<number | string>;
}

/** Starts a program with nothing in its environment but what is given. */
export function start(command: string, args: readonly string[], env: Record<string, string> = {}): Program {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', errors: '' };
  const ended = once(child, 'exit').then(
    ([code, signal]: (number | string | null)[]) => code ?? signal ?? '',
  );
  const port = new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output.out += chunk.toString();
      const told = /"port":(\d+).*"msg":"listening"/.exec(output.out)?.[1];
      if (told !== undefined) resolve(Number(told));
    });
    child.stderr.on('data', (chunk: Buffer) => (output.errors += chunk.toString()));
    child.once('close', () => {
      reject(new Error(`It ended: ${output.errors}`));
    });
  });
  port.catch(() => undefined);
  return { child, output, port, ended };
}
