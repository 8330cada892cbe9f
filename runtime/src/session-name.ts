import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/** RoleSessionName and SourceIdentity in AssumeRole, AWS Security Token Service API Reference. */
const MAX_LENGTH = 64;
const ALLOWED = /^[\w+=,.@-]{2,}$/;
const NOT_ALLOWED = /[^\w+=,.@-]/g;

/** 16 hexadecimal characters, 64 bits: two sessions never share a name by accident. */
const HASH_LENGTH = 16;

/** Whether a name has only characters that STS takes and at least two of them; its length can be fitted. */
export function canBeSessionName(name: string): boolean {
  return ALLOWED.test(name);
}

/**
 * The name that CloudTrail shows and revocation aims at. Without a given one: `service@host` when
 * `OTEL_SERVICE_NAME` is set, the host's name otherwise. The host is the pod, when its name is known.
 */
export function sessionName(
  given: string | undefined,
  service: string | undefined,
  host = hostname(),
): string {
  return fitted(given ?? (service === undefined ? host : `${service}@${host}`));
}

/** A name that has to be changed gets a hash of the whole: cut alone, two names could become one. */
export function fitted(name: string): string {
  if (canBeSessionName(name) && name.length <= MAX_LENGTH) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH);
  return `${name.replace(NOT_ALLOWED, '-').slice(0, MAX_LENGTH - HASH_LENGTH - 1)}-${hash}`;
}
