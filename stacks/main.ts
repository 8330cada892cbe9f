import { InvalidProps } from '@slipway/constructs';
import { EnvironmentError, loadEnvironments } from '../environments';
import { constructProblems, optionsFromMachine, synthesize } from './app';

/** The app of cdktf.json. What a person did wrong is told in a sentence; only our own faults get a stack trace. */
try {
  synthesize(loadEnvironments(undefined, constructProblems), optionsFromMachine());
} catch (error) {
  if (!(error instanceof EnvironmentError || error instanceof InvalidProps)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
