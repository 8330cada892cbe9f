import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { $ } from 'zx';
import { commandFailed } from '../errors';
import { plain, stackFolder, terraform, type Variables } from '../terraform';

const REPOSITORY = join(__dirname, '..', '..');

/**
 * Plans an environment as its sources are now. Takes no lock: it changes nothing, and must not stand in a deploy's way.
 *
 * @returns what `terraform show -json` says; it holds the state's secrets
 * @throws OperatorError with what Terraform said
 */
export async function makePlan(environment: string, env: Variables = process.env): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-plan-'));
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
  };
  const end = () => process.exit(130);
  process.once('exit', remove);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  try {
    const file = join(folder, 'plan');
    await synthesize(environment, env);
    const run = async (command: string, ...args: string[]) => {
      const { exitCode, stdout, stderr } = await terraform(environment, [command, '-no-color', ...args], {
        env,
      });
      if (exitCode !== 0) throw commandFailed(`terraform ${command} of ${environment}`, unboxed(stderr));
      return stdout;
    };
    await run('init', '-input=false');
    await run('plan', '-input=false', '-lock=false', `-out=${file}`);
    return await run('show', '-json', file);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
    process.off('exit', remove);
    remove();
  }
}

/** As `cdktf synth` does, without the seconds that cdktf itself takes. */
async function synthesize(environment: string, env: Variables): Promise<void> {
  const app = await $({
    cwd: REPOSITORY,
    env: { ...env, CDKTF_OUTDIR: join(stackFolder(environment, env), '..', '..') },
    quiet: true,
    nothrow: true,
  })`${process.execPath} ${join('stacks', 'run.cjs')}`;
  if (app.exitCode !== 0) throw commandFailed('cdktf synth', app.stderr);
}

function unboxed(text: string): string {
  return plain(text)
    .replace(/^[╷│╵] ?/gm, '')
    .replace(/\n{3,}/g, '\n\n');
}
