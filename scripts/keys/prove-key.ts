import { setTimeout as wait } from 'node:timers/promises';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { keyDoesNotWork } from './errors';
import type { KeysInState } from './terraform-keys';

/** IAM's answers agree with each other after some seconds (IAM User Guide, "eventually consistent"). */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 1_000;

/**
 * Does with a key what a service does: says who it is, and takes its role on.
 *
 * @param patience how long the key may be refused, in milliseconds. @default 60000
 * @returns who it was then
 * @throws OperatorError when it isn't let in within that time
 */
export async function proveKey(
  credentials: KeysInState['credentials'],
  patience = PATIENCE_MS,
): Promise<string> {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, region, role_arn } = credentials;
  const sts = new STSClient({ region, credentials: { accessKeyId, secretAccessKey } });
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      await sts.send(new GetCallerIdentityCommand({}));
      const { AssumedRoleUser } = await sts.send(
        new AssumeRoleCommand({
          RoleArn: role_arn,
          RoleSessionName: 'slipway-rotation',
          DurationSeconds: 900,
        }),
      );
      return AssumedRoleUser?.Arn ?? '';
    } catch (error) {
      const { name, message } = error as Error;
      if (Date.now() + PAUSE_MS > deadline)
        throw keyDoesNotWork(accessKeyId, patience / 1000, `${name}: ${message}`);
      await wait(PAUSE_MS);
    }
  }
}
