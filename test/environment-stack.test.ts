import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { policy, type Body, type Synthesized } from '../constructs/test/synthesized';
import type { Environment, EnvironmentInput } from '../environments';
import dev from '../environments/dev';
import { COUNTERS, NAMESPACE } from '../services/broker/src/metrics';
import { synthesize } from '../stacks/app';
import { environment, shipped, synthesized } from './synthesized';

const output = (environment: Environment, name: string) =>
  synthesized(environment).configuration.output?.[name]?.value;

describe('what a deploy tells', () => {
  test.each(shipped)('in $name has the names that scripts and clusters know', (environment) => {
    const { output = {} } = synthesized(environment).configuration;
    expect(Object.keys(output).sort()).toEqual([
      ...(environment.broker
        ? [
            'broker_api_endpoint',
            'broker_function_role_arn',
            'broker_head_node_secret',
            'broker_project_role_arns',
            'broker_role_mapping_table',
            'broker_sessions_table',
          ]
        : []),
      'docker_hosts',
      'ecr_repository_urls',
      'github_actions_role_arn',
      'minikube_base_credentials',
      's3_bucket_arns',
      's3_bucket_names',
      'service_role_arns',
      'ssm_parameter_names',
    ]);
    const secret = Object.keys(output).filter((name) => output[name]?.sensitive);
    expect(secret).toEqual(['minikube_base_credentials']);
  });

  test('is what the first users already run', () => {
    const deployed = environment('dev');
    expect(output(deployed, 's3_bucket_names')).toEqual({
      data: 'kantox-data-dev',
      logs: 'kantox-logs-dev',
      backups: 'kantox-backups-dev',
    });
    expect(output(deployed, 's3_bucket_arns')).toMatchObject({ data: 'arn:aws:s3:::kantox-data-dev' });
    expect(output(deployed, 'ssm_parameter_names')).toEqual({
      'api/config': '/kantox/dev/api/config',
      'database/url': '/kantox/dev/database/url',
      'features/flags': '/kantox/dev/features/flags',
    });
    expect(output(deployed, 'service_role_arns')).toEqual({
      aux: 'arn:aws:iam::111122223333:role/kantox-aux-role-dev',
      api: 'arn:aws:iam::111122223333:role/kantox-api-role-dev',
    });
    expect(output(deployed, 'ecr_repository_urls')).toMatchObject({
      api: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/kantox-api',
    });
    expect(output(deployed, 'minikube_base_credentials')).toEqual({
      access_key_id: expect.stringMatching(/^\$\{aws_iam_access_key\.\S+\.id\}$/) as string,
      secret_access_key: expect.stringMatching(/^\$\{aws_iam_access_key\.\S+\.secret\}$/) as string,
      region: 'eu-west-1',
      role_arn: 'arn:aws:iam::111122223333:role/kantox-aux-role-dev',
    });
  });
});

