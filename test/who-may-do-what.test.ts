import { deployStatements, policyDocument, type PolicyDocument } from '@slipway/constructs';
import type { Environment } from '../environments';
import { environment, shipped } from './synthesized';
import { isAllowed, keyArn, statedPolicies, type Context, type Request, type StatedPolicy } from './simulate';

/**
 * What IAM decides on the policies as they are synthesized: `actions` (separated by spaces), on each of `resources`,
 * under `context`.
 */
type Row = readonly [actions: string, resources: string | readonly string[], context?: Context];

interface Table {
  who: string;
  allowed: readonly Row[];
  denied: readonly Row[];
}

const all = { Sid: 'All', Effect: 'Allow', Action: '*' } as const;
const everything = policyDocument({ ...all, Resource: '*' });

/** Someone who may do all that an account's own policies can give, in the environments' account and in another. */
const admin = 'arn:aws:iam::111122223333:role/admin';
const stranger = 'arn:aws:iam::999999999999:role/admin';

const policies: readonly StatedPolicy[] = [
  ...shipped.flatMap(statedPolicies),
  ...[admin, stranger].map((of) => ({ kind: 'inline' as const, of, account: '', document: everything })),
];

const [dev, qa, prod] = [arnsOf(environment('dev')), arnsOf(environment('qa')), arnsOf(environment('prod'))];

function arnsOf(environment: Environment) {
  const { name, account, region, protection } = environment;
  const iam = (what: string) => `arn:aws:iam::${account}:${what}`;
  const regional = (service: string, what: string) => `arn:aws:${service}:${region}:${account}:${what}`;
  return {
    name,
    baseUser: iam(`user/kantox-minikube-base-${name}`),
    role: (what: string) => iam(`role/kantox-${what}-${name}`),
    profile: iam(`instance-profile/kantox-docker-${name}`),
    boundary: iam(`policy/kantox-boundary-${name}`),
    deployBoundary: iam(`policy/kantox-deploy-boundary-${name}`),
    oidcProvider: iam('oidc-provider/token.actions.githubusercontent.com'),
    buckets: ['data', 'logs', 'backups'].map((bucket) => `arn:aws:s3:::kantox-${bucket}-${name}`),
    bucket: `arn:aws:s3:::kantox-data-${name}`,
    object: `arn:aws:s3:::kantox-data-${name}/reports/1.csv`,
    /** What a destroy deletes with its bucket. */
    disposableObjects:
      protection.buckets === 'disposable' ? [`arn:aws:s3:::kantox-data-${name}/reports/1.csv`] : [],
    parameters: ['api/config', 'database/url', 'features/flags'].map((path) =>
      regional('ssm', `parameter/kantox/${name}/${path}`),
    ),
    parameterPath: regional('ssm', `parameter/kantox/${name}`),
    broker: {
      role: iam(`role/kantox-broker-${name}`),
      boundary: iam(`policy/kantox-broker-boundary-${name}`),
      projectBoundary: iam(`policy/kantox-project-boundary-${name}`),
      project: iam(`role/kantox-project-abc-${name}`),
      function: regional('lambda', `function:kantox-broker-${name}`),
      sessions: regional('dynamodb', `table/kantox-broker-sessions-${name}`),
      roles: regional('dynamodb', `table/kantox-broker-roles-${name}`),
      secret: regional('secretsmanager', `secret:kantox-broker-${name}-vSsyek`),
      rule: regional('events', `rule/kantox-broker-${name}`),
      alarms: ['errors', 'failures', 'throttles', 'refusals'].map((alarm) =>
        regional('cloudwatch', `alarm:kantox-broker-${alarm}-${name}`),
      ),
      logs: ['/aws/lambda', '/aws/vendedlogs'].map((path) =>
        regional('logs', `log-group:${path}/kantox-broker-${name}`),
      ),
    },
    key: keyArn(environment),
    keyAlias: regional('kms', `alias/kantox-${name}`),
    ec2: (what: string) => regional('ec2', what),
    /** What EC2 and KMS tell about a thing of this environment, and about a request that tags one. */
    has: { 'aws:ResourceTag/Environment': name },
    gives: { 'aws:RequestTag/Environment': name },
  };
}
type Arns = ReturnType<typeof arnsOf>;

const repository = (name: string) => `arn:aws:ecr:eu-west-1:111122223333:repository/${name}`;
const through = (service: string) => ({ 'kms:ViaService': `${service}.eu-west-1.amazonaws.com` });
const token = (sub?: string, aud = 'sts.amazonaws.com'): Context => ({
  'token.actions.githubusercontent.com:aud': aud,
  ...(sub && { 'token.actions.githubusercontent.com:sub': sub }),
});
const underBoundary = (arn: string) => ({ 'iam:PermissionsBoundary': arn });
const passedTo = (service: string) => ({ 'iam:PassedToService': `${service}.amazonaws.com` });
const forProject = (project: string) => ({ 'aws:RequestTag/slipway-project': project });

