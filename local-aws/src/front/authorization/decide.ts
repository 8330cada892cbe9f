import {
  createValidatedPolicy,
  validateIdentityPolicy,
  validateResourcePolicy,
} from '@cloud-copilot/iam-policy';
import {
  allowedContextKeysForRequest,
  anonymousPrincipal,
  runSimulation,
  type RequestAnalysis,
  type Simulation,
} from '@cloud-copilot/iam-simulate';
import { sessionOf } from '../authentication/principal';
import type { Ask, Context, ContextValue } from '../mapping/ask';
import type { RequestHead } from '../request-head';
import { globalContext, isIdentified, principalTags, type Asker } from './global-context';
import type { NamedPolicy, PolicyDocument, Statement } from './policy';
import { resourcePolicy } from './resource-policies';
import type { World } from './world';

export interface Decision {
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  /** `policy`: by a statement, or for want of one. `gap`: this front can't tell, and so refuses. */
  readonly by: 'administrator' | 'policy' | 'gap';
  /** The statements that decided. */
  readonly statements: readonly DecidingStatement[];
  /** The end of AWS's sentence, such as `because no identity-based policy allows the s3:GetObject action`. */
  readonly because: string;
  /** The condition keys that counted. */
  readonly context: Readonly<Record<string, ContextValue>>;
}

export interface DecidingStatement {
  readonly kind: 'identity' | 'resource' | 'boundary' | 'session';
  /** An ARN or a name. */
  readonly policy: string;
  /** Its Sid, or its number from 1. */
  readonly statement: string;
}

export interface Question {
  readonly asker: Asker;
  readonly ask: Ask;
  readonly region: string;
  readonly head: RequestHead;
  readonly world: World;
}

/**
 * Decides as IAM does (IAM User Guide, "Policy evaluation logic"): @cloud-copilot/iam-simulate on the identity's
 * policies, its boundary, the session policy and the resource's own policy.
 */
export async function decide(question: Question): Promise<Decision> {
  const { asker, ask, world } = question;
  const policies = await policiesOf(asker, world);
  const guard = ask.guard ?? (await resourcePolicy(world, ask.action, ask.resource));
  // A role that isn't there, or whose trust policy can't be read, trusts nobody.
  if (guard === undefined && TAKES_ON_A_ROLE.test(ask.action))
    return { ...outline(ask), by: 'policy', because: '', context: {} };
  const all = [
    ...policies.identity,
    ...policies.boundary,
    ...documents(policies.session),
    ...documents(guard),
  ];
  const context = await contextFor(
    question,
    mentions(all.map((policy) => ('document' in policy ? policy.document : policy))),
  );
  const undecided = (why: string): Decision => ({
    ...outline(ask),
    by: 'gap',
    because: why,
    context: context.values,
  });

  const simulated = await simulate(question, policies, guard, context.values);
  if (typeof simulated === 'string') return undecided(simulated);
  const { analysis, ignored } = simulated;
  const used = Object.fromEntries(
    Object.entries(context.values).filter(([key]) => !ignored.has(key.toLowerCase())),
  );
  const unknown = await unknownKeys(analysis, ask, context.known);
  if (unknown.length > 0)
    return undecided(
      `a policy's condition is on ${unknown.join(', ')}, which the local AWS doesn't know of a request.`,
    );
  const allowed =
    analysis.result === 'Allowed' ||
    (await grantedToSession(question, policies, guard, context.values, analysis));
  const statements = deciding(analysis, allowed ? 'allow' : 'deny', simulated.named);
  return {
    ...outline(ask),
    allowed,
    by: 'policy',
    statements,
    because: allowed ? '' : because(analysis, ask.action, statements[0]),
    context: used,
  };
}

const TAKES_ON_A_ROLE = /^sts:(AssumeRole|TagSession$|SetSourceIdentity$)/;

const outline = ({ action, resource }: Ask) => ({ action, resource, allowed: false, statements: [] });

