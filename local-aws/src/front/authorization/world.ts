import {
  GetInstanceProfileCommand,
  GetRoleCommand,
  ListOpenIDConnectProviderTagsCommand,
  ListPolicyTagsCommand,
} from '@aws-sdk/client-iam';
import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms';
import { DescribeSecretCommand, type DescribeSecretCommandOutput } from '@aws-sdk/client-secrets-manager';
import { Kept } from './kept';
import { policyOfAws, readIdentities, type Identities } from './identities';
import { readPolicy, type PolicyDocument } from './policy';
import { motoClients, type Place } from './moto-clients';

export interface Bucket {
  /** Who made it. */
  readonly account: string;
  readonly region: string;
  policy?: {
    /** As it was put. */
    readonly text: string;
    readonly document: PolicyDocument;
  };
}

export interface KeyFacts {
  readonly arn: string;
  readonly account: string;
  /** `alias/…`, all of them. */
  readonly aliases: readonly string[];
  readonly spec: string;
  readonly usage: string;
  readonly origin: string;
  readonly multiRegion: boolean;
  readonly tags: Readonly<Record<string, string>>;
  readonly policy: PolicyDocument | undefined;
}

/** What decisions need to know of the account's things: read from moto, or learnt from what passed by. */
export class World {
  readonly kept = new Kept();
  readonly client;
  /** Every bucket by its name, which is one for all accounts. Their policies are kept here: moto misjudges them. */
  readonly buckets = new Map<string, Bucket>();
  /** By account, then user name: ARN of the permissions boundary, which moto doesn't keep for users. */
  private readonly userBoundaries = new Map<string, Map<string, string>>();

  constructor(
    motoEndpoint: string,
    /** The account that this AWS is for. */
    readonly account: string,
    readonly region: string,
  ) {
    this.client = motoClients(motoEndpoint);
  }

  /** Something was changed by a request for this service. CloudFormation changes any. */
  changed(prefix: string, account: string): void {
    for (const each of prefix === 'cloudformation' ? CHANGED_BY_STACKS : [prefix])
      this.kept.changed(`${each}:${account}`);
  }

  read<T>(prefix: string, { account, region }: Place, what: string, fetch: () => Promise<T>): Promise<T> {
    return this.kept.read(`${prefix}:${account}`, `${region}:${what}`, fetch);
  }

  identities(account: string): Promise<Identities> {
    const place = { account, region: this.region };
    return this.read('iam', place, 'identities', () =>
      readIdentities(
        this.client('iam', place),
        this.userBoundaries.get(account) ?? new Map<string, string>(),
      ),
    );
  }

  setUserBoundary(account: string, userName: string, boundary: string | undefined): void {
    const ofAccount = this.userBoundaries.get(account) ?? new Map<string, string>();
    this.userBoundaries.set(account, ofAccount);
    if (boundary === undefined) ofAccount.delete(userName);
    else ofAccount.set(userName, boundary);
    this.changed('iam', account);
  }

  userBoundary(account: string, userName: string): string | undefined {
    return this.userBoundaries.get(account)?.get(userName);
  }

  /** A managed policy of the account or of AWS. @returns undefined when there is none */
  async managedPolicy(account: string, arn: string): Promise<PolicyDocument | undefined> {
    const known = (await this.identities(account)).managed.get(arn);
    if (known !== undefined || !arn.startsWith('arn:aws:iam::aws:')) return known;
    return orNothing(policyOfAws(this.client('iam', { account, region: this.region }), arn));
  }

  /** Longest session of a role, in seconds. */
  async longestSession(account: string, roleName: string): Promise<number> {
    const place = { account, region: this.region };
    const { Role: role } = await this.read('iam', place, `role ${roleName}`, () =>
      this.client('iam', place).send(new GetRoleCommand({ RoleName: roleName })),
    );
    return role?.MaxSessionDuration ?? 3600;
  }

  /** @returns undefined when there is none of that name */
  async instanceProfile(
    account: string,
    name: string,
  ): Promise<{ arn: string; roleArn: string | undefined } | undefined> {
    const place = { account, region: this.region };
    return this.read('iam', place, `instance profile ${name}`, async () => {
      const answer = await orNothing(
        this.client('iam', place).send(new GetInstanceProfileCommand({ InstanceProfileName: name })),
      );
      const profile = answer?.InstanceProfile;
      return profile === undefined ? undefined : { arn: profile.Arn ?? '', roleArn: profile.Roles?.[0]?.Arn };
    });
  }