describe('the credentials broker', () => {
  const withBroker = (broker: EnvironmentInput['broker'], change: Partial<EnvironmentInput> = {}) =>
    synthesized(environment('dev', { ...change, broker }));
  const locked: EnvironmentInput['protection'] = { buckets: 'locked', keep: ['data'], hosts: false };
  const routes = (stack: Synthesized): Record<string, unknown> =>
    Object.fromEntries(
      stack
        .all('aws_apigatewayv2_route')
        .map(({ route_key: route, authorization_type: authorization }) => [String(route), authorization]),
    );
  const credentials = 'GET /sessions/{sessionId}/cluster/{clusterName}/project/{projectId}';

  test('is made where the file says so, and nowhere else', () => {
    expect(withBroker({}).all('aws_lambda_function')).toHaveLength(1);
    const without = withBroker(undefined);
    expect(without.addresses().filter((address) => address.includes('broker'))).toEqual([]);
    expect(/.{0,40}(broker|lambda)/i.exec(JSON.stringify(without.configuration))?.[0]).toBeUndefined();
  });

  test('tells where it is and what it is made of', () => {
    const { output } = withBroker({ projects: { abc: {} } }).configuration;
    expect(output).toMatchObject({
      broker_api_endpoint: {
        value: expect.stringMatching(/^\$\{aws_apigatewayv2_api\..*\.api_endpoint\}\/dev$/) as string,
      },
      broker_function_role_arn: { value: 'arn:aws:iam::111122223333:role/kantox-broker-dev' },
      broker_head_node_secret: { value: 'kantox-broker-dev' },
      broker_project_role_arns: { value: { abc: 'arn:aws:iam::111122223333:role/kantox-project-abc-dev' } },
      broker_role_mapping_table: { value: 'kantox-broker-roles-dev' },
      broker_sessions_table: { value: 'kantox-broker-sessions-dev' },
    });
  });

  test('has the tables that its code reads and writes', () => {
    const stack = withBroker({});
    expect(stack.the('aws_dynamodb_table', 'broker_sessions')).toMatchObject({
      name: 'kantox-broker-sessions-dev',
      hash_key: 'SessionId',
      ttl: { attribute_name: 'ExpiresAt' },
      global_secondary_index: [{ name: 'ByUser', hash_key: 'ClusterUser', range_key: 'SessionId' }],
    });
    expect(stack.the('aws_dynamodb_table', 'broker_role-mapping')).toMatchObject({
      name: 'kantox-broker-roles-dev',
      hash_key: 'ProjectId',
    });
  });

  test('has a row for each project, whoever makes its role', () => {
    const roleArn = 'arn:aws:iam::111122223333:role/old';
    const stack = withBroker({ projects: { abc: {}, old: { roleArn } } });
    const rows = stack.all('aws_dynamodb_table_item').map(({ item }) => JSON.parse(String(item)) as object);
    expect(rows).toEqual([
      { ProjectId: { S: 'abc' }, RoleArn: { S: 'arn:aws:iam::111122223333:role/kantox-project-abc-dev' } },
      { ProjectId: { S: 'old' }, RoleArn: { S: roleArn } },
    ]);
    expect(stack.all('aws_iam_role').filter(({ name }) => String(name).includes('old'))).toEqual([]);
    expect(policy(stack.the('aws_iam_policy', 'broker_boundary')).Statement).toContainEqual(
      expect.objectContaining({
        Action: ['sts:AssumeRole', 'sts:TagSession'],
        Resource: ['arn:aws:iam::111122223333:role/kantox-project-*-dev', roleArn],
      }),
    );
  });

  test('knows head nodes by a secret, and then no route asks IAM', () => {
    const stack = withBroker({});
    expect(routes(stack)).toEqual({ 'ANY /{proxy+}': 'NONE', 'GET /health': 'NONE', [credentials]: 'NONE' });
    expect(stack.the('aws_lambda_function').environment).toMatchObject({
      variables: {
        HEAD_NODE_AUTH: 'secret',
        HEAD_NODE_SECRET_ID: stack.reference('aws_secretsmanager_secret', 'name'),
      },
    });
  });

  test('or by IAM: then there is no secret, and all but what jobs and monitors ask for takes leave', () => {
    const stack = withBroker({ headNodeAuth: 'iam' });
    expect(routes(stack)).toEqual({
      'ANY /{proxy+}': 'AWS_IAM',
      'GET /health': 'NONE',
      [credentials]: 'NONE',
    });
    const { variables } = stack.the('aws_lambda_function').environment as { variables: object };
    expect(variables).toMatchObject({ HEAD_NODE_AUTH: 'iam' });
    expect(variables).not.toHaveProperty('HEAD_NODE_SECRET_ID');
    expect(/.{0,40}secretsmanager/.exec(JSON.stringify(stack.configuration))?.[0]).toBeUndefined();
  });

  test('has settings, as the file says them', () => {
    const alarmTopics = ['arn:aws:sns:eu-west-1:111122223333:operators'];
    const stack = withBroker({ sessionSeconds: 900, localhostPort: 9998, alarmTopics });
    expect(stack.the('aws_lambda_function').environment).toMatchObject({
      variables: { SESSION_SECONDS: '900', LOCALHOST_PORT: '9998' },
    });
    const alarms = stack.all('aws_cloudwatch_metric_alarm');
    expect(alarms.map(({ alarm_name: name }) => name).sort()).toEqual(
      ['errors', 'failures', 'refusals', 'throttles'].map((what) => `kantox-broker-${what}-dev`),
    );
    // What the function counts itself is under its own name, in the namespace of its metrics.
    const own = alarms.filter(({ namespace }) => namespace === NAMESPACE);
    expect(own.map(({ metric_name: name }) => name).sort()).toEqual(['Failures', 'Refusals']);
    expect(Object.keys(COUNTERS)).toEqual(expect.arrayContaining(['Failures', 'Refusals']));
    expect(alarms.map(({ alarm_actions: actions }) => actions)).toEqual(alarms.map(() => alarmTopics));
  });

  test('keeps its tables and its secret as the environment keeps its buckets', () => {
    const kept = (stack: Synthesized) => [
      ...stack.all('aws_dynamodb_table').map((table) => table.deletion_protection_enabled),
      stack.the('aws_secretsmanager_secret').recovery_window_in_days,
    ];
    expect(kept(withBroker({}))).toEqual([false, false, 0]);
    expect(kept(withBroker({}, { protection: locked }))).toEqual([true, true, 30]);
  });
});