interface Policies {
  readonly identity: readonly NamedPolicy[];
  readonly boundary: readonly NamedPolicy[];
  readonly session: PolicyDocument | undefined;
}

const NO_POLICIES: Policies = { identity: [], boundary: [], session: undefined };

async function policiesOf(asker: Asker, world: World): Promise<Policies> {
  if (!isIdentified(asker) || asker.kind === 'administrator') return NO_POLICIES;
  const { users, roles } = await world.identities(asker.account);
  const identity = asker.kind === 'role-session' ? roles.get(asker.roleName) : users.get(asker.userName);
  // A role or user that was deleted, or made anew under the same name, is nobody any more.
  const expectedId = asker.kind === 'role-session' ? asker.roleId : identity?.id;
  if (identity?.id !== expectedId || identity === undefined) return NO_POLICIES;
  const { policy: session } = sessionOf(asker) ?? {};
  return {
    identity: identity.policies,
    boundary: identity.boundary === undefined ? [] : [identity.boundary],
    // GetFederationToken gives nothing that its session policy doesn't name.
    session: session ?? (asker.kind === 'federated-user' ? NOTHING_ALLOWED : undefined),
  };
}

/** A session policy must hold a statement; this one allows nothing that there is. */
const NOTHING_ALLOWED: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'none:None', Resource: '*' }],
};

const documents = (document: PolicyDocument | undefined) => (document === undefined ? [] : [document]);

/** Condition keys and variables, in lower case, of each policy that was ever looked at. */
const mentionsOf = new WeakMap<PolicyDocument, ReadonlySet<string>>();

function mentions(policies: readonly PolicyDocument[]): ReadonlySet<string> {
  return new Set(
    policies.flatMap((policy) => {
      let known = mentionsOf.get(policy);
      if (known === undefined) mentionsOf.set(policy, (known = new Set(policy.Statement.flatMap(keysOf))));
      return [...known];
    }),
  );
}

/** Keys of a statement's conditions, and of the variables in any of its texts. */
function keysOf(statement: Statement): string[] {
  const conditions = Object.values((statement.Condition ?? {}) as Record<string, object>).flatMap(
    Object.keys,
  );
  return [...conditions, ...variablesOf(statement)].map((key) => key.toLowerCase());
}

function variablesOf(statement: unknown): string[] {
  return [...JSON.stringify(statement).matchAll(/\$\{([^}*?$][^},]*)/g)].map(([, name = '']) => name.trim());
}

interface FilledContext {
  readonly values: Record<string, ContextValue>;
  /** In lower case, absent ones among them. */
  readonly known: ReadonlySet<string>;
}

/** Families of keys, by what comes before the tag's name. Services have names of their own for `aws:ResourceTag`. */
const RESOURCE_TAG = /^(\w+:resourcetag)\/(.+)$/;
const OBJECT_TAG = /^(s3:existingobjecttag)\/(.+)$/;
const PRINCIPAL_TAG = /^(aws:principaltag)\/(.+)$/;
/** These are in the request where it has them, and absent otherwise. */
const IN_REQUEST = /^(aws:requesttag\/|s3:requestobjecttag\/|kms:encryptioncontext:)/;

/** Fills in what is at hand, and what takes a look into moto where a policy mentions it. */
async function contextFor(
  { asker, ask, region, head, world }: Question,
  mentioned: ReadonlySet<string>,
): Promise<FilledContext> {
  const given: Context = { ...globalContext(asker, ask, region, head, Date.now()), ...ask.context };
  const values: Record<string, ContextValue> = {};
  const known = new Set([...mentioned].filter((key) => IN_REQUEST.test(key)));
  for (const [key, value] of Object.entries(given)) {
    const lower = key.toLowerCase();
    known.add(lower);
    const filled = typeof value === 'function' ? (mentioned.has(lower) ? await value() : undefined) : value;
    if (filled !== undefined) values[key] = filled;
  }
  const families = [
    [PRINCIPAL_TAG, () => principalTags(asker, world)],
    [RESOURCE_TAG, ask.tags],
    [OBJECT_TAG, ask.objectTags],
  ] as const;
  for (const [family, read] of families) {
    const keys = [...mentioned].filter((key) => family.test(key));
    if (keys.length === 0 || read === undefined) continue;
    const tags = Object.entries((await read()) ?? {});
    for (const key of keys) {
      known.add(key);
      const [, head = '', name = ''] = family.exec(key) ?? [];
      const found = tags.find(([tag]) => tag.toLowerCase() === name);
      if (found !== undefined) values[`${head}/${found[0]}`] = found[1];
    }
  }
  return { values, known };
}

