import { loadEnvironments, type Environment } from '../environments';
import { unknownEnvironment } from './errors';

/** @throws OperatorError when there is no environment of that name */
export function environmentNamed(name: string): Environment {
  const environments = loadEnvironments();
  const environment = environments.find((each) => each.name === name);
  if (environment) return environment;
  throw unknownEnvironment(
    name,
    environments.map((each) => each.name),
  );
}
