import { environmentFiles, loadEnvironments, type EnvironmentInput } from '../environments';
import { constructProblems, optionsFromMachine, synthesize } from '../stacks/app';

/** The app with BENCH_BUCKETS buckets in each environment in place of its own, the access logs' bucket among them. */
const count = Number(process.env.BENCH_BUCKETS);
const withBuckets = ([file, environment]: [string, EnvironmentInput]) => {
  const logs = environment.buckets.filter(({ name }) => name === environment.accessLogsBucket);
  const others = Array.from({ length: count - logs.length }, (_, index) => ({
    name: index === 0 ? 'data' : `data-${index}`,
  }));
  return [file, { ...environment, buckets: [...others, ...logs] }];
};

const files = Object.fromEntries(Object.entries(environmentFiles).map(withBuckets)) as Record<
  string,
  EnvironmentInput
>;
synthesize(loadEnvironments(files, constructProblems), optionsFromMachine());
