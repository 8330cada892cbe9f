import { LEVELS, type Level } from './actions';
import type { Access, Condition, Grant } from './grants';
import type { Home } from './policies';
import { conditionIn, listed, principalIn, resourceIn, serviceIn } from './words';

/** Grants of one subject that say the same of several actions and resources. */
export interface Row {
  readonly allowed: boolean;
  /** Empty for what identities may do. */
  readonly who: string;
  /** Such as S3. */
  readonly service: string;
  readonly levels: readonly Level[];
  /** As the policy writes them, without the service. */
  readonly actions: readonly string[];
  readonly on: readonly string[];
  /** All of them hold. */
  readonly when: readonly string[];
}

/**
 * Puts grants of one subject into rows, in their order.
 *
 * @param by what makes resources share a row: the same actions, or the same kinds of access
 */
export function rowsOf(grants: readonly Grant[], home: Home, by: 'actions' | 'levels'): Row[] {
  const places = grouped(grants, (grant) => [
    grant.allowed,
    grant.who,
    serviceIn(grant.action),
    resourceOf(grant, home),
    grant.conditions,
  ]).map((group) => rowOf(group, home));
  return grouped(places, (row) => [row.allowed, row.who, row.service, row.when, row[by]]).map((rows) => ({
    ...rows[0],
    actions: unique(rows.flatMap(({ actions }) => actions)),
    on: listed(unique(rows.flatMap(({ on }) => on))),
  }));
}

/** What is told of a user, a role, a boundary, or a resource with a policy of its own. */
export interface Section {
  readonly name: string;
  readonly kind: string;
  readonly description: string;
  readonly boundary: string;
  /** Of users and roles: who may take it on. Of resources: whom their policies let in and whom they deny. */
  readonly others: readonly Row[];
  readonly may: readonly Row[];
  readonly mayNot: readonly Row[];
  /** Of a boundary that allows exactly what a role under it may do: that role. */
  readonly sameAs?: string;
}

/** Every subject of an environment, users first. */
export function sectionsOf(access: Access, by: 'actions' | 'levels'): Section[] {
  const sections = access.subjects.map(({ name, kind, description = '', boundary = '' }): Section => {
    const { others, may, mayNot } = grantsTo(name, access);
    const here = access.grants.filter(
      ({ allowed, action, resource }) =>
        allowed && action === 'sts:AssumeRole' && resource.endsWith(`:role/${name}`),
    );
    return {
      name,
      kind,
      description,
      boundary,
      others: rowsOf(others, access, by).map((row) =>
        kind === 'role' && row.who === principalIn(`arn:aws:iam::${access.account}:root`, access)
          ? { ...row, who: `${row.who} (here: ${here.map(({ of }) => of).join(', ') || 'nobody'})` }
          : row,
      ),
      may: rowsOf(may, access, by),
      mayNot: rowsOf(mayNot, access, by),
    };
  });
  return sections.map((section) => {
    if (section.kind !== 'boundary') return section;
    const same = sections.find(
      ({ boundary, may }) => boundary === section.name && JSON.stringify(may) === JSON.stringify(section.may),
    );
    return same ? { ...section, sameAs: same.name } : section;
  });
}

/** Grants of a subject: to others, and what it may do and is denied itself. */
function grantsTo(name: string, { grants }: Access): Record<'others' | 'may' | 'mayNot', Grant[]> {
  const own = grants.filter(({ of }) => of === name);
  return {
    others: own.filter(({ who }) => who !== undefined),
    may: own.filter(({ who, allowed }) => who === undefined && allowed),
    mayNot: own.filter(({ who, allowed }) => who === undefined && !allowed),
  };
}

function rowOf(group: Group<Grant>, home: Home): Row {
  const [first] = group;
  const { allowed, who, action, conditions } = first;
  const actions = actionsIn(group);
  return {
    allowed,
    who: who === undefined ? '' : principalIn(who, home, conditions),
    service: serviceIn(action),
    levels: actions.includes('*')
      ? ['anything']
      : LEVELS.filter((level) => group.some((grant) => grant.level === level)),
    actions,
    on: [resourceOf(first, home)].filter((each) => each !== ''),
    when: inOrder(conditions).map((condition) => conditionIn(condition, home)),
  };
}

/** A pattern where all that it stands for is there, else the actions one by one. */
function actionsIn(group: readonly Grant[]): string[] {
  const actions = new Set(group.map(({ action }) => action));
  const whole = group.filter(({ family }) => family.every((action) => actions.has(action)));
  const told = new Set(whole.flatMap(({ family }) => family));
  const single = [...actions].filter((action) => !told.has(action));
  return unique(
    [...whole.map(({ written }) => written), ...single].map((action) => action.replace(/^[\w-]+:/, '')),
  ).sort();
}

function resourceOf({ action, resource }: Grant, home: Home): string {
  return resourceIn(resource, home, /^s3:(?!.*Bucket).*(Object|MultipartUpload)/.test(action));
}

/** Whose workflows comes before which token. */
const inOrder = (conditions: readonly Condition[]) =>
  [...conditions].sort((one, other) => Number(other.key.endsWith(':sub')) - Number(one.key.endsWith(':sub')));

type Group<T> = [T, ...T[]];

/** Items that have the same of something, in the order of their first ones. */
export function grouped<T>(items: readonly T[], by: (item: T) => unknown): Group<T>[] {
  const groups = new Map<string, Group<T>>();
  for (const item of items) {
    const key = JSON.stringify(by(item));
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];
