import { GetAccessKeyLastUsedCommand } from '@aws-sdk/client-iam';
import type { Identity } from '../../authorization/identities';
import { orNothing } from '../../authorization/moto-clients';
import type { World } from '../../authorization/world';
import { invalid } from '../../refusal';
import { ask, asksFor } from '../asks-by-name';
import { accountIn, parseArn } from '../arn';
import { shown, text, type Ask, type Context, type Mapping, type Rules } from '../ask';

/** Operations on the caller's own user when none is named. */
const OWN_USER = 'UserName';

/** Members that hold the variable of an ARN, and the path that belongs to it. */
const MEMBERS = {
  UserNameWithPath: ['UserName'],
  RoleNameWithPath: ['RoleName'],
  GroupNameWithPath: ['GroupName'],
  InstanceProfileNameWithPath: ['InstanceProfileName'],
  PolicyNameWithPath: ['PolicyArn', 'PolicyName'],
  OidcProviderName: ['OpenIDConnectProviderArn', 'Url'],
  SamlProviderName: ['SAMLProviderArn', 'Name'],
  CertificateNameWithPath: ['ServerCertificateName'],
  MfaTokenIdWithPath: ['SerialNumber', 'VirtualMFADeviceName'],
} as const;

/** The path of what there is; of what is to be made, the one that the request gives. */
async function withPath(variable: string, name: string, mapping: Mapping): Promise<string | undefined> {
  const { call, world, account } = mapping;
  if (variable === 'OidcProviderName')
    return name.startsWith('arn:') ? name : name.replace(/^https:\/\//, '').replace(/\/$/, '');
  if (!variable.endsWith('WithPath') || name.startsWith('arn:')) return name;
  // Inline policies have names, too, and are no resources.
  if (variable === 'PolicyNameWithPath' && call.operation !== 'CreatePolicy') return undefined;
  const known = await arnOf(variable, name, account, world);
  if (known !== undefined) return known;
  const path = text(call.input.Path) ?? '/';
  return `${path}${name}`.slice(1);
}

async function arnOf(
  variable: string,
  name: string,
  account: string,
  { identities }: World,
): Promise<string | undefined> {
  switch (variable) {
    case 'UserNameWithPath':
      return (await identities.user(account, name))?.arn;
    case 'RoleNameWithPath':
      return (await identities.role(account, name))?.arn;
    case 'GroupNameWithPath':
      return (await identities.group(account, name))?.arn;
    case 'InstanceProfileNameWithPath':
      return (await identities.instanceProfile(account, name))?.arn;
    default:
      return undefined;
  }
}

/** What a request gives, or else what the user or role that it changes has. */
async function boundaryOf(resource: string, { call, world, account }: Mapping): Promise<string | undefined> {
  return text(call.input.PermissionsBoundary) ?? (await identityAt(resource, account, world))?.boundary;
}

/** The user or role of an ARN. */
async function identityAt(
  arn: string,
  account: string,
  { identities }: World,
): Promise<Identity | undefined> {
  const [kind, name] = nameAndKind(arn);
  if (kind === 'user') return identities.user(account, name);
  return kind === 'role' ? identities.role(account, name) : undefined;
}

function nameAndKind(resource: string): [kind: string, name: string] {
  const parts = (parseArn(resource)?.resource ?? '').split('/');
  return [parts[0] ?? '', parts.at(-1) ?? ''];
}

async function tagsOf(
  resource: string,
  { world, account }: Mapping,
): Promise<Readonly<Record<string, string>> | undefined> {
  const [kind] = nameAndKind(resource);
  if (kind === 'user' || kind === 'role') return (await identityAt(resource, account, world))?.tags;
  return world.identities.tagsOf(account, resource);
}

function context(mapping: Mapping, resource: string): Context {
  const { input } = mapping.call;
  return {
    'iam:PermissionsBoundary': () => boundaryOf(resource, mapping),
    'iam:PolicyARN': text(input.PolicyArn),
    'iam:AWSServiceName': text(input.AWSServiceName),
    'iam:FIDO-FIPS-140-2-certification': undefined,
    'iam:FIDO-FIPS-140-3-certification': undefined,
    'iam:FIDO-certification': undefined,
    'iam:RegisterSecurityKey': undefined,
    'iam:OrganizationsPolicyId': undefined,
    'iam:ServiceSpecificCredentialServiceName': text(input.ServiceName),
    'iam:ServiceSpecificCredentialAgeDays': shown(input.CredentialAgeDays),
    'iam:AssociatedResourceArn': undefined,
    'iam:PassedToService': undefined,
    'iam:DelegationDuration': undefined,
    'iam:NotificationChannel': undefined,
    'iam:TemplateArn': undefined,
    'iam:RoleTemplateARN': undefined,
  };
}

/** `iam:PassRole`: handing a role to a service (IAM User Guide, "Grant a user permissions to pass a role to an AWS service"). */
export function passRole(mapping: Mapping, roleArn: string, service: string, associated?: string): Ask {
  const { world, account } = mapping;
  return {
    action: 'iam:PassRole',
    resource: roleArn,
    account: accountIn(roleArn, account),
    context: { 'iam:PassedToService': service, 'iam:AssociatedResourceArn': associated },
    tags: async () => (await identityAt(roleArn, account, world))?.tags,
  };
}

/** For operations that are about the caller's own user when they name none. */
function onUser(action: string) {
  return async (mapping: Mapping): Promise<Ask[]> => {
    const { call, caller } = mapping;
    if (text(call.input[OWN_USER]) !== undefined) return asksFor(action, mapping, iam);
    if (caller.kind !== 'user' && caller.kind !== 'administrator')
      throw invalid('ValidationError', 'Must specify userName when calling with non-User credentials');
    return [ask(action, caller.arn, mapping, iam)];
  };
}

/** Names a key alone, and is about the user whose it is (Service Authorization Reference, "AWS IAM"). */
async function getAccessKeyLastUsed(mapping: Mapping): Promise<Ask[]> {
  const { account, call, world } = mapping;
  const command = new GetAccessKeyLastUsedCommand({ AccessKeyId: text(call.input.AccessKeyId) });
  const found = await orNothing(world.client('iam', { account, region: call.region }).send(command));
  const user = found?.UserName ?? '';
  const arn = (await world.identities.user(account, user))?.arn ?? `arn:aws:iam::${account}:user/${user}`;
  return [ask('GetAccessKeyLastUsed', arn, mapping, iam)];
}

/** The name is each service's own to choose; for most it is the service's (IAM User Guide, "Create a service-linked role"). */
function serviceLinkedRole({ call, account }: Mapping): string {
  const service = text(call.input.AWSServiceName) ?? '';
  const [label = ''] = service.split('.');
  const suffix = text(call.input.CustomSuffix);
  const name = `AWSServiceRoleFor${SERVICE_ROLES[label] ?? label}${suffix === undefined ? '' : `_${suffix}`}`;
  return `arn:aws:iam::${account}:role/aws-service-role/${service}/${name}`;
}

const SERVICE_ROLES: Readonly<Partial<Record<string, string>>> = {
  'application-autoscaling': 'ApplicationAutoScaling',
  autoscaling: 'AutoScaling',
  ecs: 'ECS',
  elasticbeanstalk: 'ElasticBeanstalk',
  elasticloadbalancing: 'ElasticLoadBalancing',
  rds: 'RDS',
  spot: 'EC2Spot',
};

function renames(operation: string, member: string, kind: string) {
  return async (mapping: Mapping): Promise<Ask[]> => {
    const { call, account } = mapping;
    const asks = await asksFor(operation, mapping, iam);
    const renamed = text(call.input[member]);
    if (renamed === undefined) return asks;
    const path = text(call.input.NewPath) ?? '/';
    return [...asks, ask(operation, `arn:aws:iam::${account}:${kind}${path}${renamed}`, mapping, iam)];
  };
}

const OWN_USER_OPERATIONS = [
  'ChangePassword',
  'CreateAccessKey',
  'CreateServiceSpecificCredential',
  'DeleteAccessKey',
  'DeleteServiceSpecificCredential',
  'DeleteSigningCertificate',
  'GetUser',
  'ListAccessKeys',
  'ListMFADevices',
  'ListServiceSpecificCredentials',
  'ListSigningCertificates',
  'UpdateAccessKey',
  'UpdateSigningCertificate',
];

export const iam: Rules = {
  members: MEMBERS,
  resolve: withPath,
  context,
  tags: (mapping, resource) => tagsOf(resource, mapping),
  collections: [
    'ListGroups',
    'ListInstanceProfiles',
    'ListPolicies',
    'ListRoles',
    'ListUsers',
    'ListMFADevices',
    'ListAccessKeys',
    'ListServiceSpecificCredentials',
    'ListSigningCertificates',
    'GetAccessKeyLastUsed',
  ],
  asks: {
    ...Object.fromEntries(OWN_USER_OPERATIONS.map((operation) => [operation, onUser(operation)])),
    AddRoleToInstanceProfile: async (mapping) => {
      const asks = await asksFor('AddRoleToInstanceProfile', mapping, iam);
      const { account, world, call } = mapping;
      const name = text(call.input.RoleName) ?? '';
      const role =
        (await world.identities.role(account, name))?.arn ?? `arn:aws:iam::${account}:role/${name}`;
      return [...asks, passRole(mapping, role, 'ec2.amazonaws.com', `arn:aws:ec2:*:${account}:instance/*`)];
    },
    GetAccessKeyLastUsed: getAccessKeyLastUsed,
    CreateServiceLinkedRole: (mapping) => [
      ask('CreateServiceLinkedRole', serviceLinkedRole(mapping), mapping, iam),
    ],
    // Leave on what it is called, and on what it will be (IAM API Reference, "UpdateUser" and "UpdateGroup").
    UpdateGroup: renames('UpdateGroup', 'NewGroupName', 'group'),
    UpdateUser: renames('UpdateUser', 'NewUserName', 'user'),
    // With tags it takes leave to tag as well.
    ...Object.fromEntries(
      (
        [
          ['CreateInstanceProfile', 'TagInstanceProfile'],
          ['CreateOpenIDConnectProvider', 'TagOpenIDConnectProvider'],
          ['CreatePolicy', 'TagPolicy'],
          ['CreateRole', 'TagRole'],
          ['CreateSAMLProvider', 'TagSAMLProvider'],
          ['CreateUser', 'TagUser'],
        ] as const
      ).map(([create, tag]) => [
        create,
        async (mapping: Mapping) => {
          const asks = await asksFor(create, mapping, iam);
          return mapping.call.input.Tags === undefined
            ? asks
            : [...asks, ...asks.map((one) => ({ ...one, action: `iam:${tag}` }))];
        },
      ]),
    ),
  },
};
