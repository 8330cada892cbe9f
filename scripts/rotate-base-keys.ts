#!/usr/bin/env -S npx tsx
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { $, chalk } from 'zx';
import type { Environment } from '../environments';
import { names } from '../stacks/names';
import { environmentNamed } from './environment-named';
import { badArguments, OperatorError, runScript } from './errors';
import { ageInDays, busyUntil, DUE_AFTER_DAYS, shownTime } from './keys/age';
import { deactivateKey, keysInIam, type IamKey } from './keys/base-keys';
import {
  deletionCutOff,
  goneKey,
  inUse,
  labelsOfAnother,
  noTerminal,
  notApproved,
  notCommitted,
  nothingToRetire,
  stillActive,
  unknownKey,
} from './keys/errors';
import { newLabel, planLabels, readLabels, writeLabels, type LabelList } from './keys/label-list';
import { proveKey } from './keys/prove-key';
import { deployKeys, keysInState, type KeyChange, type KeysInState } from './keys/terraform-keys';
import { step, table } from './steps';

const HELP = `Rotates the access key of an environment's base user; at no moment is there no valid key.

Usage: npm run rotate-base-keys -- [ENV] [--file PATH | --apply] [--auto-approve]
       npm run rotate-base-keys -- [ENV] --deactivate [--force]
       npm run rotate-base-keys -- [ENV] --delete [--auto-approve] [--force]
       npm run rotate-base-keys -- [ENV] --status

  ENV             environment (default: dev)
                  Without one of the three below: adds a label to the environment's file, makes that key beside the
                  old one, proves that it works, and renews the Kubernetes secret. Then restart what uses the secret,
                  and commit the file: a deploy from a checkout without the label destroys the new key.
  --deactivate    the old key no longer works, but could be made to again
  --delete        takes the old label out of the file, and the inactive key out of AWS
  --status        labels, keys, their age and last use; warns past ${DUE_AFTER_DAYS} days, and changes nothing
  --file PATH     as for npm run k8s-secret: where the secret goes
  --apply         as for npm run k8s-secret: to kubectl, and not to a file
  --auto-approve  don't ask
  --force         even if the old key was used in the last two hours, or the file isn't committed
  --help          this text

Stopped or killed anywhere, the same line goes on where it was. Terraform is held to the one key: nothing else that
waits to be deployed is, and no TF_VAR_… is needed.

An administrator may run this, and so may the pipeline's role (kantox-deploy-dev and the like): it takes the state,
and on the base user iam:CreateAccessKey, DeleteAccessKey, UpdateAccessKey, ListAccessKeys, GetAccessKeyLastUsed.`;

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
// Terraform's plan holds secrets.
process.umask(0o077);

/** The Terraform of a run that was killed goes on by itself, and has its new key in the state a moment after IAM. */
const STATE_FOLLOWS_MS = 30_000;

type Options = ReturnType<typeof argumentsOf>;

void runScript(async () => {
  const options = argumentsOf(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return;
  }
  const environment = environmentNamed(options.environment);
  if (options.status) await status(environment);
  else if (options.deactivate) await deactivate(environment, options);
  else if (options.delete) await deleteOld(environment, options);
  else await rotate(environment, options);
});

function argumentsOf(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        status: { type: 'boolean', default: false },
        deactivate: { type: 'boolean', default: false },
        delete: { type: 'boolean', default: false },
        file: { type: 'string' },
        apply: { type: 'boolean', default: false },
        'auto-approve': { type: 'boolean', default: false },
        force: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (positionals.length > 1) throw new Error(`Expected one environment, got ${positionals.join(' ')}`);
    if ([values.status, values.deactivate, values.delete].filter(Boolean).length > 1)
      throw new Error('--status, --deactivate and --delete exclude each other');
    if (values.file !== undefined && values.apply) throw new Error('--file and --apply exclude each other');
    return { ...values, environment: positionals[0] ?? 'dev' };
  } catch (error) {
    throw badArguments(error, HELP);
  }
}

/** What the file, Terraform's state and IAM say of the keys. */
interface Position {
  list: LabelList;
  keys: (IamKey & { label: string })[];
  /** Keys of the user that Terraform doesn't know. */
  unknown: IamKey[];
  credentials: KeysInState['credentials'];
}

