// node stacks/run.cjs [ENTRY]: runs main.ts, the app of cdktf.json.
//
// esbuild bundles our TypeScript and the packages it imports into one script, which is kept, with V8's compiled code,
// in node_modules/.cache/slipway/. Kept is what was made of exactly these inputs: our sources are compared by content,
// packages by size and time of change, so that an edit anywhere shows. Any doubt means a new bundle.
// docs/decisions/0003-synth.md has the figures of this and of other ways.
//
// NODE_OPTIONS=--enable-source-maps gives stack traces in terms of the TypeScript sources (and keeps nothing).
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const ROOT = path.join(__dirname, '..');
const CACHE = path.join(ROOT, 'node_modules/.cache/slipway');
const entry = path.resolve(process.argv[2] ?? path.join(__dirname, 'main.ts'));
/** What all files of this entry's start with. */
const prefix = createHash('sha256').update(entry).digest('hex').slice(0, 16);

run();

function run() {
  const bundle = keptBundle() ?? newBundle();
  if (!bundle) return;
  // CDKTF reads its package.json one folder up: the bundle runs as if it stood where CDKTF does.
  const folder = path.dirname(require.resolve('cdktf'));
  const filename = path.join(folder, 'bundle.js');
  const script = new vm.Script(Module.wrap(bundle.code), { filename, cachedData: bundle.compiled });
  // At the end V8 has compiled all that a run needs, and not only what it saw first.
  if (bundle.fingerprint) process.once('exit', () => keep(bundle, script.createCachedData()));
  script.runInThisContext()({}, Module.createRequire(entry), { exports: {} }, filename, folder);
}

function keptBundle() {
  if (process.sourceMapsEnabled) return undefined;
  try {
    const { inputs, fingerprint, sizes } = JSON.parse(
      fs.readFileSync(path.join(CACHE, `${prefix}.json`), 'utf8'),
    );
    if (fingerprint !== fingerprintOf(inputs)) return undefined;
    const [code, compiled] = ['js', 'v8'].map((kind) =>
      fs.readFileSync(path.join(CACHE, `${prefix}-${fingerprint}.${kind}`)),
    );
    return code.length === sizes[0] && compiled.length === sizes[1]
      ? { code: code.toString(), compiled }
      : undefined;
  } catch {
    return undefined;
  }
}

function newBundle() {
  const started = Date.now();
  try {
    const { metafile, outputFiles } = require('esbuild').buildSync({
      entryPoints: [entry],
      absWorkingDir: ROOT,
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      target: 'node20',
      alias: { '@slipway/constructs': path.join(ROOT, 'constructs/src/index.ts') },
      // It bundles functions, and can't be bundled itself.
      external: ['esbuild'],
      sourcemap: process.sourceMapsEnabled && 'inline',
      logLevel: 'error',
    });
    const code = outputFiles[0].text;
    const inputs = Object.keys(metafile.inputs);
    // A source that was edited meanwhile may not be what esbuild has read.
    const settled = inputs.every((input) => fs.statSync(path.resolve(ROOT, input)).mtimeMs < started);
    return process.sourceMapsEnabled || !settled
      ? { code }
      : { code, inputs, fingerprint: fingerprintOf(inputs) };
  } catch {
    // esbuild has told by itself what is wrong with a source, and where.
    process.exitCode = 1;
    return undefined;
  }
}

function fingerprintOf(inputs) {
  const hash = createHash('sha256').update(process.version);
  for (const input of [...inputs, 'stacks/run.cjs', 'tsconfig.json', 'package-lock.json']) {
    const file = path.resolve(ROOT, input);
    const { size, mtimeMs } = fs.statSync(file);
    hash
      .update(`\0${input}\0`)
      .update(input.includes('node_modules/') ? `${size} ${mtimeMs}` : fs.readFileSync(file));
  }
  return hash.digest('hex').slice(0, 32);
}

/** The files' names say what they were made of, and the description goes last: two runs at once, or one cut off, mix nothing up. */
function keep({ code, inputs, fingerprint }, compiled) {
  const name = `${prefix}-${fingerprint}`;
  const description = { inputs, fingerprint, sizes: [Buffer.byteLength(code), compiled.length] };
  try {
    fs.mkdirSync(CACHE, { recursive: true });
    const old = fs
      .readdirSync(CACHE)
      .filter((file) => file.startsWith(`${prefix}-`) && !file.startsWith(name));
    write(`${name}.js`, code);
    write(`${name}.v8`, compiled);
    write(`${prefix}.json`, JSON.stringify(description));
    for (const file of old) fs.rmSync(path.join(CACHE, file), { force: true });
  } catch {
    // A folder that can't be written to costs time, nothing else.
  }
}

function write(name, content) {
  const part = path.join(CACHE, `${name}.${process.pid}.part`);
  fs.writeFileSync(part, content);
  fs.renameSync(part, path.join(CACHE, name));
}
