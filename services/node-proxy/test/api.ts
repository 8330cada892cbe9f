import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** What the API does with a question. */
export type Reply = (response: ServerResponse, request: IncomingMessage) => unknown;

export interface Api {
  /** Host and port. */
  readonly host: string;
  /** The certificate that it shows, as PEM. */
  readonly ca: string;
  /** Path and query of each question, in order. */
  readonly targets: string[];
  /** The Authorization header of each. */
  readonly tokens: string[];
  reply: Reply;
  /** Takes no more connections, and ends those that stand. */
  down: () => Promise<void>;
  /** Takes them again, on the same port. */
  up: () => Promise<void>;
}

/** A credentials API with TLS on a port of this machine, whose every answer a test decides. */
export async function startApi(): Promise<Api> {
  const pem = certificate();
  const server = createServer({ key: pem, cert: pem }, (request, response) => {
    api.targets.push(request.url ?? '');
    api.tokens.push(request.headers.authorization ?? '');
    api.reply(response, request);
  });
  const listening = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listening(0);
  const api: Api = {
    host: `127.0.0.1:${port}`,
    ca: pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')),
    targets: [],
    tokens: [],
    reply: grants(),
    async down() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
    async up() {
      await listening(port);
    },
  };
  return api;
}

/** The n-th grant is ASIA…n, secret-n, token-n: a triple shows if it is mixed. */
export function grants({ seconds = 3600, ...more }: { seconds?: number; AccountId?: string } = {}): Reply {
  let n = 0;
  return (response) => {
    n += 1;
    const expiration = new Date(Date.now() + seconds * 1000).toISOString();
    send(response, 200, {
      AccessKeyId: `ASIA${n}`,
      SecretAccessKey: `secret-${n}`,
      Token: `token-${n}`,
      Expiration: expiration,
      ...more,
    });
  };
}

export const refuses =
  (status: number, headers: Record<string, string> = {}): Reply =>
  (response) => {
    const [code, message] = ['AccessDenied', 'Not for this session, or it is not active.'];
    send(response, status, { code, message, Code: code, Message: message }, headers);
  };

export const says =
  (status: number, body: string, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);

export const late =
  (ms: number, reply: Reply): Reply =>
  (response, request) =>
    setTimeout(() => reply(response, request), ms);

function send(response: ServerResponse, status: number, body: object, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Key and certificate, for this machine, of a day. */
function certificate(): string {
  const subject = ['-subj', '/CN=credentials-api', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  return execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', '-', '-out', '-'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