const tables: Record<string, Table> = {
  'base user: takes on the role of AUX, and that is all': {
    who: dev.baseUser,
    allowed: [['sts:AssumeRole', dev.role('aux-role')]],
    denied: [
      ['sts:AssumeRole', ['api-role', 'github-push', 'deploy', 'docker'].map(dev.role)],
      ['sts:AssumeRole', [qa.role('aux-role'), prod.role('aux-role'), admin]],
      ['s3:ListBucket', dev.bucket],
      ['s3:GetObject s3:PutObject', dev.object],
      ['ssm:GetParameter ssm:PutParameter', dev.parameters],
      ['kms:Decrypt', dev.key, through('ssm')],
      ['iam:CreateAccessKey iam:GetUser iam:DeleteUserPermissionsBoundary iam:PutUserPolicy', dev.baseUser],
      ['ecr:GetAuthorizationToken ec2:DescribeInstances s3:ListAllMyBuckets iam:ListRoles', '*'],
    ],
  },
  'AUX: reads and writes its bucket, reads its parameters': {
    who: dev.role('aux-role'),
    allowed: [
      ['s3:ListBucket s3:GetBucketLocation', dev.bucket],
      ['s3:GetObject s3:GetObjectVersion s3:PutObject s3:DeleteObject s3:AbortMultipartUpload', dev.object],
      ['ssm:GetParameter ssm:GetParameters', dev.parameters],
      ['ssm:GetParametersByPath', [dev.parameterPath, `${dev.parameterPath}/api`]],
      ['kms:Decrypt kms:GenerateDataKey', dev.key, through('s3')],
      ['kms:Decrypt', dev.key, through('ssm')],
    ],
    denied: [
      ['s3:ListBucket', [...dev.buckets.slice(1), qa.bucket, prod.bucket]],
      ['s3:GetObject s3:PutObject s3:DeleteObject', [qa.object, prod.object, `${dev.buckets[1] ?? ''}/log`]],
      ['s3:GetObject s3:PutObject', [`${qa.bucket}/x-dev`, `${qa.bucket}/x-dev/y`]],
      ['s3:DeleteBucket s3:PutBucketPolicy s3:DeleteBucketPolicy s3:PutLifecycleConfiguration', dev.bucket],
      ['s3:DeleteObjectVersion s3:PutObjectAcl', dev.object],
      ['ssm:PutParameter ssm:DeleteParameter', dev.parameters],
      ['ssm:GetParameter', [...qa.parameters, ...prod.parameters]],
      ['ssm:GetParametersByPath', [qa.parameterPath, dev.parameterPath.replace('/dev', '')]],
      ['kms:Decrypt kms:GenerateDataKey', dev.key],
      ['kms:Decrypt', dev.key, through('ec2')],
      ['kms:Decrypt', dev.key, { 'kms:ViaService': 's3.us-east-1.amazonaws.com' }],
      ['kms:Decrypt', [qa.key, prod.key], through('s3')],
      ['kms:PutKeyPolicy kms:ScheduleKeyDeletion kms:CreateGrant', dev.key],
      ['sts:AssumeRole', [...['api-role', 'deploy', 'aux-role'].map(dev.role), qa.role('aux-role'), admin]],
      ['iam:CreateAccessKey', dev.baseUser],
      [
        'iam:PutRolePolicy iam:DeleteRolePermissionsBoundary iam:UpdateAssumeRolePolicy',
        dev.role('aux-role'),
      ],
      ['ecr:GetAuthorizationToken ec2:DescribeInstances', '*'],
      ['ssm:SendCommand', dev.ec2('instance/i-1')],
    ],
  },
  'API (deprecated): nothing': {
    who: dev.role('api-role'),
    allowed: [],
    denied: [
      ['s3:ListBucket', dev.buckets],
      ['s3:GetObject s3:PutObject', dev.object],
      ['ssm:GetParameter', dev.parameters],
      ['ssm:GetParametersByPath', dev.parameterPath],
      ['kms:Decrypt', dev.key, through('ssm')],
      ['sts:AssumeRole', ['aux-role', 'deploy', 'github-push'].map(dev.role)],
      ['ecr:GetAuthorizationToken', '*'],
    ],
  },
  'push role: pushes to the two repositories': {
    who: dev.role('github-push'),
    allowed: [
      ['ecr:GetAuthorizationToken', '*'],
      [
        'ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:CompleteLayerUpload ecr:InitiateLayerUpload ecr:PutImage ecr:UploadLayerPart',
        [repository('kantox-api'), repository('kantox-aux')],
      ],
    ],
    denied: [
      [
        'ecr:PutImage ecr:InitiateLayerUpload ecr:BatchGetImage',
        [repository('kantox-web'), repository('kantox-api2')],
      ],
      ['ecr:PutImage', repository('kantox-api').replace('111122223333', '444455556666')],
      ['ecr:PutImage', repository('kantox-api').replace('eu-west-1', 'us-east-1')],
      [
        'ecr:BatchDeleteImage ecr:DeleteRepository ecr:SetRepositoryPolicy ecr:PutImageTagMutability ecr:PutLifecyclePolicy',
        repository('kantox-api'),
      ],
      ['ecr:CreateRepository', repository('kantox-api')],
      ['s3:GetObject', dev.object],
      ['ssm:GetParameter', dev.parameters],
      ['sts:AssumeRole', ['aux-role', 'deploy'].map(dev.role)],
    ],
  },
  'Docker host: Session Manager, and nothing more': {
    who: dev.role('docker'),
    allowed: [
      ['ssm:UpdateInstanceInformation', dev.ec2('instance/i-1')],
      [
        'ssmmessages:CreateControlChannel ssmmessages:CreateDataChannel ssmmessages:OpenControlChannel ssmmessages:OpenDataChannel',
        '*',
      ],
    ],
    denied: [
      ['ssm:GetParameter', [...dev.parameters, 'arn:aws:ssm:eu-west-1:111122223333:parameter/other']],
      ['ssm:SendCommand ssm:StartSession', dev.ec2('instance/i-1')],
      ['s3:GetObject', [dev.object, 'arn:aws:s3:::anyone/x']],
      ['kms:Decrypt', dev.key, through('ssm')],
      ['ec2:TerminateInstances', dev.ec2('instance/i-1'), dev.has],
      ['ecr:GetAuthorizationToken ec2:DescribeInstances', '*'],
      ['sts:AssumeRole', [...['aux-role', 'deploy'].map(dev.role), admin]],
    ],
  },
  "GitHub's workflows: images from one branch of one repository, a deploy from one GitHub environment": {
    who: dev.oidcProvider,
    allowed: [
      [
        'sts:AssumeRoleWithWebIdentity',
        dev.role('github-push'),
        token('repo:kantox/slipway:ref:refs/heads/main'),
      ],
      ['sts:AssumeRoleWithWebIdentity', dev.role('deploy'), token('repo:kantox/slipway:environment:dev')],
    ],
    denied: [
      ...[
        'repo:kantox/slipway:ref:refs/heads/other',
        'repo:kantox/slipway:ref:refs/heads/main2',
        'repo:kantox/slipway:ref:refs/tags/main',
        'repo:kantox/slipway:pull_request',
        'repo:kantox/slipway:environment:qa',
        'repo:kantox/slipway:environment:prod',
        'repo:kantox/slipway-fork:ref:refs/heads/main',
        'repo:kantox/slipway-fork:environment:dev',
        'repo:someone/slipway:ref:refs/heads/main',
        'repo:someone/slipway:environment:dev',
        'repo:kantox/slip:ref:refs/heads/main',
        'repo:Kantox/Slipway:environment:dev',
        'repo:kantox/slipway:*',
        '*',
      ].map(
        (sub): Row => [
          'sts:AssumeRoleWithWebIdentity',
          [dev.role('github-push'), dev.role('deploy')],
          token(sub),
        ],
      ),
      [
        'sts:AssumeRoleWithWebIdentity',
        dev.role('github-push'),
        token('repo:kantox/slipway:environment:dev'),
      ],
      ['sts:AssumeRoleWithWebIdentity', dev.role('deploy'), token('repo:kantox/slipway:ref:refs/heads/main')],
      [
        'sts:AssumeRoleWithWebIdentity',
        dev.role('deploy'),
        token('repo:kantox/slipway:environment:dev', 'https://github.com/kantox'),
      ],
      [
        'sts:AssumeRoleWithWebIdentity',
        dev.role('github-push'),
        token('repo:kantox/slipway:ref:refs/heads/main', 'api://other'),
      ],
      ['sts:AssumeRoleWithWebIdentity', [dev.role('github-push'), dev.role('deploy')], token()],
      [
        'sts:AssumeRoleWithWebIdentity',
        [qa.role('deploy'), prod.role('deploy'), ...['aux-role', 'api-role', 'docker'].map(dev.role)],
        token('repo:kantox/slipway:environment:dev'),
      ],
      ['sts:AssumeRole', [dev.role('github-push'), dev.role('deploy')]],
    ],
  },
  "another issuer's tokens: nothing": {
    who: dev.oidcProvider.replace('token.actions.githubusercontent.com', 'gitlab.com'),
    allowed: [],
    denied: [
      ['sts:AssumeRoleWithWebIdentity', dev.role('deploy'), token('repo:kantox/slipway:environment:dev')],
      [
        'sts:AssumeRoleWithWebIdentity',
        dev.role('github-push'),
        token('repo:kantox/slipway:ref:refs/heads/main'),
      ],
    ],
  },
  "qa's deploy role: keeps the objects that qa's protection keeps": {
    who: qa.role('deploy'),
    allowed: [['s3:DeleteBucket', qa.buckets]],
    denied: [['s3:DeleteObject s3:DeleteObjectVersion', qa.object]],
  },
  "prod's deploy role: deletes no bucket": {
    who: prod.role('deploy'),
    allowed: [['s3:PutBucketPolicy', prod.buckets]],
    denied: [
      ['s3:DeleteBucket', prod.buckets],
      ['s3:DeleteObject s3:DeleteObjectVersion', prod.object],
    ],
  },
  'deploy role: nothing of other environments, and no data': {
    who: dev.role('deploy'),
    allowed: [
      [
        'ssm:GetParameter',
        'arn:aws:ssm:eu-west-1:111122223333:parameter/aws/service/ami-amazon-linux-latest/x',
      ],
      ['kms:Decrypt kms:Encrypt', dev.key, { ...dev.has, ...through('ssm') }],
    ],
    denied: [
      ['s3:GetObject s3:PutObject s3:GetObjectVersion', dev.object],
      ['s3:PutBucketPolicy s3:DeleteBucket s3:ListBucket', [...qa.buckets, ...prod.buckets]],
      ['s3:DeleteObject', [qa.object, prod.object]],
      ['s3:ListAllMyBuckets', '*'],
      ['ssm:GetParameter ssm:PutParameter', [...qa.parameters, ...prod.parameters]],
      ['ssm:SendCommand ssm:StartSession', dev.ec2('instance/i-1')],
      ['kms:Decrypt kms:GenerateDataKey', dev.key, dev.has],
      ['kms:Decrypt', dev.key, { ...dev.has, ...through('s3') }],
      ['kms:Decrypt', qa.key, { ...qa.has, ...through('ssm') }],
      ['kms:CreateGrant', dev.key, dev.has],
      ['ecr:PutImage ecr:BatchDeleteImage ecr:SetRepositoryPolicy', repository('kantox-api')],
      ['ecr:CreateRepository ecr:DeleteRepository', repository('other')],
      ['ecr:GetAuthorizationToken', '*'],
      ['ec2:GetConsoleOutput ec2:GetPasswordData', dev.ec2('instance/i-1'), dev.has],
      ['ec2:DescribeInstances', '*', { 'aws:RequestedRegion': 'us-east-1' }],
      [
        'sts:AssumeRole',
        [...['aux-role', 'api-role', 'github-push'].map(dev.role), qa.role('aux-role'), admin],
      ],
    ],
  },
  'deploy role: takes nothing over by giving it the tag of its environment': {
    who: dev.role('deploy'),
    allowed: [
      // The default group of a new VPC, and a new host's volume.
      ['ec2:CreateTags', [dev.ec2('security-group/sg-1'), dev.ec2('volume/vol-1')], dev.gives],
    ],
    denied: [
      ['kms:TagResource', qa.key, { ...qa.has, ...dev.gives }],
      ['kms:TagResource', dev.key, { ...dev.gives, 'kms:ResourceAliases': ['alias/someones'] }],
      ['kms:TagResource kms:PutKeyPolicy kms:ScheduleKeyDeletion', dev.key],
      ['kms:CreateKey', '*'],
      ['kms:CreateKey', '*', qa.gives],
      ['kms:CreateAlias kms:UpdateAlias kms:DeleteAlias', qa.keyAlias],
      ['kms:UpdateAlias', qa.key, qa.has],
      [
        'ec2:CreateTags',
        ['instance/i-1', 'security-group/sg-1', 'volume/vol-1'].map(dev.ec2),
        { ...qa.has, ...dev.gives },
      ],
      ['ec2:CreateTags', ['instance/i-1', 'vpc/vpc-1', 'subnet/subnet-1'].map(dev.ec2), dev.gives],
      [
        'ec2:CreateTags',
        ['security-group/sg-1', 'volume/vol-1'].map(dev.ec2),
        { ...dev.gives, 'aws:ResourceTag/Name': "someone's" },
      ],
      ['ec2:CreateTags', dev.ec2('instance/i-1'), { ...dev.has, ...qa.gives }],
      ['ec2:TerminateInstances ec2:ModifyInstanceAttribute', dev.ec2('instance/i-1'), qa.has],
      ['ec2:TerminateInstances ec2:ModifyInstanceAttribute', dev.ec2('instance/i-1')],
      ['ec2:RunInstances', [dev.ec2('instance/i-1')], qa.gives],
      ['ec2:RunInstances', [dev.ec2('instance/i-1')]],
      ['ec2:RunInstances', [dev.ec2('subnet/subnet-1'), dev.ec2('security-group/sg-1')]],
      ...[qa.has, { ...qa.has, ...dev.gives }].flatMap((context): Row[] => [
        ['ec2:CreateSubnet ec2:CreateRouteTable ec2:CreateSecurityGroup', dev.ec2('vpc/vpc-1'), context],
        ['ec2:RunInstances', [dev.ec2('subnet/subnet-1'), dev.ec2('security-group/sg-1')], context],
        ['ec2:AuthorizeSecurityGroupIngress', dev.ec2('security-group/sg-1'), context],
      ]),
      ['ec2:DeleteSecurityGroup', dev.ec2('security-group/sg-1'), qa.has],
      ['ec2:AuthorizeSecurityGroupIngress ec2:DeleteSecurityGroup', dev.ec2('security-group/sg-1')],
      ['ec2:CreateVpc', dev.ec2('vpc/vpc-1')],
      ['ec2:CreateVolume ec2:AttachVolume', dev.ec2('volume/vol-1')],
      ['ec2:CreateSnapshot', dev.ec2('volume/vol-1')],
    ],
  },
  'deploy role: gains nothing': {
    who: dev.role('deploy'),
    allowed: [
      ['iam:CreateRole iam:PutRolePolicy', dev.role('new'), underBoundary(dev.boundary)],
      ['iam:CreateUser', dev.baseUser, underBoundary(dev.boundary)],
      ['iam:PassRole', dev.role('docker'), passedTo('ec2')],
    ],
    denied: [
      ['iam:CreateRole', dev.role('new')],
      ['iam:CreateRole', dev.role('new'), underBoundary(dev.deployBoundary)],
      ['iam:CreateRole', dev.role('new'), underBoundary(qa.boundary)],
      ['iam:CreateRole', dev.role('new'), underBoundary('arn:aws:iam::aws:policy/AdministratorAccess')],
      [
        'iam:CreateRole iam:PutRolePolicy iam:UpdateAssumeRolePolicy',
        [admin, qa.role('aux-role')],
        underBoundary(dev.boundary),
      ],
      [
        'iam:PutRolePolicy iam:AttachRolePolicy iam:UpdateAssumeRolePolicy iam:DeleteRole',
        dev.role('unbounded'),
      ],
      [
        'iam:PutRolePolicy iam:AttachRolePolicy iam:DetachRolePolicy iam:UpdateAssumeRolePolicy iam:UpdateRole iam:DeleteRole',
        dev.role('deploy'),
        underBoundary(dev.deployBoundary),
      ],
      ...[dev.boundary, dev.deployBoundary, 'arn:aws:iam::111122223333:policy/mine'].map(
        (boundary): Row => [
          'iam:PutRolePermissionsBoundary iam:DeleteRolePermissionsBoundary',
          [dev.role('deploy'), dev.role('aux-role')],
          underBoundary(boundary),
        ],
      ),
      [
        'iam:PutUserPermissionsBoundary iam:DeleteUserPermissionsBoundary iam:AttachUserPolicy',
        dev.baseUser,
        underBoundary(dev.boundary),
      ],
      ['iam:CreateUser', [qa.baseUser, `${dev.baseUser}2`], underBoundary(dev.boundary)],
      ['iam:CreateUser', dev.baseUser],
      [
        'iam:CreateAccessKey iam:CreateLoginProfile iam:DeleteUser',
        [qa.baseUser, admin.replace('role', 'user')],
      ],
      ['iam:CreateLoginProfile iam:UpdateLoginProfile iam:EnableMFADevice iam:UpdateUser', dev.baseUser],
      [
        'iam:CreatePolicy iam:CreatePolicyVersion iam:SetDefaultPolicyVersion iam:DeletePolicyVersion iam:DeletePolicy',
        [dev.boundary, dev.deployBoundary, qa.boundary, dev.boundary.replace('boundary', 'new')],
      ],
      ...['lambda', 'ecs-tasks', 'cloudformation', 'ssm'].map((service): Row => {
        return ['iam:PassRole', dev.role('docker'), { 'iam:PassedToService': `${service}.amazonaws.com` }];
      }),
      ['iam:PassRole', [admin, qa.role('docker')], { 'iam:PassedToService': 'ec2.amazonaws.com' }],
      [
        'iam:AddClientIDToOpenIDConnectProvider iam:RemoveClientIDFromOpenIDConnectProvider iam:UpdateOpenIDConnectProviderThumbprint iam:CreateOpenIDConnectProvider iam:DeleteOpenIDConnectProvider',
        dev.oidcProvider,
      ],
      ['iam:CreateSAMLProvider', 'arn:aws:iam::111122223333:saml-provider/mine'],
      ['iam:CreateServiceLinkedRole', 'arn:aws:iam::111122223333:role/aws-service-role/ec2.amazonaws.com/x'],
      ['iam:AddUserToGroup', 'arn:aws:iam::111122223333:group/admins'],
      ['iam:CreateAccountAlias iam:UpdateAccountPasswordPolicy organizations:LeaveOrganization', '*'],
    ],
  },
  'broker: its own things, and the roles of projects': {
    who: dev.broker.role,
    allowed: [
      ['dynamodb:BatchGetItem dynamodb:PutItem dynamodb:UpdateItem', dev.broker.sessions],
      ['dynamodb:Query', [dev.broker.sessions, `${dev.broker.sessions}/index/ByUser`]],
      ['dynamodb:BatchGetItem dynamodb:Scan dynamodb:UpdateItem', dev.broker.roles],
      ['secretsmanager:GetSecretValue', dev.broker.secret],
      ['kms:Decrypt kms:GenerateDataKey', dev.key, { ...dev.has, ...through('dynamodb') }],
      ['kms:Decrypt', dev.key, { ...dev.has, ...through('secretsmanager') }],
      ['sts:AssumeRole sts:TagSession', dev.broker.project, forProject('abc')],
      ['iam:GetRolePolicy iam:ListRolePolicies', dev.broker.project],
      [
        'iam:DeleteRolePolicy iam:PutRolePolicy',
        dev.broker.project,
        underBoundary(dev.broker.projectBoundary),
      ],
      ['logs:CreateLogStream logs:PutLogEvents', `${dev.broker.logs[0] ?? ''}:log-stream:one`],
    ],
    denied: [
      ['sts:AssumeRole', dev.broker.project],
      ['sts:AssumeRole', dev.broker.project, forProject('abd')],
      [
        'sts:AssumeRole',
        [
          ...['aux-role', 'api-role', 'docker', 'deploy', 'github-push', 'broker'].map(dev.role),
          qa.role('api-role'),
          qa.broker.project,
          admin,
        ],
        forProject('abc'),
      ],
      ['iam:PutRolePolicy iam:DeleteRolePolicy', dev.broker.project],
      ...[dev.boundary, dev.broker.boundary, dev.deployBoundary, qa.boundary].map((boundary): Row => {
        return ['iam:PutRolePolicy iam:DeleteRolePolicy', dev.broker.project, underBoundary(boundary)];
      }),
      [
        'iam:PutRolePolicy',
        [...['broker', 'aux-role', 'deploy', 'docker'].map(dev.role), admin],
        underBoundary(dev.broker.projectBoundary),
      ],
      [
        'iam:AttachRolePolicy iam:CreateRole iam:DeleteRole iam:DeleteRolePermissionsBoundary iam:PutRolePermissionsBoundary iam:UpdateAssumeRolePolicy',
        [dev.broker.project, dev.broker.role],
        underBoundary(dev.broker.projectBoundary),
      ],
      ['iam:CreatePolicyVersion iam:DeletePolicy', [dev.broker.boundary, dev.broker.projectBoundary]],
      ['dynamodb:DeleteItem dynamodb:Scan dynamodb:DeleteTable dynamodb:UpdateTable', dev.broker.sessions],
      ['dynamodb:DeleteItem dynamodb:PutItem dynamodb:DeleteTable dynamodb:UpdateTable', dev.broker.roles],
      ['dynamodb:BatchGetItem', [qa.broker.sessions, dev.broker.sessions.replace('broker', 'other')]],
      ['secretsmanager:PutSecretValue secretsmanager:DeleteSecret', dev.broker.secret],
      ['secretsmanager:GetSecretValue', [qa.broker.secret, dev.broker.secret.replace('-dev-', '-dev-db-')]],
      ['kms:Decrypt', dev.key, dev.has],
      ['kms:Decrypt', dev.key, { ...dev.has, ...through('s3') }],
      ['kms:Decrypt', qa.key, { ...qa.has, ...through('dynamodb') }],
      ['kms:CreateGrant kms:PutKeyPolicy', dev.key, { ...dev.has, ...through('dynamodb') }],
      ['logs:DeleteLogGroup logs:PutRetentionPolicy', dev.broker.logs],
      ['logs:PutLogEvents', `${dev.broker.logs[1] ?? ''}:log-stream:one`],
      ['lambda:UpdateFunctionCode lambda:InvokeFunction', dev.broker.function],
      ['s3:GetObject', dev.object],
      ['ssm:GetParameter', dev.parameters],
    ],
  },
  "a project's job: what the environment's file says of the project": {
    who: dev.broker.project,
    allowed: [
      ['s3:ListBucket s3:GetBucketLocation', dev.bucket],
      ['s3:GetObject s3:PutObject s3:DeleteObject', dev.object],
      ['ssm:GetParameter ssm:GetParameters', dev.parameters.slice(2)],
      ['kms:Decrypt kms:GenerateDataKey', dev.key, { ...dev.has, ...through('s3') }],
    ],
    denied: [
      ['s3:ListBucket', [...dev.buckets.slice(1), qa.bucket, prod.bucket]],
      ['s3:GetObject s3:PutObject', [qa.object, prod.object, `${dev.buckets[1] ?? ''}/log`]],
      ['s3:DeleteBucket s3:PutBucketPolicy', dev.bucket],
      ['ssm:GetParameter', [...dev.parameters.slice(0, 2), ...qa.parameters]],
      ['ssm:GetParametersByPath', dev.parameterPath],
      ['kms:Decrypt', dev.key, dev.has],
      ['kms:Decrypt', dev.key, { ...dev.has, ...through('dynamodb') }],
      ['dynamodb:GetItem dynamodb:UpdateItem', [dev.broker.sessions, dev.broker.roles]],
      ['secretsmanager:GetSecretValue', dev.broker.secret],
      ['lambda:InvokeFunction', dev.broker.function],
      [
        'sts:AssumeRole',
        [...['aux-role', 'api-role', 'broker', 'deploy', 'project-abc'].map(dev.role), admin],
        forProject('abc'),
      ],
      [
        'iam:PutRolePolicy iam:DeleteRolePolicy',
        dev.broker.project,
        underBoundary(dev.broker.projectBoundary),
      ],
      ['ecr:GetAuthorizationToken ec2:DescribeInstances', '*'],
    ],
  },
  "Lambda: the broker's role": {
    who: 'lambda.amazonaws.com',
    allowed: [['sts:AssumeRole', dev.broker.role]],
    denied: [
      [
        'sts:AssumeRole',
        ['aux-role', 'api-role', 'github-push', 'deploy', 'docker', 'project-abc'].map(dev.role),
      ],
    ],
  },
  'deploy role: nothing of what the broker keeps or may do': {
    who: dev.role('deploy'),
    allowed: [['dynamodb:GetItem', dev.broker.roles]],
    denied: [
      ['dynamodb:GetItem dynamodb:Query dynamodb:Scan dynamodb:UpdateItem', dev.broker.sessions],
      ['dynamodb:PutResourcePolicy dynamodb:CreateBackup', [dev.broker.sessions, dev.broker.roles]],
      ['lambda:InvokeFunction lambda:PutFunctionConcurrency', dev.broker.function],
      ['secretsmanager:PutResourcePolicy', dev.broker.secret],
      ['secretsmanager:GetSecretValue', [qa.broker.secret, dev.broker.secret.replace('-dev-', '-dev-db-')]],
      ['logs:PutSubscriptionFilter', dev.broker.logs],
      ['logs:GetLogEvents', dev.broker.logs.map((group) => `${group}:log-stream:one`)],
      ['sts:AssumeRole sts:TagSession', [dev.broker.role, dev.broker.project], forProject('abc')],
      [
        'iam:CreateRole iam:PutRolePolicy iam:AttachRolePolicy iam:UpdateAssumeRolePolicy iam:DeleteRole',
        [dev.broker.role, dev.role('new')],
        underBoundary(dev.broker.boundary),
      ],
      [
        'iam:DeleteRolePermissionsBoundary iam:PutRolePermissionsBoundary',
        [dev.broker.role, dev.broker.project],
        underBoundary(dev.broker.projectBoundary),
      ],
      ...['ec2', 'ecs-tasks', 'cloudformation'].map(
        (service): Row => ['iam:PassRole', dev.broker.role, passedTo(service)],
      ),
      ...['aux-role', 'docker', 'project-abc', 'deploy'].map(
        (role): Row => ['iam:PassRole', dev.role(role), passedTo('lambda')],
      ),
    ],
  },
  "EC2: a host's role": {
    who: 'ec2.amazonaws.com',
    allowed: [['sts:AssumeRole', dev.role('docker')]],
    denied: [['sts:AssumeRole', ['aux-role', 'api-role', 'github-push', 'deploy'].map(dev.role)]],
  },
  'another service: no role': {
    who: 'ecs-tasks.amazonaws.com',
    allowed: [],
    denied: [
      ['sts:AssumeRole', ['aux-role', 'api-role', 'github-push', 'deploy', 'docker', 'broker'].map(dev.role)],
    ],
  },
  "S3's delivery of access logs: into the logs bucket, from this account": {
    who: 'logging.s3.amazonaws.com',
    allowed: [
      [
        's3:PutObject',
        'arn:aws:s3:::kantox-logs-dev/kantox-data-dev/1',
        { 'aws:SourceAccount': '111122223333' },
      ],
    ],
    denied: [
      ['s3:PutObject', 'arn:aws:s3:::kantox-logs-dev/elsewhere/1', { 'aws:SourceAccount': '999999999999' }],
      ['s3:PutObject', 'arn:aws:s3:::kantox-logs-dev/elsewhere/1'],
      [
        's3:GetObject',
        'arn:aws:s3:::kantox-logs-dev/kantox-data-dev/1',
        { 'aws:SourceAccount': '111122223333' },
      ],
      ['s3:PutObject', dev.object, { 'aws:SourceAccount': '111122223333' }],
    ],
  },
  'an administrator of the account: buckets over TLS 1.2 and later, and no role of a service or pipeline': {
    who: admin,
    allowed: [
      ['s3:ListBucket s3:PutBucketPolicy', dev.buckets, { 's3:TlsVersion': '1.2' }],
      ['s3:GetObject', dev.object, { 's3:TlsVersion': '1.3' }],
    ],
    denied: [
      ['s3:ListBucket s3:DeleteBucket', dev.buckets, { 'aws:SecureTransport': 'false' }],
      ['s3:GetObject s3:PutObject', dev.object, { 'aws:SecureTransport': 'false' }],
      ['s3:ListBucket s3:DeleteBucket', [...dev.buckets, ...qa.buckets], { 's3:TlsVersion': '1.1' }],
      ['s3:GetObject s3:PutObject', [dev.object, qa.object], { 's3:TlsVersion': '1.0' }],
      ['sts:AssumeRole', ['aux-role', 'github-push', 'deploy', 'docker'].map(dev.role)],
    ],
  },
  'a stranger who may do everything in an account of their own: nothing here': {
    who: stranger,
    allowed: [],
    denied: [
      ['s3:ListBucket s3:PutBucketPolicy', dev.buckets],
      ['s3:GetObject s3:PutObject', dev.object],
      ['kms:Decrypt', dev.key, through('s3')],
      ['sts:AssumeRole', ['aux-role', 'api-role', 'github-push', 'deploy', 'docker'].map(dev.role)],
    ],
  },
  'AUX over an old or no TLS: nothing': {
    who: dev.role('aux-role'),
    allowed: [],
    denied: [
      ['s3:ListBucket', dev.bucket, { 'aws:SecureTransport': 'false' }],
      ['s3:GetObject s3:PutObject', dev.object, { 'aws:SecureTransport': 'false' }],
      ['s3:GetObject', dev.object, { 's3:TlsVersion': '1.1' }],
    ],
  },
};

