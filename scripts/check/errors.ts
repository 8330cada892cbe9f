import { OperatorError } from '../errors';

export const unreadablePolicy = (environment: string, address: string, argument: string) =>
  new OperatorError(
    `${address} of ${environment} can't be checked: its ${argument} is no policy in JSON. Write policies as plain data (constructs/src/policies/), and refer to other resources inside of strings only.`,
  );

export const notSynthesized = (environment: string, folder: string) =>
  new OperatorError(`${folder} has no ${environment}, so it can't be checked: run "npx cdktf synth" first.`);
