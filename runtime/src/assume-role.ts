import { readFile } from 'node:fs/promises';
import type { AssumeRoleCommandOutput, STSClient } from '@aws-sdk/client-sts';
import { assumeRoleFailed, emptyAnswer, noAnswer, noRegion, sourceFailed } from './errors';
import { withoutSecrets } from './safe-cause';
import type { CredentialsProvider, Role } from './settings';
import { sourceCredentials } from './source-credentials';

type AwsCredentialIdentity = Awaited<ReturnType<CredentialsProvider>>;

/** One whole set: never parts of two answers. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** By this machine's clock. */
  readonly expiration: Date;
}

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

/**
 * Takes on the role, once: AssumeRole with the source credentials, or AssumeRoleWithWebIdentity.
 *
 * Clients are made here and dropped again: the SDK's import costs a service nothing before the first use,
 * source credentials are read afresh each time, and no socket stays open for the hour in between.
 *
 * @throws RoleCredentialsError
 */
export async function assumeRole(role: Role, timeouts: StsTimeouts): Promise<Credentials> {
  const proof = await proofOf(role, timeouts);
  const { STSClient } = await import('@aws-sdk/client-sts');
  const client = new STSClient({
    region: role.region,
    credentials: proof.credentials,
    requestHandler: {
      connectionTimeout: timeouts.connectionMs,
      requestTimeout: timeouts.attemptMs,
      throwOnRequestTimeout: true,
    },
  });
  try {
    await client.config.region().catch((error: unknown) => {
      throw noRegion(role.arn, withoutSecrets(error));
    });
    const answer = await within(timeouts.totalMs, (signal) => sent(client, role, proof, signal)).catch(
      (error: unknown) => {
        throw assumeRoleFailed(role.arn, withoutSecrets(error, proof.secrets));
      },
    );
    return credentialsOf(answer, role.arn, client.config.systemClockOffset);
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

/** Its errors are the source's, not to be taken for the role's. */
async function proofOf(role: Role, timeouts: StsTimeouts): Promise<Proof> {
  const { webIdentityTokenFile } = role;
  try {
    if (webIdentityTokenFile !== undefined) {
      // Read for each call: the kubelet replaces the token while the pod runs.
      const token = (await readFile(webIdentityTokenFile, 'utf8')).trim();
      return { webIdentityToken: token, secrets: [token] };
    }
    const credentials = await within(timeouts.totalMs, () => sourceCredentials(role.source, role.region)());
    return { credentials, secrets: [credentials.secretAccessKey, credentials.sessionToken ?? ''] };
  } catch (error) {
    throw sourceFailed(role.arn, withoutSecrets(error));
  }
}

async function sent(client: STSClient, role: Role, proof: Proof, abortSignal: AbortSignal): Promise<Answer> {
  const { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand } = await import('@aws-sdk/client-sts');
  const input = {
    RoleArn: role.arn,
    RoleSessionName: role.sessionName,
    DurationSeconds: role.durationSeconds,
  };
  if (proof.webIdentityToken !== undefined) {
    const command = new AssumeRoleWithWebIdentityCommand({
      ...input,
      WebIdentityToken: proof.webIdentityToken,
    });
    return client.send(command, { abortSignal });
  }
  return client.send(new AssumeRoleCommand({ ...input, ExternalId: role.externalId }), { abortSignal });
}

type Answer = Pick<AssumeRoleCommandOutput, 'Credentials'>;

/** `clockOffset`: how far STS's clock is ahead of ours in milliseconds, as the SDK measured it on this call. */
function credentialsOf({ Credentials: given }: Answer, roleArn: string, clockOffset: number): Credentials {
  if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken || !given.Expiration) {
    throw emptyAnswer(roleArn);
  }
  const skew = Math.abs(clockOffset) > TOLERATED_CLOCK_SKEW_MS ? clockOffset : 0;
  return {
    accessKeyId: given.AccessKeyId,
    secretAccessKey: given.SecretAccessKey,
    sessionToken: given.SessionToken,
    expiration: new Date(given.Expiration.getTime() - skew),
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
