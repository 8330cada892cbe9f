import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { IAMClient, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { parse } from 'yaml';
import { $ } from 'zx';
import { asDeployRole } from '../../scripts/deploy-role';
import { baseCredentials } from '../../scripts/kubernetes-secret';
import type { LocalRunAccess } from '../../scripts/local-run';
import { terraform, terraformOutputs } from '../../scripts/terraform';
import { deployed } from './deployed';

const ROOT = join(__dirname, '../..');
const USER = 'kantox-minikube-base-dev';
/** What a rotation reads and writes: the environments' files of the repository itself are not to change. */
const COPIED = [
  'cdktf.json',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'environments',
  'stacks',
  'scripts',
  'constructs',
  // What dev's broker is bundled from.
  'services',
];

interface Pod {
  AWS_ACCESS_KEY_ID: string;
  AWS_SECRET_ACCESS_KEY: string;
  AWS_ROLE_ARN: string;
}

describe('npm run rotate-base-keys', () => {
  let run: LocalRunAccess;
  let checkout: string;
  let secretFile: string;
  let iam: IAMClient;
  /** Holds the secret that it started with, as a pod does. */
  let pod: Pod;
  const refused: string[] = [];
  let taken = 0;
  let podRuns = true;
  let podEnd: Promise<void>;

  beforeAll(async () => {
    run = await deployed();
    checkout = mkdtempSync(join(tmpdir(), 'slipway-checkout-'));
    secretFile = join(checkout, 'secret.yaml');
    for (const each of COPIED) cpSync(join(ROOT, each), join(checkout, each), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
    await git('init', '--quiet');
    await commit();
    iam = new IAMClient({ ...clientOptions(), credentials: run.administrator });
    const outputs = await terraformOutputs('dev', { env: run.env });
    const first = baseCredentials.parse(outputs.minikube_base_credentials);
    pod = {
      AWS_ACCESS_KEY_ID: first.access_key_id,
      AWS_SECRET_ACCESS_KEY: first.secret_access_key,
      AWS_ROLE_ARN: first.role_arn,
    };
    podEnd = serve();
  });
  afterAll(async () => {
    podRuns = false;
    await podEnd;
    await leaveAsFound();
    rmSync(checkout, { recursive: true });
  });

  test('killed while Terraform makes the key, it goes on where it was', async () => {
    const cutOff = spawn(process.execPath, command('dev', '--auto-approve', '--file', secretFile), {
      cwd: checkout,
      env: await operator(),
      stdio: 'ignore',
    });
    while ((await keys()).length < 2) {
      if (cutOff.exitCode !== null) throw new Error(`It ended by itself, with ${cutOff.exitCode}.`);
      await wait(20);
    }
    cutOff.kill('SIGKILL');
    await once(cutOff, 'exit');
    expect(existsSync(secretFile)).toBe(false);

    const result = await rotate('dev', '--auto-approve', '--file', secretFile);
    expect(result).toMatchObject({ stderr: '', exitCode: 0 });
    expect(result.stdout).toContain('is under way; going on.');
    expect(await keys()).toEqual(['Active', 'Active']);
    expect(newSecret().AWS_ACCESS_KEY_ID).not.toBe(pod.AWS_ACCESS_KEY_ID);
    expect(result.stdout).not.toContain(newSecret().AWS_SECRET_ACCESS_KEY);
  });

  test('leaves the old key alone until the new label is committed, and while something uses it', async () => {
    const uncommitted = await rotate('dev', '--deactivate');
    expect(uncommitted.stderr).toContain('environments/dev.ts has changes that are not committed');
    await commit();
    // moto keeps the last use of a key, but not for what the front answers, as it does STS.
    const moto = new STSClient({ ...clientOptions(), endpoint: run.motoEndpoint, credentials: keyOf(pod) });
    await moto.send(new GetCallerIdentityCommand({}));
    const inUse = await rotate('dev', '--deactivate');
    expect(inUse.stderr).toMatch(
      /^The key first .* was last used .*: a service may still hold it; nothing was changed/,
    );
    expect((await rotate('dev', '--delete')).stderr).toContain(
      'The key first is still active; nothing was changed.',
    );
    expect(await keys()).toEqual(['Active', 'Active']);
  });

  test('deactivates and deletes it once what held it was restarted, and no request has failed', async () => {
    const old = pod;
    pod = newSecret();
    expect(await rotate('dev', '--deactivate', '--force')).toMatchObject({ stderr: '', exitCode: 0 });
    expect((await keys()).sort()).toEqual(['Active', 'Inactive']);
    await expect(takeOn(old)).rejects.toThrow('security token');
    expect((await rotate('dev', '--status')).stdout).toMatch(
      new RegExp(
        `first +${old.AWS_ACCESS_KEY_ID} +inactive .*\n +from-\\S+ +${pod.AWS_ACCESS_KEY_ID} +active .*never`,
      ),
    );
    expect(await rotate('dev', '--delete', '--force', '--auto-approve')).toMatchObject({
      stderr: '',
      exitCode: 0,
    });
    expect(await keys()).toEqual(['Active']);
    podRuns = false;
    await podEnd;
    expect(refused).toEqual([]);
    expect(taken).toBeGreaterThan(50);
  });

  test('leaves file, state and AWS in agreement: a deploy of its file would change nothing', async () => {
    const plan = await terraform('dev', ['plan', '-input=false', '-detailed-exitcode', '-no-color'], {
      env: { ...(await operator()), TF_VAR_database_url: run.env.TF_VAR_database_url },
    });
    expect({ exitCode: plan.exitCode, output: plan.stdall }).toMatchObject({ exitCode: 0 });
  });

  const clientOptions = () => ({
    endpoint: run.env.AWS_ENDPOINT_URL ?? '',
    region: run.environment.region,
    maxAttempts: 1,
  });

  const keyOf = (secret: Pod) => ({
    accessKeyId: secret.AWS_ACCESS_KEY_ID,
    secretAccessKey: secret.AWS_SECRET_ACCESS_KEY,
  });

  /** The pipeline's role, in a checkout of its own, and without what a rotation doesn't need. */
  const operator = async () => ({
    ...(await asDeployRole(run)),
    CDKTF_OUTPUT: join(checkout, 'cdktf.out'),
    TF_VAR_database_url: undefined,
  });

  const command = (...args: string[]) => [
    '--require',
    'tsx/cjs',
    join(checkout, 'scripts/rotate-base-keys.ts'),
    ...args,
  ];

  const rotate = async (...args: string[]) =>
    $({
      cwd: checkout,
      env: await operator(),
      quiet: true,
      nothrow: true,
    })`${process.execPath} ${command(...args)}`;

  const git = (...args: string[]) =>
    $({ cwd: checkout, quiet: true })`git -c user.name=test -c user.email=test@localhost ${args}`;

  async function commit(): Promise<void> {
    await git('add', 'environments');
    await git('commit', '--quiet', '--message', 'Labels');
  }

  /** States of the user's keys. */
  async function keys(): Promise<(string | undefined)[]> {
    const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName: USER }));
    return AccessKeyMetadata.map(({ Status }) => Status);
  }

  function newSecret(): Pod {
    return (parse(readFileSync(secretFile, 'utf8')) as { stringData: Pod }).stringData;
  }

  async function takeOn(secret: Pod): Promise<void> {
    const sts = new STSClient({ ...clientOptions(), credentials: keyOf(secret) });
    await sts.send(new AssumeRoleCommand({ RoleArn: secret.AWS_ROLE_ARN, RoleSessionName: 'pod' }));
  }

  /** Takes the role on all the while: with the pod's secret, and with the newest one that was handed out. */
  async function serve(): Promise<void> {
    while (podRuns) {
      const secrets = existsSync(secretFile) ? [pod, newSecret()] : [pod];
      for (const secret of secrets)
        await takeOn(secret).then(
          () => (taken += 1),
          (error: unknown) => refused.push(`${secret.AWS_ACCESS_KEY_ID}: ${String(error)}`),
        );
      await wait(100);
    }
  }

  /** The key that dev has now goes by the label of the repository's own file. */
  async function leaveAsFound(): Promise<void> {
    const listed = await terraform('dev', ['state', 'list'], { env: run.env });
    const [now = ''] = listed.stdout
      .split('\n')
      .filter((address) => address.startsWith('aws_iam_access_key.'));
    const configuration = JSON.parse(
      readFileSync(join(run.env.CDKTF_OUTPUT ?? '', 'stacks', 'dev', 'cdk.tf.json'), 'utf8'),
    ) as { resource: { aws_iam_access_key: object } };
    const [found = ''] = Object.keys(configuration.resource.aws_iam_access_key);
    if (now === `aws_iam_access_key.${found}`) return;
    // Its own place for a backup is not in the folder of the states, and isn't there.
    const backup = `-backup=${join(checkout, 'backup.tfstate')}`;
    const moved = await terraform('dev', ['state', 'mv', backup, now, `aws_iam_access_key.${found}`], {
      env: run.env,
    });
    expect(moved).toMatchObject({ exitCode: 0 });
  }
});
