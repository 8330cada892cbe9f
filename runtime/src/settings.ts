import type { STSClientConfig } from '@aws-sdk/client-sts';
import type { RoleCredentialsEvent } from './events';
import * as bad from './problems';
import { inputOf, type Place, problemsOf, type RoleInput, type RoleOptions } from './role-options';
import { canBeSessionName, fitted, sessionName } from './session-name';

/** What the `credentials` of an SDK client take: fixed credentials, or a provider of them. */
export type SourceCredentials = NonNullable<STSClientConfig['credentials']>;

/** The SDK's AwsCredentialIdentityProvider, named through the one package this one depends on. */
export type CredentialsProvider = Extract<SourceCredentials, (...args: never[]) => unknown>;

/** An option beats its variable. An empty variable counts as not set. */
export interface RoleCredentialsOptions extends Partial<RoleOptions> {
  /**
   * The role to take on, as an ARN.
   * @default - AWS_ROLE_ARN; without either the source credentials are handed on, with a notice
   */
  readonly roleArn?: string;
  /**
   * The external id that the role's trust policy asks for, 2 to 1,224 characters.
   * @default - AWS_ROLE_EXTERNAL_ID, or none
   */
  readonly externalId?: string;
  /**
   * Roles taken on one from the other after `roleArn`; the credentials are the last one's. Each has options of
   * its own, those for `roleArn` aren't repeated for it.
   * @default - AWS_ROLE_CHAIN, ARNs with commas between them, or none
   */
  readonly chain?: readonly (string | RoleOptions)[];
  /**
   * Name of the session in CloudTrail: at least 2 of `A-Z a-z 0-9 _ + = , . @ -`. What is longer than 64
   * gets a hash at its end.
   * @default - AWS_ROLE_SESSION_NAME, or `<OTEL_SERVICE_NAME>@<POD_NAME or hostname>`, or the latter alone
   */
  readonly sessionName?: string;
  /**
   * Who is behind the session, for CloudTrail; it stays through the whole chain. Like a session name. The
   * trust policies must allow `sts:SetSourceIdentity`.
   * @default - none
   */
  readonly sourceIdentity?: string;
  /**
   * The region whose STS is asked.
   * @default - AWS_REGION, or the region of the SDK's profile, or of the client that asks first
   */
  readonly region?: string;
  /**
   * Lifetime of a session in seconds, a whole number from 900 to 43,200, and no more than the role's
   * maximum session duration; 3,600 at most when it is taken on from another role.
   * @default - AWS_ROLE_DURATION_SECONDS, or 3600
   */
  readonly durationSeconds?: number;
  /**
   * Who takes on the role. A provider is asked again for each refresh. Providers made with the same function,
   * or with the same keys, share their sessions.
   * @default - the SDK's default chain (environment, profile, container, instance)
   */
  readonly sourceCredentials?: SourceCredentials;
  /**
   * Told, in one sentence, what is no error but should be known: no role set, a refresh that failed.
   * @default console.warn
   */
  readonly onNotice?: (message: string) => void;
  /**
   * Told each thing that happens to the role's session. Of several providers that share one, the one that made
   * it happen is told.
   * @default - nobody is told
   */
  readonly onEvent?: (event: RoleCredentialsEvent) => void;
}

/** One role, checked, with everything that STS is asked for. */
export interface Role {
  readonly input: RoleInput;
  readonly region: string | undefined;
  /** Set when the role is taken on with a web identity token in place of the source. */
  readonly webIdentityTokenFile: string | undefined;
}

interface Settings {
  /** In the order in which they are taken on; the last one's credentials are wanted. Empty when none is set. */
  readonly roles: readonly Role[];
  readonly region: string | undefined;
  /** `undefined` stands for the SDK's default chain. */
  readonly source: SourceCredentials | undefined;
}

/** A session's lifetime in seconds in AssumeRole, AWS Security Token Service API Reference. */
const MIN_DURATION = 900;
const MAX_DURATION = 43_200;
const MAX_CHAINED_DURATION = 3600;
const DEFAULT_DURATION = '3600';

