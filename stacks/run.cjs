// Runs main.ts. esbuild bundles our own TypeScript in one go and leaves packages to node, which makes a synth cost
// little more than loading CDKTF does: docs/decisions/0003-synth.md has the figures of the other ways.
const Module = require('node:module');
const path = require('node:path');
const { buildSync } = require('esbuild');

const entry = path.join(__dirname, 'main.ts');
const built = buildSync({
  entryPoints: [entry],
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node20',
  packages: 'external',
  alias: { '@slipway/constructs': path.join(__dirname, '../constructs/src/index.ts') },
  sourcemap: process.sourceMapsEnabled && 'inline',
  logLevel: 'error',
});

const main = new Module(entry, null);
main.filename = entry;
main.paths = Module._nodeModulePaths(__dirname);
main._compile(built.outputFiles[0].text, entry);
