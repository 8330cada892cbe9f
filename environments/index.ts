import dev from './dev';
import prod from './prod';
import qa from './qa';
import { acrossEnvironments, type Loaded } from './across-environments';
import { asProblems, inWords } from './issues';
import { describe, type Problem } from './problem';
import { crossFieldProblems } from './rules';
import { environmentSchema, type Environment, type EnvironmentInput } from './schema';

export type { Environment, EnvironmentInput } from './schema';
export type { Problem } from './problem';

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
  lines.push(...acrossEnvironments(loaded));
  if (lines.length > 0) {
    const count = lines.length === 1 ? 'One problem' : `${lines.length} problems`;
    throw new EnvironmentError(
      [`${count} in the environments; nothing was synthesized:`, ...lines].join('\n  '),
    );
  }
  return loaded.map(({ environment }) => environment);
}
