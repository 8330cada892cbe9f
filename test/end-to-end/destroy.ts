import { DeleteObjectsCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { asDeployRole } from '../../scripts/deploy-role';
import { environmentNamed } from '../../scripts/environment-named';
import { leftovers } from '../../scripts/leftovers';
import type { LocalRunAccess } from '../../scripts/local-run';
import { cdktf, terraform } from '../../scripts/terraform';
import { quiet, refusalOf } from './commands';
import { deployed } from './deployed';

let run: LocalRunAccess;
beforeAll(async () => {
  run = await deployed();
});

describe('cdktf destroy qa', () => {
  const qa = environmentNamed('qa');

  test('refuses to take objects with a bucket that keeps them', async () => {
    const put = await quiet(run.env)`aws s3api put-object --bucket kantox-data-qa --key kept`;
    expect(put).toMatchObject({ exitCode: 0 });
    expect(await refusalOf(['destroy', 'qa', '--auto-approve'], run.env)).toMatch(/BucketNotEmpty|not empty/);
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
    expect(await leftovers(qa, run.env)).toEqual([]);
    const plan = await terraform('dev', ['plan', '-input=false', '-detailed-exitcode', '-no-color'], {
      env: run.env,
    });
    expect({ exitCode: plan.exitCode, output: plan.stdall }).toMatchObject({ exitCode: 0 });
  });
});

describe('cdktf destroy dev', () => {
  const dev = environmentNamed('dev');

  test('as its deploy role takes all but what that role stands on itself', async () => {
    const before = new Date().toISOString();
    const message = await refusalOf(['destroy', 'dev', '--auto-approve'], await asDeployRole(run));
    expect(message).toContain('AccessDenied');
    const denied = (await run.control.decisions()).filter(
      ({ time, principal, allowed }) =>
        time > before && principal.includes(':assumed-role/kantox-deploy-dev/') && !allowed,
    );
    expect(denied.map(({ action, resource }) => `${action} ${resource}`).sort()).toEqual([
      'iam:DeletePolicy arn:aws:iam::111122223333:policy/kantox-boundary-dev',
      'iam:DeletePolicy arn:aws:iam::111122223333:policy/kantox-project-boundary-dev',
      'iam:DeleteRolePolicy arn:aws:iam::111122223333:role/kantox-deploy-dev',
      'iam:DetachRolePolicy arn:aws:iam::111122223333:role/kantox-broker-dev',
    ]);
    expect((await leftovers(dev, run.env)).sort()).toEqual([
      'OIDC provider arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com',
      'policy kantox-boundary-dev',
      'policy kantox-broker-boundary-dev',
      'policy kantox-deploy-boundary-dev',
      'policy kantox-project-boundary-dev',
      'role kantox-broker-dev',
      'role kantox-deploy-dev',
    ]);
  });

  test('as the administrator leaves nothing', async () => {
    await cdktf(['destroy', 'dev', '--auto-approve'], { env: run.env });
    expect(await leftovers(dev, run.env)).toEqual([]);
  });
});

/** Deletes every version of every object. */
async function empty(bucket: string): Promise<void> {
  const s3 = new S3Client({
    endpoint: run.env.AWS_ENDPOINT_URL,
    region: 'eu-west-1',
    forcePathStyle: true,
    credentials: run.administrator,
  });
  const { Versions = [], DeleteMarkers = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: bucket }),
  );
  const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
  if (Objects.length > 0) await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
}
