import { STATUS_CODES } from 'node:http';
import { z } from 'zod';

/** What every error is answered with: problem details (RFC 9457) and the request's id. */
export const problemBody = z.strictObject({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  /** What happened and what to do; no secret, no name of an AWS account or role. */
  detail: z.string(),
  requestId: z.string(),
});

/** An error that the caller is told of. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    options?: ErrorOptions,
  ) {
    super(detail, options);
  }
}

export function bodyOf({ status, detail }: Problem, requestId: string): z.infer<typeof problemBody> {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, requestId };
}

const NOT_THERE = 'There is no such bucket, object or parameter.';
const NOT_ALLOWED = 'The role of this service may not do this.';
const NOT_VALID = 'AWS takes a name or a value of this request for invalid.';

/** By the code of the AWS error. */
const KNOWN: Readonly<Record<string, readonly [status: number, detail: string] | undefined>> = {
  NoSuchKey: [404, NOT_THERE],
  NoSuchBucket: [404, NOT_THERE],
  ParameterNotFound: [404, NOT_THERE],
  AccessDenied: [403, NOT_ALLOWED],
  AccessDeniedException: [403, NOT_ALLOWED],
  InvalidBucketName: [400, NOT_VALID],
  KeyTooLongError: [400, NOT_VALID],
  ValidationException: [400, NOT_VALID],
  InvalidNextToken: [400, NOT_VALID],
};

/** What a caller is told of an error of ours, of the runtime's or of AWS's. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { name } = error as Error;
  const known = KNOWN[name];
  if (known) return new Problem(...known, { cause: error });
  if (name === 'RoleCredentialsError')
    return new Problem(503, 'AUX can not take on its role at the moment; its /ready says why.', {
      cause: error,
    });
  return new Problem(503, 'AWS gave no usable answer; try again later.', { cause: error });
}

/**
 * As much of an error as a log may hold. AWS's own texts and the runtime's hold no secret; those of a parser quote
 * what they could not read.
 */
export function loggable(error: unknown): Record<string, unknown> {
  if (error instanceof Problem)
    return { detail: error.detail, ...(error.cause !== undefined && loggable(error.cause)) };
  const { name, message, code, $fault, $metadata } = error as Partial<AwsError>;
  const told = name === 'RoleCredentialsError' || $fault !== undefined;
  return { name, code, status: $metadata?.httpStatusCode, ...(told && { message }) };
}

interface AwsError extends Error {
  code: string;
  $fault: string;
  $metadata: { httpStatusCode?: number };
}