/** What an attacker would like to do with the base user, once AdministratorAccess is on it. */
const withAdministratorAccess: Table = {
  who: dev.baseUser,
  allowed: [['sts:AssumeRole', dev.role('aux-role')]],
  denied: [
    [
      'sts:AssumeRole',
      [dev.role('deploy'), dev.role('github-push'), qa.role('aux-role'), qa.role('api-role'), admin],
    ],
    [
      'iam:CreateAccessKey iam:PutUserPolicy iam:AttachUserPolicy iam:DeleteUserPermissionsBoundary',
      dev.baseUser,
    ],
    [
      'iam:CreateRole iam:PassRole iam:PutRolePolicy iam:UpdateAssumeRolePolicy iam:DeleteRolePermissionsBoundary',
      ['new', 'aux-role', 'deploy'].map(dev.role),
    ],
    ['s3:DeleteBucket s3:PutBucketPolicy', dev.buckets],
    ['s3:ListBucket', [...qa.buckets, ...prod.buckets]],
    ['s3:GetObject s3:PutObject', [qa.object, prod.object]],
    ['ssm:PutParameter', dev.parameters],
    ['ssm:GetParameter', qa.parameters],
    ['kms:Decrypt kms:PutKeyPolicy', [dev.key, qa.key]],
    ['ec2:RunInstances', dev.ec2('instance/i-1'), dev.gives],
    ['ec2:DescribeInstances s3:ListAllMyBuckets iam:ListUsers', '*'],
  ],
};

