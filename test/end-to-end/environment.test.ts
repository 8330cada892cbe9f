import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteObjectsCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { $ } from 'zx';
import { loadEnvironments } from '../../environments';
import { leftovers } from '../../scripts/leftovers';
import { cdktf, terraform, terraformOutputs } from '../../scripts/terraform';
import { deployed, type DeployedRun } from './deployed';

/** Longest wait of one test, in milliseconds; the first one waits for the shared deploy. */
jest.setTimeout(300_000);

let run: DeployedRun;
beforeAll(async () => {
  run = await deployed();
});

const quiet = (env: NodeJS.ProcessEnv) => $({ env, quiet: true, nothrow: true });
const refusal = async (...args: string[]) => refusalWith(run.env, ...args);
const refusalWith = (env: NodeJS.ProcessEnv, ...args: string[]) =>
  cdktf(args, { env }).then(
    () => 'no refusal',
    // Terraform breaks its lines where the terminal ends.
    (error: unknown) => {
      const { message } = error as Error;
      expect(message).not.toMatch(/\bat .*\.(cjs|js|ts):\d+/);
      return message.replace(/\s+/g, ' ');
    },
  );

describe('cdktf deploy dev', () => {
  test('keeps the state of each environment in its own workspace and nowhere else', () => {
    const states = readdirSync(join(run.folder, 'state'), { recursive: true, encoding: 'utf8' });
    expect(states.filter((file) => file.endsWith('.tfstate')).sort()).toEqual([
      join('dev', 'terraform.tfstate'),
      join('qa', 'terraform.tfstate'),
    ]);
  });

  test('plans no change a second time', async () => {
    const diff = await cdktf(['diff', 'dev'], { env: run.env });
    expect(diff).toContain('No changes.');
  });

  test('does not collide with the other environment of the account', async () => {
    const plan = await terraform('qa', ['plan', '-input=false', '-detailed-exitcode', '-no-color'], {
      env: run.env,
    });
    expect({ exitCode: plan.exitCode, output: plan.stdall }).toMatchObject({ exitCode: 0 });
  });

  test('leaves the secret value in no file: not in the state, not in what is synthesized', () => {
    const value = run.env.TF_VAR_database_url ?? '';
    expect(value).toHaveLength('throw-away-'.length + 24);
    const holders = readdirSync(run.folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => !file.includes(join('.terraform', 'providers')) && !file.startsWith('tmp'))
      .filter((file) => statSync(join(run.folder, file)).isFile())
      .filter((file) => readFileSync(join(run.folder, file)).includes(value));
    expect(holders).toEqual([]);
  });

  test('but brings it to SSM', async () => {
    const got = await quiet(
      run.env,
    )`aws ssm get-parameter --name /kantox/dev/database/url --with-decryption --output json`;
    expect(JSON.parse(got.stdout)).toMatchObject({
      Parameter: { Type: 'SecureString', Value: run.env.TF_VAR_database_url },
    });
  });

  test('gives the outputs that other systems read', async () => {
    const outputs = await terraformOutputs('dev', { env: run.env });
    expect(outputs).toMatchObject({
      s3_bucket_names: { data: 'kantox-data-dev', logs: 'kantox-logs-dev', backups: 'kantox-backups-dev' },
      service_role_arns: { aux: 'arn:aws:iam::111122223333:role/kantox-aux-role-dev' },
      minikube_base_credentials: {
        region: 'eu-west-1',
        access_key_id: expect.stringMatching(/^AKIA/) as string,
      },
      docker_hosts: {
        docker: {
          instance_id: expect.stringMatching(/^i-/) as string,
          public_ip: expect.stringMatching(/^\d/) as string,
        },
      },
    });
  });

  test('hides the keys from the ordinary output', async () => {
    const { minikube_base_credentials: secret } = (await terraformOutputs('dev', { env: run.env })) as {
      minikube_base_credentials: { secret_access_key: string };
    };
    const shown = await cdktf(['output', 'dev'], { env: run.env });
    expect(shown).toContain('kantox-data-dev');
    expect(shown).not.toContain(secret.secret_access_key);
  });
});

