import type { Principal } from '../authentication/principal';
import type { PolicyDocument } from '../authorization/policy';
import type { World } from '../authorization/world';
import type { RequestHead } from '../request-head';
import type { Call } from './call';

export type ContextValue = string | readonly string[];

/**
 * Condition keys of a question. A key that is there without a value is known to be absent from the request; one that
 * is not there at all is not known to this front. What takes a look into moto is asked for when a policy mentions it.
 */
export type Context = Readonly<
  Record<string, ContextValue | undefined | (() => Promise<ContextValue | undefined>)>
>;

/** One question to IAM: may this be done to that? */
export interface Ask {
  /** Such as `s3:GetObject`. */
  readonly action: string;
  /** An ARN, or `*` for an action that has no resource to name. */
  readonly resource: string;
  /** Who owns the resource. */
  readonly account: string;
  readonly context: Context;
  /** The tags of the resource, for `aws:ResourceTag/…`. @default - they can't be told */
  readonly tags?: () => Promise<Readonly<Record<string, string>> | undefined>;
  /** The resource's own policy, where it isn't kept anywhere yet. @default - as the service has it */
  readonly guard?: PolicyDocument;
  /** It is about this part of the request alone, which is refused without the others: its place, from 0. @default - all of it */
  readonly part?: number;
  /** The asker's own policies must allow it, whatever the resource's says. @default false */
  readonly onBothSides?: boolean;
  /** A condition key: AWS asks this only where one of the policies mentions it. @default - always */
  readonly onlyWhereMentioned?: string;
  /** The tags of an object that there is, for `s3:ExistingObjectTag/…`. */
  readonly objectTags?: () => Promise<Readonly<Record<string, string>>>;
}

/** All that a service's rules may look at. */
export interface Mapping {
  readonly call: Call;
  readonly head: RequestHead;
  readonly caller: Principal;
  /** The caller's account. For a request without credentials: the one that this AWS is for. */
  readonly account: string;
  readonly world: World;
  /** The body, where it is not an object. */
  readonly body: Buffer;
}

/** What a service's names don't tell by themselves. */
export interface Rules {
  /** Actions of the operations whose action is called otherwise, or that need several. None at all: everyone may. */
  readonly actions?: Readonly<Record<string, readonly string[]>>;
  /** Members that hold a variable of an ARN, where they aren't called as the variable is. */
  readonly members?: Readonly<Record<string, readonly string[]>>;
  /** Operations that are about all resources of a kind when none is named. */
  readonly collections?: readonly string[];
  /** Operations that need more than names. */
  readonly asks?: Readonly<Record<string, (mapping: Mapping) => Promise<Ask[]> | Ask[]>>;
  /** Turns what a member holds into what the ARN holds, such as an alias into a key. */
  readonly resolve?: (
    variable: string,
    value: string,
    mapping: Mapping,
  ) => Promise<string | undefined> | string | undefined;
  /** Condition keys of the service. */
  readonly context?: (mapping: Mapping, resource: string, action: string) => Context;
  /** The tags of a resource that there is, for `aws:ResourceTag/…`. */
  readonly tags?: (
    mapping: Mapping,
    resource: string,
  ) => Promise<Readonly<Record<string, string>> | undefined>;
}

/** A member of the input as a list of strings: one, several or none. */
export function texts(value: unknown): string[] {
  return [value].flat().filter((item): item is string => typeof item === 'string' && item !== '');
}

/** The first text of a member, if it has one. */
export function text(value: unknown): string | undefined {
  return texts(value)[0];
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text, number or truth of the input as condition keys have it. */
export function shown(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/** A list of structures in the input. */
export function records(value: unknown): Record<string, unknown>[] {
  return [value].flat().filter(isRecord);
}
