import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { keep } from '../src/process/keeper';

jest.setTimeout(30_000);

test('a server that ignores SIGTERM, and what it started, is killed after the grace', async () => {
  const kept = await keep(['/bin/sh', '-c', 'trap "" TERM; sleep 300 & echo $!; wait'], () => process.env);
  while (!(await kept.log()).includes('\n')) await sleep(20);
  const server = await kept.pid();
  const grandchild = Number(await kept.log());

  await kept.end();

  expect(existsSync(kept.folder)).toBe(false);
  // On a machine that stalls, the whole group is killed at once, in no order.
  for (const pid of [server, grandchild]) while (isRunning(pid)) await sleep(20);
});

test('a server that falls over leaves its log until end() is called', async () => {
  const kept = await keep(['/bin/sh', '-c', 'echo broken; exit 1'], () => process.env);
  while (!kept.hasEnded()) await sleep(20);

  expect(await kept.log()).toBe('broken\n');

  await kept.end();
  expect(existsSync(kept.folder)).toBe(false);
});

/** A killed process whose parent is gone may stay a zombie where nothing reaps orphans, as in some containers. */
function isRunning(pid: number | undefined): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}
