import { execFile } from 'node:child_process';

export interface CommandOptions {
  /** Killed when it takes longer, in milliseconds. */
  timeoutMs: number;
  /** @default - the environment of this process */
  env?: NodeJS.ProcessEnv;
}

/**
 * Runs a program to its end, without a shell and without input.
 *
 * @returns its standard output
 * @throws an Error whose message is one line: the last of its error output, or how it ended
 */
export function runCommand(command: string, args: string[], options: CommandOptions): Promise<string> {
  const { timeoutMs, env = process.env } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { timeout: timeoutMs, killSignal: 'SIGKILL', env, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else
          reject(
            new Error(error.killed === true ? `no end within ${timeoutMs / 1000} s` : reason(stderr, error)),
          );
      },
    );
    child.stdin?.end();
  });
}

function reason(stderr: string, error: Error & { code?: string | number | null }): string {
  const lastLine = stderr.trim().split('\n').at(-1)?.trim();
  return lastLine !== undefined && lastLine !== '' ? lastLine : `ended with ${error.code ?? error.message}`;
}
