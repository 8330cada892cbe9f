import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { $, type ProcessPromise } from 'zx';
import { commandFailed } from './errors';

/** The repository; cdktf runs where its cdktf.json is. */
export const REPOSITORY = join(__dirname, '..');

/** Commands that are under way. */
const running = new Set<ProcessPromise>();

/** Ends every command that is under way, at once: for a local AWS that goes away, never for a real one. */
export async function killRunning(): Promise<void> {
  await Promise.all([...running].map((command) => command.kill('SIGKILL')));
}

/** Variables for a command, as `process.env` holds them. */
export type Variables = Record<string, string | undefined>;

export interface CommandOptions {
  /** @default - this process's */
  env?: Variables;
  /** Hears each line as it comes, without colours. @default - nobody */
  onLine?: (line: string) => void;
}

/**
 * Runs `cdktf` of this repository.
 *
 * @throws OperatorError with the errors that it printed
 */
export async function cdktf(
  args: string[],
  { env = process.env, onLine }: CommandOptions = {},
): Promise<string> {
  const process = $({
    cwd: REPOSITORY,
    env,
    quiet: true,
    nothrow: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })`${join(REPOSITORY, 'node_modules', '.bin', 'cdktf')} ${args}`;
  const result = await listen(process, onLine);
  if (result.exitCode !== 0) throw commandFailed(`cdktf ${args.join(' ')}`, errorsIn(plain(result.stdall)));
  return plain(result.stdout);
}

/**
 * Synthesizes every environment of a checkout into its output folder: as `cdktf synth` does, without the seconds that
 * cdktf itself takes.
 *
 * @param checkout with its packages installed. @default - this repository
 * @throws OperatorError when it can't be synthesized
 */
export async function synthesize(env: Variables = process.env, checkout = REPOSITORY): Promise<void> {
  const app = await $({
    cwd: checkout,
    env: { ...env, CDKTF_OUTDIR: outputFolder(env) },
    quiet: true,
    nothrow: true,
  })`${process.execPath} ${join(checkout, 'stacks', 'run.cjs')}`;
  if (app.exitCode !== 0) throw commandFailed('cdktf synth', app.stderr);
}

/** Synthesizes an environment as its sources are now, and lets Terraform know where its state is. */
export async function initialize(environment: string, options: CommandOptions = {}): Promise<void> {
  await synthesize(options.env);
  const init = await terraform(environment, ['init', '-input=false', '-no-color'], options);
  if (init.exitCode !== 0) throw commandFailed('terraform init', errorsIn(init.stdall));
}

/** For a fresh clone: the state may be elsewhere (S3) or older than this folder. */
export async function initializeOnce(environment: string, options: CommandOptions = {}): Promise<void> {
  const folder = stackFolder(environment, options.env ?? process.env);
  if (!existsSync(join(folder, '.terraform', 'terraform.tfstate'))) await initialize(environment, options);
}

/** Runs `terraform` in the folder that cdktf synthesized for an environment, in that environment's workspace and no other. */
export async function terraform(
  environment: string,
  args: string[],
  { env = process.env }: CommandOptions = {},
) {
  const folder = stackFolder(environment, env);
  // These two of the shell's would beat the folder's own workspace.
  const own = { ...env, TF_WORKSPACE: environment, TF_DATA_DIR: undefined, TF_IN_AUTOMATION: '1' };
  return await listen(
    $({
      cwd: folder,
      env: own,
      quiet: true,
      nothrow: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })`terraform ${args}`,
  );
}

/** Outputs of a deployed environment by name; empty where nothing is deployed. Secrets among them: never print them. */
export async function terraformOutputs(
  environment: string,
  options: CommandOptions = {},
): Promise<Record<string, unknown>> {
  await initializeOnce(environment, options);
  const result = await terraform(environment, ['output', '-json', '-no-color'], options);
  if (result.exitCode !== 0) throw commandFailed('terraform output', errorsIn(result.stderr));
  const outputs = JSON.parse(result.stdout) as Record<string, { value: unknown }>;
  return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
}

/** cdktf's output folder is its option --output, which it also takes from CDKTF_OUTPUT. */
export function outputFolder(env: Variables): string {
  return resolve(REPOSITORY, env.CDKTF_OUTPUT ?? 'cdktf.out');
}

export function stackFolder(environment: string, env: Variables): string {
  return join(outputFolder(env), 'stacks', environment);
}

/** Text as a terminal without colours and cursor movements would show it. */
export function plain(text: string): string {
  return text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '');
}

async function listen(process: ProcessPromise, onLine?: (line: string) => void) {
  if (onLine) {
    let rest = '';
    process.stdout.on('data', (chunk: Buffer) => {
      const lines = plain(rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    });
  }
  running.add(process);
  try {
    return await process;
  } finally {
    running.delete(process);
  }
}

/** The errors among the lines of cdktf and Terraform, each once; all lines where there is none. */
function errorsIn(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.replace(/^(\w+\s+)?\s*[│╷╵]\s?/, '').trimEnd())
    .filter(
      (line, index, all) =>
        line.trim() !== '' && line !== all[index - 1] && !/^\s*\d+ Stacks? |^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] /.test(line),
    );
  const first = lines.findIndex((line) => /\bError:|ERROR/.test(line));
  return (first < 0 ? lines.slice(-40) : [...new Set(lines.slice(first))].slice(0, 60)).join('\n');
}