/** What a broker that has fallen into wrong hands would like to give a job. */
const projectWithEverything: Table = {
  who: dev.broker.project,
  allowed: [['s3:GetObject', dev.object]],
  denied: [
    ['s3:ListBucket', [...dev.buckets.slice(1), qa.bucket]],
    ['s3:GetObject', [`${dev.buckets[1] ?? ''}/log`, qa.object]],
    ['s3:PutBucketPolicy s3:DeleteBucket', dev.bucket],
    ['ssm:GetParameter', dev.parameters.slice(0, 2)],
    ['kms:Decrypt', dev.key, dev.has],
    ['dynamodb:Scan', [dev.broker.sessions, dev.broker.roles]],
    ['secretsmanager:GetSecretValue', dev.broker.secret],
    ['sts:AssumeRole', [...['aux-role', 'api-role', 'deploy', 'broker'].map(dev.role), qa.role('api-role')]],
    ['iam:CreateUser iam:CreateAccessKey', [dev.baseUser, qa.baseUser]],
    ['iam:PutRolePolicy iam:UpdateAssumeRolePolicy', [dev.broker.project, dev.broker.role]],
    ['ec2:RunInstances', dev.ec2('instance/i-1'), dev.gives],
    ['ecr:GetAuthorizationToken s3:ListAllMyBuckets', '*'],
  ],
};

