import type { Agent } from 'node:http';
import type { LocalAws } from '../src';

/** Of a client of the SDK. */
export interface ClientOptions {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  forcePathStyle: boolean;
  /** Connections that several clients share. @default - each client has its own */
  requestHandler?: { httpAgent: Agent };
}

/** @param account @default - the one that the local AWS is for */
export function asAdministrator(aws: LocalAws, account = aws.account): ClientOptions {
  const credentials = aws.administrators[account];
  if (credentials === undefined) throw new Error(`There is no administrator for ${account}.`);
  return { endpoint: aws.endpoint, region: aws.region, credentials, forcePathStyle: true };
}
