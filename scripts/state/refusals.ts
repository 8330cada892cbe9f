import { S3ServiceException } from '@aws-sdk/client-s3';
import { STSServiceException } from '@aws-sdk/client-sts';
import type { Environment } from '../../environments';
import { OperatorError } from '../errors';

/** Such as "3 resources". */
export const resourceCount = (count: number) =>
  `${count === 0 ? 'no' : count} ${count === 1 ? 'resource' : 'resources'}`;

const NOTHING_CHANGED = 'Nothing was changed.';

export const localState = ({ name, organisation, account }: Environment) =>
  new OperatorError(`${name} keeps its state on this machine, so there is no bucket to make. To keep it in S3, put this into environments/${name}.ts:

  state: { backend: 's3', bucket: '${organisation}-terraform-state-${account}' },

and run this again; if ${name} is deployed already, with --move.`);

export const otherAccount = ({ name, account }: Environment, found: string, arn: string) =>
  new OperatorError(
    `${name} belongs in the AWS account ${account}; these credentials are of account ${found} (${arn}). ${NOTHING_CHANGED} Sign in to ${account} and run this again.`,
  );

export const bucketOfAnother = ({ name, account }: Environment, bucket: string, arn: string) =>
  new OperatorError(
    `The bucket ${bucket} exists, and S3 refuses it to ${arn}: either it belongs to another account than ${account}, or s3:ListBucket is missing. ${NOTHING_CHANGED} If it isn't yours, name another one in environments/${name}.ts (state.bucket).`,
  );

export const bucketElsewhere = ({ name }: Environment, bucket: string, found: string, expected: string) =>
  new OperatorError(
    `The bucket ${bucket} is in ${found}, not in ${expected}. ${NOTHING_CHANGED} Put "region: '${found}'" beside its name in environments/${name}.ts (state), or name another bucket.`,
  );

export const notAState = (where: string) =>
  new OperatorError(
    `${where} is not a state of Terraform's that can be read. ${NOTHING_CHANGED} Look at it, and at its older versions, before anything is deployed.`,
  );

export const nothingToMove = (file: string) =>
  new OperatorError(
    `${file} holds no resources, so there is nothing to move. Leave --move out, or name the folder of the state in SLIPWAY_STATE_DIR.`,
  );

export const stateThere = (where: string, resources: number) =>
  new OperatorError(
    `${where} holds another state already, with ${resourceCount(resources)}; it is never replaced. Neither state was changed. If the one on this machine is the right one, move the one in the bucket away by hand and run this again.`,
  );

export const locked = (where: string, { ID, Who, Created, Operation }: LockHolder) =>
  new OperatorError(
    `${where} is locked by ${Who ?? 'someone unknown'} since ${Created ?? 'an unknown time'} (${Operation ?? 'unknown operation'}, ${ID ?? 'no id'}). ${NOTHING_CHANGED} Run this again when that is over; if it was cut off, "terraform force-unlock" removes the lock.`,
  );

export const readBackDifferent = (where: string, file: string) =>
  new OperatorError(
    `${where} reads differently from what was written. ${file} is as it was: deploy nothing, and run this again.`,
  );

/** Of Terraform's lock file, what tells a person who holds it. */
export interface LockHolder {
  ID?: string | undefined;
  Operation?: string | undefined;
  Who?: string | undefined;
  /** RFC 3339. */
  Created?: string | undefined;
}

/** Codes that say the credentials are no good, whatever was asked with them. */
const BAD_CREDENTIALS = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidToken',
  'SignatureDoesNotMatch',
]);

/**
 * What AWS or its SDK said, as a sentence about what was being done.
 *
 * @returns the error as it is where it is none of theirs
 */
export function inOperatorsWords(error: unknown, doing: string, { account }: Environment): unknown {
  if (!(error instanceof Error) || error instanceof OperatorError) return error;
  const said = `${error.name}: ${error.message}`;
  if (BAD_CREDENTIALS.has(error.name))
    return new OperatorError(
      `${doing}: these AWS credentials can't be used (${said}). Sign in to account ${account} (such as by "aws sso login") and run this again.`,
    );
  if (error instanceof S3ServiceException || error instanceof STSServiceException)
    return new OperatorError(
      `${doing}: AWS refused it (${said}). What was done before it stays. Put this right, or sign in as an administrator, and run this again.`,
    );
  if ('code' in error)
    return new OperatorError(
      `${doing}: AWS can't be reached (${error.message || String(error.code)}). Run this again when it can.`,
    );
  return error;
}
