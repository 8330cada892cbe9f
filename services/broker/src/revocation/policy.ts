import { SESSION_TAG } from '../role-sessions';
import { isoSeconds } from '../time';

/** What one revocation hits. */
export interface Revocation {
  kind: 'user' | 'session';
  /** Pattern of `aws:userid`, or value of the session's tag. */
  who: string;
  /** What was issued before is denied. Milliseconds since 1970, a whole second. */
  cutoff: number;
  /** When the last session that it can hit has ended. Milliseconds since 1970. */
  expires: number;
}

export interface Rendered {
  /** The policy; undefined where nothing needs to be denied. */
  document: string | undefined;
  /** Where statements had to be made wider to fit: what was issued before this may be denied to others, too. */
  widenedBefore: number | undefined;
}

interface Group {
  kind: Revocation['kind'];
  who: string[];
  cutoff: number;
}

/** Condition of a statement, by what it hits. */
const CONDITION = {
  user: ['StringLike', 'aws:userid'],
  session: ['StringEquals', `aws:PrincipalTag/${SESSION_TAG}`],
} as const;

/**
 * The policy that denies what was issued: like AWS's own AWSRevokeOlderSessions, narrowed to a user's sessions, or to
 * one (IAM User Guide, "Revoke IAM role temporary security credentials"). Denying everything denies a further
 * AssumeRole, too.
 *
 * Over the limit it gets wider before it gets longer: first revocations share the latest cutoff of theirs, which hits
 * later sessions of the same users; then the oldest ones become one that hits everyone's sessions older than it.
 *
 * @param now milliseconds since 1970; what has expired is left out
 * @param limit characters that IAM has left for it
 */
export function render(revocations: readonly Revocation[], now: number, limit: number): Rendered {
  const live = latest(revocations.filter(({ expires }) => expires > now));
  if (live.length === 0) return { document: undefined, widenedBefore: undefined };
  // The least width that fits, by halving: each is shorter than the one before, and the last one fits for certain.
  let [tooNarrow, fits] = [-1, 2 * live.length];
  while (fits - tooNarrow > 1) {
    const middle = Math.floor((tooNarrow + fits) / 2);
    if (atWidth(live, middle).document.length <= limit) fits = middle;
    else tooNarrow = middle;
  }
  return atWidth(live, fits);
}

/** Of those that hit the same, the one with the latest cutoff. @returns oldest first */
function latest(revocations: readonly Revocation[]): Revocation[] {
  const ordered = revocations.toSorted((a, b) => a.cutoff - b.cutoff);
  const last = new Map(ordered.map((each) => [`${each.kind} ${each.who}`, each]));
  return ordered.filter((each) => last.get(`${each.kind} ${each.who}`) === each);
}

/** Those that have expired, or that a later one has replaced. @param now milliseconds since 1970 */
export function ofNoUse(revocations: readonly Revocation[], now: number): Revocation[] {
  const used = new Set(latest(revocations));
  return revocations.filter((each) => !used.has(each) || each.expires <= now);
}

/**
 * Up to as many as there are: so many of the oldest share a cutoff. Beyond that: all do, and so many of the oldest hit
 * everyone.
 *
 * @param live oldest first
 */
function atWidth(
  live: readonly Revocation[],
  width: number,
): { document: string; widenedBefore: number | undefined } {
  const hitting = Math.max(0, width - live.length);
  const everyone = live[hitting - 1]?.cutoff;
  const sharing = live.slice(hitting, width);
  const shared = sharing.at(-1)?.cutoff;
  const groups = new Map<string, Group>();
  for (const [index, { kind, who, cutoff }] of live.slice(hitting).entries()) {
    const effective = index < sharing.length && shared !== undefined ? shared : cutoff;
    const key = `${kind} ${effective}`;
    const group = groups.get(key) ?? { kind, who: [], cutoff: effective };
    group.who.push(who);
    groups.set(key, group);
  }
  const isWider = everyone !== undefined || sharing.some(({ cutoff }) => cutoff !== shared);
  return {
    document: written([...groups.values()], everyone),
    widenedBefore: isWider ? Math.max(everyone ?? 0, shared ?? 0) : undefined,
  };
}

function written(groups: readonly Group[], everyone: number | undefined): string {
  const deny = (cutoff: number, condition?: object) => ({
    Effect: 'Deny',
    Action: '*',
    Resource: '*',
    Condition: { ...condition, DateLessThan: { 'aws:TokenIssueTime': isoSeconds(cutoff) } },
  });
  const narrow = groups.map(({ kind, who, cutoff }) => {
    const [operator, key] = CONDITION[kind];
    return deny(cutoff, { [operator]: { [key]: who } });
  });
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [...(everyone === undefined ? [] : [deny(everyone)]), ...narrow],
  });
}
