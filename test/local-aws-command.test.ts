import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { $ } from 'zx';

jest.setTimeout(60_000);

const ROOT = join(__dirname, '..');

let folder: string;
const running: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-command-'));
});
afterEach(async () => {
  for (const child of running.splice(0)) await end(child);
  rmSync(folder, { recursive: true });
});

/** By npm, as the README says. */
function serve(...args: string[]): { child: ChildProcess; lines: (count: number) => Promise<string[]> } {
  const child = spawn('npm', ['run', '-s', 'local-aws', '--', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const lines = async (count: number) => {
    while (text.split('\n').length <= count) await once(child.stdout, 'data');
    return text.trimEnd().split('\n');
  };
  return { child, lines };
}

async function end(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

function variablesIn(exports: string[]): Record<string, string> {
  return Object.fromEntries(
    exports.map((line) => {
      const [, name = '', value = ''] = /^export (\w+)=([\w+/:.=-]+)$/.exec(line) ?? [];
      return [name, value];
    }),
  );
}

const command = (args: string[], variables: Record<string, string> = {}) =>
  $({
    cwd: ROOT,
    quiet: true,
    nothrow: true,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...variables },
  })`${process.execPath} --require tsx/cjs ${join(ROOT, 'scripts/local-aws.ts')} ${args}`;

test('--export prints what a shell needs and nothing else, and a signal ends all of it', async () => {
  const { child, lines } = serve('--export');
  const variables = variablesIn(await lines(5));
  expect(variables).toEqual({
    AWS_ENDPOINT_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: expect.stringMatching(/^AKIA/) as string,
    AWS_SECRET_ACCESS_KEY: expect.any(String) as string,
  });
  const aws = $({ quiet: true, env: { PATH: process.env.PATH, ...variables } });
  expect(JSON.parse((await aws`aws sts get-caller-identity --output json`).stdout)).toMatchObject({
    Account: '111122223333',
  });
  await aws`aws s3api list-buckets`;
  expect((await command(['log'], variables)).stdout).toMatch(/s3:ListAllMyBuckets/);

  await end(child);
  expect(await lines(5)).toHaveLength(5);
  const port = Number(new URL(variables.AWS_ENDPOINT_URL ?? '').port);
  // The port is free again at once, so nothing was left behind.
  const again = createServer().listen(port, '127.0.0.1');
  await once(again, 'listening');
  again.close();
  expect((await command(['log'], variables)).stderr).toBe(
    'No local AWS answers: start one with "npm run local-aws" and set its variables in this shell, or name a log with --log.\n',
  );
});

test('says where it is, who the administrator is and where the log is', async () => {
  const { lines } = serve('--account', '210987654321', '--region', 'us-west-2');
  const text = (await lines(16)).join('\n');
  expect(text).toContain('A local AWS is up, for account 210987654321 in us-west-2.');
  const file = /JSON lines: +(\S+)/.exec(text)?.[1] ?? '';
  expect(readFileSync(file, 'utf8')).toBe('');
});

test('record gives the least policy for what a command did', async () => {
  const { stdout, exitCode } = await command(['record', '--', 'aws', 's3api', 'list-buckets']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    Statement: [{ Effect: 'Allow', Action: ['s3:ListAllMyBuckets'] }],
  });
});

test.each([
  [['serve'], 'Expected log, record or nothing, got serve.'],
  [['--exprot'], "Unknown option '--exprot'"],
  [['--account', '12'], '12'],
  [['log', '--log', '/nonexistent'], "/nonexistent can't be read as a log of decisions (ENOENT)"],
  [['log', '--', 'true'], 'Only record takes a command.'],
  [['record', '--', 'no-such-program'], '"no-such-program" can\'t be run (ENOENT).'],
  [['record', '--', 'false'], '"false" ended with 1, so there is no policy that allows all of it.'],
])('%j is refused in a sentence', async (args, sentence) => {
  const { exitCode, stdout, stderr } = await command(args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toContain(sentence);
  expect(stderr).not.toMatch(/\bat .*\.(js|ts):\d+/);
});

test('a log with a broken line is refused in a sentence', async () => {
  const file = join(folder, 'decisions.jsonl');
  writeFileSync(file, '{"principal":');
  expect((await command(['log', '--log', file])).stderr).toContain(
    `${file} can't be read as a log of decisions`,
  );
});
