import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

/** Who signs, and where the request goes. */
export interface Signer {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

export interface SignedRequest {
  /** As in the scope of the signature: `ssm`, `monitoring`. */
  readonly service: string;
  /** @default 'POST' */
  readonly method?: string;
  /** With its slash, without a query string. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Signs and sends a request that no client of the SDK has. */
export async function signedFetch(signer: Signer, request: SignedRequest): Promise<Response> {
  const { endpoint, region, credentials } = signer;
  const { service, method = 'POST', path, headers, body = '' } = request;
  const url = new URL(path, endpoint);
  const signed = await new SignatureV4({ service, region, credentials, sha256: Sha256 }).sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    port: Number(url.port),
    path: url.pathname,
    headers: { host: url.host, ...headers },
    body,
  });
  return fetch(url, { method, headers: signed.headers, ...(body !== '' && { body }) });
}
