/** Something that the person at the terminal can put right. `message` says what happened and what to do; nothing else is printed. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}

export const unknownEnvironment = (name: string, known: string[]) =>
  new OperatorError(
    `There is no environment ${name}; known are ${known.join(', ')} (the files in environments/).`,
  );

export const notDeployed = (environment: string) =>
  new OperatorError(
    `${environment} is not deployed, so there is no key to put into a secret: run "npx cdktf deploy ${environment}" first.`,
  );

export const secretOfAnother = (where: string, found: string, wanted: string) =>
  new OperatorError(
    `${where} holds the secret of ${found}, not of ${wanted}; nothing was changed. To replace it, run this again with --force.`,
  );

export const notOurSecret = (where: string) =>
  new OperatorError(
    `${where} is not a secret that Slipway made; nothing was changed. To replace it, run this again with --force.`,
  );

/** Of node's own texts the first sentence says it; the rest explains how to pass odd file names. */
export const badArguments = (error: unknown, help: string) =>
  new OperatorError(`${((error as Error).message.split('. ')[0] ?? '').replace(/\.$/, '')}.\n\n${help}`);

export const notWritten = (file: string, error: unknown) =>
  new OperatorError(
    `${file} can't be written (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}); nothing was changed. Name another one with --file.`,
  );

export const commandFailed = (command: string, output: string) =>
  new OperatorError(`"${command}" failed:\n\n${output.trim()}`);

export const notFound = (program: string, remedy: string) =>
  new OperatorError(`${program} is not on this machine: ${remedy}.`);

export const noLocalAws = () =>
  new OperatorError(
    'No local AWS answers: start one with "npm run local-aws" and set its variables in this shell, or name a log with --log.',
  );

export const unreadableLog = (file: string, error: unknown) =>
  new OperatorError(
    `${file} can't be read as a log of decisions (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}): name the file that "npm run local-aws" shows.`,
  );

/** Errors whose text is written for the person at the terminal. */
const TOLD_BY_MESSAGE = new Set(['OperatorError', 'LocalAwsError', 'EnvironmentError']);

/** Runs a script to its end: an operator's error is told in its own words, any other with its stack trace. */
export async function runScript(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error && TOLD_BY_MESSAGE.has(error.name) ? error.message : error);
    process.exitCode = 1;
  }
}
