import type { ContextValue } from '../mapping/ask';
import { literal, matches, pattern } from './literal-text';
import type { Statement } from './policy';

/** What a statement's variables and patterns are held against. */
export interface AskedFor {
  readonly resource: string;
  readonly context: Readonly<Record<string, ContextValue>>;
}

/** The language that knows variables (IAM User Guide, "Version"). */
const WITH_VARIABLES = '2012-10-17';
const VARIABLE = /\$\{([^}]*)\}/g;
const RESOURCES = ['Resource', 'NotResource'] as const;

/** Whether a statement reads the same for every request. */
export function isFixed(statement: Statement): boolean {
  return !JSON.stringify(statement).includes('${') && !resourcesOf(statement).some(isOpenHead);
}

const resourcesOf = (statement: Statement) =>
  RESOURCES.flatMap((member) => [statement[member]].flat().filter((each) => typeof each === 'string'));

/**
 * A statement as the evaluator reads it right: its variables filled in, its texts free of what would stand for
 * something else, and the few elements in other words that the evaluator takes for something that AWS doesn't.
 *
 * @param version of its policy
 */
export function plainStatement(
  statement: Statement,
  version: string | undefined,
  { resource, context }: AskedFor,
): Statement {
  const values = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  const fill = (text: string, write: (part: string) => string) =>
    version === WITH_VARIABLES ? filled(text, write, values) : write(text);
  const plain: Record<string, unknown> = { ...statement };
  for (const member of RESOURCES)
    if (statement[member] !== undefined)
      plain[member] = [statement[member]]
        .flat()
        .map((each) => plainResource(fill(textOf(each), pattern), resource));
  if (statement.Condition !== undefined) plain.Condition = plainConditions(statement.Condition, fill);
  return exemptFromDenial(plain);
}

/** Policies hold texts, and numbers and truths that count as texts. */
const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

type Fill = (text: string, write: (part: string) => string) => string | undefined;

/**
 * @param write turns what is no variable into the evaluator's form
 * @returns undefined where a variable has no value, so that nothing is like it (IAM User Guide, "Using tags as policy variables")
 */
function filled(
  text: string,
  write: (part: string) => string,
  values: ReadonlyMap<string, ContextValue>,
): string | undefined {
  let result = '';
  let at = 0;
  for (const found of text.matchAll(VARIABLE)) {
    const [whole, inner = ''] = found;
    const value = ['*', '?', '$'].includes(inner) ? inner : valueOf(inner, values);
    if (value === undefined) return undefined;
    result += write(text.slice(at, found.index)) + literal(value);
    at = found.index + whole.length;
  }
  return result + write(text.slice(at));
}

/** @param variable such as `aws:username`, or `aws:PrincipalTag/team, 'none'` with what stands in for no value */
function valueOf(variable: string, values: ReadonlyMap<string, ContextValue>): string | undefined {
  const [, name = '', byDefault] = /^\s*([^,]*?)\s*(?:,\s*'(.*)'\s*)?$/.exec(variable) ?? [];
  const value = values.get(name.toLowerCase());
  return typeof value === 'string' ? value : byDefault;
}

const NOTHING = 'arn:aws:none:::none';

/** `arn:aws:ec2:eu-west-1:111122223333:*` with a slash behind: a wildcard before the first slash or colon of the resource. */
const isOpenHead = (resource: string) => /^arn:[^:]*:[^:]*:[^:]*:[^:]*:[^/:$]*[*?][^/:$]*[/:]/.test(resource);

/** The evaluator knows no wildcard there; what such a resource matches is written out. */
function plainResource(resource: string | undefined, asked: string): string {
  if (resource === undefined) return NOTHING;
  if (!isOpenHead(resource)) return resource;
  return matches(resource, literal(asked)) ? literal(asked) : NOTHING;
}

type Conditions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function plainConditions(conditions: unknown, fill: Fill): unknown {
  return Object.fromEntries(
    Object.entries(conditions as Conditions).map(([operator, keys]) => {
      const write = /Like(IfExists)?$|^(For\w+:)?Arn/i.test(operator) ? pattern : literal;
      const isDate = /^(For\w+:)?Date/i.test(operator);
      const plain = Object.entries(keys).map(([key, given]) => [
        // It is the same instant, and the evaluator compares dates in ISO 8601 alone.
        isDate && key.toLowerCase() === 'aws:epochtime' ? 'aws:CurrentTime' : key,
        [given].flat().map((each) => {
          const value = fill(textOf(each), write) ?? NO_VALUE;
          return isDate ? isoDate(value) : value;
        }),
      ]);
      return [operator, Object.fromEntries(plain) as unknown];
    }),
  );
}

/** No value is equal to it, or like it. */
const NO_VALUE = '\uE0FF';

/** Dates may be in seconds since 1970. */
const isoDate = (text: string) => (/^-?\d+$/.test(text) ? new Date(Number(text) * 1000).toISOString() : text);

/**
 * A denial for all but some exempts those alone: an account among them stands for its root user, and for nobody else
 * (IAM User Guide, "NotPrincipal"). The evaluator would exempt everyone of the account.
 */
function exemptFromDenial(statement: Statement): Statement {
  const { NotPrincipal: exempt, ...rest } = statement;
  if (statement.Effect !== 'Deny' || typeof exempt !== 'object' || exempt === null) return statement;
  const kept = Object.entries(exempt as Record<string, string | string[]>)
    .map(
      ([kind, names]) => [kind, [names].flat().filter((name) => kind !== 'AWS' || !isAccount(name))] as const,
    )
    .filter(([, names]) => names.length > 0);
  return kept.length > 0 ? { ...rest, NotPrincipal: Object.fromEntries(kept) } : { ...rest, Principal: '*' };
}

const isAccount = (principal: string) => /^\d{12}$|^arn:[^:]*:iam::\d{12}:root$/.test(principal);
