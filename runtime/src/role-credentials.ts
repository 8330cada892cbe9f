import { inspect } from 'node:util';
import { assumeRole, type Credentials, STS_TIMEOUTS, type StsTimeouts } from './assume-role';
import { externalIdUnused, noRole, refreshFailed } from './errors';
import { refreshing } from './refreshing';
import { type CredentialsProvider, type RoleCredentialsOptions, readSettings } from './settings';
import { sourceCredentials } from './source-credentials';

/**
 * Credentials of an IAM role that never run out, for any client of the AWS SDK v3.
 *
 *     const s3 = new S3Client({ credentials: roleCredentials() });
 *
 * The role comes from `AWS_ROLE_ARN` or from the options; every default stands at {@link RoleCredentialsOptions}.
 * Nothing is asked of AWS before the first use. Each provider has its own cache: make one and give it to
 * every client.
 *
 * - Concurrent callers share one AssumeRole call.
 * - In the last 5 minutes of a session the caller still gets its credentials at once, and the refresh runs
 *   behind it. If it fails, the old ones go on being served and the next try waits 30 to 45 seconds.
 * - In the last minute callers wait for the refresh, and get its error if it fails.
 * - One attempt at STS is given up after 5 seconds, all of them together after 15.
 *
 * Without a role the source credentials are handed on as they are, and one notice says so.
 *
 * When `AWS_WEB_IDENTITY_TOKEN_FILE` is set with `AWS_ROLE_ARN` (IRSA on EKS), the SDK's default chain would
 * itself take on that role, and assuming it once more from there is refused by most trust policies; so the
 * role is then taken on directly with the token (AssumeRoleWithWebIdentity), unless `sourceCredentials`,
 * `AWS_ACCESS_KEY_ID` or `AWS_PROFILE` names another source, or `roleArn` another role.
 *
 * @throws at once when an option or variable is malformed, naming every one that is. The provider itself
 * rejects with a `RoleCredentialsError`: what happened, to which role, what to do next, the SDK's error as
 * its `cause`; never a secret.
 * @see AssumeRole and AssumeRoleWithWebIdentity in the AWS Security Token Service API Reference
 */
export function roleCredentials(options: RoleCredentialsOptions = {}): CredentialsProvider {
  return credentialsProvider(options, { now: Date.now, stsTimeouts: STS_TIMEOUTS });
}

/** What tests replace: the clock (milliseconds since 1970) and how long STS may take. */
export interface World {
  readonly now: () => number;
  readonly stsTimeouts: StsTimeouts;
}

export function credentialsProvider(options: RoleCredentialsOptions, world: World): CredentialsProvider {
  const { role, region, source } = readSettings(options, process.env);
  const notice = unfailing(options.onNotice ?? console.warn);
  if (!role) {
    notice(noRole());
    return sourceCredentials(source, region);
  }
  if (role.webIdentityTokenFile !== undefined && role.externalId !== undefined) notice(externalIdUnused());

  const credentials = refreshing(() => assumeRole(role, world.stsTimeouts), {
    now: world.now,
    onFailedRefresh: (error, validUntil) => {
      notice(refreshFailed(role.arn, validUntil, error));
    },
  });
  return async (request) => handedOut(await credentials({ force: request?.forceRefresh === true }));
}

/** A copy for each caller, so that none can alter another's; `console.log` of it shows no secret. */
function handedOut(credentials: Credentials): Credentials {
  const copy = { ...credentials, expiration: new Date(credentials.expiration) };
  const shown = `Credentials { accessKeyId: '${copy.accessKeyId}', expiration: ${copy.expiration.toISOString()} }`;
  return Object.defineProperty(copy, inspect.custom, { value: () => shown });
}

/** A notice must not break what it reports on. */
function unfailing(onNotice: (message: string) => void): (message: string) => void {
  return (message) => {
    try {
      onNotice(message);
    } catch {
      // Whoever listens has a fault of its own; credentials are handed out all the same.
    }
  };
}
