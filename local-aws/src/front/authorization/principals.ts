import { principalArn, type FederatedUser, type Identified } from '../authentication/principal';
import { accountIn, parseArn } from '../mapping/arn';
import type { PolicyDocument, Statement } from './policy';
import type { Identities } from './identities';

/** Unique ids of the users and roles that a policy named when it was written, by their ARNs. */
export type Pins = ReadonlyMap<string, string>;
export const NO_PINS: Pins = new Map();

const PRINCIPALS = ['Principal', 'NotPrincipal'] as const;
/** A principal that nobody is. */
const NOBODY = 'AIDANOBODY';

/**
 * A resource's policy keeps the unique ids of the users and roles that it names: one that is made anew under the same
 * name isn't meant (IAM User Guide, "AWS JSON policy elements: Principal").
 */
export async function pinsOf(document: PolicyDocument, identities: Identities): Promise<Pins> {
  const arns = new Set(
    document.Statement.flatMap(principalsOf).filter((each) => /:(user|role)\//.test(each)),
  );
  const found = await Promise.all(
    [...arns].map(async (arn) => {
      const [kind, ...path] = (parseArn(arn)?.resource ?? '').split('/');
      const [account, name] = [accountIn(arn, ''), path.at(-1) ?? ''];
      const identity = await (kind === 'user'
        ? identities.user(account, name)
        : identities.role(account, name));
      return identity?.arn === arn ? [[arn, identity.id] as const] : [];
    }),
  );
  return new Map(found.flat());
}

const principalsOf = (statement: Statement) =>
  PRINCIPALS.flatMap((member) => {
    const principal = statement[member];
    if (typeof principal !== 'object' || principal === null) return [];
    return [(principal as { AWS?: unknown }).AWS].flat().filter((each) => typeof each === 'string');
  });

const rewritten = new WeakMap<PolicyDocument, Map<string, PolicyDocument>>();

/** A resource's policy as it is about this asker, in the principals that the evaluator knows him by. */
export function withPrincipalsFor(asker: Identified, document: PolicyDocument, pins: Pins): PolicyDocument {
  const replacements = replacementsFor(asker, pins);
  if (!document.Statement.flatMap(principalsOf).some((each) => replacements.has(each))) return document;
  const known = rewritten.get(document) ?? new Map<string, PolicyDocument>();
  rewritten.set(document, known);
  const id = JSON.stringify([...replacements]);
  let found = known.get(id);
  if (found === undefined)
    known.set(
      id,
      (found = { ...document, Statement: document.Statement.map((each) => rewrite(each, replacements)) }),
    );
  return found;
}

function replacementsFor(asker: Identified, pins: Pins): Map<string, string> {
  if (asker.kind === 'federated-user') return replacementsForFederated(asker);
  const arn = principalArn(asker);
  const [id = ''] = asker.userId.split(':');
  const pinned = pins.get(arn);
  return new Map([[id, arn], ...(pinned !== undefined && pinned !== id ? [[arn, NOBODY] as const] : [])]);
}

/**
 * What is said of a user holds for those whom he federated (AWS STS API Reference, "GetFederationToken"). The evaluator
 * takes a federated user for the user of the same name.
 */
function replacementsForFederated(asker: FederatedUser): Map<string, string> {
  const namesake = `arn:aws:iam::${asker.account}:user/${asker.arn.split('/').at(-1) ?? ''}`;
  const { federatedBy } = asker;
  return new Map([
    [namesake, NOBODY],
    [federatedBy.arn, namesake],
    [federatedBy.id, namesake],
  ]);
}

function rewrite(statement: Statement, replacements: ReadonlyMap<string, string>): Statement {
  const changed: Record<string, unknown> = { ...statement };
  for (const member of PRINCIPALS) {
    const principal = statement[member];
    if (typeof principal !== 'object' || principal === null || !('AWS' in principal)) continue;
    const names = [principal.AWS].flat().map((each) => replacements.get(String(each)) ?? each);
    changed[member] = { ...principal, AWS: names };
  }
  return changed;
}
