import type { RoleInput } from './role-options';
import type { SdkError } from './safe-cause';

/** Why a role's credentials can't be had: what happened, to which role, what to do next; never a secret. */
export class RoleCredentialsError extends Error {
  override readonly name = 'RoleCredentialsError';
  /** The role, as an ARN. */
  readonly roleArn: string;
  /** Whether asking again changes nothing until somebody does what the message says. */
  readonly isPermanent: boolean;

  constructor(roleArn: string, message: string, options: ErrorOptions & { isPermanent: boolean }) {
    super(message, options);
    this.roleArn = roleArn;
    this.isPermanent = options.isPermanent;
  }
}

export function noRole(): string {
  return 'roleCredentials: no role is set, the source credentials are used as they are. Set AWS_ROLE_ARN to take on a role.';
}

export function externalIdUnused(): string {
  return 'roleCredentials: the external id is not sent, since a role taken on with a web identity token has none. Unset AWS_ROLE_EXTERNAL_ID, or give sourceCredentials.';
}

export function refreshFailed(roleArn: string, validUntil: Date, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `roleCredentials: the credentials of ${roleArn} could not be refreshed; the present ones are served on, valid until ${validUntil.toISOString()}. ${reason}`;
}

/** No answer in time; becomes the cause of what the caller sees. */
export function noAnswer(ms: number): Error {
  const error = new Error(`no answer within ${ms} ms`);
  error.name = 'TimeoutError';
  return error;
}

export function noRegion(roleArn: string, cause: SdkError): Error {
  const what = `no usable AWS region (${cause.message})`;
  return failure(roleArn, what, permanent('Set AWS_REGION or the option region.'), cause);
}

export function sourceFailed(roleArn: string, cause: SdkError): Error {
  return failure(roleArn, `the source credentials could not be loaded (${cause.message})`, SOURCE, cause);
}

export function emptyAnswer(roleArn: string): Error {
  return failure(roleArn, 'STS answered without a whole set of credentials', ENDPOINT);
}

export function expiredAnswer(roleArn: string, expiration: Date): Error {
  const what = `STS answered with credentials that ended at ${expiration.toISOString()}`;
  return failure(roleArn, what, passing("Check this machine's clock and the one of the STS."));
}

/** An error of the call itself. `cause` must hold no secret any more. */
export function assumeRoleFailed(input: RoleInput, withToken: boolean, cause: SdkError): Error {
  const roleArn = input.RoleArn;
  const status = cause.$metadata?.httpStatusCode;
  const said = `${cause.name}: ${brief(cause.message)}`;
  const next = nextAfter(cause, input, withToken);
  if (next) return failure(roleArn, `STS answered ${said}`, next, cause);
  if (status === undefined) {
    const text = `STS could not be reached (${cause.code ?? cause.name}: ${brief(cause.message)})`;
    return failure(roleArn, text, NETWORK, cause);
  }
  const what = `STS answered HTTP ${status} (${said})`;
  return failure(roleArn, what, status >= 500 ? LATER : ENDPOINT, cause);
}

/** What to do, and whether anything changes before somebody does it. */
interface Next {
  readonly text: string;
  readonly isPermanent: boolean;
}

const permanent = (text: string): Next => ({ text, isPermanent: true });
const passing = (text: string): Next => ({ text, isPermanent: false });

