import type { Credentials } from './credentials';
import type { Asked } from './request';
import type { Place } from './slabs';

/** When what. Milliseconds of the monotonic clock. */
export interface Times {
  /** From then on the credentials are no longer valid. */
  readonly deadline: number;
  /** From then on new ones are fetched, whether or not anybody asks. */
  readonly refreshFrom: number;
  /** Until then nobody needs to ask whether the session is still on. */
  readonly checkFrom: number;
  /** Whether a client has asked for these credentials. */
  readonly wanted: boolean;
}

export interface Session extends Times {
  readonly question: Asked;
  readonly credentials: Credentials;
}

/*
 * A session as bytes: three numbers, a flag, and texts with their length in front. Base64 goes in as the bytes
 * that it stands for, which saves a quarter of a session token.
 */
const REFRESH_FROM = 8;
const CHECK_FROM = 16;
const WANTED = 24;
const TEXTS = 25;
const LENGTH_BYTES = 2;
/** The lower two bits of a length say how to read the bytes. */
const ENCODINGS = ['latin1', 'base64', 'base64url'] as const;

export function packed({ question, credentials, ...times }: Session): Buffer {
  const numbers = Buffer.alloc(TEXTS);
  numbers.writeDoubleLE(times.deadline, 0);
  numbers.writeDoubleLE(times.refreshFrom, REFRESH_FROM);
  numbers.writeDoubleLE(times.checkFrom, CHECK_FROM);
  numbers.writeUInt8(Number(times.wanted), WANTED);
  const { accessKeyId, secretAccessKey, sessionToken, expiration, accountId = '' } = credentials;
  const secrets = [accessKeyId, secretAccessKey, sessionToken, expiration, accountId];
  const texts = [...secrets, question.target, question.authorization];
  return Buffer.concat([numbers, ...texts.map(packedText)]);
}

export function timesOf({ memory, start }: Place): Times {
  return {
    deadline: memory.readDoubleLE(start),
    refreshFrom: memory.readDoubleLE(start + REFRESH_FROM),
    checkFrom: memory.readDoubleLE(start + CHECK_FROM),
    wanted: memory[start + WANTED] === 1,
  };
}

/** Changes a packed session in place. */
export function mark({ memory, start }: Place, { refreshFrom, checkFrom, wanted }: Partial<Times>): void {
  if (refreshFrom !== undefined) memory.writeDoubleLE(refreshFrom, start + REFRESH_FROM);
  if (checkFrom !== undefined) memory.writeDoubleLE(checkFrom, start + CHECK_FROM);
  if (wanted !== undefined) memory[start + WANTED] = Number(wanted);
}

export function credentialsOf(place: Place): Credentials {
  const [accessKeyId = '', secretAccessKey = '', sessionToken = '', expiration = '', accountId = ''] =
    textsOf(place, 5);
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    expiration,
    accountId: accountId === '' ? undefined : accountId,
  };
}

export function questionOf(place: Place): Asked {
  const [target = '', authorization = ''] = textsOf(place, 7).slice(5);
  return { target, authorization };
}

function packedText(text: string): Buffer {
  const encoding = ENCODINGS.findLast((each) => Buffer.from(text, each).toString(each) === text) ?? 'latin1';
  const bytes = Buffer.from(text, encoding);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16LE(bytes.length * 4 + ENCODINGS.indexOf(encoding));
  return Buffer.concat([length, bytes]);
}

function textsOf({ memory, start }: Place, count: number): string[] {
  const texts: string[] = [];
  let at = start + TEXTS;
  while (texts.length < count) {
    const length = memory.readUInt16LE(at);
    const from = at + LENGTH_BYTES;
    at = from + (length >> 2);
    texts.push(memory.toString(ENCODINGS[(length & 3) as 0 | 1 | 2], from, at));
  }
  return texts;
}