async function positionOf(environment: Environment): Promise<Position> {
  const list = readLabels(environment.name);
  return await step('Read the keys of file, state and IAM', async (tell) => {
    const deadline = Date.now() + STATE_FOLLOWS_MS;
    for (;;) {
      const { gone, ...position } = await readPosition(environment, list);
      const made = position.keys.map(({ label }) => label);
      const isUnderWay = gone.length > 0 || list.labels.some((label) => !made.includes(label));
      const agrees = gone.length === 0 && position.unknown.length === 0;
      if (agrees || !isUnderWay || Date.now() > deadline) {
        if (gone[0] !== undefined) throw goneKey(names(environment).baseUser, gone[0]);
        return position;
      }
      tell('waiting for the Terraform of a run that was killed');
      await wait(1_000);
    }
  });
}

async function readPosition(
  environment: Environment,
  list: LabelList,
): Promise<Position & { gone: string[] }> {
  const iamKeys = await keysInIam(environment);
  const { keys: stateKeys, credentials } = await keysInState(environment.name);
  const inIam = (id: string) => iamKeys.find((key) => key.id === id);
  return {
    list,
    keys: stateKeys.flatMap(({ label, id }) => {
      const key = inIam(id);
      return key ? [{ ...key, label }] : [];
    }),
    unknown: iamKeys.filter(({ id }) => !stateKeys.some((key) => key.id === id)),
    gone: stateKeys.flatMap(({ id }) => (inIam(id) ? [] : [id])),
    credentials,
  };
}

async function rotate(environment: Environment, options: Options): Promise<void> {
  const { list, keys, unknown } = await positionOf(environment);
  const made = keys.map(({ label }) => label);
  const [old = '', second] = list.labels;
  if (!made.includes(old)) throw labelsOfAnother(list.file, list.labels, made);
  const gone = made.find((label) => !list.labels.includes(label));
  if (gone !== undefined) throw deletionCutOff(environment.name, gone);
  const [stray] = unknown;
  if (stray && made.length < 2) throw unknownKey(names(environment).baseUser, stray.id);

  const label = second ?? newLabel(list.labels);
  if (second === undefined) await editLabels(list, [old, label], options);
  else console.log(`The rotation to ${label} is under way; going on.`);
  if (!made.includes(label)) await deploy(environment, { action: 'create', label });
  const { credentials } = await keysInState(environment.name);
  await proof(credentials);
  await renewSecret(environment, options);
  console.log(`
Next:
  1. Commit and push ${list.file}: a deploy from a checkout without ${label} destroys the new key.
  2. Apply the secret and restart what uses it (kubectl rollout restart deployment --namespace ${namespaceOf(environment)}).
  3. Two hours after that: npm run rotate-base-keys -- ${environment.name} --deactivate`);
}

function namespaceOf({ services }: Environment): string {
  const active = Object.values(services).find((service) => 'namespace' in service);
  return active && 'namespace' in active ? active.namespace : '';
}

async function deactivate(environment: Environment, options: Options): Promise<void> {
  const position = await positionOf(environment);
  const old = oldKey(environment, position);
  const name = `npm run rotate-base-keys -- ${environment.name} --delete`;
  if (!old.active) {
    console.log(`The key ${old.label} (${old.id}) is inactive already. Next: ${name}`);
    return;
  }
  if (!options.force) {
    await mustBeCommitted(position.list);
    mustBeQuiet(old);
  }
  await proof(position.credentials);
  await step(`Deactivate ${old.label} (${old.id})`, () => deactivateKey(environment, old.id));
  console.log(`
To undo it:
  aws iam update-access-key --user-name ${names(environment).baseUser} --access-key-id ${old.id} --status Active
Next, when nothing has missed it:
  ${name}`);
}

async function deleteOld(environment: Environment, options: Options): Promise<void> {
  const position = await positionOf(environment);
  const old = oldKey(environment, position);
  if (old.active) throw stillActive(environment.name, old.label);
  if (!options.force) mustBeQuiet(old);
  const { list, credentials } = position;
  await proof(credentials);
  if (list.labels.includes(old.label))
    await editLabels(
      list,
      list.labels.filter((label) => label !== old.label),
      options,
    );
  await deploy(environment, { action: 'delete', label: old.label });
  console.log(`\nThe rotation is complete. Commit and push ${list.file}.`);
}

