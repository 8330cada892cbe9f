import { environmentFiles, loadEnvironments, type EnvironmentInput } from '../environments';
import { constructProblems, optionsFromMachine, synthesize } from '../stacks/app';

/** The app with BENCH_BUCKETS buckets in each environment, its own among them. */
const count = Number(process.env.BENCH_BUCKETS);
const withBuckets = ([file, environment]: [string, EnvironmentInput]) => {
  const { buckets } = environment;
  const more = Array.from({ length: count - buckets.length }, (_, index) => ({ name: `data-${index}` }));
  return [file, { ...environment, buckets: [...buckets, ...more] }];
};

const files = Object.fromEntries(Object.entries(environmentFiles).map(withBuckets)) as Record<
  string,
  EnvironmentInput
>;
synthesize(loadEnvironments(files, constructProblems), optionsFromMachine());
