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
  const loaded = Object.entries(files).map(([file, input]) => {
    const parsed = environmentSchema.safeParse(input);
    const problems = [...(parsed.error?.issues ?? []).flatMap((issue) => asProblems(issue, input)), ...crossFieldProblems(input)];
    if (parsed.success) problems.push(...furtherProblems(parsed.data));
    return { file, environment: parsed.data, problems };
  });
  const environments = loaded.flatMap(({ environment }) => environment ?? []);
  const lines = [
    ...loaded.flatMap(({ file, problems }) => problems.map((problem) => describe(file, problem))),
    ...acrossEnvironments(loaded),
  ];
  if (lines.length > 0) {
    throw new EnvironmentError(
      [`${lines.length === 1 ? 'One problem' : `${lines.length} problems`} in the environments; nothing was synthesized:`, ...lines].join('\n  '),
    );
  }
  return environments;
}

/** What exists once an account can have one owner among its environments; and no two may have one name. */
function acrossEnvironments(loaded: { file: string; environment?: Environment | undefined }[]): string[] {
  const seen = new Map<string, string>();
  const claim = (what: string, file: string, path: string, value: string, expected: string) => {
    const other = seen.get(what);
    if (other !== undefined) return [describe(file, { path, value, expected: `${expected}: ${other} has it already` })];
    seen.set(what, file);
    return [];
  };
  return loaded.flatMap(({ file, environment }) => {
    if (!environment) return [];
    const { name, organisation, account, region, repositories, github } = environment;
    return [
      ...claim(`name ${organisation} ${name}`, file, 'name', name, 'a name of its own'),
      ...(repositories.owner === 'this'
        ? repositories.names.flatMap((repository) =>
            claim(`repository ${account} ${region} ${organisation}-${repository}`, file, 'repositories.owner', 'this', `'shared', as ${organisation}-${repository} exists once in account ${account}`),
          )
        : []),
      ...(github.oidcProvider === 'this'
        ? claim(`oidc ${account}`, file, 'github.oidcProvider', 'this', `'shared', as GitHub's OIDC provider exists once in account ${account}`)
        : []),
    ];
  });
}

function describe(file: string, { path, value, expected }: Problem): string {
  const shown = value === undefined ? 'missing' : (JSON.stringify(value) ?? typeof value);
  return `${file}: ${path || 'the whole'} is ${shown.length > 80 ? `${shown.slice(0, 77)}...` : shown}; expected ${expected}`;
}

/** zod's issue in our words; of a union, the branch that fits best speaks. */
function asProblems(issue: z.core.$ZodIssue, input: unknown, base: PropertyKey[] = []): Problem[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const fit = (issues: z.core.$ZodIssue[]) => issues.filter(({ code }) => code === 'unrecognized_keys' || code === 'invalid_type').length;
    const best = [...issue.errors].sort((a, b) => fit(a) - fit(b))[0] ?? [];
    return best.flatMap((inner) => asProblems(inner, input, path));
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: written([...path, key]), value: at(input, [...path, key]), expected: 'no such field here' }));
  }
  if (issue.code === 'invalid_key') {
    const expected = issue.issues.map(({ message }) => message).join('; ');
    return [{ path: written(path.slice(0, -1)), value: path.at(-1), expected }];
  }
  return [{ path: written(path), value: at(input, path), expected: issue.message.replace(/^Invalid (input|option): expected /, '') }];
}

function at(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((found, key) => (found as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}

function written(path: PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}${text ? '.' : ''}${String(key)}`),
    '',
  );
}
