import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Environment } from '../../environments';
import { OperatorError } from '../errors';
import { ageInDays, DUE_AFTER_DAYS } from '../keys/age';
import { keysInIam, type IamKey } from '../keys/base-keys';
import { inTime, type Finding } from './finding';

const REMEDY = 'aws sso login, or export AWS_PROFILE=…';

/** Who this shell is, whether that is in the environment's account, and for how long. */
export async function awsCredentials({ name, account, region }: Environment): Promise<Finding> {
  const sts = new STSClient({ region, maxAttempts: 1 });
  try {
    const { Account, Arn } = await inTime(sts.send(new GetCallerIdentityCommand({})));
    const { expiration } = await sts.config.credentials();
    const who = `${Arn ?? ''}${expiration ? `, for ${minutesTo(expiration)} min more` : ''}`;
    return Account === account
      ? { state: 'found', text: who }
      : {
          state: 'missing',
          text: `${who}; ${name} belongs in account ${account}`,
          remedy: `export AWS_PROFILE=… (a profile of account ${account})`,
        };
  } catch (error) {
    const { name: kind, message } = error as Error;
    const none = kind === 'CredentialsProviderError';
    return { state: 'missing', text: none ? 'none in this shell' : `${kind}: ${message}`, remedy: REMEDY };
  }
}

function minutesTo(expiration: Date): number {
  return Math.floor((expiration.getTime() - Date.now()) / 60_000);
}

/** Age of the base user's keys, where these credentials may see it. */
export async function baseKeys(environment: Environment): Promise<Finding> {
  try {
    return ofKeys(environment.name, await inTime(keysInIam(environment)));
  } catch (error) {
    const reason =
      error instanceof OperatorError ? "can't be read with these credentials" : (error as Error).message;
    return { state: 'unknown', text: reason };
  }
}

/** What is to be said of the keys of an environment. */
export function ofKeys(environment: string, keys: IamKey[], now = new Date()): Finding {
  if (keys.length === 0) return { state: 'unknown', text: `${environment} is not deployed` };
  const text = keys
    .map(({ id, active, made }) => `${id}, ${ageInDays(made, now)} days old${active ? '' : ', inactive'}`)
    .join('; ');
  return keys.some(({ made }) => ageInDays(made, now) > DUE_AFTER_DAYS)
    ? { state: 'due', text, remedy: `npm run rotate-base-keys -- ${environment}` }
    : { state: 'found', text };
}

/** Whether a deploy would have a value for each secret parameter. */
export function secretParameters({ name, parameters }: Environment, env = process.env): Finding {
  const variables = parameters.flatMap((parameter) =>
    'secret' in parameter ? [`TF_VAR_${parameter.secret.variable}`] : [],
  );
  const unset = variables.filter((variable) => !env[variable]);
  return unset.length === 0
    ? { state: 'found', text: variables.length > 0 ? `set: ${variables.join(', ')}` : `${name} has none` }
    : {
        state: 'missing',
        text: `not set: ${unset.join(', ')}`,
        remedy: unset.map((variable) => `export ${variable}=…`).join('; '),
      };
}
