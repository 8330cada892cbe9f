import {
  GetGroupCommand,
  GetGroupPolicyCommand,
  GetInstanceProfileCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  ListAttachedGroupPoliciesCommand,
  ListAttachedRolePoliciesCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupPoliciesCommand,
  ListGroupsForUserCommand,
  ListOpenIDConnectProviderTagsCommand,
  ListPolicyTagsCommand,
  ListRolePoliciesCommand,
  ListUserPoliciesCommand,
  type AttachedPolicy,
  type IAMClient,
  type Tag,
} from '@aws-sdk/client-iam';
import type { Kept } from './kept';
import { orNothing, type ClientFor } from './moto-clients';
import { readPolicy, type NamedPolicy, type PolicyDocument } from './policy';

export interface Identity {
  readonly arn: string;
  /** Unique id: one that is made anew under the same name has another. */
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  /** ARN of the permissions boundary. @default - none */
  readonly boundary: string | undefined;
}

export interface Role extends Identity {
  /** @default - it can't be read, and trusts nobody */
  readonly trust: PolicyDocument | undefined;
  /** Longest session, in seconds. */
  readonly longestSession: number;
}

/** Of policies that are its own, and ARNs of those that hang on it. */
interface Policies {
  readonly inline: readonly NamedPolicy[];
  readonly attached: readonly string[];
}

/** A policy that is gone, or that nobody can read, could deny something: a decision with it is refused as a gap. */
const UNREADABLE: PolicyDocument = { Version: '2012-10-17', Statement: [{ Effect: 'Unreadable' }] };
const OF_AWS = 'arn:aws:iam::aws:';
const DEFAULT_SESSION_SECONDS = 3600;

/** Users, roles and policies, each read from moto when it is needed and kept until it is changed. */
export class Identities {
  /** By account, then user name: ARN of the permissions boundary, which moto doesn't keep for users. */
  private readonly userBoundaries = new Map<string, Map<string, string>>();

  constructor(
    private readonly clientFor: ClientFor,
    private readonly kept: Kept,
    private readonly region: string,
  ) {}

  /** @returns undefined when there is none of that name */
  async user(account: string, name: string): Promise<Identity | undefined> {
    const iam = this.iam(account);
    const user = await this.read(account, `user/${name}`, 'itself', async () => {
      const found = (await orNothing(iam.send(new GetUserCommand({ UserName: name }))))?.User;
      return found && { arn: found.Arn ?? '', id: userId(found.UserId ?? ''), tags: tags(found.Tags) };
    });
    return user && { ...user, boundary: this.userBoundary(account, name) };
  }

  /** @returns undefined when there is none of that name */
  role(account: string, name: string): Promise<Role | undefined> {
    const iam = this.iam(account);
    return this.read(account, `role/${name}`, 'itself', async () => {
      const found = (await orNothing(iam.send(new GetRoleCommand({ RoleName: name }))))?.Role;
      return (
        found && {
          arn: found.Arn ?? '',
          id: found.RoleId ?? '',
          tags: tags(found.Tags),
          boundary: found.PermissionsBoundary?.PermissionsBoundaryArn,
          trust: readPolicy(found.AssumeRolePolicyDocument ?? ''),
          longestSession: found.MaxSessionDuration ?? DEFAULT_SESSION_SECONDS,
        }
      );
    });
  }

  /** @returns undefined when there is none of that name */
  group(account: string, name: string): Promise<{ readonly arn: string } | undefined> {
    const iam = this.iam(account);
    return this.read(account, `group/${name}`, 'itself', async () => {
      const found = (await orNothing(iam.send(new GetGroupCommand({ GroupName: name }))))?.Group;
      return found && { arn: found.Arn ?? '' };
    });
  }

  /** Inline, attached, and of his groups. */
  async policiesOfUser(account: string, name: string): Promise<NamedPolicy[]> {
    const iam = this.iam(account);
    const of = { UserName: name };
    const own = await this.read(account, `user/${name}`, 'policies', async () => {
      const [inline, attached, groups] = await Promise.all([
        iam.send(new ListUserPoliciesCommand(of)),
        iam.send(new ListAttachedUserPoliciesCommand(of)),
        iam.send(new ListGroupsForUserCommand(of)),
      ]);
      const read = (policy: string) => iam.send(new GetUserPolicyCommand({ ...of, PolicyName: policy }));
      return {
        inline: await each(inline.PolicyNames, read),
        attached: arns(attached.AttachedPolicies),
        groups: (groups.Groups ?? []).map(({ GroupName: group = '' }) => group),
      };
    });
    const ofGroups = own.groups.map((group) => this.policiesOfGroup(account, group));
    return [...(await this.all(account, own)), ...(await Promise.all(ofGroups)).flat()];
  }

  /** Inline and attached. */
  async policiesOfRole(account: string, name: string): Promise<NamedPolicy[]> {
    const iam = this.iam(account);
    const of = { RoleName: name };
    const own = await this.read(account, `role/${name}`, 'policies', async () => {
      const [inline, attached] = await Promise.all([
        iam.send(new ListRolePoliciesCommand(of)),
        iam.send(new ListAttachedRolePoliciesCommand(of)),
      ]);
      const read = (policy: string) => iam.send(new GetRolePolicyCommand({ ...of, PolicyName: policy }));
      return { inline: await each(inline.PolicyNames, read), attached: arns(attached.AttachedPolicies) };
    });
    return this.all(account, own);
  }

  /** A policy that hangs on something, by its ARN. */
  async attachedPolicy(account: string, arn: string): Promise<NamedPolicy> {
    return { name: arn, document: (await this.managedPolicy(account, arn)) ?? UNREADABLE };
  }

