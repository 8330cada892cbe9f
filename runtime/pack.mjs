/**
 * What `npm pack` and `npm publish` need: dist/ as CommonJS and ESM with types, the licence, and a package.json
 * that names them. In the repository package.json names the source, so that nothing here is built to be used.
 *
 *   node pack.mjs            builds, and puts the published package.json in place
 *   node pack.mjs restore    puts the repository's back
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { buildSync } from 'esbuild';

const require = createRequire(import.meta.url);
const KEPT = 'package.json.kept';
process.chdir(import.meta.dirname);

// What an interrupted `npm pack` left comes first.
if (existsSync(KEPT)) renameSync(KEPT, 'package.json');
rmSync('LICENSE', { force: true });
if (process.argv[2] !== 'restore') pack();

function pack() {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  build();
  cpSync('../LICENSE', 'LICENSE');
  renameSync('package.json', KEPT);
  writeFileSync('package.json', `${JSON.stringify(published(manifest), null, 2)}\n`);
}

function build() {
  rmSync('dist', { recursive: true, force: true });
  buildSync({
    entryPoints: ['src/index.ts'],
    outfile: 'dist/index.js',
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // import() of a CommonJS package costs more than require().
    supported: { 'dynamic-import': false },
  });
  // A wrapper and no second build: two copies in one process would be two caches.
  const names = Object.keys(require('./dist/index.js'));
  writeFileSync('dist/index.mjs', `export { ${names.join(', ')} } from './index.js';\n`);
  const emit = ['--declaration', '--emitDeclarationOnly', '--outDir', 'dist'];
  const language = [
    '--strict',
    '--skipLibCheck',
    '--target',
    'es2023',
    '--module',
    'node20',
    '--types',
    'node',
  ];
  execFileSync(
    process.execPath,
    [require.resolve('typescript/bin/tsc'), 'src/index.ts', ...emit, ...language],
    {
      stdio: 'inherit',
    },
  );
  writeFileSync('dist/index.d.mts', "export * from './index.js';\n");
}

/** Without what serves the repository alone, and open to the SDK's later versions. */
function published({ private: _, scripts, devDependencies, ...manifest }) {
  return {
    ...manifest,
    engines: JSON.parse(readFileSync('../package.json', 'utf8')).engines,
    main: './dist/index.js',
    types: './dist/index.d.ts',
    exports: {
      '.': {
        import: { types: './dist/index.d.mts', default: './dist/index.mjs' },
        require: { types: './dist/index.d.ts', default: './dist/index.js' },
      },
    },
    dependencies: Object.fromEntries(
      Object.entries(manifest.dependencies).map(([name, version]) => [name, `^${version}`]),
    ),
  };
}
