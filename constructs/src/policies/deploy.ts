import { bucketArn, iamArn, regionalArn, type Place } from '../place';
import { allow, type Statement } from '../policy-document';
import { githubProviderArn } from './github';

/** What one environment's pipeline manages. Names may hold wildcards of IAM, so that a new bucket needs no new policy. */
export interface DeployScope {
  place: Place;
  /** Value of the tag Environment on everything that can be tagged. */
  environment: string;
  buckets: string[];
  parameterPath: string;
  /** Empty where another environment of the account owns them. */
  repositories: string[];
  keyAlias: string;
  user: string;
  roles: string[];
  /** ARNs of the boundaries; a role or user without one of them can't be made or changed. */
  boundaries: string[];
  ownsOidcProvider: boolean;
  /** An existing VPC and subnet, which carry no tag of ours. @default - a VPC of the environment's own */
  existingNetwork?: { vpcId: string; subnetId: string };
  /** Where the state is, if in S3. */
  state?: { bucket: string; keyPrefix: string; kmsKeyArn?: string };
}

/**
 * What the pipeline's role may do: manage one environment's resources, by name where they have one, by tag where they
 * don't. It can't read objects, and can't gain anything: all users and roles it makes stand under a boundary, it
 * can't change a boundary, and this policy is its own boundary, too.
 */
export function deployStatements(scope: DeployScope): Statement[] {
  return [
    ...bucketStatements(scope),
    ...parameterStatements(scope),
    ...keyStatements(scope),
    ...repositoryStatements(scope),
    ...identityStatements(scope),
    ...hostStatements(scope),
    ...stateStatements(scope),
  ];
}

function bucketStatements({ place, buckets }: DeployScope): Statement[] {
  const arns = buckets.map((name) => bucketArn(place, name));
  return [
    allow(
      'Buckets',
      [
        's3:CreateBucket',
        's3:DeleteBucket',
        's3:DeleteBucketPolicy',
        's3:GetAccelerateConfiguration',
        's3:GetBucket*',
        's3:GetEncryptionConfiguration',
        's3:GetLifecycleConfiguration',
        's3:GetReplicationConfiguration',
        's3:ListBucket*',
        's3:ListTagsForResource',
        's3:PutBucket*',
        's3:PutEncryptionConfiguration',
        's3:PutLifecycleConfiguration',
        's3:TagResource',
        's3:UntagResource',
      ],
      arns,
    ),
    // Disposable buckets go with their objects.
    allow('EmptyBuckets', ['s3:DeleteObject', 's3:DeleteObjectVersion'], arns.map((arn) => `${arn}/*`)),
  ];
}

function parameterStatements({ place, parameterPath }: DeployScope): Statement[] {
  return [
    allow(
      'Parameters',
      ['ssm:AddTagsToResource', 'ssm:DeleteParameter', 'ssm:GetParameter*', 'ssm:ListTagsForResource', 'ssm:PutParameter', 'ssm:RemoveTagsFromResource'],
      [regionalArn(place, 'ssm', `parameter${parameterPath}/*`)],
    ),
    allow('FindParameters', ['ssm:DescribeParameters'], ['*']),
    allow('LatestImages', ['ssm:GetParameter'], [regionalArn({ ...place, account: '' }, 'ssm', 'parameter/aws/service/*')]),
  ];
}

function keyStatements({ place, environment, keyAlias }: DeployScope): Statement[] {
  const keys = regionalArn(place, 'kms', 'key/*');
  const own = { StringEquals: { 'aws:ResourceTag/Environment': environment } };
  return [
    allow('MakeKeys', ['kms:CreateKey', 'kms:TagResource'], ['*'], { StringEquals: { 'aws:RequestTag/Environment': environment } }),
    allow(
      'Keys',
      [
        'kms:*Alias',
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:EnableKeyRotation',
        'kms:Encrypt',
        'kms:GenerateDataKey',
        'kms:GetKey*',
        'kms:ListResourceTags',
        'kms:PutKeyPolicy',
        'kms:ScheduleKeyDeletion',
        'kms:TagResource',
        'kms:UntagResource',
        'kms:UpdateKeyDescription',
      ],
      [keys],
      own,
    ),
    allow('KeyAlias', ['kms:*Alias'], [regionalArn(place, 'kms', keyAlias)]),
    allow('FindKeys', ['kms:ListAliases'], ['*']),
  ];
}

function repositoryStatements({ place, repositories }: DeployScope): Statement[] {
  if (repositories.length === 0) return [];
  return [
    allow(
      'Repositories',
      [
        'ecr:CreateRepository',
        'ecr:DeleteLifecyclePolicy',
        'ecr:DeleteRepository',
        'ecr:DescribeRepositories',
        'ecr:GetLifecyclePolicy',
        'ecr:ListTagsForResource',
        'ecr:PutImageScanningConfiguration',
        'ecr:PutImageTagMutability',
        'ecr:PutLifecyclePolicy',
        'ecr:TagResource',
        'ecr:UntagResource',
      ],
      repositories.map((name) => regionalArn(place, 'ecr', `repository/${name}`)),
    ),
  ];
}

