import type { AuditEvent } from './audit';
import { isActive, type Asked, type Issued } from './issuer';
import { awsUnavailable, noSuchProject, noSuchSession, notRevoked, Refusal } from './problem';
import type { RoleMapping, RoleMappings } from './role-mappings';
import { isTagRefusal, type TakeOnRole } from './role-sessions';
import type { Revocation } from './revocation/policy';
import type { Revocations } from './revocation/revocations';
import { tagValue, userIdPattern } from './session-name';
import type { NewSession, Scope, Session, Sessions, Status, User } from './sessions';
import { cutoffAfter } from './time';
import { newToken, tokenDigest } from './tokens';

/** From the request for a user's revocation, for how long sessions are marked; API Gateway gives up after 30 s. */
const MARKED_MS = 20_000;
/** Revocations stay this much longer than what they hit. */
const MARGIN_MS = 5 * 60_000;

export interface Broker {
  create: (session: NewSession) => Promise<Record<string, string>>;
  move: (sessionId: string, status: Status) => Promise<object>;
  issue: (asked: Asked) => Promise<Issued>;
  revokeUser: (user: string) => Promise<object>;
  revokeSession: (sessionId: string) => Promise<object>;
  sessionsOf: (user: string, after?: string) => Promise<object>;
  projects: () => Promise<object>;
  project: (projectId: string) => Promise<object>;
  mapProject: (projectId: string, roleArn: string) => Promise<object>;
  /** Removes what has expired. @returns how many roles were changed */
  sweep: () => Promise<number>;
}

export interface BrokerParts {
  sessions: Sessions;
  mappings: RoleMappings;
  revocations: Revocations;
  issue: (asked: Asked) => Promise<Issued>;
  takeOnRole: TakeOnRole;
  /** As clients reach the API, with the stage and without a slash at the end. */
  publicUrl: string;
  /** Of the proxy on each node. */
  localhostPort: number;
  /** How long issued credentials live. */
  sessionSeconds: number;
}

