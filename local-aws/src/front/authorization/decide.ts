import { anonymousPrincipal, type RequestAnalysis } from '@cloud-copilot/iam-simulate';
import { sessionOf } from '../authentication/principal';
import type { Ask, ContextValue } from '../mapping/ask';
import type { RequestHead } from '../request-head';
import { because, KINDS, PUBLIC_IS_BLOCKED, type DecidingStatement } from './because';
import { evaluate, isPublic, type SimulatedPrincipal } from './evaluator';
import { identityOf, isIdentified, type Asker } from './global-context';
import { isGranted } from './kms-grants';
import type { NamedPolicy, PolicyDocument, Statement } from './policy';
import { preparePolicy, UnreadablePolicy, type PolicyKind, type WrittenStatement } from './prepared-policy';
import { mentions, requestContext, variablesOf, type RequestContext } from './request-context';
import { NO_PINS, withPrincipalsFor } from './principals';
import { resourcePolicy, type ResourcePolicy } from './resource-policies';
import type { World } from './world';

export interface Decision {
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  /** Of the request. @default - it is about all of it */
  readonly part?: number;
  /** `policy`: by a statement, or for want of one. `gap`: this front can't tell, and so refuses. */
  readonly by: 'administrator' | 'policy' | 'gap';
  /** The statements that decided. */
  readonly statements: readonly DecidingStatement[];
  /** The end of AWS's sentence, such as `because no identity-based policy allows the s3:GetObject action`. */
  readonly because: string;
  /** The condition keys that counted. */
  readonly context: Readonly<Record<string, ContextValue>>;
}

export interface Question {
  readonly asker: Asker;
  readonly ask: Ask;
  readonly region: string;
  readonly head: RequestHead;
  readonly world: World;
}

/** All that counts for one question. */
interface Policies {
  readonly identity: readonly NamedPolicy[];
  readonly boundary: readonly NamedPolicy[];
  readonly session: PolicyDocument | undefined;
  /** The resource's own. */
  readonly resource: PolicyDocument | undefined;
}

/**
 * Decides as IAM does (IAM User Guide, "Policy evaluation logic"), on the identity's policies, its boundary, the
 * session policy and the resource's own policy.
 *
 * @returns undefined for a question that AWS asks only where a policy wants it asked
 */
export async function decide(question: Question): Promise<Decision | undefined> {
  const { asker, ask, world } = question;
  const guard: ResourcePolicy | undefined =
    ask.guard === undefined
      ? await resourcePolicy(world, ask.action, ask.resource)
      : { document: ask.guard, pins: NO_PINS };
  // A role that isn't there, or whose trust policy can't be read, trusts nobody.
  if (guard === undefined && TAKES_ON_A_ROLE.test(ask.action) && ask.resource.includes(':role/'))
    return decision(ask, false, { by: 'policy' });
  const resource =
    guard !== undefined && isIdentified(asker)
      ? withPrincipalsFor(asker, guard.document, guard.pins)
      : guard?.document;
  const policies = { ...(await policiesOf(asker, world)), resource };
  const mentioned = mentions(documentsOf(policies));
  if (ask.onlyWhereMentioned !== undefined && !mentioned.has(ask.onlyWhereMentioned.toLowerCase()))
    return undefined;
  const context = await requestContext(question, mentioned);
  const { values } = context;
  try {
    const evaluated = evaluatePolicies(question, policies, values);
    const unknown = unknownKeys(evaluated, context);
    if (unknown.length > 0)
      return decision(ask, false, {
        by: 'gap',
        because: `a policy's condition is on ${unknown.join(', ')}, which the local AWS doesn't know of a request.`,
        context: values,
      });
    if (isBlockedAsPublic(question, policies, evaluated.analysis))
      return decision(ask, false, { by: 'policy', because: PUBLIC_IS_BLOCKED, context: values });
    const allowed =
      (evaluated.analysis.result === 'Allowed' && !lacksOwnSide(ask, evaluated.analysis)) ||
      grantedToSession(question, policies, values, evaluated.analysis) ||
      (evaluated.analysis.result === 'ImplicitlyDenied' && (await isGranted(question)));
    const statements = deciding(evaluated, allowed ? 'allow' : 'deny');
    return decision(ask, allowed, {
      by: 'policy',
      statements,
      because: allowed ? '' : because(evaluated.analysis, ask.action, statements[0]),
      context: values,
    });
  } catch (error) {
    if (!(error instanceof UnreadablePolicy)) throw error;
    return decision(ask, false, {
      by: 'gap',
      because: `a policy can't be evaluated: ${error.message}`,
      context: values,
    });
  }
}

