import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Refusal } from '../refusal';
import type { RequestHead } from '../request-head';

/** AWS takes a request for five minutes (IAM User Guide, "Troubleshoot Signature Version 4 signing"). */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
/** Longest life of a presigned URL, in seconds (S3 API Reference, "Authenticating Requests: Using Query Parameters"). */
const LONGEST_PRESIGNED_SECONDS = 604_800;
const ALGORITHM = 'AWS4-HMAC-SHA256';

/** What a request says about who signed it; not yet believed. */
export interface Signed {
  readonly accessKeyId: string;
  /** YYYYMMDD */
  readonly day: string;
  readonly region: string;
  /** Such as `s3`, `monitoring`. */
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** YYYYMMDDTHHMMSSZ */
  readonly date: string;
  readonly sessionToken: string | undefined;
  /** In the query string, for a URL that can be handed on. */
  readonly presigned: boolean;
  /** Life of a presigned URL, in seconds. */
  readonly expiresSeconds: number | undefined;
}

/**
 * Reads the signature of a request (IAM User Guide, "AWS Signature Version 4 for API requests").
 *
 * @returns undefined for a request without any
 * @throws Refusal when it can't be read
 */
export function readSignature(head: RequestHead): Signed | undefined {
  const header = head.headers.authorization;
  const query = new Map(head.query);
  const inQuery = query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature') || query.has('AWSAccessKeyId');
  if (header !== undefined && inQuery)
    throw new Refusal(
      'malformed',
      'Only one auth mechanism is allowed: a signature in a header or in the URL.',
    );
  if (header !== undefined) return inHeader(header, head);
  return inQuery ? inUrl(query) : undefined;
}

function inHeader(header: string, head: RequestHead): Signed {
  if (!header.startsWith(`${ALGORITHM} `))
    throw new Refusal('malformed', `Authorization header requires the algorithm ${ALGORITHM}.`);
  const fields = new Map(
    header
      .slice(ALGORITHM.length)
      .split(',')
      .map((part) => {
        const [name = '', ...value] = part.trim().split('=');
        return [name, value.join('=')] as const;
      }),
  );
  const date = head.headers['x-amz-date'] ?? compactDate(head.headers.date);
  return {
    ...scope(required(fields, 'Credential')),
    signedHeaders: required(fields, 'SignedHeaders').split(';'),
    signature: required(fields, 'Signature'),
    date: wellFormedDate(date),
    sessionToken: head.headers['x-amz-security-token'],
    presigned: false,
    expiresSeconds: undefined,
  };
}

function inUrl(query: ReadonlyMap<string, string>): Signed {
  if (query.get('X-Amz-Algorithm') !== ALGORITHM)
    throw new Refusal('malformed', `X-Amz-Algorithm only supports "${ALGORITHM}".`);
  const expiresSeconds = Number(required(query, 'X-Amz-Expires'));
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 0 || expiresSeconds > LONGEST_PRESIGNED_SECONDS)
    throw new Refusal('malformed', 'X-Amz-Expires must be a number of seconds less than a week.');
  return {
    ...scope(required(query, 'X-Amz-Credential')),
    signedHeaders: required(query, 'X-Amz-SignedHeaders').split(';'),
    signature: required(query, 'X-Amz-Signature'),
    date: wellFormedDate(required(query, 'X-Amz-Date')),
    sessionToken: query.get('X-Amz-Security-Token'),
    presigned: true,
    expiresSeconds,
  };
}

function required(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (value === undefined || value === '')
    throw new Refusal('malformed', `The request's signature is incomplete: it has no ${name}.`);
  return value;
}

function scope(credential: string) {
  const parts = credential.split('/');
  const [accessKeyId = '', day = '', region = '', service = '', end] = parts;
  if (parts.length !== 5 || end !== 'aws4_request' || !/^\d{8}$/.test(day))
    throw new Refusal(
      'malformed',
      'The credential of the request is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  return { accessKeyId, day, region, service: service.toLowerCase() };
}

function wellFormedDate(date: string | undefined): string {
  if (date !== undefined && /^\d{8}T\d{6}Z$/.test(date)) return date;
  throw new Refusal('malformed', 'AWS authentication requires a valid Date or x-amz-date header.');
}

function compactDate(date: string | undefined): string | undefined {
  const time = Date.parse(date ?? '');
  return Number.isNaN(time) ? undefined : compact(time);
}

const compact = (time: number) => new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '');

/** @returns milliseconds since 1970 */
export function signingTime({ date }: Signed): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

