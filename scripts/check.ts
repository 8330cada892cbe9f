import { parseArgs } from 'node:util';
import { loadEnvironments } from '../environments';
import { runChecks, type Report } from './check/check';
import { checks, pageOf } from './check/checks';
import { notSynthesized } from './check/errors';
import { listText, reportText } from './check/report';
import { waivers } from './check/waivers';
import { readConfigurations, synthesizedConfigurations, type Configuration } from './configurations';
import { environmentNamed } from './environment-named';
import { badArguments, runScript } from './errors';

const HELP = `Checks the environments, as they would be deployed, against rules of checkov and AWS Security Hub.

Usage: npm run check -- [ENV ...] [--synthesized FOLDER] [--json]
       npm run check -- --list [--json]

  ENV ...               environments to report on (default: all)
  --synthesized FOLDER  check what "cdktf synth" wrote there, such as cdktf.out (default: synthesizes anew)
  --list                what is checked
  --json                the report, or the list, as JSON
  --help                this text

Ends with 1 when anything is found, or when a waiver (scripts/check/waivers.ts) has nothing to waive.`;

void runScript(async () => {
  const values = argumentsOf(process.argv.slice(2));
  if (values.help) console.log(HELP);
  else if (values.list) console.log(values.json ? listJson() : listText(checks));
  else await check(values);
});

function argumentsOf(args: string[]) {
  const { values, positionals } = parsed(args);
  return { ...values, names: positionals.map((name) => environmentNamed(name).name) };
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        synthesized: { type: 'string' },
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw badArguments(error, HELP);
  }
}

async function check({ names, synthesized, json }: ReturnType<typeof argumentsOf>): Promise<void> {
  const configurations =
    synthesized === undefined ? await synthesizedConfigurations() : completeOutput(synthesized);
  const asked = configurations.filter(({ environment }) => names.length === 0 || names.includes(environment));
  const report: Report = {
    ...(await runChecks(asked, checks, waivers)),
    // Whether a waiver is needed, all environments together say.
    unmatched: (await runChecks(configurations, checks, waivers)).unmatched,
  };
  console.log(json ? JSON.stringify(report, undefined, 2) : reportText(report, checks));
  if (report.findings.length + report.unmatched.length > 0) process.exitCode = 1;
}

/** What isn't there would pass every check. */
function completeOutput(folder: string): Configuration[] {
  const configurations = readConfigurations(folder);
  for (const { name } of loadEnvironments()) {
    if (!configurations.some(({ environment }) => environment === name)) throw notSynthesized(name, folder);
  }
  return configurations;
}

function listJson(): string {
  return JSON.stringify(
    checks.map(({ id, asks, on }) => ({ id, asks, on, page: pageOf(id) })),
    undefined,
    2,
  );
}
