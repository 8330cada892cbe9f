import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `node stacks/run.cjs` keeps what it bundled: it must never run anything but the sources as they are now. */
const ROOT = join(__dirname, '..');
const CACHE = join(ROOT, 'node_modules/.cache/slipway');

let folder: string;
let entry: string;
let kept: () => string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-app-'));
  entry = join(folder, 'main.ts');
  const prefix = createHash('sha256').update(entry).digest('hex').slice(0, 16);
  kept = () => readdirSync(CACHE).filter((file) => file.startsWith(prefix));
  write('main.ts', "import { word } from './word';\nconst said: string = word;\nconsole.log(said);\n");
  write('word.ts', "export const word = 'one';\n");
});
afterEach(() => {
  for (const file of kept()) rmSync(join(CACHE, file));
  rmSync(folder, { recursive: true });
});

/** Into the past, so that what is made of it is kept. */
function write(name: string, text: string, time = new Date('2026-01-01')): void {
  writeFileSync(join(folder, name), text);
  utimesSync(join(folder, name), time, time);
}

function run() {
  const { stdout, stderr, status } = spawnSync('node', ['stacks/run.cjs', entry], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { stdout, stderr, status };
}
const said = (word: string) => ({ stdout: `${word}\n`, stderr: '', status: 0 });

test('runs TypeScript, and the same from what it kept', () => {
  expect(run()).toEqual(said('one'));
  expect(kept()).toHaveLength(3);
  expect(run()).toEqual(said('one'));
});

test('sees an edit of an imported file, even one of the same size and time', () => {
  run();
  write('word.ts', "export const word = 'two';\n");
  expect(run()).toEqual(said('two'));
  // And leaves nothing of the old one.
  expect(kept()).toHaveLength(3);
});

test('keeps nothing of a source that was edited while it was being bundled', () => {
  const soon = new Date(Date.now() + 60_000);
  write('word.ts', "export const word = 'one';\n", soon);
  expect(run()).toEqual(said('one'));
  expect(kept()).toEqual([]);
});

test.each(['js', 'v8', 'json'])('a damaged .%s costs time, nothing else', (ending) => {
  run();
  for (const file of kept().filter((name) => name.endsWith(ending))) writeFileSync(join(CACHE, file), '');
  expect(run()).toEqual(said('one'));
  for (const file of kept()) expect(statSync(join(CACHE, file)).size).toBeGreaterThan(0);
});

test('says what is wrong with a source, where, and without a stack trace', () => {
  write('word.ts', 'export const word: = 1;\n');
  const { stderr, status } = run();
  expect(status).toBe(1);
  expect(stderr).toMatch(/Unexpected "="[\s\S]*word\.ts:1:19/);
  expect(stderr).not.toMatch(/\bat .*\.(cjs|js):\d+/);
});
