import { allowedContextKeysForRequest } from '@cloud-copilot/iam-simulate';
import type { Ask, Context, ContextValue } from '../mapping/ask';
import type { RequestHead } from '../request-head';
import { globalContext, principalTags, type Asker } from './global-context';
import type { PolicyDocument, Statement } from './policy';
import type { World } from './world';

/** The condition keys of one question. */
export interface RequestContext {
  readonly values: Readonly<Record<string, ContextValue>>;
  /** Whether the front knows of a key what a request has of it, be it that it has none. */
  readonly knows: (key: string) => boolean;
}

/** Condition keys and variables, in lower case, of each policy that was ever looked at. */
const mentionsOf = new WeakMap<PolicyDocument, ReadonlySet<string>>();

/** What policies mention: the rest needs no looking up. */
export function mentions(policies: readonly PolicyDocument[]): ReadonlySet<string> {
  const all = policies.flatMap((policy) => {
    let known = mentionsOf.get(policy);
    if (known === undefined) mentionsOf.set(policy, (known = new Set(policy.Statement.flatMap(keysOf))));
    return [...known];
  });
  return new Set(all);
}

/** Keys of a statement's conditions, and of the variables in any of its texts. */
function keysOf(statement: Statement): string[] {
  const conditions = Object.values((statement.Condition ?? {}) as Record<string, object>).flatMap(
    Object.keys,
  );
  return [...conditions, ...variablesOf(statement)].map((key) => key.toLowerCase());
}

/** Names of the policy variables in a statement: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`. */
export function variablesOf(statement: unknown): string[] {
  return [...JSON.stringify(statement).matchAll(/\$\{([^}*?$][^},]*)/g)].map(([, name = '']) => name.trim());
}

/** Families of keys, by what comes before the tag's name. Services have names of their own for `aws:ResourceTag`. */
const RESOURCE_TAG = /^(\w+:resourcetag)\/(.+)$/;
const OBJECT_TAG = /^(s3:existingobjecttag)\/(.+)$/;
const PRINCIPAL_TAG = /^(aws:principaltag)\/(.+)$/;
/** These are in the request where it has them, and absent otherwise. */
const IN_REQUEST = /^(aws:requesttag\/|s3:requestobjecttag\/|kms:encryptioncontext:)/;
/** Claims of a token; a request without one has none of them. */
const CLAIM = /^(?!aws:|sts:|iam:)[\w.-]+(\/[\w./-]+)?:[\w/.]+$/;

/** Fills in what is at hand, and what takes a look into moto where a policy mentions it. */
export async function requestContext(
  {
    asker,
    ask,
    region,
    head,
    world,
  }: { asker: Asker; ask: Ask; region: string; head: RequestHead; world: World },
  mentioned: ReadonlySet<string>,
): Promise<RequestContext> {
  const given: Context = { ...globalContext(asker, ask, region, head, Date.now()), ...ask.context };
  const values: Record<string, ContextValue> = {};
  const known = new Set<string>();
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
      const [, start = '', name = ''] = family.exec(key) ?? [];
      const found = tags.find(([tag]) => tag.toLowerCase() === name);
      if (found !== undefined) values[`${start}/${found[0]}`] = found[1];
    }
  }
  const inTables = await applicableKeys(ask);
  const applies = (key: string) =>
    inTables === undefined ||
    BEYOND_TABLES.test(key) ||
    (isClaim(key) && (ask.action.startsWith('sts:') || OF_ALL_SERVICES.test(key))) ||
    isListed(key, inTables);
  return {
    values: Object.fromEntries(Object.entries(values).filter(([key]) => applies(key.toLowerCase()))),
    // What doesn't apply is absent, on AWS as well.
    knows: (key) =>
      known.has(key) ||
      IN_REQUEST.test(key) ||
      isClaim(key) ||
      (inTables !== undefined && !isListed(key, inTables)),
  };
}

/** Claims that policies of other services may ask for (IAM User Guide, "Cross-service OIDC federation context keys"). */
const OF_ALL_SERVICES = /:(amr|aud|oaud|sub)$/;

const isClaim = (key: string) => CLAIM.test(key) && key.includes('.');

/** Keys that AWS documents, and its tables don't list for each action that they are for. */
const BEYOND_TABLES =
  /^kms:(encryptioncontext:.*|keyspec|keyusage|keyorigin|multiregion|multiregionkeytype|customermasterkeyspec|customermasterkeyusage|encryptionalgorithm)$|^apigateway:|^s3:x-amz-server-side-encryption-aws-kms-key-id$|^s3:object-lock-|^s3:objectcreationoperation$/;

function isListed(key: string, listed: readonly string[]): boolean {
  // A key of a family is listed with a variable, or an example: aws:requesttag/${tagkey}, aws:principaltag/tag-key.
  return listed.some((each) => {
    const [family] = each.split(/\$\{|<|(?<=\/)tag-key$/);
    return family === each ? key === each : key.startsWith(family ?? '');
  });
}

const MOST_KEPT = 5_000;
const kept = new Map<string, Promise<readonly string[] | undefined>>();

/**
 * Keys that apply to an action on a resource, in lower case, by AWS's tables.
 *
 * @returns undefined where the tables don't know the resource
 */
function applicableKeys({ action, resource }: Ask): Promise<readonly string[] | undefined> {
  const id = `${action} ${resource}`;
  let found = kept.get(id);
  if (found === undefined) {
    const [service = '', name = ''] = action.split(':');
    found = allowedContextKeysForRequest(
      service,
      name,
      resource.replaceAll(/[*?\n\r]/g, '_'),
      false,
      undefined,
    ).then(
      (keys) => keys.map((key) => key.toLowerCase()),
      () => undefined,
    );
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(id, found);
  }
  return found;
}
