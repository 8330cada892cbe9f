import type { Check, Fault } from './check';
import { principals, statementsOf } from './policy';
import { list, referred, shown, type Resource } from './resource';

const ASKS =
  "GitHub's tokens are trusted by their subject: one repository's, and by a claim that nobody else can set";

/** The same question twice: of policies that are data sources, and of those that roles hold as JSON. */
export const githubChecks: readonly Check[] = [
  {
    id: 'CKV_AWS_358',
    asks: `${ASKS} (data sources).`,
    on: ['data.aws_iam_policy_document'],
    look: (document) =>
      list(document.body.statement as Block[] | undefined).flatMap((block, index) =>
        block.effect === 'Deny'
          ? []
          : faults(document, `statement[${block.sid ?? index}].condition`, {
              federated: list(block.principals)
                .filter(({ type }) => type === 'Federated')
                .flatMap(({ identifiers }) => identifiers),
              conditions: list(block.condition),
            }),
      ),
  },
  {
    id: 'CKV_AWS_393',
    asks: `${ASKS} (roles).`,
    on: ['aws_iam_role'],
    look: (role) =>
      statementsOf(role, 'assume_role_policy').flatMap(({ statement, at }) =>
        statement.Effect === 'Deny'
          ? []
          : faults(role, `${at}.Condition`, {
              federated: principals(statement, 'Federated'),
              conditions: Object.entries(statement.Condition ?? {}).flatMap(([test, keys]) =>
                Object.entries(keys).map(([variable, values]) => ({ test, variable, values })),
              ),
            }),
      ),
  },
];

interface Condition {
  /** Such as StringEquals. */
  test: string;
  /** Condition key. */
  variable: string;
  values: string | readonly string[];
}

/** A statement as Terraform's data source writes it. */
interface Block {
  sid?: string;
  effect?: string;
  principals?: { type: string; identifiers: string[] }[];
  condition?: Condition[];
}

interface Trust {
  federated: readonly string[];
  conditions: readonly Condition[];
}

function faults(resource: Resource, argument: string, { federated, conditions }: Trust): Fault[] {
  if (!federated.some((principal) => isGithub(resource, principal))) return [];
  const subjects = conditions.filter(isOnSubject).flatMap(({ values }) => list(values));
  if (subjects.length === 0) return [{ argument, found: 'no condition on the subject' }];
  return subjects.filter(isUnsafe).map((subject) => ({ argument, found: shown(subject) }));
}

function isGithub(resource: Resource, principal: string): boolean {
  const url = referred(resource.configuration, principal)?.body.url;
  return (typeof url === 'string' ? url : principal).includes('token.actions.githubusercontent.com');
}

/** Neither `…IfExists` nor `ForAllValues:…` counts: both hold when there is no subject. */
function isOnSubject({ test, variable }: Condition): boolean {
  return (
    /^(ForAnyValue:)?String(Equals|EqualsIgnoreCase|Like)$/.test(test) &&
    /^token\.actions\.githubusercontent\.com(\/[\w-]+)?:sub$/i.test(variable)
  );
}

/** Claims whose values anyone gives in a repository of their own. */
const ANYONES_CLAIMS = /^(workflow|environment|ref|context|head_ref|base_ref)/;

function isUnsafe(subject: string): boolean {
  const [claim = '', value] = subject.split(':');
  if (value === undefined || value === '*' || claim.includes('*') || ANYONES_CLAIMS.test(claim)) return true;
  return claim === 'repo' && !/^[^/*?]+\/[^/]+$/.test(value);
}
