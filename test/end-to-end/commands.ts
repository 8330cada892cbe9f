import { $ } from 'zx';
import { cdktf } from '../../scripts/terraform';

export const quiet = (env: NodeJS.ProcessEnv) => $({ env, quiet: true, nothrow: true });

/** What a cdktf command that must fail says, on one line: Terraform breaks its lines where the terminal ends. */
export async function refusalOf(args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  const message = await cdktf(args, { env }).then(
    () => 'no refusal',
    (error: unknown) => (error as Error).message,
  );
  expect(message).not.toMatch(/\bat .*\.(cjs|js|ts):\d+/);
  return message.replace(/\s+/g, ' ');
}
