import {
  CreateAccessKeyCommand,
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DeleteUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  type CreateRoleCommandInput,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
  type AssumeRoleCommandInput,
  type Credentials,
} from '@aws-sdk/client-sts';
import type { GithubTokenOptions } from '../../src/front/github-issuer';
import type { Caller, Case, Who } from './case';
import { may } from './making';
import { allow, deny, policy, type PolicyDocument, type Statement } from './policies';
import { ACCOUNT, OTHER_ACCOUNT, REGION, type World } from './world';

const ASSUMING = 'AWS STS API Reference, "AssumeRole"';
const PRINCIPAL = 'IAM User Guide, "AWS JSON policy elements: Principal"';
const LOGIC = 'IAM User Guide, "Policy evaluation logic"';
const BOUNDARIES = 'IAM User Guide, "Permissions boundaries for IAM entities"';
const TRUST = 'IAM User Guide, "Update a role trust policy"';
const CROSS_ACCOUNT = 'IAM User Guide, "Cross-account policy evaluation logic"';
const KEYS = 'IAM User Guide, "IAM and AWS STS condition context keys"';
const GLOBAL_KEYS = 'IAM User Guide, "AWS global condition context keys"';
const EXTERNAL_ID =
  'IAM User Guide, "Access to AWS accounts owned by third parties" (how to use an external ID)';
const TAGS = 'IAM User Guide, "Pass session tags in AWS STS"';
const SOURCE_IDENTITY = 'IAM User Guide, "Monitor and control actions taken with assumed roles"';
const SESSION_TOKEN = 'IAM User Guide, "Permissions for GetSessionToken"';
const FEDERATION = 'IAM User Guide, "Permissions for GetFederationToken"';
const COMPARED = 'IAM User Guide, "Compare AWS STS credentials"';
const CALLER_IDENTITY = 'AWS STS API Reference, "GetCallerIdentity"';
const GITHUB =
  'IAM User Guide, "Create a role for OpenID Connect federation", section "Configuring a role for GitHub OIDC identity provider"';
const REFERENCE =
  'Service Authorization Reference, "Actions, resources, and condition keys for AWS Security Token Service"';
const MULTIVALUED = 'IAM User Guide, "Single-valued vs. multivalued context keys"';
const VARIABLES = 'IAM User Guide, "IAM policy elements: Variables and tags"';

type Condition = NonNullable<Statement['Condition']>;
/** What a role's trust policy says, once it is known who the caller is. */
type Trust = (who: Who) => Statement;

const roleOf = ({ name }: Who) => `arn:aws:iam::${ACCOUNT}:role/${name}-role`;
const secondRoleOf = ({ name }: Who) => `arn:aws:iam::${ACCOUNT}:role/${name}-second`;
const ROLES = `arn:aws:iam::${ACCOUNT}:role/*-role`;

const ASSUME = 'sts:AssumeRole';
const ASSUME_AND_TAG = [ASSUME, 'sts:TagSession'];
const ASSUME_AND_SOURCE = [ASSUME, 'sts:SetSourceIdentity'];

const trusts =
  (principal: (who: Who) => string, condition?: Condition, action: string | string[] = ASSUME): Trust =>
  (who) => ({
    Effect: 'Allow',
    Principal: { AWS: principal(who) },
    Action: action,
    ...(condition && { Condition: condition }),
  });

const distrusts =
  (...given: Parameters<typeof trusts>): Trust =>
  (who) => ({ ...trusts(...given)(who), Effect: 'Deny' });

const itself = ({ arn }: Who) => arn;
const its = ({ principalArn }: Who) => principalArn;
const itsAccount = ({ account }: Who) => `arn:aws:iam::${account}:root`;

interface RoleInput extends Partial<CreateRoleCommandInput> {
  policies?: PolicyDocument[];
}

async function makeRole(
  world: World,
  who: Who,
  suffix: string,
  trust: Trust[],
  { policies = [], ...input }: RoleInput = {},
): Promise<void> {
  const iam = new IAMClient(world.administrator);
  const name = `${who.name}-${suffix}`;
  await iam.send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify(policy(...trust.map((statement) => statement(who)))),
      ...input,
    }),
  );
  for (const [index, document] of policies.entries())
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: name,
        PolicyName: `inline-${index + 1}`,
        PolicyDocument: JSON.stringify(document),
      }),
    );
}

/** A role of the case's own, in the account that the cases are about, with this trust policy. */
const withRole =
  (trust: Trust | Trust[], input?: RoleInput): NonNullable<Case['given']> =>
  (world, who) =>
    makeRole(world, who, 'role', [trust].flat(), input);

/** And a second one, for chains. */
const withChain =
  (
    first: [trust: Trust | Trust[], input?: RoleInput],
    second: [trust: Trust | Trust[], input?: RoleInput],
  ): NonNullable<Case['given']> =>
  async (world, who) => {
    await makeRole(world, who, 'role', [first[0]].flat(), first[1]);
    await makeRole(world, who, 'second', [second[0]].flat(), second[1]);
  };

type Assumed = Partial<AssumeRoleCommandInput>;

const assumes =
  (input: Assumed | ((who: Who) => Assumed) = {}): Case['does'] =>
  (who) =>
    assume(who, typeof input === 'function' ? input(who) : input);

const assume = (who: Who, input: Assumed = {}) =>
  new STSClient(who.options).send(
    new AssumeRoleCommand({ RoleArn: roleOf(who), RoleSessionName: 'session', ...input }),
  );

const as = (who: Who, given: Credentials | undefined): Who => ({
  ...who,
  options: {
    ...who.options,
    credentials: {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    },
  },
});

/** With the session that the role gives. */
const assumesThen =
  (input: Assumed, then: Case['does']): Case['does'] =>
  async (who, world) =>
    then(as(who, (await assume(who, input)).Credentials), world);

/** Goes on to the second role with it. */
const chains = (input: Assumed = {}, then?: Case['does']): Case['does'] =>
  async function chain(who, world) {
    const { Credentials: given } = await assume(who, { RoleArn: secondRoleOf(who), ...input });
    return then?.(as(who, given), world);
  };

const readReport: Case['does'] = ({ options }, { bucket }) =>
  new S3Client(options).send(new GetObjectCommand({ Bucket: bucket, Key: 'reports/1.csv' }));

const whoAmI: Case['does'] = ({ options }) => new STSClient(options).send(new GetCallerIdentityCommand({}));

const asRole = (...statements: Statement[]): Caller => ({
  kind: 'role',
  ...(statements.length > 0 && { policies: [policy(...statements)] }),
});

const readsIf = (condition?: Condition) => policy(allow('s3:GetObject', '*', condition));
const tags = (given: Record<string, string>) => Object.entries(given).map(([Key, Value]) => ({ Key, Value }));

