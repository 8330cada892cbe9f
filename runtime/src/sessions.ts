import { createHash } from 'node:crypto';
import type { Credentials } from './credentials';
import type { Listeners } from './events';
import type { Refreshing } from './refreshing';
import type { SourceCredentials } from './settings';

/** Who asks for a session. */
export interface Caller extends Listeners {
  /** The region of the SDK client that asks: where STS is asked when nothing else says it. */
  readonly clientRegion: (() => Promise<string>) | undefined;
}

/** A role's session, kept as long as it is of use. */
export type Session = Refreshing<Credentials, Caller>;

/** By what they are sessions of: see {@link sessionKey}. */
export type Sessions = Map<string, Session>;

/** The process's own: whoever asks for the same thing shares one session, and one AssumeRole call. */
export const PROCESS_SESSIONS: Sessions = new Map();

/**
 * What a session is kept under: its source and every input. Were any left out, one caller's session could
 * serve another, who may not have it.
 */
export function sessionKey(source: string, inputs: unknown): string {
  return digest([source, inputs]);
}

/** The default chain is another one when any of the variables that it and the SDK read is. */
export function sourceKey(source: SourceCredentials | undefined, env: NodeJS.ProcessEnv): string {
  if (typeof source === 'function') return `function ${numberOf(source)}`;
  if (source) return digest([source.accessKeyId, source.secretAccessKey, source.sessionToken]);
  return digest(
    Object.entries(env)
      .filter(([name]) => name.startsWith('AWS_') || name === 'HOME')
      .sort(),
  );
}

/** The session of a key, made when there is none; then those that nobody has used to their end are dropped. */
export function sessionOf(sessions: Sessions, key: string, make: () => Session): Session {
  const known = sessions.get(key);
  if (known) return known;
  for (const [old, session] of sessions) if (session.idle()) sessions.delete(old);
  const made = make();
  sessions.set(key, made);
  return made;
}

function digest(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

const numbers = new WeakMap<object, number>();
let lastNumber = 0;

function numberOf(source: object): number {
  const number = numbers.get(source) ?? ++lastNumber;
  numbers.set(source, number);
  return number;
}
