import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

jest.setTimeout(90_000);

const ROOT = join(__dirname, '..');

let stop = (): void => undefined;
afterEach(() => {
  stop();
});

test('npm run broker -- --local serves, each line that it prints works, and Ctrl-C ends all of it', async () => {
  const child = spawn('npm', ['run', '-s', 'broker', '--', '--local'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  stop = () => void child.kill();
  let text = '';
  for await (const chunk of child.stdout) {
    text += String(chunk);
    if (text.includes('Ctrl-C ends it')) break;
  }
  const commands = text.split('\n').filter((line) => /^(export|broker|curl|JOB=|TOKEN=)/.test(line));
  expect(commands.filter((line) => !line.startsWith('export')).length).toBe(12);
  const shown = execFileSync('bash', ['-ec', commands.join('\n')], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: '/nonexistent' },
  });
  const answers = shown
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(answers).toMatchObject([
    { AWS_CONTAINER_AUTHORIZATION_TOKEN: expect.any(String) as string },
    { AccessKeyId: expect.stringMatching(/^ASIA/) as string, Token: expect.any(String) as string },
    { sessionId: '1300', status: 'COMPLETED' },
    { sessionId: '1300', status: 'COMPLETED', roles: [expect.any(String) as string] },
    { userId: 'user1', invalidated: 0 },
    { sessions: [{ sessionId: '1300', status: 'COMPLETED' }] },
    { projects: [{ projectId: 'example' }] },
    { projectId: 'example' },
    { alive: true },
    { projectId: 'another', sessionTags: true },
  ]);
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  const url = /up at (\S+)\. The/.exec(text)?.[1] ?? '';
  await expect(fetch(url)).rejects.toThrow();
});