const bothSides: Case[] = [
  {
    name: 'a role that trusts the user by name takes no policy of his',
    source: `${ASSUMING}: in the same account, it is enough to add the user as a principal directly in the trust policy`,
    service: 'sts',
    given: withRole(trusts(itself)),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: "a role that trusts the account leaves it to the user's policies",
    source: `${ASSUMING}: otherwise a policy of the user's must allow AssumeRole, as long as the role trusts the account`,
    service: 'sts',
    given: withRole(trusts(itsAccount)),
    does: assumes(),
    expect: 'denied',
    says: /is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role\/case-\d+-role/,
  },
  {
    name: 'a role that trusts the account is open to whom a policy lets',
    source: `${ASSUMING}: a policy of the user's allows AssumeRole, and the role trusts the account`,
    service: 'sts',
    caller: may(allow(ASSUME, ROLES)),
    given: withRole(trusts(itsAccount)),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: 'an account may be trusted by its number',
    source: `${PRINCIPAL}: the account ARN and the shortened account ID behave the same way`,
    service: 'sts',
    caller: may(allow(ASSUME, ROLES)),
    given: withRole(trusts(({ account }) => account)),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: 'leave for one role is no leave for another',
    source:
      'IAM User Guide, "Grant a user permissions to switch roles": the role\'s ARN is in the Resource of the policy',
    service: 'sts',
    caller: may(allow(ASSUME, `arn:aws:iam::${ACCOUNT}:role/Test*`)),
    given: withRole(trusts(itsAccount)),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'not even an administrator takes on a role that trusts somebody else',
    source: `${LOGIC}: role trust policies must explicitly allow access for principals`,
    service: 'sts',
    caller: { managed: ['arn:aws:iam::aws:policy/AdministratorAccess'] },
    given: withRole(trusts(() => OTHER_ACCOUNT)),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'a role for a service is for nobody else',
    source: `${PRINCIPAL}, "AWS service principals": the trust policy names the service that may assume the role`,
    service: 'sts',
    caller: { managed: ['arn:aws:iam::aws:policy/AdministratorAccess'] },
    given: withRole(() => ({
      Effect: 'Allow',
      Principal: { Service: 'ec2.amazonaws.com' },
      Action: ASSUME,
    })),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: "a deny in the user's policies beats a trust policy that names him",
    source: `${LOGIC}: an explicit deny in any of the policies overrides the allow`,
    service: 'sts',
    caller: may(deny(ASSUME)),
    given: withRole(trusts(itself)),
    does: assumes(),
    expect: 'denied',
    says: /with an explicit deny in an identity-based policy$/,
  },
  {
    name: "a deny in the trust policy beats the user's policies",
    source: `${LOGIC}: an explicit deny in any of the policies overrides the allow`,
    service: 'sts',
    caller: may(allow(ASSUME)),
    given: withRole([trusts(itsAccount), distrusts(itself)]),
    does: assumes(),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'a boundary limits a user whom the trust policy names',
    source: `${TRUST}: if a user who is listed in the trust policy has a boundary, it must allow sts:AssumeRole`,
    service: 'sts',
    caller: { boundary: policy(allow('s3:*')) },
    given: withRole(trusts(itself)),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'a boundary that allows it lets the user in whom the trust policy names',
    source: `${TRUST}: if a user who is listed in the trust policy has a boundary, it must allow sts:AssumeRole`,
    service: 'sts',
    caller: { boundary: policy(allow(ASSUME)) },
    given: withRole(trusts(itself)),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: 'a trust policy that allows another action trusts nobody',
    source: `${ASSUMING}: the trust policy specifies who can assume the role, by sts:AssumeRole`,
    service: 'sts',
    caller: may(allow('sts:*')),
    given: withRole(trusts(itself, undefined, 'sts:AssumeRoleWithWebIdentity')),
    does: assumes(),
    expect: 'denied',
  },
];

const sessionsAsCallers: Case[] = [
  {
    name: 'a role that trusts a role by name takes no policy of its',
    source: `${LOGIC}: grants to a role's ARN are not limited by an implicit deny in its identity-based policies`,
    service: 'sts',
    caller: asRole(),
    given: withRole(trusts(its)),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: 'a role that trusts a role is not open to others',
    source: `${PRINCIPAL}, "IAM role principals": the permissions are the named role's`,
    service: 'sts',
    caller: asRole(allow(ASSUME)),
    given: async (world, who) => {
      await makeRole(world, who, 'second', [trusts(itsAccount)]);
      await makeRole(world, who, 'role', [trusts(secondRoleOf)]);
    },
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'a role may trust one session',
    source: `${PRINCIPAL}, "Assumed-role session principals": arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`,
    service: 'sts',
    caller: { kind: 'role', session: { name: 'John' } },
    given: withRole(trusts(itself)),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: 'a role that trusts one session does not trust another',
    source: `${PRINCIPAL}, "Assumed-role session principals": principals always name a specific session`,
    service: 'sts',
    caller: { kind: 'role', session: { name: 'John' } },
    given: withRole(trusts(({ arn }) => arn.replace('/John', '/Mary'))),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'a session policy limits what a trust policy grants the role',
    source: `${LOGIC}: grants to a role's ARN are limited by an implicit deny in a session policy`,
    service: 'sts',
    caller: { ...asRole(allow(ASSUME)), session: { policy: readsIf() } },
    given: withRole(trusts(its)),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'a session policy does not limit what a trust policy grants the session',
    source: `${LOGIC}: permissions granted directly to a session are not limited by a session policy`,
    service: 'sts',
    caller: { kind: 'role', session: { policy: readsIf() } },
    given: withRole(trusts(itself)),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: "a role's boundary limits what a trust policy grants it",
    source: `${BOUNDARIES}: grants to a role's ARN are limited by an implicit deny in a boundary`,
    service: 'sts',
    caller: { ...asRole(allow(ASSUME)), boundary: policy(allow('s3:*')) },
    given: withRole(trusts(its)),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'a role does not trust itself unless it says so',
    source: `${TRUST}: to assume the current role again, its ARN or the account's must be a principal in the trust policy`,
    service: 'sts',
    given: withRole(trusts(itself), { policies: [policy(allow(ASSUME))] }),
    does: assumesThen({}, assumes()),
    expect: 'denied',
    says: /assumed-role\/case-\d+-role\/session is not authorized to perform: sts:AssumeRole/,
  },
  {
    name: 'a role that trusts its account may be taken on again',
    source: `${TRUST}: to assume the current role again, its ARN or the account's must be a principal in the trust policy`,
    service: 'sts',
    caller: may(allow(ASSUME)),
    given: withRole(trusts(itsAccount), { policies: [policy(allow(ASSUME))] }),
    does: assumesThen({}, assumes()),
    expect: 'allowed',
  },
];

