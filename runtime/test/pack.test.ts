import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startStsServer, type StsServer } from './sts-server';

jest.setTimeout(300_000);

const ROOT = join(__dirname, '../..');
const execute = promisify(execFile);
let folder: string;
let sts: StsServer;

/** A copy is packed: while npm packs, package.json names what was built. */
beforeAll(async () => {
  sts = await startStsServer();
  folder = mkdtempSync(join(tmpdir(), 'runtime-'));
  for (const each of ['src', 'package.json', 'README.md', 'pack.mjs']) {
    cpSync(join(ROOT, 'runtime', each), join(folder, 'runtime', each), { recursive: true });
  }
  for (const each of ['LICENSE', 'package.json']) cpSync(join(ROOT, each), join(folder, each));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await execute('npm', ['pack', '--pack-destination', folder], { cwd: join(folder, 'runtime') });
});

afterAll(async () => {
  await sts.close();
  rmSync(folder, { recursive: true });
});

const tarball = () => join(folder, 'slipway-runtime-0.1.0.tgz');
const readme = readFileSync(join(ROOT, 'runtime/README.md'), 'utf8');
const example = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? '';

test('the package is code, types, README and licence; the repository is as it was', async () => {
  const { stdout } = await execute('tar', ['tzf', tarball()]);
  const files = stdout.trim().split('\n');
  const expected = /^package\/(LICENSE|README\.md|package\.json|dist\/index\.m?js|dist\/[\w-]+\.d\.m?ts)$/;
  expect(files.filter((file) => !expected.test(file))).toEqual([]);
  for (const file of ['LICENSE', 'README.md', 'dist/index.js', 'dist/index.mjs', 'dist/index.d.ts']) {
    expect(files).toContain(`package/${file}`);
  }
  expect(readFileSync(join(folder, 'runtime/package.json'), 'utf8')).toBe(
    readFileSync(join(ROOT, 'runtime/package.json'), 'utf8'),
  );
});

test('an empty project uses it as its README says, as ESM and as CommonJS, with types', async () => {
  const project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{}');
  await execute('npm', ['install', '--prefer-offline', '--ignore-scripts', tarball()], { cwd: project });
  const commonJs = example.replaceAll(/import (.*) from ('.*');/g, 'const $1 = require($2);');
  writeFileSync(join(project, 'service.mjs'), example);
  writeFileSync(join(project, 'service.cjs'), `(async () => {${commonJs}})();`);
  writeFileSync(join(project, 'both.mjs'), BOTH);
  writeFileSync(join(project, 'types.mts'), example);
  writeFileSync(join(project, 'types.cts'), TYPES);
  const env = {
    PATH: process.env.PATH,
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/reader',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'AKIASOURCE',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_ENDPOINT_URL_STS: sts.url,
  };
  const run = async (file: string) => {
    sts.calls.length = 0;
    const { stdout } = await execute(process.execPath, [file], { cwd: project, env });
    return [stdout.trim(), sts.calls.map((call) => call.get('Action'))];
  };
  const expected = [sts.caller, ['AssumeRole', 'GetCallerIdentity']];
  expect(await run('service.mjs')).toEqual(expected);
  expect(await run('service.cjs')).toEqual(expected);
  expect(await run('both.mjs')).toEqual(['true', ['AssumeRole']]);
  const compiler = [join(ROOT, 'node_modules/typescript/bin/tsc'), 'types.mts', 'types.cts', '--noEmit'];
  const strict = ['--strict', '--skipLibCheck', '--target', 'es2023', '--module', 'node20'];
  const node = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
  await execute(process.execPath, [...compiler, ...strict, ...node], { cwd: project });
});

/** Imported and required in one process it is one module, with one cache. */
const BOTH = `
  import { createRequire } from 'node:module';
  import { roleCredentials } from '@slipway/runtime';
  const required = createRequire(import.meta.url)('@slipway/runtime');
  const [a, b] = await Promise.all([roleCredentials()(), required.roleCredentials()()]);
  console.log(a.accessKeyId === b.accessKeyId);
`;

const TYPES = `
  import { type RoleCredentialsEvent, roleCredentials } from '@slipway/runtime';
  const events: RoleCredentialsEvent[] = [];
  const credentials = roleCredentials({ onEvent: (event) => events.push(event) });
  // @ts-expect-error: a number is no role
  roleCredentials({ roleArn: 1 });
  export const invalidated: boolean = credentials.invalidate({ accessKeyId: 'A' });
`;
