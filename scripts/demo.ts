import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { $, chalk } from 'zx';
import { z } from 'zod';
import { names } from '../stacks/names';
import { badArguments, commandFailed, OperatorError, runScript } from './errors';
import { leftovers } from './leftovers';
import { asDeployRole } from './deploy-role';
import { startLocalRun, type LocalRun } from './local-run';
import { proofTable, type PodSecret, type Proof } from './proof/claim';
import { proveAccess } from './proof/prove-access';
import { startPair } from './pair';
import { step, table, terraformProgress } from './steps';
import { cdktf, killRunning, plain, terraform, terraformOutputs } from './terraform';

const ENVIRONMENT = 'dev';
/** Whose things must be out of reach. */
const OTHER = 'qa';
const TSX = join(__dirname, '..', 'node_modules', '.bin', 'tsx');

const HELP = `Deploys ${ENVIRONMENT} to an AWS on this machine, proves who may do what there, and destroys it again. No AWS account is touched.

Usage: npm run demo -- [--keep]

  --keep   leave the local AWS and the environment up, and print the variables to use them with
  --help   this text`;

// The SDK's versions are pinned here; its notice of the end of Node 20's support tells a user of the demo nothing.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

void runScript(async () => {
  const { keep, help } = argumentsOf(process.argv.slice(2));
  if (help) {
    console.log(HELP);
    return;
  }
  const started = performance.now();
  let run: LocalRun | undefined;
  const stopping = new AbortController();
  const stopOnSignal = async () => {
    // A second Ctrl-C must not cut this off.
    if (stopping.signal.aborted) return;
    stopping.abort();
    console.error('\nStopping …');
    await killRunning();
    await run?.stop();
    console.error('Stopped; the local AWS and all that was in it is gone.');
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => void stopOnSignal());

  try {
    run = await step('Start a local AWS', (onProgress) =>
      startLocalRun({ environment: ENVIRONMENT, lifetime: keep ? 'detached' : 'caller', onProgress }),
    );
    console.log(chalk.dim(`  Terraform ${run.tools.terraform}, AWS provider from ${run.tools.provider}`));
    const made = await deploy(run);
    const { rows, proofs } = await prove(run);
    if (!keep) rows.push(...(await destroy(run)));
    console.log(`\n${chalk.bold('Made')}\n${table(made)}\n\n${chalk.bold('Proven')}\n${table(rows)}\n`);
    console.log(`${chalk.bold('Who may do what')}, by real requests\n${proofTable(proofs)}\n`);
    checkProofs(proofs);
    if (keep) console.log(howToUse(run));
    else await step('Stop the local AWS', run.stop);
    console.log(`Done in ${((performance.now() - started) / 1000).toFixed(0)} s.`);
  } catch (error) {
    // The signal's own words say it all.
    if (stopping.signal.aborted) return;
    const faults = run?.faults();
    await run?.stop();
    if (faults) console.error(`Errors of the local AWS itself:\n${faults}\n`);
    throw error;
  }
});

type Row = [what: string, how: string];

async function deploy(run: LocalRun): Promise<Row[]> {
  const { env } = run;
  await step(`cdktf deploy ${ENVIRONMENT}`, (tell) =>
    cdktf(['deploy', ENVIRONMENT, '--auto-approve'], { env, onLine: terraformProgress(tell) }),
  );
  const outputs = await step('Read the outputs', () => terraformOutputs(ENVIRONMENT, { env }));
  const { minikube_base_credentials: secret, ...shown } = outputs;
  return Object.entries(shown).map(([name, value]) => [name, summary(value)]);
}

async function prove(run: LocalRun): Promise<{ rows: Row[]; proofs: Proof[] }> {
  const { env, environment } = run;
  const secretFile = join(run.folder, 'aux-aws-credentials-secret.yaml');
  const secret = await step('Write the Kubernetes secret', async () => {
    const written = await $({
      env,
      quiet: true,
      nothrow: true,
    })`${TSX} ${join(__dirname, 'setup-k8s-secrets.ts')} ${ENVIRONMENT} --file ${secretFile}`;
    if (written.exitCode !== 0) throw commandFailed('setup-k8s-secrets.ts', written.stderr);
    const mode = (statSync(secretFile).mode & 0o777).toString(8);
    if (mode !== '600') throw new OperatorError(`The secret's file has the mode ${mode}, expected 600.`);
    return secretShape.parse(parse(readFileSync(secretFile, 'utf8')));
  });

  const inWorkspace = await step('Look into the state', () => Promise.resolve(resourcesInState(run)));

  const proofs = await step('Try who may do what', (tell) =>
    proveAccess(run, podSecretShape.parse(secret.stringData), OTHER, tell),
  );

  const service = await step('Ask AUX through the API', () => askThePair(run, secret.stringData));

  const { deployRole } = names(environment);
  await step(`Plan again, as ${deployRole} with a token of GitHub's`, async () => {
    const plan = await terraform(ENVIRONMENT, ['plan', '-input=false', '-detailed-exitcode', '-no-color'], {
      env: await asDeployRole(run),
    });
    if (plan.exitCode !== 0) throw commandFailed('terraform plan', plain(plan.stdall));
  });
  const rows: Row[] = [
    ['workspace', `${ENVIRONMENT}, with ${inWorkspace} resources, by plain "cdktf deploy ${ENVIRONMENT}"`],
    ['secret', `namespace ${secret.metadata.namespace}, mode 0600, key of ${names(environment).baseUser}`],
    ['role taken on', service.role],
    ['API, AUX, SSM', `${service.parameter.name} = ${service.parameter.value}`],
    ['API, AUX, S3', `${service.object.key} = ${service.object.text}`],
    ['second plan', `no changes, as ${deployRole} with a token of ${environment.github.repository}`],
  ];
  return { rows, proofs };
}