/** What the API does, apart from HTTP. */
export function brokerOf(parts: BrokerParts): Broker {
  const { sessions, mappings, revocations, issue, takeOnRole } = parts;
  const stage = new URL(parts.publicUrl).pathname.replace(/\/$/, '');

  return {
    issue,

    async create(session) {
      const { sessionId, projectId, clusterName } = session;
      const mapping = await mappings.get(projectId);
      if (!mapping) throw noSuchProject(projectId);
      const token = newToken();
      await sessions.create({ ...session, tokenDigest: tokenDigest(token), roleArn: mapping.roleArn });
      const path = ['sessions', sessionId, 'cluster', clusterName, 'project', projectId]
        .map(encodeURIComponent)
        .join('/');
      return {
        APIGATEWAY_AWS_CONTAINER_CREDENTIALS_FULL_URI: `${parts.publicUrl}/${path}`,
        LOCALHOST_AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${parts.localhostPort}${stage}/${path}`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
      };
    },

    async move(sessionId, status) {
      return shown(await sessions.move(sessionId, status));
    },

    async revokeUser(name) {
      const byWhen = Date.now() + MARKED_MS;
      const { user, cutoff } = await closed(name);
      const roles = await deny(user.scopes, ({ cluster }) =>
        ownerRevocation({ cluster, user: name }, cutoff),
      );
      const invalidated = await sessions.markInvalid(name, user.epoch, byWhen);
      return { userId: name, invalidated, roles, revokedBefore: new Date(cutoff).toISOString() };
    },

    async revokeSession(sessionId) {
      const { session } = await sessions.facts({ sessionId });
      if (!session) throw noSuchSession(sessionId);
      const status = await sessions.invalidate(sessionId);
      const cutoff = cutoffAfter(Date.now());
      const user = await sessions.notBefore(session.clusterUser, cutoff);
      const roles = await deny(user.scopes, ({ cluster, untagged }) =>
        untagged
          ? ownerRevocation({ cluster, user: session.clusterUser }, cutoff)
          : { kind: 'session', who: tagValue(sessionId), ...lifeOf(cutoff) },
      );
      return { sessionId, status, roles, revokedBefore: new Date(cutoff).toISOString() };
    },

    async sessionsOf(name, after) {
      const [{ sessions: found, ...more }, user] = await Promise.all([
        sessions.ofUser(name, after),
        sessions.user(name),
      ]);
      return {
        sessions: found.map((session) =>
          shown(
            session.status === 'ACTIVE' && !isActive(session, user)
              ? { ...session, status: 'INVALIDATED' }
              : session,
          ),
        ),
        ...more,
      };
    },

    async projects() {
      return { projects: (await mappings.all()).map(shownMapping) };
    },

    async project(projectId) {
      const mapping = await mappings.get(projectId);
      if (!mapping) throw noSuchProject(projectId);
      return shownMapping(mapping);
    },

    async mapProject(projectId, roleArn) {
      const sessionTags = await triedOn(projectId, roleArn);
      await mappings.put({ projectId, roleArn, sessionTags });
      return { projectId, roleArn, sessionTags };
    },

    sweep: () => revocations.sweep(),
  };

  /** From when this returns on, no session of the user that was there before gets credentials. */
  async function closed(name: string): Promise<{ user: User; cutoff: number }> {
    for (;;) {
      const cutoff = cutoffAfter(Date.now());
      const user = await sessions.invalidateUser(name, cutoff);
      // What was issued until now is older than the cutoff; not so where DynamoDB took its time.
      if (cutoffAfter(Date.now()) === cutoff) return { user, cutoff };
    }
  }

  /** Takes the role on, to see that it can be. @returns whether it takes session tags */
  async function triedOn(projectId: string, roleArn: string): Promise<boolean> {
    const request = { roleArn, sessionName: 'slipway-role-test' };
    const cant = (error: unknown): never => {
      if (!(error instanceof Refusal)) throw error;
      throw new Refusal(
        422,
        'RoleNotAssumable',
        `The broker can't take on ${roleArn}, so nothing was changed: its trust policy must allow sts:AssumeRole to the broker's role, whose own policy must allow that role.`,
        undefined,
        { cause: error },
      );
    };
    try {
      await takeOnRole({ ...request, tags: { project: projectId, user: 'none', session: 'none' } });
      return true;
    } catch (error) {
      if (!isTagRefusal(error)) return cant(error);
      await takeOnRole({ ...request, tags: undefined }).catch(cant);
      return false;
    }
  }

  /** Puts revocations into force wherever the user has credentials. @returns the roles */
  async function deny(
    scopes: readonly Scope[],
    revocationFor: (scope: Scope) => Revocation,
  ): Promise<string[]> {
    const byRole = new Map<string, Revocation[]>();
    for (const scope of scopes)
      byRole.set(scope.roleArn, [...(byRole.get(scope.roleArn) ?? []), revocationFor(scope)]);
    const roles = [...byRole.keys()];
    const results = await Promise.allSettled(
      [...byRole].map(([roleArn, all]) => revocations.revoke(roleArn, distinct(all))),
    );
    const failed = roles.filter((_, index) => results[index]?.status === 'rejected');
    const reason = results.find((result) => result.status === 'rejected')?.reason as unknown;
    if (failed.length > 0) throw notRevoked(failed, reason ?? awsUnavailable(undefined));
    return roles;
  }

  function ownerRevocation(owner: { cluster: string; user: string }, cutoff: number): Revocation {
    return { kind: 'user', who: userIdPattern(owner), ...lifeOf(cutoff) };
  }

  /** A revocation can go once the longest session that it can hit has ended. */
  function lifeOf(cutoff: number) {
    return { cutoff, expires: cutoff + parts.sessionSeconds * 1000 + MARGIN_MS };
  }
}

const distinct = (revocations: readonly Revocation[]) => [
  ...new Map(revocations.map((each) => [`${each.kind} ${each.who}`, each])).values(),
];

function shown({ sessionId, projectId, clusterName, clusterUser, submittedTime, status }: Session) {
  return { sessionId, projectId, clusterName, clusterUser, submittedTime, status };
}

function shownMapping({ projectId, roleArn, sessionTags }: RoleMapping) {
  return { projectId, roleArn, sessionTags };
}

/** What the audit log says of credentials: whom they are of, never what they are. */
export function issuedEvent({ credentials, session, roleArn, sessionName, fresh }: Issued): AuditEvent {
  return {
    event: 'issued',
    sessionId: session.sessionId,
    projectId: session.projectId,
    cluster: session.clusterName,
    user: session.clusterUser,
    roleArn,
    roleSessionName: sessionName,
    accessKeyId: credentials.accessKeyId,
    expiration: new Date(credentials.expiresAt).toISOString(),
    fresh,
  };
}
