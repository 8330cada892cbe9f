import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { localEnvironment, startLocalAws, type LocalAws } from '@slipway/local-aws';
import { $, which } from 'zx';
import { ofKeys } from '../scripts/doctor/account';

jest.setTimeout(60_000);

const ROOT = join(__dirname, '..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-doctor-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const doctor = (args: string[], env: NodeJS.ProcessEnv) =>
  $({
    cwd: ROOT,
    env,
    quiet: true,
    nothrow: true,
  })`${process.execPath} --require tsx/cjs ${join(ROOT, 'scripts/doctor.ts')} ${args}`;

/** A PATH with these real programs alone. */
async function pathWith(...programs: string[]): Promise<string> {
  for (const program of programs) symlinkSync(await which(program), join(folder, program));
  return folder;
}

/** A program that the real thing can't be made to be: too old, or a version manager's shim with nothing behind it. */
function plant(program: string, script: string): void {
  writeFileSync(join(folder, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

const withoutAws = (variables: Record<string, string>) =>
  localEnvironment({ ...variables, AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null' });

test('tells what is there and its version, and of what is missing how to get it', async () => {
  const PATH = await pathWith('node', 'npm', 'git', 'terraform');
  plant('kubectl', 'echo "pyenv: kubectl: command not found" >&2; exit 127');
  const { exitCode, stdout } = await doctor(['--for', 'test'], withoutAws({ PATH }));
  expect(stdout).toMatch(new RegExp(`✓ git +\\d+\\.\\d+[.\\d]*, ${folder}/git\n`));
  expect(stdout).toMatch(new RegExp(`✓ terraform +1\\.\\d+\\.\\d+, ${folder}/terraform\n`));
  expect(stdout).toMatch(/✗ shellcheck +not on PATH\n +→ (apt|brew) install shellcheck\n/);
  expect(stdout).toContain(`${folder}/kubectl doesn't work: pyenv: kubectl: command not found`);
  expect(stdout).toMatch(/✗ moto +no moto_server, and no uv, pipx or python3/);
  expect(stdout).toContain("test can't be done yet: moto, aws, kubectl, cloud-init, shellcheck are missing.");
  expect(exitCode).toBe(1);
});

test('has all that the tests need where the tests run', async () => {
  const { exitCode, stdout } = await doctor(['--for', 'test'], withoutAws({}));
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: expect.stringContaining('All that test needs is here.') as string,
  });
});

test('an old Terraform is missing for a deploy, and no matter to the demo that has its own', async () => {
  const PATH = await pathWith('node', 'npm', 'python3');
  plant('terraform', `echo '{"terraform_version":"1.5.7"}'`);
  mkdirSync(join(folder, 'slipway', 'terraform-1.11.4-linux_amd64-00000000'), { recursive: true });
  const env = withoutAws({ PATH, XDG_CACHE_HOME: folder });
  const old = `1.5.7, needed is 1.11 or later, ${folder}/terraform`;
  const forDeploy = await doctor(['--for', 'deploy'], env);
  expect(forDeploy.stdout).toContain(`${old}; 1.11.4 is in the cache`);
  expect(forDeploy.stdout).toMatch(/deploy can't be done yet: terraform, AWS credentials, secret parameters/);
  expect((await doctor(['--for', 'demo'], env)).stdout).not.toMatch(/can't be done yet:.*terraform/);
});

describe('with credentials', () => {
  let aws: LocalAws;
  let secret: string;
  beforeAll(async () => {
    aws = await startLocalAws({ account: '111122223333' });
    const iam = new IAMClient({
      endpoint: aws.endpoint,
      region: aws.region,
      credentials: aws.administrators['111122223333'] ?? { accessKeyId: '', secretAccessKey: '' },
    });
    await iam.send(new CreateUserCommand({ UserName: 'kantox-minikube-base-dev' }));
    const made = await iam.send(new CreateAccessKeyCommand({ UserName: 'kantox-minikube-base-dev' }));
    secret = made.AccessKey?.SecretAccessKey ?? '';
  });
  afterAll(() => aws.stop());

  test('says who they are, how old the keys are, and which variables are not set', async () => {
    const { stdout } = await doctor(['dev', '--for', 'deploy'], withoutAws(aws.variables));
    expect(stdout).toMatch(/✓ AWS credentials +arn:aws:iam::111122223333:user\/administrator\n/);
    expect(stdout).toMatch(/✓ base keys +AKIA\w{16}, 0 days old\n/);
    expect(stdout).toMatch(
      /✗ secret parameters +not set: TF_VAR_database_url\n +→ export TF_VAR_database_url=…/,
    );
    expect(stdout).not.toContain(secret);
    expect(stdout).not.toContain(aws.variables.AWS_SECRET_ACCESS_KEY);
  });

  test('of another account are not the environment’s', async () => {
    const env = withoutAws({ ...aws.variables, TF_VAR_database_url: 'postgres://secret' });
    const { exitCode, stdout } = await doctor(['prod', '--for', 'deploy'], env);
    expect(stdout).toContain(':user/administrator; prod belongs in account 444455556666');
    expect(stdout).toMatch(/✓ secret parameters +set: TF_VAR_database_url\n/);
    expect(stdout).not.toContain('postgres://secret');
    expect(exitCode).toBe(1);
  });

  test('a server that never answers is waited for five seconds', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const started = performance.now();
    const { stdout } = await doctor(['dev', '--for', 'deploy'], {
      ...withoutAws(aws.variables),
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    });
    expect(stdout).toMatch(/✗ AWS credentials +Error: no answer within 5 s\n/);
    expect(performance.now() - started).toBeLessThan(20_000);
    silent.close();
  });
});

test('keys older than 90 days are due', () => {
  const key = { id: 'AKIA1', active: true, lastUsed: undefined };
  const now = new Date('2026-11-24');
  const due = ofKeys('dev', [{ ...key, made: new Date('2026-08-25') }], now);
  expect(due).toEqual({
    state: 'due',
    text: 'AKIA1, 91 days old',
    remedy: 'npm run rotate-base-keys -- dev',
  });
  expect(ofKeys('dev', [{ ...key, made: new Date('2026-08-26') }], now).state).toBe('found');
});

test.each([
  [['--for', 'bakery'], 'There is no job bakery; known are demo, deploy, provisioner, broker, test.'],
])('%j is refused in a sentence', async (args, sentence) => {
  const { exitCode, stderr } = await doctor(args, process.env);
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(sentence) as string });
  expect(stderr).not.toMatch(/\bat .*\.(js|ts):\d+/);
});
