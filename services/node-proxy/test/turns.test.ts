import { setTimeout as sleep } from 'node:timers/promises';
import { turns } from '../src/turns';

test('so many run at once, the others in turn', async () => {
  const { run } = turns(2, 5000);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3].map((n) =>
    run(async () => {
      begun.push(n);
      await new Promise<void>((resolve) => ends.push(resolve));
      return n;
    }),
  );
  expect(begun).toEqual([0, 1]);
  ends[1]?.();
  await sleep(1);
  expect(begun).toEqual([0, 1, 2]);
  for (const n of [0, 2]) ends[n]?.();
  await sleep(1);
  ends[3]?.();
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  // All turns are free again.
  for (const n of [4, 5]) void run(() => new Promise(() => begun.push(n)));
  expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
});

test('who had no turn in time is told so, and takes none later', async () => {
  const { run } = turns(1, 30);
  let end: () => void = () => undefined;
  const first = run(
    () =>
      new Promise<string>((resolve) => {
        end = () => {
          resolve('first');
        };
      }),
  );
  const second = jest.fn(() => Promise.resolve('second'));
  expect(await run(second)).toBeUndefined();
  end();
  expect(await first).toBe('first');
  expect(await run(() => Promise.resolve('third'))).toBe('third');
  expect(second).not.toHaveBeenCalled();
});

test('a task that fails gives its turn on', async () => {
  const { run } = turns(1, 1000);
  const failing = run(() => Promise.reject(new Error('no')));
  const next = run(() => Promise.resolve('next'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('next');
});
