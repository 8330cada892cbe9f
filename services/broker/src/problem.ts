import type { z } from 'zod';

/** Statuses that a refusal may have. */
export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 422 | 429 | 500 | 502 | 503;

/** An error that the caller is told of: a code, and a sentence with no secret and nothing of other sessions. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly status: RefusalStatus,
    readonly code: string,
    message: string,
    /** Seconds after which asking again may help. */
    readonly retryAfter?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The body of a refusal. SDKs read the one pair of fields or the other. */
export function refusalBody({ code, message }: Refusal) {
  return { code, message, Code: code, Message: message };
}

export const notAllowed = () =>
  new Refusal(403, 'AccessDenied', 'These credentials are not for this session, or it is not active.');

export const noToken = () =>
  new Refusal(401, 'MissingAuthorization', "The header Authorization must hold the session's token.");

export const notTheHeadNode = () =>
  new Refusal(401, 'Unauthorized', "The header Authorization must hold the head node's secret, as it is.");

export const noSuchSession = (id: string) => new Refusal(404, 'NoSuchSession', `There is no session ${id}.`);

export const noSuchProject = (id: string) =>
  new Refusal(
    404,
    'NoSuchProject',
    `The role-mapping table has no role for the project ${id}: add it with PUT /projects/{projectId}/role.`,
  );

export const sessionTaken = (id: string) =>
  new Refusal(409, 'SessionExists', `The session ${id} is active, for another project, cluster or user.`);

export const moveNotAllowed = (from: string, to: string) =>
  new Refusal(409, 'InvalidTransition', `A session that is ${from} can't become ${to}.`);

export const tooManyRequests = (seconds: number) =>
  new Refusal(429, 'TooManyRequests', `Too many requests; try again in ${seconds} s.`, seconds);

export const busy = () =>
  new Refusal(503, 'Busy', 'Too many sessions want credentials at once; try again.', 5);

export const awsUnavailable = (cause: unknown) =>
  new Refusal(503, 'ServiceUnavailable', 'AWS gave no usable answer; try again.', 2, { cause });

export const roleUnavailable = (cause: unknown) =>
  new Refusal(
    502,
    'RoleUnavailable',
    "The project's role can't be taken on: its trust policy must let the broker's role in.",
    undefined,
    { cause },
  );

export const notRevoked = (roles: readonly string[], cause: unknown) =>
  new Refusal(
    502,
    'RevocationIncomplete',
    `No new credentials are issued, but those issued before still work on ${roles.join(', ')}, for the broker could not change the policies there. Ask again, or revoke by hand (IAM User Guide, "Revoke IAM role temporary security credentials").`,
    undefined,
    { cause },
  );

/** All that is wrong with a request, each by its name. */
export function invalid(where: string, error: z.ZodError): Refusal {
  const problems = error.issues.map(({ path, message, code }) => {
    const name = path.join('.');
    return `${name || where} ${code === 'invalid_type' ? 'is missing or of the wrong type' : message}`;
  });
  return new Refusal(400, 'InvalidRequest', `${problems.join('; ')}.`);
}

/** What a caller is told of any error: of ours as it is, of AWS's and of the network's that it was AWS. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const { $metadata, code, name } = error as { $metadata?: object; code?: unknown; name?: unknown };
  const fromAws = $metadata !== undefined || typeof code === 'string' || name === 'TimeoutError';
  return fromAws
    ? awsUnavailable(error)
    : new Refusal(500, 'InternalError', 'The broker failed; its log has the request id.', undefined, {
        cause: error,
      });
}

/** As much of an error as the log may hold: names, codes and places, and AWS's own texts, which hold no secret. */
export function loggable(error: unknown): Record<string, unknown> {
  if (error instanceof Refusal && error.cause !== undefined) return loggable(error.cause);
  const { name, message, code, $fault, stack } = error as Partial<Error & { code: string; $fault: string }>;
  if ($fault !== undefined) return { name, code, message };
  return {
    name,
    code,
    at: stack
      ?.split('\n')
      .filter((line) => /^ +at /.test(line))
      .slice(0, 5),
  };
}
