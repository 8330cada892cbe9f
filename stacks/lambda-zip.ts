import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InvalidProps } from '@slipway/constructs';
import { buildSync } from 'esbuild';
import { storedZip } from './stored-zip';

/** What decides what comes out, beside the sources. */
const MAKERS = ['stacks/lambda-zip.ts', 'stacks/stored-zip.ts', 'tsconfig.json', 'package-lock.json'];
/** Zips of other sources go after a day: another synth may be about to copy one. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/**
 * The code of a Lambda function, bundled with its packages into the one file index.js of a zip. The same sources give
 * the same bytes on any machine. It is kept in node_modules/.cache/slipway/, as the app's own bundle is
 * (docs/decisions/0003-synth.md), and used again for as long as all of them are the same.
 *
 * @param root the repository
 * @param entry a TypeScript file of it, which exports `handler`
 * @returns path of the zip
 * @throws InvalidProps that says what is wrong with a source, and where
 */
export function lambdaZip(root: string, entry: string): string {
  const folder = join(root, 'node_modules/.cache/slipway');
  const name = `lambda-${entry.replaceAll(/\W+/g, '-')}`;
  const description = join(folder, `${name}.json`);
  // By what is in it, as the name becomes part of what is deployed.
  const zipOf = (digest: string) => join(folder, `${name}-${digest}.zip`);

  const kept = keptZip(root, description, zipOf);
  if (kept !== undefined) return kept;

  const started = Date.now();
  const { code, inputs } = bundle(root, entry);
  const fingerprint = fingerprintOf(root, inputs);
  const zip = storedZip('index.js', code);
  const digest = sha256(zip);
  mkdirSync(folder, { recursive: true });
  write(zipOf(digest), zip);
  // A source that was edited meanwhile may not be what esbuild has read.
  if (inputs.every((input) => statSync(resolve(root, input)).mtimeMs < started))
    write(description, JSON.stringify({ inputs, fingerprint, digest }));
  removeOld(folder, name);
  return zipOf(digest);
}

function bundle(root: string, entry: string): { code: Buffer; inputs: string[] } {
  try {
    const { metafile, outputFiles } = buildSync({
      entryPoints: [entry],
      absWorkingDir: root,
      bundle: true,
      write: false,
      metafile: true,
      minify: true,
      // Stack traces and errors go by names.
      keepNames: true,
      legalComments: 'none',
      platform: 'node',
      target: 'node22',
      format: 'cjs',
      // Of packages that have both, the form from which what nobody uses can be left out.
      mainFields: ['module', 'main'],
      logLevel: 'silent',
    });
    const [output] = outputFiles;
    return { code: Buffer.from(output?.contents ?? []), inputs: Object.keys(metafile.inputs) };
  } catch (error) {
    throw new InvalidProps(`${entry} can't be bundled. ${(error as Error).message}`);
  }
}

function keptZip(root: string, description: string, zipOf: (digest: string) => string): string | undefined {
  try {
    const { inputs, fingerprint, digest } = JSON.parse(readFileSync(description, 'utf8')) as Description;
    if (fingerprint !== fingerprintOf(root, inputs)) return undefined;
    return sha256(readFileSync(zipOf(digest))) === digest ? zipOf(digest) : undefined;
  } catch {
    return undefined;
  }
}

/** What a kept zip was made of. */
interface Description {
  inputs: string[];
  fingerprint: string;
  digest: string;
}

/** Our sources by content, packages by size and time of change. */
function fingerprintOf(root: string, inputs: string[]): string {
  const hash = createHash('sha256');
  for (const input of [...inputs, ...MAKERS]) {
    const file = resolve(root, input);
    hash.update(`\0${input}\0`);
    if (input.includes('node_modules/')) {
      const { size, mtimeMs } = statSync(file);
      hash.update(`${size} ${mtimeMs}`);
    } else hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** Two runs at once, or one cut off, mix nothing up. */
function write(file: string, content: Buffer | string): void {
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, content);
  renameSync(part, file);
}

function removeOld(folder: string, name: string): void {
  for (const file of readdirSync(folder).filter((each) => each.startsWith(`${name}-`))) {
    const path = join(folder, file);
    if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { force: true });
  }
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}
