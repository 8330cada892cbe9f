import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

/** What the server does with a call: gives credentials, refuses, says anything at all, or fails on the wire. */
export type Answer =
  | 'grant'
  | 'hang'
  | 'reset'
  | Refusal
  | { readonly body: string; readonly status?: number };

interface Refusal {
  readonly code: string;
  readonly status?: number;
  readonly message?: string;
}

export interface StsServer {
  readonly url: string;
  /** Whom GetCallerIdentity names. */
  readonly caller: string;
  /** The form fields of each STS call, in order. */
  readonly calls: URLSearchParams[];
  /** When each STS call was signed, by its caller's clock. */
  readonly dates: Date[];
  /** The Authorization header of each request that was signed. */
  readonly signatures: string[];
  answer: (call: URLSearchParams) => Answer | Promise<Answer>;
  /** Milliseconds since 1970, by which sessions expire. */
  now: () => number;
  /** Milliseconds by which the server's clock is ahead of this machine's. */
  ahead: number;
  /** Sockets that stand open. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** STS's query protocol on a port of its own. The n-th grant is AKIA…n, secret-n, token-n: a triple shows if it is mixed. */
export async function startStsServer(): Promise<StsServer> {
  const http = createServer((request, response) => void respond(request, response));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  let grants = 0;

  const sts: StsServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    caller: 'arn:aws:sts::123456789012:assumed-role/reader/session',
    calls: [],
    dates: [],
    signatures: [],
    answer: () => 'grant',
    now: Date.now,
    ahead: 0,
    connections: () => promisify(http.getConnections.bind(http))(),
    async close() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
  return sts;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = new URLSearchParams(await text(request));
    if (request.headers.authorization) sts.signatures.push(request.headers.authorization);
    if (request.method === 'GET') return void response.end('<ListAllMyBucketsResult/>');
    sts.calls.push(call);
    sts.dates.push(signedAt(request));

    const answer = await sts.answer(call);
    if (answer === 'hang') return;
    if (answer === 'reset') return void request.socket.destroy();
    response.setHeader('Date', new Date(Date.now() + sts.ahead).toUTCString());
    response.setHeader('Content-Type', 'text/xml');
    if (call.get('Action') === 'GetCallerIdentity') return void response.end(identity(sts.caller));
    if (answer === 'grant') return void response.end(grant(call));
    response.statusCode = answer.status ?? ('code' in answer ? 403 : 200);
    response.end('code' in answer ? refusal(answer) : answer.body);
  }

  function grant(call: URLSearchParams): string {
    const n = String(++grants);
    const action = call.get('Action') ?? '';
    const lifetime = Number(call.get('DurationSeconds') ?? 3600) * 1000;
    return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>
      <AccessKeyId>AKIAGRANTED${n}</AccessKeyId><SecretAccessKey>secret-${n}</SecretAccessKey><SessionToken>token-${n}</SessionToken>
      <Expiration>${new Date(sts.now() + sts.ahead + lifetime).toISOString()}</Expiration>
      </Credentials></${action}Result></${action}Response>`;
  }
}

function identity(caller: string): string {
  return `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
    <Arn>${caller}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`;
}

/** 20260101T000000Z is AWS's way to write a date. */
function signedAt({ headers }: IncomingMessage): Date {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? [];
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function refusal({ code, message = 'no' }: Refusal): string {
  return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
    <Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`;
}
