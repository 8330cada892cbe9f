import { resolve } from 'node:path';
import { App } from 'cdktf';
import { dockerHostProblems } from '@slipway/constructs';
import type { Environment, Problem } from '../environments';
import { selectWorkspace } from './backend';
import { names } from './names';
import { EnvironmentStack, type EnvironmentStackOptions } from './environment-stack';

/** Synthesizes every environment into cdktf's output folder. */
export function synthesize(environments: Environment[], options: EnvironmentStackOptions): void {
  const app = new App();
  for (const environment of environments) new EnvironmentStack(app, environment, options);
  app.synth();
  for (const environment of environments) {
    selectWorkspace(resolve(app.outdir, 'stacks', environment.name), environment, options.stateFolder);
  }
}

/** What the constructs know to be wrong, in the words of an environment's file. */
export function constructProblems(environment: Environment): Problem[] {
  return environment.dockerHosts.flatMap((host, index) => [
    ...dockerHostProblems(host, `dockerHosts[${index}].`),
    ...takenRoleName(environment, host.name, `dockerHosts[${index}].name`),
  ]);
}

/** A host's role is called as the host is, and could meet one of the environment's own. */
function takenRoleName(environment: Environment, host: string, path: string): Problem[] {
  const { dockerHost, serviceRole, pushRole, deployRole, broker, projectRole } = names(environment);
  const taken = [
    pushRole,
    deployRole,
    broker,
    ...Object.keys(environment.services).map(serviceRole),
    ...Object.keys(environment.broker?.projects ?? {}).map(projectRole),
  ];
  return taken.includes(dockerHost(host))
    ? [
        {
          path,
          value: host,
          expected: `another name: the role ${dockerHost(host)} exists for another purpose`,
        },
      ]
    : [];
}

/** What the machine says: where the state is, and whether AWS is really AWS. */
export function optionsFromMachine(env: NodeJS.ProcessEnv = process.env): EnvironmentStackOptions {
  return {
    stateFolder: resolve(env.SLIPWAY_STATE_DIR ?? 'terraform.tfstate.d'),
    // cdktf runs the app where its cdktf.json is.
    root: resolve('.'),
    customEndpoint: Boolean(env.AWS_ENDPOINT_URL),
  };
}
