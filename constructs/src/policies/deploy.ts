import { bucketArn, dnsSuffix, iamArn, partition, regionalArn, type Place } from '../place';
import { allow, deny, type Statement } from '../policy-document';
import { githubProviderArn } from './github';

/** What one environment's pipeline manages. Names may hold wildcards of IAM, so that a new bucket needs no new policy. */
export interface DeployScope {
  place: Place;
  /** Value of the tag Environment on everything that can be tagged. */
  environment: string;
  buckets: string[];
  /** Buckets whose objects go with them, each by its whole name: a wildcard would reach over the slash, into keys. */
  objectsOf: string[];
  /** What may happen to buckets and their objects; see PrivateBucketProps. */
  protection: 'disposable' | 'keep-objects' | 'locked';
  parameterPath: string;
  /** Empty where another environment of the account owns them. */
  repositories: string[];
  keyAlias: string;
  user: string;
  roles: string[];
  /**
   * ARNs of what the environment's user and roles stand under. A user or role that isn't under one of these can't be
   * made or changed, which leaves out the pipeline's own role.
   */
  boundaries: string[];
  /** ARNs of the policies that an administrator makes: those boundaries, and what the pipeline's own role stands under. */
  policies: string[];
  ownsOidcProvider: boolean;
  /** An existing VPC and subnet, which carry no tag of ours. @default - a VPC of the environment's own */
  existingNetwork?: { vpcId: string; subnetId: string };
  /** @default - no credentials broker */
  broker?: BrokerNames;
  /** Where the state is, if in S3. */
  state?: { bucket: string; keyPrefix: string; kmsKeyArn?: string };
}

/** What a credentials broker is made of, by name. Names may hold wildcards of IAM. */
export interface BrokerNames {
  function: string;
  /** The one role that may be passed to Lambda. */
  role: string;
  tables: string;
  /** The table whose rows are Terraform's. */
  rowsOf: string;
  /** @default - none */
  secret?: string;
  logGroups: string;
  rule: string;
  alarms: string;
}

/**
 * What the pipeline's role may do: manage one environment's resources, by name where they have one, by tag where they
 * don't. Its actions are those that Terraform was seen to call (test/who-may-do-what.test.ts has the list).
 *
 * It gains nothing. Users and roles that it makes stand under a boundary. What it stands on itself (the boundaries, its
 * role, GitHub's OIDC provider) it may read and tag, and so the broker's role and the broker's API: an administrator
 * makes these with the first deploy, changes them, and destroys them last. With CreatePolicy, for one, it could make a
 * boundary that bounds nothing; an API has no name in its ARN, and whoever may tag one could take over another's.
 */
export function deployStatements(scope: DeployScope): Statement[] {
  return [
    byName(namedThings(scope)),
    ...rowStatements(scope),
    ...ownKeyStatements(scope),
    ...otherStatements(scope),
  ];
}

/**
 * The pipeline's boundary: whatever else is put on its role, it can do no more. The same, but that it names things and
 * not what may be done with each: AWS takes 6,144 characters for a boundary, and 10,240 for a role's own policies.
 */
export function deployLimits(scope: DeployScope): Statement[] {
  const things = namedThings(scope).map(({ actions, arns, limit }) => ({ actions: limit ?? actions, arns }));
  const ownKeys = allow('Keys', ['kms:*'], allKeys(scope.place), {
    StringEquals: resourceTag(scope.environment),
  });
  return [byName(things), ownKeys, ...otherStatements(scope)];
}

function namedThings(scope: DeployScope): Named[] {
  return [
    buckets(scope),
    parameters(scope),
    repositories(scope),
    identities(scope),
    aliases(scope),
    ...brokerThings(scope),
  ];
}

/** One statement serves several services: an action of one never matches a resource of another. */
function otherStatements(scope: DeployScope): Statement[] {
  return [
    ...objectStatements(scope),
    ...identityStatements(scope),
    ...brokerStatements(scope),
    ...keyStatements(scope),
    ...hostStatements(scope),
    see(scope),
    ...stateStatements(scope),
  ];
}

interface Named {
  actions: string[];
  arns: string[];
  /** What the boundary says in place of the actions. @default - the same */
  limit?: string[];
}

function byName(services: Omit<Named, 'limit'>[]): Statement {
  return allow(
    'Names',
    services.flatMap(({ actions }) => actions),
    services.flatMap(({ arns }) => arns),
  );
}

