/**
 * Why a request is refused. Each service has a code of its own for each (answers/refusal-response.ts).
 *
 * - `missing-token`: no credentials at all, where the service wants some
 * - `malformed`: credentials, or a request, that can't be read
 * - `unknown-key`: no such access key, an inactive one, or a session token that isn't the key's
 * - `signature`: signed by another secret, or changed on the way
 * - `not-signed`: headers that AWS wants signed, and weren't
 * - `expired`: a session that has ended
 * - `skewed`: signed more than five minutes ago or ahead
 * - `presigned-expired`: a presigned URL that has ended
 * - `payload`: a body that is not the one that was signed
 * - `denied`: access denied by policy
 * - `gap`: this front can't tell what the request needs
 * - `invalid`: refused by the service itself; carries the service's own code
 */
export type RefusalKind =
  | 'missing-token'
  | 'malformed'
  | 'unknown-key'
  | 'signature'
  | 'not-signed'
  | 'expired'
  | 'skewed'
  | 'presigned-expired'
  | 'payload'
  | 'denied'
  | 'gap'
  | 'invalid';

/** A request that is not forwarded. `message` is what the client is told. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly kind: RefusalKind,
    message: string,
    /** The service's own error code, for `invalid`. */
    readonly code?: string,
    /** HTTP status, for `invalid`. */
    readonly status?: number,
  ) {
    super(message);
  }
}

/** What a request needs can't be told: it is refused for everyone but the administrator. */
export const gap = (what: string) =>
  new Refusal('gap', `The local AWS can't tell what this request needs, so it refuses it: ${what}`);

/** The service itself would refuse this. */
export const invalid = (code: string, message: string, status = 400) =>
  new Refusal('invalid', message, code, status);
