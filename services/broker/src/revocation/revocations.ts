import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  QueryCommand,
  type QueryCommandOutput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Item, numberOf, textOf } from '../items';
import type { Read } from '../reads';
import type { RoleMappings } from '../role-mappings';
import { ofNoUse, render, type Revocation } from './policy';
import { isOutOfReach, type RolePolicies } from './role-policies';

/** How long one process may be at a role's policy. */
const LEASE_MS = 15_000;
/** Of it, IAM may take so long; the rest is for a call that was given up and is carried out all the same. */
const APPLY_MS = 9000;
/** For how long a caller asks for the lease: with what follows it is answered before API Gateway gives up. */
const LONGEST_WAIT_MS = 14_000;
/** From one look at a lease that another has to the next, at first and at last. */
const POLL_MS = 100;
const LONGEST_POLL_MS = 1000;
/** Attributes that one expression removes; DynamoDB takes 4 KB of it. */
const MOST_FORGOTTEN = 300;
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
    private readonly read: Read,
    private readonly table: string,
    private readonly policies: RolePolicies,
    private readonly mappings: RoleMappings,
    private readonly times = { leaseMs: LEASE_MS, applyMs: APPLY_MS },
  ) {}

  /** Returns once the role's policy denies it. @throws when it could not be made to */
  async revoke(roleArn: string, revocations: readonly Revocation[]): Promise<void> {
    await this.inLine(roleArn, await this.want(roleArn, revocations));
  }

  /** Takes away what has expired. @returns how many roles were changed */
  async sweep(): Promise<number> {
    const due = (await this.roles()).flatMap((item) => {
      const expired = revocationsOf(item).filter(({ expires }) => expires <= Date.now());
      return expired.length > 0 ? [{ roleArn: textOf(item.RoleArn) ?? '', expired }] : [];
    });
    const failed: unknown[] = [];
    for (const { roleArn, expired } of due) {
      // One role's failure must not keep the others'.
      await this.revoke(roleArn, []).catch(async (error: unknown) => {
        failed.push(error);
        // What has expired hits nobody, so it may stay in a policy that the broker can't change.
        if (isOutOfReach(error)) await this.forget(roleArn, expired);
      });
    }
    if (failed.length > 0) throw failed[0];
    return due.length;
  }

  /** Adds revocations to what is to be in force. @returns the ticket: how many changes were wanted so far */
  private async want(roleArn: string, revocations: readonly Revocation[]): Promise<number> {
    const sets = [
      'RoleArn = :role',
      'ClusterUser = :roles',
      ...revocations.map((_, index) => `#r${index} = :r${index}`),
    ];
    const { Attributes } = await this.client.send(
      new UpdateItemCommand({
        TableName: this.table,
        Key: key(roleArn),
        UpdateExpression: `SET ${sets.join(', ')} ADD Wanted :one`,
        ...namesOf(revocations),
        ExpressionAttributeValues: {
          ':role': { S: roleArn },
          ':roles': { S: ROLES },
          ':one': { N: '1' },
          ...Object.fromEntries(
            revocations.map(({ expires }, index) => [`:r${index}`, { N: String(expires) }]),
          ),
        },
        ReturnValues: 'UPDATED_NEW',
      }),
    );
    return numberOf(Attributes?.Wanted) ?? 0;
  }

  /** Items of all roles on which something is, or was, revoked. */
  private async roles(): Promise<Item[]> {
    const found: Item[] = [];
    let start: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey }: QueryCommandOutput = await this.client.send(
        new QueryCommand({
          TableName: this.table,
          IndexName: 'ByUser',
          KeyConditionExpression: 'ClusterUser = :roles',
          ExpressionAttributeValues: { ':roles': { S: ROLES } },
          ...(start && { ExclusiveStartKey: start }),
        }),
      );
      found.push(...Items);
      start = LastEvaluatedKey;
    } while (start);
    return found;
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

  private async settle(roleArn: string, upTo: number): Promise<void> {
    const owner = randomUUID();
    const deadline = Date.now() + LONGEST_WAIT_MS;
    let ticket = upTo;
    let pause = POLL_MS;
    let { item, mine } = await this.takeLease(roleArn, owner);
    while (mine || (numberOf(item.Applied) ?? 0) < ticket) {
      if (mine) {
        if (await this.apply(roleArn, owner, item)) return;
        // Others had the lease before this one was done, and may have been overwritten: all of it once more.
        ticket = await this.want(roleArn, []);
      }
      if (Date.now() > deadline)
        throw Object.assign(new Error('The role is being changed by another process for too long'), {
          code: 'LeaseTimeout',
        });
      await sleep(pause * (0.5 + Math.random()));
      pause = Math.min(LONGEST_POLL_MS, pause * 1.5);
      ({ item, mine } = await this.look(roleArn, owner));
    }
  }

  /** Takes the lease if it is free; else only reads, which is less work for DynamoDB. */
  private async look(roleArn: string, owner: string): Promise<{ item: Item; mine: boolean }> {
    const id = { name: 'SessionId', value: key(roleArn).SessionId.S };
    const item = (await this.read({ table: this.table, ...id })) ?? {};
    if ((numberOf(item.LeaseUntil) ?? 0) >= Date.now()) return { item, mine: false };
    return this.takeLease(roleArn, owner);
  }

  /**
   * Writes the policy and lets the lease go. The item is as it was when the lease was taken.
   *
   * @returns whether the lease was this one's to the end
   */
  private async apply(roleArn: string, owner: string, item: Item): Promise<boolean> {
    const abortSignal = AbortSignal.timeout(this.times.applyMs);
    const revocations = revocationsOf(item);
    const wanted = numberOf(item.Wanted) ?? 0;
    let applied: number | undefined;
    let isKept = false;
    try {
      if (wanted > (numberOf(item.Applied) ?? 0)) {
        const room = await this.policies.room(roleArn, abortSignal);
        if (room !== undefined) {
          const { document, widenedBefore } = render(revocations, Date.now(), room);
          if (widenedBefore !== undefined) await this.tellWidened(roleArn, widenedBefore);
          abortSignal.throwIfAborted();
          await this.policies.write(roleArn, document, abortSignal);
        }
      }
      applied = wanted;
    } finally {
      isKept = await this.letGo(roleArn, owner, applied);
    }
    // What stays behind is in force or hits nobody; the next one forgets it.
    if (isKept) await this.forget(roleArn, ofNoUse(revocations, Date.now())).catch(() => undefined);
    return isKept;
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
            ':until': { N: String(now + this.times.leaseMs) },
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

  /** @param applied the ticket that is in force now, if any @returns whether the lease was still this one's */
  private async letGo(roleArn: string, owner: string, applied: number | undefined): Promise<boolean> {
    try {
      await this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: key(roleArn),
          UpdateExpression: `REMOVE LeaseOwner, LeaseUntil${applied === undefined ? '' : ' SET Applied = :applied'}`,
          ConditionExpression: 'LeaseOwner = :me',
          ExpressionAttributeValues: {
            ':me': { S: owner },
            ...(applied !== undefined && { ':applied': { N: String(applied) } }),
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  private async forget(roleArn: string, revocations: readonly Revocation[]): Promise<void> {
    for (let start = 0; start < revocations.length; start += MOST_FORGOTTEN) {
      const some = revocations.slice(start, start + MOST_FORGOTTEN);
      await this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: key(roleArn),
          UpdateExpression: `REMOVE ${some.map((_, index) => `#r${index}`).join(', ')}`,
          ...namesOf(some),
        }),
      );
    }
  }
}

const key = (roleArn: string) => ({ SessionId: { S: `#role:${roleArn}` } });

/**
 * Each revocation is an attribute of its own, so that two can be added at once, and with its cutoff in the name, so that
 * none takes the place of a later one that overtook it. Its value is when it expires.
 */
const attributeOf = ({ kind, cutoff, who }: Revocation) => `revoked ${kind} ${cutoff} ${who}`;

/** The attributes as `#r0`, `#r1` and so on. */
function namesOf(revocations: readonly Revocation[]): { ExpressionAttributeNames?: Record<string, string> } {
  if (revocations.length === 0) return {};
  const names = revocations.map((each, index) => [`#r${index}`, attributeOf(each)] as const);
  return { ExpressionAttributeNames: Object.fromEntries(names) };
}

function revocationsOf(item: Item): Revocation[] {
  return Object.entries(item).flatMap(([name, value]) => {
    const [, kind, cutoff, who] = /^revoked (user|session) (\d+) (.*)$/s.exec(name) ?? [];
    if ((kind !== 'user' && kind !== 'session') || who === undefined) return [];
    return [{ kind, who, cutoff: Number(cutoff), expires: numberOf(value) ?? 0 }];
  });
}
