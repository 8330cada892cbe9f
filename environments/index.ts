import type { z } from 'zod';
import dev from './dev';
import prod from './prod';
import qa from './qa';
import { crossFieldProblems, type Problem } from './rules';
import { environmentSchema, type Environment, type EnvironmentInput } from './schema';

export type { Environment, EnvironmentInput } from './schema';
export type { Problem } from './rules';

/** Every environment, by the file that states it. A new one is a file and a line here. */
export const environmentFiles: Readonly<Record<string, EnvironmentInput>> = {
  'environments/dev.ts': dev,
  'environments/qa.ts': qa,
  'environments/prod.ts': prod,
};

/** Says all that is wrong with all environments, one line a problem: file, path, value, what would be right. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/**
 * Checks every environment and fills in the defaults.
 *
 * @param files environments by file @default - those of this folder
 * @param furtherProblems rules from another room (a construct's own limits), asked about each environment that
 *   has the right shape
 * @throws EnvironmentError with every problem of every file at once
 */
export function loadEnvironments(
  files: Readonly<Record<string, unknown>> = environmentFiles,
  furtherProblems: (environment: Environment) => Problem[] = () => [],
): Environment[] {
  const loaded: Loaded[] = [];
  const lines = Object.entries(files).flatMap(([file, input]) => {
    const { data, error } = environmentSchema.safeParse(input, { error: inWords });
    if (data) loaded.push({ file, environment: data });
    return [
      ...(error?.issues ?? []).flatMap((issue) => asProblems(issue, input)),
      ...crossFieldProblems(input),
      ...(data ? furtherProblems(data) : []),
    ].map((problem) => describe(file, problem));
  });
  lines.push(...claimedTwice(loaded), ...overlappingNames(loaded));
  if (lines.length > 0) {
    const count = lines.length === 1 ? 'One problem' : `${lines.length} problems`;
    throw new EnvironmentError(
      [`${count} in the environments; nothing was synthesized:`, ...lines].join('\n  '),
    );
  }
  return loaded.map(({ environment }) => environment);
}

interface Loaded {
  file: string;
  environment: Environment;
}

/** What exists once, in all or in an account, belongs to the first that claims it. */
function claimedTwice(loaded: Loaded[]): string[] {
  const owners = new Map<string, string>();
  return loaded.flatMap(({ file, environment }) =>
    claims(environment).flatMap(({ what, instead, ...problem }) => {
      const owner = owners.get(what);
      if (owner)
        return [describe(file, { ...problem, expected: `${instead}: ${owner} has ${what} already` })];
      owners.set(what, file);
      return [];
    }),
  );
}

function claims({ name, organisation, account, region, repositories, github }: Environment) {
  const owned = (path: string, what: string) => ({ path, value: 'this', what, instead: "'shared'" });
  const names = repositories.owner === 'this' ? [...new Set(repositories.names)] : [];
  return [
    { path: 'name', value: name, what: `the name ${name}`, instead: 'a name of its own' },
    ...(github.oidcProvider === 'this'
      ? [owned('github.oidcProvider', `GitHub's OIDC provider of account ${account}`)]
      : []),
    ...names.map((repository) =>
      owned(
        'repositories.owner',
        `the repository ${organisation}-${repository} of account ${account} in ${region}`,
      ),
    ),
  ];
}

/** An environment's policies name its buckets and roles by a wildcard, which must not take in another's. */
function overlappingNames(loaded: Loaded[]): string[] {
  return loaded.flatMap(({ file, environment: { name, organisation, account } }) =>
    loaded.flatMap(({ file: owner, environment: other }) => {
      const isTakenIn =
        other.account === account &&
        `${organisation}-`.startsWith(`${other.organisation}-`) &&
        `-${name}`.endsWith(`-${other.name}`) &&
        (other.organisation !== organisation || other.name !== name);
      const all = `${other.organisation}-*-${other.name}`;
      const expected = `another name: what is called ${all} in account ${account} belongs to ${owner}`;
      return isTakenIn ? [describe(file, { path: 'name', value: name, expected })] : [];
    }),
  );
}

/** file: path is value; expected what would be right */
function describe(file: string, { path, value, expected }: Problem): string {
  return `${file}: ${path || 'the default export'} is ${shown(value, path)}; expected ${expected}`;
}

function shown(value: unknown, path: string): string {
  switch (typeof value) {
    case 'undefined':
      return 'missing';
    case 'string':
      return MAY_BE_SECRET.test(path) ? '(text, not shown)' : shortened(JSON.stringify(value));
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return shortened(`[${value.map((item) => shown(item, path)).join(', ')}]`);
      return shortened(`{ ${Object.keys(value).join(', ')} }`).replace('{  }', '{}');
    case 'function':
      return 'a function';
    default:
      return String(value);
  }
}

/** A parameter's texts but its path and its secret's variable: a secret may stand there by mistake. */
const MAY_BE_SECRET = /^parameters\[\d+\]\.(?!path$|secret\.variable$)/;

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** What zod expects, where the schema has no words of its own for it. */
const inWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected];
    case 'invalid_value':
      return issue.values
        .map((value) => (typeof value === 'string' ? `'${value}'` : String(value)))
        .join(' or ');
    case 'too_small':
      return `at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`;
    case 'too_big':
      return `at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`;
    case 'unrecognized_keys':
      return 'no such field here';
    case 'invalid_union':
      return 'data that JSON can hold'; // z.json(); other unions have their own words
    default:
      return undefined;
  }
};

const KINDS: Partial<Record<string, string>> = {
  string: 'text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list in [ ]',
  object: 'fields in { }',
  record: 'names with values in { }',
};

const UNITS: Partial<Record<string, string>> = { string: ' characters', array: ' entries' };

/** zod's issue as problems: one for each field in question. */
function asProblems(issue: z.core.$ZodIssue, input: unknown, base: PropertyKey[] = []): Problem[] {
  const path = [...base, ...issue.path];
  const problem = (at: PropertyKey[], expected: string) => ({
    path: written(at),
    value: valueAt(input, at),
    expected,
  });
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => problem([...path, key], issue.message));
    case 'invalid_key':
      return [problem(path, `another key: ${issue.issues.map(({ message }) => message).join('; ')}`)];
    case 'invalid_union':
      return (
        meantBranch(issue)?.flatMap((inner) => asProblems(inner, input, path)) ?? [
          problem(path, issue.message),
        ]
      );
    default:
      return [problem(path, issue.message)];
  }
}

/** The issues of that branch of a union which the value comes nearest to; undefined when it could be several or none. */
function meantBranch({ errors }: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] | undefined {
  const least = Math.min(...errors.map(misfit));
  const nearest = errors.filter((issues) => misfit(issues) === least);
  return least < Infinity && nearest.length === 1 ? nearest[0] : undefined;
}

/** How many fields are of the wrong kind, missing or too many. */
function misfit(issues: z.core.$ZodIssue[]): number {
  return issues.reduce((sum, issue) => {
    if (issue.code === 'unrecognized_keys') return sum + issue.keys.length;
    if (issue.path.length === 0) return Infinity;
    return sum + Number(['invalid_type', 'invalid_union', 'invalid_value'].includes(issue.code));
  }, 0);
}

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (found, key) => (found as Record<PropertyKey, unknown> | null | undefined)?.[key],
    value,
  );
}

/** As a person would write it: buckets[1].name, tags["cost center"]. */
function written(path: PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = String(key);
    return /^[A-Za-z_$][\w$]*$/.test(name)
      ? `${text}${text ? '.' : ''}${name}`
      : `${text}[${JSON.stringify(name)}]`;
  }, '');
}
