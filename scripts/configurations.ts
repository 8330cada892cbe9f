import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { OperatorError } from './errors';
import { REPOSITORY, synthesize } from './terraform';

/** Arguments of a resource or a data source; references to others stay `${…}`. */
export type Body = Readonly<Record<string, unknown>>;

/** An environment as Terraform reads it (Terraform, "JSON Configuration Syntax"). */
export interface Configuration {
  readonly environment: string;
  /** Resources by type and by name. */
  readonly resource: Readonly<Record<string, Readonly<Record<string, Body>>>>;
  readonly data: Readonly<Record<string, Readonly<Record<string, Body>>>>;
}

const blocks = z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown())));
const configurationShape = z.object({ resource: blocks.default({}), data: blocks.default({}) });

/**
 * Synthesizes every environment of a checkout, as `cdktf synth` does, and touches nothing in it.
 *
 * @param checkout with its packages installed. @default - this repository
 * @throws OperatorError when it can't be synthesized
 */
export async function synthesizedConfigurations(checkout = REPOSITORY): Promise<Configuration[]> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-synth-'));
  try {
    // Where state would be is made at synth, too.
    const env = { ...process.env, CDKTF_OUTPUT: folder, SLIPWAY_STATE_DIR: join(folder, 'state') };
    await synthesize(env, checkout);
    return readConfigurations(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * What `cdktf synth` wrote, by environment's name.
 *
 * @param folder such as `cdktf.out`
 * @throws OperatorError when there is nothing in it
 */
export function readConfigurations(folder: string): Configuration[] {
  try {
    const stacks = join(folder, 'stacks');
    return readdirSync(stacks)
      .sort()
      .map((environment) => ({
        environment,
        ...configurationShape.parse(
          JSON.parse(readFileSync(join(stacks, environment, 'cdk.tf.json'), 'utf8')),
        ),
      }));
  } catch (error) {
    throw new OperatorError(
      `${folder} is no output of cdktf synth (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}): run "npx cdktf synth" first.`,
    );
  }
}