describe('the role chain', () => {
  test('an outside client takes on the AUX role with the base user’s key and reads a parameter as it', async () => {
    const { minikube_base_credentials: base } = (await terraformOutputs('dev', { env: run.env })) as {
      minikube_base_credentials: Record<string, string>;
    };
    const asBase = {
      ...run.env,
      AWS_ACCESS_KEY_ID: base.access_key_id,
      AWS_SECRET_ACCESS_KEY: base.secret_access_key,
    };
    const assumed = await quiet(
      asBase,
    )`aws sts assume-role --role-arn ${base.role_arn ?? ''} --role-session-name test --output json`;
    const { Credentials: session } = JSON.parse(assumed.stdout) as { Credentials: Record<string, string> };
    const asRole = {
      ...run.env,
      AWS_ACCESS_KEY_ID: session.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: session.SecretAccessKey,
      AWS_SESSION_TOKEN: session.SessionToken,
    };
    const who = await quiet(asRole)`aws sts get-caller-identity --query Arn --output text`;
    expect(who.stdout.trim()).toBe('arn:aws:sts::111122223333:assumed-role/kantox-aux-role-dev/test');
    const parameter = await quiet(
      asRole,
    )`aws ssm get-parameter --name /kantox/dev/api/config --query Parameter.Value --output text`;
    expect(JSON.parse(parameter.stdout)).toEqual({ logLevel: 'debug', requestTimeoutSeconds: 10 });
  });
});

describe('refusals', () => {
  test('another workspace, with the one that was expected', async () => {
    const message = await refusalWith({ ...run.env, TF_WORKSPACE: 'qa' }, 'diff', 'dev');
    expect(message).toContain(
      'This is environment dev, which belongs in the Terraform workspace dev, not in qa',
    );
  });

  test('a destroy in another workspace, too, and nothing there is touched', async () => {
    const message = await refusalWith({ ...run.env, TF_WORKSPACE: 'qa' }, 'destroy', 'dev', '--auto-approve');
    expect(message).toContain('belongs in the Terraform workspace dev, not in qa');
    const qa = loadEnvironments().find(({ name }) => name === 'qa');
    expect(qa && (await leftovers(qa, run.env))).toContain('bucket kantox-data-qa');
  });

  test('another account, with the one that was expected', async () => {
    const message = await refusal('diff', 'prod');
    expect(message).toContain('AWS account ID not allowed: 111122223333');
    expect(message).toContain(
      'Environment prod belongs in the AWS account 444455556666; these credentials are of account 111122223333.',
    );
  });

  test('a secret parameter without its value', async () => {
    const message = await refusalWith({ ...run.env, TF_VAR_database_url: undefined }, 'diff', 'dev');
    expect(message).toContain(
      '/kantox/dev/database/url has no value to be deployed with: set the environment variable TF_VAR_database_url.',
    );
  });

  test('an unknown environment', async () => {
    expect(await refusal('deploy', 'staging', '--auto-approve')).toContain(
      "Could not find stack for pattern 'staging'",
    );
  });
});

describe('cdktf destroy qa', () => {
  const qa = loadEnvironments().find(({ name }) => name === 'qa');

  test('refuses to take objects with a bucket that keeps them', async () => {
    // moto misreads the policy and would refuse the object for it.
    await quiet(run.env)`aws s3api delete-bucket-policy --bucket kantox-data-qa`;
    const put = await quiet(run.env)`aws s3api put-object --bucket kantox-data-qa --key kept`;
    expect(put.exitCode).toBe(0);
    const message = await refusal('destroy', 'qa', '--auto-approve');
    expect(message).toMatch(/BucketNotEmpty|not empty/);
    // The key that the objects need goes after its buckets, so not at a destroy that stops at them.
    const key = await quiet(
      run.env,
    )`aws kms describe-key --key-id alias/kantox-qa --query KeyMetadata.KeyState --output text`;
    expect(key.stdout.trim()).toBe('Enabled');
  });

  test('leaves nothing of qa once the buckets are empty, and all of dev', async () => {
    await empty('kantox-data-qa');
    // Access logs of the deploy.
    await empty('kantox-logs-qa');
    await cdktf(['destroy', 'qa', '--auto-approve'], { env: run.env });
    expect(qa && (await leftovers(qa, run.env))).toEqual([]);
    const plan = await terraform('dev', ['plan', '-input=false', '-detailed-exitcode', '-no-color'], {
      env: run.env,
    });
    expect({ exitCode: plan.exitCode, output: plan.stdall }).toMatchObject({ exitCode: 0 });
  });
});

/** Deletes every version of every object. */
async function empty(bucket: string): Promise<void> {
  const s3 = new S3Client({
    endpoint: run.env.AWS_ENDPOINT_URL,
    region: 'eu-west-1',
    forcePathStyle: true,
    credentials: {
      accessKeyId: run.env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: run.env.AWS_SECRET_ACCESS_KEY ?? '',
    },
  });
  const { Versions = [], DeleteMarkers = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: bucket }),
  );
  const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
  if (Objects.length > 0) await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
}