/** The one that a rotation leaves behind: out of the file already, or the first of two. */
function oldKey(environment: Environment, { list, keys }: Position): Position['keys'][number] {
  const [first, second] = list.labels;
  const old =
    keys.find(({ label }) => !list.labels.includes(label)) ??
    (second !== undefined && keys.length > 1 ? keys.find(({ label }) => label === first) : undefined);
  if (!old || keys.length < 2) throw nothingToRetire(environment.name);
  return old;
}

function mustBeQuiet({ label, lastUsed, made }: Position['keys'][number]): void {
  const until = busyUntil(lastUsed);
  if (lastUsed && until)
    throw inUse(`The key ${label} (made ${shownTime(made)})`, shownTime(lastUsed), shownTime(until));
}

/** A folder that is no checkout of git has nothing to commit. */
async function mustBeCommitted({ file }: LabelList): Promise<void> {
  const git = $({ cwd: join(__dirname, '..'), quiet: true, nothrow: true });
  const changed = await git`git status --porcelain -- ${file}`;
  if (changed.exitCode === 0 && changed.stdout.trim() !== '') throw notCommitted(file);
}

async function editLabels(list: LabelList, labels: string[], options: Options): Promise<void> {
  const edit = planLabels(list, labels);
  console.log(
    `\n${edit.diff.replace(/^-.*$/gm, (line) => chalk.red(line)).replace(/^\+.*$/gm, (line) => chalk.green(line))}\n`,
  );
  if (!options['auto-approve']) await approval();
  writeLabels(list, edit);
}

async function approval(): Promise<void> {
  if (!process.stdin.isTTY) throw noTerminal();
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(
    'Change the file so, and deploy that key alone? Only "yes" goes on: ',
  );
  terminal.close();
  if (answer.trim() !== 'yes') throw notApproved();
}

async function deploy({ name }: Environment, change: KeyChange): Promise<void> {
  const what = change.action === 'create' ? 'Make' : 'Delete';
  await step(`${what} the key ${change.label} by Terraform, and nothing else`, () =>
    deployKeys(name, change),
  );
}

async function proof(credentials: KeysInState['credentials']): Promise<void> {
  await step(`Take the service's role on with ${credentials.access_key_id}`, () => proveKey(credentials));
}

async function renewSecret({ name }: Environment, { file, apply }: Options): Promise<void> {
  const [tsx, script] = ['../node_modules/.bin/tsx', 'setup-k8s-secrets.ts'].map((path) =>
    join(__dirname, path),
  );
  const args = [...(file === undefined ? [] : ['--file', file]), ...(apply ? ['--apply'] : [])];
  const written = await $({ quiet: true, nothrow: true })`${tsx ?? ''} ${script ?? ''} ${name} ${args}`;
  if (written.exitCode !== 0) throw new OperatorError(written.stderr.trim());
  console.log(written.stdout.trim());
}

async function status(environment: Environment): Promise<void> {
  const { list, keys, unknown } = await positionOf(environment);
  const rows = [...keys, ...unknown.map((key) => ({ ...key, label: '-' }))].map((key) => [
    key.label,
    key.id,
    key.active ? 'active' : 'inactive',
    `${key.made.toISOString().slice(0, 10)}, ${ageInDays(key.made)} days old`,
    key.lastUsed ? shownTime(key.lastUsed) : 'never',
  ]);
  console.log(`\n${table([['LABEL', 'KEY', 'STATUS', 'MADE', 'LAST USED'], ...rows])}\n`);
  const warnings = [
    ...keys
      .filter(({ made }) => ageInDays(made) > DUE_AFTER_DAYS)
      .map(
        ({ label, made }) =>
          `The key ${label} is ${ageInDays(made)} days old, more than ${DUE_AFTER_DAYS}: rotate it.`,
      ),
    ...unknown.map(({ id }) => `The key ${id} is not in Terraform's state.`),
    ...list.labels
      .filter((label) => !keys.some((key) => key.label === label))
      .map(
        (label) => `The key ${label} of ${list.file} is not made yet: run this without --status to go on.`,
      ),
    ...keys
      .filter(({ label }) => !list.labels.includes(label))
      .map(({ label }) => `The key ${label} is not in ${list.file} any more: --delete goes on.`),
  ];
  for (const warning of warnings) console.log(chalk.yellow(warning));
}
