import type { CredentialsProvider, SourceCredentials } from './settings';

/** The source credentials as a provider; the SDK's default chain when there are none, as an STSClient resolves it. */
export function sourceCredentials(
  source: SourceCredentials | undefined,
  region: string | undefined,
): CredentialsProvider {
  if (typeof source === 'function') return source;
  if (source) return () => Promise.resolve(source);

  let chain: Promise<CredentialsProvider> | undefined;
  return async (request) => {
    chain ??= import('@aws-sdk/client-sts').then(
      ({ STSClient }) => new STSClient({ region }).config.credentials,
    );
    return (await chain)(request);
  };
}