const TAKES_ON_A_ROLE = /^sts:(AssumeRole|TagSession$|SetSourceIdentity$)/;

function decision(
  { action, resource, part }: Ask,
  allowed: boolean,
  more: Partial<Decision> & Pick<Decision, 'by'>,
): Decision {
  const ofPart = part === undefined ? {} : { part };
  return { action, resource, allowed, ...ofPart, statements: [], because: '', context: {}, ...more };
}

/** The administrator's decision: nothing is evaluated. */
export function administratorMay(ask: Ask): Decision {
  const values = Object.entries(ask.context).filter(
    (entry): entry is [string, ContextValue] => typeof entry[1] === 'string' || Array.isArray(entry[1]),
  );
  return decision(ask, true, { by: 'administrator', context: Object.fromEntries(values) });
}

async function policiesOf(asker: Asker, world: World): Promise<Omit<Policies, 'resource'>> {
  const nothing = { identity: [], boundary: [], session: undefined };
  if (!isIdentified(asker) || asker.kind === 'administrator') return nothing;
  const { identities } = world;
  const identity = await identityOf(asker, world);
  // A role or user that was deleted, or made anew under the same name, is nobody any more.
  const expectedId =
    asker.kind === 'role-session'
      ? asker.roleId
      : asker.kind === 'user'
        ? asker.userId
        : asker.federatedBy.id;
  if (identity?.id !== expectedId) return nothing;
  const { policy: session } = sessionOf(asker) ?? {};
  const { account } = asker;
  const [policies, boundary] = await Promise.all([
    asker.kind === 'role-session'
      ? identities.policiesOfRole(account, asker.roleName)
      : identities.policiesOfUser(account, asker.userName),
    identity.boundary === undefined ? undefined : identities.attachedPolicy(account, identity.boundary),
  ]);
  return {
    identity: policies,
    boundary: boundary === undefined ? [] : [boundary],
    // GetFederationToken gives nothing that its session policy doesn't name.
    session: session ?? (asker.kind === 'federated-user' ? NOTHING_ALLOWED : undefined),
  };
}

const NOTHING_ALLOWED: PolicyDocument = { Version: '2012-10-17', Statement: [] };

const documentsOf = ({ identity, boundary, session, resource }: Policies): PolicyDocument[] =>
  [
    ...identity.map(({ document }) => document),
    ...boundary.map(({ document }) => document),
    session,
    resource,
  ].filter((document) => document !== undefined);

interface Evaluated {
  readonly analysis: RequestAnalysis;
  /** Policies by what the evaluator knows them by: two of the same name may count for one user. */
  readonly named: ReadonlyMap<
    string,
    { readonly name: string; readonly written: readonly WrittenStatement[] }
  >;
}

/** @throws UnreadablePolicy */
function evaluatePolicies(
  { asker, ask }: Question,
  policies: Policies,
  context: RequestContext['values'],
): Evaluated {
  const named = new Map<string, { name: string; written: readonly WrittenStatement[] }>();
  const prepare = (document: PolicyDocument, kind: PolicyKind, id: string, name: string) => {
    const { policy, written } = preparePolicy(document, kind, id, ask.action, {
      resource: ask.resource,
      context,
    });
    named.set(id, { name, written });
    return policy;
  };
  const all = (list: readonly NamedPolicy[], kind: DecidingStatement['kind']) =>
    list.map(({ name, document }, index) => prepare(document, 'identity', `${kind} ${index}`, name));
  const { identity, boundary, session, resource } = policies;
  const analysis = evaluate({
    principal: simulatedPrincipal(asker),
    action: ask.action,
    resource: ask.resource,
    account: ask.account,
    context,
    identity: all(identity, 'identity'),
    boundary: boundary.length > 0 ? all(boundary, 'boundary') : undefined,
    session: session && prepare(session, 'identity', 'session', 'session policy'),
    resourcePolicy: resource && prepare(resource, 'resource', 'resource', 'resource policy'),
  });
  return { analysis, named };
}

