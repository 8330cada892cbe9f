import type { Check } from './check';
import { unreadablePolicy } from './errors';
import { list, shown, type Resource } from './resource';

/** A statement of an IAM policy (IAM User Guide, "IAM JSON policy elements reference"). */
export interface Statement {
  Sid?: string;
  Effect?: string;
  Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  Action?: string | readonly string[];
  NotAction?: string | readonly string[];
  Resource?: string | readonly string[];
  Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** The statements of a policy that an argument holds as JSON, each with where it stands. @throws OperatorError */
export function statementsOf({ environment, address, body }: Resource, argument: string) {
  const json = body[argument];
  if (json === undefined) return [];
  try {
    const { Statement } = JSON.parse(json as string) as { Statement: Statement | Statement[] };
    return list(Statement).map((statement, index) => ({
      statement,
      at: `${argument}.Statement[${statement.Sid ?? index}]`,
    }));
  } catch {
    throw unreadablePolicy(environment, address, argument);
  }
}

/**
 * Looks at each statement of a policy.
 *
 * @param fault says what is wrong with a statement, if anything
 */
export function statements(
  argument: string,
  effect: 'Allow' | 'Deny',
  fault: (statement: Statement) => string | false | undefined,
): Check['look'] {
  return (resource) =>
    statementsOf(resource, argument).flatMap(({ statement, at }) => {
      const found = statement.Effect === effect && fault(statement);
      return found ? [{ argument: at, found }] : [];
    });
}

export function principals({ Principal }: Statement, kind: 'AWS' | 'Federated'): readonly string[] {
  return Principal === '*' ? ['*'] : list(Principal?.[kind]);
}

export function isForAnyone(statement: Statement): boolean {
  return principals(statement, 'AWS').includes('*');
}

export function principalShown({ Principal }: Statement): string {
  return `Principal ${shown(Principal)}`;
}
