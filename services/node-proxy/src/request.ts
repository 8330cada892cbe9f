import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { badRequest, noBody, noToken, notFromHere, notGet, nothingHere, wrongHost } from './refusal';

/** One session's credentials, as a node asks for them. */
export interface Asked {
  /** What the API is asked for: path and query, put together from what the request was understood to mean. */
  readonly target: string;
  /** The job's token, as it came. */
  readonly authorization: string;
}

/** What may be asked for. */
export interface Rules {
  /** `Host` headers under which the proxy is called. */
  readonly hosts: ReadonlySet<string>;
  /** The API's stage: the one that a path may begin with, and that goes in front of a path without. @default - any */
  readonly stage: string | undefined;
}

const PATH = /^(?:\/([\w-]{1,128}))?\/sessions\/([^/]+)\/cluster\/([^/]+)\/project\/([^/]+)$/;
/** Nothing in it is encoded or could mean anything else: it goes on as it is. */
const PLAIN =
  /^(?:\/([\w-]{1,128}))?\/sessions\/[\w-][\w.-]{0,127}\/cluster\/[\w-][\w.-]{0,127}\/project\/[\w-][\w.-]{0,127}(?:\?roleSessionName=[\w.-]{1,512})?$/;
const MAX_NAME_BYTES = 128;
const MAX_ROLE_SESSION_NAME = 512;
const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;
/** What a header may hold without being quoted; tokens are shorter by far. */
const TOKEN = /^[\x21-\x7e](?:[\x20-\x7e]{0,2046}[\x21-\x7e])?$/;

/** @throws Refusal when a request comes from another machine, by another's name, or with more than a question */
export function checkCaller(
  { socket, headers, rawHeaders }: IncomingMessage,
  hosts: ReadonlySet<string>,
): void {
  if (!LOOPBACK.test(socket.remoteAddress ?? '')) throw notFromHere();
  // A page that a browser was led to by DNS sends its own name.
  const host = single(rawHeaders, 'host');
  if (host === undefined || !(hosts.has(host) || hosts.has(shortest(host)))) throw wrongHost();
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0)
    throw noBody();
}

/**
 * What a request asks for. Nothing of it goes further but what is understood here.
 *
 * @throws Refusal when it is anything else than a job's question for its credentials
 */
export function asked({ method, url = '', rawHeaders }: IncomingMessage, { stage }: Rules): Asked {
  if (method !== 'GET') throw notGet();
  const target = targetOf(url, stage);
  const authorization = single(rawHeaders, 'authorization');
  if (authorization === undefined || !TOKEN.test(authorization)) throw noToken();
  return { target, authorization };
}

function targetOf(url: string, stage: string | undefined): string {
  const plain = PLAIN.exec(url);
  if (plain && (stage === undefined || plain[1] === stage)) return url;
  const mark = url.indexOf('?');
  const path = PATH.exec(mark < 0 ? url : url.slice(0, mark));
  if (!path) throw nothingHere();
  const [, given, session = '', cluster = '', project = ''] = path;
  if (stage !== undefined && given !== undefined && given !== stage) throw nothingHere();
  const first = stage ?? given;
  return [
    first === undefined ? '' : `/${first}`,
    `/sessions/${name(session)}/cluster/${name(cluster)}/project/${name(project)}`,
    mark < 0 ? '' : `?roleSessionName=${roleSessionNameOf(url.slice(mark + 1))}`,
  ].join('');
}

/** Under what a question's answer is kept: the digest of the token and of all that is asked, as 32 bytes of latin1. */
export function keyOf({ target, authorization }: Asked): string {
  return digest(`${authorization}\n${target}`);
}

/** A token as it may lie about. */
export function digest(text: string): string {
  return hash('sha256', text, 'binary');
}

/** As `hosts` has it: names in any case, an IPv6 address however it is written. */
function shortest(host: string): string {
  const [, address, port = ''] = /^(\[[\da-f:.]+\])(:\d+)?$/i.exec(host) ?? [];
  const url =
    address === undefined || !URL.canParse(`http://${address}`) ? undefined : new URL(`http://${address}`);
  return url ? url.hostname + port : host.toLowerCase();
}

/** A header that must be there once: Node takes the first of several, others may take the last. */
function single(rawHeaders: readonly string[], wanted: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at] ?? '';
    if (header.length !== wanted.length || header.toLowerCase() !== wanted) continue;
    if (found !== undefined) return undefined;
    found = rawHeaders[at + 1];
  }
  return found;
}

/** Decoded once, and encoded again. What anyone on the way to the API could read as another path goes no further. */
function name(segment: string): string {
  const text = decoded(segment);
  if (Buffer.byteLength(text) > MAX_NAME_BYTES)
    throw badRequest(`A name has ${MAX_NAME_BYTES} bytes at most.`);
  if (/[\p{C}\p{Zl}\p{Zp}/\\%]/u.test(text) || text === '.' || text === '..')
    throw badRequest('A name holds no slash, no percent sign and no control character.');
  return encodeURIComponent(text);
}

function roleSessionNameOf(query: string): string {
  const [key, value, ...rest] = query.split(/[=&]/);
  if (key !== 'roleSessionName' || value === undefined || rest.length > 0)
    throw badRequest('The query may hold roleSessionName, once, and nothing else.');
  const text = decoded(value);
  if (text.length > MAX_ROLE_SESSION_NAME || /[\p{C}\p{Zl}\p{Zp}]/u.test(text))
    throw badRequest(`roleSessionName has ${MAX_ROLE_SESSION_NAME} characters at most, none of control.`);
  return encodeURIComponent(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest('A percent sign begins no encoded character.');
  }
}
