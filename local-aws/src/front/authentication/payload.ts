import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Transform, type TransformCallback } from 'node:stream';
import { Refusal } from '../refusal';
import { type ChunkSeed, hmac, sha256 } from './signature';

/** Far above any body that isn't an object's: a Lambda function's 50 MB archive, as base64. */
const MOST_BUFFERED_BYTES = 100 * 1024 * 1024;
/** A chunk's header holds a size and a signature; trailers hold checksums. */
const MOST_LINE_BYTES = 4096;

const STREAMED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const STREAMED_WITH_TRAILER = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';
const UNSIGNED_WITH_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** @throws Refusal when there is more of it than any service takes */
export async function wholeBody(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BUFFERED_BYTES)
      throw new Refusal('malformed', `The request's body is longer than ${MOST_BUFFERED_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * What stands for the body in the canonical request.
 *
 * @param declared the header x-amz-content-sha256
 * @throws Refusal when the body is another than the declared one
 */
export function payloadHash(
  service: string,
  declared: string | undefined,
  presigned: boolean,
  body: Buffer,
): string {
  if (service !== 's3') return sha256(body);
  const hash = declaredHash(declared, presigned);
  if (isDigest(hash) && hash !== sha256(body)) throw anotherPayload();
  return hash;
}

/**
 * The same for an object of S3, whose body isn't there yet.
 *
 * @throws Refusal when S3 would not take it
 */
export function declaredHash(declared: string | undefined, presigned: boolean): string {
  const hash = declared ?? (presigned ? UNSIGNED : undefined);
  if (hash === undefined)
    throw new Refusal('malformed', 'Missing required header for this request: x-amz-content-sha256');
  if (isDigest(hash) || [STREAMED, STREAMED_WITH_TRAILER, UNSIGNED_WITH_TRAILER, UNSIGNED].includes(hash))
    return hash;
  throw new Refusal(
    'malformed',
    `x-amz-content-sha256 must be ${UNSIGNED}, ${STREAMED}, ${STREAMED_WITH_TRAILER}, ${UNSIGNED_WITH_TRAILER} or a valid sha256 value.`,
  );
}

/**
 * Passes an object's body through as it is, and fails before its end when it isn't the one that was signed: what
 * stands behind then gets less than the announced length, and keeps nothing of it.
 */
export function checkedBody(
  hash: string,
  decodedLength: number | undefined,
  seed: ChunkSeed | undefined,
): Transform | undefined {
  if (isDigest(hash)) return new DigestedBody(hash);
  if ((hash === STREAMED || hash === STREAMED_WITH_TRAILER) && seed !== undefined)
    return new ChunkedBody(seed, decodedLength, hash === STREAMED_WITH_TRAILER);
  return undefined;
}

const isDigest = (hash: string) => /^[0-9a-f]{64}$/.test(hash);

const anotherPayload = () =>
  new Refusal('payload', "The provided 'x-amz-content-sha256' header does not match what was computed.");
const anotherChunk = () =>
  new Refusal(
    'signature',
    'The request signature we calculated does not match the signature you provided: a chunk of the body is not the one that was signed.',
  );
const noChunks = () =>
  new Refusal('malformed', 'The body is not in aws-chunked encoding, as x-amz-content-sha256 says.');

/** Holds its last piece back until the digest is known to be right. */
class DigestedBody extends Transform {
  private readonly hash = createHash('sha256');
  private held: Buffer | undefined;

  constructor(private readonly expected: string) {
    super();
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.hash.update(piece);
    if (this.held !== undefined) this.push(this.held);
    this.held = piece;
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.hash.digest('hex') !== this.expected) {
      done(anotherPayload());
      return;
    }
    if (this.held !== undefined) this.push(this.held);
    done();
  }
}

type State = 'size' | 'data' | 'after-data' | 'trailer' | 'end';

/**
 * A body of signed chunks (S3 API Reference, "Signature Calculations for the Authorization Header: Transferring
 * Payload in Multiple Chunks", and the same with trailers). Each goes on while it is hashed; the last, empty one is
 * held back until all signatures are known to be right.
 */
class ChunkedBody extends Transform {
  private state: State = 'size';
  private line = Buffer.alloc(0);
  private left = 0;
  private decoded = 0;
  private hash: Hash = createHash('sha256');
  private previous: string;
  private expected = '';
  private held: Buffer[] = [];
  private isLast = false;
  private readonly trailers: string[] = [];
  private trailerSignature = '';

  constructor(
    private readonly seed: ChunkSeed,
    private readonly decodedLength: number | undefined,
    private readonly hasTrailer: boolean,
  ) {
    super();
    this.previous = seed.signature;
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.takePiece(piece);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    const whole =
      this.state === 'end' && (this.decodedLength === undefined || this.decodedLength === this.decoded);
    if (whole) for (const piece of this.held) this.push(piece);
    done(whole ? null : noChunks());
  }

  private takePiece(piece: Buffer): void {
    let rest = piece;
    while (rest.length > 0) {
      if (this.state === 'data') {
        const data = rest.subarray(0, this.left);
        this.hash.update(data);
        this.left -= data.length;
        this.forward(data);
        rest = rest.subarray(data.length);
        if (this.left === 0) this.state = 'after-data';
      } else {
        const end = rest.indexOf('\n');
        const part = end < 0 ? rest : rest.subarray(0, end + 1);
        this.line = Buffer.concat([this.line, part]);
        if (this.line.length > MOST_LINE_BYTES) throw noChunks();
        rest = rest.subarray(part.length);
        if (end >= 0) this.takeLine();
      }
    }
  }

  private takeLine(): void {
    const line = this.line;
    this.line = Buffer.alloc(0);
    if (!line.toString('latin1').endsWith('\r\n')) throw noChunks();
    const text = line.toString('latin1').slice(0, -2);
    switch (this.state) {
      case 'size':
        this.takeSize(text);
        break;
      case 'after-data':
        if (text !== '') throw noChunks();
        this.checkChunk();
        this.state = 'size';
        break;
      case 'trailer':
        this.takeTrailer(text);
        break;
      default:
        throw noChunks();
    }
    this.forward(line);
  }

  private takeSize(text: string): void {
    const [, size = '', signature = ''] =
      /^([0-9a-fA-F]{1,8});chunk-signature=([0-9a-f]{64})$/.exec(text) ?? [];
    if (signature === '') throw noChunks();
    this.left = Number.parseInt(size, 16);
    this.decoded += this.left;
    this.expected = signature;
    this.hash = createHash('sha256');
    this.isLast = this.left === 0;
    if (this.isLast) {
      this.checkChunk();
      this.state = 'trailer';
    } else this.state = 'data';
  }

  private takeTrailer(text: string): void {
    const [name = '', ...value] = text.split(':');
    if (text === '') {
      if (this.hasTrailer) this.checkTrailer();
      this.state = 'end';
    } else if (!this.hasTrailer) throw noChunks();
    else if (name === 'x-amz-trailer-signature') this.trailerSignature = value.join(':').trim();
    else this.trailers.push(`${name.toLowerCase()}:${value.join(':').trim()}\n`);
  }

  private checkChunk(): void {
    const { date, scope } = this.seed;
    const parts = [
      'AWS4-HMAC-SHA256-PAYLOAD',
      date,
      scope,
      this.previous,
      sha256(''),
      this.hash.digest('hex'),
    ];
    this.check(parts, this.expected);
  }

  private checkTrailer(): void {
    const { date, scope } = this.seed;
    const parts = ['AWS4-HMAC-SHA256-TRAILER', date, scope, this.previous, sha256(this.trailers.join(''))];
    this.check(parts, this.trailerSignature);
  }

  private check(parts: readonly string[], given: string): void {
    if (hmac(this.seed.key, parts.join('\n')).toString('hex') !== given) throw anotherChunk();
    this.previous = given;
  }

  private forward(piece: Buffer): void {
    if (this.isLast) this.held.push(piece);
    else this.push(piece);
  }
}