/** @throws Refusal when it was signed too long ago, or ahead */
export function checkTime(signed: Signed, now: number): void {
  const time = signingTime(signed);
  if (signed.date.slice(0, 8) !== signed.day)
    throw new Refusal(
      'signature',
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${signed.day}' != '${signed.date.slice(0, 8)}'.`,
    );
  const ends =
    time + (signed.expiresSeconds === undefined ? CLOCK_TOLERANCE_MS : signed.expiresSeconds * 1000);
  if (now > ends)
    throw signed.presigned
      ? new Refusal('presigned-expired', 'Request has expired')
      : new Refusal(
          'skewed',
          `Signature expired: ${signed.date} is now earlier than ${compact(now - CLOCK_TOLERANCE_MS)} (${compact(now)} - 5 min.)`,
        );
  if (time > now + CLOCK_TOLERANCE_MS)
    throw new Refusal(
      'skewed',
      `Signature not yet current: ${signed.date} is still later than ${compact(now + CLOCK_TOLERANCE_MS)} (${compact(now)} + 5 min.)`,
    );
}

/** What the signature of a streamed body's chunks goes on from. */
export interface ChunkSeed {
  readonly key: Buffer;
  readonly date: string;
  readonly scope: string;
  readonly signature: string;
}

/**
 * @param payloadHash what stands for the body in the canonical request: SHA-256 in hexadecimal, or a keyword
 * @throws Refusal when the signature isn't that of this request by this secret
 */
export function checkSignature(
  head: RequestHead,
  signed: Signed,
  secret: string,
  payloadHash: string,
): ChunkSeed {
  checkSignedHeaders(head, signed);
  const key = signingKey(secret, signed);
  const scopeText = `${signed.day}/${signed.region}/${signed.service}/aws4_request`;
  const canonical = canonicalRequest(head, signed, payloadHash);
  const toSign = [ALGORITHM, signed.date, scopeText, sha256(Buffer.from(canonical, 'latin1'))].join('\n');
  const expected = hmac(key, toSign);
  const given = Buffer.from(/^[0-9a-f]{64}$/.test(signed.signature) ? signed.signature : '', 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new Refusal(
      'signature',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
    );
  return { key, date: signed.date, scope: scopeText, signature: signed.signature };
}

/** Without this, someone on the way could add a header that changes what the request does. */
function checkSignedHeaders({ headers }: RequestHead, { signedHeaders, service }: Signed): void {
  if (!signedHeaders.includes('host'))
    throw new Refusal('not-signed', "'Host' must be a 'SignedHeader' in the AWS Authorization.");
  if (service !== 's3') return;
  const unsigned = Object.keys(headers).filter(
    (name) => name.startsWith('x-amz-') && !signedHeaders.includes(name),
  );
  if (unsigned.length > 0)
    throw new Refusal(
      'not-signed',
      `There were headers present in the request which were not signed: ${unsigned.join(', ')}`,
    );
}

function canonicalRequest(head: RequestHead, signed: Signed, payloadHash: string): string {
  return [
    head.method,
    canonicalPath(head.path, signed.service),
    canonicalQuery(head.query),
    ...signed.signedHeaders.map((name) => `${name}:${(head.headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signed.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

/** S3 takes the path as it is sent; every other service encodes it once more, with dot segments resolved. */
function canonicalPath(path: string, service: string): string {
  if (service === 's3') return encodePath(decodeURIComponent(path));
  const resolved = new URL(path.replace(/^\/*/, '/'), 'http://localhost').pathname;
  return encodePath(resolved);
}

const encodePath = (path: string) => path.split('/').map(encode).join('/');

function canonicalQuery(query: readonly (readonly [string, string])[]): string {
  return query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** RFC 3986: nothing but unreserved characters stays as it is. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Four HMACs, the same all day: kept for as long as the secret is in use. */
const signingKeys = new Map<string, Buffer>();
const MOST_SIGNING_KEYS = 1_000;

function signingKey(secret: string, { day, region, service }: Signed): Buffer {
  const name = [secret, day, region, service].join('\n');
  const known = signingKeys.get(name);
  if (known !== undefined) return known;
  const key = [day, region, service, 'aws4_request'].reduce(
    (previous: string | Buffer, part) => hmac(previous, part),
    `AWS4${secret}`,
  ) as Buffer;
  if (signingKeys.size >= MOST_SIGNING_KEYS) signingKeys.clear();
  signingKeys.set(name, key);
  return key;
}

export const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
export const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