/** A role's name may hold commas, so only one before the next ARN ends it. */
const BETWEEN_ARNS = /\s*,\s*(?=arn:)|\s+/;

/** @throws when a value is malformed, naming every one that is */
export function readSettings(options: RoleCredentialsOptions, env: NodeJS.ProcessEnv): Settings {
  const variable = (name: string) => nonEmpty(env[name]);
  const roleArn = options.roleArn ?? variable('AWS_ROLE_ARN');
  const externalId = options.externalId ?? variable('AWS_ROLE_EXTERNAL_ID');
  const givenName = options.sessionName ?? variable('AWS_ROLE_SESSION_NAME');
  const region = options.region ?? variable('AWS_REGION');
  const seconds =
    options.durationSeconds ?? Number(variable('AWS_ROLE_DURATION_SECONDS') ?? DEFAULT_DURATION);
  const { sourceIdentity, sourceCredentials: source } = options;
  const tokenFile = source ? undefined : webIdentityTokenFile(roleArn, env);

  const chain = chainOf(options.chain, variable('AWS_ROLE_CHAIN'));
  const given = [
    { role: { ...options, roleArn: roleArn ?? '', ...(externalId !== undefined && { externalId }) }, place },
    ...chain,
  ].filter(({ role }) => role.roleArn !== '' || chain.length > 0);

  const most = chain.length > 0 ? MAX_CHAINED_DURATION : MAX_DURATION;
  const isDuration = Number.isInteger(seconds) && seconds >= MIN_DURATION && seconds <= most;
  const notInToken = tokenFile !== undefined && (options.sessionTags ?? sourceIdentity) !== undefined;
  const problems = [
    ...given.flatMap(({ role, place }) => problemsOf(role, place)),
    givenName !== undefined && !canBeSessionName(givenName) && bad.sessionName(givenName),
    sourceIdentity !== undefined && !canBeSessionName(sourceIdentity) && bad.sourceIdentity(sourceIdentity),
    !isDuration && bad.duration(seconds, MIN_DURATION, most),
    notInToken && bad.notWithToken(),
  ].filter((problem) => problem !== false);
  if (problems.length > 0) throw bad.invalidSettings(problems);

  const RoleSessionName = sessionName(givenName, variable('OTEL_SERVICE_NAME'), variable('POD_NAME'));
  const roles = given.map(({ role }, index) => ({
    input: {
      ...inputOf(role),
      RoleSessionName,
      // Of the roles before the last only the way to the next one is wanted.
      DurationSeconds: index < given.length - 1 ? MIN_DURATION : seconds,
      ...(sourceIdentity !== undefined && { SourceIdentity: fitted(sourceIdentity) }),
    },
    region,
    webIdentityTokenFile: index === 0 ? tokenFile : undefined,
  }));
  return { roles, region, source };
}

const VARIABLES: Partial<Record<keyof RoleOptions, string>> = {
  roleArn: 'AWS_ROLE_ARN',
  externalId: 'AWS_ROLE_EXTERNAL_ID',
};

const place: Place = (option) => {
  const name = VARIABLES[option];
  return name === undefined ? option : `${option} (${name})`;
};

function chainOf(
  chain: RoleCredentialsOptions['chain'],
  variable: string | undefined,
): { role: RoleOptions; place: Place }[] {
  const name = chain ? 'chain' : 'chain (AWS_ROLE_CHAIN)';
  const roles = chain ?? variable?.trim().split(BETWEEN_ARNS) ?? [];
  return roles.map((role, index) => ({
    role: typeof role === 'string' ? { roleArn: role } : role,
    place: (option) => `${name}, role ${index + 1}, ${option}`,
  }));
}

/**
 * The token's file when it stands for this very role and nothing in the environment comes before it: static
 * keys and a profile beat it here as they do in the SDK's default chain.
 */
function webIdentityTokenFile(roleArn: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (roleArn === undefined || roleArn !== env.AWS_ROLE_ARN) return undefined;
  if (env.AWS_ACCESS_KEY_ID || env.AWS_PROFILE) return undefined;
  return nonEmpty(env.AWS_WEB_IDENTITY_TOKEN_FILE);
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
