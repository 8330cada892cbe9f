#!/usr/bin/env -S npx tsx
import { parseArgs } from 'node:util';
import { chalk } from 'zx';
import type { Environment } from '../environments';
import { engines } from '../package.json';
import { awsCredentials, baseKeys, secretParameters } from './doctor/account';
import type { Check, Finding, State } from './doctor/finding';
import { CHECKS, JOBS, jobsThatNeed, needsOf, type CheckName, type Job } from './doctor/jobs';
import { awsProvider, moto, terraform } from './doctor/machine';
import { node, program } from './doctor/programs';
import { environmentNamed } from './environment-named';
import { badArguments, runScript } from './errors';
import { table } from './steps';

const HELP = `Says what this machine and this shell have of what Slipway's jobs need, and how to get the rest.

Usage: npm run doctor [-- [ENV] [--for ${Object.keys(JOBS).join('|')}]]

  ENV        environment that the AWS credentials should be for (default: dev)
  --for JOB  only what this job needs; exit code 1 when something of it is missing
             (default: everything; exit code 1 when the demo couldn't run)
  --help     this text

It changes nothing, shows no secret, and waits 5 s at most for each answer.`;

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

void runScript(async () => {
  const { help, job, environment } = argumentsOf(process.argv.slice(2));
  if (help) {
    console.log(HELP);
    return;
  }
  const checks = checksFor(environmentNamed(environment));
  const names = CHECKS.filter((name) => job === undefined || concerns(job, name));
  const findings = await Promise.all(names.map(async (name) => [name, await checks[name]()] as const));
  const missing = missingFor(job ?? 'demo', new Map(findings));
  // A credential provider that still waits for an answer would keep the process.
  process.stdout.write(`${report(findings, job)}\n\n${verdict(job ?? 'demo', missing)}\n`, () =>
    process.exit(missing.length === 0 ? 0 : 1),
  );
});

function argumentsOf(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { for: { type: 'string' }, help: { type: 'boolean', default: false } },
    });
    if (positionals.length > 1) throw new Error(`Expected one environment, got ${positionals.join(' ')}`);
    const job = values.for;
    if (job !== undefined && !isJob(job))
      throw new Error(`There is no job ${job}; known are ${Object.keys(JOBS).join(', ')}`);
    return { help: values.help, job, environment: positionals[0] ?? 'dev' };
  } catch (error) {
    throw badArguments(error, HELP);
  }
}

function isJob(name: string): name is Job {
  return Object.hasOwn(JOBS, name);
}

function checksFor(environment: Environment): Record<CheckName, Check> {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(engines.node) ?? [];
  return {
    node: () => Promise.resolve(node([Number(major), Number(minor)])),
    npm: program('npm'),
    git: program('git'),
    terraform,
    'AWS provider': awsProvider,
    moto,
    aws: program('aws'),
    kubectl: program('kubectl'),
    'cloud-init': program('cloud-init'),
    shellcheck: program('shellcheck'),
    sinfo: program('sinfo'),
    sbatch: program('sbatch'),
    postgres: program('postgres'),
    'AWS credentials': () => awsCredentials(environment),
    'secret parameters': () => Promise.resolve(secretParameters(environment)),
    'base keys': () => baseKeys(environment),
  };
}

function concerns(job: Job, name: CheckName): boolean {
  const { needs, uses } = needsOf(job);
  return needs.includes(name) || uses.includes(name);
}

/** What a job can't be done without, and neither finds nor fetches. */
function missingFor(job: Job, findings: Map<CheckName, Finding>): CheckName[] {
  const { needs, fetches } = needsOf(job);
  return needs.filter((name) => {
    const state = findings.get(name)?.state;
    return state === 'missing' || (state === 'fetched' && !fetches.includes(name));
  });
}

const MARKS: Record<State, string> = { found: '✓', fetched: '✓', due: '!', unknown: '-', missing: '✗' };
const COLOURS = { '✓': chalk.green, '!': chalk.yellow, '-': chalk.dim, '✗': chalk.red };

function report(findings: (readonly [CheckName, Finding])[], job: Job | undefined): string {
  const rows = findings.map(([name, { state, text }]) => [
    `${MARKS[state]} ${name}`,
    ...(job === undefined ? [jobsThatNeed(name).join(' ') || '(optional)'] : []),
    text,
  ]);
  const header = ['  CHECK', ...(job === undefined ? ['NEEDED FOR'] : []), 'FOUND'];
  const [top = '', ...lines] = table([header, ...rows]).split('\n');
  return [
    chalk.dim(top),
    ...lines.flatMap((line, index) => {
      const remedy = findings[index]?.[1].remedy;
      const coloured = line.replace(/[✓!✗-]/, (mark) => COLOURS[mark as keyof typeof COLOURS](mark));
      return [coloured, ...(remedy === undefined ? [] : [`      → ${remedy}`])];
    }),
  ].join('\n');
}

function verdict(job: Job, missing: CheckName[]): string {
  return missing.length === 0
    ? `All that ${job} needs is here.`
    : `${job} can't be done yet: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing.`;
}