/**
 * A request's resource is what it is: an asterisk in an object's key, or in the `vpc/*` of a VPC that isn't there yet,
 * matches as itself. The simulator would take it for a pattern, so it gets a character that no policy has.
 */
const ASTERISK = '\uE000';
const withoutWildcards = (resource: string) =>
  resource === '*' ? resource : resource.replaceAll('*', ASTERISK);

/** A policy for the simulator: just the statements on one action, which are few of many. */
interface Prepared {
  readonly policy: unknown;
  /** Where each statement stands in the whole policy, from 1. */
  readonly positions: readonly number[];
}

const prepared = new WeakMap<PolicyDocument, Map<string, Prepared>>();

/** Validation takes longer than the decision, and a policy stays the same for many. */
function prepare(document: PolicyDocument, kind: 'identity' | 'resource', action: string): Prepared {
  const known = prepared.get(document) ?? new Map<string, Prepared>();
  prepared.set(document, known);
  const id = `${kind} ${action}`;
  const ready = known.get(id);
  if (ready !== undefined) return ready;
  const statements = document.Statement.map((statement, index) => [statement, index + 1] as const);
  const on = statements.filter(([statement]) => mayBeOn(statement, action));
  // A policy must hold a statement.
  const kept = on.length > 0 ? on : statements.slice(0, 1);
  const shorter = { ...document, Statement: kept.map(([statement]) => statement) };
  const literal = JSON.parse(JSON.stringify(renamedClaims(shorter)).replaceAll('${*}', ASTERISK)) as unknown;
  const validate = kind === 'identity' ? validateIdentityPolicy : validateResourcePolicy;
  const made = {
    policy: createValidatedPolicy(literal, validate),
    positions: kept.map(([, position]) => position),
  };
  known.set(id, made);
  return made;
}

/** False only where a statement is on other actions for sure. */
function mayBeOn({ Action: action }: Statement, asked: string): boolean {
  const patterns = [action].flat();
  return patterns.some((pattern) => typeof pattern !== 'string' || actionPattern(pattern).test(asked));
}

const actionPatterns = new Map<string, RegExp>();

function actionPattern(pattern: string): RegExp {
  let made = actionPatterns.get(pattern);
  if (made === undefined) {
    const source = pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    actionPatterns.set(pattern, (made = new RegExp(`^${source}$`, 'i')));
  }
  return made;
}

/**
 * AWS's tables list `sub`, `aud` and `amr` of a few identity providers alone, and the simulator drops what they don't
 * list. It knows Google's.
 */
const KNOWN_ISSUER = 'accounts.google.com';
const CLAIM = /^(.+):(sub|aud|amr)$/i;
const renamedKey = (key: string) =>
  /^(aws|saml|sts):/i.test(key) ? key : key.replace(CLAIM, `${KNOWN_ISSUER}:$2`);