const conditions: Case[] = [
  {
    name: 'a tag of the user may be a condition of trust',
    source: `${GLOBAL_KEYS}, aws:PrincipalTag: compares the tag attached to the principal making the request`,
    service: 'sts',
    caller: { tags: { team: 'blue' }, ...may(allow(ASSUME)) },
    given: withRole(trusts(itsAccount, { StringEquals: { 'aws:PrincipalTag/team': 'blue' } })),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: 'without that tag there is no trust',
    source: `${GLOBAL_KEYS}, aws:PrincipalTag: compares the tag attached to the principal making the request`,
    service: 'sts',
    caller: may(allow(ASSUME)),
    given: withRole(trusts(itsAccount, { StringEquals: { 'aws:PrincipalTag/team': 'blue' } })),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'the account may be trusted for some of its principals',
    source: `${PRINCIPAL}: use the aws:PrincipalArn condition key with a broader principal`,
    service: 'sts',
    caller: asRole(allow(ASSUME)),
    given: withRole(
      trusts(itsAccount, { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:user/*` } }),
    ),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'a user may have to call the session by his name, and does',
    source: `${KEYS}, sts:RoleSessionName: a trust policy with StringLike sts:RoleSessionName \${aws:username}`,
    service: 'sts',
    caller: may(allow(ASSUME)),
    given: withRole(trusts(itsAccount, { StringLike: { 'sts:RoleSessionName': '${aws:username}' } })),
    does: assumes(({ name }) => ({ RoleSessionName: name })),
    expect: 'allowed',
  },
  {
    name: 'a user who has to call the session by his name may not choose another',
    source: `${KEYS}, sts:RoleSessionName: a trust policy with StringLike sts:RoleSessionName \${aws:username}`,
    service: 'sts',
    caller: may(allow(ASSUME)),
    given: withRole(trusts(itsAccount, { StringLike: { 'sts:RoleSessionName': '${aws:username}' } })),
    does: assumes({ RoleSessionName: 'somebody' }),
    expect: 'denied',
  },
  {
    name: 'whoever has no user name can not call the session by it',
    source: `${KEYS}, sts:RoleSessionName: this policy lets nobody with temporary credentials, since the variable is present for users only`,
    service: 'sts',
    caller: asRole(allow(ASSUME)),
    given: withRole(trusts(itsAccount, { StringLike: { 'sts:RoleSessionName': '${aws:username}' } })),
    does: assumes(({ name }) => ({ RoleSessionName: name })),
    expect: 'denied',
  },
  {
    name: 'a role may be taken on by its tag',
    source:
      'IAM User Guide, "IAM: Assume roles that have a specific tag": sts:AssumeRole on * with iam:ResourceTag/Project',
    service: 'sts',
    caller: may(allow(ASSUME, '*', { StringEquals: { 'iam:ResourceTag/Project': 'ExampleCorpABC' } })),
    given: withRole(trusts(itsAccount), { Tags: tags({ Project: 'ExampleCorpABC' }) }),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: 'a role with another tag may not be taken on',
    source:
      'IAM User Guide, "IAM: Assume roles that have a specific tag": sts:AssumeRole on * with iam:ResourceTag/Project',
    service: 'sts',
    caller: may(allow(ASSUME, '*', { StringEquals: { 'iam:ResourceTag/Project': 'ExampleCorpABC' } })),
    given: withRole(trusts(itsAccount), { Tags: tags({ Project: 'Other' }) }),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'aws:ResourceTag is the same for a role',
    source: `${KEYS}, iam:ResourceTag: IAM and AWS STS support both iam:ResourceTag and aws:ResourceTag`,
    service: 'sts',
    caller: may(allow(ASSUME, '*', { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } })),
    given: withRole(trusts(itsAccount), { Tags: tags({ team: 'blue' }) }),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'a role that asks for MFA is closed to a key without',
    source: `${ASSUMING}, "Using MFA with AssumeRole": the trust policy has Bool aws:MultiFactorAuthPresent true`,
    service: 'sts',
    given: withRole(trusts(itself, { Bool: { 'aws:MultiFactorAuthPresent': 'true' } })),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'a role may trust an address alone',
    source: `${PRINCIPAL}: limit who can access the role, such as by a condition on IP addresses`,
    service: 'sts',
    given: withRole(trusts(itself, { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } })),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'the duration is no condition of taking on a role',
    source: `${KEYS}, sts:DurationSeconds: the key is not present for AWS STS assume-role operations`,
    service: 'sts',
    given: withRole(trusts(itself, { NumericLessThanEquals: { 'sts:DurationSeconds': '3600' } })),
    does: assumes({ DurationSeconds: 900 }),
    expect: 'denied',
  },
];

const THE_ID = { StringEquals: { 'sts:ExternalId': 'Unique-1' } };

const externalIds: Case[] = [
  {
    name: 'the right external id opens',
    source: `${EXTERNAL_ID}: the trust policy tests sts:ExternalId, and the call includes it`,
    service: 'sts',
    given: withRole(trusts(itself, THE_ID)),
    does: assumes({ ExternalId: 'Unique-1' }),
    expect: 'allowed',
  },
  {
    name: 'a wrong external id does not open',
    source: `${EXTERNAL_ID}: whoever assumes the role must include the correct external ID`,
    service: 'sts',
    given: withRole(trusts(itself, THE_ID)),
    does: assumes({ ExternalId: 'unique-1' }),
    expect: 'denied',
  },
  {
    name: 'no external id does not open',
    source: `${KEYS}, sts:ExternalId: present when the principal provides an external ID`,
    service: 'sts',
    given: withRole(trusts(itself, THE_ID)),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'an external id that nobody asks for does no harm',
    source: `${EXTERNAL_ID}: test whether a role can be assumed without the correct external ID; if so, it doesn't ask for one`,
    service: 'sts',
    given: withRole(trusts(itself)),
    does: assumes({ ExternalId: 'any' }),
    expect: 'allowed',
  },
  {
    name: 'any external id may be asked for',
    source: `${KEYS}, sts:ExternalId: present when the principal provides one; IAM User Guide, "Condition operators", Null false: the key exists`,
    service: 'sts',
    given: withRole(trusts(itself, { Null: { 'sts:ExternalId': 'false' } })),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'an external id may be unwanted',
    source: `${KEYS}, sts:ExternalId: present when the principal provides one; IAM User Guide, "Condition operators", Null true: the key is absent`,
    service: 'sts',
    given: withRole(trusts(itself, { Null: { 'sts:ExternalId': 'true' } })),
    does: assumes({ ExternalId: 'any' }),
    expect: 'denied',
  },
];

const accounts: Case[] = [
  {
    name: "another account's user needs leave on both sides, and has it",
    source: `${ASSUMING}: the role must trust the account, and the user must have a policy for the role's ARN`,
    service: 'sts',
    caller: { account: OTHER_ACCOUNT, ...may(allow(ASSUME, ROLES)) },
    given: withRole(trusts(itself)),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: "another account's user needs more than to be named",
    source: `${ASSUMING}: a user of a different account must also have permissions from his account's administrator`,
    service: 'sts',
    caller: { account: OTHER_ACCOUNT },
    given: withRole(trusts(itself)),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: "another account's user needs more than his own policy",
    source: `${ASSUMING}: to assume a role from a different account, your account must be trusted by the role`,
    service: 'sts',
    caller: { account: OTHER_ACCOUNT, ...may(allow(ASSUME)) },
    given: withRole(trusts(() => ACCOUNT)),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'another account may be trusted as a whole',
    source: `${CROSS_ACCOUNT}: the resource-based policy can specify the entire account`,
    service: 'sts',
    caller: { account: OTHER_ACCOUNT, ...may(allow(ASSUME, ROLES)) },
    given: withRole(trusts(itsAccount)),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: "a third party's account needs the external id",
    source: `${EXTERNAL_ID}: the account is the principal, and sts:ExternalId the condition`,
    service: 'sts',
    caller: { account: OTHER_ACCOUNT, ...may(allow(ASSUME)) },
    given: withRole(trusts(itsAccount, THE_ID)),
    does: assumes({ ExternalId: 'Unique-2' }),
    expect: 'denied',
  },
  {
    name: "a session of another account's role may go on",
    source: `${CROSS_ACCOUNT}: the principal's identity-based policy and the resource-based policy both allow`,
    service: 'sts',
    caller: { account: OTHER_ACCOUNT, ...asRole(allow(ASSUME, ROLES)) },
    given: withRole(trusts(its)),
    does: assumes(),
    expect: 'allowed',
  },
  {
    name: "a session that another account's role trusts still needs its own policies",
    source: `${CROSS_ACCOUNT}: the requester must have an identity-based policy that allows the request`,
    service: 'sts',
    caller: { account: OTHER_ACCOUNT, kind: 'role' },
    given: withRole(trusts(itself)),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: "a role's session is of the role's account",
    source: `${KEYS}, sts:RoleSessionName: the session's ARN includes the account where the role exists, not the user's`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT, ...may(allow(ASSUME, ROLES)) },
    given: withRole(trusts(itself), {
      policies: [readsIf({ StringEquals: { 'aws:PrincipalAccount': ACCOUNT } })],
    }),
    does: assumesThen({}, readReport),
    expect: 'allowed',
  },
];

const BLUE = { Tags: tags({ team: 'blue' }) };

const sessionTags: Case[] = [
  {
    name: 'session tags take leave in the trust policy, and have it',
    source: `${TAGS}: sts:TagSession must be allowed before session tags can be passed`,
    service: 'sts',
    given: withRole(trusts(itself, undefined, ASSUME_AND_TAG)),
    does: assumes(BLUE),
    expect: 'allowed',
  },
  {
    name: 'session tags are refused where the trust policy does not let them',
    source: `${TAGS}: with a statement for sts:AssumeRole alone, the user can't assume the role with tags`,
    service: 'sts',
    given: withRole(trusts(itself)),
    does: assumes(BLUE),
    expect: 'denied',
    says: /sts:TagSession/,
  },
  {
    name: 'session tags take leave of the user, too, where the role trusts the account',
    source: `${TAGS}: in addition to the operation's own action, you must have sts:TagSession in your policy`,
    service: 'sts',
    caller: may(allow(ASSUME)),
    given: withRole(trusts(itsAccount, undefined, ASSUME_AND_TAG)),
    does: assumes(BLUE),
    expect: 'denied',
    says: /sts:TagSession/,
  },
  {
    name: 'session tags are let by the trust policy and the user',
    source: `${TAGS}: in addition to the operation's own action, you must have sts:TagSession in your policy`,
    service: 'sts',
    caller: may(allow(ASSUME_AND_TAG)),
    given: withRole(trusts(itsAccount, undefined, ASSUME_AND_TAG)),
    does: assumes(BLUE),
    expect: 'allowed',
  },
  {
    name: 'a tag may have to have one of some values, and has',
    source: `${TAGS}: aws:RequestTag/Department with StringEquals lets only the values listed`,
    service: 'sts',
    given: withRole(
      trusts(itself, { StringEquals: { 'aws:RequestTag/team': ['blue', 'green'] } }, ASSUME_AND_TAG),
    ),
    does: assumes(BLUE),
    expect: 'allowed',
  },
  {
    name: 'a tag of another value is refused',
    source: `${TAGS}: aws:RequestTag/Department with StringEquals lets only the values listed`,
    service: 'sts',
    given: withRole([
      trusts(itself),
      trusts(itself, { StringEquals: { 'aws:RequestTag/team': ['blue', 'green'] } }, 'sts:TagSession'),
    ]),
    does: assumes({ Tags: tags({ team: 'red' }) }),
    expect: 'denied',
  },
  {
    name: 'a tag may have to be there',
    source: `${TAGS}: StringLike aws:RequestTag/Project * makes the tag required, otherwise the operation fails`,
    service: 'sts',
    given: withRole(trusts(itself, { StringLike: { 'aws:RequestTag/Project': '*' } }, ASSUME_AND_TAG)),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'tags other than those of a list are refused',
    source: `${TAGS}: aws:TagKeys limits the maximum set of session tags that can be passed`,
    service: 'sts',
    given: withRole([
      trusts(itself),
      trusts(itself, { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] } }, 'sts:TagSession'),
    ]),
    does: assumes({ Tags: tags({ team: 'blue', admin: 'yes' }) }),
    expect: 'denied',
  },
  {
    name: 'a tag may have to be that of the user',
    source: `${TAGS}: aws:PrincipalTag and aws:RequestTag are keys of sts:TagSession; ${VARIABLES}`,
    service: 'sts',
    caller: { tags: { team: 'green' } },
    given: withRole([
      trusts(itself),
      trusts(
        itself,
        { StringEquals: { 'aws:RequestTag/team': '${aws:PrincipalTag/team}' } },
        'sts:TagSession',
      ),
    ]),
    does: assumes(BLUE),
    expect: 'denied',
  },
  {
    name: 'tags of a list may go on',
    source: `${TAGS}: ForAllValues on sts:TransitiveTagKeys lists what can be set as transitive`,
    service: 'sts',
    given: withRole(
      trusts(
        itself,
        { 'ForAllValues:StringEquals': { 'sts:TransitiveTagKeys': ['team', 'grade'] } },
        ASSUME_AND_TAG,
      ),
    ),
    does: assumes({ ...BLUE, TransitiveTagKeys: ['team'] }),
    expect: 'allowed',
  },
  {
    name: 'other tags may not go on',
    source: `${TAGS}: additional tags cannot be set as transitive`,
    service: 'sts',
    given: withRole(
      trusts(itself, { 'ForAllValues:StringEquals': { 'sts:TransitiveTagKeys': ['grade'] } }, ASSUME_AND_TAG),
    ),
    does: assumes({ ...BLUE, TransitiveTagKeys: ['team'] }),
    expect: 'denied',
  },
  {
    name: 'tags may have to go on',
    source: `${TAGS}: Null sts:TransitiveTagKeys false requires at least one transitive tag`,
    service: 'sts',
    given: withRole(trusts(itself, { Null: { 'sts:TransitiveTagKeys': 'false' } }, ASSUME_AND_TAG)),
    does: assumes(BLUE),
    expect: 'denied',
  },
  {
    name: "a session tag takes the place of the role's",
    source: `${TAGS}: new session tags override existing role tags with the same tag key`,
    service: 's3',
    given: withRole(trusts(itself, undefined, ASSUME_AND_TAG), {
      policies: [readsIf({ StringEquals: { 'aws:PrincipalTag/team': 'blue' } })],
      Tags: tags({ team: 'green' }),
    }),
    does: assumesThen(BLUE, readReport),
    expect: 'allowed',
  },
  {
    name: 'a transitive tag goes on to the next role',
    source: `${TAGS}, "Chaining roles with session tags": transitive tags pass to subsequent sessions in a role chain`,
    service: 's3',
    given: withChain(
      [trusts(itself, undefined, ASSUME_AND_TAG), { policies: [policy(allow(ASSUME_AND_TAG))] }],
      [
        trusts(roleOf, undefined, ASSUME_AND_TAG),
        { policies: [readsIf({ StringEquals: { 'aws:PrincipalTag/team': 'blue' } })] },
      ],
    ),
    does: assumesThen({ ...BLUE, TransitiveTagKeys: ['team'] }, chains({}, readReport)),
    expect: 'allowed',
  },
  {
    name: 'a tag that is not transitive stays behind',
    source: `${TAGS}: by default, AWS STS does not pass tags to subsequent role sessions`,
    service: 's3',
    given: withChain(
      [trusts(itself, undefined, ASSUME_AND_TAG), { policies: [policy(allow(ASSUME_AND_TAG))] }],
      [
        trusts(roleOf, undefined, ASSUME_AND_TAG),
        { policies: [readsIf({ StringEquals: { 'aws:PrincipalTag/team': 'blue' } })] },
      ],
    ),
    does: assumesThen(BLUE, chains({}, readReport)),
    expect: 'denied',
    says: /s3:GetObject/,
  },
  {
    name: "a role's own tags stay behind",
    source: `${TAGS}, "Chaining roles with session tags": role tags cannot be set as transitive, and future sessions do not inherit them`,
    service: 's3',
    given: withChain(
      [
        trusts(itself, undefined, ASSUME_AND_TAG),
        { policies: [policy(allow(ASSUME_AND_TAG))], Tags: tags({ team: 'blue' }) },
      ],
      [
        trusts(roleOf, undefined, ASSUME_AND_TAG),
        { policies: [readsIf({ StringEquals: { 'aws:PrincipalTag/team': 'blue' } })] },
      ],
    ),
    does: assumesThen({}, chains({}, readReport)),
    expect: 'denied',
    says: /s3:GetObject/,
  },
  {
    name: "a transitive tag takes the place of the next role's",
    source: `${TAGS}, "Chaining roles with session tags": the inherited session tag overrides the role's tag`,
    service: 's3',
    given: withChain(
      [trusts(itself, undefined, ASSUME_AND_TAG), { policies: [policy(allow(ASSUME_AND_TAG))] }],
      [
        trusts(roleOf, undefined, ASSUME_AND_TAG),
        {
          policies: [readsIf({ StringEquals: { 'aws:PrincipalTag/team': 'blue' } })],
          Tags: tags({ team: 'green' }),
        },
      ],
    ),
    does: assumesThen({ ...BLUE, TransitiveTagKeys: ['team'] }, chains({}, readReport)),
    expect: 'allowed',
  },
  {
    name: "a transitive tag takes the place of the next role's in its trust policy",
    source: `${TAGS}, "Chaining roles with session tags": the transitive tag's value overrides the role's ResourceTag value before the trust policy is evaluated`,
    service: 'sts',
    given: withChain(
      [trusts(itself, undefined, ASSUME_AND_TAG), { policies: [policy(allow(ASSUME_AND_TAG))] }],
      [
        trusts(roleOf, { StringEquals: { 'aws:ResourceTag/team': 'blue' } }, ASSUME_AND_TAG),
        { Tags: tags({ team: 'green' }) },
      ],
    ),
    does: assumesThen({ ...BLUE, TransitiveTagKeys: ['team'] }, chains()),
    expect: 'allowed',
  },
];

const DEV_USER = { SourceIdentity: 'DevUser' };

const sourceIdentities: Case[] = [
  {
    name: 'a source identity takes leave, and has it',
    source: `${SOURCE_IDENTITY}: sts:SetSourceIdentity in the trust policy`,
    service: 'sts',
    given: withRole(trusts(itself, { StringEquals: { 'sts:SourceIdentity': 'DevUser' } }, ASSUME_AND_SOURCE)),
    does: assumes(DEV_USER),
    expect: 'allowed',
  },
  {
    name: 'a source identity is refused where the trust policy does not let it',
    source: `${SOURCE_IDENTITY}: for roles without the permission in the trust policy, the operation fails`,
    service: 'sts',
    given: withRole(trusts(itself)),
    does: assumes(DEV_USER),
    expect: 'denied',
    says: /sts:SetSourceIdentity/,
  },
  {
    name: 'a source identity takes leave of the user, too, where the role trusts the account',
    source: `${SOURCE_IDENTITY}: principals must have permissions to sts:SetSourceIdentity`,
    service: 'sts',
    caller: may(allow(ASSUME)),
    given: withRole(trusts(itsAccount, undefined, ASSUME_AND_SOURCE)),
    does: assumes(DEV_USER),
    expect: 'denied',
    says: /sts:SetSourceIdentity/,
  },
  {
    name: "a source identity may have to be the user's name",
    source: `${SOURCE_IDENTITY}: StringLike sts:SourceIdentity \${aws:username} in the user's policy`,
    service: 'sts',
    caller: may(
      allow(ASSUME),
      allow('sts:SetSourceIdentity', '*', { StringLike: { 'sts:SourceIdentity': '${aws:username}' } }),
    ),
    given: withRole(trusts(itsAccount, undefined, ASSUME_AND_SOURCE)),
    does: assumes(({ name }) => ({ SourceIdentity: name })),
    expect: 'allowed',
  },
  {
    name: "a source identity that has to be the user's name may be no other",
    source: `${SOURCE_IDENTITY}: StringLike sts:SourceIdentity \${aws:username} in the user's policy`,
    service: 'sts',
    caller: may(
      allow(ASSUME),
      allow('sts:SetSourceIdentity', '*', { StringLike: { 'sts:SourceIdentity': '${aws:username}' } }),
    ),
    given: withRole(trusts(itsAccount, undefined, ASSUME_AND_SOURCE)),
    does: assumes(DEV_USER),
    expect: 'denied',
  },
  {
    name: 'a source identity may have to be set',
    source: `${KEYS}, sts:SourceIdentity: a trust policy can require a specific source identity; present when one is provided`,
    service: 'sts',
    given: withRole(trusts(itself, { StringLike: { 'sts:SourceIdentity': '*' } }, ASSUME_AND_SOURCE)),
    does: assumes(),
    expect: 'denied',
  },
  {
    name: 'a source identity stays with the session',
    source: `${SOURCE_IDENTITY}: aws:SourceIdentity is present in all requests of the session`,
    service: 's3',
    given: withRole(trusts(itself, undefined, ASSUME_AND_SOURCE), {
      policies: [readsIf({ StringEquals: { 'aws:SourceIdentity': 'DevUser' } })],
    }),
    does: assumesThen(DEV_USER, readReport),
    expect: 'allowed',
  },
  {
    name: 'a source identity goes on through a chain',
    source: `${SOURCE_IDENTITY}: the value persists when a role is used to assume another`,
    service: 's3',
    given: withChain(
      [trusts(itself, undefined, ASSUME_AND_SOURCE), { policies: [policy(allow(ASSUME_AND_SOURCE))] }],
      [
        trusts(roleOf, { StringLike: { 'aws:SourceIdentity': ['Saanvi', 'DevUser'] } }, ASSUME_AND_SOURCE),
        { policies: [readsIf({ StringEquals: { 'aws:SourceIdentity': 'DevUser' } })] },
      ],
    ),
    does: assumesThen(DEV_USER, chains({}, readReport)),
    expect: 'allowed',
  },
  {
    name: 'a chain hands on sts:SourceIdentity, too',
    source: `${SOURCE_IDENTITY}, "Role chaining and cross-account requirements": both aws:SourceIdentity and sts:SourceIdentity are present`,
    service: 'sts',
    given: withChain(
      [trusts(itself, undefined, ASSUME_AND_SOURCE), { policies: [policy(allow(ASSUME_AND_SOURCE))] }],
      [trusts(roleOf, { StringEquals: { 'sts:SourceIdentity': 'DevUser' } }, ASSUME_AND_SOURCE)],
    ),
    does: assumesThen(DEV_USER, chains()),
    expect: 'allowed',
  },
  {
    name: "a chain with a source identity takes leave in the next role's trust policy",
    source: `${SOURCE_IDENTITY}: for chains, sts:SetSourceIdentity is required in the trust policy of the target role`,
    service: 'sts',
    given: withChain(
      [trusts(itself, undefined, ASSUME_AND_SOURCE), { policies: [policy(allow(ASSUME_AND_SOURCE))] }],
      [trusts(roleOf)],
    ),
    does: assumesThen(DEV_USER, chains()),
    expect: 'denied',
    says: /sts:SetSourceIdentity/,
  },
  {
    name: "a chain with a source identity takes leave in the first role's policies as well",
    source: `${SOURCE_IDENTITY}: for chains, sts:SetSourceIdentity is required in both the permissions policy of who assumes and the trust policy of the target`,
    service: 'sts',
    given: withChain(
      [trusts(itself, undefined, ASSUME_AND_SOURCE), { policies: [policy(allow(ASSUME))] }],
      [trusts(roleOf, undefined, ASSUME_AND_SOURCE)],
    ),
    does: assumesThen(DEV_USER, chains()),
    expect: 'denied',
    says: /sts:SetSourceIdentity/,
  },
  {
    name: "another account's user sets a source identity with leave on both sides",
    source: `${SOURCE_IDENTITY}: across accounts, sts:SetSourceIdentity is required in both places`,
    service: 'sts',
    caller: { account: OTHER_ACCOUNT, ...may(allow(ASSUME)) },
    given: withRole(trusts(itself, undefined, ASSUME_AND_SOURCE)),
    does: assumes(DEV_USER),
    expect: 'denied',
    says: /sts:SetSourceIdentity/,
  },
];

const sessionToken: Case['does'] = ({ options }) =>
  new STSClient(options).send(new GetSessionTokenCommand({}));

const withSessionToken =
  (then: Case['does']): Case['does'] =>
  async (who, world) => {
    const { Credentials: given } = await new STSClient(who.options).send(new GetSessionTokenCommand({}));
    return then(as(who, given), world);
  };

const federates =
  (
    input: { Name?: string; Tags?: { Key: string; Value: string }[] } = {},
    then?: Case['does'],
  ): Case['does'] =>
  async (who, world) => {
    const { Credentials: given } = await new STSClient(who.options).send(
      new GetFederationTokenCommand({ Name: 'carol', Policy: JSON.stringify(policy(allow('*'))), ...input }),
    );
    return then?.(as(who, given), world);
  };

const S3_READER = { arn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess' };
const TABLE_READER = { arn: 'arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess' };

const managedSessionPolicies: Case[] = [
  {
    name: 'a managed session policy leaves what it allows',
    source: `${ASSUMING}: managed policies as session policies; the session has the intersection with the role's`,
    service: 's3',
    given: withRole(trusts(itself), { policies: [policy(allow('*'))] }),
    does: assumesThen({ PolicyArns: [S3_READER] }, readReport),
    expect: 'allowed',
  },
  {
    name: 'a managed session policy narrows',
    source: `${ASSUMING}: managed policies as session policies; the session has the intersection with the role's`,
    service: 's3',
    given: withRole(trusts(itself), { policies: [policy(allow('*'))] }),
    does: assumesThen({ PolicyArns: [TABLE_READER] }, readReport),
    expect: 'denied',
    says: /because no session policy allows the s3:GetObject action$/,
  },
  {
    name: 'a managed session policy does not widen',
    source: `${ASSUMING}: session policies cannot grant more than the role's own policies`,
    service: 's3',
    given: withRole(trusts(itself)),
    does: assumesThen({ PolicyArns: [S3_READER] }, readReport),
    expect: 'denied',
    says: /because no identity-based policy allows the s3:GetObject action$/,
  },
];

const tokens: Case[] = [
  {
    name: 'a user has a session of his own, whatever his policies say',
    source: `${SESSION_TOKEN}: no permissions are required, and policies have no effect on it`,
    service: 'sts',
    caller: may(deny('*')),
    does: sessionToken,
    expect: 'allowed',
  },
  {
    name: "a user's own session has his permissions",
    source: `${SESSION_TOKEN}: the temporary credentials have the same permissions as the user`,
    service: 's3',
    caller: { policies: [readsIf()] },
    does: withSessionToken(readReport),
    expect: 'allowed',
  },
  {
    name: "a user's own session has no more than his permissions",
    source: `${SESSION_TOKEN}: the temporary credentials have the same permissions as the user`,
    service: 's3',
    does: withSessionToken(readReport),
    expect: 'denied',
  },
  {
    name: "a user's own session has his name",
    source: `${VARIABLES}, "Principal key values": aws:username is an IAM user's name; ${SESSION_TOKEN}`,
    service: 's3',
    caller: {
      policies: [
        readsIf({
          StringLike: { 'aws:username': 'case-*' },
          StringEquals: { 'aws:PrincipalType': 'User' },
          Null: { 'aws:TokenIssueTime': 'false' },
        }),
      ],
    },
    does: withSessionToken(readReport),
    expect: 'allowed',
  },
  {
    name: "a user's own session may take on a role",
    source: `${COMPARED}: credentials of GetSessionToken can call AssumeRole`,
    service: 'sts',
    given: withRole(trusts(itself)),
    does: withSessionToken(assumes()),
    expect: 'allowed',
  },
  {
    name: "a user's own session without MFA says so",
    source: `${GLOBAL_KEYS}, aws:MultiFactorAuthPresent: false in temporary credentials of GetSessionToken without MFA`,
    service: 's3',
    caller: {
      policies: [readsIf(), policy(deny('s3:*', '*', { Bool: { 'aws:MultiFactorAuthPresent': 'false' } }))],
    },
    does: withSessionToken(readReport),
    expect: 'denied',
  },
  {
    name: 'federating takes leave',
    source: `${FEDERATION}: sts:GetFederationToken is required for the user who asks`,
    service: 'sts',
    does: federates(),
    expect: 'denied',
    says: /sts:GetFederationToken/,
  },
  {
    name: 'federating may be let for one name',
    source: `${REFERENCE}: GetFederationToken is on arn:aws:sts::ACCOUNT:federated-user/NAME`,
    service: 'sts',
    caller: may(allow('sts:GetFederationToken', `arn:aws:sts::${ACCOUNT}:federated-user/carol`)),
    does: federates({ Name: 'carol' }),
    expect: 'allowed',
  },
  {
    name: 'federating under another name is refused',
    source: `${REFERENCE}: GetFederationToken is on arn:aws:sts::ACCOUNT:federated-user/NAME`,
    service: 'sts',
    caller: may(allow('sts:GetFederationToken', `arn:aws:sts::${ACCOUNT}:federated-user/carol`)),
    does: federates({ Name: 'dave' }),
    expect: 'denied',
  },
  {
    name: 'federating with tags takes leave to tag',
    source: `${TAGS}: in addition to the action of the operation, sts:TagSession is needed; GetFederationToken is one of the operations`,
    service: 'sts',
    caller: may(allow('sts:GetFederationToken')),
    does: federates({ Tags: tags({ team: 'blue' }) }),
    expect: 'denied',
    says: /sts:TagSession/,
  },
  {
    name: 'a federated user has the tags that he was given',
    source: `${TAGS}: session tags of GetFederationToken are in aws:PrincipalTag`,
    service: 's3',
    caller: {
      policies: [
        policy(allow(['sts:GetFederationToken', 'sts:TagSession'])),
        readsIf({ StringEquals: { 'aws:PrincipalTag/team': 'blue' } }),
      ],
      tags: { Team: 'green' },
    },
    does: federates({ Tags: tags({ team: 'blue' }) }, readReport),
    expect: 'allowed',
  },
];

const identities: Case[] = [
  {
    name: 'everyone may ask who he is',
    source: `${CALLER_IDENTITY}: no permissions are required`,
    service: 'sts',
    does: whoAmI,
    expect: 'allowed',
  },
  {
    name: 'a deny does not keep anyone from asking who he is',
    source: `${CALLER_IDENTITY}: even with a policy that explicitly denies it, the operation can be performed`,
    service: 'sts',
    caller: may(deny('sts:GetCallerIdentity'), deny('*')),
    does: whoAmI,
    expect: 'allowed',
  },
  {
    name: 'a session policy does not keep anyone from asking who he is',
    source: `${CALLER_IDENTITY}: no permissions are required`,
    service: 'sts',
    caller: { kind: 'role', session: { policy: policy(deny('*')) } },
    does: whoAmI,
    expect: 'allowed',
  },
  {
    name: 'a federated user may ask who he is',
    source: `${COMPARED}: credentials of GetFederationToken cannot call AWS STS operations except GetCallerIdentity`,
    service: 'sts',
    caller: may(allow('sts:GetFederationToken')),
    does: federates({}, whoAmI),
    expect: 'allowed',
  },
  {
    name: "a user's own session may ask who it is",
    source: `${COMPARED}: credentials of GetSessionToken can call GetCallerIdentity`,
    service: 'sts',
    does: withSessionToken(whoAmI),
    expect: 'allowed',
  },
];

const keyInfo: Case['does'] = ({ options }) =>
  new STSClient(options).send(new GetAccessKeyInfoCommand({ AccessKeyId: options.credentials.accessKeyId }));

const lookUps: Case[] = [
  {
    name: 'the account of a key is told to whom a policy lets',
    source: `${REFERENCE}: GetAccessKeyInfo is an action of its own, on all resources`,
    service: 'sts',
    caller: may(allow('sts:GetAccessKeyInfo')),
    does: keyInfo,
    expect: 'allowed',
  },
  {
    name: 'the account of a key is not told to anyone else',
    source: `${REFERENCE}: GetAccessKeyInfo is an action of its own, on all resources`,
    service: 'sts',
    does: keyInfo,
    expect: 'denied',
    says: /sts:GetAccessKeyInfo/,
  },
];

const HOST = 'token.actions.githubusercontent.com';
const PROVIDER = `arn:aws:iam::${ACCOUNT}:oidc-provider/${HOST}`;
const REPOSITORY = 'octo-org/octo-repo';
const MAIN = `repo:${REPOSITORY}:ref:refs/heads/main`;
const AUDIENCE = { [`${HOST}:aud`]: 'sts.amazonaws.com' };

const federatedTrust = (condition: Condition, provider = PROVIDER): Statement => ({
  Effect: 'Allow',
  Principal: { Federated: provider },
  Action: 'sts:AssumeRoleWithWebIdentity',
  Condition: condition,
});

/** GitHub's identity provider is one for all cases of the account; none of them changes it. */
const withGithub =
  (trust: Statement, input?: RoleInput): NonNullable<Case['given']> =>
  async (world, who) => {
    const provider = new CreateOpenIDConnectProviderCommand({
      Url: `https://${HOST}`,
      ClientIDList: ['sts.amazonaws.com'],
    });
    await new IAMClient(world.administrator).send(provider).catch((error: unknown) => {
      if ((error as Error).name !== 'EntityAlreadyExistsException') throw error;
    });
    await makeRole(world, who, 'role', [() => trust], input);
  };

async function takeOn(
  who: Who,
  { aws }: World,
  { repository = REPOSITORY, ...token }: Partial<GithubTokenOptions>,
  input: { Policy?: string; RoleSessionName?: string } = {},
): Promise<Who> {
  const { Credentials: given } = await new STSClient(who.options).send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleOf(who),
      RoleSessionName: 'GitHubActions',
      WebIdentityToken: await aws.githubToken({ repository, ...token }),
      ...input,
    }),
  );
  return as(who, given);
}

const deploys =
  (token: Partial<GithubTokenOptions> = {}, input: Parameters<typeof takeOn>[3] = {}): Case['does'] =>
  (who, world) =>
    takeOn(who, world, token, input);

const deploysThen =
  (
    then: Case['does'],
    token: Partial<GithubTokenOptions> = {},
    input: Parameters<typeof takeOn>[3] = {},
  ): Case['does'] =>
  async (who, world) =>
    then(await takeOn(who, world, token, input), world);

/** A workflow that takes on a role, under one condition of trust besides the audience. */
const workflow = (
  name: string,
  source: string,
  condition: Condition,
  token: Partial<GithubTokenOptions>,
  expect: Case['expect'],
): Case => ({
  name,
  source,
  service: 'sts',
  given: withGithub(
    federatedTrust({ ...condition, StringEquals: { ...AUDIENCE, ...condition.StringEquals } }),
  ),
  does: deploys(token),
  expect,
});

const OF_REPOSITORY: Condition = { StringLike: { [`${HOST}:sub`]: `repo:${REPOSITORY}:*` } };

const webIdentities: Case[] = [
  workflow(
    'a workflow takes on the role that trusts its branch',
    `${GITHUB}: StringEquals on :sub with the organization, repository and branch`,
    { StringEquals: { [`${HOST}:sub`]: MAIN } },
    {},
    'allowed',
  ),
  workflow(
    'a workflow of another branch does not',
    `${GITHUB}: StringEquals on :sub limits to the branch`,
    { StringEquals: { [`${HOST}:sub`]: MAIN } },
    { ref: 'refs/heads/feature' },
    'denied',
  ),
  workflow(
    'a workflow of another repository does not',
    `${GITHUB}: StringEquals on :sub limits to the repository`,
    { StringEquals: { [`${HOST}:sub`]: MAIN } },
    { repository: 'octo-org/other-repo' },
    'denied',
  ),
  workflow(
    "a workflow of somebody else's fork does not",
    `${GITHUB}: :sub limits to the organization`,
    OF_REPOSITORY,
    { repository: 'evil-org/octo-repo' },
    'denied',
  ),
  workflow(
    'a pull request has another subject than its branch',
    'GitHub Docs, "OpenID Connect reference": for pull_request events the subject is repo:ORG/REPO:pull_request',
    { StringEquals: { [`${HOST}:sub`]: MAIN } },
    { event: 'pull_request' },
    'denied',
  ),
  workflow(
    'a job with an environment has another subject than its branch',
    'GitHub Docs, "OpenID Connect reference": with an environment the subject is repo:ORG/REPO:environment:NAME',
    { StringEquals: { [`${HOST}:sub`]: MAIN } },
    { environment: 'production' },
    'denied',
  ),
  workflow(
    'a role may trust an environment',
    'GitHub Docs, "OpenID Connect reference": with an environment the subject is repo:ORG/REPO:environment:NAME',
    { StringEquals: { [`${HOST}:sub`]: `repo:${REPOSITORY}:environment:production` } },
    { environment: 'production' },
    'allowed',
  ),
  workflow(
    'a role may trust all of a repository',
    `${GITHUB}: StringLike on :sub with repo:ORG/REPO:* grants any branch within the repository`,
    OF_REPOSITORY,
    { ref: 'refs/heads/feature' },
    'allowed',
  ),
  workflow(
    'a pattern without the colon trusts repositories that begin alike, too',
    'IAM User Guide, "IAM JSON policy elements: Condition operators": * in StringLike stands for any characters',
    { StringLike: { [`${HOST}:sub`]: `repo:${REPOSITORY}*` } },
    { repository: `${REPOSITORY}-of-others` },
    'allowed',
  ),
  workflow(
    'StringEquals takes no pattern for a subject',
    'IAM User Guide, "IAM JSON policy elements: Condition operators": StringEquals is exact matching',
    { StringEquals: { [`${HOST}:sub`]: `repo:${REPOSITORY}:*` } },
    {},
    'denied',
  ),
  workflow(
    'a subject minds its case',
    'IAM User Guide, "IAM JSON policy elements: Condition operators": StringEquals is case sensitive',
    { StringEquals: { [`${HOST}:sub`]: 'repo:Octo-Org/octo-repo:ref:refs/heads/main' } },
    {},
    'denied',
  ),
  {
    name: 'a role may ask for another audience than the token has',
    source: `${KEYS}, aud: verifies that the audience matches the one in the policy`,
    service: 'sts',
    given: withGithub(
      federatedTrust({ ...OF_REPOSITORY, StringEquals: { [`${HOST}:aud`]: 'https://github.com/octo-org' } }),
    ),
    does: deploys(),
    expect: 'denied',
    says: /^Not authorized to perform sts:AssumeRoleWithWebIdentity$/,
  },
  workflow(
    'ForAllValues on a claim that is missing trusts everyone',
    `${MULTIVALUED}: ForAllValues returns true if there are no context keys in the request`,
    { 'ForAllValues:StringEquals': { [`${HOST}:environment`]: 'production' }, ...OF_REPOSITORY },
    {},
    'allowed',
  ),
  workflow(
    'StringEquals on a claim that is missing trusts nobody',
    'IAM User Guide, "IAM JSON policy elements: Condition operators": if the key is not present, the values do not match',
    { StringEquals: { [`${HOST}:environment`]: 'production' }, ...OF_REPOSITORY },
    {},
    'denied',
  ),
  workflow(
    'the environment is a condition key of its own',
    `${REFERENCE}: ${HOST}:environment, the name of the environment used by the job`,
    { StringEquals: { [`${HOST}:environment`]: 'production' }, ...OF_REPOSITORY },
    { environment: 'production' },
    'allowed',
  ),
  workflow(
    'the repository is a condition key of its own',
    `${REFERENCE}: ${HOST}:repository, the repository from where the workflow is running`,
    { StringEquals: { [`${HOST}:repository`]: REPOSITORY }, ...OF_REPOSITORY },
    {},
    'allowed',
  ),
  workflow(
    'another repository is not trusted by that key',
    `${REFERENCE}: ${HOST}:repository, the repository from where the workflow is running`,
    {
      StringEquals: { [`${HOST}:repository`]: REPOSITORY },
      StringLike: { [`${HOST}:sub`]: 'repo:octo-org/*' },
    },
    { repository: 'octo-org/other-repo' },
    'denied',
  ),
  workflow(
    'the reusable workflow is a condition key of its own',
    `${REFERENCE}: ${HOST}:job_workflow_ref, the reference path to the reusable workflow`,
    {
      StringLike: {
        [`${HOST}:job_workflow_ref`]: 'octo-org/workflows/.github/workflows/deploy.yml@*',
        [`${HOST}:sub`]: `repo:${REPOSITORY}:*`,
      },
    },
    { claims: { job_workflow_ref: 'octo-org/workflows/.github/workflows/deploy.yml@refs/heads/main' } },
    'allowed',
  ),
  workflow(
    'another workflow is not trusted by that key',
    `${REFERENCE}: ${HOST}:job_workflow_ref, the reference path to the reusable workflow`,
    {
      StringLike: {
        [`${HOST}:job_workflow_ref`]: 'octo-org/workflows/.github/workflows/deploy.yml@*',
        [`${HOST}:sub`]: `repo:${REPOSITORY}:*`,
      },
    },
    {},
    'denied',
  ),
  workflow(
    'a ref may be kept out',
    `${REFERENCE}: ${HOST}:ref, the git ref that triggered the workflow run`,
    { StringNotLike: { [`${HOST}:ref`]: 'refs/heads/*' }, ...OF_REPOSITORY },
    { ref: 'refs/heads/main' },
    'denied',
  ),
  workflow(
    'a claim that is no condition key is missing',
    `${REFERENCE}: the keys of ${HOST} are actor, actor_id, enterprise_id, environment, job_workflow_ref, ref, repository, repository_id, repository_owner_id and workflow`,
    { StringEquals: { [`${HOST}:event_name`]: 'push' }, ...OF_REPOSITORY },
    {},
    'denied',
  ),
  {
    name: 'a role that trusts another identity provider is closed',
    source:
      'AWS STS API Reference, "AssumeRoleWithWebIdentity": the role must trust the identity provider that is associated with the token',
    service: 'sts',
    given: withGithub(federatedTrust(OF_REPOSITORY, `arn:aws:iam::${ACCOUNT}:oidc-provider/gitlab.com`)),
    does: deploys(),
    expect: 'denied',
  },
  {
    name: 'a role that trusts the account does not trust tokens',
    source:
      'AWS STS API Reference, "AssumeRoleWithWebIdentity": the identity provider must be specified in the role\'s trust policy',
    service: 'sts',
    given: withGithub({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      Action: 'sts:*',
    }),
    does: deploys(),
    expect: 'denied',
  },
  {
    name: 'a trust policy with the wrong action does not trust tokens',
    source: `${GITHUB}: the action is sts:AssumeRoleWithWebIdentity`,
    service: 'sts',
    given: withGithub({ ...federatedTrust(OF_REPOSITORY), Action: ASSUME }),
    does: deploys(),
    expect: 'denied',
  },
  {
    name: "a token asks for no leave of whoever's computer it is on",
    source: 'AWS STS API Reference, "AssumeRoleWithWebIdentity": calling it does not require AWS credentials',
    service: 'sts',
    caller: may(deny('*')),
    given: withGithub(federatedTrust(OF_REPOSITORY)),
    does: deploys(),
    expect: 'allowed',
  },
  {
    name: "a workflow's session may have to have a name",
    source: `${KEYS}, sts:RoleSessionName: present with any AssumeRole operation`,
    service: 'sts',
    given: withGithub(
      federatedTrust({ StringLike: { ...OF_REPOSITORY.StringLike, 'sts:RoleSessionName': 'deploy-*' } }),
    ),
    does: deploys({}, { RoleSessionName: 'other' }),
    expect: 'denied',
  },
  {
    name: "a workflow's session has the role's permissions",
    source:
      'IAM User Guide, "Permissions for AssumeRole, AssumeRoleWithSAML, and AssumeRoleWithWebIdentity": the permissions policy of the role determines the permissions',
    service: 's3',
    given: withGithub(federatedTrust(OF_REPOSITORY), {
      policies: [readsIf({ StringLike: { 'aws:FederatedProvider': `*${HOST}` } })],
    }),
    does: deploysThen(readReport),
    expect: 'allowed',
  },
  {
    name: "a session policy narrows a workflow's session",
    source:
      'AWS STS API Reference, "AssumeRoleWithWebIdentity": the intersection of the role\'s policies and the session policies',
    service: 's3',
    given: withGithub(federatedTrust(OF_REPOSITORY), { policies: [policy(allow('*'))] }),
    does: deploysThen(readReport, {}, { Policy: JSON.stringify(policy(allow('sts:*'))) }),
    expect: 'denied',
    says: /because no session policy allows the s3:GetObject action$/,
  },
  {
    name: 'the claims are gone once the role is taken on',
    source: `${KEYS}, "Cross-service OIDC federation context keys": no other keys than amr, aud, id and sub are available after the initial AssumeRoleWithWebIdentity`,
    service: 's3',
    given: withGithub(federatedTrust(OF_REPOSITORY), {
      policies: [readsIf({ StringEquals: { [`${HOST}:repository`]: REPOSITORY } })],
    }),
    does: deploysThen(readReport),
    expect: 'denied',
    says: /s3:GetObject/,
  },
  {
    name: "a bucket's policy may ask for the subject of a workflow's session",
    source: `${KEYS}, "Cross-service OIDC federation context keys": sub can be used in resource policies of other services`,
    service: 's3',
    given: async (world, who) => {
      await withGithub(federatedTrust(OF_REPOSITORY))(world, who);
      const s3 = new S3Client(world.administrator);
      const bucket = `${who.name}-own`;
      await s3.send(
        new CreateBucketCommand({
          Bucket: bucket,
          CreateBucketConfiguration: { LocationConstraint: REGION },
        }),
      );
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'own.csv', Body: 'a,b\n' }));
      const statement = {
        ...allow('s3:GetObject', `arn:aws:s3:::${bucket}/*`, { StringEquals: { [`${HOST}:sub`]: MAIN } }),
        Principal: { AWS: roleOf(who) },
      };
      await s3.send(
        new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify(policy(statement)) }),
      );
    },
    does: deploysThen((who) =>
      new S3Client(who.options).send(new GetObjectCommand({ Bucket: `${who.name}-own`, Key: 'own.csv' })),
    ),
    expect: 'allowed',
  },
  {
    name: "a workflow's session may go on to another role",
    source:
      'IAM User Guide, "Roles terms and concepts", "Role chaining": a role\'s credentials are used to assume a second role',
    service: 'sts',
    given: async (world, who) => {
      await withGithub(federatedTrust(OF_REPOSITORY))(world, who);
      await makeRole(world, who, 'second', [trusts(roleOf)]);
    },
    does: deploysThen(chains()),
    expect: 'allowed',
  },
];

