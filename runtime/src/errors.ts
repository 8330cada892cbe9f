import type { SdkError } from './safe-cause';

/** What went wrong with a value, and what it must be. */
export function badRoleArn(value: string): string {
  // Only what looks like an ARN is repeated: a secret may have got into the wrong variable.
  const got = value.startsWith('arn:')
    ? JSON.stringify(value)
    : `${value.length} characters of something else`;
  return `roleArn (AWS_ROLE_ARN) must look like arn:aws:iam::123456789012:role/name, got ${got}`;
}

export function badSessionName(value: string): string {
  const rule = 'must have at least 2 characters, only of A-Z a-z 0-9 _ + = , . @ -';
  return `sessionName (AWS_ROLE_SESSION_NAME) ${rule}, got ${JSON.stringify(value)}`;
}

export function badExternalId(value: string): string {
  const rule = 'must have 2 to 1224 characters, only of A-Z a-z 0-9 _ + = , . @ : / -';
  return `externalId (AWS_ROLE_EXTERNAL_ID) ${rule}; the one given has ${value.length} and isn't shown`;
}

export function badDuration(value: number, min: number, max: number): string {
  return `durationSeconds must be a whole number of seconds from ${min} to ${max}, got ${value}`;
}

export function invalidSettings(problems: readonly string[]): Error {
  return named(new TypeError(`roleCredentials: ${problems.join('; ')}.`));
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
  return failure(
    roleArn,
    `no usable AWS region (${cause.message})`,
    'Set AWS_REGION or the option region.',
    cause,
  );
}

export function sourceFailed(roleArn: string, cause: SdkError): Error {
  const next =
    'Give the process credentials that may take on the role: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, an instance or container role, or the option sourceCredentials.';
  return failure(roleArn, `the source credentials could not be loaded (${cause.message})`, next, cause);
}

export function emptyAnswer(roleArn: string): Error {
  return failure(roleArn, 'STS answered without a whole set of credentials', ENDPOINT);
}

/** An error of the call itself. `cause` must hold no secret any more. */
export function assumeRoleFailed(roleArn: string, cause: SdkError): Error {
  const status = cause.$metadata?.httpStatusCode;
  const next = NEXT_BY_CODE[cause.name.replace(/Exception$/, '')];
  if (next !== undefined)
    return failure(roleArn, `STS answered ${cause.name} (${brief(cause.message)})`, next, cause);
  if (status === undefined) {
    return failure(
      roleArn,
      `STS could not be reached (${cause.code ?? cause.name}: ${brief(cause.message)})`,
      NETWORK,
      cause,
    );
  }
  const what = `STS answered HTTP ${status} (${cause.name}: ${brief(cause.message)})`;
  return failure(roleArn, what, status >= 500 ? LATER : ENDPOINT, cause);
}

const NETWORK =
  'Check network, DNS, region and AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL. The next use tries again.';
const LATER = 'This fault is not on your side; the next use tries again.';
const ENDPOINT = 'Check that AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL, if set, points to an STS.';
const ACCESS =
  "Check that the source's policy allows sts:AssumeRole on this role, that the role's trust policy names the source, and that the external id (AWS_ROLE_EXTERNAL_ID) is the one it asks for; for a web identity token, that it names the token's issuer, audience and subject.";
const EXPIRED =
  'The source credentials, or the web identity token, have run out: renew them (AWS_SESSION_TOKEN, or log in again).';
const KEY =
  'The source access key is unknown to AWS: check that it exists and is active (AWS_ACCESS_KEY_ID), and that a temporary one comes with its AWS_SESSION_TOKEN.';
const THROTTLED =
  'Too many calls to STS in this account and region. The next use tries again; make one provider and share it among all clients of the process.';
const SIGNATURE =
  "The source's secret key does not belong to its access key, or this machine's clock is wrong.";
const DURATION =
  "Check durationSeconds against the role's maximum session duration; from another role's credentials a session lasts 3600 seconds at most.";
const REGION = 'Activate STS for this region in the account, or set AWS_REGION to another one.';
const TOKEN =
  "Check that the role's trust policy names the token's issuer, audience and subject, and that IAM has its OIDC provider.";

/**
 * By the error's code, less "Exception" at its end: STS and the SDK use both forms.
 * Common Errors and the errors of AssumeRole and AssumeRoleWithWebIdentity in the AWS Security Token Service
 * API Reference.
 */
const NEXT_BY_CODE: Readonly<Record<string, string | undefined>> = {
  AccessDenied: ACCESS,
  ExpiredToken: EXPIRED,
  InvalidClientTokenId: KEY,
  UnrecognizedClient: KEY,
  SignatureDoesNotMatch: SIGNATURE,
  Throttling: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  TooManyRequests: THROTTLED,
  ValidationError: DURATION,
  RegionDisabled: REGION,
  InvalidIdentityToken: TOKEN,
  IDPRejectedClaim: TOKEN,
  IDPCommunicationError: LATER,
};

/** Enough for STS's own sentence, not for a request that it repeats. */
const LONGEST_QUOTE = 300;

function brief(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ').trim();
  return line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE)}…` : line;
}

function failure(roleArn: string, what: string, next: string, cause?: Error): Error {
  return named(new Error(`Could not take on role ${roleArn}: ${what}. ${next}`, { cause }));
}

function named(error: Error): Error {
  error.name = 'RoleCredentialsError';
  return error;
}