  /** Tags of what is neither user nor role: a policy, an identity provider, an instance profile. */
  iamTags(place: Place, arn: string): Promise<Readonly<Record<string, string>> | undefined> {
    return this.read('iam', place, `tags of ${arn}`, async () => {
      const iam = this.client('iam', place);
      const [, kind = '', name = ''] =
        /:(policy|oidc-provider|instance-profile)\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
      const answer = await orNothing<{
        Tags?: { Key?: string | undefined; Value?: string | undefined }[] | undefined;
      }>(
        kind === 'policy'
          ? iam.send(new ListPolicyTagsCommand({ PolicyArn: arn }))
          : kind === 'oidc-provider'
            ? iam.send(new ListOpenIDConnectProviderTagsCommand({ OpenIDConnectProviderArn: arn }))
            : iam
                .send(new GetInstanceProfileCommand({ InstanceProfileName: name }))
                .then(({ InstanceProfile: profile }) => ({ Tags: profile?.Tags })),
      );
      return (
        answer &&
        Object.fromEntries((answer.Tags ?? []).map(({ Key: key = '', Value: value = '' }) => [key, value]))
      );
    });
  }

  /**
   * A KMS key by its id, its ARN, or an alias in either form.
   *
   * @returns undefined when there is no such key
   */
  async key(place: Place, id: string): Promise<KeyFacts | undefined> {
    const at = { ...place, ...placeOf(id) };
    return this.read('kms', at, `key ${id}`, async () => {
      const kms = this.client('kms', at);
      const described = await orNothing(kms.send(new DescribeKeyCommand({ KeyId: id })));
      const key = described?.KeyMetadata;
      if (key?.KeyId === undefined || key.Arn === undefined) return undefined;
      const of = { KeyId: key.KeyId };
      const [aliases, tags, policy] = await Promise.all([
        kms.send(new ListAliasesCommand(of)),
        orNothing(kms.send(new ListResourceTagsCommand(of))),
        orNothing(kms.send(new GetKeyPolicyCommand({ ...of, PolicyName: 'default' }))),
      ]);
      return {
        arn: key.Arn,
        account: at.account,
        aliases: (aliases.Aliases ?? []).map(({ AliasName: name = '' }) => name),
        spec: key.KeySpec ?? 'SYMMETRIC_DEFAULT',
        usage: key.KeyUsage ?? 'ENCRYPT_DECRYPT',
        origin: key.Origin ?? 'AWS_KMS',
        multiRegion: key.MultiRegion ?? false,
        tags: Object.fromEntries(
          (tags?.Tags ?? []).map(({ TagKey: name = '', TagValue: value = '' }) => [name, value]),
        ),
        policy: readPolicy(policy?.Policy ?? ''),
      };
    });
  }

  /** @param id its name or ARN */
  secret(place: Place, id: string): Promise<DescribeSecretCommandOutput | undefined> {
    const at = { ...place, ...placeOf(id) };
    return this.read('secretsmanager', at, `secret ${id}`, () =>
      orNothing(this.client('secretsmanager', at).send(new DescribeSecretCommand({ SecretId: id }))),
    );
  }
}

/** What moto's CloudFormation may make without a request that passes by here. */
const CHANGED_BY_STACKS = [
  'iam',
  's3',
  'ssm',
  'kms',
  'ecr',
  'ec2',
  'dynamodb',
  'secretsmanager',
  'cloudwatch',
  'logs',
  'ses',
  'lambda',
  'apigateway',
  'cloudformation',
];

/** Account and region that an ARN names; nothing for what is no ARN. */
export function placeOf(arn: string): Partial<Place> {
  const [head, , , region = '', account = ''] = arn.split(':');
  if (head !== 'arn') return {};
  return { ...(region !== '' && { region }), ...(account !== '' && { account }) };
}

/** What there is, or undefined where moto says that there is none, or lacks the call. */
export async function orNothing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (answered(error)) return undefined;
    throw error;
  }
}

/** It was an answer, and not a failure to get one. */
function answered(error: unknown): boolean {
  const { httpStatusCode } = (error as { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
  return httpStatusCode !== undefined;
}
