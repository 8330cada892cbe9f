import type { IncomingHttpHeaders } from 'node:http';
import { type Dispatcher, Pool } from 'undici';
import { z } from 'zod';
import type { Clock } from './clock';
import { type Credentials, parsed, readCredentials } from './credentials';
import { IN_TIME_MS, type Purpose, type Reach } from './reach';
import { lateAnswer, noAnswer, noUsableAnswer, Refusal, tooManyAtOnce } from './refusal';
import type { Asked } from './request';
import { turns } from './turns';

/** Questions to the API at once, for each purpose, so that made-up sessions take nothing from the cached ones. */
const MAX_QUESTIONS = 64;
/** For a question's turn. */
const TURN_WITHIN_MS = 5000;
const CONNECT_WITHIN_MS = 3000;
/** From when the question goes out. Clients ask again sooner, and find what came meanwhile. */
const ANSWER_WITHIN_MS = 10_000;
/** Kept that long, so that a session's next check needs no new handshake. */
const KEEP_ALIVE_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** The header Date has whole seconds. */
const DATE_PRECISION_MS = 1000;
/** STS issues for 12 hours at the most. */
const MAX_LIFETIME_MS = 43_200_000;
/** A connection that the API closed as the question went out; asking changes nothing, so it is asked again. */
const CLOSED = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);
/** What the API answers when a session has ended, or never was this client's. */
const ENDED = new Set([401, 403, 404, 410]);
/** As the API gives it in seconds; else, and at the most, this. */
const RETRY_AFTER_SECONDS = { least: 1, otherwise: 5, most: 60 };

/** What came of one question. */
export type Outcome =
  | {
      readonly kind: 'granted';
      readonly credentials: Credentials;
      /** When the question went out, by the monotonic clock. */
      readonly askedAt: number;
      /** From then on; by the API's own clock, where it tells it. */
      readonly lifetimeMs: number;
    }
  /** The session has ended. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** Nothing is known of the session. */
  | {
      readonly kind: 'failed';
      readonly refusal: Refusal;
      /** Whether there was an answer at all. */
      readonly answered: boolean;
      readonly retryMs: number;
      /** For the log: a status or an error's code. */
      readonly reason: string;
    };

export type Ask = (question: Asked, purpose: Purpose) => Promise<Outcome>;

interface Options {
  /** https, or http on this machine. */
  readonly origin: string;
  /** Certificates of the authorities that alone are trusted, as PEM. @default - those that Node trusts */
  readonly ca: string | undefined;
  readonly clock: Clock;
  /** Is told how the API answers. */
  readonly reach: Pick<Reach, 'answered' | 'silent'>;
}

/** The way to the credentials API. Whatever comes of a question is an outcome; nothing is thrown. */
export function upstream({ origin, ca, clock, reach }: Options): { ask: Ask; close: () => Promise<void> } {
  const pool = new Pool(origin, {
    connections: 2 * MAX_QUESTIONS,
    connect: { timeout: CONNECT_WITHIN_MS, ...(ca !== undefined && { ca }) },
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
  });

  const lanes = {
    check: turns(MAX_QUESTIONS, TURN_WITHIN_MS),
    fetch: turns(MAX_QUESTIONS, TURN_WITHIN_MS),
  };

  return {
    async ask(question, purpose) {
      return (await lanes[purpose].run(() => watched(question, purpose))) ?? withoutTurn();
    },
    close: () => pool.destroy(),
  };

  /** The time that the API takes counts from here on: before, it had not been asked. */
  async function watched(question: Asked, purpose: Purpose): Promise<Outcome> {
    const began = clock.monotonic();
    const late = setTimeout(() => {
      reach.silent(purpose);
    }, IN_TIME_MS);
    const outcome = await sent(question);
    clearTimeout(late);
    const answered = outcome.kind !== 'failed' || outcome.answered;
    if (answered && clock.monotonic() - began <= IN_TIME_MS) reach.answered(purpose);
    else reach.silent(purpose);
    return outcome;
  }

  async function sent({ target, authorization }: Asked): Promise<Outcome> {
    const request: Dispatcher.RequestOptions = {
      method: 'GET',
      path: target,
      headers: { authorization, accept: 'application/json', 'user-agent': 'slipway-node-proxy' },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    };
    try {
      return await asked(request).catch((error: unknown) => {
        if (CLOSED.has(codeOf(error))) return asked(request);
        throw error;
      });
    } catch (error) {
      return withoutAnswer(error);
    }
  }

  async function asked(request: Dispatcher.RequestOptions): Promise<Outcome> {
    const askedAt = clock.monotonic();
    const { statusCode, headers, body } = await pool.request(request);
    const text = await body.text();
    if (statusCode !== 200) return refused(statusCode, headers, text);
    const credentials = readCredentials(text);
    if (!credentials) return unusable('no credentials');
    const lifetimeMs = Math.min(Date.parse(credentials.expiration) - now(headers), MAX_LIFETIME_MS);
    return lifetimeMs > 0
      ? { kind: 'granted', credentials, askedAt, lifetimeMs }
      : unusable('expired credentials');
  }

  /** A node's clock may be wrong, or be set just now. */
  function now({ date }: IncomingHttpHeaders): number {
    const told = Date.parse(date ?? '');
    return Number.isNaN(told) ? clock.wall() : told + DATE_PRECISION_MS;
  }
}

