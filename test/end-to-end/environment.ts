import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnvironments } from '../../environments';
import { asDeployRole } from '../../scripts/deploy-role';
import { leftovers } from '../../scripts/leftovers';
import { readConfigurations } from '../../scripts/configurations';
import { cdktf, outputFolder, terraform, terraformOutputs } from '../../scripts/terraform';
import type { LocalRunAccess } from '../../scripts/local-run';
import { deployed } from './deployed';
import { quiet, refusalOf } from './commands';

let run: LocalRunAccess;
beforeAll(async () => {
  run = await deployed();
});

const refusal = (...args: string[]) => refusalOf(args, run.env);

describe('cdktf deploy dev', () => {
  test('keeps the state of each environment in its own workspace and nowhere else', () => {
    const states = readdirSync(join(run.folder, 'state'), { recursive: true, encoding: 'utf8' });
    expect(states.filter((file) => file.endsWith('.tfstate')).sort()).toEqual([
      join('dev', 'terraform.tfstate'),
      join('qa', 'terraform.tfstate'),
    ]);
  });

  test('as its deploy role, with no refusal on the way', async () => {
    const decisions = (await run.control.decisions()).filter(({ principal }) =>
      principal.includes(':assumed-role/kantox-deploy-dev/'),
    );
    expect(decisions.map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        's3:CreateBucket',
        'ssm:PutParameter',
        'kms:CreateKey',
        'ecr:CreateRepository',
        'iam:CreateUser',
        'iam:CreateRole',
        'iam:PassRole',
        'ec2:RunInstances',
        'dynamodb:CreateTable',
        'secretsmanager:CreateSecret',
        'lambda:CreateFunction',
        'apigateway:POST',
        'events:PutRule',
        'cloudwatch:PutMetricAlarm',
        'logs:CreateLogGroup',
      ]),
    );
    expect(decisions.filter(({ allowed }) => !allowed)).toEqual([]);
  });

  test('plans no change a second time, as its deploy role', async () => {
    expect(await cdktf(['diff', 'dev'], { env: await asDeployRole(run) })).toContain('No changes.');
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

describe('the broker of dev', () => {
  const aws = async (...args: string[]): Promise<unknown> => {
    const { stdout, stderr, exitCode } = await quiet(run.env)`aws ${args} --output json`;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    return JSON.parse(stdout);
  };

  test('is an API before a function, with the code that was synthesized', async () => {
    const { broker_api_endpoint: url } = (await terraformOutputs('dev', { env: run.env })) as {
      broker_api_endpoint: string;
    };
    const [, api = ''] = /^https:\/\/(\w+)\.execute-api\.eu-west-1\.amazonaws\.com\/dev$/.exec(url) ?? [];
    expect(await aws('apigatewayv2', 'get-routes', '--api-id', api)).toMatchObject({
      Items: expect.arrayContaining([
        expect.objectContaining({ RouteKey: 'ANY /{proxy+}', AuthorizationType: 'NONE' }),
        expect.objectContaining({
          RouteKey: 'GET /sessions/{sessionId}/cluster/{clusterName}/project/{projectId}',
        }),
      ]) as unknown,
    });
    const { resource } = configuration();
    const [lambda] = Object.values(resource.aws_lambda_function ?? {});
    expect(
      await aws('lambda', 'get-function-configuration', '--function-name', 'kantox-broker-dev'),
    ).toMatchObject({
      Runtime: 'nodejs22.x',
      Architectures: ['arm64'],
      Role: 'arn:aws:iam::111122223333:role/kantox-broker-dev',
      CodeSha256: lambda?.source_code_hash,
      Environment: {
        Variables: {
          PUBLIC_URL: url,
          SESSIONS_TABLE: 'kantox-broker-sessions-dev',
          ROLE_MAPPING_TABLE: 'kantox-broker-roles-dev',
          HEAD_NODE_SECRET_ID: 'kantox-broker-dev',
        },
      },
    });
  });

  test('knows the role of each project', async () => {
    expect(
      await aws('dynamodb', 'scan', '--table-name', 'kantox-broker-roles-dev', '--query', 'Items'),
    ).toEqual([
      {
        ProjectId: { S: 'abc' },
        RoleArn: { S: 'arn:aws:iam::111122223333:role/kantox-project-abc-dev' },
      },
    ]);
  });

  test("has a secret that is in no file, and an operator's own value stays in its place", async () => {
    const id = ['--secret-id', 'kantox-broker-dev'];
    const current = async () =>
      (await aws('secretsmanager', 'get-secret-value', ...id)) as { SecretString: string };
    const generated = (await current()).SecretString;
    expect(generated).toMatch(/^[A-Za-z0-9]{48}$/);
    const holders = readdirSync(run.folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => !file.includes(join('.terraform', 'providers')) && !file.startsWith('tmp'))
      .filter((file) => statSync(join(run.folder, file)).isFile())
      .filter((file) => readFileSync(join(run.folder, file)).includes(generated));
    expect(holders).toEqual([]);

    // After the second, the generated value is neither the current one nor the one before it.
    for (const text of ['own-1', 'own-2'])
      await aws('secretsmanager', 'put-secret-value', ...id, '--secret-string', text);
    const plan = await terraform('dev', ['plan', '-input=false', '-detailed-exitcode', '-no-color'], {
      env: await asDeployRole(run),
    });
    expect({ exitCode: plan.exitCode, output: plan.stdall }).toMatchObject({ exitCode: 0 });
    expect((await current()).SecretString).toBe('own-2');
    await aws('secretsmanager', 'put-secret-value', ...id, '--secret-string', generated);
  });

  test("no other API is the deploy role's to change, or to take over by a tag", async () => {
    const made = (await aws(
      'apigatewayv2',
      'create-api',
      ...['--name', 'others', '--protocol-type', 'HTTP', '--tags', 'Environment=qa'],
    )) as { ApiId: string };
    // The CLI keeps a role's credentials in the home folder, and takes them for another local AWS's, too.
    const asRole = quiet({ ...(await asDeployRole(run)), HOME: run.folder });
    const arn = `arn:aws:apigateway:eu-west-1::/apis/${made.ApiId}`;
    const tried = [
      await asRole`aws apigatewayv2 tag-resource --resource-arn ${arn} --tags Environment=dev`,
      await asRole`aws apigatewayv2 create-route --api-id ${made.ApiId} --route-key ${'GET /'}`,
      await asRole`aws apigatewayv2 delete-api --api-id ${made.ApiId}`,
      await asRole`aws apigatewayv2 create-api --name more --protocol-type HTTP --tags Environment=dev`,
    ];
    expect(tried.map(({ stderr }) => stderr)).toEqual(
      tried.map(() => expect.stringContaining('AccessDenied') as unknown),
    );
    await quiet(run.env)`aws apigatewayv2 delete-api --api-id ${made.ApiId}`;
  });

  function configuration() {
    const found = readConfigurations(outputFolder(run.env)).find(({ environment }) => environment === 'dev');
    if (!found) throw new Error('dev is not synthesized.');
    return found;
  }
});

describe('refusals', () => {
  test('another workspace, with the one that was expected', async () => {
    const message = await refusalOf(['diff', 'dev'], { ...run.env, TF_WORKSPACE: 'qa' });
    expect(message).toContain(
      'This is environment dev, which belongs in the Terraform workspace dev, not in qa',
    );
  });

  test('a destroy in another workspace, too, and nothing there is touched', async () => {
    const message = await refusalOf(['destroy', 'dev', '--auto-approve'], { ...run.env, TF_WORKSPACE: 'qa' });
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
    const message = await refusalOf(['diff', 'dev'], { ...run.env, TF_VAR_database_url: undefined });
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
