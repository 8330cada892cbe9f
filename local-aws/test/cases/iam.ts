import { EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import {
  AddRoleToInstanceProfileCommand,
  AddUserToGroupCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateInstanceProfileCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  GetAccountSummaryCommand,
  GetRoleCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  TagUserCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateUserCommand,
  type CreateRoleCommandInput,
  type CreateUserCommandInput,
} from '@aws-sdk/client-iam';
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Case, Who } from './case';
import { may } from './making';
import { allow, deny, policy, type Statement } from './policies';
import { ACCOUNT, type World } from './world';

const SELF_SERVICE =
  'IAM User Guide, "AWS: Allows IAM users to manage their own password, access keys, and SSH public keys on the Security credentials page"';
const IDENTIFIERS = 'IAM User Guide, "IAM identifiers"';
const BOUNDARIES =
  'IAM User Guide, "Permissions boundaries for IAM entities", section "Delegating responsibility to others using permissions boundaries"';
const PASSING = 'IAM User Guide, "Grant a user permissions to pass a role to an AWS service"';
const KEYS = 'IAM User Guide, "IAM and AWS STS condition context keys"';
const POLICIES =
  'IAM User Guide, "Access management for AWS resources", section "Controlling access to policies"';
const SERVICE_LINKED = 'IAM User Guide, "Create a service-linked role"';
const TAGS = 'IAM User Guide, "Controlling access to AWS resources using tags"';
const TAGGING = 'IAM User Guide, "Tags for AWS Identity and Access Management resources"';
const REFERENCE =
  'Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access Management"';
const API = 'IAM API Reference';

type Condition = NonNullable<Statement['Condition']>;

const ownUser = `arn:aws:iam::${ACCOUNT}:user/\${aws:username}`;
const otherUser = `${ownUser}-other`;
const OTHERS_ROLES = `arn:aws:iam::${ACCOUNT}:role/*-other`;

const client = ({ options }: Who) => new IAMClient(options);
const administrator = (world: World) => new IAMClient(world.administrator);
const other = ({ name }: Who) => `${name}-other`;