describe('who may do what', () => {
  test.each(Object.entries(tables))('%s', async (_, table) => {
    expect(await answers(policies, table)).toEqual(wanted(table));
  });

  test('base user with AdministratorAccess on it: no more than the boundary lets it', async () => {
    const attached = { kind: 'attached' as const, of: dev.baseUser, account: '', document: everything };
    expect(await answers([...policies, attached], withAdministratorAccess)).toEqual(
      wanted(withAdministratorAccess),
    );
  });

  test('deploy role with AdministratorAccess on it: gains nothing by that', async () => {
    const attached = { kind: 'attached' as const, of: dev.role('deploy'), account: '', document: everything };
    const { who, denied } = tables['deploy role: gains nothing'] ?? { who: '', denied: [] };
    const table = { who, allowed: [], denied };
    expect(denied.length).toBeGreaterThan(10);
    expect(await answers([...policies, attached], table)).toEqual(wanted(table));
  });

  test("a project's role on which the broker wrote a policy of *: no more than all projects are given", async () => {
    const written = { kind: 'inline' as const, of: dev.broker.project, account: '', document: everything };
    expect(await answers([...policies, written], projectWithEverything)).toEqual(
      wanted(projectWithEverything),
    );
  });

  test('the tables can fail: with a policy of * in every place, nothing is denied but what is in another account', async () => {
    const Principal = { AWS: '*', Service: '*', Federated: '*' };
    const planted = policies.flatMap((policy): StatedPolicy[] => {
      const opened = (document: PolicyDocument) => [{ ...policy, document }];
      if (policy.kind === 'trust') return opened(policyDocument({ ...all, Principal }));
      if (policy.kind === 'bucket' || policy.kind === 'key')
        return opened(policyDocument({ ...all, Principal, Resource: '*' }));
      return [...opened(everything), { ...policy, kind: 'inline', document: everything }];
    });
    const denials = await Promise.all(
      Object.values(tables).map(({ who, denied }) => answers(planted, { who, allowed: [], denied })),
    );
    const left = denials.flat().filter((answer) => answer.startsWith('denied'));
    expect(left.filter((answer) => !answer.includes(':444455556666:'))).toEqual([]);
    expect(denials.flat().length).toBeGreaterThan(left.length * 10);
  });
});

/** One call of Terraform's. AWS asks for leave on each of the things that it is about. */
interface Call {
  does: string;
  on: readonly (readonly [arn: string, context?: Context])[];
}

const call = (does: string, ...on: Call['on']): Call => ({ does, on });
const each = (actions: string, resources: string | readonly string[], context?: Context): Call[] =>
  words(actions).flatMap((does) => [resources].flat().map((arn) => call(does, [arn, context])));

/**
 * What Terraform 1.11 with AWS provider 5.100 calls for an environment, as recorded from the provider's log
 * (TF_LOG_PROVIDER=DEBUG) of a deploy, a plan, an update of nearly every field and a destroy; each by the actions that
 * AWS asks leave for (HeadBucket is s3:ListBucket; CreateRole with tags is iam:CreateRole and iam:TagRole).
 *
 * @param ownsOnceAnAccount whether the environment has the account's repositories and OIDC provider
 */