/** The reference pair, each with what its pod would have: the API nothing of AWS, AUX its secret and the way to the local AWS. */
async function askThePair({ env, environment }: LocalRun, secret: Record<string, string>) {
  const { parameter, bucket, serviceRole } = names(environment);
  const { api, aux, stop } = await startPair({ ...secret, AWS_ENDPOINT_URL: env.AWS_ENDPOINT_URL ?? '' });
  const ask = async (url: string) => {
    const answer = await fetch(url);
    const text = await answer.text();
    if (!answer.ok) throw new OperatorError(`${url} answered ${answer.status}: ${text}`);
    return text;
  };
  try {
    const { role } = readyShape.parse(JSON.parse(await ask(`${aux.url}/ready`)));
    if (!role.includes(serviceRole('aux')))
      throw new OperatorError(`Expected AUX to act as ${serviceRole('aux')}, but it is ${role}.`);
    const name = parameter('api/config');
    const read = await ask(`${api.url}/v1/parameter?name=${encodeURIComponent(name)}`);
    const key = 'demo';
    const text = await ask(`${api.url}/v1/object?bucket=${bucket('data')}&key=${key}`);
    return {
      role,
      parameter: parameterShape.parse(JSON.parse(read)),
      object: { key: `${bucket('data')}/${key}`, text },
    };
  } finally {
    await stop();
  }
}

function checkProofs(proofs: readonly Proof[]): void {
  const wrong = proofs.filter(({ expected, found }) => expected !== found);
  if (wrong.length > 0)
    throw new OperatorError(
      `${wrong.length} of ${proofs.length} requests came out otherwise than expected:\n${wrong
        .map(({ who, does, expected, found }) => `  ${who} ${does}: expected ${expected}, found ${found}`)
        .join('\n')}`,
    );
}

async function destroy(run: LocalRun): Promise<Row[]> {
  const { env, environment } = run;
  await step(`cdktf destroy ${ENVIRONMENT}`, (tell) =>
    cdktf(['destroy', ENVIRONMENT, '--auto-approve'], { env, onLine: terraformProgress(tell) }),
  );
  const left = await step('Look for what is left', () => leftovers(environment, env));
  if (left.length > 0) throw new OperatorError(`The destroy left something behind:\n  ${left.join('\n  ')}`);
  return [
    ['destroyed', 'nothing left: no bucket, parameter, repository, user, role, policy, instance or network'],
  ];
}

/** Resources in the state of the environment's own workspace; no other workspace may have a state. */
function resourcesInState({ folder }: LocalRun): number {
  const states = readdirSync(join(folder, 'state'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.tfstate'),
  );
  const expected = join(ENVIRONMENT, 'terraform.tfstate');
  if (states.join() !== expected)
    throw new OperatorError(`Expected state in ${expected} alone, found ${states.join(', ') || 'none'}.`);
  return stateShape.parse(JSON.parse(readFileSync(join(folder, 'state', expected), 'utf8'))).resources.length;
}

const stateShape = z.object({ resources: z.array(z.unknown()).min(1) });
const secretShape = z.object({
  metadata: z.object({ namespace: z.string() }),
  stringData: z.record(z.string(), z.string()),
});
const podSecretShape: z.ZodType<PodSecret> = z.object({
  AWS_ACCESS_KEY_ID: z.string(),
  AWS_SECRET_ACCESS_KEY: z.string(),
  AWS_ROLE_ARN: z.string(),
});
const readyShape = z.object({ role: z.string() });
const parameterShape = z.object({ name: z.string(), value: z.string() });

/** The values of an output, in a line. */
function summary(value: unknown): string {
  if (!isRecord(value)) return String(value);
  const inner = (each: unknown) => (isRecord(each) ? Object.values(each).join(' ') : String(each));
  return Object.values(value).map(inner).join(', ');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Shell lines; the keys among them are good for nothing but the local AWS. */
function howToUse({ variables, pid, folder }: LocalRun): string {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  // A profile or an endpoint of the user's own would beat what follows.
  const others = Object.keys(process.env).filter((name) => /^(AWS|TF)_/.test(name) && !(name in variables));
  const unset = others.length > 0 ? `unset ${others.join(' ')}\n` : '';
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
  return `${chalk.bold('Left up.')} To use it, in a new shell here:\n\n${unset}${exports.join('\n')}\n
aws s3 ls                     # the local AWS, by the aws CLI
npx cdktf output ${ENVIRONMENT}         # and by cdktf
npm run k8s-secret -- ${ENVIRONMENT} --stdout

To end it:\n\nkill ${pid} && rm -r ${quoted(folder)}\n`;
}

function argumentsOf(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: { keep: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    });
    return values;
  } catch (error) {
    throw badArguments(error, HELP);
  }
}