describe('what exists once an account', () => {
  const qa = synthesized(environment('qa'));

  test('is made by dev, and by qa, in the same account, not', () => {
    const once = (name: 'dev' | 'qa') =>
      synthesized(environment(name))
        .addresses()
        .filter((address) => /^aws_(ecr_|iam_openid)/.test(address));
    expect(once('dev')).toHaveLength(5);
    expect(once('qa')).toEqual([]);
  });

  test("is named by qa's outputs all the same", () => {
    expect(output(environment('qa'), 'ecr_repository_urls')).toEqual({
      api: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/kantox-api',
      aux: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/kantox-aux',
    });
  });

  test("is trusted by qa's GitHub roles all the same", () => {
    const trusted = qa
      .all('aws_iam_role')
      .map((role) => policy(role, 'assume_role_policy').Statement[0]?.Principal?.Federated)
      .filter(Boolean);
    const provider = 'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com';
    expect(trusted).toEqual([provider, provider]);
  });

  test("is pushed to by qa's GitHub role all the same", () => {
    expect(policy(qa.the('aws_iam_role_policy', 'access_github-push')).Statement).toContainEqual(
      expect.objectContaining({
        Sid: 'PushImages',
        Resource: [
          'arn:aws:ecr:eu-west-1:111122223333:repository/kantox-api',
          'arn:aws:ecr:eu-west-1:111122223333:repository/kantox-aux',
        ],
      }),
    );
  });
});

describe('protection', () => {
  const protection = (name: 'dev' | 'qa' | 'prod') => {
    const stack = synthesized(environment(name));
    return {
      buckets: stack
        .all('aws_s3_bucket')
        .map(({ force_destroy, lifecycle }) => ({ force_destroy, lifecycle })),
      host: stack.the('aws_instance').disable_api_termination,
      hostLock: (stack.the('aws_instance').lifecycle as Body | undefined)?.prevent_destroy,
    };
  };
  const all = (bucket: Body) => [bucket, bucket, bucket];

  test("no plan destroys prod's buckets and hosts, and EC2 terminates none of them", () => {
    const locked = { force_destroy: false, lifecycle: { prevent_destroy: true } };
    expect(protection('prod')).toEqual({ buckets: all(locked), host: true, hostLock: true });
  });

  test("qa's buckets are destroyed when they're empty, dev's with what is in them", () => {
    expect(protection('qa')).toEqual({ buckets: all({ force_destroy: false }), host: false });
    expect(protection('qa').hostLock).toBeUndefined();
    expect(protection('dev')).toEqual({ buckets: all({ force_destroy: true }), host: false });
  });
});

