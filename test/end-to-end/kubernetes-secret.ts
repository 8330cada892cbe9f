import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { $, which } from 'zx';
import type { LocalRunAccess } from '../../scripts/local-run';
import { deployed } from './deployed';
import { startKubernetesApi, type KubernetesApi } from './kubernetes-api';

const ROOT = join(__dirname, '../..');
let run: LocalRunAccess;
let folder: string;

const script = (args: string[], env: NodeJS.ProcessEnv = run.env) =>
  $({
    cwd: ROOT,
    env,
    quiet: true,
    nothrow: true,
  })`${join(ROOT, 'node_modules/.bin/tsx')} ${join(ROOT, 'scripts/setup-k8s-secrets.ts')} ${args}`;

interface Secret {
  metadata: { name: string; namespace: string };
  stringData: Record<string, string>;
}

describe('npm run k8s-secret', () => {
  beforeAll(async () => {
    run = await deployed();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-secret-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('writes the base user’s key and the AUX role for AUX’s namespace, readable by the owner alone', async () => {
    const file = join(folder, 'secret.yaml');
    const result = await script(['dev', '--file', file]);
    expect(result.stderr).toBe('');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { metadata, stringData } = parse(readFileSync(file, 'utf8')) as Secret;
    expect(metadata).toMatchObject({ name: 'aux-aws-credentials', namespace: 'aux' });
    expect(stringData).toEqual({
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^AKIA\w{16}$/) as string,
      AWS_SECRET_ACCESS_KEY: expect.stringMatching(/^\S{40}$/) as string,
      AWS_REGION: 'eu-west-1',
      AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/kantox-aux-role-dev',
    });
    // What is printed to the terminal holds no key.
    expect(result.stdout).not.toContain(stringData.AWS_SECRET_ACCESS_KEY);
  });

  test('goes to kubernetes/ by itself, in a clone that has no such folder yet', async () => {
    const own = join(ROOT, 'kubernetes');
    const file = join(own, 'aux-aws-credentials-secret.yaml');
    const there = existsSync(own);
    expect(existsSync(file)).toBe(false);
    try {
      expect((await script(['dev'])).stderr).toBe('');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const status = await $({
        cwd: ROOT,
        quiet: true,
      })`git status --porcelain --untracked-files=all -- kubernetes`;
      expect(status.stdout).toBe('');
    } finally {
      rmSync(there ? file : own, { recursive: true, force: true });
    }
  });

  test('prints it with --stdout and writes nothing', async () => {
    const { stringData } = parse((await script(['dev', '--stdout'])).stdout) as Secret;
    expect(stringData.AWS_ROLE_ARN).toBe('arn:aws:iam::111122223333:role/kantox-aux-role-dev');
    expect(existsSync(join(ROOT, 'kubernetes/aux-aws-credentials-secret.yaml'))).toBe(false);
  });

  test('replaces its own secret, but another environment’s only with --force', async () => {
    const file = join(folder, 'secret.yaml');
    await script(['dev', '--file', file]);
    expect((await script(['dev', '--file', file])).exitCode).toBe(0);

    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/\bdev\b/g, 'qa'));
    const refused = await script(['dev', '--file', file]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(
      /holds the secret of qa, not of dev; nothing was changed\. To replace it, run this again with --force\.\n$/,
    );
    expect(readFileSync(file, 'utf8')).toContain('kantox-aux-role-qa');

    expect((await script(['dev', '--file', file, '--force'])).exitCode).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('kantox-aux-role-dev');
  });

  test('does not replace a file that is no secret of ours', async () => {
    const file = join(folder, 'secret.yaml');
    writeFileSync(file, 'a letter: to my aunt\n');
    expect((await script(['dev', '--file', file])).stderr).toContain(
      'is not a secret that Slipway made; nothing was changed.',
    );
  });

  test('takes the credentials of the environment that was asked for, whatever workspace the shell has chosen', async () => {
    const { stdout } = await script(['dev', '--stdout'], { ...run.env, TF_WORKSPACE: 'qa' });
    expect(stdout).toContain('kantox-aux-role-dev');
  });

  test.each([
    [
      ['prod'],
      'prod is not deployed, so there is no key to put into a secret: run "npx cdktf deploy prod" first.',
    ],
    [['staging'], 'There is no environment staging; known are dev, qa, prod (the files in environments/).'],
    [['--stdoot'], "Unknown option '--stdoot'"],
    [['--stdout', '--apply'], '--file, --stdout and --apply exclude each other.'],
    [['dev', 'qa'], 'Expected one environment, got dev qa.'],
  ])('%j is refused in a sentence', async (args, sentence) => {
    // A folder of its own: what it synthesizes must not get in another test's way.
    const { exitCode, stderr } = await script(args, { ...run.env, CDKTF_OUTPUT: join(folder, 'cdktf.out') });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/\bat .*\.(js|ts):\d+/);
  });

  describe('--apply', () => {
    let api: KubernetesApi;
    let env: NodeJS.ProcessEnv;
    beforeEach(async () => {
      api = await startKubernetesApi();
      writeFileSync(join(folder, 'kubeconfig'), api.kubeconfig);
      env = { ...run.env, KUBECONFIG: join(folder, 'kubeconfig'), HOME: folder };
    });
    afterEach(async () => {
      await api.stop();
    });

    test('brings the secret into the namespace by kubectl, and into no file', async () => {
      const { stderr, exitCode } = await script(['dev', '--apply'], env);
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
      expect(api.secrets.get('aux/aux-aws-credentials')).toMatchObject({
        stringData: { AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/kantox-aux-role-dev' },
      });
      const key =
        (api.secrets.get('aux/aux-aws-credentials') as Secret).stringData.AWS_SECRET_ACCESS_KEY ?? '';
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) =>
        join(folder, file),
      );
      expect(
        files.filter((file) => statSync(file).isFile() && readFileSync(file, 'utf8').includes(key)),
      ).toEqual([]);
    });

    test('replaces another environment’s secret in the cluster only with --force', async () => {
      const ofQa = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { labels: { 'slipway/environment': 'qa' } },
      };
      api.secrets.set('aux/aux-aws-credentials', ofQa);
      const refused = await script(['dev', '--apply'], env);
      expect(refused.stderr).toContain(
        'The secret aux-aws-credentials in the namespace aux holds the secret of qa, not of dev; nothing was changed.',
      );
      expect(api.secrets.get('aux/aux-aws-credentials')).toBe(ofQa);
      expect((await script(['dev', '--apply', '--force'], env)).exitCode).toBe(0);
      expect(api.secrets.get('aux/aux-aws-credentials')).not.toBe(ofQa);
    });

    test('says so when no cluster answers', async () => {
      await api.stop();
      const { stderr, exitCode } = await script(['dev', '--apply'], env);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /^"kubectl get secret aux-aws-credentials" failed:\n\nThe connection to the server 127\.0\.0\.1:\d+ was refused[^\n]*\n$/,
      );
    });

    test('says what to install when there is no kubectl', async () => {
      for (const program of ['node', 'bash', 'terraform'])
        symlinkSync(await which(program), join(folder, program));
      const { stderr } = await script(['dev', '--apply'], { ...run.env, PATH: folder });
      expect(stderr).toContain('kubectl is not on this machine: install it');
    });
  });
});
