import type { Configuration } from '../configurations';
import { actionsOf, appliesTo, type Level } from './actions';
import { covers, intersection } from './patterns';
import { homeOf, subjectsOf, type Home, type Statement, type Subject } from './policies';

/** One action that somebody may do, or is denied, on what one pattern stands for. */
export interface Grant {
  /** Name of the subject whose policy it is. */
  readonly of: string;
  readonly allowed: boolean;
  /** In a trust or a resource policy: an ARN, `Service:ec2.amazonaws.com`, or `*`. */
  readonly who?: string;
  readonly action: string;
  readonly level: Level;
  /** The pattern in the policy that stands for the action, and all actions that it stands for there. */
  readonly written: string;
  readonly family: readonly string[];
  /** An ARN or a pattern of ARNs; empty in a trust policy. */
  readonly resource: string;
  readonly conditions: readonly Condition[];
}

export interface Condition {
  readonly operator: string;
  readonly key: string;
  /** Sorted. */
  readonly values: readonly string[];
}

/** Who may do what in an environment. */
export interface Access extends Home {
  readonly environment: string;
  readonly subjects: readonly Subject[];
  readonly grants: readonly Grant[];
}

/**
 * Reads who may do what from an environment's policies: what identities may do is what their policies and their
 * boundary both allow.
 *
 * @throws OperatorError when a policy can't be read, such as one with NotAction
 */
export async function accessOf(configuration: Configuration): Promise<Access> {
  const subjects = subjectsOf(configuration);
  const grants: Grant[] = [];
  for (const subject of subjects) {
    const own = await grantsOf(subject, subject.identity);
    const boundary = subjects.find(({ kind, name }) => kind === 'boundary' && name === subject.boundary);
    grants.push(...effective(own, boundary && (await grantsOf(subject, boundary.identity))));
    grants.push(...(await grantsOf(subject, subject.resource)));
  }
  return {
    environment: configuration.environment,
    ...homeOf(configuration),
    subjects,
    grants,
  };
}

/** Access that nothing is left of, for an environment that wasn't there. */
export const noAccess = (environment: string): Access => ({
  environment,
  account: '',
  region: '',
  subjects: [],
  grants: [],
});

/** Whether whoever has the one has the other, too. In doubt the answer is no. */
export function includes(wide: Grant, narrow: Grant): boolean {
  return (
    wide.of === narrow.of &&
    wide.allowed === narrow.allowed &&
    (wide.who === narrow.who || wide.who === '*') &&
    (wide.action === narrow.action || wide.action === '*') &&
    covers(wide.resource, narrow.resource) &&
    wide.conditions.every((condition) => narrow.conditions.some((other) => isWeaker(condition, other)))
  );
}

async function grantsOf({ name }: Subject, statements: readonly Statement[]): Promise<Grant[]> {
  const grants = await Promise.all(statements.map((statement) => grantsIn(name, statement)));
  return grants.flat();
}

async function grantsIn(of: string, statement: Statement): Promise<Grant[]> {
  const conditions = conditionsIn(statement);
  const allowed = statement.Effect === 'Allow';
  const grants: Grant[] = [];
  for (const written of statement.Action) {
    const actions = await actionsOf(written);
    for (const resource of statement.Resource.length > 0 ? statement.Resource : ['']) {
      const applicable = actions.filter((action) => resource === '' || appliesTo(action, resource));
      const family = applicable.map(({ name }) => name);
      for (const who of principalsIn(statement))
        for (const { name: action, level } of applicable)
          grants.push({
            of,
            allowed,
            ...(who !== undefined && { who }),
            action,
            level,
            written,
            family,
            resource,
            conditions,
          });
    }
  }
  return grants;
}

function principalsIn({ Principal }: Statement): (string | undefined)[] {
  if (Principal === undefined) return [undefined];
  if (Principal === '*') return ['*'];
  return Object.entries(Principal).flatMap(([kind, names]) =>
    names.map((name) => (name === '*' || name.startsWith('arn:') ? name : `${kind}:${name}`)),
  );
}

function conditionsIn({ Condition }: Statement): Condition[] {
  return Object.entries(Condition)
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => ({ operator, key, values: [...values].sort() })),
    )
    .sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));
}

/** What policies allow within a boundary, less what is denied outright; denials of both are told. */
function effective(own: readonly Grant[], boundary: readonly Grant[] | undefined): Grant[] {
  const denied = [...own, ...(boundary ?? [])].filter(({ allowed }) => !allowed);
  const allowed = own.filter((grant) => grant.allowed);
  const within = boundary
    ? allowed.flatMap((grant) => boundary.flatMap((limit) => (limit.allowed ? both(grant, limit) : [])))
    : allowed;
  const left = within.filter(
    (grant) => !denied.some((denial) => includes({ ...denial, allowed: true }, grant)),
  );
  return [...withoutRepetition(left), ...withoutRepetition(denied)];
}

function both(grant: Grant, limit: Grant): Grant[] {
  const [wide, narrow] = grant.action === '*' ? [grant, limit] : [limit, grant];
  if (wide.action !== '*' && wide.action !== narrow.action) return [];
  const resource = intersection(grant.resource, limit.resource);
  if (resource === undefined) return [];
  const conditions = [...grant.conditions, ...limit.conditions];
  return [
    {
      ...narrow,
      resource,
      conditions: conditions.filter(
        (one, index) => !conditions.some((other, at) => at !== index && isStronger(other, one, at < index)),
      ),
    },
  ];
}

/** Whether `one` needs no telling beside `other`. Of two equal ones the first stays. */
const isStronger = (other: Condition, one: Condition, isFirst: boolean) =>
  isWeaker(one, other) && (isFirst || !isWeaker(other, one));

function withoutRepetition(grants: readonly Grant[]): Grant[] {
  const byAction = new Map<string, Grant[]>();
  for (const grant of grants) byAction.set(grant.action, [...(byAction.get(grant.action) ?? []), grant]);
  return grants.filter((grant) => {
    const others = byAction.get(grant.action) ?? [];
    const at = others.indexOf(grant);
    return !others.some(
      (other, index) => other !== grant && includes(other, grant) && (index < at || !includes(grant, other)),
    );
  });
}

/** Operators that allow the more, the more values they list. */
const ANY_OF = /^(ForAnyValue:|ForAllValues:)?(String|Arn)(Equals|Like)(IgnoreCase)?(IfExists)?$/;

/** Whether what meets `strong` meets `weak`. */
function isWeaker(weak: Condition, strong: Condition): boolean {
  if (weak.operator !== strong.operator || weak.key !== strong.key) return false;
  if (weak.values.join('\0') === strong.values.join('\0')) return true;
  return ANY_OF.test(weak.operator) && strong.values.every((value) => weak.values.includes(value));
}
