import { randomBytes } from 'node:crypto';
import { invalidAccount } from './errors';
import { findMoto } from './find-moto';
import { startMoto } from './moto-server';
import { NO_AWS_FILES } from './no-aws-files';

/** moto's own default, and the account of AWS's documentation. */
const DEFAULT_ACCOUNT = '123456789012';
const DEFAULT_REGION = 'eu-west-1';

export interface LocalAwsOptions {
  /** 12 digits. @default '123456789012' */
  readonly account?: string;
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

export interface LocalAws {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly account: string;
  readonly region: string;
  /** What a person passes to `kill` to end it. */
  readonly pid: number;
  /** What the AWS SDKs, the aws CLI and Terraform need; see `localEnvironment`. */
  readonly variables: Record<string, string>;
  /** Every request, one a line; a call that moto lacks shows as NotImplementedError. Removed at the end. */
  readonly logFile: string;
  /** Ends it and returns when its process is gone and its files are removed. May be called twice. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts an AWS on this machine (moto), on a free port of 127.0.0.1, and waits until it answers.
 *
 * It does not keep the caller from ending, and installs no signal handlers.
 *
 * @example
 * const aws = await startLocalAws({ account: '111122223333' });
 * execFileSync('aws', ['s3', 'ls'], { env: localEnvironment(aws.variables) });
 * await aws.stop();
 *
 * @throws LocalAwsError when moto can't be had, or does not start: then with the end of its log
 */
export async function startLocalAws(options: LocalAwsOptions = {}): Promise<LocalAws> {
  const { account = DEFAULT_ACCOUNT, region = DEFAULT_REGION, lifetime = 'caller', onProgress } = options;
  if (!/^\d{12}$/.test(account)) throw invalidAccount(account);
  const command = await findMoto(onProgress);
  onProgress?.('Starting the local AWS');
  const moto = await startMoto({ command, account, detached: lifetime === 'detached' });
  onProgress?.(`The local AWS answers at ${moto.endpoint}`);
  return { ...moto, account, region, variables: variablesFor(moto.endpoint, region) };
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

function variablesFor(endpoint: string, region: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: `AKIA${randomBase32(16)}`,
    AWS_SECRET_ACCESS_KEY: randomBytes(30).toString('base64'),
    // The SDKs read the one, the aws CLI v1 the other.
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    ...NO_AWS_FILES,
    CHECKPOINT_DISABLE: '1',
  };
}

/** The alphabet of access key ids. */
function randomBase32(length: number): string {
  return Array.from(randomBytes(length), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(byte % 32)).join(
    '',
  );
}
