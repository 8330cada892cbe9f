import { setTimeout as sleep } from 'node:timers/promises';
import { notAllowed } from './problem';
import type { RoleMapping, RoleMappings } from './role-mappings';
import { isTagRefusal, type RoleSession, type TakeOnRole } from './role-sessions';
import { sessionName } from './session-name';
import type { Facts, Session, Sessions, User } from './sessions';
import { hitByNone, within } from './time';
import { isTokenOf } from './tokens';

/** Credentials are fetched anew when less is left: botocore asks again with under 15 minutes. */
const RENEWED_MS = 20 * 60_000;
/** Credentials served at the least while STS is slow or out of order. */
const LEAST_LEFT_MS = 60_000;
/** How long STS may take for others while what is held is still valid: an SDK asks with seconds' patience, or less. */
const PATIENCE_MS = 800;
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
  /** Whether nobody was given them before. */
  fresh: boolean;
}

/** A call to STS on its way. */
interface Flight {
  /** Settled once STS has answered and the session was found to be still good. */
  pending: Promise<RoleSession>;
  since: number;
}

interface Kept {
  value: RoleSession | undefined;
  flight: Flight | undefined;
  nextTry: number;
}

interface Options {
  sessions: Pick<Sessions, 'facts' | 'addScope'>;
  mappings: Pick<RoleMappings, 'withoutTags'>;
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
  const given = new WeakSet<RoleSession>();

  return async function issue(asked: Asked): Promise<Issued> {
    const { sessionId, projectId } = asked;
    const knownUser = usersOf.get(sessionId);
    const facts = ofUser(knownUser, await sessions.facts({ sessionId, projectId, user: knownUser }));
    const { session, mapping } = allowed(asked, facts);
    remember(usersOf, sessionId, session.clusterUser);
    const owner = { cluster: session.clusterName, user: session.clusterUser };
    const name = sessionName(owner, asked.roleSessionName);
    const told = (credentials: RoleSession): Issued => {
      const fresh = !given.has(credentials);
      given.add(credentials);
      return { credentials, session, roleArn: mapping.roleArn, sessionName: name, fresh };
    };
    // With the token: a job that was requeued must not hang on a call for the one before it.
    const key = JSON.stringify([sessionId, session.tokenDigest, session.epoch, mapping.roleArn, name]);
    const held = kept.get(key) ?? { value: undefined, flight: undefined, nextTry: 0 };
    const usable = usableOf(held, facts);
    if (usable && !isDue(held, usable)) return told(usable);

    const flight = held.flight ?? fly(key, held, fetch(session, facts, mapping, name));
    const credentials = usable ? await soon(flight) : await flight.pending;
    // While STS is slow or out of order, what is held is served, if it is still good by now. And whoever joined a call
    // may know of a revocation that came after the others had started.
    if (!credentials || credentials.issuedAt < notBefore(facts)) return issue(asked);
    return told(credentials);
  };

  /** One call to STS for all who ask meanwhile. */
  function fly(key: string, held: Kept, pending: Promise<RoleSession>): Flight {
    const flight = { pending, since: Date.now() };
    held.flight = flight;
    remember(kept, key, held);
    pending.then(
      (value) => {
        held.value = value;
        held.flight = undefined;
      },
      (error: unknown) => {
        held.flight = undefined;
        held.nextTry = Date.now() + AFTER_FAILURE_MS;
        // What was there before is still good while STS is not; not so where the session is no more.
        if (isRefusal(error)) held.value = undefined;
        if (!held.value && kept.get(key) === held) kept.delete(key);
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
      await until(hitByNone(earliest));
      const credentials = await takeOn(session, mapping, name);
      const now = await sessions.facts({ sessionId, projectId, user });
      if (!isStillGood(session, now)) throw notAllowed();
      if (credentials.issuedAt >= notBefore(now)) return credentials;
      earliest = notBefore(now);
    }
  }

  async function takeOn(session: Session, mapping: RoleMapping, name: string): Promise<RoleSession> {
    const { projectId, clusterName: cluster, clusterUser: user, sessionId } = session;
    const { roleArn, sessionTags } = mapping;
    const request = { roleArn, sessionName: name };
    const withoutTags = async () => {
      // Whoever revokes the session must know that here it can't be told from the user's others.
      await sessions.addScope(user, { cluster, roleArn, untagged: true });
      return takeOnRole({ ...request, tags: undefined });
    };
    if (!sessionTags) return withoutTags();
    try {
      return await takeOnRole({ ...request, tags: { project: projectId, user, session: sessionId } });
    } catch (error) {
      if (!isTagRefusal(error)) throw error;
      const credentials = await withoutTags();
      await mappings.withoutTags(mapping);
      return credentials;
    }
  }
}

/** An id can be another user's once the session before has ended: what was read of that user says nothing then. */
const ofUser = (user: string | undefined, facts: Facts): Facts =>
  facts.session?.clusterUser === user ? facts : { ...facts, user: undefined };

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

/** Nothing that is held can be judged while it isn't known whether its user was revoked. */
function usableOf({ value }: Kept, facts: Facts): RoleSession | undefined {
  const isGood =
    value !== undefined &&
    facts.user !== undefined &&
    value.issuedAt >= notBefore(facts) &&
    value.expiresAt - Date.now() > LEAST_LEFT_MS;
  return isGood ? value : undefined;
}

/** Whether STS is to be asked, or to be waited for: little is left, and STS neither failed just now nor is slow. */
function isDue({ flight, nextTry }: Kept, value: RoleSession): boolean {
  const now = Date.now();
  const isSlow = flight !== undefined && now - flight.since >= PATIENCE_MS;
  return value.expiresAt - now <= renewedWith(value) && now >= nextTry && !isSlow;
}

const renewedWith = ({ expiresAt, issuedAt }: RoleSession) =>
  Math.min(RENEWED_MS, (expiresAt - issuedAt) / 3);

/** @returns undefined where STS is slow or out of order, or the session is no more */
const soon = ({ pending, since }: Flight): Promise<RoleSession | undefined> =>
  within(since + PATIENCE_MS - Date.now(), pending).catch(() => undefined);

/** A timer may be a millisecond early. */
async function until(moment: number): Promise<void> {
  while (Date.now() < moment) await sleep(moment - Date.now());
}

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
