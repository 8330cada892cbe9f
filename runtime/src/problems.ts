/** What is wrong with an option or variable, and what it must be. A value that may be a secret isn't repeated. */

export function roleArn(place: string, value: string): string {
  // Only what looks like an ARN is repeated: a secret may have got into the wrong variable.
  const got = value.startsWith('arn:')
    ? JSON.stringify(value)
    : `${value.length} characters of something else`;
  return `${place} must look like arn:aws:iam::123456789012:role/name, got ${got}`;
}

export function sessionName(value: string): string {
  return `sessionName (AWS_ROLE_SESSION_NAME) ${NAME_RULE}, got ${JSON.stringify(value)}`;
}

export function sourceIdentity(value: string): string {
  return `sourceIdentity ${NAME_RULE}, got ${JSON.stringify(value)}`;
}

const NAME_RULE = 'must have at least 2 characters, only of A-Z a-z 0-9 _ + = , . @ -';

export function externalId(place: string, value: string): string {
  const rule = 'must have 2 to 1224 characters, only of A-Z a-z 0-9 _ + = , . @ : / -';
  return `${place} ${rule}; the one given has ${value.length} and isn't shown`;
}

export function duration(value: number, min: number, max: number): string {
  return `durationSeconds (AWS_ROLE_DURATION_SECONDS) must be a whole number of seconds from ${min} to ${max}, got ${value}`;
}

export function tooMany(place: string, most: number, got: number): string {
  return `${place} may have ${most} at most, got ${got}`;
}

export function sessionTag(place: string, key: string): string {
  const rule = 'a key of 1 to 128 characters that does not start with aws:, and a value of up to 256';
  return `${place}: each must have ${rule}, only of letters, digits, spaces and _ . : / = + - @; ${JSON.stringify(key)} has not`;
}

export function transitiveTagKey(place: string, key: string): string {
  return `${place} may name keys of sessionTags only, got ${JSON.stringify(key)}`;
}

export function sessionPolicy(place: string, most: number, length: number): string {
  return `${place} must be a JSON object of at most ${most} characters; the one given has ${length}`;
}

export function policyArn(place: string, value: string): string {
  return `${place} must look like arn:aws:iam::aws:policy/ReadOnlyAccess, got ${JSON.stringify(value)}`;
}

export function notWithToken(): string {
  return 'sessionTags and sourceIdentity cannot be sent with a web identity token (AWS_WEB_IDENTITY_TOKEN_FILE), which holds its own: give them to a role in chain, or give sourceCredentials';
}

export function invalidSettings(problems: readonly string[]): Error {
  const error = new TypeError(`roleCredentials: ${problems.join('; ')}.`);
  error.name = 'RoleCredentialsError';
  return error;
}
