import type { STSClientConfig } from '@aws-sdk/client-sts';
import { badDuration, badExternalId, badRoleArn, badSessionName, invalidSettings } from './errors';
import { canBeSessionName, sessionName } from './session-name';

/** What the `credentials` of an SDK client take: fixed credentials, or a provider of them. */
export type SourceCredentials = NonNullable<STSClientConfig['credentials']>;

/** The SDK's AwsCredentialIdentityProvider, named through the one package this one depends on. */
export type CredentialsProvider = Extract<SourceCredentials, (...args: never[]) => unknown>;

/** An option beats its variable. An empty variable counts as not set. */
export interface RoleCredentialsOptions {
  /**
   * The role to take on, as an ARN.
   * @default - AWS_ROLE_ARN; without either the source credentials are handed on, with a notice
   */
  readonly roleArn?: string;
  /**
   * Name of the session in CloudTrail: at least 2 of `A-Z a-z 0-9 _ + = , . @ -`. What is longer than 64
   * gets a hash at its end.
   * @default - AWS_ROLE_SESSION_NAME, or `<OTEL_SERVICE_NAME>@<hostname>`, or the hostname
   */
  readonly sessionName?: string;
  /**
   * The external id that the role's trust policy asks for, 2 to 1,224 characters.
   * @default - AWS_ROLE_EXTERNAL_ID, or none
   */
  readonly externalId?: string;
  /**
   * The region whose STS is asked.
   * @default - AWS_REGION, or the region of the SDK's profile; without either the first use fails
   */
  readonly region?: string;
  /**
   * Lifetime of a session in seconds, a whole number from 900 to 43,200, and no more than the role's
   * maximum session duration; 3,600 at most when the source credentials are themselves a role's.
   * @default 3600
   */
  readonly durationSeconds?: number;
  /**
   * Who takes on the role. A provider is asked again for each refresh.
   * @default - the SDK's default chain (environment, profile, container, instance)
   */
  readonly sourceCredentials?: SourceCredentials;
  /**
   * Told, in one sentence, what is no error but should be known: no role set, a refresh that failed.
   * @default console.warn
   */
  readonly onNotice?: (message: string) => void;
}

/** One role, checked, with everything that AssumeRole is asked for. */
export interface Role {
  readonly arn: string;
  readonly sessionName: string;
  readonly externalId: string | undefined;
  /** Seconds. */
  readonly durationSeconds: number;
  readonly region: string | undefined;
  /** `undefined` stands for the SDK's default chain. */
  readonly source: SourceCredentials | undefined;
  /** Set when the role is taken on with a web identity token in place of the source. */
  readonly webIdentityTokenFile: string | undefined;
}

interface Settings {
  /** `undefined` when none is set. */
  readonly role: Role | undefined;
  readonly region: string | undefined;
  readonly source: SourceCredentials | undefined;
}

/** A session's lifetime in AssumeRole, AWS Security Token Service API Reference. */
const MIN_DURATION_SECONDS = 900;
const MAX_DURATION_SECONDS = 43_200;
const DEFAULT_DURATION_SECONDS = 3600;

/** Every partition (aws, aws-cn, aws-us-gov…). IAM identifiers in the IAM User Guide. */
const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/(?:[\x21-\x7e]{1,510}\/)?[\w+=,.@-]{1,64}$/;

/** ExternalId in AssumeRole, AWS Security Token Service API Reference. */
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;

/** @throws when a value is malformed, naming every one that is */
export function readSettings(options: RoleCredentialsOptions, env: NodeJS.ProcessEnv): Settings {
  const arn = options.roleArn ?? nonEmpty(env.AWS_ROLE_ARN);
  const givenName = options.sessionName ?? nonEmpty(env.AWS_ROLE_SESSION_NAME);
  const externalId = options.externalId ?? nonEmpty(env.AWS_ROLE_EXTERNAL_ID);
  const region = options.region ?? nonEmpty(env.AWS_REGION);
  const durationSeconds = options.durationSeconds ?? DEFAULT_DURATION_SECONDS;
  const source = options.sourceCredentials;

  const problems: string[] = [];
  if (arn !== undefined && !ROLE_ARN.test(arn)) problems.push(badRoleArn(arn));
  if (givenName !== undefined && !canBeSessionName(givenName)) problems.push(badSessionName(givenName));
  if (externalId !== undefined && !EXTERNAL_ID.test(externalId)) problems.push(badExternalId(externalId));
  if (!isDuration(durationSeconds)) {
    problems.push(badDuration(durationSeconds, MIN_DURATION_SECONDS, MAX_DURATION_SECONDS));
  }
  if (problems.length > 0) throw invalidSettings(problems);

  const role = arn !== undefined && {
    arn,
    sessionName: sessionName(givenName, nonEmpty(env.OTEL_SERVICE_NAME)),
    externalId,
    durationSeconds,
    region,
    source,
    webIdentityTokenFile: source ? undefined : webIdentityTokenFile(arn, env),
  };
  return { role: role || undefined, region, source };
}

/**
 * The token's file when it stands for this very role and nothing in the environment comes before it: static
 * keys and a profile beat it here as they do in the SDK's default chain.
 */
function webIdentityTokenFile(roleArn: string, env: NodeJS.ProcessEnv): string | undefined {
  if (roleArn !== env.AWS_ROLE_ARN) return undefined;
  if (nonEmpty(env.AWS_ACCESS_KEY_ID) ?? nonEmpty(env.AWS_PROFILE)) return undefined;
  return nonEmpty(env.AWS_WEB_IDENTITY_TOKEN_FILE);
}

function isDuration(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= MIN_DURATION_SECONDS && seconds <= MAX_DURATION_SECONDS;
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
