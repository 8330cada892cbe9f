import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findTerraform, type TerraformRelease, terraformForThisMachine } from '../src';
import { PLATFORM } from '../src/machine/platform';

const { PATH, XDG_CACHE_HOME } = process.env;
const bigEnoughToDeflate = `#!/bin/sh\necho '{"terraform_version": "1.99.0"}'\n${'# padding\n'.repeat(500)}`;

let folder: string;
let archive: Buffer;
let server: Server;
let requests: string[];

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'find-terraform-'));
  writeFileSync(path.join(folder, 'LICENSE.txt'), 'a licence');
  writeFileSync(path.join(folder, 'terraform'), bigEnoughToDeflate);
  execFileSync('python3', ['-m', 'zipfile', '-c', 'archive.zip', 'LICENSE.txt', 'terraform'], {
    cwd: folder,
  });
  archive = readFileSync(path.join(folder, 'archive.zip'));
});

beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.writeHead(request.url?.startsWith('/release/') === true ? 200 : 404);
    response.end(archive);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  mkdirSync(path.join(folder, 'bin'));
  process.env.PATH = path.join(folder, 'bin');
  process.env.XDG_CACHE_HOME = path.join(folder, 'cache');
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
  process.env.PATH = PATH;
  if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
  for (const name of ['bin', 'cache']) rmSync(path.join(folder, name), { recursive: true, force: true });
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const release = (change: Partial<TerraformRelease> = {}): TerraformRelease => ({
  version: '1.99.0',
  url: `${origin()}/release`,
  checksums: { [PLATFORM]: createHash('sha256').update(archive).digest('hex') },
  ...change,
});
const cache = () => readdirSync(path.join(folder, 'cache', 'slipway'));
const onPath = (script: string) => {
  writeFileSync(path.join(folder, 'bin', 'terraform'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
};

test('the terraform on PATH is taken when it is new enough', async () => {
  process.env.PATH = PATH;

  const terraform = await findTerraform(undefined, release());

  expect(terraform).toEqual({
    path: expect.stringMatching(/^\/.*\/terraform$/) as string,
    version: expect.stringMatching(/^1\.\d+\.\d+/) as string,
    downloaded: false,
  });
  expect(requests).toEqual([]);
});

test('without one, the pinned one is downloaded once, checked, unpacked and runs', async () => {
  const progress: string[] = [];

  const terraform = await findTerraform((text) => progress.push(text), release());

  expect(terraform).toMatchObject({ version: '1.99.0', downloaded: true });
  expect(execFileSync(terraform.path, { encoding: 'utf8' })).toBe('{"terraform_version": "1.99.0"}\n');
  expect(progress.at(-1)).toMatch(/^Downloading Terraform 1\.99\.0: \d+ %$/);

  expect(await findTerraform(undefined, release())).toEqual(terraform);
  expect(requests).toEqual([`/release/terraform_1.99.0_${PLATFORM}.zip`]);
});

test.each([
  ['is older than 1.11', `echo '{"terraform_version": "1.10.5"}'`],
  ['does not work', 'echo "no version is set" >&2; exit 1'],
])('a terraform on PATH that %s is not used', async (_what, script) => {
  onPath(script);

  expect((await findTerraform(undefined, release())).downloaded).toBe(true);
});

test('a downloaded terraform comes first on the PATH of the run', async () => {
  const run = path.join(folder, 'cache', 'run');

  const { terraform, variables } = await terraformForThisMachine({
    folder: run,
    providerVersion: '0.0.0',
    release: release(),
  });

  expect(variables.PATH).toBe(`${path.dirname(terraform.path)}:${path.join(folder, 'bin')}`);
  expect(variables.TF_CLI_CONFIG_FILE).toBe(path.join(run, 'slipway.tfrc'));
});

test('an archive with another checksum is refused and leaves nothing behind', async () => {
  const pinned = 'a'.repeat(64);

  await expect(findTerraform(undefined, release({ checksums: { [PLATFORM]: pinned } }))).rejects.toThrow(
    new RegExp(`was refused, because its SHA-256 is [0-9a-f]{64} and not the pinned ${pinned}`),
  );
  expect(cache()).toEqual([]);
});

test('a server that does not have it, or is not there, is named with the remedy', async () => {
  await expect(findTerraform(undefined, release({ url: `${origin()}/elsewhere` }))).rejects.toThrow(
    /^Terraform could not be downloaded from http:.*zip \(HTTP 404\): check the network .* install Terraform 1\.11 or later yourself\.$/,
  );
  const stopped = release();
  server.close();
  server.closeAllConnections();
  await expect(findTerraform(undefined, stopped)).rejects.toThrow('ECONNREFUSED');
  expect(cache()).toEqual([]);
});

test('a platform without a pinned archive is told to install Terraform', async () => {
  await expect(findTerraform(undefined, release({ checksums: {} }))).rejects.toThrow(
    `There is no pinned Terraform for ${PLATFORM}: install Terraform 1.11 or later`,
  );
});
