import {
  GetAccessKeyLastUsedCommand,
  IAMClient,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Environment } from '../../environments';
import { names } from '../../stacks/names';
import { OperatorError } from '../errors';
import { anotherAccount, awsFailed } from './errors';

/** An access key of the base user, as IAM has it. */
export interface IamKey {
  id: string;
  active: boolean;
  made: Date;
  /** Undefined where it never was. */
  lastUsed: Date | undefined;
}

/**
 * Keys of an environment's base user, oldest first; none where there is no such user.
 *
 * @throws OperatorError when AWS refuses, or the credentials are of another account
 */
export async function keysInIam(environment: Environment): Promise<IamKey[]> {
  const { region, account, name } = environment;
  const [sts, iam] = [new STSClient({ region }), new IAMClient({ region })];
  const { baseUser } = names(environment);
  return await told('read the keys of the base user', async () => {
    const { Account: found = '' } = await sts.send(new GetCallerIdentityCommand({}));
    if (found !== account) throw anotherAccount(name, account, found);
    const { AccessKeyMetadata = [] } = await iam
      .send(new ListAccessKeysCommand({ UserName: baseUser }))
      .catch((error: unknown) => {
        if ((error as Error).name.startsWith('NoSuchEntity')) return { AccessKeyMetadata: [] };
        throw error;
      });
    const keys = await Promise.all(
      AccessKeyMetadata.map(async ({ AccessKeyId: id = '', Status, CreateDate: made = new Date() }) => {
        const { AccessKeyLastUsed } = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: id }));
        return { id, active: Status === 'Active', made, lastUsed: AccessKeyLastUsed?.LastUsedDate };
      }),
    );
    return keys.sort((a, b) => a.made.getTime() - b.made.getTime());
  });
}

export async function deactivateKey(environment: Environment, id: string): Promise<void> {
  const iam = new IAMClient({ region: environment.region });
  await told('deactivate the key', () =>
    iam.send(
      new UpdateAccessKeyCommand({
        UserName: names(environment).baseUser,
        AccessKeyId: id,
        Status: 'Inactive',
      }),
    ),
  );
}

async function told<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof OperatorError ? error : awsFailed(what, error);
  }
}
