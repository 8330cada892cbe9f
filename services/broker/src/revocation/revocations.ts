import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Item, numberOf, textOf } from '../items';
import type { RoleMappings } from '../role-mappings';
import { render, type Revocation } from './policy';
import type { RolePolicies } from './role-policies';

/** How long one process may be at a role's policy. Longer than IAM's calls may take in all. */
const LEASE_MS = 20_000;
/** Of it, left for the last call. */
const LAST_CALL_MS = 7000;
/** How long a caller waits for its revocation to be in force. */
const LONGEST_WAIT_MS = 25_000;
const POLL_MS = 120;
/** Where items about roles are found in the index of the sessions table, beside the users' sessions. */
const ROLES = '#roles';

/** Who waits for a role in this process. */
interface Line {
  running: Promise<void>;
  next: Promise<void> | undefined;
  /** The highest of those who wait. */
  ticket: number;
}

/**
 * What is revoked, kept by role in the sessions table; the role's inline policy follows it.
 *
 * Many at once are written once: each caller adds its revocation and takes a ticket; whoever holds the role's lease
 * writes the policy with all there are, and with it settles every ticket so far.
 */
export class Revocations {
  private readonly lines = new Map<string, Line>();

  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: string,
    private readonly policies: RolePolicies,
    private readonly mappings: RoleMappings,
  ) {}

  /** Returns once the role's policy denies it. @throws when it could not be made to */
  async revoke(roleArn: string, revocations: readonly Revocation[]): Promise<void> {
    const names = revocations.map((_, index) => `#r${index}`);
    const { Attributes } = await this.client.send(
      new UpdateItemCommand({
        TableName: this.table,
        Key: key(roleArn),
        UpdateExpression: `SET RoleArn = :role, ClusterUser = :roles, ${names.map((name, index) => `${name} = :r${index}`).join(', ')} ADD Wanted :one`,
        ExpressionAttributeNames: Object.fromEntries(
          revocations.map((each, index) => [names[index] ?? '', attributeOf(each)]),
        ),
        ExpressionAttributeValues: {
          ':role': { S: roleArn },
          ':roles': { S: ROLES },
          ':one': { N: '1' },
          ...Object.fromEntries(
            revocations.map(({ cutoff, expires }, index) => [
              `:r${index}`,
              { L: [{ N: String(cutoff) }, { N: String(expires) }] },
            ]),
          ),
        },
        ReturnValues: 'UPDATED_NEW',
      }),
    );
    await this.inLine(roleArn, numberOf(Attributes?.Wanted) ?? 0);
  }

  /** Takes away what has expired. @returns how many roles were changed */
  async sweep(): Promise<number> {
    const { Items = [] } = await this.client.send(
      new QueryCommand({
        TableName: this.table,
        IndexName: 'ByUser',
        KeyConditionExpression: 'ClusterUser = :roles',
        ExpressionAttributeValues: { ':roles': { S: ROLES } },
      }),
    );
    const due = Items.filter((item) => revocationsOf(item).some(({ expires }) => expires <= Date.now()));
    const failed: unknown[] = [];
    for (const item of due) {
      const roleArn = textOf(item.RoleArn) ?? '';
      // One role's failure must not keep the others'.
      await this.revoke(roleArn, []).catch((error: unknown) => failed.push(error));
    }
    if (failed.length > 0) throw failed[0];
    return due.length;
  }

  /** One at a time in this process: who comes while a policy is being written is settled with all others by the next. */
  private inLine(roleArn: string, ticket: number): Promise<void> {
    const line = this.lines.get(roleArn) ?? { running: Promise.resolve(), next: undefined, ticket };
    this.lines.set(roleArn, line);
    line.ticket = Math.max(line.ticket, ticket);
    line.next ??= line.running.then(async () => {
      line.next = undefined;
      const settled = this.settle(roleArn, line.ticket);
      line.running = settled.catch(() => undefined);
      await settled;
    });
    return line.next;
  }

  private async settle(roleArn: string, ticket: number): Promise<void> {
    const owner = randomUUID();
    for (const deadline = Date.now() + LONGEST_WAIT_MS; ; ) {
      const { item, mine } = await this.takeLease(roleArn, owner);
      if (!mine && (numberOf(item.Applied) ?? 0) >= ticket) return;
      if (mine) {
        await this.apply(roleArn, owner, item);
        return;
      }
      if (Date.now() > deadline)
        throw Object.assign(new Error('The role is being changed by another process for too long'), {
          code: 'LeaseTimeout',
        });
      await sleep(POLL_MS * (0.5 + Math.random()));
    }
  }

  /** Writes the policy and lets the lease go. The item is as it was when the lease was taken. */
  private async apply(roleArn: string, owner: string, item: Item): Promise<void> {
    const leaseEnds = numberOf(item.LeaseUntil) ?? 0;
    const revocations = revocationsOf(item);
    const wanted = numberOf(item.Wanted) ?? 0;
    let done = false;
    try {
      if (wanted > (numberOf(item.Applied) ?? 0)) {
        const room = await this.policies.room(roleArn);
        if (room !== undefined) {
          const { document, widenedBefore } = render(revocations, Date.now(), room);
          if (widenedBefore !== undefined) await this.tellWidened(roleArn, widenedBefore);
          if (Date.now() > leaseEnds - LAST_CALL_MS) throw new Error('IAM took too long: the lease ends');
          await this.policies.write(roleArn, document);
        }
      }
      done = true;
    } finally {
      await this.letGo(roleArn, owner, done ? { wanted, revocations } : undefined);
    }
  }

  /** What others have in memory of the role is of no use any more; they see it at their next read. */
  private async tellWidened(roleArn: string, cutoff: number): Promise<void> {
    for (const mapping of await this.mappings.all())
      if (mapping.roleArn === roleArn && mapping.revokedBefore < cutoff)
        await this.mappings.revokedBefore(mapping, cutoff);
  }

  private async takeLease(roleArn: string, owner: string): Promise<{ item: Item; mine: boolean }> {
    const now = Date.now();
    try {
      const { Attributes = {} } = await this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: key(roleArn),
          UpdateExpression: 'SET LeaseOwner = :me, LeaseUntil = :until',
          ConditionExpression: 'attribute_not_exists(LeaseUntil) OR LeaseUntil < :now',
          ExpressionAttributeValues: {
            ':me': { S: owner },
            ':until': { N: String(now + LEASE_MS) },
            ':now': { N: String(now) },
          },
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return { item: Attributes, mine: true };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return { item: error.Item ?? {}, mine: false };
    }
  }

  /** @param applied what is in force now; expired revocations go, unless one was added meanwhile */
  private async letGo(
    roleArn: string,
    owner: string,
    applied?: { wanted: number; revocations: Revocation[] },
  ): Promise<void> {
    const expired = (applied?.revocations ?? []).filter(({ expires }) => expires <= Date.now());
    const names = expired.map((_, index) => `#r${index}`);
    const update = (removed: readonly string[], condition: string) =>
      this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: key(roleArn),
          UpdateExpression: `REMOVE ${['LeaseOwner', 'LeaseUntil', ...removed].join(', ')}${applied ? ' SET Applied = :wanted' : ''}`,
          ConditionExpression: condition,
          ...(removed.length > 0 && {
            ExpressionAttributeNames: Object.fromEntries(
              expired.map((each, index) => [names[index] ?? '', attributeOf(each)]),
            ),
          }),
          ExpressionAttributeValues: {
            ':me': { S: owner },
            ...(applied && { ':wanted': { N: String(applied.wanted) } }),
          },
        }),
      );
    const attempts = [
      ...(expired.length > 0 ? [() => update(names, 'LeaseOwner = :me AND Wanted = :wanted')] : []),
      () => update([], 'LeaseOwner = :me'),
    ];
    for (const attempt of attempts) {
      try {
        await attempt();
        return;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    }
  }
}

const key = (roleArn: string) => ({ SessionId: { S: `#role:${roleArn}` } });

/** Each revocation is an attribute of its own, so that two can be added at once; the same again takes its place. */
const attributeOf = ({ kind, who }: Revocation) => `revoked ${kind} ${who}`;

function revocationsOf(item: Item): Revocation[] {
  return Object.entries(item).flatMap(([name, value]) => {
    const [, kind, who] = /^revoked (user|session) (.*)$/s.exec(name) ?? [];
    if ((kind !== 'user' && kind !== 'session') || who === undefined) return [];
    const [cutoff = 0, expires = 0] = (value.L ?? []).map((each) => numberOf(each) ?? 0);
    return [{ kind, who, cutoff, expires }];
  });
}
