import type { CredentialsProvider, SourceCredentials } from './settings';

/**
 * The source credentials as a provider; the SDK's default chain when there are none, as an STSClient resolves
 * it, but reading the profile's files anew: the SDK keeps them for the life of the process, and whoever
 * rotates the key in them would go unheard.
 */
export function sourceCredentials(
  source: SourceCredentials | undefined,
  region: string | undefined,
): CredentialsProvider {
  if (typeof source === 'function') return source;
  if (source) return () => Promise.resolve(source);

  let chain: Promise<CredentialsProvider> | undefined;
  return async (request) => {
    chain ??= defaultChain(region);
    return (await chain)(request);
  };
}

/* eslint-disable @typescript-eslint/no-deprecated -- Nothing else of the SDK's STS client makes its chain read files anew. */
async function defaultChain(region: string | undefined): Promise<CredentialsProvider> {
  const { STSClient } = await import('@aws-sdk/client-sts');
  const own = new STSClient({}).config.credentialDefaultProvider as (init: object) => CredentialsProvider;
  const { config } = new STSClient({
    region,
    credentialDefaultProvider: (init: object) => own({ ...init, ignoreCache: true }),
  });
  return config.credentials;
}
