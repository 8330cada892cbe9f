import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  controlOf,
  localEnvironment,
  startLocalAws,
  terraformForThisMachine,
  type Control,
} from '@slipway/local-aws';
import type { Environment } from '../environments';
import { awsProviderVersion } from '../stacks/provider-version';
import { environmentNamed } from './environment-named';

/** What it takes to work on a local run, from any process. */
export interface LocalRunAccess {
  environment: Environment;
  /** Holds state, synthesized stacks and the Terraform CLI configuration. */
  folder: string;
  /** For commands of this run: as this process's, but without any AWS account of the user's. */
  env: NodeJS.ProcessEnv;
  /** What `env` adds; whoever sets these works on this run. Throw-away secrets are among them. */
  variables: Record<string, string>;
  /** The local AWS by plain HTTP. */
  plainEndpoint: string;
  /** moto itself, behind the front that decides. */
  motoEndpoint: string;
  /** The pair that may do everything. */
  administrator: { accessKeyId: string; secretAccessKey: string };
  /** What only the local AWS can do: GitHub's tokens, EC2's credentials, its decisions. */
  control: Control;
}

/** A local AWS in place of an environment's account, with state, output and secrets in a temporary folder of its own. */
export interface LocalRun extends LocalRunAccess {
  /** Of the local AWS. */
  pid: number;
  /** Terraform's version, and where the provider comes from. */
  tools: { terraform: string; provider: string };
  /** What went wrong inside the local AWS itself, from its log; empty when nothing did. */
  faults: () => string;
  /** Ends the local AWS and removes the folder. */
  stop: () => Promise<void>;
}

export interface LocalRunOptions {
  /** Name of the environment whose account and region the local AWS takes on. */
  environment: string;
  /** `detached` outlives this process. @default 'caller' */
  lifetime?: 'caller' | 'detached';
  onProgress?: (text: string) => void;
}

/** @throws LocalAwsError when a tool can't be had */
export async function startLocalRun({
  environment: name,
  lifetime,
  onProgress,
}: LocalRunOptions): Promise<LocalRun> {
  const environment = environmentNamed(name);
  const folder = mkdtempSync(join(tmpdir(), 'slipway-'));
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
  };
  // However the process comes to its end (short of kill -9), no state and no secret stays.
  if (lifetime !== 'detached') process.once('exit', remove);
  try {
    mkdirSync(join(folder, 'state'));
    mkdirSync(join(folder, 'tmp'));
    const machine = await terraformForThisMachine({
      folder,
      providerVersion: awsProviderVersion(),
      ...(onProgress && { onProgress }),
    });
    const aws = await startLocalAws({
      account: environment.account,
      region: environment.region,
      ...(lifetime && { lifetime }),
      ...(onProgress && { onProgress }),
    });
    const administrator = {
      accessKeyId: aws.variables.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: aws.variables.AWS_SECRET_ACCESS_KEY ?? '',
    };
    const variables = {
      ...aws.variables,
      ...machine.variables,
      CDKTF_OUTPUT: join(folder, 'cdktf.out'),
      SLIPWAY_STATE_DIR: join(folder, 'state'),
      ...secretsOf(environment),
    };
    return {
      environment,
      folder,
      variables,
      // Providers leave sockets there when they are killed.
      env: { ...localEnvironment(variables), TMPDIR: join(folder, 'tmp') },
      pid: aws.pid,
      motoEndpoint: aws.motoEndpoint,
      plainEndpoint: aws.plainEndpoint,
      administrator,
      control: controlOf({ endpoint: aws.endpoint, region: aws.region, ...administrator }),
      tools: { terraform: machine.terraform.version, provider: machine.mirror ?? 'registry.terraform.io' },
      faults: () => faultsIn(readFileSync(aws.logFile, 'utf8')),
      stop: async () => {
        await aws.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Answers of 500 and above, and the last line of each Python traceback: a call that moto lacks ends as NotImplementedError. */
function faultsIn(log: string): string {
  const lines = log.split('\n').filter((line) => /^\w*(Error|Exception)\b|" 5\d\d -/.test(line));
  return [...new Set(lines)].slice(-20).join('\n');
}

/** A random value for each secret parameter: nobody's real one is needed here. */
function secretsOf({ parameters }: Environment): Record<string, string> {
  return Object.fromEntries(
    parameters.flatMap((parameter) =>
      'secret' in parameter
        ? [[`TF_VAR_${parameter.secret.variable}`, `throw-away-${randomBytes(12).toString('hex')}`]]
        : [],
    ),
  );
}