describe('the state', () => {
  const backend = (state: EnvironmentInput['state'], customEndpoint = false) =>
    synthesized(environment('dev', { state }), { customEndpoint }).configuration.terraform?.backend;

  test('is kept in a folder, with one folder in it for each workspace', () => {
    expect(backend({ backend: 'local' })).toEqual({
      // Relative to the stack's folder, so that a clone can be moved.
      local: { path: '../../../state/default/terraform.tfstate', workspace_dir: '../../../state' },
    });
  });

  test('is kept in a bucket, encrypted, locked, and in a folder of its workspace', () => {
    expect(backend({ backend: 's3', bucket: 'kantox-state' })).toEqual({
      s3: {
        bucket: 'kantox-state',
        key: 'terraform.tfstate',
        workspace_key_prefix: 'slipway',
        region: 'eu-west-1',
        encrypt: true,
        use_lockfile: true,
      },
    });
  });

  test("may be in another region, under the team's own key, and without a lock", () => {
    const kmsKeyArn = 'arn:aws:kms:eu-central-1:111122223333:key/12345678-1234-1234-1234-123456789012';
    const state = {
      backend: 's3',
      bucket: 'kantox-state',
      region: 'eu-central-1',
      kmsKeyArn,
      lockFile: false,
    } as const;
    expect(backend(state)).toMatchObject({
      s3: { region: 'eu-central-1', kms_key_id: kmsKeyArn, use_lockfile: false },
    });
  });

  test('is reached by path only where AWS_ENDPOINT_URL names something else than AWS', () => {
    const byPath = { use_path_style: true };
    expect(backend({ backend: 's3', bucket: 'kantox-state' }, true)).toMatchObject({ s3: byPath });
    expect(backend({ backend: 's3', bucket: 'kantox-state' })).not.toMatchObject({ s3: byPath });
  });
});

describe('the providers', () => {
  const providers = (customEndpoint = false) =>
    synthesized(environment('dev'), { customEndpoint }).configuration.provider?.aws ?? [];

  test("refuse any workspace but the environment's own", () => {
    expect(providers()[0]?.region).toBe(
      '${terraform.workspace == "dev" ? "eu-west-1" : tobool("This is environment dev, which belongs in the Terraform ' +
        'workspace dev, not in ${terraform.workspace}")}',
    );
  });

  test("refuse any account but the environment's own, and say which was expected", () => {
    expect(providers()[0]?.allowed_account_ids).toEqual(['111122223333']);
    expect(synthesized(environment('dev')).data('aws_caller_identity')).toMatchObject({
      provider: 'aws.any_account',
      lifecycle: {
        postcondition: [
          {
            condition: '${self.account_id == "111122223333"}',
            error_message:
              'Environment dev belongs in the AWS account 111122223333; these credentials are of account ${self.account_id}.',
          },
        ],
      },
    });
  });

  test('put the tags of the environment on everything', () => {
    expect(providers()[0]?.default_tags).toEqual([
      { tags: { Team: 'platform', Environment: 'dev', ManagedBy: 'slipway' } },
    ]);
  });

  test('reach buckets by path only where AWS_ENDPOINT_URL names something else than AWS', () => {
    expect(providers(true)).toMatchObject([{ s3_use_path_style: true }, { s3_use_path_style: true }]);
    for (const provider of providers()) expect(provider).not.toHaveProperty('s3_use_path_style');
  });
});

