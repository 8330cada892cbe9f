import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findProviderMirror } from '../src';
import { PLATFORM } from '../src/machine/platform';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'provider-mirror-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** A filesystem of our own: nothing of this machine's is found. */
const find = (version = '5.100.0', environment: NodeJS.ProcessEnv = {}) =>
  findProviderMirror(version, { environment, home: path.join(root, 'home', 'me'), root });

function unpacked(mirror: string, version = '5.100.0', platform = PLATFORM): string {
  const folder = path.join(root, mirror);
  const provider = path.join(folder, 'registry.terraform.io/hashicorp/aws', version, platform);
  mkdirSync(provider, { recursive: true });
  writeFileSync(path.join(provider, `terraform-provider-aws_v${version}_x5`), '');
  return folder;
}

function packed(mirror: string): string {
  const folder = path.join(root, mirror);
  const provider = path.join(folder, 'registry.terraform.io/hashicorp/aws');
  mkdirSync(provider, { recursive: true });
  writeFileSync(path.join(provider, `terraform-provider-aws_5.100.0_${PLATFORM}.zip`), '');
  return folder;
}

test('without a mirror there is none', async () => {
  expect(await find()).toBeUndefined();
});

test('one level below the top folders of the filesystem, both layouts are found', async () => {
  const first = unpacked('opt/plugins');
  expect(await find()).toBe(first);
  rmSync(first, { recursive: true });

  const second = packed('srv/mirror');
  expect(await find()).toBe(second);
});

test('another version, another platform or an empty folder does not count', async () => {
  unpacked('opt/plugins', '5.99.0');
  unpacked('opt/plugins', '5.100.0', 'plan9_amd64');
  mkdirSync(path.join(root, `opt/plugins/registry.terraform.io/hashicorp/aws/5.100.1/${PLATFORM}`), {
    recursive: true,
  });

  expect(await find('5.100.0')).toBeUndefined();
  expect(await find('5.100.1')).toBeUndefined();
});

test("Terraform's implied directories come before the filesystem's", async () => {
  unpacked('opt/plugins');
  const home = unpacked('home/me/.terraform.d/plugins');

  expect(await find()).toBe(home);
});

(process.platform === 'darwin' ? test.skip : test)('XDG data directories are implied ones', async () => {
  const system = packed('usr/share/terraform/plugins');
  expect(await find()).toBe(system);
  const own = packed('data/terraform/plugins');
  expect(await find(undefined, { XDG_DATA_HOME: path.join(root, 'data') })).toBe(own);
});

test('SLIPWAY_PROVIDER_MIRROR comes first of all, and must hold the version', async () => {
  unpacked('home/me/.terraform.d/plugins');
  const chosen = packed('anywhere/at/all');

  expect(await find('5.100.0', { SLIPWAY_PROVIDER_MIRROR: chosen })).toBe(chosen);
  await expect(find('6.0.0', { SLIPWAY_PROVIDER_MIRROR: chosen })).rejects.toThrow(
    `SLIPWAY_PROVIDER_MIRROR is '${chosen}', which holds no hashicorp/aws 6.0.0 for ${PLATFORM}: unset it`,
  );
});

test('a folder that anybody may write is not searched, because a provider is a program', async () => {
  unpacked('tmp/planted');
  chmodSync(path.join(root, 'tmp'), 0o1777);

  expect(await find()).toBeUndefined();
});