function terraformCalls(at: Arns, ownsOnceAnAccount: boolean): Record<string, Call[]> {
  const roles = ['aux-role', 'api-role', 'github-push', 'docker'].map(at.role);
  const repositories = ownsOnceAnAccount ? [repository('kantox-api'), repository('kantox-aux')] : [];
  const oidcProvider = ownsOnceAnAccount ? [at.oidcProvider] : [];
  const bounded = underBoundary(at.boundary);
  const changedTag = { 'aws:RequestTag/Owner': 'someone' };

  const vpc = 'vpc/vpc-1';
  const subnet = 'subnet/subnet-1';
  const routes = 'route-table/rtb-1';
  const gateway = 'internet-gateway/igw-1';
  const group = 'security-group/sg-1';
  const rule = 'security-group-rule/sgr-1';
  const instance = 'instance/i-1';
  const volume = 'volume/vol-1';
  const defaultGroup = 'security-group/sg-0';
  const has = (what: string) => [at.ec2(what), at.has] as const;
  const makes = (what: string) => [at.ec2(what), at.gives] as const;
  const making = (does: string, what: string, ...others: Call['on']) => [
    call(does, makes(what), ...others),
    call('ec2:CreateTags', [at.ec2(what), { ...at.gives, 'ec2:CreateAction': does.replace('ec2:', '') }]),
  ];

  return {
    'plan, and first of all else': [
      ...each(
        `s3:ListBucket s3:GetAccelerateConfiguration s3:GetBucketAcl s3:GetBucketCORS s3:GetBucketLogging
         s3:GetBucketObjectLockConfiguration s3:GetBucketOwnershipControls s3:GetBucketPolicy
         s3:GetBucketPublicAccessBlock s3:GetBucketRequestPayment s3:GetBucketTagging s3:GetBucketVersioning
         s3:GetBucketWebsite s3:GetEncryptionConfiguration s3:GetLifecycleConfiguration
         s3:GetReplicationConfiguration`,
        at.buckets,
      ),
      ...each('ssm:GetParameter ssm:ListTagsForResource', at.parameters),
      ...each('kms:Decrypt', at.key, { ...at.has, ...through('ssm') }),
      ...each(
        'kms:DescribeKey kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListResourceTags',
        at.key,
        at.has,
      ),
      ...each('ecr:DescribeRepositories ecr:GetLifecyclePolicy ecr:ListTagsForResource', repositories),
      ...each('iam:GetUser iam:GetUserPolicy iam:ListAccessKeys', at.baseUser),
      ...each('iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListRolePolicies', [
        ...roles,
        at.role('deploy'),
      ]),
      ...each('iam:GetInstanceProfile', at.profile),
      ...each('iam:GetPolicy iam:GetPolicyVersion', [at.boundary, at.deployBoundary]),
      ...each('iam:GetOpenIDConnectProvider', oidcProvider),
    ],

    'deploy: storage': [
      ...each(
        `s3:CreateBucket s3:PutBucketLogging s3:PutBucketOwnershipControls s3:PutBucketPolicy
         s3:PutBucketPublicAccessBlock s3:PutBucketTagging s3:PutBucketVersioning s3:PutEncryptionConfiguration
         s3:PutLifecycleConfiguration`,
        at.buckets,
      ),
      ...each('ssm:PutParameter ssm:AddTagsToResource', at.parameters, at.gives),
      ...each('kms:Encrypt', at.key, { ...at.has, ...through('ssm') }),
      ...each('kms:CreateKey', '*', at.gives),
      ...each('kms:TagResource', at.key, at.gives),
      ...each('kms:EnableKeyRotation', at.key, at.has),
      call('kms:CreateAlias', [at.keyAlias], [at.key, at.has]),
      ...each('ecr:CreateRepository ecr:TagResource', repositories, at.gives),
      ...each('ecr:PutLifecyclePolicy', repositories),
    ],
    'deploy: identities': [
      ...each('iam:CreateUser', at.baseUser, { ...bounded, ...at.gives }),
      ...each('iam:TagUser', at.baseUser, at.gives),
      ...each('iam:PutUserPolicy', at.baseUser, bounded),
      ...each('iam:CreateAccessKey', at.baseUser),
      ...each('iam:CreateRole', roles, { ...bounded, ...at.gives }),
      ...each('iam:TagRole', roles, at.gives),
      ...each('iam:PutRolePolicy', roles, bounded),
      ...each('iam:CreateInstanceProfile iam:TagInstanceProfile', at.profile, at.gives),
      ...each('iam:AddRoleToInstanceProfile', at.profile),
      ...each('iam:PassRole', at.role('docker'), { 'iam:PassedToService': 'ec2.amazonaws.com' }),
    ],
    'deploy: network and host': [
      ...making('ec2:CreateVpc', vpc),
      ...making('ec2:CreateSubnet', subnet, has(vpc)),
      ...making('ec2:CreateRouteTable', routes, has(vpc)),
      ...making('ec2:CreateInternetGateway', gateway),
      call('ec2:AttachInternetGateway', has(gateway), has(vpc)),
      call('ec2:CreateRoute', has(routes)),
      call('ec2:AssociateRouteTable', has(routes), has(subnet)),
      call('ec2:ModifyVpcAttribute', has(vpc)),
      call('ec2:ModifySubnetAttribute', has(subnet)),
      // Comes with the VPC, without a tag; the provider tags it first and then empties it.
      call('ec2:CreateTags', makes(defaultGroup)),
      call('ec2:RevokeSecurityGroupIngress', has(defaultGroup)),
      call('ec2:RevokeSecurityGroupEgress', has(defaultGroup)),
      ...making('ec2:CreateSecurityGroup', group, has(vpc)),
      ...making('ec2:AuthorizeSecurityGroupIngress', rule, has(group)),
      ...making('ec2:AuthorizeSecurityGroupEgress', rule, has(group)),
      call('ec2:RevokeSecurityGroupEgress', has(group)),
      ...making(
        'ec2:RunInstances',
        instance,
        ['arn:aws:ec2:eu-west-1::image/ami-1'],
        [at.ec2('network-interface/eni-1')],
        [at.ec2(volume)],
        has(subnet),
        has(group),
      ),
      // RunInstances gets tags for the instance alone; those of its volume come in a call of their own.
      call('ec2:CreateTags', makes(volume)),
    ],

    'update: storage': [
      ...each('s3:PutBucketTagging s3:PutBucketPolicy s3:PutLifecycleConfiguration', at.buckets),
      ...each('ssm:PutParameter ssm:RemoveTagsFromResource', at.parameters),
      ...each('ssm:AddTagsToResource', at.parameters, changedTag),
      ...each('kms:PutKeyPolicy kms:UntagResource kms:UpdateKeyDescription', at.key, at.has),
      ...each('kms:TagResource', at.key, { ...at.has, ...changedTag }),
      ...each(
        `ecr:DeleteLifecyclePolicy ecr:PutImageScanningConfiguration ecr:PutImageTagMutability ecr:PutLifecyclePolicy
         ecr:UntagResource`,
        repositories,
      ),
      ...each('ecr:TagResource', repositories, changedTag),
    ],
    'update: identities': [
      ...each('iam:PutUserPolicy', at.baseUser, bounded),
      ...each(
        'iam:PutRolePolicy iam:UpdateAssumeRolePolicy iam:UpdateRole iam:UpdateRoleDescription',
        roles,
        bounded,
      ),
      ...each('iam:TagUser', at.baseUser, changedTag),
      ...each('iam:UntagUser', at.baseUser),
      ...each('iam:TagRole', [...roles, at.role('deploy')], changedTag),
      ...each('iam:UntagRole', [...roles, at.role('deploy')]),
      ...each('iam:TagPolicy', [at.boundary, at.deployBoundary], changedTag),
      ...each('iam:UntagPolicy', [at.boundary, at.deployBoundary]),
      ...each('iam:TagInstanceProfile', at.profile, changedTag),
      ...each('iam:TagOpenIDConnectProvider', oidcProvider, changedTag),
      ...each('iam:UntagOpenIDConnectProvider', oidcProvider),
    ],
    'update: network and host': [
      ...each(
        'ec2:CreateTags ec2:DeleteTags',
        [vpc, subnet, routes, gateway, defaultGroup, group, rule, instance, volume].map(at.ec2),
        { ...at.has, ...changedTag },
      ),
      call('ec2:ModifySecurityGroupRules', has(group), has(rule)),
      ...each(
        `ec2:StopInstances ec2:ModifyInstanceAttribute ec2:ModifyInstanceMetadataOptions ec2:StartInstances`,
        at.ec2(instance),
        at.has,
      ),
      call('ec2:ModifyVolume', has(volume)),
    ],

    'destroy: storage': [
      ...each(
        `s3:DeleteBucket s3:DeleteBucketPolicy s3:ListBucketVersions s3:PutBucketLogging
         s3:PutBucketOwnershipControls s3:PutBucketPublicAccessBlock s3:PutBucketVersioning
         s3:PutEncryptionConfiguration s3:PutLifecycleConfiguration`,
        at.buckets,
      ),
      ...each('s3:DeleteObject s3:DeleteObjectVersion', at.disposableObjects),
      ...each('ssm:DeleteParameter', at.parameters),
      ...each('kms:ScheduleKeyDeletion', at.key, at.has),
      call('kms:DeleteAlias', [at.keyAlias], [at.key, at.has]),
      ...each('ecr:DeleteLifecyclePolicy ecr:DeleteRepository', repositories),
    ],
    'destroy: identities': [
      ...each('iam:DeleteAccessKey iam:ListGroupsForUser iam:DeleteUser', at.baseUser),
      ...each('iam:DeleteUserPolicy', at.baseUser, bounded),
      ...each('iam:ListInstanceProfilesForRole', roles),
      ...each('iam:DeleteRolePolicy iam:DeleteRole', roles, bounded),
      ...each('iam:RemoveRoleFromInstanceProfile iam:DeleteInstanceProfile', at.profile),
      ...each('iam:ListPolicyVersions', [at.boundary, at.deployBoundary]),
    ],
    'destroy: network and host': [
      ...each('ec2:ModifyInstanceAttribute ec2:TerminateInstances', at.ec2(instance), at.has),
      call('ec2:RevokeSecurityGroupIngress', has(group)),
      call('ec2:RevokeSecurityGroupEgress', has(group)),
      call('ec2:DeleteSecurityGroup', has(group)),
      call('ec2:DisassociateRouteTable', has(routes), has(subnet)),
      call('ec2:DeleteRoute', has(routes)),
      call('ec2:DeleteRouteTable', has(routes)),
      call('ec2:DetachInternetGateway', has(gateway), has(vpc)),
      call('ec2:DeleteInternetGateway', has(gateway)),
      call('ec2:DeleteSubnet', has(subnet)),
      call('ec2:DeleteVpc', has(vpc)),
    ],
  };
}

/**
 * The same for a credentials broker. Calls on its API are not among them: the simulator knows no paths of API Gateway.
 * The end-to-end tests ask the local AWS.
 */
