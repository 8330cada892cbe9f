import { OperatorError } from '../errors';

export const unreadablePolicy = (where: string, problem: string) =>
  new OperatorError(
    `The policy of ${where} can't be put into a table: ${problem}. State what is allowed by Action, Resource and Principal.`,
  );

export const notInOutput = (environment: string, folder: string, known: string[]) =>
  new OperatorError(
    `${folder} holds no environment ${environment}; it holds ${known.join(', ')}. Name another folder, or synthesize it there.`,
  );

export const unknownRevision = (revision: string) =>
  new OperatorError(
    `${revision} is no commit of this repository: name one, such as main, HEAD~1 or a commit's id (a shallow clone may not hold it: git fetch it first).`,
  );

export const unreadableRevision = (revision: string, why: string) =>
  new OperatorError(`What ${revision} allowed can't be read: ${why}`);

export const pageNotWritten = (file: string, error: unknown) =>
  new OperatorError(
    `${file} can't be written (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}): name another one with --html.`,
  );
