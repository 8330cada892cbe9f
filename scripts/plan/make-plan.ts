import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandFailed } from '../errors';
import { initialize, plain, terraform, type Variables } from '../terraform';

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
    await initialize(environment, { env });
    const run = async (command: string, ...args: string[]) => {
      const { exitCode, stdout, stderr } = await terraform(environment, [command, '-no-color', ...args], {
        env,
      });
      if (exitCode !== 0) throw commandFailed(`terraform ${command} of ${environment}`, unboxed(stderr));
      return stdout;
    };
    await run('plan', '-input=false', '-lock=false', `-out=${file}`);
    return await run('show', '-json', file);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
    process.off('exit', remove);
    remove();
  }
}

function unboxed(text: string): string {
  return plain(text)
    .replace(/^[╷│╵] ?/gm, '')
    .replace(/\n{3,}/g, '\n\n');
}