function brokerCalls({ broker: at, key, has, gives }: Arns): Record<string, Call[]> {
  const tables = [at.sessions, at.roles];
  const bounded = underBoundary(at.projectBoundary);
  const changedTag = { 'aws:RequestTag/Owner': 'someone' };
  return {
    'plan, and first of all else': [
      ...each(
        'dynamodb:DescribeContinuousBackups dynamodb:DescribeTable dynamodb:DescribeTimeToLive dynamodb:ListTagsOfResource',
        tables,
      ),
      ...each('dynamodb:GetItem', at.roles),
      ...each(
        'secretsmanager:DescribeSecret secretsmanager:GetResourcePolicy secretsmanager:GetSecretValue',
        at.secret,
      ),
      ...each('kms:Decrypt', key, { ...has, ...through('secretsmanager') }),
      ...each(
        `lambda:GetFunction lambda:GetFunctionCodeSigningConfig lambda:GetPolicy lambda:ListTags
         lambda:ListVersionsByFunction`,
        at.function,
      ),
      ...each('events:DescribeRule events:ListTagsForResource events:ListTargetsByRule', at.rule),
      ...each('cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource', at.alarms),
      ...each('logs:ListTagsForResource', at.logs),
      ...each('iam:GetRole iam:ListAttachedRolePolicies iam:ListRolePolicies', [at.role, at.project]),
      ...each('iam:GetRolePolicy', at.project),
      ...each('iam:GetPolicy iam:GetPolicyVersion', [at.boundary, at.projectBoundary]),
    ],
    deploy: [
      ...each('dynamodb:CreateTable dynamodb:TagResource', tables, gives),
      ...each('dynamodb:UpdateContinuousBackups dynamodb:UpdateTimeToLive', tables),
      ...each('dynamodb:PutItem', at.roles),
      ...each('kms:CreateGrant kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey', key, {
        ...has,
        ...through('dynamodb'),
      }),
      ...each('secretsmanager:CreateSecret secretsmanager:TagResource', at.secret, gives),
      ...each('secretsmanager:PutSecretValue', at.secret),
      ...each('kms:Decrypt kms:GenerateDataKey', key, { ...has, ...through('secretsmanager') }),
      ...each('logs:CreateLogGroup', at.logs, gives),
      ...each('logs:TagResource', at.logs, gives),
      ...each('logs:AssociateKmsKey logs:PutRetentionPolicy', at.logs),
      ...each('iam:CreateRole', at.project, { ...bounded, ...gives }),
      ...each('iam:TagRole', at.project, gives),
      ...each('iam:PutRolePolicy', at.project, bounded),
      ...each('lambda:CreateFunction lambda:TagResource', at.function, gives),
      ...each('iam:PassRole', at.role, passedTo('lambda')),
      ...each('lambda:AddPermission', at.function),
      ...each('events:PutRule events:TagResource', at.rule, gives),
      ...each('events:PutTargets', at.rule),
      ...each('cloudwatch:PutMetricAlarm cloudwatch:TagResource', at.alarms, gives),
    ],
    update: [
      ...each('dynamodb:UpdateTable dynamodb:UntagResource', tables),
      ...each('dynamodb:UpdateItem', at.roles),
      ...each('secretsmanager:UpdateSecret secretsmanager:UntagResource', at.secret),
      ...each(
        'lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:UntagResource',
        at.function,
      ),
      ...each('events:UntagResource', at.rule),
      ...each('cloudwatch:UntagResource', at.alarms),
      ...each('logs:UntagResource', at.logs),
      ...each('iam:PutRolePolicy iam:UpdateAssumeRolePolicy iam:UpdateRole', at.project, bounded),
      ...each('iam:TagPolicy', [at.boundary, at.projectBoundary], changedTag),
      ...each('iam:TagRole', [at.role, at.project], changedTag),
    ],
    destroy: [
      ...each('dynamodb:DeleteTable', tables),
      ...each('dynamodb:DeleteItem', at.roles),
      ...each('secretsmanager:DeleteSecret secretsmanager:UpdateSecretVersionStage', at.secret),
      ...each('lambda:DeleteFunction lambda:RemovePermission', at.function),
      ...each('events:DeleteRule events:RemoveTargets', at.rule),
      ...each('cloudwatch:DeleteAlarms', at.alarms),
      ...each('logs:DeleteLogGroup logs:DeleteRetentionPolicy', at.logs),
      ...each('iam:ListInstanceProfilesForRole', at.project),
      ...each('iam:DeleteRolePolicy iam:DeleteRole', at.project, bounded),
    ],
  };
}

/** A KMS key that leaves the decision to IAM. */
const keyOf = (id: string): StatedPolicy => ({
  kind: 'key',
  of: `arn:aws:kms:eu-west-1:111122223333:key/${id}`,
  account: '111122223333',
  document: policyDocument({ ...all, Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Resource: '*' }),
});
/** Stands for aws/ebs and aws/ecr. Their own policies let everyone of the account in; here IAM alone is asked. */
const awsKey = keyOf('aws00000-1234-1234-1234-123456789012');

/** Calls on nothing of an environment's own: lists, Amazon's image names, and AWS's keys, used in the caller's name. */
function callsOnNobodysThings(at: Arns): Call[] {
  const kms = (service: string, alias: string) => ({
    ...through(service),
    'kms:ResourceAliases': [`alias/aws/${alias}`],
  });
  return [
    ...each(
      `ssm:DescribeParameters kms:ListAliases ec2:DescribeImages ec2:DescribeInstanceCreditSpecifications
       ec2:DescribeInstanceTypes ec2:DescribeInstances ec2:DescribeInternetGateways ec2:DescribeNetworkAcls
       ec2:DescribeNetworkInterfaces ec2:DescribeRouteTables ec2:DescribeSecurityGroupRules
       ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeTags ec2:DescribeVolumes
       ec2:DescribeVolumesModifications ec2:DescribeVpcs logs:DescribeLogGroups
       secretsmanager:GetRandomPassword sts:GetCallerIdentity`,
      '*',
    ),
    ...each('ec2:DescribeInstanceAttribute', at.ec2('instance/i-1'), at.has),
    ...each('ec2:DescribeVpcAttribute', at.ec2('vpc/vpc-1'), at.has),
    // Amazon's parameters have no account; the simulator wants one.
    ...each(
      'ssm:GetParameter',
      at.parameterPath.replace(/parameter.*/, 'parameter/aws/service/ami-amazon-linux-latest/x'),
    ),
    ...each(
      `kms:CreateGrant kms:Decrypt kms:DescribeKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom
       kms:ReEncryptTo`,
      awsKey.of,
      kms('ec2', 'ebs'),
    ),
    ...each('kms:CreateGrant kms:DescribeKey kms:RetireGrant', awsKey.of, kms('ecr', 'ecr')),
    // Is it that key that a table is encrypted with?
    ...each('kms:DescribeKey', awsKey.of, { 'kms:ResourceAliases': ['alias/aws/dynamodb'] }),
  ];
}

/** What the pipeline stands on itself: made with an environment's first deploy, by an administrator. */
function administratorsCalls(at: Arns): Call[] {
  const own = underBoundary(at.deployBoundary);
  const { broker } = at;
  const boundaries = [at.boundary, at.deployBoundary, broker.boundary, broker.projectBoundary];
  return [
    ...each('iam:CreatePolicy', boundaries, at.gives),
    ...each('iam:CreatePolicyVersion iam:DeletePolicyVersion iam:DeletePolicy', boundaries),
    ...each('iam:CreateRole', broker.role, { ...underBoundary(broker.boundary), ...at.gives }),
    ...each(
      'iam:AttachRolePolicy iam:DetachRolePolicy iam:UpdateAssumeRolePolicy iam:DeleteRole',
      broker.role,
      underBoundary(broker.boundary),
    ),
    ...each('iam:CreateRole', at.role('deploy'), { ...own, ...at.gives }),
    ...each(
      'iam:PutRolePolicy iam:DeleteRolePolicy iam:UpdateAssumeRolePolicy iam:UpdateRole iam:DeleteRole',
      at.role('deploy'),
      own,
    ),
    ...each('iam:CreateOpenIDConnectProvider', at.oidcProvider, at.gives),
    ...each('iam:DeleteOpenIDConnectProvider', at.oidcProvider),
  ];
}

describe("the deploy role and Terraform's calls", () => {
  const answer = async (at: Arns, { does, on }: Call) => {
    const asked = on.map(([arn, context]) =>
      isAllowed([...policies, awsKey], { who: at.role('deploy'), does, on: arn, context }),
    );
    return `${(await Promise.all(asked)).every(Boolean) ? 'allowed' : 'denied '}  ${does}  ${JSON.stringify(on)}`;
  };
  const otherThan = async (expected: 'allowed' | 'denied ', at: Arns, calls: Call[]) =>
    (await Promise.all(calls.map((one) => answer(at, one)))).filter((line) => !line.startsWith(expected));

  test.each(Object.keys(terraformCalls(dev, true)))(
    '%s: all allowed, and all denied on things of qa',
    async (phase) => {
      expect(await otherThan('allowed', dev, terraformCalls(dev, true)[phase] ?? [])).toEqual([]);
      expect(await otherThan('denied ', dev, terraformCalls(qa, false)[phase] ?? [])).toEqual([]);
      expect(await otherThan('allowed', qa, terraformCalls(qa, false)[phase] ?? [])).toEqual([]);
    },
  );

  test('what belongs to no environment: allowed', async () => {
    expect(await otherThan('allowed', dev, callsOnNobodysThings(dev))).toEqual([]);
  });

  test.each(Object.keys(brokerCalls(dev)))(
    "%s of the broker: all allowed, and all denied on qa's",
    async (phase) => {
      expect(await otherThan('allowed', dev, brokerCalls(dev)[phase] ?? [])).toEqual([]);
      expect(await otherThan('denied ', dev, brokerCalls(qa)[phase] ?? [])).toEqual([]);
    },
  );

  test('no action is allowed that Terraform does not call', () => {
    const calls = [
      ...Object.values(terraformCalls(dev, true)).flat(),
      ...Object.values(brokerCalls(dev)).flat(),
      ...callsOnNobodysThings(dev),
    ];
    const onApis = ['DELETE', 'GET', 'PATCH', 'POST'].map((method) => `apigateway:${method}`);
    const called = [...new Set([...calls.map(({ does }) => does), ...onApis])];
    const policy = policies.find(({ kind, of }) => kind === 'inline' && of === dev.role('deploy'));
    expect(policy).toBeDefined();
    const unused = policy?.document.Statement.flatMap(({ Action }) => [Action].flat()).filter((action) => {
      const pattern = new RegExp(`^${action.replaceAll('*', '.*')}$`);
      return !called.some((does) => pattern.test(does));
    });
    expect(unused).toEqual([]);
  });

  test('what the pipeline stands on: an administrator makes, changes and destroys it', async () => {
    expect(await otherThan('denied ', dev, administratorsCalls(dev))).toEqual([]);
    expect(await otherThan('denied ', qa, administratorsCalls(qa))).toEqual([]);
  });
});