function buckets({ place, buckets: names, protection }: DeployScope): Named {
  return {
    actions: [
      's3:CreateBucket',
      ...(protection === 'locked' ? [] : ['s3:DeleteBucket']),
      's3:DeleteBucketPolicy',
      's3:Get*Configuration',
      's3:GetBucket*',
      's3:ListBucket*',
      's3:PutBucket*',
      's3:PutEncryptionConfiguration',
      's3:PutLifecycleConfiguration',
    ],
    arns: names.map((name) => bucketArn(place, name)),
    // A wildcard in a bucket's name reaches into keys: nothing that is done to objects.
    limit: ['s3:*Bucket*', 's3:*Configuration'],
  };
}

function objectStatements({ place, objectsOf, protection }: DeployScope): Statement[] {
  if (protection !== 'disposable') return [];
  return [
    allow(
      'Objects',
      ['s3:DeleteObject', 's3:DeleteObjectVersion'],
      objectsOf.map((name) => `${bucketArn(place, name)}/*`),
    ),
  ];
}

function parameters({ place, parameterPath }: DeployScope): Named {
  return {
    actions: ['ssm:*Parameter', 'ssm:*Resource'],
    arns: [
      regionalArn(place, 'ssm', `parameter${parameterPath}/*`),
      // Amazon's own, which name its latest images. They have no account, and nobody else can write them.
      regionalArn({ ...place, account: '*' }, 'ssm', 'parameter/aws/service/*'),
    ],
  };
}

function repositories({ place, repositories: names }: DeployScope): Named {
  if (names.length === 0) return { actions: [], arns: [] };
  return {
    actions: [
      'ecr:*LifecyclePolicy',
      'ecr:*Repository',
      'ecr:*Resource',
      'ecr:DescribeRepositories',
      'ecr:PutImageScanningConfiguration',
      'ecr:PutImageTagMutability',
    ],
    arns: names.map((name) => regionalArn(place, 'ecr', `repository/${name}`)),
    limit: ['ecr:*'],
  };
}

/** None of these widens what an identity may do. */
function identities({ place, user, roles, policies, ownsOidcProvider }: DeployScope): Named {
  return {
    actions: [
      'iam:*AccessKey',
      'iam:*InstanceProfile',
      'iam:DeleteUser',
      'iam:Get*',
      'iam:List*',
      'iam:Tag*',
      'iam:Untag*',
    ],
    arns: [
      iamArn(place, `user/${user}`),
      ...roles.flatMap((name) => [iamArn(place, `role/${name}`), iamArn(place, `instance-profile/${name}`)]),
      ...policies,
      ...(ownsOidcProvider ? [githubProviderArn(place)] : []),
    ],
  };
}

/** Giving a key another alias, or the alias another key, takes leave on both: see Keys. */
function aliases({ place, keyAlias }: DeployScope): Named {
  return { actions: ['kms:*Alias'], arns: [regionalArn(place, 'kms', keyAlias)] };
}

function identityStatements({ place, user, roles, boundaries }: DeployScope): Statement[] {
  const roleArns = roles.map((name) => iamArn(place, `role/${name}`));
  return [
    allow(
      'Bounded',
      [
        'iam:*RolePolicy',
        'iam:CreateRole',
        'iam:CreateUser',
        'iam:DeleteRole',
        'iam:DeleteUserPolicy',
        'iam:PutUserPolicy',
        'iam:UpdateRole*',
      ],
      [iamArn(place, `user/${user}`), ...roleArns],
      { StringEquals: { 'iam:PermissionsBoundary': boundaries } },
    ),
    allow('Pass', ['iam:PassRole'], roleArns, {
      StringEquals: {
        'iam:PassedToService': `ec2.${dnsSuffix(place)}`,
      },
    }),
  ];
}

