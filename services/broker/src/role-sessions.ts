import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';
import { roleUnavailable } from './problem';
import { tagValue } from './session-name';
import { issuedAtEarliest } from './time';

/** Credentials of a role, as STS gives them, and when: milliseconds since 1970. */
export interface RoleSession {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiresAt: number;
  /** By STS's clock, at the earliest. */
  issuedAt: number;
}

export interface RoleRequest {
  roleArn: string;
  sessionName: string;
  /** Undefined where the role takes no session tags. */
  tags: { project: string; user: string; session: string } | undefined;
}

/** Takes on a role. @throws Refusal when it can't be taken on; errors of the SDK when STS can't be asked */
export type TakeOnRole = (request: RoleRequest) => Promise<RoleSession>;

/** Tag that tells one session from another in a policy. */
export const SESSION_TAG = 'slipway-session';

/** @param seconds the credentials live (STS API Reference, "AssumeRole", DurationSeconds) */
export function takeOnRoleBy(client: STSClient, seconds: number): TakeOnRole {
  return async ({ roleArn, sessionName, tags }) => {
    const issuedAt = issuedAtEarliest(Date.now());
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      DurationSeconds: seconds,
      ...(tags && {
        Tags: [
          { Key: 'slipway-project', Value: tagValue(tags.project) },
          { Key: 'slipway-user', Value: tagValue(tags.user) },
          { Key: SESSION_TAG, Value: tagValue(tags.session) },
        ],
      }),
    });
    const { Credentials } = await client.send(command).catch((error: unknown) => {
      throw PERMANENT.has((error as Error).name) ? roleUnavailable(error) : error;
    });
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration)
      throw Object.assign(new Error('STS answered without credentials'), { code: 'NoCredentials' });
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiresAt: Expiration.getTime(),
      issuedAt,
    };
  };
}

/** What asking again does not mend (STS API Reference, "AssumeRole", Errors). */
const PERMANENT = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'ValidationError',
  'RegionDisabledException',
]);

/** Whether the role's trust policy lets the broker in, but not with tags. */
export function isTagRefusal(error: unknown): boolean {
  return String((error as Error).cause).includes('sts:TagSession');
}