function simulatedPrincipal(asker: Asker): SimulatedPrincipal {
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
 * Guide, "Session policies"); nor is one for everyone whose condition is on the role's ARN ("IAM role principals"). The
 * evaluator limits it always.
 */
function grantedToSession(
  question: Question,
  policies: Policies,
  context: RequestContext['values'],
  analysis: RequestAnalysis,
): boolean {
  const { asker } = question;
  if (policies.session === undefined || !isIdentified(asker) || analysis.result !== 'ImplicitlyDenied')
    return false;
  if (analysis.sessionAnalysis?.result !== 'ImplicitlyDenied' || !analysis.sameAccount) return false;
  const named = analysis.resourceAnalysis?.allowStatements.some(({ statement }) => {
    const { Principal: principal, Condition: condition } = statement.toJSON() as Statement;
    const names = JSON.stringify(principal ?? '');
    return (
      names.includes(JSON.stringify(asker.arn)) ||
      (names.includes('"*"') && /"aws:PrincipalArn"/i.test(JSON.stringify(condition ?? '')))
    );
  });
  if (named !== true) return false;
  const again = evaluatePolicies(question, { ...policies, identity: [], session: undefined }, context);
  return again.analysis.result === 'Allowed';
}

/**
 * A resource's policy that names a user or role lets it in by itself, in one account; but for taking on a role, the
 * boundary must allow it, too (IAM User Guide, "Update a role trust policy").
 */
function lacksOwnSide(
  { action, onBothSides }: Ask,
  { identityAnalysis, permissionBoundaryAnalysis: boundary }: RequestAnalysis,
): boolean {
  if (onBothSides === true && identityAnalysis?.result !== 'Allowed') return true;
  return TAKES_ON_A_ROLE.test(action) && boundary !== undefined && boundary.result !== 'Allowed';
}

/** A public bucket policy counts for nobody but the account's own and AWS's services, where the bucket says so. */
function isBlockedAsPublic(
  { asker, ask, world }: Question,
  { resource }: Policies,
  analysis: RequestAnalysis,
): boolean {
  return (
    analysis.result === 'Allowed' &&
    !analysis.sameAccount &&
    asker.kind !== 'service' &&
    resource !== undefined &&
    world.restrictsPublic(ask.resource) &&
    isPublic(resource)
  );
}

/** Conditions that could have decided, on keys that AWS would fill and this front doesn't. */
function unknownKeys(evaluated: Evaluated, context: RequestContext): string[] {
  const keys = KINDS.flatMap(([kind, part]) => {
    const {
      allowStatements = [],
      denyStatements = [],
      unmatchedStatements = [],
    } = evaluated.analysis[part] ?? {};
    return [...allowStatements, ...denyStatements, ...unmatchedStatements]
      .filter(({ actionMatch, principalMatch }) => actionMatch && principalMatch !== 'NoMatch')
      .flatMap((found) => [
        ...(found.resourceMatch
          ? found.statement.conditions().map((condition) => condition.conditionKey())
          : []),
        ...variablesOf(writtenAs(evaluated, kind, found).statement),
      ]);
  }).map((key) => key.toLowerCase());
  return [...new Set(keys)].filter((key) => !context.knows(key));
}

/** The statements that allowed or denied, by the names and places that they have in their policies. */
function deciding(evaluated: Evaluated, effect: 'allow' | 'deny'): DecidingStatement[] {
  return KINDS.flatMap(([kind, part]) =>
    (evaluated.analysis[part]?.[`${effect}Statements`] ?? []).map((found) => {
      const { policy, position } = writtenAs(evaluated, kind, found);
      return { kind, policy, statement: found.statement.sid() ?? String(position) };
    }),
  );
}

/** A statement that the evaluator tells of, as it was written. */
function writtenAs(
  { named }: Evaluated,
  kind: DecidingStatement['kind'],
  {
    policyId,
    statement,
  }: { readonly policyId: string | undefined; readonly statement: { index(): number; toJSON(): unknown } },
): WrittenStatement & { readonly policy: string } {
  const policy = named.get(policyId ?? kind);
  const written = policy?.written[statement.index() - 1];
  return {
    statement: written?.statement ?? (statement.toJSON() as Statement),
    position: written?.position ?? statement.index(),
    policy: policy?.name ?? kind,
  };
}