const NOBODY = JSON.stringify(policy({ Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRole' }));
const trusting = (service: string) =>
  JSON.stringify(policy({ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }));
const READS = JSON.stringify(policy(allow('s3:GetObject')));

/** AWS's own, so that conditions can name it before the case runs. */
const BOUNDARY = 'arn:aws:iam::aws:policy/PowerUserAccess';
const OTHER_BOUNDARY = 'arn:aws:iam::aws:policy/ReadOnlyAccess';
const UNDER_BOUNDARY: Condition = { StringEquals: { 'iam:PermissionsBoundary': BOUNDARY } };

/** Another user, named after the caller. */
const withUser =
  (input: Partial<CreateUserCommandInput> = {}): NonNullable<Case['given']> =>
  (world, who) =>
    administrator(world).send(new CreateUserCommand({ UserName: other(who), ...input }));

/** A role, named after the caller. */
const withRole =
  (input: Partial<CreateRoleCommandInput> = {}): NonNullable<Case['given']> =>
  (world, who) =>
    administrator(world).send(
      new CreateRoleCommand({ RoleName: other(who), AssumeRolePolicyDocument: NOBODY, ...input }),
    );

const createsUser =
  (input: Partial<CreateUserCommandInput> = {}): Case['does'] =>
  (who) =>
    client(who).send(new CreateUserCommand({ UserName: other(who), ...input }));

const createsRole =
  (input: Partial<CreateRoleCommandInput> = {}): Case['does'] =>
  (who) =>
    client(who).send(
      new CreateRoleCommand({ RoleName: other(who), AssumeRolePolicyDocument: NOBODY, ...input }),
    );

const getOther: Case['does'] = (who) => client(who).send(new GetUserCommand({ UserName: other(who) }));
const getOwn: Case['does'] = (who) => client(who).send(new GetUserCommand({}));
const listUsers: Case['does'] = (who) => client(who).send(new ListUsersCommand({}));

const selfService: Case[] = [
  {
    name: 'a user may list his own keys where ${aws:username} lets him',
    source: `${SELF_SERVICE}: access keys of user/\${aws:username}`,
    service: 'iam',
    caller: may(allow('iam:*AccessKey*', ownUser)),
    does: (who) => client(who).send(new ListAccessKeysCommand({ UserName: who.name })),
    expect: 'allowed',
  },
  {
    name: "a user may not list another's keys by ${aws:username}",
    source: `${SELF_SERVICE}: access keys of user/\${aws:username}`,
    service: 'iam',
    caller: may(allow('iam:*AccessKey*', ownUser)),
    given: withUser(),
    does: (who) => client(who).send(new ListAccessKeysCommand({ UserName: other(who) })),
    expect: 'denied',
    says: /not authorized to perform: iam:ListAccessKeys on resource: \S+:user\/case-\d+-other because no identity-based policy allows/,
  },
  {
    name: 'a user makes a key for himself without naming himself',
    source: `${API}, "CreateAccessKey": without a user name, IAM takes the user of the access key that signed`,
    service: 'iam',
    caller: may(allow('iam:CreateAccessKey', ownUser)),
    does: (who) => client(who).send(new CreateAccessKeyCommand({})),
    expect: 'allowed',
  },
  {
    name: 'a user who may make keys for himself may make none for another',
    source: `${SELF_SERVICE}: iam:CreateAccessKey on user/\${aws:username}`,
    service: 'iam',
    caller: may(allow('iam:CreateAccessKey', ownUser)),
    given: withUser(),
    does: (who) => client(who).send(new CreateAccessKeyCommand({ UserName: other(who) })),
    expect: 'denied',
  },
  {
    name: 'a user sees himself without naming himself',
    source: `${API}, "GetUser": without a user name, IAM takes the user of the access key that signed`,
    service: 'iam',
    caller: may(allow('iam:GetUser', ownUser)),
    does: getOwn,
    expect: 'allowed',
  },
  {
    name: 'a user without a name in his request needs leave for himself',
    source: `${API}, "GetUser": without a user name, IAM takes the user of the access key that signed`,
    service: 'iam',
    caller: may(allow('iam:GetUser', otherUser)),
    does: getOwn,
    expect: 'denied',
    says: /iam:GetUser on resource: \S+:user\/case-\d+ because/,
  },
  {
    name: 'a name may be a part of an action: the keys, but not the user',
    source:
      'IAM User Guide, "IAM JSON policy elements: Action": iam:*AccessKey* is every action with AccessKey in it',
    service: 'iam',
    caller: may(allow('iam:*AccessKey*')),
    does: getOwn,
    expect: 'denied',
  },
];

const paths: Case[] = [
  {
    name: 'an ARN of a path holds for the users in it',
    source: `${IDENTIFIERS}, "IAM ARNs": a path is part of the ARN, and user/accounting/* matches what is under it`,
    service: 'iam',
    caller: may(allow('iam:GetUser', `arn:aws:iam::${ACCOUNT}:user/accounting/*`)),
    given: withUser({ Path: '/accounting/payroll/' }),
    does: getOther,
    expect: 'allowed',
  },
  {
    name: 'an ARN of a path does not hold for users outside',
    source: `${IDENTIFIERS}, "IAM ARNs": a path is part of the ARN, and user/accounting/* matches what is under it`,
    service: 'iam',
    caller: may(allow('iam:GetUser', `arn:aws:iam::${ACCOUNT}:user/accounting/*`)),
    given: withUser({ Path: '/sales/' }),
    does: getOther,
    expect: 'denied',
  },
  {
    name: 'an ARN without the path is not that user',
    source: `${IDENTIFIERS}, "IAM ARNs": a path is part of the ARN`,
    service: 'iam',
    caller: may(allow('iam:GetUser', otherUser)),
    given: withUser({ Path: '/accounting/' }),
    does: getOther,
    expect: 'denied',
    says: /on resource: \S+:user\/accounting\/case-\d+-other because/,
  },
  {
    name: '${aws:username} has no path, and the own ARN has',
    source: `${IDENTIFIERS}, "Friendly names and paths": aws:username is the friendly name, without the path that the ARN has`,
    service: 'iam',
    caller: may(allow('iam:GetUser', ownUser)),
    given: (world, { name }) =>
      administrator(world).send(new UpdateUserCommand({ UserName: name, NewPath: '/accounting/' })),
    does: getOwn,
    expect: 'denied',
  },
  {
    name: 'a role is made in the path that the request gives',
    source: `${API}, "CreateRole": Path; ${IDENTIFIERS}: role/application_abc/component_xyz/NAME`,
    service: 'iam',
    caller: may(allow('iam:CreateRole', `arn:aws:iam::${ACCOUNT}:role/service/*`)),
    does: createsRole({ Path: '/service/' }),
    expect: 'allowed',
  },
  {
    name: 'a role may not be made outside of the path',
    source: `${IDENTIFIERS}, "IAM ARNs": a path is part of the ARN`,
    service: 'iam',
    caller: may(allow('iam:CreateRole', `arn:aws:iam::${ACCOUNT}:role/service/*`)),
    does: createsRole(),
    expect: 'denied',
  },
  {
    name: "a role's ARN in a policy has its path, though the request names it without",
    source: `${API}, "GetRole": RoleName is the friendly name, not the path`,
    service: 'iam',
    caller: may(allow('iam:GetRole', `arn:aws:iam::${ACCOUNT}:role/service/*`)),
    given: withRole({ Path: '/service/' }),
    does: (who) => client(who).send(new GetRoleCommand({ RoleName: other(who) })),
    expect: 'allowed',
  },
  {
    name: 'versions may be made of the policies of a path',
    source: `${POLICIES}: policies in the path /TEAM-A/ by policy/TEAM-A/*`,
    service: 'iam',
    caller: may(allow('iam:CreatePolicyVersion', `arn:aws:iam::${ACCOUNT}:policy/TEAM-A/*`)),
    given: (world, who) =>
      administrator(world).send(
        new CreatePolicyCommand({ PolicyName: other(who), Path: '/TEAM-A/', PolicyDocument: READS }),
      ),
    does: (who) =>
      client(who).send(
        new CreatePolicyVersionCommand({
          PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/TEAM-A/${other(who)}`,
          PolicyDocument: READS,
        }),
      ),
    expect: 'allowed',
  },
  {
    name: 'versions of policies outside of the path may not',
    source: `${POLICIES}: policies in the path /TEAM-A/ by policy/TEAM-A/*`,
    service: 'iam',
    caller: may(allow('iam:CreatePolicyVersion', `arn:aws:iam::${ACCOUNT}:policy/TEAM-A/*`)),
    given: (world, who) =>
      administrator(world).send(new CreatePolicyCommand({ PolicyName: other(who), PolicyDocument: READS })),
    does: (who) =>
      client(who).send(
        new CreatePolicyVersionCommand({
          PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/${other(who)}`,
          PolicyDocument: READS,
        }),
      ),
    expect: 'denied',
  },
];

const resources: Case[] = [
  {
    name: 'all users are listed on all resources',
    source: `${REFERENCE}: ListUsers has no resource type, and takes *`,
    service: 'iam',
    caller: may(allow('iam:ListUsers')),
    does: listUsers,
    expect: 'allowed',
  },
  {
    name: 'users are not listed on the ARNs of users',
    source: `${REFERENCE}: ListUsers has no resource type, and takes *`,
    service: 'iam',
    caller: may(allow('iam:ListUsers', `arn:aws:iam::${ACCOUNT}:user/*`)),
    does: listUsers,
    expect: 'denied',
  },
  {
    name: "the account's summary is on all resources",
    source: `${REFERENCE}: GetAccountSummary has no resource type, and takes *`,
    service: 'iam',
    caller: may(allow('iam:GetAccount*')),
    does: (who) => client(who).send(new GetAccountSummaryCommand({})),
    expect: 'allowed',
  },
  {
    name: 'a user is added to a group by leave for the group',
    source: `${REFERENCE}: AddUserToGroup is on the group`,
    service: 'iam',
    caller: may(allow('iam:AddUserToGroup', `arn:aws:iam::${ACCOUNT}:group/*-other`)),
    given: (world, who) => administrator(world).send(new CreateGroupCommand({ GroupName: other(who) })),
    does: (who) => client(who).send(new AddUserToGroupCommand({ GroupName: other(who), UserName: who.name })),
    expect: 'allowed',
  },
  {
    name: 'leave for the user does not add him to a group',
    source: `${REFERENCE}: AddUserToGroup is on the group`,
    service: 'iam',
    caller: may(allow('iam:AddUserToGroup', `arn:aws:iam::${ACCOUNT}:user/*`)),
    given: (world, who) => administrator(world).send(new CreateGroupCommand({ GroupName: other(who) })),
    does: (who) => client(who).send(new AddUserToGroupCommand({ GroupName: other(who), UserName: who.name })),
    expect: 'denied',
  },
  {
    name: 'a user is renamed by leave for both names',
    source: `${API}, "UpdateUser": the requester must have permissions on both the source object and the target object`,
    service: 'iam',
    caller: may(allow('iam:UpdateUser', [otherUser, `${otherUser}-renamed`])),
    given: withUser(),
    does: (who) =>
      client(who).send(new UpdateUserCommand({ UserName: other(who), NewUserName: `${other(who)}-renamed` })),
    expect: 'allowed',
  },
  {
    name: 'leave for the old name alone does not rename a user',
    source: `${API}, "UpdateUser": the requester must have permissions on both the source object and the target object`,
    service: 'iam',
    caller: may(allow('iam:UpdateUser', otherUser)),
    given: withUser(),
    does: (who) =>
      client(who).send(new UpdateUserCommand({ UserName: other(who), NewUserName: `${other(who)}-renamed` })),
    expect: 'denied',
  },
  {
    name: 'a trust policy is changed by leave for its role',
    source: `${REFERENCE}: UpdateAssumeRolePolicy is on the role`,
    service: 'iam',
    caller: may(allow('iam:UpdateAssumeRolePolicy', OTHERS_ROLES)),
    given: withRole(),
    does: (who) =>
      client(who).send(new UpdateAssumeRolePolicyCommand({ RoleName: other(who), PolicyDocument: NOBODY })),
    expect: 'allowed',
  },
  {
    name: 'an identity provider is made by leave for its host',
    source: `${REFERENCE}: CreateOpenIDConnectProvider is on oidc-provider/HOST`,
    service: 'iam',
    caller: may(
      allow('iam:CreateOpenIDConnectProvider', `arn:aws:iam::${ACCOUNT}:oidc-provider/*.example.com`),
    ),
    does: (who) =>
      client(who).send(
        new CreateOpenIDConnectProviderCommand({
          Url: `https://${who.name}.example.com`,
          ClientIDList: ['sts.amazonaws.com'],
        }),
      ),
    expect: 'allowed',
  },
  {
    name: 'an identity provider is not made by leave for another host',
    source: `${REFERENCE}: CreateOpenIDConnectProvider is on oidc-provider/HOST`,
    service: 'iam',
    caller: may(
      allow('iam:CreateOpenIDConnectProvider', `arn:aws:iam::${ACCOUNT}:oidc-provider/*.example.com`),
    ),
    does: (who) =>
      client(who).send(
        new CreateOpenIDConnectProviderCommand({
          Url: `https://${who.name}.example.org`,
          ClientIDList: ['sts.amazonaws.com'],
        }),
      ),
    expect: 'denied',
  },
];

const withProfile: NonNullable<Case['given']> = async (world, who) => {
  await withRole({ AssumeRolePolicyDocument: trusting('ec2.amazonaws.com') })(world, who);
  await administrator(world).send(new CreateInstanceProfileCommand({ InstanceProfileName: other(who) }));
};

const addsToProfile: Case['does'] = (who) =>
  client(who).send(
    new AddRoleToInstanceProfileCommand({ InstanceProfileName: other(who), RoleName: other(who) }),
  );

const withFullProfile: NonNullable<Case['given']> = async (world, who) => {
  await withProfile(world, who);
  await administrator(world).send(
    new AddRoleToInstanceProfileCommand({ InstanceProfileName: other(who), RoleName: other(who) }),
  );
};

const launches =
  (profile: boolean): Case['does'] =>
  async (who, world) => {
    const { Parameter: image } = await new SSMClient(world.administrator).send(
      new GetParameterCommand({
        Name: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64',
      }),
    );
    return new EC2Client(who.options).send(
      new RunInstancesCommand({
        ImageId: image?.Value,
        InstanceType: 't3.micro',
        MinCount: 1,
        MaxCount: 1,
        ...(profile && { IamInstanceProfile: { Name: other(who) } }),
      }),
    );
  };

const createsFunction: Case['does'] = (who) =>
  new LambdaClient(who.options).send(
    new CreateFunctionCommand({
      FunctionName: other(who),
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Role: `arn:aws:iam::${ACCOUNT}:role/${other(who)}`,
      Code: { ZipFile: EMPTY_ZIP },
    }),
  );

/** The end of a central directory without entries. */
const EMPTY_ZIP = Uint8Array.from([0x50, 0x4b, 5, 6, ...Array<number>(18).fill(0)]);

const passes = (service: string, condition: Condition = {}) =>
  allow('iam:PassRole', OTHERS_ROLES, { StringEquals: { 'iam:PassedToService': service }, ...condition });

const passing: Case[] = [
  {
    name: 'a role is put into an instance profile by leave to pass it',
    source: `${API}, "AddRoleToInstanceProfile": the caller must be granted iam:PassRole on the role`,
    service: 'iam',
    caller: may(allow('iam:AddRoleToInstanceProfile'), passes('ec2.amazonaws.com')),
    given: withProfile,
    does: addsToProfile,
    expect: 'allowed',
  },
  {
    name: 'a role is not put into an instance profile without leave to pass it',
    source: `${API}, "AddRoleToInstanceProfile": the caller must be granted iam:PassRole on the role`,
    service: 'iam',
    caller: may(allow('iam:AddRoleToInstanceProfile')),
    given: withProfile,
    does: addsToProfile,
    expect: 'denied',
    says: /not authorized to perform: iam:PassRole on resource: \S+:role\/case-\d+-other because no identity-based policy allows the iam:PassRole action/,
  },
  {
    name: 'leave to pass a role to one service does not pass it to another',
    source: `${KEYS}, iam:PassedToService: the service principal of the service to which a role can be passed`,
    service: 'iam',
    caller: may(allow('iam:AddRoleToInstanceProfile'), passes('lambda.amazonaws.com')),
    given: withProfile,
    does: addsToProfile,
    expect: 'denied',
  },
  {
    name: 'leave to pass one role does not pass another',
    source: `${PASSING}: iam:PassRole is limited to approved roles by its Resource`,
    service: 'iam',
    caller: may(
      allow('iam:AddRoleToInstanceProfile'),
      allow('iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/EC2-roles-for-XYZ-*`),
    ),
    given: withProfile,
    does: addsToProfile,
    expect: 'denied',
  },
  {
    name: 'a role in an instance profile is for any instance of the account',
    source: `${API}, "AddRoleToInstanceProfile": iam:AssociatedResourceArn must be arn:aws:ec2:*:ACCOUNT:instance/*`,
    service: 'iam',
    caller: may(
      allow('iam:AddRoleToInstanceProfile'),
      passes('ec2.amazonaws.com', {
        ArnLike: { 'iam:AssociatedResourceArn': `arn:aws:ec2:*:${ACCOUNT}:instance/*` },
      }),
    ),
    given: withProfile,
    does: addsToProfile,
    expect: 'allowed',
  },
  {
    name: 'an instance starts with a role by leave to pass it',
    source: `${PASSING}, example 1: iam:PassRole for the roles of instances, upon launching one`,
    service: 'iam',
    caller: may(allow('ec2:*'), passes('ec2.amazonaws.com')),
    given: withFullProfile,
    does: launches(true),
    expect: 'allowed',
  },
  {
    name: 'an instance does not start with a role without leave to pass it',
    source: `${PASSING}, example 1: a user needs iam:PassRole to start an instance with a role`,
    service: 'iam',
    caller: may(allow('ec2:*')),
    given: withFullProfile,
    does: launches(true),
    expect: 'denied',
    says: /not authorized to perform: iam:PassRole on resource: \S+:role\/case-\d+-other/,
  },
  {
    name: 'an instance without a role takes no leave to pass one',
    source: `${PASSING}: a role is passed by giving it to an operation`,
    service: 'ec2',
    caller: may(allow('ec2:*')),
    does: launches(false),
    expect: 'allowed',
  },
  {
    name: 'a function is made with a role by leave to pass it to Lambda',
    source:
      'Lambda Developer Guide, "Identity-based IAM policies for Lambda": creating a function takes iam:PassRole on its execution role',
    service: 'iam',
    caller: may(allow('lambda:CreateFunction'), passes('lambda.amazonaws.com')),
    given: withRole({ AssumeRolePolicyDocument: trusting('lambda.amazonaws.com') }),
    does: createsFunction,
    expect: 'allowed',
    beyondMoto: true,
  },
  {
    name: 'a function is not made without leave to pass its role',
    source:
      'Lambda Developer Guide, "Identity-based IAM policies for Lambda": creating a function takes iam:PassRole on its execution role',
    service: 'iam',
    caller: may(allow('lambda:*')),
    given: withRole({ AssumeRolePolicyDocument: trusting('lambda.amazonaws.com') }),
    does: createsFunction,
    expect: 'denied',
    says: /iam:PassRole/,
    beyondMoto: true,
  },
  {
    name: 'a role for EC2 is not passed to Lambda',
    source: `${KEYS}, iam:PassedToService: restricts to which services roles are passed`,
    service: 'iam',
    caller: may(allow('lambda:*'), passes('ec2.amazonaws.com')),
    given: withRole({ AssumeRolePolicyDocument: trusting('lambda.amazonaws.com') }),
    does: createsFunction,
    expect: 'denied',
    beyondMoto: true,
  },
];

const putsPolicy: Case['does'] = (who) =>
  client(who).send(
    new PutUserPolicyCommand({ UserName: other(who), PolicyName: 'reads', PolicyDocument: READS }),
  );

const putsRolePolicy: Case['does'] = (who) =>
  client(who).send(
    new PutRolePolicyCommand({ RoleName: other(who), PolicyName: 'reads', PolicyDocument: READS }),
  );

const putsBoundary =
  (arn: string): Case['does'] =>
  (who) =>
    client(who).send(
      new PutUserPermissionsBoundaryCommand({ UserName: other(who), PermissionsBoundary: arn }),
    );

const boundaries: Case[] = [
  {
    name: 'users may have to be made with a boundary, and are',
    source: `${BOUNDARIES}: iam:CreateUser only with the boundary in iam:PermissionsBoundary`,
    service: 'iam',
    caller: may(allow('iam:CreateUser', '*', UNDER_BOUNDARY)),
    does: createsUser({ PermissionsBoundary: BOUNDARY }),
    expect: 'allowed',
  },
  {
    name: 'users that have to be made with a boundary are not made without',
    source: `${BOUNDARIES}: without the boundary, the operation fails and access is denied`,
    service: 'iam',
    caller: may(allow('iam:CreateUser', '*', UNDER_BOUNDARY)),
    does: createsUser(),
    expect: 'denied',
  },
  {
    name: 'users that have to be made with one boundary are not made with another',
    source: `${BOUNDARIES}: iam:CreateUser only with that very boundary`,
    service: 'iam',
    caller: may(allow('iam:CreateUser', '*', UNDER_BOUNDARY)),
    does: createsUser({ PermissionsBoundary: OTHER_BOUNDARY }),
    expect: 'denied',
  },
  {
    name: 'roles may have to be made with a boundary, and are',
    source: `${KEYS}, iam:PermissionsBoundary: checks that the policy is attached as boundary; ${REFERENCE}: a key of CreateRole`,
    service: 'iam',
    caller: may(allow('iam:CreateRole', '*', UNDER_BOUNDARY)),
    does: createsRole({ PermissionsBoundary: BOUNDARY }),
    expect: 'allowed',
  },
  {
    name: 'roles that have to be made with a boundary are not made without',
    source: `${KEYS}, iam:PermissionsBoundary: checks that the policy is attached as boundary; ${REFERENCE}: a key of CreateRole`,
    service: 'iam',
    caller: may(allow('iam:CreateRole', '*', UNDER_BOUNDARY)),
    does: createsRole(),
    expect: 'denied',
  },
  {
    name: 'whoever is under the boundary may be given policies',
    source: `${BOUNDARIES}: iam:PutUserPolicy for users with this boundary set`,
    service: 'iam',
    caller: may(allow('iam:PutUserPolicy', '*', UNDER_BOUNDARY)),
    given: withUser({ PermissionsBoundary: BOUNDARY }),
    does: putsPolicy,
    expect: 'allowed',
  },
  {
    name: 'whoever is under no boundary may be given none',
    source: `${BOUNDARIES}: iam:PutUserPolicy for users with this boundary set`,
    service: 'iam',
    caller: may(allow('iam:PutUserPolicy', '*', UNDER_BOUNDARY)),
    given: withUser(),
    does: putsPolicy,
    expect: 'denied',
  },
  {
    name: 'a role under the boundary may be given policies',
    source: `${REFERENCE}: iam:PermissionsBoundary is a key of PutRolePolicy`,
    service: 'iam',
    caller: may(allow('iam:PutRolePolicy', '*', UNDER_BOUNDARY)),
    given: withRole({ PermissionsBoundary: BOUNDARY }),
    does: putsRolePolicy,
    expect: 'allowed',
  },
  {
    name: 'a role under another boundary may be given none',
    source: `${REFERENCE}: iam:PermissionsBoundary is a key of PutRolePolicy`,
    service: 'iam',
    caller: may(allow('iam:PutRolePolicy', '*', UNDER_BOUNDARY)),
    given: withRole({ PermissionsBoundary: OTHER_BOUNDARY }),
    does: putsRolePolicy,
    expect: 'denied',
  },
  {
    name: 'the boundary may be put on a user who has none',
    source: `${BOUNDARIES}: the statement also allows setting the boundary for existing users, using that same policy`,
    service: 'iam',
    caller: may(allow('iam:PutUserPermissionsBoundary', '*', UNDER_BOUNDARY)),
    given: withUser(),
    does: putsBoundary(BOUNDARY),
    expect: 'allowed',
  },
  {
    name: 'another boundary may not take the place of the one',
    source: `${BOUNDARIES}: setting the boundary for existing users, only using that same policy`,
    service: 'iam',
    caller: may(allow('iam:PutUserPermissionsBoundary', '*', UNDER_BOUNDARY)),
    given: withUser({ PermissionsBoundary: BOUNDARY }),
    does: putsBoundary(OTHER_BOUNDARY),
    expect: 'denied',
  },
  {
    name: 'nobody may be let out of his boundary',
    source: `${BOUNDARIES}, NoBoundaryUserDelete: a deny of iam:DeleteUserPermissionsBoundary`,
    service: 'iam',
    caller: may(allow('iam:*'), deny('iam:DeleteUserPermissionsBoundary')),
    given: withUser({ PermissionsBoundary: BOUNDARY }),
    does: (who) => client(who).send(new DeleteUserPermissionsBoundaryCommand({ UserName: other(who) })),
    expect: 'denied',
    says: /with an explicit deny in an identity-based policy/,
  },
  {
    name: 'a role may be held in the one boundary that it has',
    source: `${REFERENCE}: iam:PermissionsBoundary is a key of DeleteRolePermissionsBoundary; ${KEYS}: checks what is attached`,
    service: 'iam',
    caller: may(allow('iam:*'), deny('iam:DeleteRolePermissionsBoundary', '*', UNDER_BOUNDARY)),
    given: withRole({ PermissionsBoundary: BOUNDARY }),
    does: (who) => client(who).send(new DeleteRolePermissionsBoundaryCommand({ RoleName: other(who) })),
    expect: 'denied',
  },
  {
    name: 'a role with another boundary may be let out',
    source: `${REFERENCE}: iam:PermissionsBoundary is a key of DeleteRolePermissionsBoundary; ${KEYS}: checks what is attached`,
    service: 'iam',
    caller: may(allow('iam:*'), deny('iam:DeleteRolePermissionsBoundary', '*', UNDER_BOUNDARY)),
    given: withRole({ PermissionsBoundary: OTHER_BOUNDARY }),
    does: (who) => client(who).send(new DeleteRolePermissionsBoundaryCommand({ RoleName: other(who) })),
    expect: 'allowed',
  },
  {
    name: "a delegate's own boundary may ask for a boundary",
    source: `${BOUNDARIES}: with all of IAM allowed, the delegate's own boundary asks for the boundary`,
    service: 'iam',
    caller: {
      policies: [policy(allow('iam:*'))],
      boundary: policy(allow('iam:CreateUser', '*', UNDER_BOUNDARY)),
    },
    does: createsUser(),
    expect: 'denied',
    says: /because no permissions boundary allows the iam:CreateUser action/,
  },
  {
    name: 'a delegate makes users with the boundary that his own asks for',
    source: `${BOUNDARIES}: with the boundary chosen, the user is created`,
    service: 'iam',
    caller: {
      policies: [policy(allow('iam:*'))],
      boundary: policy(allow('iam:CreateUser', '*', UNDER_BOUNDARY)),
    },
    does: createsUser({ PermissionsBoundary: BOUNDARY }),
    expect: 'allowed',
  },
  {
    name: 'a delegate does not edit his own boundary',
    source: `${BOUNDARIES}, NoBoundaryPolicyEdit: a deny of iam:CreatePolicyVersion on the boundaries' policies`,
    service: 'iam',
    caller: {
      policies: [policy(allow('iam:*'))],
      boundary: policy(
        allow('iam:*'),
        deny(
          [
            'iam:CreatePolicyVersion',
            'iam:DeletePolicy',
            'iam:DeletePolicyVersion',
            'iam:SetDefaultPolicyVersion',
          ],
          `arn:aws:iam::${ACCOUNT}:policy/*-boundary`,
        ),
      ),
    },
    does: (who) =>
      client(who).send(
        new CreatePolicyVersionCommand({
          PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/${who.name}-boundary`,
          PolicyDocument: JSON.stringify(policy(allow('*'))),
          SetAsDefault: true,
        }),
      ),
    expect: 'denied',
    says: /with an explicit deny in a permissions boundary/,
  },
  {
    name: 'whom a delegate made stays within the boundary, whatever he was given',
    source: `${BOUNDARIES}: the new user with IAMFullAccess can't create another user, which the boundary does not allow`,
    service: 'iam',
    caller: may(
      allow(['iam:CreateUser', 'iam:AttachUserPolicy'], '*', UNDER_BOUNDARY),
      allow('iam:CreateAccessKey'),
    ),
    does: async (who, world) => {
      await createsUser({ PermissionsBoundary: BOUNDARY })(who, world);
      const iam = client(who);
      await iam.send(
        new AttachUserPolicyCommand({
          UserName: other(who),
          PolicyArn: 'arn:aws:iam::aws:policy/IAMFullAccess',
        }),
      );
      const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: other(who) }));
      const credentials = {
        accessKeyId: key?.AccessKeyId ?? '',
        secretAccessKey: key?.SecretAccessKey ?? '',
      };
      return new IAMClient({ ...who.options, credentials }).send(
        new CreateUserCommand({ UserName: `${other(who)}-2` }),
      );
    },
    expect: 'denied',
    says: /because no permissions boundary allows the iam:CreateUser action/,
  },
];

const attaches =
  (arn: string): Case['does'] =>
  (who) =>
    client(who).send(new AttachRolePolicyCommand({ RoleName: other(who), PolicyArn: arn }));

const ATTACHABLE: Condition = { ArnEquals: { 'iam:PolicyARN': BOUNDARY } };

const attaching: Case[] = [
  {
    name: 'a policy that may be attached is',
    source: `${POLICIES}: iam:PolicyARN with ArnEquals limits which policies are attached, AWS's own included`,
    service: 'iam',
    caller: may(allow('iam:AttachRolePolicy', '*', ATTACHABLE)),
    given: withRole(),
    does: attaches(BOUNDARY),
    expect: 'allowed',
  },
  {
    name: 'a policy that may not be attached is not',
    source: `${POLICIES}: iam:PolicyARN with ArnEquals limits which policies are attached`,
    service: 'iam',
    caller: may(allow('iam:AttachRolePolicy', '*', ATTACHABLE)),
    given: withRole(),
    does: attaches('arn:aws:iam::aws:policy/AdministratorAccess'),
    expect: 'denied',
  },
  {
    name: 'policies of a path may be attached to the roles of a path',
    source: `${POLICIES}: ArnLike on iam:PolicyARN with policy/TEAM-A/*, on role/TEAM-A/*`,
    service: 'iam',
    caller: may(
      allow('iam:AttachRolePolicy', `arn:aws:iam::${ACCOUNT}:role/TEAM-A/*`, {
        ArnLike: { 'iam:PolicyARN': `arn:aws:iam::${ACCOUNT}:policy/TEAM-A/*` },
      }),
    ),
    given: async (world, who) => {
      await withRole({ Path: '/TEAM-A/' })(world, who);
      await administrator(world).send(
        new CreatePolicyCommand({ PolicyName: other(who), Path: '/TEAM-A/', PolicyDocument: READS }),
      );
    },
    does: (who) =>
      client(who).send(
        new AttachRolePolicyCommand({
          RoleName: other(who),
          PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/TEAM-A/${other(who)}`,
        }),
      ),
    expect: 'allowed',
  },
  {
    name: 'policies of the path may not be attached to other roles',
    source: `${POLICIES}: ArnLike on iam:PolicyARN with policy/TEAM-A/*, on role/TEAM-A/*`,
    service: 'iam',
    caller: may(
      allow('iam:AttachRolePolicy', `arn:aws:iam::${ACCOUNT}:role/TEAM-A/*`, {
        ArnLike: { 'iam:PolicyARN': `arn:aws:iam::${ACCOUNT}:policy/TEAM-A/*` },
      }),
    ),
    given: async (world, who) => {
      await withRole()(world, who);
      await administrator(world).send(
        new CreatePolicyCommand({ PolicyName: other(who), Path: '/TEAM-A/', PolicyDocument: READS }),
      );
    },
    does: (who) =>
      client(who).send(
        new AttachRolePolicyCommand({
          RoleName: other(who),
          PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/TEAM-A/${other(who)}`,
        }),
      ),
    expect: 'denied',
  },
  {
    name: 'policies may be attached under a boundary alone',
    source: `${BOUNDARIES}: iam:AttachUserPolicy for users with this boundary set`,
    service: 'iam',
    caller: may(allow('iam:AttachUserPolicy', '*', UNDER_BOUNDARY)),
    given: withUser(),
    does: (who) =>
      client(who).send(
        new AttachUserPolicyCommand({
          UserName: who.name,
          PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
        }),
      ),
    expect: 'denied',
  },
];

const linked =
  (service: string): Case['does'] =>
  (who) =>
    client(who).send(
      new CreateServiceLinkedRoleCommand({ AWSServiceName: service, CustomSuffix: other(who) }),
    );

const serviceLinked: Case[] = [
  {
    name: 'a service-linked role may be made for one service',
    source: `${KEYS}, iam:AWSServiceName: creating a service-linked role if the service's name matches`,
    service: 'iam',
    caller: may(
      allow('iam:CreateServiceLinkedRole', '*', {
        StringLike: { 'iam:AWSServiceName': 'autoscaling.amazonaws.com' },
      }),
    ),
    does: linked('autoscaling.amazonaws.com'),
    expect: 'allowed',
  },
  {
    name: 'a service-linked role may not be made for another service',
    source: `${KEYS}, iam:AWSServiceName: creating a service-linked role if the service's name matches`,
    service: 'iam',
    caller: may(
      allow('iam:CreateServiceLinkedRole', '*', {
        StringLike: { 'iam:AWSServiceName': 'access-analyzer.amazonaws.com' },
      }),
    ),
    does: linked('autoscaling.amazonaws.com'),
    expect: 'denied',
  },
  {
    name: "service-linked roles are in their service's path",
    source: `${SERVICE_LINKED}: iam:CreateServiceLinkedRole on role/aws-service-role/SERVICE-NAME.amazonaws.com/SERVICE-LINKED-ROLE-NAME-PREFIX*`,
    service: 'iam',
    caller: may(
      allow(
        'iam:CreateServiceLinkedRole',
        'arn:aws:iam::*:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling*',
        { StringLike: { 'iam:AWSServiceName': 'autoscaling.amazonaws.com' } },
      ),
    ),
    does: linked('autoscaling.amazonaws.com'),
    expect: 'allowed',
  },
  {
    name: "the path of one service is not another's",
    source: `${SERVICE_LINKED}: iam:CreateServiceLinkedRole on role/aws-service-role/SERVICE-NAME.amazonaws.com/SERVICE-LINKED-ROLE-NAME-PREFIX*`,
    service: 'iam',
    caller: may(
      allow(
        'iam:CreateServiceLinkedRole',
        'arn:aws:iam::*:role/aws-service-role/access-analyzer.amazonaws.com/*',
      ),
    ),
    does: linked('autoscaling.amazonaws.com'),
    expect: 'denied',
  },
];

const BLUE = { Key: 'team', Value: 'blue' };
const deletesOther: Case['does'] = (who) => client(who).send(new DeleteUserCommand({ UserName: other(who) }));

const tags: Case[] = [
  {
    name: 'a user is made with tags by leave to tag',
    source: `${TAGGING}: iam:TagUser is required to tag a user`,
    service: 'iam',
    caller: may(allow(['iam:CreateUser', 'iam:TagUser'], otherUser)),
    does: createsUser({ Tags: [BLUE] }),
    expect: 'allowed',
  },
  {
    name: 'a user is not made with tags without leave to tag',
    source: `${TAGGING}: iam:TagUser is required to tag a user`,
    service: 'iam',
    caller: may(allow('iam:CreateUser')),
    does: createsUser({ Tags: [BLUE] }),
    expect: 'denied',
    says: /not authorized to perform: iam:TagUser on resource: \S+:user\/case-\d+-other because no identity-based policy allows the iam:TagUser action/,
  },
  {
    name: 'a user without tags is made without leave to tag',
    source: `${TAGGING}: iam:TagUser is required to tag a user`,
    service: 'iam',
    caller: may(allow('iam:CreateUser', otherUser)),
    does: createsUser(),
    expect: 'allowed',
  },
  {
    name: 'a role is not made with tags without leave to tag',
    source: `${TAGGING}: iam:TagRole is required to tag a role`,
    service: 'iam',
    caller: may(allow('iam:CreateRole')),
    does: createsRole({ Tags: [BLUE] }),
    expect: 'denied',
    says: /not authorized to perform: iam:TagRole on resource: \S+:role\/case-\d+-other because/,
  },
  {
    name: 'a policy is not made with tags without leave to tag',
    source: `${TAGGING}: iam:TagPolicy is required to tag a customer managed policy`,
    service: 'iam',
    caller: may(allow('iam:CreatePolicy')),
    does: (who) =>
      client(who).send(
        new CreatePolicyCommand({ PolicyName: other(who), PolicyDocument: READS, Tags: [BLUE] }),
      ),
    expect: 'denied',
    says: /iam:TagPolicy/,
  },
  {
    name: 'a role may have to be made with a tag, and is',
    source: `${TAGS}: aws:RequestTag controls what tags are passed; ${REFERENCE}: a key of CreateRole and TagRole`,
    service: 'iam',
    caller: may(
      allow(['iam:CreateRole', 'iam:TagRole'], '*', { StringEquals: { 'aws:RequestTag/team': 'blue' } }),
    ),
    does: createsRole({ Tags: [BLUE] }),
    expect: 'allowed',
  },
  {
    name: 'a role that has to be made with a tag is not made without',
    source: `${TAGS}: aws:RequestTag controls what tags are passed; ${REFERENCE}: a key of CreateRole and TagRole`,
    service: 'iam',
    caller: may(
      allow(['iam:CreateRole', 'iam:TagRole'], '*', { StringEquals: { 'aws:RequestTag/team': 'blue' } }),
    ),
    does: createsRole(),
    expect: 'denied',
  },
  {
    name: 'tags other than those of a list may not be given',
    source: `${TAGS}: ForAllValues on aws:TagKeys allows only the keys listed`,
    service: 'iam',
    caller: may(
      allow('iam:TagUser', ownUser, { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['team', 'grade'] } }),
    ),
    does: (who) =>
      client(who).send(
        new TagUserCommand({ UserName: who.name, Tags: [BLUE, { Key: 'admin', Value: 'yes' }] }),
      ),
    expect: 'denied',
  },
  {
    name: 'a tag may be kept from being removed',
    source: `${TAGS}: aws:TagKeys controls whether specific keys are used; ${REFERENCE}: a key of UntagRole`,
    service: 'iam',
    caller: may(
      allow('iam:UntagRole'),
      deny('iam:UntagRole', '*', { 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['team'] } }),
    ),
    given: withRole({ Tags: [BLUE] }),
    does: (who) =>
      client(who).send(new UntagRoleCommand({ RoleName: other(who), TagKeys: ['grade', 'team'] })),
    expect: 'denied',
  },
  {
    name: 'whoever has a tag may be deleted',
    source: `${KEYS}, iam:ResourceTag: deleting users with the tag status=terminated`,
    service: 'iam',
    caller: may(allow('iam:DeleteUser', '*', { StringEquals: { 'iam:ResourceTag/status': 'terminated' } })),
    given: withUser({ Tags: [{ Key: 'status', Value: 'terminated' }] }),
    does: deletesOther,
    expect: 'allowed',
  },
  {
    name: 'whoever has another value of the tag may not be deleted',
    source: `${KEYS}, iam:ResourceTag: deleting users with the tag status=terminated`,
    service: 'iam',
    caller: may(allow('iam:DeleteUser', '*', { StringEquals: { 'iam:ResourceTag/status': 'terminated' } })),
    given: withUser({ Tags: [{ Key: 'status', Value: 'active' }] }),
    does: deletesOther,
    expect: 'denied',
  },
  {
    name: 'aws:ResourceTag is the same as iam:ResourceTag',
    source: `${KEYS}, iam:ResourceTag: IAM supports both iam:ResourceTag and aws:ResourceTag`,
    service: 'iam',
    caller: may(allow('iam:DeleteUser', '*', { StringEquals: { 'aws:ResourceTag/status': 'terminated' } })),
    given: withUser({ Tags: [{ Key: 'status', Value: 'terminated' }] }),
    does: deletesOther,
    expect: 'allowed',
  },
  {
    name: 'a tag of whoever asks may let him manage users',
    source:
      'IAM User Guide, "AWS global condition context keys", aws:PrincipalTag: users with department=hr manage users, groups and roles',
    service: 'iam',
    caller: {
      tags: { department: 'hr' },
      policies: [policy(allow('iam:*', '*', { StringEquals: { 'aws:PrincipalTag/department': 'hr' } }))],
    },
    does: createsUser(),
    expect: 'allowed',
  },
  {
    name: 'without the tag he may not',
    source:
      'IAM User Guide, "AWS global condition context keys", aws:PrincipalTag: users with department=hr manage users, groups and roles',
    service: 'iam',
    caller: {
      tags: { department: 'sales' },
      policies: [policy(allow('iam:*', '*', { StringEquals: { 'aws:PrincipalTag/department': 'hr' } }))],
    },
    does: createsUser(),
    expect: 'denied',
  },
];

/** IAM's own operations, and roles that are handed to services. */
export const iam: Case[] = [
  ...selfService,
  ...paths,
  ...resources,
  ...passing,
  ...boundaries,
  ...attaching,
  ...serviceLinked,
  ...tags,
];