/** Whoever follows a redirect shows the token to whom it names; this one is an answer that can't be used. */
function refused(status: number, headers: IncomingHttpHeaders, text: string): Outcome {
  const seconds = retryAfter(headers);
  if (ENDED.has(status)) return { kind: 'refused', refusal: refusalIn(text, status) };
  const retryMs = seconds * 1000;
  const reason = `status ${status}`;
  if (status === 429 || status === 503)
    return { kind: 'failed', refusal: refusalIn(text, status, seconds), answered: true, retryMs, reason };
  if (status >= 400 && status < 500)
    return { kind: 'failed', refusal: refusalIn(text, status), answered: true, retryMs, reason };
  return { ...unusable(reason), ...(status >= 500 && { refusal: refusalIn(text, 502) }) };
}

const refusalShape = z.object({
  code: z.string().regex(/^\w{1,64}$/),
  message: z.string().regex(/^[\x20-\x7e]{1,1000}$/),
});

/** The API's own words, if it has any. */
function refusalIn(text: string, status: number, retryAfterSeconds?: number): Refusal {
  const read = refusalShape.safeParse(parsed(text));
  const { code, message } = read.success
    ? read.data
    : { code: 'ApiRefused', message: `The credentials API refused (${status}).` };
  return new Refusal(status, code, message, retryAfterSeconds);
}

function retryAfter(headers: IncomingHttpHeaders): number {
  const { least, otherwise, most } = RETRY_AFTER_SECONDS;
  const told = Number(headers['retry-after'] ?? otherwise);
  return Number.isFinite(told) ? Math.min(Math.max(told, least), most) : otherwise;
}

function unusable(reason: string): Outcome & { kind: 'failed' } {
  const retryMs = RETRY_AFTER_SECONDS.otherwise * 1000;
  return { kind: 'failed', refusal: noUsableAnswer(), answered: true, retryMs, reason };
}

/** Nothing is known of the API either. */
function withoutTurn(): Outcome {
  const retryMs = RETRY_AFTER_SECONDS.least * 1000;
  return { kind: 'failed', refusal: tooManyAtOnce(), answered: false, retryMs, reason: 'no turn' };
}

function withoutAnswer(error: unknown): Outcome {
  const code = codeOf(error);
  if (code.startsWith('HPE_') || code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return unusable(code);
  const late = (error as Error).name === 'TimeoutError';
  return {
    kind: 'failed',
    refusal: late ? lateAnswer(ANSWER_WITHIN_MS) : noAnswer(),
    answered: false,
    retryMs: RETRY_AFTER_SECONDS.otherwise * 1000,
    reason: late ? 'timeout' : code,
  };
}

function codeOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name;
}
