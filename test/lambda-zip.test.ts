import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { $ } from 'zx';
import { lambdaZip } from '../stacks/lambda-zip';
import { storedZip } from '../stacks/stored-zip';

/** A function's code is bundled when it is synthesized: what is deployed must be the sources as they are, and nothing else. */
const ROOT = join(__dirname, '..');
const ENTRY = 'services/word/lambda.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-lambda-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Into the past, so that what is made of it is kept. */
function write(root: string, name: string, text: string, time = new Date('2026-01-01')): void {
  writeFileSync(join(root, name), text);
  utimesSync(join(root, name), time, time);
}

/** A repository with one function, which says a word. */
function repository(name: string): string {
  const root = join(folder, name);
  mkdirSync(join(root, 'services/word'), { recursive: true });
  for (const file of ['stacks/lambda-zip.ts', 'stacks/stored-zip.ts', 'tsconfig.json', 'package-lock.json'])
    cpSync(join(ROOT, file), join(root, file));
  write(root, ENTRY, "import { word } from './word';\nexport const handler = (): string => word;\n");
  write(root, 'services/word/word.ts', "export const word = 'one';\n");
  return root;
}

async function said(zip: string): Promise<string> {
  const to = mkdtempSync(join(folder, 'unzipped-'));
  await $({ quiet: true })`unzip -q ${zip} -d ${to}`;
  const code = `console.log(require(${JSON.stringify(join(to, 'index.js'))}).handler())`;
  return (await $({ quiet: true })`${process.execPath} -e ${code}`).stdout.trim();
}

const cache = (root: string) => readdirSync(join(root, 'node_modules/.cache/slipway')).sort();

test('is a zip of one file that runs by itself', async () => {
  const zip = lambdaZip(repository('here'), ENTRY);
  expect(await said(zip)).toBe('one');
});

test('the same sources give the same bytes and name, wherever and whenever', () => {
  const [here = '', there = ''] = ['here', 'there'].map((name) => lambdaZip(repository(name), ENTRY));
  expect(here).not.toBe(there);
  expect(basename(here)).toBe(basename(there));
  expect(readFileSync(here)).toEqual(readFileSync(there));
});

test('is made once, and again after an edit, even one of the same size and time', async () => {
  const root = repository('here');
  const first = lambdaZip(root, ENTRY);
  const made = statSync(first).mtimeMs;
  expect(lambdaZip(root, ENTRY)).toBe(first);
  expect(statSync(first).mtimeMs).toBe(made);
  write(root, 'services/word/word.ts', "export const word = 'two';\n");
  const second = lambdaZip(root, ENTRY);
  expect(await said(second)).toBe('two');
  // Another synth may be about to copy the old one.
  expect(existsSync(first)).toBe(true);
});

test('old ones go after a day', () => {
  const root = repository('here');
  const first = lambdaZip(root, ENTRY);
  const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000);
  utimesSync(first, longAgo, longAgo);
  write(root, 'services/word/word.ts', "export const word = 'two';\n");
  lambdaZip(root, ENTRY);
  expect(existsSync(first)).toBe(false);
});

test('is not kept of a source that was edited while it was being bundled', () => {
  const root = repository('here');
  write(root, 'services/word/word.ts', "export const word = 'one';\n", new Date(Date.now() + 60_000));
  lambdaZip(root, ENTRY);
  expect(cache(root).filter((file) => file.endsWith('.json'))).toEqual([]);
});

test('a damaged one is made anew', async () => {
  const root = repository('here');
  const zip = lambdaZip(root, ENTRY);
  writeFileSync(zip, '');
  expect(await said(lambdaZip(root, ENTRY))).toBe('one');
});

test('says what is wrong with a source, and where', () => {
  const root = repository('here');
  write(root, 'services/word/word.ts', 'export const word: = 1;\n');
  expect(() => lambdaZip(root, ENTRY)).toThrow(
    /^services\/word\/lambda\.ts can't be bundled\. [\s\S]*services\/word\/word\.ts:1:19: ERROR: Unexpected "="/,
  );
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['text', Buffer.from('text')],
  ['every byte', Buffer.from(Array.from({ length: 70_000 }, (_, index) => index))],
])('a stored zip of %s comes out of unzip as it went in', async (_, content) => {
  const zip = join(folder, 'any.zip');
  writeFileSync(zip, storedZip('index.js', content));
  await $({ quiet: true })`unzip -q ${zip} -d ${folder}`;
  expect(readFileSync(join(folder, 'index.js')).equals(content)).toBe(true);
});
