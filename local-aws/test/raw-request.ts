import { request, type IncomingMessage } from 'node:http';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { ClientOptions } from './clients';

export interface RawRequest {
  method: string;
  path: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** In the scope of the signature. @default 's3' */
  service?: string;
  /** When it was signed. @default - now */
  at?: Date;
}

export interface RawAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

/** The headers of a request, signed by the SDK's own signer. */
export async function signed(
  options: ClientOptions,
  { method, path, query, headers, body, service = 's3', at }: RawRequest,
) {
  const url = new URL(options.endpoint);
  const { region, credentials } = options;
  const signer = new SignatureV4({
    region,
    credentials,
    service,
    sha256: Sha256,
    // S3 is signed by the path as it is sent.
    uriEscapePath: service !== 's3',
  });
  const { headers: all } = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      port: Number(url.port),
      path,
      ...(query && { query }),
      headers: { host: url.host, ...headers },
      body,
    },
    at && { signingDate: at },
  );
  return all;
}

/** Sends just that, past all that the SDK would add or mend. */
export function send(
  options: Pick<ClientOptions, 'endpoint'>,
  { method, path, query, headers, body }: RawRequest,
  write?: (outgoing: ReturnType<typeof request>) => void,
): Promise<RawAnswer> {
  const url = new URL(options.endpoint);
  const search = query ? `?${new URLSearchParams(query).toString().replaceAll('+', '%20')}` : '';
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: url.hostname, port: url.port, method, path: `${path}${search}`, headers, agent: false },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
        });
        answer.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    if (write) write(outgoing);
    else outgoing.end(body);
  });
}
