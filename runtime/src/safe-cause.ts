import { inspect, types } from 'node:util';

/** What the SDK's errors may carry beside an Error's own fields. */
export interface SdkError extends Error {
  code?: string;
  $metadata?: { httpStatusCode?: number };
  $response?: { body?: unknown };
}

/** Deep enough for every field of an SDK error once its raw response is gone. */
const DEPTH = 8;

/**
 * The SDK's error, safe to log. The raw response goes, since it leads to the request and its session token.
 * The original is kept unless it still shows a secret: STS repeats the signed request in
 * SignatureDoesNotMatch and a malformed value in ValidationError, and an answer that can't be parsed is kept
 * by the SDK word for word. Then a copy with the same name, code and metadata takes its place.
 */
export function withoutSecrets(error: unknown, secrets: readonly string[] = []): SdkError {
  if (!types.isNativeError(error)) return new Error('something that is no Error was thrown');
  const original: SdkError = error;
  if (original.$response) original.$response.body = undefined;

  const known = secrets.filter((secret) => secret !== '');
  const text = inspect(original, { depth: DEPTH, showHidden: true, maxStringLength: Infinity });
  if (!('$responseBodyText' in original) && !known.some((secret) => text.includes(secret))) return original;

  const message = known.reduce((safe, secret) => safe.replaceAll(secret, '[redacted]'), original.message);
  const { name, code, $metadata } = original;
  return Object.assign(new Error(message), { name, code, $metadata });
}
