import type { Credentials } from './credentials';
import { refreshFailed, RoleCredentialsError } from './errors';
import type { Outcome } from './refreshing';
import type { RoleInput } from './role-options';

/** What happened to a role's session. None holds a secret. */
export type RoleCredentialsEvent =
  | {
      /** The first session, or one that followed another. */
      readonly type: 'assumed' | 'refreshed';
      readonly roleArn: string;
      readonly sessionName: string;
      readonly accessKeyId: string;
      readonly expiration: Date;
      /** Milliseconds from the decision to ask STS to its answer. */
      readonly tookMs: number;
    }
  | {
      /** The refresh failed; the present session is valid and goes on being served. */
      readonly type: 'served-stale';
      readonly roleArn: string;
      readonly sessionName: string;
      readonly accessKeyId: string;
      readonly expiration: Date;
      readonly error: RoleCredentialsError;
      /** Milliseconds to the next try, at the earliest. */
      readonly nextTryMs: number;
    }
  | {
      /** There was nothing valid to serve: the callers got the error. */
      readonly type: 'failed';
      readonly roleArn: string;
      readonly sessionName: string;
      readonly error: RoleCredentialsError;
      readonly nextTryMs: number;
    };

export interface Listeners {
  readonly onEvent: (event: RoleCredentialsEvent) => void;
  readonly onNotice: (message: string) => void;
}

/** Tells what came of asking STS for a role. */
export function tell(
  outcome: Outcome<Credentials>,
  { RoleArn: roleArn, RoleSessionName: sessionName }: RoleInput,
  { onEvent, onNotice }: Listeners,
): void {
  if ('value' in outcome) {
    const { value, first, tookMs } = outcome;
    const { accessKeyId, expiration } = value;
    onEvent({ type: first ? 'assumed' : 'refreshed', roleArn, sessionName, accessKeyId, expiration, tookMs });
    return;
  }
  const { error, served, nextTryMs } = outcome;
  if (!(error instanceof RoleCredentialsError)) return;
  if (!served) {
    onEvent({ type: 'failed', roleArn, sessionName, error, nextTryMs });
    return;
  }
  const { accessKeyId, expiration } = served;
  onEvent({ type: 'served-stale', roleArn, sessionName, accessKeyId, expiration, error, nextTryMs });
  onNotice(refreshFailed(roleArn, expiration, error));
}

/** A listener must not break what it reports on. */
export function unfailing<T>(listener: (told: T) => void): (told: T) => void {
  return (told) => {
    try {
      listener(told);
    } catch {
      // Whoever listens has a fault of its own; credentials are handed out all the same.
    }
  };
}