/** None of these calls the function, or reads or writes a session. */
function brokerThings({ place, broker }: DeployScope): Named[] {
  if (!broker) return [];
  const { function: name, tables, secret, logGroups, rule, alarms } = broker;
  return [
    {
      actions: ['cloudwatch:*Alarms', 'cloudwatch:*Resource', 'cloudwatch:PutMetricAlarm'],
      arns: [regionalArn(place, 'cloudwatch', `alarm:${alarms}`)],
      limit: ['cloudwatch:*'],
    },
    {
      actions: [
        'dynamodb:*ContinuousBackups',
        'dynamodb:*Resource',
        'dynamodb:*Table',
        'dynamodb:*TimeToLive',
      ],
      arns: [regionalArn(place, 'dynamodb', `table/${tables}`)],
      limit: ['dynamodb:*'],
    },
    {
      actions: ['events:*Resource', 'events:*Rule', 'events:*Targets*'],
      arns: [regionalArn(place, 'events', `rule/${rule}`)],
      limit: ['events:*'],
    },
    {
      actions: [
        'lambda:*Permission',
        'lambda:*Resource',
        'lambda:CreateFunction',
        'lambda:DeleteFunction',
        'lambda:GetFunction*',
        'lambda:GetPolicy',
        'lambda:ListTags',
        'lambda:ListVersionsByFunction',
        'lambda:UpdateFunction*',
      ],
      arns: [regionalArn(place, 'lambda', `function:${name}`)],
      limit: ['lambda:*'],
    },
    {
      actions: ['logs:*LogGroup', 'logs:*Resource', 'logs:*RetentionPolicy', 'logs:AssociateKmsKey'],
      arns: ['', ':*'].map((end) => regionalArn(place, 'logs', `log-group:${logGroups}${end}`)),
      limit: ['logs:*'],
    },
    ...(secret === undefined
      ? []
      : [
          {
            actions: [
              'secretsmanager:*Resource',
              'secretsmanager:*Secret',
              'secretsmanager:*SecretValue',
              'secretsmanager:GetResourcePolicy',
              'secretsmanager:UpdateSecretVersionStage',
            ],
            arns: [regionalArn(place, 'secretsmanager', `secret:${secret}-??????`)],
            limit: ['secretsmanager:*'],
          },
        ]),
  ];
}

/** Which role each project has. */
function rowStatements({ place, broker }: DeployScope): Statement[] {
  if (!broker) return [];
  return [
    allow(
      'Rows',
      ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      [regionalArn(place, 'dynamodb', `table/${broker.rowsOf}`)],
    ),
  ];
}

function brokerStatements({ place, environment, broker: names }: DeployScope): Statement[] {
  if (!names) return [];
  const broker = [iamArn(place, `role/${names.role}`)];
  const toLambda = (operator: string) => ({ [operator]: { 'iam:PassedToService': 'lambda.amazonaws.com' } });
  return [
    allow('PassToLambda', ['iam:PassRole'], broker, toLambda('StringEquals')),
    // Its name is among those that a host's role can have.
    deny('PassToNoOther', ['iam:PassRole'], broker, toLambda('StringNotEquals')),
    // What belongs to an API has the API's tags (API Gateway Developer Guide, "Tagging API Gateway resources").
    allow(
      'Api',
      ['apigateway:DELETE', 'apigateway:GET', 'apigateway:PATCH', 'apigateway:POST'],
      [`arn:${partition(place)}:apigateway:${place.region}::/apis/*`],
      { StringEquals: resourceTag(environment) },
    ),
  ];
}

function see({ place, broker }: DeployScope): Statement {
  return allow(
    'See',
    [
      'ec2:Describe*',
      'kms:ListAliases',
      ...(broker ? ['logs:DescribeLogGroups'] : []),
      ...(broker?.secret === undefined ? [] : ['secretsmanager:GetRandomPassword']),
      'ssm:DescribeParameters',
    ],
    ['*'],
    { StringEquals: { 'aws:RequestedRegion': place.region } },
  );
}

/** Keys of the environment's own. */
function ownKeyStatements({ place, environment, broker }: DeployScope): Statement[] {
  const keys = allKeys(place);
  return [
    allow(
      'Keys',
      [
        'kms:*Alias',
        'kms:*Resource',
        'kms:DescribeKey',
        'kms:EnableKeyRotation',
        'kms:GetKey*',
        'kms:ListResourceTags',
        'kms:PutKeyPolicy',
        'kms:ScheduleKeyDeletion',
        'kms:UpdateKeyDescription',
      ],
      keys,
      own(environment),
    ),
    allow(
      'Secrets',
      [
        ...(broker ? ['kms:CreateGrant'] : []),
        'kms:Decrypt',
        'kms:Encrypt',
        ...(broker ? ['kms:GenerateDataKey'] : []),
      ],
      keys,
      {
        StringEquals: {
          ...resourceTag(environment),
          'kms:ViaService': [
            ...(broker ? ['dynamodb'] : []),
            ...(broker?.secret === undefined ? [] : ['secretsmanager']),
            'ssm',
          ].map((service) => `${service}.${place.region}.${dnsSuffix(place)}`),
        },
      },
    ),
  ];
}

