import { setTimeout as sleep } from 'node:timers/promises';
import { notAllowed } from './problem';
import type { RoleMapping, RoleMappings } from './role-mappings';
import { isTagRefusal, type RoleSession, type TakeOnRole } from './role-sessions';
import { sessionName } from './session-name';
import type { Facts, Session, Sessions, User } from './sessions';
import { isTokenOf } from './tokens';

/** Credentials are fetched anew when less is left: botocore asks again with under 15 minutes. */
const RENEWED_MS = 20 * 60_000;
/** Credentials served at the least while STS is out of order. */
const LEAST_LEFT_MS = 60_000;
/** After a renewal that failed, what is valid is served for so long without another. */
const AFTER_FAILURE_MS = 15_000;
/** Credentials and users kept in memory at most. */
const MOST_KEPT = 50_000;

export interface Asked {
  sessionId: string;
  clusterName: string;
  projectId: string;
  token: string;
  /** As the node gave it. */
  roleSessionName: string;
}

export interface Issued {
  credentials: RoleSession;
  session: Session;
  roleArn: string;
  sessionName: string;
  /** Whether STS was asked for it now, by this request. */
  fresh: boolean;
}

interface Kept {
  /** Settled once STS has answered and the session was found to be still good. */
  pending: Promise<RoleSession>;
  value?: RoleSession;
  nextTry: number;
}

interface Options {
  sessions: Sessions;
  mappings: RoleMappings;
  takeOnRole: TakeOnRole;
  /** Waits for this process's turn to ask STS. */
  turn: () => Promise<void>;
}

/**
 * Issues credentials to jobs. A warm answer costs one read of DynamoDB and no write; a cold one adds STS's and, after
 * it, a second read: whoever was revoked meanwhile gets nothing.
 *
 * Credentials are kept in memory by session, role and name, so that a job of many processes makes one call to STS.
 */
export function issuer({ sessions, mappings, takeOnRole, turn }: Options) {
  const kept = new Map<string, Kept>();
  const usersOf = new Map<string, string>();

  return async function issue(asked: Asked): Promise<Issued> {
    const { sessionId, projectId } = asked;
    const knownUser = usersOf.get(sessionId);
    const facts = await sessions.facts({ sessionId, projectId, user: knownUser });
    const { session, mapping } = allowed(asked, facts);
    remember(usersOf, sessionId, session.clusterUser);
    const owner = { cluster: session.clusterName, user: session.clusterUser };
    const name = sessionName(owner, asked.roleSessionName);
    const key = JSON.stringify([sessionId, session.epoch, mapping.roleArn, name]);
    const held = kept.get(key);
    const value = held?.value;
    const now = Date.now();
    const isUsable =
      value !== undefined && value.issuedAt >= notBefore(facts) && value.expiresAt - now > LEAST_LEFT_MS;
    const isFresh =
      isUsable && (value.expiresAt - now > renewedWith(value) || (held !== undefined && now < held.nextTry));
    const told = (credentials: RoleSession, fresh: boolean) => ({
      credentials,
      session,
      roleArn: mapping.roleArn,
      sessionName: name,
      fresh,
    });
    if (isFresh) return told(value, false);

    const joined = held && held.value === undefined ? held : undefined;
    const flight = joined ?? fly(key, () => fetch(session, facts, mapping, name), value);
    try {
      const credentials = await flight.pending;
      // Whoever joined may know of a revocation that came after the others had started.
      return credentials.issuedAt < notBefore(facts) ? await issue(asked) : told(credentials, !joined);
    } catch (error) {
      if (!isUsable || isRefusal(error)) throw error;
      flight.nextTry = now + AFTER_FAILURE_MS;
      return told(value, false);
    }
  };

  /** One call to STS for all who ask meanwhile. */
  function fly(key: string, fetch: () => Promise<RoleSession>, before: RoleSession | undefined): Kept {
    const flight: Kept = { pending: fetch(), nextTry: 0 };
    remember(kept, key, flight);
    flight.pending.then(
      (value) => {
        flight.value = value;
      },
      () => {
        if (kept.get(key) !== flight) return;
        // What was there before is still good while STS is not.
        if (before) flight.value = before;
        else kept.delete(key);
      },
    );
    return flight;
  }

  async function fetch(
    session: Session,
    facts: Facts,
    mapping: RoleMapping,
    name: string,
  ): Promise<RoleSession> {
    const { sessionId, projectId, clusterUser: user, clusterName: cluster } = session;
    const { roleArn } = mapping;
    // Whoever revokes must know of the role before anything is issued there.
    if (roleArn !== session.roleArn) await sessions.addScope(user, { cluster, roleArn });
    for (let earliest = notBefore(facts); ; ) {
      await turn();
      await sleep(Math.max(0, earliest - Date.now()));
      const credentials = await takeOn(session, mapping, name);
      const now = await sessions.facts({ sessionId, projectId, user });
      if (!isStillGood(session, now)) throw notAllowed();
      if (notBefore(now) <= earliest) return credentials;
      earliest = notBefore(now);
    }
  }

  async function takeOn(session: Session, mapping: RoleMapping, name: string): Promise<RoleSession> {
    const { roleArn, sessionTags } = mapping;
    const request = { roleArn, sessionName: name };
    const tags = {
      project: session.projectId,
      user: session.clusterUser,
      session: session.sessionId,
    };
    if (!sessionTags) return takeOnRole({ ...request, tags: undefined });
    try {
      return await takeOnRole({ ...request, tags });
    } catch (error) {
      if (!isTagRefusal(error)) throw error;
      const credentials = await takeOnRole({ ...request, tags: undefined });
      await mappings.withoutTags(mapping);
      return credentials;
    }
  }
}

/** Who asks is the session's job, and the session is active. All else is told alike. */
function allowed(
  asked: Asked,
  { session, mapping, user }: Facts,
): { session: Session; mapping: RoleMapping } {
  const tokenIsRight = isTokenOf(session?.tokenDigest ?? '', asked.token);
  if (
    !session ||
    !mapping ||
    !tokenIsRight ||
    !isActive(session, user) ||
    session.clusterName !== asked.clusterName ||
    session.projectId !== asked.projectId
  )
    throw notAllowed();
  return { session, mapping };
}

/** The user's own count of revocations decides; the session's status may be behind. */
export function isActive(session: Session, user: User | undefined): boolean {
  return session.status === 'ACTIVE' && (user === undefined || user.epoch === session.epoch);
}

function isStillGood(before: Session, { session, user }: Facts): boolean {
  return (
    session !== undefined &&
    isActive(session, user) &&
    session.epoch === before.epoch &&
    session.tokenDigest === before.tokenDigest
  );
}

/** What was issued before may be revoked. Milliseconds since 1970. */
const notBefore = ({ user, mapping }: Facts) => Math.max(user?.notBefore ?? 0, mapping?.revokedBefore ?? 0);

const renewedWith = ({ expiresAt, issuedAt }: RoleSession) =>
  Math.min(RENEWED_MS, (expiresAt - issuedAt) / 3);

/** A decision about the session, and not a fault of AWS's. */
const isRefusal = (error: unknown) => (error as { status?: number }).status === 403;

/** Puts an entry last, and lets the one out that was put in longest ago. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MOST_KEPT) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
