// node stacks/run.cjs [ENTRY]: runs main.ts, the app of cdktf.json. esbuild bundles our own TypeScript, in a process of
// its own, while this one loads CDKTF; packages stay with node. docs/decisions/0003-synth.md has the figures of this
// and other ways. NODE_OPTIONS=--enable-source-maps gives stack traces in terms of the TypeScript sources.
const Module = require('node:module');
const path = require('node:path');
const { build } = require('esbuild');

const entry = path.resolve(process.argv[2] ?? path.join(__dirname, 'main.ts'));

const building = build({
  entryPoints: [entry],
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node20',
  packages: 'external',
  alias: { '@slipway/constructs': path.join(__dirname, '../constructs/src/index.ts') },
  sourcemap: process.sourceMapsEnabled && 'inline',
  // esbuild tells what is wrong with a source by itself.
  logLevel: 'error',
});
require('cdktf');

building.then(
  ({ outputFiles: [{ text }] }) => {
    const main = new Module(entry, null);
    main.filename = entry;
    main.paths = Module._nodeModulePaths(path.dirname(entry));
    main._compile(text, entry);
  },
  () => {
    process.exitCode = 1;
  },
);
