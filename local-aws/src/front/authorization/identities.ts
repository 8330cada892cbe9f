import {
  GetAccountAuthorizationDetailsCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  type GetAccountAuthorizationDetailsCommandOutput,
  type IAMClient,
  type PolicyDetail as InlinePolicy,
  type AttachedPolicy,
  type Tag,
} from '@aws-sdk/client-iam';
import { readPolicy, type NamedPolicy, type PolicyDocument } from './policy';

interface Identity {
  readonly arn: string;
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Inline, attached, and of groups. */
  readonly policies: readonly NamedPolicy[];
  readonly boundary: NamedPolicy | undefined;
}

export interface Role extends Identity {
  readonly trust: PolicyDocument | undefined;
  /** Names of the instance profiles that it is in. */
  readonly instanceProfiles: readonly string[];
}

/** The users and roles of an account with all their policies. */
export interface Identities {
  readonly users: ReadonlyMap<string, Identity>;
  readonly roles: ReadonlyMap<string, Role>;
  readonly groups: ReadonlyMap<string, { readonly arn: string }>;
  /** Documents of managed policies, AWS's own among them where something has them attached. */
  readonly managed: ReadonlyMap<string, PolicyDocument>;
}

/** AWS's own policies never change here, and are the same in every account. */
const ofAws = new Map<string, PolicyDocument>();

/**
 * Reads them from moto, in one call.
 *
 * @param userBoundaries ARN of each user's boundary, by name: moto doesn't keep these
 */
export async function readIdentities(
  iam: IAMClient,
  userBoundaries: ReadonlyMap<string, string>,
): Promise<Identities> {
  const details = await iam.send(
    new GetAccountAuthorizationDetailsCommand({ Filter: ['User', 'Role', 'Group', 'LocalManagedPolicy'] }),
  );
  const managed = await managedPolicies(iam, details, userBoundaries);
  const named = (arn: string): NamedPolicy => ({ name: arn, document: managed.get(arn) ?? UNREADABLE });
  const policies = (inline: InlinePolicy[] = [], attached: AttachedPolicy[] = []): NamedPolicy[] => [
    ...inline.map(({ PolicyName: name = '', PolicyDocument: text = '' }) => ({
      name,
      document: readPolicy(text) ?? UNREADABLE,
    })),
    ...attached.map(({ PolicyArn: arn = '' }) => named(arn)),
  ];
  const groups = new Map(
    details.GroupDetailList?.map((group) => [
      group.GroupName ?? '',
      { arn: group.Arn ?? '', policies: policies(group.GroupPolicyList, group.AttachedManagedPolicies) },
    ]),
  );
  const users = (details.UserDetailList ?? []).map((user): [string, Identity] => {
    const name = user.UserName ?? '';
    const boundary = userBoundaries.get(name);
    return [
      name,
      {
        arn: user.Arn ?? '',
        id: user.UserId ?? '',
        tags: tags(user.Tags),
        policies: [
          ...policies(user.UserPolicyList, user.AttachedManagedPolicies),
          ...(user.GroupList ?? []).flatMap((group) => groups.get(group)?.policies ?? []),
        ],
        boundary: boundary === undefined ? undefined : named(boundary),
      },
    ];
  });
  const roles = (details.RoleDetailList ?? []).map((role): [string, Role] => {
    const boundary = role.PermissionsBoundary?.PermissionsBoundaryArn;
    return [
      role.RoleName ?? '',
      {
        arn: role.Arn ?? '',
        id: role.RoleId ?? '',
        tags: tags(role.Tags),
        policies: policies(role.RolePolicyList, role.AttachedManagedPolicies),
        boundary: boundary === undefined ? undefined : named(boundary),
        trust: readPolicy(role.AssumeRolePolicyDocument ?? ''),
        instanceProfiles: (role.InstanceProfileList ?? []).map(({ InstanceProfileName: name = '' }) => name),
      },
    ];
  });
  return { users: new Map(users), roles: new Map(roles), groups, managed };
}

/** A policy that is gone, or that nobody can read, could deny something: a decision with it is refused as a gap. */
const UNREADABLE: PolicyDocument = { Version: '2012-10-17', Statement: [{ Effect: 'Unreadable' }] };

async function managedPolicies(
  iam: IAMClient,
  details: GetAccountAuthorizationDetailsCommandOutput,
  userBoundaries: ReadonlyMap<string, string>,
): Promise<Map<string, PolicyDocument>> {
  const own = (details.Policies ?? []).map(
    ({ Arn: arn = '', PolicyVersionList: versions = [] }): [string, PolicyDocument] => [
      arn,
      readPolicy(versions.find(({ IsDefaultVersion: isDefault }) => isDefault)?.Document ?? '') ?? UNREADABLE,
    ],
  );
  const attached = [details.UserDetailList, details.GroupDetailList, details.RoleDetailList]
    .flatMap((list): { AttachedManagedPolicies?: AttachedPolicy[] }[] => list ?? [])
    .flatMap(({ AttachedManagedPolicies: list = [] }) => list.map(({ PolicyArn: arn }) => arn));
  const boundaries = (details.RoleDetailList ?? []).map(
    ({ PermissionsBoundary: boundary }) => boundary?.PermissionsBoundaryArn,
  );
  const used = [...attached, ...boundaries, ...userBoundaries.values()];
  const foreign = new Set(used.filter((arn): arn is string => arn?.startsWith('arn:aws:iam::aws:') === true));
  const documents = await Promise.all(
    [...foreign].map(async (arn) => [arn, await policyOfAws(iam, arn)] as const),
  );
  return new Map([...own, ...documents]);
}

/** One of AWS's own policies. */
export async function policyOfAws(iam: IAMClient, arn: string): Promise<PolicyDocument> {
  const known = ofAws.get(arn);
  if (known !== undefined) return known;
  const { Policy: policy } = await iam.send(new GetPolicyCommand({ PolicyArn: arn }));
  const { PolicyVersion: version } = await iam.send(
    new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: policy?.DefaultVersionId }),
  );
  const document = readPolicy(version?.Document ?? '') ?? UNREADABLE;
  ofAws.set(arn, document);
  return document;
}

function tags(list: Tag[] = []): Record<string, string> {
  return Object.fromEntries(list.map(({ Key: key = '', Value: value = '' }) => [key, value]));
}
