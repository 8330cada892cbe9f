import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  controlOf,
  decisionTable,
  leastPolicy,
  localEnvironment,
  startLocalAws,
  type LocalAws,
  type LoggedDecision,
} from '@slipway/local-aws';
import { chalk } from 'zx';
import { environmentNamed } from './environment-named';
import { badArguments, noLocalAws, OperatorError, runScript, unreadableLog } from './errors';

const ENVIRONMENT = 'dev';

const HELP = `Runs an AWS on this machine that decides access as AWS does, in the foreground.

Usage: npm run local-aws [-- [--export] [--account N] [--region R]]
       npm run local-aws -- log [--log FILE] [--principal ARN] [--denied]
       npm run local-aws -- record [--log FILE] [--principal ARN] [-- COMMAND ...]

  --export         print nothing but "export NAME=value" lines, once it is ready (npm run -s local-aws -- --export)
  --account N      12 digits (default: the account of ${ENVIRONMENT})
  --region R       (default: the region of ${ENVIRONMENT})

  log              the decisions so far as a table: of the local AWS whose variables are set here, or of a file
  record           the least policy that would have allowed what was asked for: by COMMAND, which gets a local AWS of
                   its own, or as for log
  --principal ARN  only what this principal asked for (a part of the ARN is enough)
  --denied         only what was denied
  --help           this text`;

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

void runScript(async () => {
  const { command, program, values } = argumentsOf(process.argv.slice(2));
  if (values.help) console.log(HELP);
  else if (command === 'log') await printLog(values);
  else if (command === 'record') await record(program, values);
  else await serve(values);
});

type Values = ReturnType<typeof argumentsOf>['values'];

function argumentsOf(args: string[]) {
  const end = args.indexOf('--');
  const program = end < 0 ? [] : args.slice(end + 1);
  try {
    const { values, positionals } = parseArgs({
      args: end < 0 ? args : args.slice(0, end),
      allowPositionals: true,
      options: {
        export: { type: 'boolean', default: false },
        account: { type: 'string' },
        region: { type: 'string' },
        log: { type: 'string' },
        principal: { type: 'string' },
        denied: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const [command, ...more] = positionals;
    if (more.length > 0 || (command !== undefined && !['log', 'record'].includes(command)))
      throw new Error(`Expected log, record or nothing, got ${positionals.join(' ')}`);
    if (program.length > 0 && command !== 'record') throw new Error('Only record takes a command');
    return { command, program, values };
  } catch (error) {
    throw badArguments(error, HELP);
  }
}

async function start({ account, region }: Values, onProgress?: (text: string) => void): Promise<LocalAws> {
  const environment = environmentNamed(ENVIRONMENT);
  return startLocalAws({
    account: account ?? environment.account,
    region: region ?? environment.region,
    ...(onProgress && { onProgress }),
  });
}

/** What a shell needs: where it is, and the administrator's pair. Base64 and URLs need no quotes. */
const SHOWN = [
  'AWS_ENDPOINT_URL',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
];

async function serve(values: Values): Promise<void> {
  const aws = await start(
    values,
    values.export
      ? undefined
      : (text) => {
          console.log(chalk.dim(text));
        },
  );
  const exports = SHOWN.map((name) => `export ${name}=${aws.variables[name] ?? ''}`).join('\n');
  console.log(values.export ? exports : introduction(aws, exports));
  await untilTold(aws);
}

function introduction(aws: LocalAws, exports: string): string {
  return `
${chalk.bold('A local AWS is up')}, for account ${aws.account} in ${aws.region}. For a shell, as its administrator:

${exports}

Over plain HTTP, for what must be refused there: ${aws.plainEndpoint}
Every decision, as JSON lines:                   ${aws.decisionsFile}
As a table, in such a shell:                     npm run local-aws -- log
What moto, which stands behind it, logs:         ${aws.logFile}

Ctrl-C ends it, and all that is in it.`;
}

/** Stays until a signal, or until the local AWS has ended by itself. */
async function untilTold(aws: LocalAws): Promise<void> {
  const signal = await new Promise<NodeJS.Signals | undefined>((resolve) => {
    for (const each of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(each, () => {
        resolve(each);
      });
    setInterval(() => {
      if (!isAlive(aws.pid)) resolve(undefined);
    }, 500).unref();
    // Nothing else keeps this process from ending.
    setInterval(() => undefined, 60_000);
  });
  await aws.stop();
  if (signal === undefined) throw new OperatorError('The local AWS has ended by itself: start it anew.');
  process.exit(signal === 'SIGINT' ? 130 : 0);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function printLog(values: Values): Promise<void> {
  const decisions = (await decisionsOf(values)).filter(({ allowed }) => !values.denied || !allowed);
  const width = process.stdout.isTTY ? process.stdout.columns : undefined;
  console.log(decisions.length === 0 ? 'No decisions.' : decisionTable(decisions, width));
}

async function record(program: string[], values: Values): Promise<void> {
  const decisions =
    program.length > 0 ? await decisionsOfCommand(program, values) : await decisionsOf(values);
  console.log(JSON.stringify(leastPolicy(decisions), undefined, 2));
}

/** Of a file, or of the local AWS that this shell's variables name. */
async function decisionsOf(values: Values): Promise<LoggedDecision[]> {
  const {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  } = process.env;
  if (values.log !== undefined) return ofPrincipal(readLog(values.log), values);
  if (!endpoint || !accessKeyId || !secretAccessKey) throw noLocalAws();
  const region = process.env.AWS_REGION ?? environmentNamed(ENVIRONMENT).region;
  const decisions = await controlOf({ endpoint, region, accessKeyId, secretAccessKey })
    .decisions()
    .catch((error: unknown) => {
      throw error instanceof TypeError ? noLocalAws() : error;
    });
  return ofPrincipal(decisions, values);
}

function readLog(file: string): LoggedDecision[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LoggedDecision);
  } catch (error) {
    throw unreadableLog(file, error);
  }
}

async function decisionsOfCommand(
  [command = '', ...args]: string[],
  values: Values,
): Promise<LoggedDecision[]> {
  const aws = await start(values);
  try {
    const child = spawn(command, args, {
      env: localEnvironment(aws.variables),
      // The policy alone goes to this command's own output.
      stdio: ['inherit', process.stderr, process.stderr],
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    }).catch((error: unknown) => {
      throw new OperatorError(
        `"${command}" can't be run (${(error as NodeJS.ErrnoException).code ?? String(error)}).`,
      );
    });
    if (code !== 0)
      throw new OperatorError(
        `"${[command, ...args].join(' ')}" ended with ${code ?? 'a signal'}, so there is no policy that allows all of it.`,
      );
    return ofPrincipal(await aws.decisions(), values);
  } finally {
    await aws.stop();
  }
}

function ofPrincipal(decisions: LoggedDecision[], { principal }: Values): LoggedDecision[] {
  if (principal === undefined) return decisions;
  return decisions.filter((decision) => decision.principal.includes(principal));
}
