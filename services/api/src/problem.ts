import { STATUS_CODES } from 'node:http';
import { z } from 'zod';

/** What every error is answered with: problem details (RFC 9457) and the request's id. */
export const problemBody = z.strictObject({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  /** What happened and what to do. */
  detail: z.string(),
  requestId: z.string(),
});

/** An error that the client is told of. */
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
