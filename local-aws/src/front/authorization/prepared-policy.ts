import {
  createValidatedPolicy,
  loadPolicy,
  validateIdentityPolicy,
  validateResourcePolicy,
  type Policy,
} from '@cloud-copilot/iam-policy';
import { literal, matches, matchesInAnyCase } from './literal-text';
import { isFixed, plainStatement, type AskedFor } from './plain-statement';
import type { PolicyDocument, Statement } from './policy';

export type PolicyKind = 'identity' | 'resource';

/** A policy for the evaluator: just the statements on one action and resource, few of many. */
export interface PreparedPolicy {
  readonly policy: Policy<{ name: string }>;
  /** The statements as they were written, each with its place in the whole policy, from 1. */
  readonly written: readonly WrittenStatement[];
}

export interface WrittenStatement {
  readonly statement: Statement;
  readonly position: number;
}

interface Cut {
  readonly written: readonly WrittenStatement[];
  /** For the evaluator, where it is the same for every request. */
  readonly fixed: readonly Statement[] | undefined;
}

/** A policy that can't be evaluated, and so could hold a denial. */
export class UnreadablePolicy extends Error {
  override readonly name = 'UnreadablePolicy';
}

const cuts = new WeakMap<PolicyDocument, Map<string, Cut>>();

/**
 * Validation takes longer than a decision, and a policy stays the same for many: so it is kept.
 *
 * @param name by which the evaluator tells of the policy's statements
 * @throws UnreadablePolicy
 */
export function preparePolicy(
  document: PolicyDocument,
  kind: PolicyKind,
  name: string,
  action: string,
  asked: AskedFor,
): PreparedPolicy {
  const known = cuts.get(document) ?? new Map<string, Cut>();
  cuts.set(document, known);
  const id = `${kind} ${action}`;
  let cut = known.get(id);
  if (cut === undefined) known.set(id, (cut = makeCut(document, kind, action)));
  const { written, fixed } = cut;
  const plain = fixed ?? written.map(({ statement }) => plainStatement(statement, document.Version, asked));
  const onResource = plain.map((statement) => mayHold(statement, asked.resource));
  const Statement = plain.filter((_, index) => onResource[index]);
  return {
    written: written.filter((_, index) => onResource[index]),
    policy: loadPolicy({ ...document, Statement }, { name }),
  };
}

function makeCut(document: PolicyDocument, kind: PolicyKind, action: string): Cut {
  const written = document.Statement.map((statement, index) => ({ statement, position: index + 1 })).filter(
    ({ statement }) => mayBeOn(statement, action),
  );
  const statements = written.map(({ statement }) => statement);
  // A policy without a statement is none, but allows and denies nothing.
  if (statements.length > 0) {
    const validate = kind === 'identity' ? validateIdentityPolicy : validateResourcePolicy;
    const { errors } = createValidatedPolicy({ ...document, Statement: statements }, validate);
    if (errors.length > 0)
      throw new UnreadablePolicy(errors.map(({ message, path }) => `${path}: ${message}`).join('; '));
  }
  const nothing: AskedFor = { resource: '', context: {} };
  return {
    written,
    fixed: statements.every(isFixed)
      ? statements.map((statement) => plainStatement(statement, document.Version, nothing))
      : undefined,
  };
}

/** False only where a statement is on other actions for sure. */
function mayBeOn({ Action: action }: Statement, asked: string): boolean {
  return [action].flat().some((each) => typeof each !== 'string' || matchesInAnyCase(each, asked));
}

/** False only where a plain statement is on other resources for sure. */
function mayHold({ Resource: resource }: Statement, asked: string): boolean {
  if (resource === undefined || asked === '*') return true;
  return [resource].flat().some((each) => typeof each !== 'string' || matches(each, literal(asked)));
}
