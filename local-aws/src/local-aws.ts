import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { controlOf, type Control } from './control';
import { invalidAccount, LocalAwsError, notStarted } from './errors';
import type { AccessKey } from './front/authentication/credentials';
import { CONFIGURATION_VARIABLE, DECISIONS_FILE, MOTO_LOG_FILE, REPORT_FILE } from './front/report';
import type { FrontConfiguration, FrontReport } from './front/report';
import { findMoto } from './machine/find-moto';
import { keep, type Kept } from './process/keeper';
import { NO_AWS_FILES } from './process/no-aws-files';

/** moto's own default, and the account of AWS's documentation. */
const DEFAULT_ACCOUNT = '123456789012';
const DEFAULT_REGION = 'eu-west-1';
const READY_WITHIN_MS = 120_000;
const POLL_MS = 20;

export interface LocalAwsOptions {
  /** 12 digits. @default '123456789012' */
  readonly account?: string;
  /** Further accounts that get an administrator, for what crosses accounts. @default - none */
  readonly otherAccounts?: readonly string[];
  /** @default 'eu-west-1' */
  readonly region?: string;
  /**
   * `caller`: it ends with this process at the latest, however that ends (kill -9 too). `detached`: it
   * outlives this process until `stop()` or `kill <pid>`.
   *
   * @default 'caller'
   */
  readonly lifetime?: 'caller' | 'detached';
  /** Hears what takes long, one line a call. @default - nobody */
  readonly onProgress?: (text: string) => void;
}

export interface LocalAws extends Control {
  /** `http://127.0.0.1:PORT`; a request to it counts as one over TLS. */
  readonly endpoint: string;
  /** The same AWS, by a way in that counts as plain HTTP. */
  readonly plainEndpoint: string;
  /** moto itself, behind the front and past all checks: to measure what the front costs. */
  readonly motoEndpoint: string;
  readonly account: string;
  readonly region: string;
  /** The pairs that may do everything, by account. */
  readonly administrators: Readonly<Record<string, AccessKey>>;
  /** What a person passes to `kill` to end it. */
  readonly pid: number;
  /** What the AWS SDKs, the aws CLI and Terraform need to be the administrator; see `localEnvironment`. */
  readonly variables: Record<string, string>;
  /** Every request that reached moto, one a line; a call that moto lacks shows as NotImplementedError. Removed at the end. */
  readonly logFile: string;
  /** Every decision, one line of JSON each; see `decisions()`. Removed at the end. */
  readonly decisionsFile: string;
  /** Ends it and returns when its processes are gone and its files are removed. May be called twice. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts an AWS on this machine, on free ports of 127.0.0.1, and waits until it answers: moto, behind a front that
 * decides access as AWS does.
 *
 * It does not keep the caller from ending, and installs no signal handlers.
 *
 * @example
 * const aws = await startLocalAws({ account: '111122223333' });
 * execFileSync('aws', ['s3', 'ls'], { env: localEnvironment(aws.variables) });
 * await aws.stop();
 *
 * @throws LocalAwsError when moto can't be had, or it does not start: then with the end of its log
 */
export async function startLocalAws(options: LocalAwsOptions = {}): Promise<LocalAws> {
  const {
    account = DEFAULT_ACCOUNT,
    otherAccounts = [],
    region = DEFAULT_REGION,
    lifetime = 'caller',
    onProgress,
  } = options;
  for (const each of [account, ...otherAccounts]) if (!/^\d{12}$/.test(each)) throw invalidAccount(each);
  const moto = await findMoto(onProgress);
  onProgress?.('Starting the local AWS');
  const kept = await keep(frontCommand(), (folder) =>
    frontEnvironment({ account, otherAccounts, region, moto, folder }),
  );
  const ready = await untilReady(kept);
  kept.release(lifetime === 'detached');
  const { endpoint, plainEndpoint, motoEndpoint, pid, administrators } = ready;
  onProgress?.(`The local AWS answers at ${endpoint}`);
  const administrator = administrators[account];
  if (administrator === undefined) throw new LocalAwsError('The local AWS made no administrator.');
  return {
    endpoint,
    plainEndpoint,
    motoEndpoint,
    account,
    region,
    administrators,
    pid,
    variables: variablesFor(endpoint, region, administrator),
    logFile: path.join(kept.folder, MOTO_LOG_FILE),
    decisionsFile: path.join(kept.folder, DECISIONS_FILE),
    stop: kept.end,
    ...controlOf({ endpoint, region, ...administrator }),
  };
}

/** TypeScript as it is: this package is for demos and tests, and has no build. */
function frontCommand(): string[] {
  return [
    process.execPath,
    '--require',
    require.resolve('tsx/cjs'),
    path.join(__dirname, 'front', 'main.ts'),
  ];
}

function frontEnvironment(configuration: FrontConfiguration): NodeJS.ProcessEnv {
  return {
    ...localEnvironment(NO_AWS_FILES),
    // The SDK's notice of the end of Node 20's support is not for whoever uses this.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    [CONFIGURATION_VARIABLE]: JSON.stringify(configuration),
  };
}

async function untilReady(kept: Kept): Promise<Exclude<FrontReport, { error: string }>> {
  const deadline = Date.now() + READY_WITHIN_MS;
  const fail = async (what: string): Promise<never> => {
    const log = await kept.log();
    await kept.end();
    throw notStarted(what, log);
  };
  for (;;) {
    const ended = kept.hasEnded();
    const text = await readFile(path.join(kept.folder, REPORT_FILE), 'utf8').catch(() => undefined);
    if (text !== undefined) {
      const report = JSON.parse(text) as FrontReport;
      if (!('error' in report)) return report;
      await kept.end();
      throw new LocalAwsError(report.error);
    }
    if (ended) return fail('its process ended by itself');
    if (Date.now() > deadline) return fail(`it was not ready within ${READY_WITHIN_MS / 1000} s`);
    await sleep(POLL_MS);
  }
}

/**
 * The environment for a program that is to see the local AWS alone: what is inherited, without the user's
 * variables of AWS and Terraform. A profile, a session token or an AWS_ENDPOINT_URL_S3 could otherwise lead a call
 * to a real account, a TF_DATA_DIR or TF_CLI_ARGS to another state.
 *
 * @param inherited @default - the environment of this process
 */
export function localEnvironment(
  variables: Record<string, string>,
  inherited: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const others = Object.entries(inherited).filter(([name]) => !OTHERS_OWN.test(name));
  return { ...Object.fromEntries(others), ...variables };
}

/** A shared plugin cache changes nothing but the time that a run takes. */
const OTHERS_OWN = /^(AWS_|TF_(?!PLUGIN_CACHE_DIR$))/;

function variablesFor(endpoint: string, region: string, administrator: AccessKey): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: administrator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: administrator.secretAccessKey,
    // The SDKs read the one, the aws CLI v1 the other.
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    ...NO_AWS_FILES,
    CHECKPOINT_DISABLE: '1',
  };
}
