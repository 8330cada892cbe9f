import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetPolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { asAdministrator } from './clients';
import { localEnvironment, startLocalAws, type LocalAws } from '../src';

jest.setTimeout(60_000);

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((aws) => aws.stop()));
});

async function start(...options: Parameters<typeof startLocalAws>): Promise<LocalAws> {
  const aws = await startLocalAws(...options);
  started.push(aws);
  return aws;
}

describe('startLocalAws', () => {
  test('two answer at once, each for its own account, and are gone after stop()', async () => {
    const [one, two] = await Promise.all([start(), start({ account: '210987654321', region: 'us-west-2' })]);

    expect(one.endpoint).not.toBe(two.endpoint);
    expect(await accountOf(one)).toBe('123456789012');
    expect(await accountOf(two)).toBe('210987654321');
    expect(two.variables).toEqual({
      AWS_ENDPOINT_URL: two.endpoint,
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^AKIA[A-Z2-7]{16}$/) as string,
      AWS_SECRET_ACCESS_KEY: expect.stringMatching(/^[A-Za-z0-9+/]{40}$/) as string,
      AWS_REGION: 'us-west-2',
      AWS_DEFAULT_REGION: 'us-west-2',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      CHECKPOINT_DISABLE: '1',
    });

    await Promise.all([one.stop(), two.stop(), two.stop()]);
    expect([isAlive(one.pid), isAlive(two.pid)]).toEqual([false, false]);
    await expect(fetch(one.motoEndpoint)).rejects.toThrow();
    expect(existsSync(path.dirname(one.logFile))).toBe(false);
  });

  test('refuses an account that is not 12 digits', async () => {
    await expect(startLocalAws({ account: '1234' })).rejects.toThrow("must be 12 digits, got '1234'");
  });
});

describe('a local AWS with the lifetime of its caller', () => {
  test('ends when the caller is killed with -9, and leaves no files', async () => {
    const { caller, aws } = await startCaller('caller');
    expect(isAlive(aws.pid)).toBe(true);

    caller.kill('SIGKILL');

    await untilGone(aws.pid);
    await untilRemoved(path.dirname(aws.logFile));
    await expect(fetch(aws.motoEndpoint)).rejects.toThrow();
  });

  test('survives a Ctrl-C in the terminal until the caller has cleaned up', async () => {
    const { caller, aws } = await startCaller('caller');
    const ended = once(caller, 'exit');

    process.kill(-(caller.pid ?? NaN), 'SIGINT'); // as a terminal does: the caller's whole process group

    expect(await ended).toEqual([0, null]); // its clean-up got an answer
    expect(isAlive(aws.pid)).toBe(false);
  });
});

test('a detached local AWS outlives its caller and ends by a plain kill, and leaves no files', async () => {
  const { caller, aws } = await startCaller('detached');
  caller.kill('SIGKILL');
  await once(caller, 'exit');
  await sleep(500);
  expect((await fetch(aws.endpoint)).status).toBeLessThan(500);

  process.kill(aws.pid);

  await untilGone(aws.pid);
  await untilRemoved(path.dirname(aws.logFile));
});

describe("with a profile of the user's that isn't there", () => {
  const progress: string[] = [];
  let aws: LocalAws;
  beforeAll(async () => {
    const { AWS_PROFILE: before } = process.env;
    process.env.AWS_PROFILE = 'nonexistent';
    aws = await startLocalAws({ onProgress: (text) => progress.push(text) });
    if (before === undefined) delete process.env.AWS_PROFILE;
    else process.env.AWS_PROFILE = before;
  });
  afterAll(() => aws.stop());

  test("has AWS's managed policies, and tells its progress", async () => {
    const { Policy } = await new IAMClient(asAdministrator(aws)).send(
      new GetPolicyCommand({ PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }),
    );

    expect(Policy?.PolicyName).toBe('ReadOnlyAccess');
    expect(progress).toEqual(['Starting the local AWS', `The local AWS answers at ${aws.endpoint}`]);
  });

  test('moto hears nothing of the profile', async () => {
    expect(await new EC2Client(asAdministrator(aws)).send(new DescribeVpcsCommand({}))).toHaveProperty(
      'Vpcs',
    );
  });

  test('ends when its keeper alone is killed', async () => {
    const keeper = Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(aws.pid)], { encoding: 'utf8' }));

    process.kill(keeper, 'SIGKILL');

    await untilGone(aws.pid);
    await expect(fetch(aws.motoEndpoint)).rejects.toThrow();
  });
});

test("a child's environment has the variables of the local AWS and none of the user's AWS and Terraform", () => {
  const inherited = {
    HOME: '/home/me',
    AWS_PROFILE: 'prod',
    AWS_SESSION_TOKEN: 't',
    AWS_ENDPOINT_URL_S3: 'https://s3',
    TF_DATA_DIR: '/elsewhere',
    TF_CLI_ARGS: '-state=/elsewhere',
    TF_PLUGIN_CACHE_DIR: '/cache',
  };

  expect(localEnvironment({ AWS_REGION: 'eu-west-1' }, inherited)).toEqual({
    HOME: '/home/me',
    TF_PLUGIN_CACHE_DIR: '/cache',
    AWS_REGION: 'eu-west-1',
  });
});

async function accountOf(aws: LocalAws): Promise<string | undefined> {
  const { Account: account } = await new STSClient(asAdministrator(aws)).send(
    new GetCallerIdentityCommand({}),
  );
  return account;
}

type CallersAws = Pick<LocalAws, 'pid' | 'endpoint' | 'motoEndpoint' | 'logFile'>;

async function startCaller(
  lifetime: 'caller' | 'detached',
): Promise<{ caller: ChildProcess; aws: CallersAws }> {
  const tsx = pathToFileURL(require.resolve('tsx')).href;
  const caller = spawn(process.execPath, ['--import', tsx, path.join(__dirname, 'caller.ts'), lifetime], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // the leader of a process group, as a command in a terminal is
  });
  started.push({ stop: () => Promise.resolve(void caller.kill('SIGKILL')) });
  const [line] = (await once(caller.stdout, 'data')) as [Buffer];
  return { caller, aws: JSON.parse(line.toString()) as CallersAws };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const untilGone = (pid: number) => until(() => !isAlive(pid), `process ${pid} is alive`);
const untilRemoved = (file: string) => until(() => !existsSync(file), `${file} is still there`);

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(otherwise);
    await sleep(20);
  }
}
