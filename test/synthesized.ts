import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'cdktf';
import { context } from '../cdktf.json';
import { Synthesized } from '../constructs/test/synthesized';
import { environmentFiles, loadEnvironments, type Environment, type EnvironmentInput } from '../environments';
import { constructProblems } from '../stacks/app';
import { EnvironmentStack, type EnvironmentStackOptions } from '../stacks/environment-stack';

export const shipped: readonly Environment[] = loadEnvironments(undefined, constructProblems);

/** A shipped environment with its defaults, and with other fields where a test needs them. */
export function environment(
  name: 'dev' | 'qa' | 'prod',
  change: Partial<EnvironmentInput> = {},
): Environment {
  const file = `environments/${name}.ts`;
  const [loaded] = loadEnvironments({ [file]: { ...environmentFiles[file], ...change } }, constructProblems);
  if (!loaded) throw new Error(`${file} is no environment.`);
  return loaded;
}

const defaults: EnvironmentStackOptions = {
  stateFolder: '/state',
  root: join(__dirname, '..'),
  customEndpoint: false,
};

/** An environment as Terraform gets to read it; nothing is written. */
export function synthesized(
  environment: Environment,
  options: Partial<EnvironmentStackOptions> = {},
): Synthesized {
  const app = new App({ outdir: tmpdir(), stackTraces: false, context });
  return new Synthesized(new EnvironmentStack(app, environment, { ...defaults, ...options }));
}
