import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new token: 256 bits, as text that any header takes. */
export const newToken = () => randomBytes(32).toString('base64url');

/** What of a token is kept. A token of 256 bits needs no salt. */
export const tokenDigest = (token: string) => createHash('sha256').update(token).digest('base64url');

/** Whether a token is the one of the digest, in a time that tells nothing of either. */
export function isTokenOf(digest: string, token: string): boolean {
  const given = Buffer.from(tokenDigest(token));
  const kept = Buffer.from(digest);
  return given.length === kept.length && timingSafeEqual(given, kept);
}
