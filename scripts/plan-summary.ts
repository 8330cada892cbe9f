#!/usr/bin/env -S npx tsx
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { environmentNamed } from './environment-named';
import { badArguments, runScript } from './errors';
import { anotherPlan, notInGithub, unreadablePlan } from './plan/errors';
import { makePlan } from './plan/make-plan';
import { LONGEST_MARKDOWN, markdown } from './plan/markdown';
import { isEmpty, planChanges } from './plan/plan-changes';
import { parsePlan } from './plan/plan-json';
import { fingerprint, summarize } from './plan/summary';
import { terminal } from './plan/terminal';

const HELP = `Says in readable form what a Terraform plan does: destroys first, arguments before → after, secrets never.

Usage: npm run plan-summary -- ENV|FILE [options]

  ENV                     environment: it is synthesized and planned now, as these AWS credentials, without a lock
  FILE                    what "terraform show -json PLAN" printed; - for standard input
  --markdown              for GitHub, in place of the terminal
  --longest BYTES         of the Markdown; what is over is counted, destroys are never left out (default: ${LONGEST_MARKDOWN})
  --drift                 only what was changed outside of Terraform
  --detailed-exitcode     2 where there are changes (with --drift: where there is drift), 0 where there are none
  --expect FINGERPRINT    fail unless it is the plan of this fingerprint, as shown below each plan
  --github                in a step of a workflow: Markdown into its summary; outputs fingerprint and changes (true, false)
  --help                  this text`;

void runScript(async () => {
  const { plan: from, ...options } = argumentsOf(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return;
  }
  const isFile = from === '-' || /[./]/.test(from) || existsSync(from);
  const json = isFile ? read(from) : await makePlan(environmentNamed(from).name);
  const changes = planChanges(parsePlan(json, from));
  const summaryOf = (drift: boolean) =>
    summarize(changes, {
      title: from === '-' ? 'The plan' : from,
      drift,
      ...(!isFile && { environment: from }),
    });
  const summary = summaryOf(options.drift);
  const mark = fingerprint(summaryOf(false));
  const isChange = options.drift ? changes.drifted.length > 0 : !isEmpty(changes);
  const end = options.drift ? '' : `\nFingerprint of this plan: ${mark}\n`;
  const asMarkdown = () => markdown(summary, options.longest).trimEnd() + `\n${end}`;
  if (options.github) tellGithub(asMarkdown(), mark, isChange);
  process.stdout.write(options.markdown ? asMarkdown() : `${terminal(summary)}\n${end}`);

  if (options.expect !== undefined && options.expect !== mark) throw anotherPlan(from, options.expect, mark);
  if (options['detailed-exitcode'] && isChange) process.exitCode = 2;
});

function argumentsOf(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        markdown: { type: 'boolean', default: false },
        longest: { type: 'string' },
        drift: { type: 'boolean', default: false },
        'detailed-exitcode': { type: 'boolean', default: false },
        expect: { type: 'string' },
        github: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const [plan = '', ...more] = positionals;
    if (!values.help && (plan === '' || more.length > 0))
      throw new Error(`Expected one environment or file, got ${positionals.join(' ') || 'none'}`);
    const longest = Number(values.longest ?? LONGEST_MARKDOWN);
    if (!Number.isInteger(longest) || longest < 1)
      throw new Error(`--longest is ${values.longest ?? ''}; expected a number of bytes`);
    return { ...values, longest, plan };
  } catch (error) {
    throw badArguments(error, HELP);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw unreadablePlan(file, (error as NodeJS.ErrnoException).code ?? (error as Error).message);
  }
}

function tellGithub(summary: string, mark: string, isChange: boolean): void {
  const { GITHUB_STEP_SUMMARY, GITHUB_OUTPUT } = process.env;
  if (!GITHUB_STEP_SUMMARY || !GITHUB_OUTPUT) throw notInGithub();
  appendFileSync(GITHUB_STEP_SUMMARY, `${summary}\n`);
  appendFileSync(GITHUB_OUTPUT, `fingerprint=${mark}\nchanges=${isChange}\n`);
}