const SOURCE = permanent(
  'Give the process credentials that may take on the role: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, an instance or container role, or the option sourceCredentials.',
);
const NETWORK = passing(
  'Check network, DNS, region and AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL. The next use tries again.',
);
const LATER = passing('This fault is not on your side; the next use tries again.');
const ENDPOINT = passing('Check that AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL, if set, points to an STS.');
const EXPIRED = permanent(
  'The source credentials, or the web identity token, have run out: renew them (AWS_SESSION_TOKEN, or log in again).',
);
const KEY = permanent(
  'The source access key is unknown to AWS: check that it exists and is active (AWS_ACCESS_KEY_ID), and that a temporary one comes with its AWS_SESSION_TOKEN.',
);
const THROTTLED = passing(
  'Too many calls to STS in this account and region. The next use tries again; look for what else asks STS.',
);
const SECRET = permanent('The secret key of the source does not belong to its access key.');
const CLOCK = permanent("This machine's clock is wrong: set it, by NTP if you can.");
const VALUE = permanent(
  "Check durationSeconds against the role's maximum session duration (3600 when it is taken on from another role), and what the message names.",
);
const POLICY = permanent(
  'Check sessionPolicy: its grammar, and its size with sessionPolicyArns and sessionTags together.',
);
const REGION = permanent('Activate STS for this region in the account, or set AWS_REGION to another one.');
const TOKEN = permanent(
  "Check that the role's trust policy names the token's issuer, audience and subject, and that IAM has its OIDC provider.",
);

/**
 * By the error's code, less "Exception" at its end: STS and the SDK use both forms.
 * Common Errors and the errors of AssumeRole and AssumeRoleWithWebIdentity in the AWS Security Token Service
 * API Reference.
 */
const NEXT_BY_CODE: Readonly<Record<string, Next | undefined>> = {
  ExpiredToken: EXPIRED,
  InvalidClientTokenId: KEY,
  UnrecognizedClient: KEY,
  RequestExpired: CLOCK,
  RequestTimeTooSkewed: CLOCK,
  Throttling: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  TooManyRequests: THROTTLED,
  ValidationError: VALUE,
  MalformedPolicyDocument: POLICY,
  PackedPolicyTooLarge: POLICY,
  RegionDisabled: REGION,
  InvalidIdentityToken: TOKEN,
  IDPRejectedClaim: TOKEN,
  IDPCommunicationError: LATER,
};

function nextAfter({ name, message }: SdkError, input: RoleInput, withToken: boolean): Next | undefined {
  const code = name.replace(/Exception$/, '');
  if (code === 'AccessDenied') return withToken ? TOKEN : afterDenial(message, input);
  if (code === 'SignatureDoesNotMatch') return /signature (expired|not yet)/i.test(message) ? CLOCK : SECRET;
  return NEXT_BY_CODE[code];
}

/** STS says whose policy lacks the permission, but not always; and says the same of a role that isn't there. */
function afterDenial(message: string, { ExternalId }: RoleInput): Next {
  const denial = /with an explicit deny[^.]*/.exec(message)?.[0];
  if (denial !== undefined) return permanent(`A policy forbids it (${denial}): change that policy.`);

  const action = /perform: (sts:\w+)/.exec(message)?.[1] ?? 'sts:AssumeRole';
  const caller = `the source's own policy allows ${action} on this role`;
  const externalId =
    ExternalId === undefined
      ? 'no external id was sent; if it asks for one, set AWS_ROLE_EXTERNAL_ID'
      : 'the external id that was sent, AWS_ROLE_EXTERNAL_ID, must be the one it asks for';
  const trust = `the role's trust policy allows ${action} to the source (${externalId})`;
  if (/identity-based policy|permissions boundary|session policy/.test(message)) {
    return permanent(`See on the caller's side that ${caller}.`);
  }
  if (/resource-based policy|trust policy/.test(message)) {
    return permanent(`See on the role's side that ${trust}.`);
  }
  return permanent(`See that the role's ARN is right, that ${caller}, and that ${trust}.`);
}

/** Enough for STS's own sentence, not for a request that it repeats. */
const LONGEST_QUOTE = 300;

function brief(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ').trim();
  return line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE)}…` : line;
}

function failure(roleArn: string, what: string, { text, isPermanent }: Next, cause?: Error): Error {
  return new RoleCredentialsError(roleArn, `Could not take on role ${roleArn}: ${what}. ${text}`, {
    cause,
    isPermanent,
  });
}
