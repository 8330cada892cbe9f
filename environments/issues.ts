import type { z } from 'zod';
import type { Problem } from './problem';

/** What zod expects, where the schema has no words of its own for it. */
export const inWords: z.core.$ZodErrorMap = (issue) => {
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
export function asProblems(issue: z.core.$ZodIssue, input: unknown, base: PropertyKey[] = []): Problem[] {
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
export function written(path: PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = String(key);
    return /^[A-Za-z_$][\w$]*$/.test(name)
      ? `${text}${text ? '.' : ''}${name}`
      : `${text}[${JSON.stringify(name)}]`;
  }, '');
}
