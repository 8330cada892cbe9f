import { createHash } from 'node:crypto';

/** Whom a session of a role belongs to. */
export interface Owner {
  cluster: string;
  user: string;
}

/** Longest session name (STS API Reference, "AssumeRole", RoleSessionName). */
const LONGEST = 64;
/** What cluster and user may hold so that `cluster-user-node` can be told apart again: no hyphen, and no `=`. */
const PLAIN_PART = /^[\w+,.@]+$/;
const PLAIN_NODE = /^[\w+,.@-]+$/;
/** Longest `cluster-user-` that leaves room for a node. */
const LONGEST_PLAIN_OWNER = 40;

const digest = (length: number, ...parts: string[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, length);

/**
 * Name of a role's session: `cluster-user-node`, as the audit log shows it. Where that would be no valid name, or where
 * two owners could share one (user `a-b` on node `c`, user `a` on node `b-c`), it is `{owner}={node}={what is left}`,
 * with digests in front. A plain name has no `=`, so the two forms never meet.
 *
 * @param given what the node asked for; its part after `cluster-user-` is taken for the node
 */
export function sessionName(owner: Owner, given: string): string {
  const { cluster, user } = owner;
  const prefix = `${cluster}-${user}-`;
  const node = given.startsWith(prefix) ? given.slice(prefix.length) : given;
  const plain = prefix + node;
  if (isPlain(owner) && PLAIN_NODE.test(node) && plain.length <= LONGEST) return plain;
  const unique = isPlain(owner) ? prefix : `${ownerDigest(owner)}=`;
  const rest = isPlain(owner) ? node : plain;
  return `${unique}${digest(10, node)}=${rest.replaceAll(/[^\w+,.@-]/g, '.')}`.slice(0, LONGEST);
}

/** Pattern of `aws:userid` that all of an owner's sessions match, and nobody else's (IAM User Guide, "aws:userid"). */
export function userIdPattern(owner: Owner): string {
  return isPlain(owner) ? `*:${owner.cluster}-${owner.user}-*` : `*:${ownerDigest(owner)}=*`;
}

/**
 * A name as a session tag's value: as it is, or with a digest where AWS would not take it
 * (IAM User Guide, "Rules for tagging": letters, digits, spaces and _.:/=+-@, at most 256).
 */
export function tagValue(text: string): string {
  if (/^[\p{L}\p{N} _.:/+@-]{1,256}$/u.test(text)) return text;
  return `${digest(16, text)}=${text.replaceAll(/[^\p{L}\p{N} _.:/+@-]/gu, '.').slice(0, 200)}`;
}

function isPlain({ cluster, user }: Owner): boolean {
  return (
    PLAIN_PART.test(cluster) &&
    PLAIN_PART.test(user) &&
    cluster.length + user.length + 2 <= LONGEST_PLAIN_OWNER
  );
}

const ownerDigest = ({ cluster, user }: Owner) => digest(16, cluster, user);
