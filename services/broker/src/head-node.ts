import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { isTokenOf, tokenDigest } from './tokens';

/** Who stands behind a request, as far as the transport knows. */
export interface Caller {
  /** The header Authorization, as it came. */
  authorization: string | undefined;
  /** ARN of the principal whose signature (SigV4) API Gateway has verified. */
  verifiedPrincipal: string | undefined;
}

/** Says whether a request is the head node's. @throws errors of the SDK */
export type HeadNode = (caller: Caller) => Promise<boolean>;

/** API Gateway has asked IAM who may call these routes; what is left is that it did. */
export const byIam: HeadNode = ({ verifiedPrincipal }) => Promise.resolve(verifiedPrincipal !== undefined);

/** For how long a secret is believed. A new version is taken at once, the one before it for this long more. */
const KEPT_MS = 60_000;
/** Between two reads because of a secret that nobody knows: guesses must not become calls of Secrets Manager. */
const UNKNOWN_EVERY_MS = 2000;
/** How long a secret is believed while Secrets Manager is out of order. */
const LONGEST_KEPT_MS = 15 * 60_000;

/**
 * By the secret in Secrets Manager: its current version and the one before it, so that a rotation locks nobody out.
 *
 * @param secretId name or ARN
 */
export function bySecret(client: SecretsManagerClient, secretId: string, now = Date.now): HeadNode {
  let known: { digests: string[]; at: number } | undefined;
  let reading: Promise<string[]> | undefined;
  let lastTry = -Infinity;

  async function read(): Promise<string[]> {
    lastTry = now();
    const versions = await Promise.all(
      ['AWSCURRENT', 'AWSPREVIOUS'].map(async (VersionStage) => {
        try {
          const command = new GetSecretValueCommand({ SecretId: secretId, VersionStage });
          const { SecretString = '' } = await client.send(command);
          return SecretString;
        } catch (error) {
          // A secret that was never changed has no version before.
          if (VersionStage === 'AWSPREVIOUS' && (error as Error).name === 'ResourceNotFoundException')
            return '';
          throw error;
        }
      }),
    );
    const digests = versions.filter((version) => version !== '').map(tokenDigest);
    known = { digests, at: now() };
    return digests;
  }

  const digests = (): Promise<string[]> =>
    (reading ??= read().finally(() => {
      reading = undefined;
    }));

  async function current(): Promise<string[]> {
    if (known && now() - known.at < KEPT_MS) return known.digests;
    try {
      return await digests();
    } catch (error) {
      if (known && now() - known.at < LONGEST_KEPT_MS) return known.digests;
      throw error;
    }
  }

  return async ({ authorization }) => {
    if (authorization === undefined || authorization === '') return false;
    const matches = (all: string[]) => all.map((each) => isTokenOf(each, authorization)).includes(true);
    if (matches(await current())) return true;
    // It may be a version that is newer than what is known.
    if (now() - lastTry < UNKNOWN_EVERY_MS) return false;
    return matches(await digests());
  };
}
