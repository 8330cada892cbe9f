import { z } from 'zod';

/** What the API issues, and clients get. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly accountId: string | undefined;
  /** RFC 3339, in UTC and whole seconds: not every SDK's reader knows fractions. */
  readonly expiration: string;
}

/** ASCII that JSON need not escape, and short enough for a header, in which the token goes to AWS. */
const text = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,16000}$/);

const schema = z.object({
  AccessKeyId: text,
  SecretAccessKey: text,
  Token: text,
  Expiration: z.iso.datetime({ offset: true }),
  AccountId: text.optional(),
});

/** @returns undefined when the text is anything else than whole credentials */
export function readCredentials(json: string): Credentials | undefined {
  const read = schema.safeParse(parsed(json));
  if (!read.success) return undefined;
  const { AccessKeyId, SecretAccessKey, Token, Expiration, AccountId } = read.data;
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: Token,
    accountId: AccountId,
    expiration: new Date(Expiration).toISOString().replace(/\.\d+Z$/, 'Z'),
  };
}

/** As the container-credentials protocol has it. Put together by hand: it is what the proxy does all day. */
export function credentialsBody(credentials: Credentials): string {
  const { accessKeyId, secretAccessKey, sessionToken, accountId, expiration } = credentials;
  const account = accountId === undefined ? '' : `"AccountId":"${accountId}",`;
  return `{"AccessKeyId":"${accessKeyId}","SecretAccessKey":"${secretAccessKey}","Token":"${sessionToken}",${account}"Expiration":"${expiration}"}`;
}

/** @returns undefined when it is no JSON */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
