#!/usr/bin/env -S npx tsx
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { $, which } from 'zx';
import {
  badArguments,
  commandFailed,
  notDeployed,
  notFound,
  notOurSecret,
  notWritten,
  OperatorError,
  runScript,
  secretOfAnother,
} from './errors';
import { environmentNamed } from './environment-named';
import {
  baseCredentials,
  environmentOf,
  kubernetesSecret,
  secretName,
  type SecretProps,
} from './kubernetes-secret';
import { terraformOutputs } from './terraform';

const HELP = `Makes the Kubernetes secret of the one service with AWS access, from a deployed environment.

Usage: npm run k8s-secret -- [ENV] [--file PATH | --stdout | --apply] [--force]

  ENV          environment to take the credentials from (default: dev)
  --file PATH  where to write (default: kubernetes/SERVICE-aws-credentials-secret.yaml, mode 0600)
  --stdout     print it instead
  --apply      pipe it to "kubectl apply" instead; it never touches the disk
  --force      replace the secret of another environment
  --help       this text`;

void runScript(async () => {
  const { environment, file, stdout, apply, force, help } = argumentsOf(process.argv.slice(2));
  if (help) {
    console.log(HELP);
    return;
  }
  const secret = await secretOf(environment);
  if (stdout) process.stdout.write(kubernetesSecret(secret));
  else if (apply) await applySecret(secret, force);
  else
    writeSecret(
      secret,
      file ?? join(__dirname, '..', 'kubernetes', `${secretName(secret.service)}-secret.yaml`),
      force,
    );
});

function argumentsOf(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        file: { type: 'string' },
        stdout: { type: 'boolean', default: false },
        apply: { type: 'boolean', default: false },
        force: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (positionals.length > 1) throw new Error(`Expected one environment, got ${positionals.join(' ')}`);
    if ([values.file !== undefined, values.stdout, values.apply].filter(Boolean).length > 1) {
      throw new Error('--file, --stdout and --apply exclude each other');
    }
    return { ...values, environment: positionals[0] ?? 'dev' };
  } catch (error) {
    throw badArguments(error, HELP);
  }
}

async function secretOf(name: string): Promise<SecretProps> {
  const environment = environmentNamed(name);
  const outputs = await terraformOutputs(name);
  const credentials = baseCredentials.safeParse(outputs.minikube_base_credentials);
  if (!credentials.success) throw notDeployed(name);
  for (const [service, access] of Object.entries(environment.services)) {
    if ('namespace' in access)
      return { environment: name, service, namespace: access.namespace, credentials: credentials.data };
  }
  throw new Error(`Environment ${name} has no service with AWS access`);
}

/** Written beside and moved into place, so that a cut-off run leaves the old secret whole. */
function writeSecret(secret: SecretProps, path: string, force: boolean): void {
  const file = resolve(path);
  const shown = relative(process.cwd(), file);
  const part = `${file}.${process.pid}.part`;
  try {
    if (existsSync(file)) mayReplace(shown, readFileSync(file, 'utf8'), secret.environment, force);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(part, kubernetesSecret(secret), { mode: 0o600, flag: 'wx' });
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw error instanceof OperatorError ? error : notWritten(shown, error);
  }
  console.log(
    `Wrote ${shown} for ${secret.environment}. It holds a key: never commit it. Apply it with\n  kubectl apply -f ${shown}`,
  );
}

async function applySecret(secret: SecretProps, force: boolean): Promise<void> {
  if (!(await which('kubectl', { nothrow: true }))) {
    throw notFound(
      'kubectl',
      'install it (https://kubernetes.io/docs/tasks/tools/), or leave --apply out and apply the file elsewhere',
    );
  }
  const kubectl = $({ quiet: true, nothrow: true });
  const name = secretName(secret.service);
  const existing =
    await kubectl`kubectl get secret ${name} --namespace ${secret.namespace} --ignore-not-found --output json`;
  if (existing.exitCode !== 0) throw commandFailed(`kubectl get secret ${name}`, withoutLog(existing.stderr));
  if (existing.stdout.trim() !== '') {
    mayReplace(
      `The secret ${name} in the namespace ${secret.namespace}`,
      existing.stdout,
      secret.environment,
      force,
    );
  }
  // On the server's side: the other way keeps a copy of the manifest, key and all, in an annotation.
  const applied = await $({
    quiet: true,
    nothrow: true,
    input: kubernetesSecret(secret),
  })`kubectl apply --server-side --force-conflicts --field-manager slipway --filename -`;
  if (applied.exitCode !== 0) throw commandFailed('kubectl apply', withoutLog(applied.stderr));
  console.log(applied.stdout.trim());
}

/** kubectl's own debugging lines ("E1123 22:37:55.856 …") say nothing that its last line doesn't. */
function withoutLog(stderr: string): string {
  return stderr.replace(/^[EWI]\d{4} .*\n/gm, '');
}

function mayReplace(where: string, existing: string, environment: string, force: boolean): void {
  const found = environmentOf(existing);
  if (force || found === environment) return;
  throw found === undefined ? notOurSecret(where) : secretOfAnother(where, found, environment);
}