  /** A managed policy of the account or of AWS. @returns undefined when there is none */
  async managedPolicy(account: string, arn: string): Promise<PolicyDocument | undefined> {
    // AWS's own never change here.
    const kinds = arn.startsWith(OF_AWS) ? [] : [`iam:${account}`, `iam:${account}:policy/${arn}`];
    const iam = this.iam(account);
    return this.kept.read(kinds, `document of ${arn}`, async () => {
      const policy = (await orNothing(iam.send(new GetPolicyCommand({ PolicyArn: arn }))))?.Policy;
      if (policy === undefined) return undefined;
      const { PolicyVersion: version } = await iam.send(
        new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: policy.DefaultVersionId }),
      );
      return readPolicy(version?.Document ?? '') ?? UNREADABLE;
    });
  }

  /** @returns undefined when there is none of that name */
  instanceProfile(
    account: string,
    name: string,
  ): Promise<
    { arn: string; roleArn: string | undefined; tags: Readonly<Record<string, string>> } | undefined
  > {
    const iam = this.iam(account);
    return this.read(account, `instance-profile/${name}`, 'itself', async () => {
      const answer = await orNothing(iam.send(new GetInstanceProfileCommand({ InstanceProfileName: name })));
      const profile = answer?.InstanceProfile;
      return (
        profile && { arn: profile.Arn ?? '', roleArn: profile.Roles?.[0]?.Arn, tags: tags(profile.Tags) }
      );
    });
  }

  /** Tags of what is neither user nor role: a policy, an identity provider, an instance profile. */
  async tagsOf(account: string, arn: string): Promise<Readonly<Record<string, string>> | undefined> {
    const iam = this.iam(account);
    const [, kind, name = ''] = /:(policy|oidc-provider|instance-profile)\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
    if (kind === 'instance-profile') return (await this.instanceProfile(account, name))?.tags;
    if (kind === undefined) return undefined;
    return this.read(account, `${kind}/${arn}`, 'tags', async () => {
      const answer = await orNothing<{ Tags?: Tag[] | undefined }>(
        kind === 'policy'
          ? iam.send(new ListPolicyTagsCommand({ PolicyArn: arn }))
          : iam.send(new ListOpenIDConnectProviderTagsCommand({ OpenIDConnectProviderArn: arn })),
      );
      return answer && tags(answer.Tags);
    });
  }

  setUserBoundary(account: string, userName: string, boundary: string | undefined): void {
    const ofAccount = this.userBoundaries.get(account) ?? new Map<string, string>();
    this.userBoundaries.set(account, ofAccount);
    if (boundary === undefined) ofAccount.delete(userName);
    else ofAccount.set(userName, boundary);
  }

  userBoundary(account: string, userName: string): string | undefined {
    return this.userBoundaries.get(account)?.get(userName);
  }

  /**
   * Something was changed in an account.
   *
   * @param input what the request says: of what it names by itself only that was changed
   */
  changed(account: string, input: Readonly<Record<string, unknown>>): void {
    const named = Object.entries(KINDS).flatMap(([member, kind]) => {
      const value = input[member];
      return typeof value === 'string' ? [`${kind}/${value}`] : [];
    });
    const renames = input.NewGroupName !== undefined || input.NewUserName !== undefined;
    if (named.length === 0 || renames) this.kept.changed(`iam:${account}`);
    for (const each of named) this.kept.changed(`iam:${account}:${each}`);
  }

  private iam(account: string): IAMClient {
    return this.clientFor('iam', { account, region: this.region });
  }

  private read<T>(account: string, what: string, name: string, fetch: () => Promise<T>): Promise<T> {
    return this.kept.read([`iam:${account}`, `iam:${account}:${what}`], name, fetch);
  }

  private async policiesOfGroup(account: string, name: string): Promise<NamedPolicy[]> {
    const iam = this.iam(account);
    const of = { GroupName: name };
    const own = await this.read(account, `group/${name}`, 'policies', async () => {
      const [inline, attached] = await Promise.all([
        iam.send(new ListGroupPoliciesCommand(of)),
        iam.send(new ListAttachedGroupPoliciesCommand(of)),
      ]);
      const read = (policy: string) => iam.send(new GetGroupPolicyCommand({ ...of, PolicyName: policy }));
      return { inline: await each(inline.PolicyNames, read), attached: arns(attached.AttachedPolicies) };
    });
    return this.all(account, own);
  }

  private async all(account: string, { inline, attached }: Policies): Promise<NamedPolicy[]> {
    return [...inline, ...(await Promise.all(attached.map((arn) => this.attachedPolicy(account, arn))))];
  }
}

/** Members of requests that name what they change. */
const KINDS = {
  UserName: 'user',
  RoleName: 'role',
  GroupName: 'group',
  PolicyArn: 'policy',
  InstanceProfileName: 'instance-profile',
} as const;

/**
 * A user's unique id, which begins as AWS's do (IAM User Guide, "IAM identifiers"): moto's begin with anything.
 *
 * @param id moto's
 */
export const userId = (id: string) => (id.startsWith('AIDA') ? id : `AIDA${id.slice(0, 17).toUpperCase()}`);

async function each(
  names: readonly string[] = [],
  read: (name: string) => Promise<{ PolicyName?: string | undefined; PolicyDocument?: string | undefined }>,
): Promise<NamedPolicy[]> {
  const found = await Promise.all(names.map(read));
  return found.map(({ PolicyName: name = '', PolicyDocument: text = '' }) => ({
    name,
    document: readPolicy(text) ?? UNREADABLE,
  }));
}

const arns = (list: readonly AttachedPolicy[] = []) => list.map(({ PolicyArn: arn = '' }) => arn);

function tags(list: readonly Tag[] = []): Record<string, string> {
  return Object.fromEntries(list.map(({ Key: key = '', Value: value = '' }) => [key, value]));
}
