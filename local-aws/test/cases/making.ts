import { IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import type { Caller, Case, Who } from './case';
import { policy, type Statement } from './policies';
import type { World } from './world';

type Side = Pick<Case, 'name'> & Partial<Omit<Case, 'name' | 'expect'>>;

/** A rule by two of its cases: what it lets through, and what it doesn't. */
export function both(common: Omit<Case, 'name' | 'expect'>, allowed: Side, denied: Side): Case[] {
  return [
    { ...common, ...allowed, expect: 'allowed' },
    { ...common, ...denied, expect: 'denied' },
  ];
}

/** A user with these statements in one policy. */
export const may = (...statements: Statement[]): Caller => ({ policies: [policy(...statements)] });

/** For a resource's policy. */
export const to = (principal: Statement['Principal'], statement: Statement): Statement => ({
  ...statement,
  Principal: principal,
});

/** Makes something as the administrator, and asks about it. */
export function about<T>(
  make: (world: World, who: Who) => Promise<T>,
  does: (who: Who, made: T, world: World) => Promise<unknown>,
): Pick<Case, 'given' | 'does'> {
  const made = new Map<string, T>();
  return {
    given: async (world, who) => made.set(who.name, await make(world, who)),
    does: (who, world) => {
      const own = made.get(who.name);
      if (own === undefined) throw new Error(`${who.name} has made nothing.`);
      return does(who, own, world);
    },
  };
}

/** Gives the caller a policy that needs to know what was made. */
export function grant({ administrator }: World, { name }: Who, ...statements: Statement[]): Promise<unknown> {
  return new IAMClient(administrator).send(
    new PutUserPolicyCommand({
      UserName: name,
      PolicyName: 'about-what-was-made',
      PolicyDocument: JSON.stringify(policy(...statements)),
    }),
  );
}
