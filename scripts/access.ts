import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { accessPage } from './access/page';
import { difference, renamed, type Difference } from './access/difference';
import { notInOutput, pageNotWritten } from './access/errors';
import { accessOf, noAccess, type Access } from './access/grants';
import { differenceMarkdown } from './access/markdown';
import { configurationsAt } from './access/revision';
import { rowsOf, sectionsOf } from './access/rows';
import { accessTable, differenceTable } from './access/text';
import { readConfigurations, synthesizedConfigurations, type Configuration } from './configurations';
import { badArguments, runScript, unknownEnvironment } from './errors';

const HELP = `Tells who may do what in an environment, from its synthesized policies, without AWS.

Usage: npm run access -- ENV [--actions | --html FILE | --json]
       npm run access -- ENV OTHER [--markdown | --json]
       npm run access -- ENV (--since REV | --since-output FOLDER) [--markdown | --json]

  ENV                    environment
  OTHER                  environment to compare ENV with: what ENV allows and OTHER doesn't is gained
  --since REV            compare with what a git commit allowed, such as main
  --since-output FOLDER  compare with what "cdktf synth" wrote there, such as cdktf.out
  --actions              name every action, in place of the kinds of access
  --html FILE            write a page with the role chain and every action
  --markdown             print the comparison for a pull request
  --json                 print every row as JSON
  --help                 this text

Roles and users may do what their own policies and their boundary both allow.`;

void runScript(async () => {
  const { environment, other, values } = argumentsOf(process.argv.slice(2));
  if (values.help) {
    console.log(HELP);
    return;
  }
  const configurations = await synthesizedConfigurations();
  const configuration = named(configurations, environment);
  const access = await accessOf(configuration);
  const before = await compared(configuration, configurations, other, values);
  if (before === undefined) tell(access, values);
  else tellDifference(before.title, difference(before.access, access), access, values);
});

type Values = ReturnType<typeof argumentsOf>['values'];

function argumentsOf(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        since: { type: 'string' },
        'since-output': { type: 'string' },
        html: { type: 'string' },
        actions: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const [environment = '', other, ...more] = positionals;
    if (values.help) return { environment, other, values };
    if (environment === '') throw new Error('Expected an environment, such as dev');
    if (more.length > 0) throw new Error(`Expected one or two environments, got ${positionals.join(' ')}`);
    const against = [other, values.since, values['since-output']].filter((each) => each !== undefined);
    if (against.length > 1) throw new Error('OTHER, --since and --since-output exclude each other');
    const forms = (['html', 'actions', 'markdown', 'json'] as const).filter((form) => values[form]);
    if (forms.length > 1) throw new Error(`--${forms.join(' and --')} exclude each other`);
    if (against.length === 0 && values.markdown)
      throw new Error('--markdown needs something to compare with');
    if (against.length > 0 && (values.html !== undefined || values.actions))
      throw new Error('A comparison names every action, and has no page: leave out --actions and --html');
    return { environment, other, values };
  } catch (error) {
    throw badArguments(error, HELP);
  }
}

/** What to compare with, if anything. An environment that wasn't there yet allowed nothing. */
async function compared(
  configuration: Configuration,
  configurations: readonly Configuration[],
  other: string | undefined,
  { since, 'since-output': folder }: Values,
): Promise<{ title: string; access: Access } | undefined> {
  const { environment } = configuration;
  if (other !== undefined)
    return {
      title: `Access in ${environment}, compared with ${other} (its names read as those of ${environment})`,
      access: await accessOf(renamed(named(configurations, other), configuration)),
    };
  const from = since ?? folder;
  if (from === undefined) return undefined;
  const before = since === undefined ? readConfigurations(from) : await configurationsAt(from);
  const then = before.find((each) => each.environment === environment);
  if (then === undefined && since === undefined)
    throw notInOutput(
      environment,
      from,
      before.map((each) => each.environment),
    );
  return {
    title: `Access in ${environment}, compared with ${since ?? `what is in ${from}`}`,
    access: then ? await accessOf(then) : noAccess(environment),
  };
}

function named(configurations: readonly Configuration[], name: string): Configuration {
  const found = configurations.find(({ environment }) => environment === name);
  if (found) return found;
  throw unknownEnvironment(
    name,
    configurations.map(({ environment }) => environment),
  );
}

function tell(access: Access, { html, json, actions }: Values): void {
  if (html !== undefined) writePage(html, accessPage(access));
  else if (json)
    printJson({
      environment: access.environment,
      account: access.account,
      region: access.region,
      subjects: sectionsOf(access, 'actions'),
    });
  else console.log(accessTable(access, { width: width(), actions }));
}

function tellDifference(
  title: string,
  { gained, lost }: Difference,
  access: Access,
  { json, markdown }: Values,
): void {
  const rows = (grants: Difference['gained']) =>
    [...new Set(grants.map(({ of }) => of))].flatMap((name) =>
      rowsOf(
        grants.filter(({ of }) => of === name),
        access,
        'actions',
      ).map((row) => ({ of: name, ...row })),
    );
  if (json) printJson({ gained: rows(gained), lost: rows(lost) });
  else if (markdown) console.log(differenceMarkdown(title, { gained, lost }, access));
  else console.log(differenceTable(title, { gained, lost }, access, width()));
}

function writePage(file: string, page: string): void {
  try {
    writeFileSync(file, page);
  } catch (error) {
    throw pageNotWritten(file, error);
  }
  console.log(`Wrote ${resolve(file)}.`);
}

function printJson(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}

/** Columns: a terminal's own within reason, elsewhere what a screen shows. */
function width(): number {
  return process.stdout.isTTY ? Math.min(Math.max(process.stdout.columns, 80), 150) : 120;
}