function renamedClaims(document: PolicyDocument): PolicyDocument {
  return {
    ...document,
    Statement: document.Statement.map((statement) =>
      isObject(statement.Condition)
        ? {
            ...statement,
            Condition: Object.fromEntries(
              Object.entries(statement.Condition).map(([operator, keys]) => [
                operator,
                isObject(keys)
                  ? Object.fromEntries(Object.entries(keys).map(([key, value]) => [renamedKey(key), value]))
                  : keys,
              ]),
            ),
          }
        : statement,
    ),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** Policies by what the simulator knows them by. */
type Named = Map<string, { readonly name: string; readonly positions: readonly number[] }>;

interface Simulated {
  readonly analysis: RequestAnalysis;
  readonly named: Named;
  /** Keys that AWS's tables don't list for the action, in lower case. */
  readonly ignored: ReadonlySet<string>;
}

/** @returns in words why it can't be decided, if so */
async function simulate(
  { asker, ask }: Question,
  policies: Policies,
  guard: PolicyDocument | undefined,
  values: Readonly<Record<string, ContextValue>>,
): Promise<Simulated | string> {
  const named: Named = new Map();
  const ready = (document: PolicyDocument, kind: 'identity' | 'resource', id: string, name = id) => {
    const { policy, positions } = prepare(document, kind, ask.action);
    named.set(id, { name, positions });
    return policy;
  };
  // Inline policies of a user and of his group may have the same name.
  const all = (list: readonly NamedPolicy[], kind: string) =>
    list.map(({ name, document }, index) => ({
      name: `${kind} ${index}`,
      policy: ready(document, 'identity', `${kind} ${index}`, name),
    }));
  const simulation: Simulation = {
    request: {
      principal: simulatedPrincipal(asker),
      action: ask.action,
      resource: { resource: withoutWildcards(ask.resource), accountId: ask.account },
      contextVariables: Object.fromEntries(
        Object.entries(values).map(([key, value]) => [
          renamedKey(key),
          typeof value === 'string' ? value : [...value],
        ]),
      ),
    },
    identityPolicies: all(policies.identity, 'identity'),
    ...(policies.boundary.length > 0 && { permissionBoundaryPolicies: all(policies.boundary, 'boundary') }),
    ...(policies.session && {
      sessionPolicy: ready(policies.session, 'identity', 'SessionPolicy', 'session policy'),
    }),
    ...(guard && { resourcePolicy: ready(guard, 'resource', 'resource', 'resource policy') }),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
  const result = await runSimulation(simulation, {});
  if (result.resultType === 'error')
    return `the policies can't be evaluated (${JSON.stringify(result.errors)}).`;
  if (result.resultType !== 'single') return 'the resource was taken for a pattern.';
  const { analysis, ignoredContextKeys = [] } = result.result;
  return { analysis, named, ignored: new Set(ignoredContextKeys.map((key) => key.toLowerCase())) };
}

function simulatedPrincipal(asker: Asker): Simulation['request']['principal'] {
  switch (asker.kind) {
    case 'anonymous':
      return anonymousPrincipal;
    case 'service':
      return asker.service;
    case 'web-identity':
      return asker.provider;
    default:
      return asker.arn;
  }
}

/**
 * A resource's policy that names the session itself, not its role, isn't limited by the session policy (IAM User
 * Guide, "Session policies"). The simulator limits it always.
 */
async function grantedToSession(
  question: Question,
  policies: Policies,
  guard: PolicyDocument | undefined,
  values: Readonly<Record<string, ContextValue>>,
  analysis: RequestAnalysis,
): Promise<boolean> {
  const { asker } = question;
  if (policies.session === undefined || !isIdentified(asker) || analysis.result !== 'ImplicitlyDenied')
    return false;
  if (analysis.sessionAnalysis?.result !== 'ImplicitlyDenied' || !analysis.sameAccount) return false;
  const named = analysis.resourceAnalysis?.allowStatements.some(({ statement }) =>
    JSON.stringify((statement.toJSON() as Statement).Principal ?? '').includes(JSON.stringify(asker.arn)),
  );
  if (named !== true) return false;
  const again = await simulate(question, { ...policies, identity: [], session: undefined }, guard, values);
  return typeof again !== 'string' && again.analysis.result === 'Allowed';
}

/** Conditions that could have decided, on keys that this front can't fill though AWS would. */
async function unknownKeys(
  analysis: RequestAnalysis,
  ask: Ask,
  known: ReadonlySet<string>,
): Promise<string[]> {
  const statements = parts(analysis).flatMap(({ allowStatements, denyStatements, unmatchedStatements }) => [
    ...allowStatements,
    ...denyStatements,
    ...unmatchedStatements,
  ]);
  const keys = new Set(
    statements
      .filter(({ actionMatch, principalMatch }) => actionMatch && principalMatch !== 'NoMatch')
      .flatMap(({ statement, resourceMatch }) => [
        ...(resourceMatch ? statement.conditions().map((condition) => condition.conditionKey()) : []),
        ...variablesOf(statement.toJSON()),
      ])
      .map((key) => key.toLowerCase())
      .filter((key) => !known.has(key) && !CLAIM.test(key)),
  );
  if (keys.size === 0) return [];
  const [service = '', action = ''] = ask.action.split(':');
  const applicable = (
    await allowedContextKeysForRequest(service, action, withoutWildcards(ask.resource), false, undefined)
  ).map((key) => key.toLowerCase());
  // A key of a family is listed with a variable: aws:requesttag/${tagkey}, kms:encryptioncontext:${key}.
  return [...keys].filter((key) =>
    applicable.some((each) =>
      each.includes('${') ? key.startsWith(each.split('${')[0] ?? '') : key === each,
    ),
  );
}

const KINDS = [
  ['identity', 'identityAnalysis'],
  ['resource', 'resourceAnalysis'],
  ['boundary', 'permissionBoundaryAnalysis'],
  ['session', 'sessionAnalysis'],
] as const;

const parts = (analysis: RequestAnalysis) => KINDS.flatMap(([, name]) => analysis[name] ?? []);

/** The statements that allowed or denied, by the names and places that they have in their policies. */
function deciding(analysis: RequestAnalysis, effect: 'allow' | 'deny', named: Named): DecidingStatement[] {
  return KINDS.flatMap(([kind, part]) =>
    (analysis[part]?.[`${effect}Statements`] ?? []).map(({ policyId, statement }) => {
      const policy = named.get(policyId || kind);
      const position = policy?.positions[statement.index() - 1] ?? statement.index();
      return { kind, policy: policy?.name ?? kind, statement: statement.sid() ?? String(position) };
    }),
  );
}

const NAMES = {
  identity: 'identity-based policy',
  resource: 'resource-based policy',
  boundary: 'permissions boundary',
  session: 'session policy',
} as const;

/** IAM User Guide, "Troubleshoot access denied error messages". */
function because(analysis: RequestAnalysis, action: string, explicit: DecidingStatement | undefined): string {
  if (explicit !== undefined) {
    const article = explicit.kind === 'identity' ? 'an' : 'a';
    return `with an explicit deny in ${article} ${NAMES[explicit.kind]}`;
  }
  // STS doesn't say which side it was.
  if (action.startsWith('sts:')) return '';
  return `because no ${NAMES[missing(analysis)]} allows the ${action} action`;
}

function missing({
  identityAnalysis,
  resourceAnalysis,
  permissionBoundaryAnalysis,
  sessionAnalysis,
  sameAccount,
}: RequestAnalysis): DecidingStatement['kind'] {
  if (identityAnalysis?.result !== 'Allowed') return 'identity';
  if (
    !sameAccount &&
    resourceAnalysis?.result !== 'Allowed' &&
    resourceAnalysis?.result !== 'AllowedForAccount'
  )
    return 'resource';
  if (permissionBoundaryAnalysis !== undefined && permissionBoundaryAnalysis.result !== 'Allowed')
    return 'boundary';
  if (sessionAnalysis !== undefined && sessionAnalysis.result !== 'Allowed') return 'session';
  return 'resource';
}

/** The administrator's decision: nothing is evaluated. */
export function administratorMay({ action, resource, context }: Ask): Decision {
  const values = Object.entries(context).filter(
    (entry): entry is [string, ContextValue] => typeof entry[1] === 'string' || Array.isArray(entry[1]),
  );
  return {
    action,
    resource,
    allowed: true,
    by: 'administrator',
    statements: [],
    because: '',
    context: Object.fromEntries(values),
  };
}
