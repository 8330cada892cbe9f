import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readConfigurations } from '../configurations';
import { commandFailed } from '../errors';
import { baseCredentials } from '../kubernetes-secret';
import { initialize, initializeOnce, outputFolder, stackFolder, terraform } from '../terraform';
import { keysNotDeployed, otherChanges } from './errors';

const TYPE = 'aws_iam_access_key';
/** Another run may still be at work, or the Terraform of one that was killed. */
const LOCK_TIMEOUT = '-lock-timeout=120s';

/** An access key of the base user, as Terraform's state has it. */
export interface StateKey {
  label: string;
  id: string;
}

export interface KeysInState {
  keys: StateKey[];
  /** Of the newest key. Secret. */
  credentials: z.infer<typeof baseCredentials>;
}

const stateShape = z.object({
  resources: z.array(
    z.object({
      type: z.string(),
      name: z.string(),
      instances: z.array(z.object({ attributes: z.object({ id: z.string() }).loose() }).loose()),
    }),
  ),
  outputs: z.object({ minikube_base_credentials: z.object({ value: baseCredentials }) }),
});

/** @throws OperatorError when the environment isn't deployed */
export async function keysInState(environment: string): Promise<KeysInState> {
  await initializeOnce(environment);
  // Not "show": that starts the provider, for its schema.
  const pulled = await terraform(environment, ['state', 'pull']);
  if (pulled.exitCode !== 0) throw commandFailed('terraform state pull', pulled.stderr);
  const state = stateShape.safeParse(pulled.stdout === '' ? {} : JSON.parse(pulled.stdout));
  if (!state.success) throw keysNotDeployed(environment);
  const { resources, outputs } = state.data;
  const keys = resources
    .filter(({ type }) => type === TYPE)
    .flatMap(({ name, instances }) =>
      instances.map(({ attributes }) => ({ label: labelOf(name), id: attributes.id })),
    );
  return { keys, credentials: outputs.minikube_base_credentials.value };
}

/** A key's logical id is `{path of constructs}_key-{label}_{hash}`. */
function labelOf(logicalId: string): string {
  return /_key-(.+)_[0-9A-F]{8}$/.exec(logicalId)?.[1] ?? logicalId;
}

/** The one change that a deploy may make. */
export interface KeyChange {
  action: 'create' | 'delete';
  label: string;
}

/**
 * Brings the keys to what the environment's file says, and touches nothing else: whatever else is waiting to be
 * deployed goes on waiting, and no secret parameter's value is needed. What Terraform plans is checked, and exactly
 * that plan is applied.
 *
 * @throws OperatorError when the plan holds anything but that change; nothing is deployed then
 */
export async function deployKeys(environment: string, change: KeyChange): Promise<void> {
  await initialize(environment);
  const folder = stackFolder(environment, process.env);
  // It holds the state's secrets.
  const plan = join(folder, '.terraform', 'base-keys.plan');
  try {
    if (await planKeys(environment, plan, change)) await applyPlan(environment, plan);
  } finally {
    rmSync(plan, { force: true });
  }
}

/** @returns whether there is anything to do */
async function planKeys(environment: string, plan: string, allowed: KeyChange): Promise<boolean> {
  const targets = (await addresses(environment)).map((address) => `-target=${address}`);
  const args = ['plan', '-json', '-detailed-exitcode', LOCK_TIMEOUT, `-out=${plan}`, ...targets];
  const planned = await terraform(environment, args);
  const messages = planned.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => messageShape.parse(JSON.parse(line)));
  if (planned.exitCode !== 0 && planned.exitCode !== 2)
    throw commandFailed('terraform plan', problemsIn(messages) || planned.stderr);
  const others = messages.flatMap(({ type, change }) =>
    type !== 'planned_change' || change === undefined || isAllowed(change, allowed)
      ? []
      : [`${change.action} ${change.resource.addr}`],
  );
  if (others.length > 0) throw otherChanges(others);
  return planned.exitCode === 2;
}

/** Of every key that the file or the state has. */
async function addresses(environment: string): Promise<string[]> {
  const configuration = readConfigurations(outputFolder(process.env)).find(
    (each) => each.environment === environment,
  );
  const listed = await terraform(environment, ['state', 'list']);
  if (listed.exitCode !== 0) throw commandFailed('terraform state list', listed.stderr);
  const stated = Object.keys(configuration?.resource[TYPE] ?? {}).map((name) => `${TYPE}.${name}`);
  const made = listed.stdout.split('\n').filter((address) => address.startsWith(`${TYPE}.`));
  return [...new Set([...stated, ...made])];
}

/** Terraform, "Machine-readable UI". */
const messageShape = z.object({
  type: z.string(),
  change: z
    .object({
      action: z.string(),
      resource: z.object({ addr: z.string(), resource_type: z.string(), resource_name: z.string() }),
    })
    .optional(),
  diagnostic: z
    .object({ severity: z.string(), summary: z.string(), detail: z.string().default('') })
    .optional(),
});
type Message = z.infer<typeof messageShape>;

function isAllowed({ action, resource }: NonNullable<Message['change']>, allowed: KeyChange): boolean {
  return (
    ['noop', 'read'].includes(action) ||
    (resource.resource_type === TYPE &&
      action === allowed.action &&
      labelOf(resource.resource_name) === allowed.label)
  );
}

function problemsIn(messages: Message[]): string {
  return messages
    .flatMap(({ diagnostic }) =>
      diagnostic?.severity === 'error' ? [`Error: ${diagnostic.summary}\n${diagnostic.detail}`] : [],
    )
    .join('\n');
}

/**
 * Terraform writes into a file and in a session of its own: were this process killed, it would still bring its key to
 * the state. Killed between the two, it would leave a key whose secret nobody knows.
 */
async function applyPlan(environment: string, plan: string): Promise<void> {
  const folder = stackFolder(environment, process.env);
  const log = join(folder, '.terraform', 'base-keys.log');
  const output = openSync(log, 'w');
  const { TF_DATA_DIR: _, ...env } = process.env;
  const process_ = spawn('terraform', ['apply', '-input=false', '-no-color', LOCK_TIMEOUT, plan], {
    cwd: folder,
    env: { ...env, TF_WORKSPACE: environment, TF_IN_AUTOMATION: '1' },
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const [code] = (await once(process_, 'exit')) as [number | null];
  if (code !== 0) throw commandFailed('terraform apply', readFileSync(log, 'utf8'));
}