describe('the state in S3', () => {
  const bucket = 'kantox-terraform-state';
  const key = keyOf('state000-1234-1234-1234-123456789012');
  const state = { backend: 's3' as const, bucket, kmsKeyArn: key.of };
  const stated = [...statedPolicies(environment('dev', { state })), key];
  const table: Table = {
    who: dev.role('deploy'),
    allowed: [
      ['s3:ListBucket', `arn:aws:s3:::${bucket}`],
      [
        's3:GetObject s3:PutObject s3:DeleteObject',
        [
          `arn:aws:s3:::${bucket}/slipway/dev/terraform.tfstate`,
          `arn:aws:s3:::${bucket}/slipway/dev/terraform.tfstate.tflock`,
        ],
      ],
      ['kms:Decrypt kms:GenerateDataKey', key.of, through('s3')],
    ],
    denied: [
      ['s3:GetObject s3:PutObject s3:DeleteObject', `arn:aws:s3:::${bucket}/slipway/qa/terraform.tfstate`],
      ['s3:DeleteBucket s3:PutBucketPolicy s3:PutBucketVersioning', `arn:aws:s3:::${bucket}`],
      ['s3:DeleteObjectVersion', `arn:aws:s3:::${bucket}/slipway/dev/terraform.tfstate`],
      ['kms:PutKeyPolicy kms:ScheduleKeyDeletion', key.of],
    ],
  };

  test("the deploy role reads and writes its environment's, and no other", async () => {
    expect(await answers(stated, table)).toEqual(wanted(table));
  });
});

describe("buckets and their objects are deleted by a pipeline as far as the environment's protection lets it", () => {
  const of = dev.role('pipeline');
  const pipeline = (protection: 'disposable' | 'keep-objects' | 'locked'): StatedPolicy => {
    const statements = deployStatements({
      place: { account: '111122223333', region: 'eu-west-1' },
      environment: 'dev',
      buckets: ['kantox-*-dev'],
      objectsOf: ['kantox-data-dev'],
      protection,
      parameterPath: '/kantox/dev',
      repositories: [],
      keyAlias: 'alias/kantox-dev',
      user: 'kantox-minikube-base-dev',
      roles: ['kantox-*-dev'],
      boundaries: [dev.boundary],
      policies: [dev.boundary, dev.deployBoundary],
      ownsOidcProvider: false,
    });
    return { kind: 'inline', of, account: '111122223333', document: policyDocument(...statements) };
  };
  const both: readonly Row[] = [
    ['s3:DeleteBucket', dev.bucket],
    ['s3:DeleteObject s3:DeleteObjectVersion', dev.object],
  ];
  const settings: Row = ['s3:PutBucketPolicy s3:PutLifecycleConfiguration', dev.bucket];
  /** Keys that end as a bucket of dev would. */
  const others: Row = ['s3:DeleteObject', [`${qa.bucket}/x-dev`, `${qa.bucket}/x-dev/y`]];

  test.each([
    { protection: 'disposable', allowed: [settings, ...both], denied: [others] },
    { protection: 'keep-objects', allowed: [settings, ...both.slice(0, 1)], denied: both.slice(1) },
    { protection: 'locked', allowed: [settings], denied: both },
  ] as const)('$protection', async ({ protection, allowed, denied }) => {
    const table = { who: of, allowed, denied };
    expect(await answers([pipeline(protection)], table)).toEqual(wanted(table));
  });
});

describe('an existing network', () => {
  const [vpcId, subnetId] = ['vpc-0123456789abcdef0', 'subnet-0123456789abcdef0'];
  const stated = statedPolicies(environment('dev', { network: { existing: { vpcId, subnetId } } }));
  const table: Table = {
    who: dev.role('deploy'),
    allowed: [
      ['ec2:CreateSecurityGroup', dev.ec2(`vpc/${vpcId}`)],
      ['ec2:RunInstances', dev.ec2(`subnet/${subnetId}`)],
    ],
    denied: [
      ['ec2:CreateSecurityGroup', dev.ec2('vpc/vpc-1')],
      ['ec2:RunInstances', dev.ec2('subnet/subnet-1')],
      ['ec2:DeleteSubnet ec2:ModifySubnetAttribute', dev.ec2(`subnet/${subnetId}`)],
      ['ec2:DeleteVpc ec2:CreateSubnet', dev.ec2(`vpc/${vpcId}`)],
      ['ec2:CreateVpc', dev.ec2('vpc/vpc-1'), dev.gives],
      ['ec2:CreateTags', dev.ec2('security-group/sg-1'), dev.gives],
    ],
  };

  test('is used by the deploy role, and not changed', async () => {
    expect(await answers(stated, table)).toEqual(wanted(table));
  });
});

/** Characters without white space: IAM User Guide, "IAM and AWS STS quotas" (of a trust policy, the default quota). */
const LIMITS = {
  managed: 6144,
  attached: 6144,
  boundary: 6144,
  /** All of a role's together; here each has one. */
  inline: 10_240,
  user: 2048,
  trust: 2048,
  /** S3 User Guide, "Bucket policies", and KMS Developer Guide, "Quotas": in bytes. */
  bucket: 20_480,
  key: 32_768,
};

describe('the size of policies is within the limits of AWS', () => {
  const longest = {
    organisation: 'organisation-of-20ch',
    name: 'environment-16ch',
    state: {
      backend: 's3' as const,
      bucket: 'b'.repeat(63),
      kmsKeyArn: 'arn:aws:kms:ap-southeast-2:111122223333:key/12345678-1234-1234-1234-123456789012',
    },
    region: 'ap-southeast-2',
    broker: undefined,
  };
  const existing = { vpcId: 'vpc-0123456789abcdef0', subnetId: 'subnet-0123456789abcdef0' };
  test.each([
    ...shipped.map((environment) => ({ title: environment.name, environment })),
    {
      title: 'a broker, and the state in S3 under a key of its own',
      environment: environment('dev', { state: longest.state }),
    },
    { title: 'the longest names, and the state in S3', environment: environment('dev', longest) },
    {
      title: 'the longest names, and an existing network',
      environment: environment('dev', { ...longest, network: { existing } }),
    },
  ])('$title', ({ environment }) => {
    const tooLong = statedPolicies(environment).flatMap(({ kind, of, document }) => {
      const limit = LIMITS[kind === 'inline' && of.includes(':user/') ? 'user' : kind];
      const size = JSON.stringify(document).replaceAll(/\s/g, '').length;
      return size > limit ? [`${kind} policy of ${of}: ${size} characters, at most ${limit}`] : [];
    });
    expect(tooLong).toEqual([]);
  });

  test('a broker and the longest names together are refused', () => {
    const both = environment('dev', { ...longest, broker: {} });
    expect(() => statedPolicies(both)).toThrow(/deploy-boundary.* has \d+ characters, and AWS takes 6144/);
  });
});

async function answers(stated: readonly StatedPolicy[], { who, allowed, denied }: Table): Promise<string[]> {
  const asked = [...allowed, ...denied].flatMap((row) => requests(who, row));
  return Promise.all(asked.map(async (request) => line(await isAllowed(stated, request), request)));
}

function wanted({ who, allowed, denied }: Table): string[] {
  return [
    ...allowed.flatMap((row) => requests(who, row).map((request) => line(true, request))),
    ...denied.flatMap((row) => requests(who, row).map((request) => line(false, request))),
  ];
}

function requests(who: string, [actions, resources, context]: Row): Request[] {
  return words(actions).flatMap((does) => [resources].flat().map((on) => ({ who, does, on, context })));
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

function line(allowed: boolean, { does, on, context }: Request): string {
  return `${allowed ? 'allowed' : 'denied '}  ${does}  ${on}  ${context ? JSON.stringify(context) : ''}`;
}
