import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Item, numberOf, textOf, textsOf } from './items';
import type { Read } from './reads';
import type { RoleMapping, RoleMappings } from './role-mappings';
import { moveNotAllowed, noSuchSession, sessionTaken } from './problem';

export const STATUSES = ['ACTIVE', 'INVALIDATED', 'COMPLETED'] as const;
export type Status = (typeof STATUSES)[number];

/** From what a session may become what; what it is already is always allowed. */
const BEFORE: Readonly<Record<Status, readonly Status[]>> = {
  ACTIVE: ['ACTIVE'],
  INVALIDATED: ['INVALIDATED', 'ACTIVE'],
  COMPLETED: ['COMPLETED', 'ACTIVE', 'INVALIDATED'],
};

/** For how long a session can be active: longer than any job. Seconds. */
const ACTIVE_SECONDS = 90 * 24 * 3600;
/** For how long one that has ended can be looked up. Seconds. */
const ENDED_SECONDS = 24 * 3600;

/** What a head node says of a job. */
export interface NewSession {
  sessionId: string;
  projectId: string;
  clusterName: string;
  clusterUser: string;
  submittedTime: string;
}

export interface Session extends NewSession {
  status: Status;
  tokenDigest: string;
  /** How often its user had been revoked when it was made; another number than the user's now: it is invalid. */
  epoch: number;
  /** Role of the project when it was made. */
  roleArn: string;
}

/** What is kept of a user, and read consistently, while the index of sessions lags behind. */
export interface User {
  /** How often the user was revoked. */
  epoch: number;
  /** Milliseconds since 1970: what was issued before may be revoked. */
  notBefore: number;
  /** Where credentials have been issued for the user. */
  scopes: Scope[];
}

export interface Scope {
  cluster: string;
  roleArn: string;
  /** Whether some of it was issued without session tags. @default false */
  untagged?: boolean;
}

/** What an issue is decided by, read at one moment. */
export interface Facts {
  session: Session | undefined;
  mapping: RoleMapping | undefined;
  /** Undefined where the caller didn't know the user yet. */
  user: User | undefined;
}

const UNREVOKED: User = { epoch: 0, notBefore: 0, scopes: [] };
const INDEX = 'ByUser';
/** Third part of a scope where credentials were issued without session tags. */
const UNTAGGED = 'untagged';
/** Invalidations at once. */
const ABREAST = 25;

