import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeTerraformConfiguration } from '../src';
import { PLATFORM } from '../src/machine/platform';

jest.setTimeout(30_000);

/** A version that no registry has. */
const VERSION = '9999.1.2';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'terraform-configuration-'));
  const required = { aws: { source: 'hashicorp/aws', version: VERSION } };
  writeFileSync(
    path.join(folder, 'main.tf.json'),
    JSON.stringify({ terraform: { required_providers: required } }),
  );
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test.each(['mirror', 'with "quotes", $HOME and spaces', 'back\\slash, %{ and ${unclosed'])(
  'terraform init takes the provider from the mirror [%s]',
  async (name) => {
    const mirror = path.join(folder, name);
    const provider = path.join(mirror, 'registry.terraform.io/hashicorp/aws', VERSION, PLATFORM);
    mkdirSync(provider, { recursive: true });
    writeFileSync(path.join(provider, `terraform-provider-aws_v${VERSION}`), '#!/bin/sh\n', { mode: 0o755 });

    const variables = await writeTerraformConfiguration(path.join(folder, 'run'), mirror);

    expect(variables).toEqual({
      TF_CLI_CONFIG_FILE: path.join(folder, 'run', 'slipway.tfrc'),
      CHECKPOINT_DISABLE: '1',
      CDKTF_SKIP_PROVIDER_LOCK: 'true',
      CDKTF_DISABLE_PLUGIN_CACHE_ENV: 'true',
    });
    const output = execFileSync('terraform', ['init', '-no-color'], {
      cwd: folder,
      env: { ...process.env, ...variables },
      encoding: 'utf8',
    });
    expect(output).toContain(`Installed hashicorp/aws v${VERSION} (unauthenticated)`);
  },
);

test('without a mirror, Terraform installs directly and cdktf keeps its lock', async () => {
  const variables = await writeTerraformConfiguration(folder, undefined);

  const file = path.join(folder, 'slipway.tfrc');
  expect(variables).toEqual({ TF_CLI_CONFIG_FILE: file, CHECKPOINT_DISABLE: '1' });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ provider_installation: [{ direct: [{}] }] });
  const { status, stderr } = spawnSync('terraform', ['version'], {
    env: { ...process.env, ...variables },
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']); // Terraform warns there of a configuration it can't read
});
