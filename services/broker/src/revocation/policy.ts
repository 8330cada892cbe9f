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
  const live = revocations.filter(({ expires }) => expires > now).sort((a, b) => a.cutoff - b.cutoff);
  if (live.length === 0) return { document: undefined, widenedBefore: undefined };
  let groups = grouped(live);
  let everyone: number | undefined;
  let widenedBefore: number | undefined;
  let document = written(groups, everyone);
  while (document.length > limit && groups.length > 0) {
    const merged = withOldestMerged(groups);
    if (merged) {
      groups = merged.groups;
      widenedBefore = Math.max(widenedBefore ?? 0, merged.cutoff);
    } else {
      const dropped = live.shift();
      if (!dropped) break;
      everyone = dropped.cutoff;
      widenedBefore = Math.max(widenedBefore ?? 0, everyone);
      groups = (['user', 'session'] as const).flatMap((kind) => allOf(kind, live));
    }
    document = written(groups, everyone);
  }
  return { document, widenedBefore };
}

/** Revocations of one kind and moment share a statement. */
function grouped(revocations: readonly Revocation[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { kind, who, cutoff } of revocations) {
    const key = `${kind} ${cutoff}`;
    const group = groups.get(key) ?? { kind, who: [], cutoff };
    group.who.push(who);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function withOldestMerged(groups: readonly Group[]): { groups: Group[]; cutoff: number } | undefined {
  for (const [index, first] of groups.entries()) {
    const second = groups.find((other, at) => at > index && other.kind === first.kind);
    if (!second) continue;
    const one = { ...second, who: [...first.who, ...second.who] };
    return {
      groups: groups.flatMap((group) => (group === first ? [] : [group === second ? one : group])),
      cutoff: second.cutoff,
    };
  }
  return undefined;
}

function allOf(kind: Revocation['kind'], revocations: readonly Revocation[]): Group[] {
  const own = revocations.filter((each) => each.kind === kind);
  const last = own.at(-1);
  return last ? [{ kind, who: own.map(({ who }) => who), cutoff: last.cutoff }] : [];
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