/** The sessions table: sessions by their id, users by `#user:` and their name. */
export class Sessions {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly read: Read,
    private readonly table: string,
    private readonly mappings: RoleMappings,
  ) {}

  /** Session, role and user at once: one request of DynamoDB's. Consistent: a change that was answered is seen. */
  async facts(keys: { sessionId: string; projectId?: string; user?: string | undefined }): Promise<Facts> {
    const { sessionId, projectId, user } = keys;
    const [session, mapping, known] = await Promise.all([
      this.item(sessionId),
      projectId === undefined ? undefined : this.mappings.get(projectId),
      user === undefined ? undefined : this.user(user),
    ]);
    return { session: sessionOf(session), mapping, user: known };
  }

  async user(name: string): Promise<User> {
    return userOf(await this.item(userKey(name)));
  }

  /**
   * Makes a session, or makes it anew: one that has ended, or the same with another token.
   *
   * @throws Refusal when it is active for somebody else
   */
  async create(session: NewSession & { tokenDigest: string; roleArn: string }): Promise<void> {
    const { sessionId, clusterUser: user, clusterName: cluster, roleArn } = session;
    let known = await this.user(user);
    // Before any credentials: who revokes must know where.
    if (!known.scopes.some((scope) => scope.cluster === cluster && scope.roleArn === roleArn))
      await this.addScope(user, { cluster, roleArn });
    await this.put(session, known);
    // A revocation since then does not mean this session, which it may not even have seen.
    for (;;) {
      const now = await this.user(user);
      if (now.epoch === known.epoch) return;
      known = now;
      await this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: key(sessionId),
          UpdateExpression: 'SET Epoch = :epoch, #status = :active',
          ConditionExpression: 'TokenDigest = :digest',
          ExpressionAttributeNames: { '#status': 'Status' },
          ExpressionAttributeValues: {
            ':epoch': { N: String(now.epoch) },
            ':active': { S: 'ACTIVE' },
            ':digest': { S: session.tokenDigest },
          },
        }),
      );
    }
  }

  /** @throws Refusal when there is no such session, or it can't become this */
  async move(sessionId: string, status: Status): Promise<Session> {
    const allowed = BEFORE[status];
    try {
      const { Attributes } = await this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: key(sessionId),
          UpdateExpression: 'SET #status = :status, ExpiresAt = :expires',
          ConditionExpression: `#status IN (${allowed.map((_, index) => `:from${index}`).join(', ')})`,
          ExpressionAttributeNames: { '#status': 'Status' },
          ExpressionAttributeValues: {
            ':status': { S: status },
            ':expires': { N: String(expiry(status)) },
            ...Object.fromEntries(allowed.map((from, index) => [`:from${index}`, { S: from }])),
          },
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      const moved = sessionOf(Attributes);
      if (!moved) throw noSuchSession(sessionId);
      return moved;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const session = sessionOf(error.Item);
      throw session ? moveNotAllowed(session.status, status) : noSuchSession(sessionId);
    }
  }

  /** @returns what the session is then: INVALIDATED, or COMPLETED if it is over @throws Refusal when there is none */
  async invalidate(sessionId: string): Promise<Status> {
    if (await this.mark(sessionId)) return 'INVALIDATED';
    const { session } = await this.facts({ sessionId });
    if (!session) throw noSuchSession(sessionId);
    return session.status;
  }

  /** Sessions of a user by their ids, from the index, which lags behind. @param after the last one of the page before */
  async ofUser(user: string, after?: string): Promise<{ sessions: Session[]; after?: string }> {
    const { Items = [], LastEvaluatedKey } = await this.client.send(
      new QueryCommand({
        TableName: this.table,
        IndexName: INDEX,
        KeyConditionExpression: 'ClusterUser = :user',
        ExpressionAttributeValues: { ':user': { S: user } },
        ...(after !== undefined && {
          ExclusiveStartKey: { ...key(after), ClusterUser: { S: user } },
        }),
      }),
    );
    const last = textOf(LastEvaluatedKey?.SessionId);
    return {
      sessions: Items.flatMap((item) => sessionOf(item) ?? []),
      ...(last !== undefined && { after: last }),
    };
  }

  /**
   * No session of the user that is there now gets credentials from now on, whether the index shows it or not.
   *
   * @param cutoff milliseconds since 1970: what later sessions of the user get is issued after it
   */
  invalidateUser(name: string, cutoff: number): Promise<User> {
    return this.delayed(name, cutoff, true);
  }

  /** What the user's sessions get from now on is issued after the cutoff. */
  notBefore(name: string, cutoff: number): Promise<User> {
    return this.delayed(name, cutoff, false);
  }

  /** An earlier cutoff than the one that is there must not take its place: requests overtake each other. */
  private async delayed(name: string, cutoff: number, isRevoked: boolean): Promise<User> {
    const update = async (condition?: string) =>
      this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: key(userKey(name)),
          UpdateExpression: `${condition === undefined ? '' : 'SET NotBefore = :cutoff '}ADD Epoch :more`,
          ...(condition !== undefined && { ConditionExpression: condition }),
          ExpressionAttributeValues: {
            ...(condition !== undefined && { ':cutoff': { N: String(cutoff) } }),
            ':more': { N: isRevoked ? '1' : '0' },
          },
          ReturnValues: 'ALL_NEW',
        }),
      );
    const { Attributes } = await update('attribute_not_exists(NotBefore) OR NotBefore < :cutoff').catch(
      (error: unknown) => {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return update();
      },
    );
    return userOf(Attributes);
  }

  /**
   * Says so in the status of the user's active sessions of an earlier epoch, as far as time and DynamoDB's capacity
   * allow: it is the epoch that decides.
   *
   * @param byWhen milliseconds since 1970
   * @returns how many there were
   */
  async markInvalid(name: string, epoch: number, byWhen: number): Promise<number> {
    let count = 0;
    let after: string | undefined;
    do {
      const page: { sessions: Session[]; after?: string } = await this.ofUser(name, after);
      const active = page.sessions.filter((session) => session.status === 'ACTIVE' && session.epoch < epoch);
      count += active.length;
      for (let start = 0; start < active.length && Date.now() < byWhen; start += ABREAST)
        await Promise.allSettled(
          active.slice(start, start + ABREAST).map(({ sessionId }) => this.mark(sessionId, epoch)),
        );
      after = page.after;
    } while (after !== undefined);
    return count;
  }

  /** Remembers where the user has credentials, so that a revocation reaches there. */
  async addScope(user: string, { cluster, roleArn, untagged = false }: Scope): Promise<void> {
    await this.client.send(
      new UpdateItemCommand({
        TableName: this.table,
        Key: key(userKey(user)),
        UpdateExpression: 'ADD Scopes :scope',
        ExpressionAttributeValues: {
          ':scope': { SS: [JSON.stringify([cluster, roleArn, ...(untagged ? [UNTAGGED] : [])])] },
        },
      }),
    );
  }

  private async put(
    session: NewSession & { tokenDigest: string; roleArn: string },
    user: User,
  ): Promise<void> {
    const { sessionId, projectId, clusterName, clusterUser, submittedTime, tokenDigest, roleArn } = session;
    try {
      await this.client.send(
        new PutItemCommand({
          TableName: this.table,
          Item: {
            ...key(sessionId),
            ProjectId: { S: projectId },
            ClusterName: { S: clusterName },
            ClusterUser: { S: clusterUser },
            SubmittedTime: { S: submittedTime },
            Status: { S: 'ACTIVE' },
            TokenDigest: { S: tokenDigest },
            Epoch: { N: String(user.epoch) },
            RoleArn: { S: roleArn },
            ExpiresAt: { N: String(expiry('ACTIVE')) },
          },
          ConditionExpression:
            'attribute_not_exists(SessionId) OR #status <> :active OR ' +
            '(ProjectId = :project AND ClusterName = :cluster AND ClusterUser = :user)',
          ExpressionAttributeNames: { '#status': 'Status' },
          ExpressionAttributeValues: {
            ':active': { S: 'ACTIVE' },
            ':project': { S: projectId },
            ':cluster': { S: clusterName },
            ':user': { S: clusterUser },
          },
        }),
      );
    } catch (error) {
      throw error instanceof ConditionalCheckFailedException ? sessionTaken(sessionId) : error;
    }
  }

  /** @returns whether it was still active, and of an earlier epoch than the one given, if one is */
  private async mark(sessionId: string, epoch?: number): Promise<boolean> {
    try {
      await this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: key(sessionId),
          UpdateExpression: 'SET #status = :invalidated, ExpiresAt = :expires',
          ConditionExpression: `#status = :active${epoch === undefined ? '' : ' AND Epoch < :epoch'}`,
          ExpressionAttributeNames: { '#status': 'Status' },
          ExpressionAttributeValues: {
            ':invalidated': { S: 'INVALIDATED' },
            ':active': { S: 'ACTIVE' },
            ':expires': { N: String(expiry('INVALIDATED')) },
            ...(epoch !== undefined && { ':epoch': { N: String(epoch) } }),
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  private item(id: string): Promise<Item | undefined> {
    return this.read({ table: this.table, name: 'SessionId', value: id });
  }
}

const key = (id: string) => ({ SessionId: { S: id } });
const userKey = (name: string) => `#user:${name}`;

function expiry(status: Status): number {
  return Math.floor(Date.now() / 1000) + (status === 'ACTIVE' ? ACTIVE_SECONDS : ENDED_SECONDS);
}

/** An item as a session. DynamoDB removes what has expired within days, so it counts as gone from then on. */
function sessionOf(item: Item | undefined): Session | undefined {
  const status = STATUSES.find((each) => each === textOf(item?.Status));
  if (!item || !status || (numberOf(item.ExpiresAt) ?? Infinity) * 1000 <= Date.now()) return undefined;
  return {
    sessionId: textOf(item.SessionId) ?? '',
    projectId: textOf(item.ProjectId) ?? '',
    clusterName: textOf(item.ClusterName) ?? '',
    clusterUser: textOf(item.ClusterUser) ?? '',
    submittedTime: textOf(item.SubmittedTime) ?? '',
    status,
    tokenDigest: textOf(item.TokenDigest) ?? '',
    epoch: numberOf(item.Epoch) ?? 0,
    roleArn: textOf(item.RoleArn) ?? '',
  };
}

function userOf(item: Item | undefined): User {
  if (!item) return UNREVOKED;
  return {
    epoch: numberOf(item.Epoch) ?? 0,
    notBefore: numberOf(item.NotBefore) ?? 0,
    scopes: scopesOf(textsOf(item.Scopes)),
  };
}

/** A role that took no tags at one time may have taken some at another. */
function scopesOf(texts: readonly string[]): Scope[] {
  const scopes = new Map<string, Scope>();
  for (const text of texts) {
    const [cluster, roleArn, tags] = JSON.parse(text) as [string, string, string?];
    const key = JSON.stringify([cluster, roleArn]);
    scopes.set(key, { cluster, roleArn, untagged: tags === UNTAGGED || scopes.get(key)?.untagged === true });
  }
  return [...scopes.values()];
}
