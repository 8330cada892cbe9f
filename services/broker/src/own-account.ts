import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';

/** The account that the broker works in; asked once, which takes no permission (STS API Reference, "GetCallerIdentity"). */
export function ownAccountBy(client: STSClient): () => Promise<string> {
  let known: Promise<string> | undefined;
  return () =>
    (known ??= client.send(new GetCallerIdentityCommand({})).then(
      ({ Account = '' }) => Account,
      (error: unknown) => {
        known = undefined;
        throw error;
      },
    ));
}