describe('one more', () => {
  const { buckets, parameters, repositories, dockerHosts } = dev;
  const before = synthesized(environment('dev'));
  const added = (change: Partial<EnvironmentInput>) => {
    const after = synthesized(environment('dev', change)).addresses();
    expect(before.addresses().filter((address) => !after.includes(address))).toEqual([]);
    return after
      .filter((address) => !before.addresses().includes(address))
      .map((address) => address.replace(/_[0-9A-F]{8}$/, ''));
  };

  test('bucket is the bucket and its settings', () => {
    expect(added({ buckets: [...buckets, { name: 'more' }] })).toEqual([
      'aws_s3_bucket.bucket-more_bucket',
      'aws_s3_bucket_lifecycle_configuration.bucket-more_lifecycle',
      'aws_s3_bucket_logging.bucket-more_access-logs',
      'aws_s3_bucket_ownership_controls.bucket-more_ownership',
      'aws_s3_bucket_policy.bucket-more_policy',
      'aws_s3_bucket_public_access_block.bucket-more_public-access',
      'aws_s3_bucket_server_side_encryption_configuration.bucket-more_encryption',
      'aws_s3_bucket_versioning.bucket-more_versioning',
    ]);
  });

  test('parameter is the parameter', () => {
    expect(added({ parameters: [...parameters, { path: 'api/more', value: 'x' }] })).toEqual([
      'aws_ssm_parameter.parameter-api-more_parameter',
    ]);
  });

  test('parameter may be called like another one but for a slash', () => {
    const likeTheFirst = { path: 'api-config', value: 'x' };
    expect(added({ parameters: [...parameters, likeTheFirst] })).toHaveLength(1);
    const allAlike = ['a/-b', 'a-/b', 'a--b', 'a/b', 'a-b', 'a_b', 'a.b'].map((path) => ({
      path,
      value: 'x',
    }));
    expect(added({ parameters: [...parameters, ...allAlike] })).toHaveLength(allAlike.length);
  });

  test('repository is the repository and what stays in it', () => {
    expect(added({ repositories: { ...repositories, names: [...repositories.names, 'more'] } })).toEqual([
      'aws_ecr_lifecycle_policy.repository-more_lifecycle',
      'aws_ecr_repository.repository-more_repository',
    ]);
  });

  test('host is the host, its role and its security group', () => {
    expect(added({ dockerHosts: [...dockerHosts, { name: 'more', ami: 'ami-0123456789abcdef0' }] })).toEqual([
      'aws_iam_instance_profile.host-more_profile',
      'aws_iam_role.host-more_role',
      'aws_iam_role_policy.host-more_role_permissions',
      'aws_instance.host-more_instance',
      'aws_security_group.host-more_group',
      'aws_vpc_security_group_egress_rule.host-more_out',
      'aws_vpc_security_group_ingress_rule.host-more_in-443-from-0-0-0-0-0',
      'aws_vpc_security_group_ingress_rule.host-more_in-80-from-0-0-0-0-0',
      'aws_vpc_security_group_ingress_rule.host-more_in-8000-8100-from-0-0-0-0-0',
    ]);
  });

  test('bucket, parameter or host leaves every other resource as it is, but for its objects in both boundaries', () => {
    const after = synthesized(
      environment('dev', {
        buckets: [...buckets, { name: 'more' }],
        parameters: [...parameters, { path: 'api/more', value: 'x' }],
        dockerHosts: [...dockerHosts, { name: 'more' }],
      }),
    );
    const inBoundary = ',\\"arn:aws:s3:::kantox-more-dev/*\\"';
    expect(JSON.stringify(after.configuration.resource?.aws_iam_policy).split(inBoundary)).toHaveLength(3);
    const otherwise = JSON.parse(
      JSON.stringify(after.configuration.resource).replaceAll(inBoundary, ''),
    ) as object;
    expect(otherwise).toMatchObject(before.configuration.resource ?? {});
  });
});

describe('what a synth writes', () => {
  const VALUE = 'postgres://user:not-to-be-found@database/kantox';
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-synth-'));
    const before = { ...process.env };
    Object.assign(process.env, { TF_VAR_database_url: VALUE, CDKTF_OUTDIR: join(folder, 'cdktf.out') });
    synthesize([...shipped], {
      stateFolder: join(folder, 'state'),
      root: join(__dirname, '..'),
      customEndpoint: false,
    });
    process.env = before;
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const files = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
      entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
    );

  test("holds no secret parameter's value", () => {
    const written = files().map((file) => readFileSync(file, 'utf8'));
    expect(written.filter((text) => text.includes('database_url'))).toHaveLength(3);
    expect(written.filter((text) => text.includes('not-to-be-found'))).toEqual([]);
  });

  test.each(shipped)('puts a deploy of $name into the workspace $name', ({ name }) => {
    const stack = join(folder, 'cdktf.out', 'stacks', name);
    expect(existsSync(join(stack, 'cdk.tf.json'))).toBe(true);
    expect(readFileSync(join(stack, '.terraform', 'environment'), 'utf8')).toBe(name);
    expect(existsSync(join(folder, 'state', name))).toBe(true);
  });
});
