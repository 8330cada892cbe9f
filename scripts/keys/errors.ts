import { OperatorError } from '../errors';

export const noPlainLabels = (file: string) =>
  new OperatorError(
    `${file} doesn't state accessKeys as one plain list such as ['first'], so no label can be changed there; nothing was changed. Write it that way and run this again.`,
  );

export const keysNotDeployed = (environment: string) =>
  new OperatorError(
    `${environment} has no key of the base user yet, so there is none to rotate: run "npx cdktf deploy ${environment}" first.`,
  );

export const labelsOfAnother = (file: string, listed: string[], made: string[]) =>
  new OperatorError(
    `${file} lists the keys ${listed.join(', ')}, but Terraform has made ${made.join(', ')}: a deploy would leave services without a key. Put the label of the key that is in use back, before the new one, and run this again.`,
  );

export const deletionCutOff = (environment: string, label: string) =>
  new OperatorError(
    `The deletion of ${label} was cut off: end it first, with "npm run rotate-base-keys -- ${environment} --delete".`,
  );

export const nothingToRetire = (environment: string) =>
  new OperatorError(
    `${environment} has one key, so there is no old one: make a new one first, with "npm run rotate-base-keys -- ${environment}".`,
  );

/** A key that was made by hand, or by a Terraform that was killed before it could write its state. */
export const unknownKey = (user: string, keyId: string) =>
  new OperatorError(
    `The user ${user} has the key ${keyId}, which is not in Terraform's state, and IAM allows two keys a user; nothing was changed. If nobody uses it, delete it and run this again:\n  aws iam delete-access-key --user-name ${user} --access-key-id ${keyId}`,
  );

export const goneKey = (user: string, keyId: string) =>
  new OperatorError(
    `The key ${keyId} of ${user} is in Terraform's state but not in IAM: it was deleted past Terraform. "npx cdktf diff" shows what a deploy makes of that; deploy, and run this again.`,
  );

export const inUse = (what: string, used: string, quietFrom: string) =>
  new OperatorError(
    `${what} was last used ${used}: a service may still hold it; nothing was changed. Restart what has the old secret and run this again from ${quietFrom} on, or with --force.`,
  );

export const stillActive = (environment: string, label: string) =>
  new OperatorError(
    `The key ${label} is still active; nothing was changed. Deactivate it first, which can be undone: "npm run rotate-base-keys -- ${environment} --deactivate".`,
  );

export const notCommitted = (file: string) =>
  new OperatorError(
    `${file} has changes that are not committed: a deploy from another checkout would destroy the new key, while the old one is inactive. Nothing was changed. Commit and push it and run this again, or with --force.`,
  );

export const otherChanges = (changes: string[]) =>
  new OperatorError(
    `Terraform would do more than this rotation needs; nothing was deployed:\n  ${changes.join('\n  ')}\nDeploy that first ("npx cdktf deploy"), and run this again.`,
  );

export const keyDoesNotWork = (keyId: string, seconds: number, reason: string) =>
  new OperatorError(
    `The key ${keyId} didn't work within ${seconds} s (${reason}). Nothing of the old key was changed: see whether the user and its role are deployed, and run this again.`,
  );

export const anotherAccount = (environment: string, expected: string, found: string) =>
  new OperatorError(
    `Environment ${environment} belongs in the AWS account ${expected}; these credentials are of account ${found}. Nothing was changed.`,
  );

export const notApproved = () => new OperatorError('Not approved; nothing was changed.');

export const noTerminal = () =>
  new OperatorError(
    'There is no terminal to ask for approval; nothing was changed. Run this again with --auto-approve.',
  );

/** AWS's own refusal, or no answer: in one sentence. */
export const awsFailed = (what: string, error: unknown) => {
  const { name, message } = error as Error;
  return new OperatorError(
    name === 'CredentialsProviderError'
      ? `There are no AWS credentials in this shell, so it can't ${what}: log in ("aws sso login"), or set AWS_PROFILE.`
      : `AWS refused to ${what} (${name}): ${message}`,
  );
};
