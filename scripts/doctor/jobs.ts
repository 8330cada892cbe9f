/** What can be there or missing. */
export const CHECKS = [
  'node',
  'npm',
  'git',
  'terraform',
  'AWS provider',
  'moto',
  'aws',
  'kubectl',
  'cloud-init',
  'shellcheck',
  'sinfo',
  'sbatch',
  'postgres',
  'AWS credentials',
  'secret parameters',
  'base keys',
] as const;
export type CheckName = (typeof CHECKS)[number];

interface Needs {
  /** Without these the job can't be done. */
  needs: CheckName[];
  /** Of these, what it fetches by itself where it is missing. */
  fetches?: CheckName[];
  /** It can be done without, but less well. */
  uses?: CheckName[];
}

const LOCAL: CheckName[] = ['node', 'npm', 'terraform', 'AWS provider', 'moto'];
const FETCHES: CheckName[] = ['terraform', 'moto'];

/** What each job needs; nothing else knows it. */
export const JOBS = {
  demo: { needs: LOCAL, fetches: FETCHES },
  deploy: {
    needs: ['node', 'npm', 'terraform', 'AWS provider', 'AWS credentials', 'secret parameters'],
    uses: ['git', 'kubectl', 'base keys'],
  },
  // PGlite, which comes by npm, does where there is no PostgreSQL.
  provisioner: { needs: ['node', 'npm', 'terraform', 'AWS provider'], uses: ['postgres'] },
  broker: { needs: ['node', 'npm', 'sinfo', 'sbatch', 'AWS credentials'] },
  test: {
    needs: [...LOCAL, 'git', 'aws', 'kubectl', 'cloud-init', 'shellcheck'],
    uses: ['sbatch'],
    fetches: FETCHES,
  },
} satisfies Record<string, Needs>;

export type Job = keyof typeof JOBS;

export function needsOf(job: Job): Required<Needs> {
  return { fetches: [], uses: [], ...JOBS[job] };
}

/** Jobs that can't be done without. */
export function jobsThatNeed(check: CheckName): Job[] {
  return (Object.keys(JOBS) as Job[]).filter((job) => needsOf(job).needs.includes(check));
}
