/** An error that the client is told of: a code, and a sentence with no secret and nothing of other sessions. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Seconds after which asking again may help. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** The body of a refusal. SDKs read the one pair of fields or the other. */
export function refusalBody({ code, message }: Refusal): string {
  return JSON.stringify({ code, message, Code: code, Message: message });
}

export const noToken = () =>
  new Refusal(401, 'MissingAuthorization', "The header Authorization must hold the session's token, once.");

export const notFromHere = () => new Refusal(403, 'NotLocal', 'This proxy serves its own machine alone.');

export const anothersToken = () =>
  new Refusal(403, 'AnothersToken', 'Another user of this machine has this token, or yours is not known.');

export const wrongHost = () =>
  new Refusal(421, 'WrongHost', 'The header Host must name this proxy, such as 127.0.0.1:9999, once.');

export const notGet = () => new Refusal(405, 'MethodNotAllowed', 'This proxy answers to GET alone.');

export const nothingHere = () =>
  new Refusal(404, 'NotFound', 'There is nothing here but /sessions/ID/cluster/NAME/project/ID.');

export const noBody = () => new Refusal(413, 'BodyNotAllowed', 'A request here has no body.');

export const badRequest = (message: string) => new Refusal(400, 'InvalidRequest', message);

export const tooManyAtOnce = () =>
  new Refusal(503, 'Busy', 'Too many sessions ask for credentials at once; try again.', 1);

export const noAnswer = () =>
  new Refusal(503, 'ApiUnreachable', 'The credentials API can not be reached at the moment; try again.', 2);

export const lateAnswer = (ms: number) =>
  new Refusal(504, 'ApiTimeout', `The credentials API gave no answer within ${ms / 1000} s; try again.`, 2);

export const noUsableAnswer = () =>
  new Refusal(502, 'ApiFailed', 'The credentials API gave no usable answer; try again.', 2);

export const proxyFault = () => new Refusal(500, 'InternalError', 'A fault of the proxy itself.');
