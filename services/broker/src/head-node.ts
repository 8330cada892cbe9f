import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { within } from './time';
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
export const byIam: HeadNode = ({ verifiedPrincipal = '' }) => Promise.resolve(verifiedPrincipal !== '');

/** For how long what was read is believed. A new version is taken at once, one that was withdrawn for this long more. */
const KEPT_MS = 60_000;
/** How long a head node waits for another look at a secret that is known; SLURM's scripts give up after seconds. */
const PATIENCE_MS = 800;
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
  /** With the moment at which Secrets Manager was asked for it. */
  let known: { digests: string[]; at: number } | undefined;
  let reading: { digests: Promise<string[]>; since: number } | undefined;
  let lastTry = -Infinity;

  async function fetch(at: number): Promise<string[]> {
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
    known = { digests, at };
    return digests;
  }

  /** One at a time, for all who ask meanwhile. */
  function read() {
    if (reading) return reading;
    lastTry = now();
    const digests = fetch(lastTry).finally(() => {
      reading = undefined;
    });
    return (reading = { digests, since: lastTry });
  }

  /** @returns undefined where Secrets Manager is slow, or out of order */
  async function readSoon(): Promise<string[] | undefined> {
    const { digests, since } = read();
    return within(since + PATIENCE_MS - now(), digests).catch(() => undefined);
  }

  return async ({ authorization }) => {
    if (authorization === undefined || authorization === '') return false;
    const matches = (all: readonly string[]) =>
      all.map((each) => isTokenOf(each, authorization)).includes(true);
    const age = known ? now() - known.at : Infinity;
    if (known && age < LONGEST_KEPT_MS && matches(known.digests))
      return age < KEPT_MS || matches((await readSoon()) ?? known.digests);
    // It may be a version that is newer than what is known.
    if (age < KEPT_MS && now() - lastTry < UNKNOWN_EVERY_MS) return false;
    return matches(await read().digests);
  };
}