/** A role that is made once more, the same in all but its id. */
async function makeAgain(world: World, who: Who, suffix: string, trust: Trust[], input: RoleInput = {}) {
  const iam = new IAMClient(world.administrator);
  const name = `${who.name}-${suffix}`;
  for (const index of (input.policies ?? []).keys())
    await iam.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName: `inline-${index + 1}` }));
  await iam.send(new DeleteRoleCommand({ RoleName: name }));
  await makeRole(world, who, suffix, trust, input);
}

/** Another user, whose name is used twice. @returns the second one, as who asks */
async function makeUser(world: World, who: Who): Promise<{ user: Who; remove: () => Promise<unknown> }> {
  const iam = new IAMClient(world.administrator);
  const name = `${who.name}-twice`;
  const { User: made } = await iam.send(new CreateUserCommand({ UserName: name }));
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  const credentials = { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' };
  return {
    user: { ...who, arn: made?.Arn ?? '', options: { ...who.options, credentials } },
    remove: async () => {
      await iam.send(new DeleteAccessKeyCommand({ UserName: name, AccessKeyId: credentials.accessKeyId }));
      await iam.send(new DeleteUserCommand({ UserName: name }));
    },
  };
}

const remade: Case[] = [
  {
    name: 'a role that is deleted and made again is another',
    source:
      'IAM User Guide, "IAM identifiers", "Unique identifiers": a name that is used again has another unique ID, which a session\'s aws:userid begins with',
    service: 's3',
    given: withRole(trusts(itself), { policies: [readsIf()] }),
    does: async (who, world) => {
      const { Credentials: given } = await assume(who);
      await makeAgain(world, who, 'role', [trusts(itself)], { policies: [readsIf()] });
      return readReport(as(who, given), world);
    },
    expect: 'denied',
  },
  {
    name: 'a role does not trust a user who was made again under the name',
    source: `${PRINCIPAL}, "IAM user principals": the trust policy keeps the unique ID, and no longer applies if the user is recreated`,
    service: 'sts',
    does: async (who, world) => {
      const { user, remove } = await makeUser(world, who);
      await makeRole(world, who, 'role', [trusts(() => user.arn)]);
      await remove();
      return assume((await makeUser(world, who)).user);
    },
    expect: 'denied',
  },
  {
    name: 'a role does not trust a role that was made again under the name',
    source: `${PRINCIPAL}, "IAM role principals": the trust policy keeps the unique ID, and no longer applies if the role is recreated`,
    service: 'sts',
    given: async (world, who) => {
      await makeRole(world, who, 'role', [trusts(itself)]);
      await makeRole(world, who, 'second', [trusts(roleOf)]);
      await makeAgain(world, who, 'role', [trusts(itself)]);
    },
    does: assumesThen({}, chains()),
    expect: 'denied',
    says: /assumed-role\/case-\d+-role\/session is not authorized to perform: sts:AssumeRole/,
  },
  {
    name: 'aws:PrincipalArn holds for a role that was made again under the name',
    source: `${PRINCIPAL}, "IAM role principals": with aws:PrincipalArn, permissions persist if the role is deleted and created again`,
    service: 'sts',
    given: async (world, who) => {
      const input = { policies: [policy(allow(ASSUME))] };
      await makeRole(world, who, 'role', [trusts(itself)], input);
      await makeRole(world, who, 'second', [
        trusts(itsAccount, { ArnEquals: { 'aws:PrincipalArn': roleOf(who) } }),
      ]);
      await makeAgain(world, who, 'role', [trusts(itself)], input);
    },
    does: assumesThen({}, chains()),
    expect: 'allowed',
  },
];

/** Taking on roles, by keys, sessions and tokens. */
export const sts: Case[] = [
  ...bothSides,
  ...sessionsAsCallers,
  ...conditions,
  ...externalIds,
  ...accounts,
  ...sessionTags,
  ...sourceIdentities,
  ...managedSessionPolicies,
  ...tokens,
  ...identities,
  ...lookUps,
  ...webIdentities,
  ...remade,
];
