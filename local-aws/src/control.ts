import { controlFailed } from './errors';
import type { LoggedDecision } from './front/decision-log';
import type { GithubTokenOptions } from './front/github-issuer';
import { signedFetch } from './signed-fetch';

/** Where a local AWS is, and its administrator's pair. */
export interface ControlAccess {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface ServiceCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Of the session. */
  readonly arn: string;
}

/** What only a local AWS can do. For its administrator alone. */
export interface Control {
  /** A token as GitHub gives a workflow's job, for AssumeRoleWithWebIdentity. */
  readonly githubToken: (options: GithubTokenOptions) => Promise<string>;
  /**
   * Credentials of a role that a service of AWS's takes on by itself, as EC2 does for an instance's profile.
   *
   * @throws LocalAwsError when the role doesn't trust the service
   */
  readonly serviceCredentials: (options: {
    /** Such as `ec2.amazonaws.com`. */
    readonly service: string;
    readonly roleArn: string;
    /** @default 'service' */
    readonly sessionName?: string;
    /** @default 3600 */
    readonly durationSeconds?: number;
  }) => Promise<ServiceCredentials>;
  /** Ends sessions before their time; all of them without a choice. @returns how many */
  readonly expireSessions: (which?: {
    readonly accessKeyId?: string;
    readonly principalArn?: string;
  }) => Promise<number>;
  /** Every decision since the start, oldest first. */
  readonly decisions: () => Promise<LoggedDecision[]>;
  /**
   * Switches services open: everyone may do everything there. For tests that show that others can fail.
   *
   * @param prefixes such as `s3`; none: all are decided again
   */
  readonly openServices: (...prefixes: string[]) => Promise<void>;
}

/**
 * The control of a local AWS that is running, from its variables: a process that was given nothing else can use it.
 */
export function controlOf({ endpoint, region, accessKeyId, secretAccessKey }: ControlAccess): Control {
  const call = async (command: string, input: object = {}): Promise<unknown> => {
    const answer = await signedFetch(
      { endpoint, region, credentials: { accessKeyId, secretAccessKey } },
      {
        service: 'local-aws',
        path: `/_local-aws/${command}`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(input),
      },
    );
    const content = (await answer.json()) as { message?: string };
    if (!answer.ok) throw controlFailed(command, content.message ?? `HTTP ${answer.status}`);
    return content;
  };
  return {
    githubToken: async (options) => ((await call('github-token', options)) as { token: string }).token,
    serviceCredentials: async (options) => (await call('service-credentials', options)) as ServiceCredentials,
    expireSessions: async (which) => ((await call('expire-sessions', which)) as { ended: number }).ended,
    decisions: async () => {
      const { lines } = (await call('decisions')) as { lines: string };
      return lines
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LoggedDecision);
    },
    openServices: async (...prefixes) => {
      await call('open-services', { prefixes });
    },
  };
}