function identityStatements(scope: DeployScope): Statement[] {
  const { place, user, roles, boundaries, ownsOidcProvider } = scope;
  const userArn = iamArn(place, `user/${user}`);
  const roleArns = roles.map((name) => iamArn(place, `role/${name}`));
  const profileArns = roles.map((name) => iamArn(place, `instance-profile/${name}`));
  return [
    allow('SeeIdentities', ['iam:Get*', 'iam:List*'], [userArn, ...roleArns, ...profileArns, ...boundaries]),
    allow(
      'IdentitiesUnderBoundary',
      [
        'iam:AttachRolePolicy',
        'iam:CreateRole',
        'iam:CreateUser',
        'iam:DeleteRolePolicy',
        'iam:DeleteUserPolicy',
        'iam:DetachRolePolicy',
        'iam:PutRolePermissionsBoundary',
        'iam:PutRolePolicy',
        'iam:PutUserPermissionsBoundary',
        'iam:PutUserPolicy',
      ],
      [userArn, ...roleArns],
      { StringEquals: { 'iam:PermissionsBoundary': boundaries } },
    ),
    // None of these widens what an identity may do.
    allow(
      'Identities',
      [
        'iam:CreateAccessKey',
        'iam:DeleteAccessKey',
        'iam:DeleteRole',
        'iam:DeleteUser',
        'iam:TagRole',
        'iam:TagUser',
        'iam:UntagRole',
        'iam:UntagUser',
        'iam:UpdateAccessKey',
        'iam:UpdateAssumeRolePolicy',
        'iam:UpdateRole',
        'iam:UpdateRoleDescription',
      ],
      [userArn, ...roleArns],
    ),
    // A boundary can be made and, once nothing stands under it, deleted; never changed (no CreatePolicyVersion).
    allow('Boundaries', ['iam:CreatePolicy', 'iam:DeletePolicy', 'iam:TagPolicy', 'iam:UntagPolicy'], boundaries),
    allow(
      'Profiles',
      [
        'iam:AddRoleToInstanceProfile',
        'iam:CreateInstanceProfile',
        'iam:DeleteInstanceProfile',
        'iam:RemoveRoleFromInstanceProfile',
        'iam:TagInstanceProfile',
        'iam:UntagInstanceProfile',
      ],
      profileArns,
    ),
    allow('PassRolesToHosts', ['iam:PassRole'], roleArns, { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } }),
    ...(ownsOidcProvider
      ? [
          allow(
            'OidcProvider',
            ['iam:CreateOpenIDConnectProvider', 'iam:DeleteOpenIDConnectProvider', 'iam:GetOpenIDConnectProvider', 'iam:TagOpenIDConnectProvider', 'iam:UntagOpenIDConnectProvider'],
            [githubProviderArn(place)],
          ),
        ]
      : []),
  ];
}

function hostStatements({ place, environment, existingNetwork }: DeployScope): Statement[] {
  const ec2 = (resource: string) => regionalArn(place, 'ec2', resource);
  const requested = { StringEquals: { 'aws:RequestTag/Environment': environment } };
  const own = { StringEquals: { 'aws:ResourceTag/Environment': environment } };
  return [
    allow('SeeHosts', ['ec2:Describe*'], ['*'], { StringEquals: { 'aws:RequestedRegion': place.region } }),
    allow(
      'MakeTagged',
      [
        'ec2:AuthorizeSecurityGroup*',
        'ec2:CreateInternetGateway',
        'ec2:CreateRouteTable',
        'ec2:CreateSecurityGroup',
        'ec2:CreateSubnet',
        'ec2:CreateVpc',
        'ec2:RunInstances',
      ],
      [ec2('*')],
      requested,
    ),
    allow('TagWhileMaking', ['ec2:CreateTags'], [ec2('*')], { StringEquals: { 'aws:RequestTag/Environment': environment }, Null: { 'ec2:CreateAction': 'false' } }),
    // What a new host stands on but doesn't own: Amazon's images have no tag, a network interface is made with it.
    allow('RunOn', ['ec2:RunInstances'], [regionalArn({ ...place, account: '*' }, 'ec2', 'image/*'), ec2('network-interface/*')]),
    ...(existingNetwork
      ? [
          allow(
            'UseNetwork',
            ['ec2:CreateSecurityGroup', 'ec2:RunInstances'],
            [ec2(`vpc/${existingNetwork.vpcId}`), ec2(`subnet/${existingNetwork.subnetId}`)],
          ),
        ]
      : []),
    allow(
      'ManageTagged',
      [
        'ec2:AssociateRouteTable',
        'ec2:AttachInternetGateway',
        'ec2:AuthorizeSecurityGroup*',
        'ec2:CreateRoute*',
        'ec2:CreateSecurityGroup',
        'ec2:CreateSubnet',
        'ec2:CreateTags',
        'ec2:Delete*',
        'ec2:DetachInternetGateway',
        'ec2:DisassociateRouteTable',
        'ec2:Modify*',
        'ec2:ReplaceRoute*',
        'ec2:RevokeSecurityGroup*',
        'ec2:RunInstances',
        'ec2:StartInstances',
        'ec2:StopInstances',
        'ec2:TerminateInstances',
      ],
      [ec2('*')],
      own,
    ),
  ];
}

/** The object of the state and its lock file (Terraform, "S3 backend: permissions required"). */
function stateStatements({ place, state }: DeployScope): Statement[] {
  if (!state) return [];
  const bucket = bucketArn(place, state.bucket);
  return [
    allow('ListState', ['s3:ListBucket'], [bucket]),
    allow('State', ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'], [`${bucket}/${state.keyPrefix}/*`]),
    ...(state.kmsKeyArn ? [allow('StateKey', ['kms:Decrypt', 'kms:GenerateDataKey'], [state.kmsKeyArn])] : []),
  ];
}
