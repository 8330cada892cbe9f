import { assumeRole, type Sts, STS_TIMEOUTS } from './assume-role';
import { type Credentials, handingOut } from './credentials';
import { externalIdUnused, noRole, RoleCredentialsError } from './errors';
import { tell, unfailing } from './events';
import { type Clock, refreshing } from './refreshing';
import {
  type Caller,
  PROCESS_SESSIONS,
  type Session,
  sessionKey,
  sessionOf,
  type Sessions,
  sourceKey,
} from './sessions';
import {
  type CredentialsProvider,
  type Role,
  type RoleCredentialsOptions,
  readSettings,
  type SourceCredentials,
} from './settings';
import { sourceCredentials } from './source-credentials';

/** What `roleCredentials` gives: a provider for any client of the AWS SDK v3, and one thing more. */
export interface RoleCredentialsProvider {
  /**
   * @throws RoleCredentialsError when there is nothing valid to give, or `abortSignal`'s reason
   */
  (request?: CredentialsRequest): ReturnType<CredentialsProvider>;
  /**
   * Says that a service refused these credentials: the next caller waits for new ones. Without effect when
   * they aren't the current ones any more, for 10 seconds after the last time, and without a role.
   * @returns whether they will be renewed
   */
  invalidate(refused: { readonly accessKeyId: string }): boolean;
}

export interface CredentialsRequest {
  /** Takes on the role again although the credentials are valid. @default false */
  readonly forceRefresh?: boolean;
  /** Ends this caller's wait; others that wait for the same call go on. */
  readonly abortSignal?: AbortSignal;
  /** Set by the SDK. */
  readonly callerClientConfig?: { readonly region?: () => Promise<string> };
}

/**
 * Credentials of an IAM role that never run out, for any client of the AWS SDK v3.
 *
 *     const s3 = new S3Client({ credentials: roleCredentials() });
 *
 * The role comes from `AWS_ROLE_ARN` or from the options; every default stands at {@link RoleCredentialsOptions}.
 * Nothing is asked of AWS before the first use. Providers of one process that ask for the same thing (source
 * and every input) share one session, and one call to STS.
 *
 * - In the advisory window (the last 5 minutes of a session of up to 20, 15 of up to 90, 60 of a longer one; a
 *   fifth shorter at most) the caller still gets its credentials at once, and the refresh runs behind it.
 * - If it fails, the valid ones go on being served; the next try waits 5 to 10 minutes (a third to two thirds
 *   of a 5-minute window), and comes before the last minute in any case.
 * - In the last minute callers wait for the refresh. If it fails too, what is valid is served to the end.
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
 * rejects with a {@link RoleCredentialsError}.
 * @see AssumeRole and AssumeRoleWithWebIdentity in the AWS Security Token Service API Reference
 */
export function roleCredentials(options: RoleCredentialsOptions = {}): RoleCredentialsProvider {
  return credentialsProvider(options, PROCESS);
}

/** What tests replace. */
export interface World {
  readonly clock: Clock;
  readonly sts: Sts;
  readonly sessions: Sessions;
}

const PROCESS: World = {
  clock: { wall: Date.now, monotonic: performance.now.bind(performance) },
  sts: { timeouts: STS_TIMEOUTS },
  sessions: PROCESS_SESSIONS,
};

export function credentialsProvider(options: RoleCredentialsOptions, world: World): RoleCredentialsProvider {
  const { roles, region, source } = readSettings(options, process.env);
  const onNotice = unfailing(options.onNotice ?? console.warn);
  const [first, ...others] = roles;
  if (!first) {
    sayOnce(options.onNotice ?? console.warn, noRole());
    const handedOn = sourceCredentials(source, region);
    return Object.assign((request?: CredentialsRequest) => handedOn(request), { invalidate: () => false });
  }
  if (first.webIdentityTokenFile !== undefined && first.input.ExternalId !== undefined) {
    onNotice(externalIdUnused());
  }

  const listeners = { onNotice, onEvent: unfailing(options.onEvent ?? (() => undefined)) };
  const session = lastSession([first, ...others], source, world);
  const handedOut = handingOut();
  let shared = session();
  const provider = (request?: CredentialsRequest): Promise<Credentials> => {
    const force = request?.forceRefresh === true;
    const warm = force ? undefined : shared.warm();
    if (warm) return handedOut(warm);
    // It may have been forgotten and made anew for others since.
    shared = session();
    const caller = { ...listeners, clientRegion: request?.callerClientConfig?.region };
    return shared.get({ force, abortSignal: request?.abortSignal, caller }).then(handedOut);
  };
  return Object.assign(provider, {
    // Else the SDK's clients keep a copy of their own to 5 minutes before its end, and then make callers wait.
    memoized: true,
    invalidate: (refused: { readonly accessKeyId: string }) =>
      session().invalidate((current) => current.accessKeyId === refused.accessKeyId),
  });
}

/** The session of the last role; each is taken on by the one before it, the first by the source. */
function lastSession(
  [first, ...others]: readonly [Role, ...Role[]],
  source: SourceCredentials | undefined,
  world: World,
): () => Session {
  let last = linked(first, sourceKey(source, process.env), () => source, world);
  for (const role of others) {
    const before = last;
    last = linked(role, before.key, (caller) => () => before.session().get({ caller }), world);
  }
  return last.session;
}

/** A role's session, found or made at each use; its key holds what it is taken on from. */
function linked(
  role: Role,
  sourceKey: string,
  sourceFor: (caller: Caller) => SourceCredentials | undefined,
  { clock, sts, sessions }: World,
): { key: string; session: () => Session } {
  const key = sessionKey(sourceKey, role);
  const fetch = (caller: Caller) =>
    assumeRole(role, { source: sourceFor(caller), clientRegion: caller.clientRegion }, sts);
  const make = () =>
    refreshing(fetch, {
      clock,
      isPermanent,
      onOutcome: (outcome, caller) => {
        tell(outcome, role.input, caller);
      },
    });
  return { key, session: () => sessionOf(sessions, key, make) };
}

function isPermanent(error: unknown): boolean {
  return error instanceof RoleCredentialsError && error.isPermanent;
}

const told = new WeakSet<object>();

function sayOnce(onNotice: (message: string) => void, message: string): void {
  if (told.has(onNotice)) return;
  told.add(onNotice);
  unfailing(onNotice)(message);
}
