import { readFile } from 'node:fs/promises';
import type { AssumeRoleCommandOutput, STSClient, STSClientConfig } from '@aws-sdk/client-sts';
import type { Credentials } from './credentials';
import {
  assumeRoleFailed,
  emptyAnswer,
  expiredAnswer,
  noAnswer,
  noRegion,
  RoleCredentialsError,
  sourceFailed,
} from './errors';
import { withoutSecrets } from './safe-cause';
import type { CredentialsProvider, Role, SourceCredentials } from './settings';
import { sourceCredentials } from './source-credentials';

type AwsCredentialIdentity = Awaited<ReturnType<CredentialsProvider>>;

export interface StsTimeouts {
  /** Milliseconds until a connection stands. */
  readonly connectionMs: number;
  /** Milliseconds until one attempt is answered; the SDK makes up to 3. */
  readonly attemptMs: number;
  /** Milliseconds for all attempts together, and the same again for the source credentials before them. */
  readonly totalMs: number;
}

/** STS answers in well under a second; a caller in the last minute must know before its credentials run out. */
export const STS_TIMEOUTS: StsTimeouts = { connectionMs: 2000, attemptMs: 5000, totalMs: 15_000 };

/** A clock that is off by less than this is covered by the minute in which callers already wait. */
const TOLERATED_CLOCK_SKEW_MS = 30_000;

/** How STS is asked. */
export interface Sts {
  readonly timeouts: StsTimeouts;
  /** @default - the SDK's own, over HTTPS */
  readonly requestHandler?: STSClientConfig['requestHandler'];
}

/** Who asks for the role. */
export interface Asker {
  /** `undefined` stands for the SDK's default chain. */
  readonly source: SourceCredentials | undefined;
  /** Used when neither the role nor the environment says the region. */
  readonly clientRegion?: (() => Promise<string>) | undefined;
}

/**
 * Takes on the role, once: AssumeRole with the source credentials, or AssumeRoleWithWebIdentity.
 *
 * Clients are made here and dropped again: the SDK's import costs a service nothing before the first use,
 * source credentials are read afresh each time, and no socket stays open for the hour in between.
 *
 * @throws RoleCredentialsError
 */
export async function assumeRole(role: Role, asker: Asker, sts: Sts): Promise<Credentials> {
  const { timeouts, requestHandler } = sts;
  const roleArn = role.input.RoleArn;
  const proof = await proofOf(role, asker, timeouts);
  const { STSClient } = await import('@aws-sdk/client-sts');
  const client = new STSClient({
    region: role.region,
    credentials: proof.credentials,
    requestHandler: requestHandler ?? {
      connectionTimeout: timeouts.connectionMs,
      requestTimeout: timeouts.attemptMs,
      throwOnRequestTimeout: true,
    },
  });
  try {
    await client.config.region().catch((error: unknown) => {
      if (!asker.clientRegion) throw noRegion(roleArn, withoutSecrets(error));
      client.config.region = asker.clientRegion;
    });
    const answer = await within(timeouts.totalMs, (signal) => sent(client, role, proof, signal)).catch(
      (error: unknown) => {
        throw assumeRoleFailed(
          role.input,
          proof.webIdentityToken !== undefined,
          withoutSecrets(error, proof.secrets),
        );
      },
    );
    return credentialsOf(answer, roleArn, client.config.systemClockOffset);
  } finally {
    client.destroy();
  }
}

/** By what STS knows who asks: credentials to sign with, or a token. */
interface Proof {
  readonly credentials?: AwsCredentialIdentity;
  readonly webIdentityToken?: string;
  /** What the call carries and no error may show. */
  readonly secrets: readonly string[];
}

/** Its errors are the source's, not to be taken for the role's; a role before this one has said its own already. */
async function proofOf(role: Role, { source }: Asker, timeouts: StsTimeouts): Promise<Proof> {
  const { webIdentityTokenFile, input } = role;
  try {
    if (webIdentityTokenFile !== undefined) {
      // Read for each call: the kubelet replaces the token while the pod runs.
      const token = (await readFile(webIdentityTokenFile, 'utf8')).trim();
      return { webIdentityToken: token, secrets: [token] };
    }
    const credentials = await within(timeouts.totalMs, () => sourceCredentials(source, role.region)());
    return {
      credentials,
      secrets: [credentials.secretAccessKey, credentials.sessionToken ?? '', input.ExternalId ?? ''],
    };
  } catch (error) {
    if (error instanceof RoleCredentialsError) throw error;
    throw sourceFailed(input.RoleArn, withoutSecrets(error));
  }
}

async function sent(client: STSClient, role: Role, proof: Proof, abortSignal: AbortSignal): Promise<Answer> {
  const { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand } = await import('@aws-sdk/client-sts');
  const { webIdentityToken } = proof;
  if (webIdentityToken === undefined) {
    return client.send(new AssumeRoleCommand(role.input), { abortSignal });
  }
  const { RoleArn, RoleSessionName, DurationSeconds, Policy, PolicyArns } = role.input;
  return client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn,
      RoleSessionName,
      DurationSeconds,
      Policy,
      PolicyArns,
      WebIdentityToken: webIdentityToken,
    }),
    { abortSignal },
  );
}

type Answer = Pick<AssumeRoleCommandOutput, 'Credentials'>;

/** `clockOffset`: how far STS's clock is ahead of ours in milliseconds, as the SDK measured it on this call. */
function credentialsOf({ Credentials: given }: Answer, roleArn: string, clockOffset: number): Credentials {
  if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken || !given.Expiration) {
    throw emptyAnswer(roleArn);
  }
  const skew = Math.abs(clockOffset) > TOLERATED_CLOCK_SKEW_MS ? clockOffset : 0;
  const expiration = new Date(given.Expiration.getTime() - skew);
  if (!(expiration.getTime() > Date.now())) throw expiredAnswer(roleArn, expiration);
  return {
    accessKeyId: given.AccessKeyId,
    secretAccessKey: given.SecretAccessKey,
    sessionToken: given.SessionToken,
    expiration,
  };
}

/** Rejects after `ms` whatever `work` does, and tells it to stop. */
async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(noAnswer(ms));
      controller.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