function keyStatements({ place, environment, broker }: DeployScope): Statement[] {
  const keys = allKeys(place);
  return [
    // Without the second half it could take over a key that is there already, by giving it the tag.
    allow('NewKeys', ['kms:CreateKey', 'kms:TagResource'], ['*'], {
      StringEquals: requestTag(environment),
      Null: { 'aws:ResourceTag/Environment': 'true', 'kms:ResourceAliases': 'true' },
    }),
    // Volumes and repositories are encrypted with AWS's own keys of the account. Their key policies let everyone of the
    // account in, through EC2 and ECR alone; but this policy is a boundary, too. And ECR retires its grants in the name
    // of whoever deletes a repository (ECR User Guide, "Encryption at rest"). The provider asks for DynamoDB's, to tell
    // whether a table's key is that.
    allow(
      'AwsKeys',
      [
        'kms:CreateGrant',
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:GenerateDataKey*',
        'kms:ReEncrypt*',
        'kms:RetireGrant',
      ],
      keys,
      {
        'ForAnyValue:StringEquals': {
          'kms:ResourceAliases': [
            ...(broker ? ['alias/aws/dynamodb'] : []),
            'alias/aws/ebs',
            'alias/aws/ecr',
          ],
        },
      },
    ),
  ];
}

function hostStatements({ place, environment, existingNetwork }: DeployScope): Statement[] {
  const ec2 = (resource: string) => regionalArn(place, 'ec2', resource);
  const requested = { StringEquals: requestTag(environment) };
  return [
    allow(
      'Make',
      [
        'ec2:AuthorizeSecurityGroup*',
        ...(existingNetwork
          ? []
          : ['ec2:CreateInternetGateway', 'ec2:CreateRouteTable', 'ec2:CreateSubnet', 'ec2:CreateVpc']),
        'ec2:CreateSecurityGroup',
        'ec2:RunInstances',
      ],
      [ec2('*')],
      made(environment),
    ),
    // What a host needs that no tag can tell: Amazon's images have none of ours, the others are made with the host.
    allow(
      'RunOn',
      ['ec2:RunInstances'],
      [
        regionalArn({ ...place, account: '*' }, 'ec2', 'image/*'),
        ec2('network-interface/*'),
        ec2('volume/*'),
      ],
    ),
    ...(existingNetwork
      ? [
          allow(
            'RunIn',
            ['ec2:CreateSecurityGroup', 'ec2:RunInstances'],
            [ec2(`vpc/${existingNetwork.vpcId}`), ec2(`subnet/${existingNetwork.subnetId}`)],
          ),
        ]
      : []),
    allow(
      'Manage',
      [
        ...(existingNetwork
          ? []
          : ['ec2:*InternetGateway', 'ec2:*Route', 'ec2:*RouteTable', 'ec2:*Subnet', 'ec2:*Vpc']),
        'ec2:*Instances',
        'ec2:*SecurityGroup*',
        'ec2:*Tags',
        'ec2:Modify*',
      ],
      [ec2('*')],
      own(environment),
    ),
    allow('TagMade', ['ec2:CreateTags'], [ec2('*')], { ...requested, Null: { 'ec2:CreateAction': 'false' } }),
    // Made without a tag: a host's volume and, with a VPC, its default security group. The provider tags them next.
    allow(
      'TagNew',
      ['ec2:CreateTags'],
      [...(existingNetwork ? [] : [ec2('security-group/*')]), ec2('volume/*')],
      {
        ...requested,
        Null: { 'aws:ResourceTag/Environment': 'true', 'aws:ResourceTag/Name': 'true' },
      },
    ),
  ];
}

const allKeys = (place: Place) => [regionalArn(place, 'kms', 'key/*')];
const requestTag = (environment: string) => ({ 'aws:RequestTag/Environment': environment });
const resourceTag = (environment: string) => ({ 'aws:ResourceTag/Environment': environment });

/** On what is being made with the environment's tag, and never on what has another's. */
function made(environment: string): Statement['Condition'] {
  return { StringEquals: requestTag(environment), StringEqualsIfExists: resourceTag(environment) };
}

/** On what has the environment's tag, as long as it is not given another's. */
function own(environment: string): Statement['Condition'] {
  return { StringEquals: resourceTag(environment), StringEqualsIfExists: requestTag(environment) };
}

/** The object of the state and its lock file (Terraform, "S3 backend: permissions required"). */
function stateStatements({ place, state }: DeployScope): Statement[] {
  if (!state) return [];
  const bucket = bucketArn(place, state.bucket);
  return [
    allow(
      'State',
      [
        's3:DeleteObject',
        's3:GetObject',
        's3:ListBucket',
        's3:PutObject',
        ...(state.kmsKeyArn ? ['kms:Decrypt', 'kms:GenerateDataKey'] : []),
      ],
      [bucket, `${bucket}/${state.keyPrefix}/*`, ...(state.kmsKeyArn ? [state.kmsKeyArn] : [])],
    ),
  ];
}
