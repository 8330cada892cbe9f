import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateRoleCommand,
  CreateUserCommand,
  GetRoleCommand,
  GetUserCommand,
  IAMClient,
  ListUsersCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
  UntagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { DescribeParametersCommand, GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, GetFederationTokenCommand, STSClient } from '@aws-sdk/client-sts';
import type { Caller, Case, Who } from './case';
import { allow, deny, policy, type PolicyDocument, type Statement } from './policies';
import { ACCOUNT, OTHER_ACCOUNT, REGION, type World } from './world';

const LOGIC = 'IAM User Guide, "Policy evaluation logic"';
const SINGLE_ACCOUNT =
  'IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access"';
const CROSS_ACCOUNT = 'IAM User Guide, "Cross-account policy evaluation logic"';
const BOUNDARIES = 'IAM User Guide, "Permissions boundaries for IAM entities"';
const SESSION_POLICIES = 'IAM User Guide, "Policies and permissions in IAM", section "Session policies"';
const DISABLING = 'IAM User Guide, "Disabling permissions for temporary security credentials"';
const REVOKING = 'IAM User Guide, "Revoke IAM role temporary security credentials"';
const PRINCIPAL = 'IAM User Guide, "AWS JSON policy elements: Principal"';
const NOT_PRINCIPAL = 'IAM User Guide, "AWS JSON policy elements: NotPrincipal"';
const ACTION = 'IAM User Guide, "IAM JSON policy elements: Action"';
const NOT_ACTION = 'IAM User Guide, "IAM JSON policy elements: NotAction"';
const RESOURCE = 'IAM User Guide, "IAM JSON policy elements: Resource"';
const NOT_RESOURCE = 'IAM User Guide, "IAM JSON policy elements: NotResource"';
const CONDITION = 'IAM User Guide, "IAM JSON policy elements: Condition"';
const OPERATORS = 'IAM User Guide, "IAM JSON policy elements: Condition operators"';
const SEVERAL = 'IAM User Guide, "Conditions with multiple context keys or values"';
const MULTIVALUED = 'IAM User Guide, "Single-valued vs. multivalued context keys"';
const VARIABLES = 'IAM User Guide, "IAM policy elements: Variables and tags"';
const GLOBAL_KEYS = 'IAM User Guide, "AWS global condition context keys"';
const DENY_REGION = 'IAM User Guide, "AWS: Denies access to AWS based on the requested Region"';
const FEDERATION = 'IAM User Guide, "Permissions for GetFederationToken"';

const reports = 'arn:aws:s3:::cases-shared/reports/*';
const secrets = 'arn:aws:s3:::cases-shared/secret/*';

const readReport: Case['does'] = ({ options }, { bucket }) =>
  new S3Client(options).send(new GetObjectCommand({ Bucket: bucket, Key: 'reports/1.csv' }));

const readSecret: Case['does'] = ({ options }, { bucket }) =>
  new S3Client(options).send(new GetObjectCommand({ Bucket: bucket, Key: 'secret/1.csv' }));

const describeTable: Case['does'] = ({ options }) =>
  new DynamoDBClient(options).send(new DescribeTableCommand({ TableName: 'cases' }));

const listUsers: Case['does'] = ({ options }) => new IAMClient(options).send(new ListUsersCommand({}));

const list =
  (input: { Prefix?: string; MaxKeys?: number }): Case['does'] =>
  ({ options }, { bucket }) =>
    new S3Client(options).send(new ListObjectsV2Command({ Bucket: bucket, ...input }));

const createTagged =
  (tags: Record<string, string>): Case['does'] =>
  ({ options, name }) =>
    new SecretsManagerClient(options).send(
      new CreateSecretCommand({
        Name: `${name}/tagged`,
        SecretString: 'value',
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );

const CREATE_TAGGED = ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'];

const bucketOf = ({ name }: Who) => `${name}-own`;

/** The name of an object may hold what the caller is called. */
type Named = string | ((who: Who) => string);
const named = (key: Named, who: Who) => (typeof key === 'string' ? key : key(who));

/** A bucket of the case's own, in the account that the cases are about, with this object. */
async function makeBucket(who: Who, key: string, { administrator }: World): Promise<S3Client> {
  const s3 = new S3Client(administrator);
  await s3.send(
    new CreateBucketCommand({
      Bucket: bucketOf(who),
      CreateBucketConfiguration: { LocationConstraint: REGION },
    }),
  );
  await s3.send(new PutObjectCommand({ Bucket: bucketOf(who), Key: key, Body: 'a,b\n' }));
  return s3;
}

const withObject =
  (key: Named): Case['given'] =>
  (world, who) =>
    makeBucket(who, named(key, who), world);

type Guard = Omit<Statement, 'Action' | 'Resource'>;

/** The same with a bucket policy about reading its objects. */
const guarded =
  (...guards: ((who: Who) => Guard)[]): NonNullable<Case['given']> =>
  async (world, who) => {
    const s3 = await makeBucket(who, 'own.csv', world);
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket: bucketOf(who) }));
    const statements = guards.map((guard) => ({
      ...guard(who),
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${bucketOf(who)}/*`,
    }));
    await s3.send(
      new PutBucketPolicyCommand({ Bucket: bucketOf(who), Policy: JSON.stringify(policy(...statements)) }),
    );
  };

const lets = (principal: (who: Who) => Guard['Principal'], condition?: Guard['Condition']) => (who: Who) => ({
  Effect: 'Allow' as const,
  Principal: principal(who),
  ...(condition && { Condition: condition }),
});

const bars = (principal: (who: Who) => Guard['Principal'], condition?: Guard['Condition']) => (who: Who) => ({
  ...lets(principal, condition)(who),
  Effect: 'Deny' as const,
});

const barsAllBut = (principals: (who: Who) => string[]) => (who: Who) => ({
  Effect: 'Deny' as const,
  NotPrincipal: { AWS: principals(who) },
});

const everyone = () => '*' as const;
const itself = ({ arn }: Who) => ({ AWS: arn });
const itsRole = ({ principalArn }: Who) => ({ AWS: principalArn });
const itsAccount = ({ account }: Who) => ({ AWS: `arn:aws:iam::${account}:root` });

const readOwn =
  (key: Named = 'own.csv'): Case['does'] =>
  (who) =>
    new S3Client(who.options).send(new GetObjectCommand({ Bucket: bucketOf(who), Key: named(key, who) }));

const READS_OWN = policy(allow('s3:GetObject', 'arn:aws:s3:::*-own/*'));
const READS_REPORTS = policy(allow('s3:GetObject', reports));
const READS_TABLES = policy(allow('dynamodb:DescribeTable'));

type Condition = NonNullable<Statement['Condition']>;

/** Reading a report, which is allowed under a condition alone. */
const allowedIf = (
  name: string,
  source: string,
  condition: Condition,
  expect: Case['expect'],
  caller: Caller = {},
): Case => ({
  name,
  source,
  service: 's3',
  caller: { ...caller, policies: [policy(allow('s3:GetObject', reports, condition))] },
  does: readReport,
  expect,
});

/** Reading a report, which is denied under a condition. */
const deniedIf = (
  name: string,
  source: string,
  condition: Condition,
  expect: Case['expect'],
  caller: Caller = {},
): Case => ({
  name,
  source,
  service: 's3',
  caller: { ...caller, policies: [READS_REPORTS, policy(deny('s3:GetObject', reports, condition))] },
  does: readReport,
  expect,
});

/** Reading an object of a bucket of its own, allowed by one resource of an identity-based policy. */
const reaches = (
  name: string,
  source: string,
  resource: string,
  key: Named,
  expect: Case['expect'],
  caller: Caller = {},
): Case => ({
  name,
  source,
  service: 's3',
  caller: { ...caller, policies: [policy(allow('s3:GetObject', `arn:aws:s3:::*-own/${resource}`))] },
  given: withObject(key),
  does: readOwn(key),
  expect,
});

/** Making a secret with tags, allowed under a condition alone. */
const tagsIf = (
  name: string,
  source: string,
  condition: Condition,
  tags: Record<string, string>,
  expect: Case['expect'],
): Case => ({
  name,
  source,
  service: 'secretsmanager',
  caller: { policies: [policy(allow(CREATE_TAGGED, '*', condition))] },
  does: createTagged(tags),
  expect,
});

const grants: Case[] = [
  {
    name: 'a request is denied by default',
    source: `${LOGIC}: by default, all requests are implicitly denied`,
    service: 's3',
    does: readReport,
    expect: 'denied',
    says: /because no identity-based policy allows the s3:GetObject action$/,
  },
  {
    name: 'an explicit allow in an identity-based policy overrides the default',
    source: `${LOGIC}: requests must be explicitly allowed by a policy`,
    service: 's3',
    caller: { policies: [READS_REPORTS] },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: 'an explicit deny in any policy overrides any allow',
    source: `${LOGIC}: an explicit deny overrides an explicit allow`,
    service: 's3',
    caller: { policies: [policy(allow('s3:*')), policy(deny('s3:GetObject', reports))] },
    does: readReport,
    expect: 'denied',
    says: /with an explicit deny in an identity-based policy$/,
  },
  {
    name: "a group's policy counts for its members",
    source: `${LOGIC}: a user's identity-based policies include those of the groups he is in`,
    service: 's3',
    caller: { ofGroup: [READS_REPORTS] },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: "a group's deny beats the user's own allow",
    source: `${LOGIC}: all policies that apply are looked through for a deny, those of groups too`,
    service: 's3',
    caller: { policies: [READS_REPORTS], ofGroup: [policy(deny('s3:GetObject', reports))] },
    does: readReport,
    expect: 'denied',
  },
  {
    name: 'one of several policies is enough, managed or inline',
    source: `${LOGIC}: among identity-based policies, all are checked for at least one allow`,
    service: 's3',
    caller: { policies: [READS_TABLES], managed: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'] },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: "an inline deny beats a managed policy's allow",
    source: `${LOGIC}: an explicit deny in any of the policies overrides the allow`,
    service: 's3',
    caller: {
      policies: [policy(deny('s3:GetObject', reports))],
      managed: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'],
    },
    does: readReport,
    expect: 'denied',
  },
  {
    name: 'a deny of everything leaves nothing',
    source: `${LOGIC}: an explicit deny overrides an explicit allow, however it is written`,
    service: 's3',
    caller: {
      managed: ['arn:aws:iam::aws:policy/AdministratorAccess'],
      policies: [policy(deny('*'))],
    },
    does: readReport,
    expect: 'denied',
  },
];

const elements: Case[] = [
  {
    name: 'an asterisk stands for any part of the name of an action',
    source: `${ACTION}: wildcards as part of the action name`,
    service: 's3',
    caller: { policies: [policy(allow('s3:*Object', reports))] },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: 'a question mark stands for one character of the name of an action',
    source: `${ACTION}: single-character match wildcards (?) as part of the action name`,
    service: 's3',
    caller: { policies: [policy(allow('s3:Get?bject', reports))] },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: 'a question mark does not stand for no character',
    source: `${ACTION}: ? matches a single character`,
    service: 's3',
    caller: { policies: [policy(allow('s3:GetObject?', reports))] },
    does: readReport,
    expect: 'denied',
  },
  {
    name: 'the case of an action does not matter',
    source: `${ACTION}: the prefix and the action name are case insensitive`,
    service: 's3',
    caller: { policies: [policy(allow('S3:getobject', reports))] },
    does: readReport,
    expect: 'allowed',
  },
  reaches(
    'an asterisk in an ARN stands for slashes, too',
    `${RESOURCE}: an asterisk expands to everything within a segment, slashes included`,
    'a*.csv',
    'archive/2024/1.csv',
    'allowed',
  ),
  reaches(
    'an asterisk between slashes needs both of them',
    `${RESOURCE}: BUCKET/*/test/* does not match BUCKET/test/object.jpg`,
    '*/test/*',
    'test/object.jpg',
    'denied',
  ),
  reaches(
    'a question mark in an ARN stands for one character',
    `${RESOURCE}: a question mark represents any single character`,
    'report-?.csv',
    'report-1.csv',
    'allowed',
  ),
  reaches(
    'a question mark in an ARN does not stand for two characters',
    `${RESOURCE}: a question mark represents any single character`,
    'report-?.csv',
    'report-12.csv',
    'denied',
  ),
  {
    name: 'NotAction with an allow allows everything else',
    source: `${NOT_ACTION}: allowing NotAction iam:* on * lets at every action of every service except IAM's`,
    service: 's3',
    caller: { policies: [policy({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' })] },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: 'NotAction with an allow leaves out what it names',
    source: `${NOT_ACTION}: allowing NotAction iam:* on * lets at every action except IAM's`,
    service: 'iam',
    caller: { policies: [policy({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' })] },
    does: listUsers,
    expect: 'denied',
    says: /because no identity-based policy allows the iam:ListUsers action$/,
  },
  {
    name: 'NotAction with a deny denies everything else',
    source: `${NOT_ACTION}: with Deny, the actions that are not listed are denied`,
    service: 's3',
    caller: {
      policies: [policy(allow('*')), policy({ Effect: 'Deny', NotAction: 'dynamodb:*', Resource: '*' })],
    },
    does: readReport,
    expect: 'denied',
    says: /with an explicit deny in an identity-based policy$/,
  },
  {
    name: 'NotAction with a deny leaves alone what it names',
    source: `${NOT_ACTION}: with Deny, only the actions that are not listed are denied`,
    service: 'dynamodb',
    caller: {
      policies: [policy(allow('*')), policy({ Effect: 'Deny', NotAction: 'dynamodb:*', Resource: '*' })],
    },
    does: describeTable,
    expect: 'allowed',
  },
  {
    name: 'NotAction with a deny allows nothing by itself',
    source: `${NOT_ACTION}: the combination with Deny does not allow the listed actions`,
    service: 'dynamodb',
    caller: { policies: [policy({ Effect: 'Deny', NotAction: 'dynamodb:*', Resource: '*' })] },
    does: describeTable,
    expect: 'denied',
  },
  {
    name: 'NotResource with a deny denies everything else',
    source: `${NOT_RESOURCE}: with Deny, every resource that is not listed is denied`,
    service: 's3',
    caller: {
      policies: [policy(allow('s3:*')), policy({ Effect: 'Deny', Action: 's3:*', NotResource: reports })],
    },
    does: readSecret,
    expect: 'denied',
  },
  {
    name: 'NotResource with a deny leaves alone what it names',
    source: `${NOT_RESOURCE}: the resources listed are the only ones that are not limited`,
    service: 's3',
    caller: {
      policies: [policy(allow('s3:*')), policy({ Effect: 'Deny', Action: 's3:*', NotResource: reports })],
    },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: 'NotResource with an allow allows everything else',
    source: `${NOT_RESOURCE}: with Allow, all services and resources that are not listed are allowed`,
    service: 's3',
    caller: { policies: [policy({ Effect: 'Allow', Action: '*', NotResource: secrets })] },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: 'NotResource with an allow leaves out what it names',
    source: `${NOT_RESOURCE}: with Allow, only resources that are not listed are allowed`,
    service: 's3',
    caller: { policies: [policy({ Effect: 'Allow', Action: '*', NotResource: secrets })] },
    does: readSecret,
    expect: 'denied',
  },
];

const resourcePolicies: Case[] = [
  {
    name: "a bucket's policy that names the user is enough",
    source: `${LOGIC}: within an account, an allow in either the identity-based or the resource-based policy is enough`,
    service: 's3',
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy that names the role is enough",
    source: `${LOGIC}: within an account, an allow in either the identity-based or the resource-based policy is enough`,
    service: 's3',
    caller: { kind: 'role' },
    given: guarded(lets(itsRole)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy may name a user by his unique id",
    source:
      'IAM User Guide, "IAM identifiers", "Unique identifiers": a unique ID as principal in a resource-based policy',
    service: 's3',
    given: async (world, who) => {
      const { User: user } = await new IAMClient(world.administrator).send(
        new GetUserCommand({ UserName: who.name }),
      );
      await guarded(lets(() => ({ AWS: user?.UserId ?? '' })))(world, who);
    },
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy for everyone is enough for the account's own",
    source: `${PRINCIPAL}: with * and Allow, users and roles of the account need no other permissions`,
    service: 's3',
    given: guarded(lets(everyone)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy for the account leaves it to the account's own policies",
    source: `${PRINCIPAL}: naming an account delegates authority to the account, whose identities need policies of their own`,
    service: 's3',
    given: guarded(lets(itsAccount)),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "a bucket's policy that names another lets nobody else in",
    source: `${PRINCIPAL}: a resource-based policy grants to the principals that it specifies`,
    service: 's3',
    given: guarded(lets(() => ({ AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` }))),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "a user's deny beats the bucket's allow",
    source: `${LOGIC}: an explicit deny in either of the policies overrides the allow`,
    service: 's3',
    caller: { policies: [policy(deny('s3:GetObject'))] },
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'denied',
    says: /with an explicit deny in an identity-based policy$/,
  },
  {
    name: "a bucket's deny beats the user's allow",
    source: `${LOGIC}: an explicit deny in either of the policies overrides the allow`,
    service: 's3',
    caller: { policies: [READS_OWN] },
    given: guarded(bars(itself)),
    does: readOwn(),
    expect: 'denied',
    says: /with an explicit deny in a resource-based policy$/,
  },
  {
    name: "a bucket's deny of an account reaches each of its users",
    source: `${PRINCIPAL}: an account as principal stands for everyone in it`,
    service: 's3',
    caller: { policies: [READS_OWN] },
    given: guarded(bars(itsAccount)),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "a bucket's deny of a role reaches each of its sessions",
    source: `${DISABLING}: a deny whose principal is a role denies all credentials of that role`,
    service: 's3',
    caller: { kind: 'role', policies: [READS_OWN] },
    given: guarded(bars(itsRole)),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "a bucket's deny of one session leaves the role's others alone",
    source: `${DISABLING}: a deny whose principal is a session denies that session's credentials`,
    service: 's3',
    caller: { kind: 'role', policies: [READS_OWN], session: { name: 'John' } },
    given: guarded(bars(({ arn }) => ({ AWS: arn.replace('/John', '/Mary') }))),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: 'NotPrincipal with a deny bars everyone else',
    source: `${NOT_PRINCIPAL}: the actions are denied to all principals except the ones specified`,
    service: 's3',
    caller: { policies: [READS_OWN] },
    given: guarded(barsAllBut(() => [`arn:aws:iam::${OTHER_ACCOUNT}:root`])),
    does: readOwn(),
    expect: 'denied',
    says: /with an explicit deny in a resource-based policy$/,
  },
  {
    name: 'NotPrincipal with a deny leaves alone whom it names',
    source: `${NOT_PRINCIPAL}: the one user who is listed, with his account, is not denied`,
    service: 's3',
    caller: { policies: [READS_OWN] },
    given: guarded(barsAllBut(({ arn, account }) => [arn, `arn:aws:iam::${account}:root`])),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: 'NotPrincipal leaves a session alone with its role and account',
    source: `${NOT_PRINCIPAL}: a session is excepted by its own ARN, its role's and its account's`,
    service: 's3',
    caller: { kind: 'role', policies: [READS_OWN] },
    given: guarded(
      barsAllBut(({ arn, principalArn, account }) => [arn, principalArn, `arn:aws:iam::${account}:root`]),
    ),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: 'NotPrincipal that excepts a user does not except his account',
    source: `${NOT_PRINCIPAL}: with Bob and his account listed, all principals except the user Bob are denied`,
    service: 's3',
    caller: { policies: [READS_OWN] },
    given: async (world, who) => {
      const bob = `${who.name}-bob`;
      await new IAMClient(world.administrator).send(new CreateUserCommand({ UserName: bob }));
      await guarded(
        barsAllBut(() => [`arn:aws:iam::${ACCOUNT}:user/${bob}`, `arn:aws:iam::${ACCOUNT}:root`]),
      )(world, who);
    },
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: 'NotPrincipal denies whoever has a permissions boundary, named or not',
    source: `${BOUNDARIES}: NotPrincipal with Deny always denies a principal that has a boundary, regardless of the values`,
    service: 's3',
    caller: { policies: [READS_OWN], boundary: policy(allow('*')) },
    given: guarded(barsAllBut(({ arn, account }) => [arn, `arn:aws:iam::${account}:root`])),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: 'aws:PrincipalArn makes the exception that NotPrincipal does not, with a boundary',
    source: `${BOUNDARIES}: ArnNotEquals on aws:PrincipalArn is recommended instead of NotPrincipal`,
    service: 's3',
    caller: { policies: [READS_OWN], boundary: policy(allow('*')) },
    given: guarded((who) => bars(everyone, { ArnNotEquals: { 'aws:PrincipalArn': who.principalArn } })(who)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: 'a request without credentials is let in by a policy for everyone',
    source: `${PRINCIPAL}: * with Allow grants access to anonymous users`,
    service: 's3',
    caller: { kind: 'anonymous' },
    given: guarded(lets(everyone)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: 'a request without credentials is of no account',
    source: `${GLOBAL_KEYS}, aws:PrincipalAccount: for anonymous requests, the request context returns anonymous`,
    service: 's3',
    caller: { kind: 'anonymous' },
    given: guarded(lets(everyone, { StringEquals: { 'aws:PrincipalAccount': 'anonymous' } })),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: 'a request without credentials has no principal ARN',
    source: `${GLOBAL_KEYS}, aws:PrincipalArn: anonymous requests do not include this key`,
    service: 's3',
    caller: { kind: 'anonymous' },
    given: guarded(lets(everyone, { Null: { 'aws:PrincipalArn': 'true' } })),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: 'a request without credentials does not say whether a service makes it',
    source: `${GLOBAL_KEYS}, aws:PrincipalIsAWSService: anonymous requests do not include this key`,
    service: 's3',
    caller: { kind: 'anonymous' },
    given: guarded(lets(everyone), bars(everyone, { Bool: { 'aws:PrincipalIsAWSService': 'false' } })),
    does: readOwn(),
    expect: 'allowed',
  },
];

const boundaries: Case[] = [
  {
    name: 'a permissions boundary grants nothing',
    source: `${BOUNDARIES}: a boundary limits permissions but does not provide them on its own`,
    service: 's3',
    caller: { boundary: policy(allow('s3:*')) },
    does: readReport,
    expect: 'denied',
    says: /because no identity-based policy allows the s3:GetObject action$/,
  },
  {
    name: 'what the boundary does not allow is denied',
    source: `${BOUNDARIES}: an entity can do only what both its identity-based policies and its boundary allow`,
    service: 's3',
    caller: { policies: [READS_REPORTS], boundary: READS_TABLES },
    does: readReport,
    expect: 'denied',
    says: /because no permissions boundary allows the s3:GetObject action$/,
  },
  {
    name: 'what the policy and the boundary allow is allowed',
    source: `${BOUNDARIES}: the effective permissions are the intersection of both`,
    service: 's3',
    caller: { policies: [READS_REPORTS], boundary: policy(allow('s3:*')) },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: "a boundary's deny overrides",
    source: `${BOUNDARIES}: an explicit deny in either of these policies overrides the allow`,
    service: 's3',
    caller: {
      policies: [READS_REPORTS],
      boundary: policy(allow('*'), deny('s3:GetObject', reports)),
    },
    does: readReport,
    expect: 'denied',
    says: /with an explicit deny in a permissions boundary$/,
  },
  {
    name: "a role's boundary limits its sessions",
    source: `${BOUNDARIES}: boundaries are for users and roles alike`,
    service: 's3',
    caller: { kind: 'role', policies: [READS_REPORTS], boundary: READS_TABLES },
    does: readReport,
    expect: 'denied',
  },
  {
    name: 'a boundary has variables as other policies do',
    source: `${VARIABLES}: identity-based policies used as permissions boundaries also support policy variables`,
    service: 's3',
    caller: {
      policies: [READS_OWN],
      boundary: policy(allow('s3:GetObject', 'arn:aws:s3:::*-own/${aws:username}.csv')),
    },
    given: withObject(({ name }) => `${name}.csv`),
    does: readOwn(({ name }) => `${name}.csv`),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy that names the user is not limited by his boundary",
    source: `${BOUNDARIES}: within an account, grants to a user's ARN are not limited by an implicit deny in a boundary`,
    service: 's3',
    caller: { boundary: READS_TABLES },
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy that names the user does not undo a deny in his boundary",
    source: `${BOUNDARIES}: an explicit deny in any policy type results in a request being denied`,
    service: 's3',
    caller: { boundary: policy(allow('*'), deny('s3:GetObject')) },
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "a bucket's policy that names the role is limited by its boundary",
    source: `${BOUNDARIES}: grants to a role's ARN are limited by an implicit deny in a boundary or session policy`,
    service: 's3',
    caller: { kind: 'role', boundary: READS_TABLES },
    given: guarded(lets(itsRole)),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "a bucket's policy that names the role is enough within its boundary",
    source: `${BOUNDARIES}: grants to a role's ARN are limited by its boundary, not by its identity-based policies`,
    service: 's3',
    caller: { kind: 'role', boundary: policy(allow('s3:*')) },
    given: guarded(lets(itsRole)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy that names the session is not limited by the role's boundary",
    source: `${BOUNDARIES}: grants to a role session's ARN are not limited by an implicit deny in a boundary`,
    service: 's3',
    caller: { kind: 'role', boundary: READS_TABLES },
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy for everyone with the role's ARN as a condition is not limited by its boundary",
    source: `${PRINCIPAL}, "IAM role principals": boundaries and session policies do not limit what is granted by aws:PrincipalArn with * as principal`,
    service: 's3',
    caller: { kind: 'role', boundary: READS_TABLES },
    given: guarded((who) => lets(everyone, { ArnEquals: { 'aws:PrincipalArn': who.principalArn } })(who)),
    does: readOwn(),
    expect: 'allowed',
  },
];

const sessionPolicies: Case[] = [
  {
    name: 'a session policy narrows the role',
    source: `${SESSION_POLICIES}: a session has the intersection of the role's policies and the session policies`,
    service: 's3',
    caller: { kind: 'role', policies: [policy(allow('s3:*'))], session: { policy: READS_TABLES } },
    does: readReport,
    expect: 'denied',
    says: /because no session policy allows the s3:GetObject action$/,
  },
  {
    name: 'a session policy leaves what it allows',
    source: `${SESSION_POLICIES}: a session has the intersection of the role's policies and the session policies`,
    service: 's3',
    caller: { kind: 'role', policies: [policy(allow('s3:*'))], session: { policy: READS_REPORTS } },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: 'a session policy does not widen the role',
    source: `${SESSION_POLICIES}: session policies cannot grant more than the role's own policies`,
    service: 's3',
    caller: { kind: 'role', policies: [READS_TABLES], session: { policy: policy(allow('*')) } },
    does: readReport,
    expect: 'denied',
    says: /because no identity-based policy allows the s3:GetObject action$/,
  },
  {
    name: "a session policy's deny overrides",
    source: `${SESSION_POLICIES}: an explicit deny in any of these policies overrides the allow`,
    service: 's3',
    caller: {
      kind: 'role',
      policies: [READS_REPORTS],
      session: { policy: policy(allow('*'), deny('s3:GetObject', reports)) },
    },
    does: readReport,
    expect: 'denied',
    says: /with an explicit deny in a session policy$/,
  },
  {
    name: 'policy, boundary and session policy must all allow',
    source: `${BOUNDARIES}: the effective permissions are the intersection of all three policy types`,
    service: 's3',
    caller: {
      kind: 'role',
      policies: [READS_REPORTS],
      boundary: READS_TABLES,
      session: { policy: READS_REPORTS },
    },
    does: readReport,
    expect: 'denied',
    says: /because no permissions boundary allows the s3:GetObject action$/,
  },
  {
    name: "a bucket's policy that names the role is limited by the session policy",
    source: `${SESSION_POLICIES}: the session policy limits what a resource-based policy grants to the role's ARN`,
    service: 's3',
    caller: { kind: 'role', session: { policy: READS_TABLES } },
    given: guarded(lets(itsRole)),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "a bucket's policy that names the role counts within the session policy",
    source: `${SESSION_POLICIES}: a session has the intersection of the session policies and the resource-based policies, too`,
    service: 's3',
    caller: { kind: 'role', session: { policy: READS_OWN } },
    given: guarded(lets(itsRole)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy that names the session is not limited by the session policy",
    source: `${SESSION_POLICIES}: what a resource-based policy grants to the session's ARN is not limited by the session policy`,
    service: 's3',
    caller: { kind: 'role', session: { policy: READS_TABLES } },
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy that names the session does not undo a deny in the session policy",
    source: `${SESSION_POLICIES}: an explicit deny in any of these policies overrides the allow`,
    service: 's3',
    caller: { kind: 'role', session: { policy: policy(allow('*'), deny('s3:GetObject')) } },
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "a bucket's policy that names another session of the role grants this one nothing",
    source: `${PRINCIPAL}, "Role session principals": a principal names one specific session`,
    service: 's3',
    caller: { kind: 'role', session: { name: 'John' } },
    given: guarded(lets(({ arn }) => ({ AWS: arn.replace('/John', '/Mary') }))),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "a bucket's policy for everyone with the role's ARN as a condition is not limited by the session policy",
    source: `${PRINCIPAL}, "IAM role principals": boundaries and session policies do not limit what is granted by aws:PrincipalArn with * as principal`,
    service: 's3',
    caller: { kind: 'role', session: { policy: READS_TABLES } },
    given: guarded((who) => lets(everyone, { ArnEquals: { 'aws:PrincipalArn': who.principalArn } })(who)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: 'session tags make a session differ from its role',
    source: `${GLOBAL_KEYS}, aws:PrincipalTag: included for a role with attached tags or session tags`,
    service: 's3',
    caller: {
      kind: 'role',
      policies: [
        policy(allow('s3:GetObject', reports, { StringEquals: { 'aws:PrincipalTag/team': 'blue' } })),
      ],
      session: { tags: { team: 'blue' } },
    },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: "a session tag takes the place of the role's tag of that name, whatever its case",
    source:
      'IAM User Guide, "Pass session tags in AWS STS": new session tags override existing role tags with the same key, regardless of case',
    service: 's3',
    caller: {
      kind: 'role',
      policies: [
        policy(allow('s3:GetObject', reports, { StringEquals: { 'aws:PrincipalTag/team': 'blue' } })),
      ],
      tags: { Team: 'blue' },
      session: { tags: { team: 'green' } },
    },
    does: readReport,
    expect: 'denied',
  },
];

/** What a user's federated session may do, with the name and the session policy that it was asked for. */
const federated =
  (federation: { name?: (who: Who) => string; policy?: PolicyDocument }, then: Case['does']): Case['does'] =>
  async (who, world) => {
    const { Credentials: given } = await new STSClient(who.options).send(
      new GetFederationTokenCommand({
        Name: federation.name?.(who) ?? 'carol',
        ...(federation.policy && { Policy: JSON.stringify(federation.policy) }),
      }),
    );
    const credentials = {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    };
    return then({ ...who, options: { ...who.options, credentials } }, world);
  };

const MAY_FEDERATE = policy(allow('sts:GetFederationToken'));
const carol = ({ account }: Who) => ({ AWS: `arn:aws:sts::${account}:federated-user/carol` });

const federatedUsers: Case[] = [
  {
    name: "a federated user has what his user's policies and the session policy both allow",
    source: `${FEDERATION}: the intersection of the user's identity-based policies and the session policies`,
    service: 's3',
    caller: { policies: [MAY_FEDERATE, READS_REPORTS] },
    does: federated({ policy: policy(allow('s3:*')) }, readReport),
    expect: 'allowed',
  },
  {
    name: 'a federated user has no more than his user has',
    source: `${FEDERATION}: the session policy cannot grant more than the user's own policies`,
    service: 's3',
    caller: { policies: [MAY_FEDERATE] },
    does: federated({ policy: policy(allow('s3:*')) }, readReport),
    expect: 'denied',
  },
  {
    name: 'a federated user without a session policy has nothing',
    source: `${FEDERATION}: without a session policy, the resulting credentials have no permissions`,
    service: 's3',
    caller: { policies: [MAY_FEDERATE, READS_REPORTS] },
    does: federated({}, readReport),
    expect: 'denied',
  },
  {
    name: "a bucket's policy that names the federated user is enough, even without a session policy",
    source: `${FEDERATION}: a resource-based policy that names the federated user grants directly, even when no session policy is passed`,
    service: 's3',
    caller: { policies: [MAY_FEDERATE] },
    given: guarded(lets(carol)),
    does: federated({}, readOwn()),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy that names the user is limited by the federated user's session policy",
    source: `${SINGLE_ACCOUNT}: grants to the ARN of the user who federated are limited by an implicit deny in the session policy`,
    service: 's3',
    caller: { policies: [MAY_FEDERATE] },
    given: guarded(lets(itself)),
    does: federated({ policy: READS_TABLES }, readOwn()),
    expect: 'denied',
  },
  {
    name: "a bucket's deny of the user reaches whom he federated",
    source: `${DISABLING}: a deny whose principal is the user's ARN denies all federated users that he created`,
    service: 's3',
    caller: { policies: [MAY_FEDERATE, READS_OWN] },
    given: guarded(bars(itself)),
    does: federated({ policy: READS_OWN }, readOwn()),
    expect: 'denied',
  },
  {
    name: 'a federated user is not the user whose name he took',
    source: `${SINGLE_ACCOUNT}: the principal is the federated user's ARN, and grants to a user reach those whom that user federated`,
    service: 's3',
    caller: { policies: [MAY_FEDERATE] },
    given: async (world, who) => {
      const other = `${who.name}-other`;
      await new IAMClient(world.administrator).send(new CreateUserCommand({ UserName: other }));
      await guarded(lets(() => ({ AWS: `arn:aws:iam::${ACCOUNT}:user/${other}` })))(world, who);
    },
    does: federated({ name: ({ name }) => `${name}-other`, policy: policy(allow('s3:*')) }, readOwn()),
    expect: 'denied',
  },
  {
    name: 'a federated user has the tags of his user',
    source:
      'IAM User Guide, "Pass session tags in AWS STS": with GetFederationToken, the session principal tags include the user tags and the passed session tags',
    service: 's3',
    caller: {
      policies: [
        MAY_FEDERATE,
        policy(allow('s3:GetObject', reports, { StringEquals: { 'aws:PrincipalTag/team': 'blue' } })),
      ],
      tags: { team: 'blue' },
    },
    does: federated({ policy: policy(allow('s3:*')) }, readReport),
    expect: 'allowed',
  },
  {
    name: 'aws:PrincipalArn of a federated user is his own ARN',
    source: `${GLOBAL_KEYS}, aws:PrincipalArn: for federated user sessions, arn:aws:sts::ACCOUNT:federated-user/NAME`,
    service: 's3',
    caller: {
      policies: [
        MAY_FEDERATE,
        policy(
          allow('s3:GetObject', reports, {
            ArnEquals: { 'aws:PrincipalArn': `arn:aws:sts::${ACCOUNT}:federated-user/carol` },
          }),
        ),
      ],
    },
    does: federated({ policy: policy(allow('s3:*')) }, readReport),
    expect: 'allowed',
  },
  {
    name: 'aws:userid of a federated user is the account and his name',
    source: `${VARIABLES}, "Principal key values": for a federated user, account:caller-specified-name`,
    service: 's3',
    caller: {
      policies: [
        MAY_FEDERATE,
        policy(
          allow('s3:GetObject', reports, {
            StringEquals: { 'aws:userid': `${ACCOUNT}:carol`, 'aws:PrincipalType': 'FederatedUser' },
          }),
        ),
      ],
    },
    does: federated({ policy: policy(allow('s3:*')) }, readReport),
    expect: 'allowed',
  },
];

const accounts: Case[] = [
  {
    name: "another account's bucket needs more than the user's own policy",
    source: `${CROSS_ACCOUNT}: the resource-based policy in the other account must allow the requester, too`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT, policies: [policy(allow('s3:*'))] },
    does: readReport,
    expect: 'denied',
    says: /because no resource-based policy allows the s3:GetObject action$/,
  },
  {
    name: "another account's bucket needs more than its own policy",
    source: `${CROSS_ACCOUNT}: the requester must have an identity-based policy that allows the request`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT },
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'denied',
    says: /because no identity-based policy allows the s3:GetObject action$/,
  },
  {
    name: "another account's bucket is open with both policies",
    source: `${CROSS_ACCOUNT}: the request is allowed only if both evaluations return allow`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT, policies: [READS_OWN] },
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "another account's bucket may trust the whole account",
    source: `${CROSS_ACCOUNT}: the resource-based policy can specify the entire account`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT, policies: [READS_OWN] },
    given: guarded(lets(itsAccount)),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "another account's bucket may write the trusted account as its number",
    source: `${PRINCIPAL}: the account ARN and the shortened account ID behave the same way`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT, policies: [READS_OWN] },
    given: guarded(lets(({ account }) => ({ AWS: account }))),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "a policy for everyone does not spare another account's user his own",
    source: `${PRINCIPAL}: with * and Allow, principals in other accounts must also have identity-based permissions`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT },
    given: guarded(lets(everyone)),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "another account's boundary limits, even where the bucket names the user",
    source: `${CROSS_ACCOUNT}: in the trusted account, the policies that can limit an identity-based policy are checked, too`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT, policies: [READS_OWN], boundary: READS_TABLES },
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "another account's session policy limits what the bucket grants its role",
    source: `${CROSS_ACCOUNT}: in the trusted account, the policies that can limit an identity-based policy are checked, too`,
    service: 's3',
    caller: {
      account: OTHER_ACCOUNT,
      kind: 'role',
      policies: [READS_OWN],
      session: { policy: READS_TABLES },
    },
    given: guarded(lets(itsRole)),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "another account's deny counts",
    source: `${CROSS_ACCOUNT}: a request that is explicitly denied within one of the accounts is denied`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT, policies: [READS_OWN, policy(deny('s3:GetObject'))] },
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: "a deny in another account's bucket policy counts",
    source: `${CROSS_ACCOUNT}: a request that is explicitly denied within one of the accounts is denied`,
    service: 's3',
    caller: { account: OTHER_ACCOUNT, policies: [READS_OWN] },
    given: guarded(lets(itself), bars(everyone, { StringNotEquals: { 'aws:PrincipalAccount': ACCOUNT } })),
    does: readOwn(),
    expect: 'denied',
  },
  {
    name: 'aws:ResourceAccount is the account that has the bucket',
    source: `${GLOBAL_KEYS}, aws:ResourceAccount: compares the requested resource owner's account`,
    service: 's3',
    caller: {
      account: OTHER_ACCOUNT,
      policies: [
        READS_OWN,
        policy(deny('s3:*', '*', { StringNotEquals: { 'aws:ResourceAccount': OTHER_ACCOUNT } })),
      ],
    },
    given: guarded(lets(itself)),
    does: readOwn(),
    expect: 'denied',
  },
];

const variables: Case[] = [
  reaches(
    '${aws:username} is the name of the user',
    `${VARIABLES}: aws:username returns the user's friendly name`,
    'home/${aws:username}/*',
    ({ name }) => `home/${name}/1.csv`,
    'allowed',
  ),
  reaches(
    "${aws:username} is nobody else's name",
    `${VARIABLES}: aws:username is replaced with the name of the actual current user`,
    'home/${aws:username}/*',
    'home/david/1.csv',
    'denied',
  ),
  reaches(
    'the name of a variable has no case',
    `${VARIABLES}: key names are case-insensitive`,
    'home/${AWS:UserName}/*',
    ({ name }) => `home/${name}/1.csv`,
    'allowed',
  ),
  reaches(
    'a resource with a variable that has no value matches nothing',
    `${VARIABLES}, "Policy variables with no value": a Resource with such a variable will not match any resource; aws:username is not present for roles`,
    'home/${aws:username}/*',
    'home//1.csv',
    'denied',
    { kind: 'role' },
  ),
  reaches(
    '${aws:PrincipalTag/…} is the value of a tag',
    `${VARIABLES}: to replace part of an ARN with a tag value, surround the prefix and key name with \${}`,
    'team/${aws:PrincipalTag/team}/*',
    'team/blue/1.csv',
    'allowed',
    { tags: { team: 'blue' } },
  ),
  reaches(
    "${aws:PrincipalTag/…} of a session is the session tag's value",
    `${VARIABLES}: aws:PrincipalTag as a variable; ${GLOBAL_KEYS}: it is included for session tags`,
    'team/${aws:PrincipalTag/team}/*',
    'team/green/1.csv',
    'allowed',
    { kind: 'role', tags: { team: 'blue' }, session: { tags: { team: 'green' } } },
  ),
  reaches(
    'a default stands in for a tag that is missing',
    `${VARIABLES}, "Specifying default values": users without the tag get the default`,
    "team/${aws:PrincipalTag/team, 'company-wide'}/*",
    'team/company-wide/1.csv',
    'allowed',
  ),
  reaches(
    'a default does not stand in for a tag that is there',
    `${VARIABLES}, "Specifying default values": team members access their team's bucket and not the default's`,
    "team/${aws:PrincipalTag/team, 'company-wide'}/*",
    'team/company-wide/1.csv',
    'denied',
    { tags: { team: 'blue' } },
  ),
  reaches(
    'a variable with a default takes the value that is there',
    `${VARIABLES}, "Specifying default values": a principal tagged team=yellow accesses what ends in yellow`,
    "team/${aws:PrincipalTag/team, 'company-wide'}/*",
    'team/yellow/1.csv',
    'allowed',
    { tags: { team: 'yellow' } },
  ),
  reaches(
    "a role has a default's name",
    `${VARIABLES}, "Specifying default values" and "Principal key values": aws:username is not present for roles`,
    "home/${aws:username, 'shared'}/*",
    'home/shared/1.csv',
    'allowed',
    { kind: 'role' },
  ),
  reaches(
    '${*} is an asterisk',
    `${VARIABLES}, "Special characters": use \${*} where you need an asterisk character`,
    '${*}.csv',
    '*.csv',
    'allowed',
  ),
  reaches(
    '${*} is nothing but an asterisk',
    `${VARIABLES}, "Special characters": a literal asterisk would be interpreted as a wildcard, \${*} is not`,
    '${*}.csv',
    '1.csv',
    'denied',
  ),
  reaches(
    '${?} is a question mark',
    `${VARIABLES}, "Special characters": use \${?} where you need a question mark character`,
    '${?}.csv',
    '?.csv',
    'allowed',
  ),
  reaches(
    '${?} is nothing but a question mark',
    `${VARIABLES}, "Special characters": use \${?} where you need a question mark character`,
    '${?}.csv',
    '1.csv',
    'denied',
  ),
  reaches(
    '${$} is a dollar sign',
    `${VARIABLES}, "Special characters": use \${$} where you need a dollar sign character`,
    '${$}{aws:username}.csv',
    '${aws:username}.csv',
    'allowed',
  ),
  {
    name: '${*} in a condition is an asterisk',
    source: `${VARIABLES}, "Special characters": usable in any string where regular variables are`,
    service: 's3',
    caller: { policies: [policy(allow('s3:ListBucket', '*', { StringLike: { 's3:prefix': 'a${*}' } }))] },
    does: list({ Prefix: 'a*' }),
    expect: 'allowed',
  },
  {
    name: '${*} in a condition is no wildcard',
    source: `${VARIABLES}, "Special characters": \${*} stands for the character itself`,
    service: 's3',
    caller: { policies: [policy(allow('s3:ListBucket', '*', { StringLike: { 's3:prefix': 'a${*}' } }))] },
    does: list({ Prefix: 'abc' }),
    expect: 'denied',
  },
  {
    name: '${*} and ${?} are themselves where there are no wildcards, too',
    source: `${VARIABLES}, "Special characters": usable in any string where regular variables are, string comparisons among them`,
    service: 's3',
    caller: {
      policies: [policy(allow('s3:ListBucket', '*', { StringEquals: { 's3:prefix': 'a${*}${?}' } }))],
    },
    does: list({ Prefix: 'a*?' }),
    expect: 'allowed',
  },
  {
    name: '${aws:userid} is the unique id of a user',
    source: `${VARIABLES}, "Principal key values": for an IAM user, the user's unique ID`,
    service: 's3',
    caller: { policies: [policy(allow('s3:GetObject', 'arn:aws:s3:::*-own/home/${aws:userid}/*'))] },
    given: async (world, who) => {
      const { User: user } = await new IAMClient(world.administrator).send(
        new GetUserCommand({ UserName: who.name }),
      );
      const s3 = await makeBucket(who, `home/${user?.UserId ?? ''}/1.csv`, world);
      await s3.send(new PutObjectCommand({ Bucket: bucketOf(who), Key: 'id', Body: user?.UserId }));
    },
    does: async (who, world) => {
      const { Body: id } = await new S3Client(world.administrator).send(
        new GetObjectCommand({ Bucket: bucketOf(who), Key: 'id' }),
      );
      const key = `home/${(await id?.transformToString()) ?? ''}/1.csv`;
      return readOwn(key)(who, world);
    },
    expect: 'allowed',
  },
  {
    name: "aws:userid of a role's session is the role's id with the session's name",
    source: `${VARIABLES}, "Principal key values": for an assumed role, role-id:caller-specified-role-name`,
    service: 's3',
    caller: { kind: 'role', session: { name: 'John' } },
    given: async (world, who) => {
      const { Role: role } = await new IAMClient(world.administrator).send(
        new GetRoleCommand({ RoleName: who.name }),
      );
      await guarded(lets(everyone, { StringEquals: { 'aws:userid': `${role?.RoleId ?? ''}:John` } }))(
        world,
        who,
      );
    },
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: "a bucket's policy has variables as well",
    source: `${VARIABLES}: variables can be used in resource policies`,
    service: 's3',
    given: guarded(lets(everyone, { StringLike: { 'aws:PrincipalArn': '*/${aws:username}' } })),
    does: readOwn(),
    expect: 'allowed',
  },
  {
    name: 'a session policy has variables as well',
    source: `${VARIABLES}: variables can be used in session policies`,
    service: 's3',
    caller: {
      kind: 'role',
      policies: [READS_OWN],
      session: { policy: policy(allow('s3:GetObject', 'arn:aws:s3:::*-own/${aws:PrincipalTag/team}.csv')) },
      tags: { team: 'blue' },
    },
    given: withObject('blue.csv'),
    does: readOwn('blue.csv'),
    expect: 'allowed',
  },
  {
    name: 'a policy of the older language has no variables',
    source: `${VARIABLES}: without the Version 2012-10-17, variables are treated as literal strings`,
    service: 's3',
    given: async (world, who) => {
      const s3 = await makeBucket(who, `${who.name}.csv`, world);
      const statement = { ...lets(itself)(who), Action: 's3:GetObject' };
      const resource = `arn:aws:s3:::${bucketOf(who)}/\${aws:username}.csv`;
      await s3.send(
        new PutBucketPolicyCommand({
          Bucket: bucketOf(who),
          Policy: JSON.stringify({
            Version: '2008-10-17',
            Statement: [{ ...statement, Resource: resource }],
          }),
        }),
      );
    },
    does: readOwn(({ name }) => `${name}.csv`),
    expect: 'denied',
  },
  allowedIf(
    'a variable without a value is equal to nothing',
    `${VARIABLES}, "Policy variables with no value": StringEquals and StringLike do not match`,
    { StringEquals: { 'aws:PrincipalAccount': '${aws:PrincipalTag/nothing}' } },
    'denied',
  ),
  deniedIf(
    'a variable without a value differs from everything',
    `${VARIABLES}, "Policy variables with no value": inverted operators like StringNotEquals do match`,
    { StringNotEquals: { 'aws:PrincipalAccount': '${aws:PrincipalTag/nothing}' } },
    'denied',
  ),
];

const operators: Case[] = [
  allowedIf(
    'StringEquals minds the case',
    `${OPERATORS}: StringEquals is exact matching, case sensitive`,
    { StringEquals: { 'aws:PrincipalTag/team': 'Blue' } },
    'denied',
    { tags: { team: 'blue' } },
  ),
  allowedIf(
    'StringEqualsIgnoreCase does not mind the case',
    `${OPERATORS}: StringEqualsIgnoreCase is exact matching, ignoring case`,
    { StringEqualsIgnoreCase: { 'aws:PrincipalTag/team': 'BLUE' } },
    'allowed',
    { tags: { team: 'blue' } },
  ),
  deniedIf(
    'StringNotEqualsIgnoreCase does not mind the case',
    `${OPERATORS}: StringNotEqualsIgnoreCase is negated matching, ignoring case`,
    { StringNotEqualsIgnoreCase: { 'aws:PrincipalTag/team': 'BLUE' } },
    'allowed',
    { tags: { team: 'blue' } },
  ),
  allowedIf(
    'StringEquals has no wildcards',
    `${OPERATORS}: wildcards belong to StringLike; partial matches need it`,
    { StringEquals: { 'aws:PrincipalTag/team': 'b*' } },
    'denied',
    { tags: { team: 'blue' } },
  ),
  allowedIf(
    'StringLike has wildcards',
    `${OPERATORS}: StringLike values can include * and ? anywhere`,
    { StringLike: { 'aws:PrincipalTag/team': 'b?u*' } },
    'allowed',
    { tags: { team: 'blue' } },
  ),
  allowedIf(
    'StringLike minds the case',
    `${OPERATORS}: StringLike is case-sensitive matching`,
    { StringLike: { 'aws:PrincipalTag/team': 'B*' } },
    'denied',
    { tags: { team: 'blue' } },
  ),
  deniedIf(
    'StringNotLike matches what is not alike',
    `${OPERATORS}: StringNotLike is negated case-sensitive matching with wildcards`,
    { StringNotLike: { 'aws:PrincipalTag/team': 'g*' } },
    'denied',
    { tags: { team: 'blue' } },
  ),
  {
    name: 'NumericLessThanEquals holds up to the number',
    source: `${OPERATORS}: NumericLessThanEquals on s3:max-keys lets up to 10 objects be listed`,
    service: 's3',
    caller: {
      policies: [policy(allow('s3:ListBucket', '*', { NumericLessThanEquals: { 's3:max-keys': '10' } }))],
    },
    does: list({ MaxKeys: 10 }),
    expect: 'allowed',
  },
  {
    name: 'NumericLessThanEquals does not hold beyond the number',
    source: `${OPERATORS}: NumericLessThanEquals on s3:max-keys lets up to 10 objects be listed`,
    service: 's3',
    caller: {
      policies: [policy(allow('s3:ListBucket', '*', { NumericLessThanEquals: { 's3:max-keys': '10' } }))],
    },
    does: list({ MaxKeys: 11 }),
    expect: 'denied',
  },
  {
    name: 'numbers are compared as numbers',
    source: `${OPERATORS}: numeric operators compare a key to an integer or decimal value`,
    service: 's3',
    caller: {
      policies: [policy(allow('s3:ListBucket', '*', { NumericGreaterThan: { 's3:max-keys': '9' } }))],
    },
    does: list({ MaxKeys: 10 }),
    expect: 'allowed',
  },
  {
    name: 'NumericNotEquals holds for any other number',
    source: `${OPERATORS}: NumericNotEquals is negated matching`,
    service: 's3',
    caller: {
      policies: [
        policy(allow('s3:ListBucket')),
        policy(deny('s3:ListBucket', '*', { NumericNotEquals: { 's3:max-keys': ['5', '10'] } })),
      ],
    },
    does: list({ MaxKeys: 10 }),
    expect: 'allowed',
  },
  allowedIf(
    'aws:CurrentTime is now, and DateGreaterThan is after',
    `${GLOBAL_KEYS}, aws:CurrentTime: the date and time of the request; ${OPERATORS}: DateGreaterThan matches after a date`,
    { DateGreaterThan: { 'aws:CurrentTime': '2020-04-01T00:00:00Z' } },
    'allowed',
  ),
  allowedIf(
    'a time that is over closes',
    'IAM User Guide, "AWS: Allows access based on date and time": access between two dates',
    {
      DateGreaterThan: { 'aws:CurrentTime': '2020-04-01T00:00:00Z' },
      DateLessThan: { 'aws:CurrentTime': '2020-06-30T23:59:59Z' },
    },
    'denied',
  ),
  allowedIf(
    'dates may be written in seconds since 1970',
    `${OPERATORS}: date values are in ISO 8601 or in epoch time`,
    { DateGreaterThan: { 'aws:CurrentTime': '1585699200' } },
    'allowed',
  ),
  allowedIf(
    'seconds since 1970 are seconds',
    `${OPERATORS}: date values are in ISO 8601 or in epoch time`,
    { DateLessThan: { 'aws:CurrentTime': '4102444800' } },
    'allowed',
  ),
  allowedIf(
    'a date may be written without a time',
    `${OPERATORS}: date values are in one of the W3C implementations of ISO 8601, which has plain dates`,
    { DateGreaterThanEquals: { 'aws:CurrentTime': '2020-04-01' } },
    'allowed',
  ),
  allowedIf(
    'aws:EpochTime is compared as a date',
    `${GLOBAL_KEYS}, aws:EpochTime: works with date operators or numeric operators`,
    { DateLessThan: { 'aws:EpochTime': '2020-04-01T00:00:00Z' } },
    'denied',
  ),
  allowedIf(
    'aws:EpochTime is compared as a number',
    `${GLOBAL_KEYS}, aws:EpochTime: works with date operators or numeric operators`,
    { NumericGreaterThan: { 'aws:EpochTime': '1585699200' } },
    'allowed',
  ),
  deniedIf(
    'a request by plain HTTP is not secure',
    `${GLOBAL_KEYS}, aws:SecureTransport: whether the request was sent using SSL, true or false`,
    { Bool: { 'aws:SecureTransport': 'false' } },
    'denied',
    { plain: true },
  ),
  deniedIf(
    'a request over TLS is secure',
    `${GLOBAL_KEYS}, aws:SecureTransport: whether the request was sent using SSL, true or false`,
    { Bool: { 'aws:SecureTransport': 'false' } },
    'allowed',
  ),
  allowedIf(
    'IpAddress holds within the range',
    `${OPERATORS}: IpAddress, the specified address or range, in CIDR format`,
    { IpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '127.0.0.0/8'] } },
    'allowed',
  ),
  allowedIf(
    'IpAddress does not hold outside the range',
    `${OPERATORS}: IpAddress, the specified address or range`,
    { IpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '2001:DB8:1234:5678::/64'] } },
    'denied',
  ),
  allowedIf(
    'an address without a prefix is that address',
    `${OPERATORS}: an address without the associated routing prefix has /32`,
    { IpAddress: { 'aws:SourceIp': '127.0.0.1' } },
    'allowed',
  ),
  deniedIf(
    'NotIpAddress holds outside all of the ranges',
    `${OPERATORS}: NotIpAddress, all addresses except the specified one or range`,
    { NotIpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '198.51.100.0/24'] } },
    'denied',
  ),
  deniedIf(
    'NotIpAddress does not hold within one of the ranges',
    `${OPERATORS}: NotIpAddress, all addresses except the specified one or range; several values of a negated operator work like a logical AND`,
    { NotIpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '127.0.0.0/8'] } },
    'allowed',
  ),
  allowedIf(
    'ArnLike has wildcards',
    `${OPERATORS}: each component of the ARN can include * and ?`,
    { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:user/case-*` } },
    'allowed',
  ),
  allowedIf(
    'ArnEquals has wildcards, too',
    `${OPERATORS}: ArnEquals and ArnLike behave identically`,
    { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/case-*' } },
    'allowed',
  ),
  deniedIf(
    'ArnNotEquals has wildcards, too',
    `${OPERATORS}: ArnNotEquals and ArnNotLike behave identically`,
    { ArnNotEquals: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:user/*` } },
    'allowed',
  ),
  deniedIf(
    'ArnNotLike holds for another kind of principal',
    `${OPERATORS}: negated matching for ARN`,
    { ArnNotLike: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/*` } },
    'denied',
  ),
  allowedIf(
    'a positive operator does not hold for a key that is missing',
    `${OPERATORS}: if the key is not present in the request context, the values do not match`,
    { StringLike: { 'aws:PrincipalTag/team': '*' } },
    'denied',
  ),
  deniedIf(
    'a negated operator holds for a key that is missing',
    `${OPERATORS}: if the condition requires that the key is not matched and the key is not present, the condition is true`,
    { StringNotEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } },
    'denied',
  ),
  deniedIf(
    'a negated ARN operator holds for a key that is missing',
    `${OPERATORS}: ArnNotLike with a key that is not present is true`,
    { ArnNotLike: { 'aws:SourceArn': 'arn:aws:sns:*:*:*' } },
    'denied',
  ),
  allowedIf(
    'IfExists holds for a key that is missing',
    `${OPERATORS}, "...IfExists": if the key is not present, the condition element is true`,
    { StringEqualsIfExists: { 'aws:PrincipalTag/team': 'blue' } },
    'allowed',
  ),
  allowedIf(
    'IfExists minds a key that is there',
    `${OPERATORS}, "...IfExists": if the key is present, it is processed as specified`,
    { StringEqualsIfExists: { 'aws:PrincipalTag/team': 'blue' } },
    'denied',
    { tags: { team: 'green' } },
  ),
  deniedIf(
    'a negated IfExists in a deny still denies without the key',
    `${OPERATORS}, "...IfExists": Deny with StringNotEqualsIfExists denies even if the tag is missing`,
    { StringNotEqualsIfExists: { 'aws:PrincipalTag/team': 'blue' } },
    'denied',
  ),
  allowedIf(
    'IfExists does not make up for the other conditions',
    `${OPERATORS}, "...IfExists": other condition elements in the statement can still result in a nonmatch`,
    {
      StringEqualsIfExists: { 'aws:PrincipalTag/team': 'blue' },
      StringEquals: { 'aws:PrincipalTag/grade': '7' },
    },
    'denied',
  ),
  allowedIf(
    'Null true holds for a key that is missing',
    `${OPERATORS}, "Null": true when the key doesn't exist; a user's long-lived key has no aws:TokenIssueTime`,
    { Null: { 'aws:TokenIssueTime': 'true' } },
    'allowed',
  ),
  allowedIf(
    'Null true does not hold for a key that is there',
    `${OPERATORS}, "Null": temporary credentials have aws:TokenIssueTime`,
    { Null: { 'aws:TokenIssueTime': 'true' } },
    'denied',
    { kind: 'role' },
  ),
  allowedIf(
    'Null false holds for a key that is there',
    `${OPERATORS}, "Null": false when the key exists and its value is not null`,
    { Null: { 'aws:TokenIssueTime': 'false' } },
    'allowed',
    { kind: 'role' },
  ),
  allowedIf(
    'several values of a key are alternatives',
    `${SEVERAL}: several values for one key are evaluated using a logical OR`,
    { StringEquals: { 'aws:PrincipalTag/team': ['green', 'blue'] } },
    'allowed',
    { tags: { team: 'blue' } },
  ),
  allowedIf(
    'several keys must all hold',
    `${SEVERAL}: several keys of one operator are evaluated using a logical AND`,
    { StringEquals: { 'aws:PrincipalTag/team': 'blue', 'aws:PrincipalTag/grade': '7' } },
    'denied',
    { tags: { team: 'blue', grade: '6' } },
  ),
  allowedIf(
    'several operators must all hold',
    `${SEVERAL}: several operators are evaluated using a logical AND`,
    {
      StringEquals: { 'aws:PrincipalTag/team': 'blue' },
      IpAddress: { 'aws:SourceIp': '203.0.113.0/24' },
    },
    'denied',
    { tags: { team: 'blue' } },
  ),
  deniedIf(
    'several values of a negated operator must all differ',
    `${SEVERAL}: for negated operators such as StringNotEquals, several values work like a logical AND`,
    { StringNotEquals: { 'aws:PrincipalTag/team': ['green', 'blue'] } },
    'allowed',
    { tags: { team: 'blue' } },
  ),
  allowedIf(
    'the name of a condition key has no case',
    `${CONDITION}: condition key names are not case-sensitive`,
    { StringEquals: { 'AWS:principalaccount': ACCOUNT } },
    'allowed',
  ),
  allowedIf(
    'the name of a tag in a condition key has no case',
    `${CONDITION}: aws:ResourceTag/TagKey1 matches a tag named TagKey1 or tagkey1`,
    { StringEquals: { 'aws:PrincipalTag/TEAM': 'blue' } },
    'allowed',
    { tags: { team: 'blue' } },
  ),
  {
    name: 'statements of a policy count each by itself',
    source: `${LOGIC}: at least one allow is enough, and conditions belong to their statement`,
    service: 's3',
    caller: {
      policies: [
        policy(
          allow('s3:GetObject', reports, { StringEquals: { 'aws:PrincipalTag/team': 'green' } }),
          allow('s3:GetObject', reports, { StringEquals: { 'aws:PrincipalTag/team': 'blue' } }),
        ),
      ],
      tags: { team: 'blue' },
    },
    does: readReport,
    expect: 'allowed',
  },
];

const sets: Case[] = [
  tagsIf(
    'ForAllValues holds when each value is one of the list',
    `${MULTIVALUED}: true if every value in the request matches at least one value in the policy`,
    { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['team', 'grade'] } },
    { team: 'blue' },
    'allowed',
  ),
  tagsIf(
    'ForAllValues does not hold with one value too many',
    `${MULTIVALUED}: true only if every value in the request matches a value in the policy`,
    { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['team', 'grade'] } },
    { team: 'blue', owner: 'ann' },
    'denied',
  ),
  tagsIf(
    'ForAllValues holds when there is nothing to compare',
    `${MULTIVALUED}: it also returns true if there are no context keys in the request`,
    { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] } },
    {},
    'allowed',
  ),
  tagsIf(
    'ForAllValues with Null false asks for a value at least',
    `${MULTIVALUED}: include a Null condition with false to check that the key exists`,
    { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] }, Null: { 'aws:TagKeys': 'false' } },
    {},
    'denied',
  ),
  tagsIf(
    'ForAnyValue holds when one of the values is of the list',
    `${MULTIVALUED}: true if any one of the values in the request matches any one in the policy`,
    { 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['team'] } },
    { team: 'blue', owner: 'ann' },
    'allowed',
  ),
  tagsIf(
    'ForAnyValue does not hold when no value is of the list',
    `${MULTIVALUED}: true if any one of the values in the request matches any one in the policy`,
    { 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['team'] } },
    { owner: 'ann' },
    'denied',
  ),
  tagsIf(
    'ForAnyValue does not hold when there is nothing to compare',
    `${MULTIVALUED}: for no matching context key or a null dataset, the condition returns false`,
    { 'ForAnyValue:StringLike': { 'aws:TagKeys': ['*'] } },
    {},
    'denied',
  ),
  tagsIf(
    'ForAllValues takes wildcards with StringLike',
    `${MULTIVALUED}: a multivalued string key with a wildcard needs StringLike`,
    { 'ForAllValues:StringLike': { 'aws:TagKeys': ['cost-*'] } },
    { 'cost-center': '1', 'cost-unit': '2' },
    'allowed',
  ),
  {
    name: 'ForAnyValue in a deny denies for one forbidden value',
    source: `${MULTIVALUED}: ForAnyValue in a Deny denies a request with one of the forbidden values`,
    service: 'secretsmanager',
    caller: {
      policies: [
        policy(allow(CREATE_TAGGED)),
        policy(
          deny(CREATE_TAGGED, '*', { 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['owner', 'grade'] } }),
        ),
      ],
    },
    does: createTagged({ team: 'blue', owner: 'ann' }),
    expect: 'denied',
  },
  tagsIf(
    'aws:RequestTag is the value of a tag in the request',
    `${GLOBAL_KEYS}, aws:RequestTag: one context key for each tag key-value pair that is passed`,
    { StringEquals: { 'aws:RequestTag/team': ['blue', 'green'] } },
    { team: 'blue' },
    'allowed',
  ),
  tagsIf(
    'aws:RequestTag of another value does not do',
    `${GLOBAL_KEYS}, aws:RequestTag: compares the tag key-value pair that was passed`,
    { StringEquals: { 'aws:RequestTag/team': ['blue', 'green'] } },
    { team: 'red' },
    'denied',
  ),
  tagsIf(
    'aws:RequestTag without the tag does not do',
    `${GLOBAL_KEYS}, aws:RequestTag: included when tags are passed in the request`,
    { StringEquals: { 'aws:RequestTag/team': 'blue' } },
    {},
    'denied',
  ),
  {
    name: 'a tag of the request may have to be the tag of whoever asks',
    source: `${VARIABLES}: a principal's tag as a value to compare with; ${GLOBAL_KEYS}, aws:RequestTag`,
    service: 'secretsmanager',
    caller: {
      policies: [
        policy(
          allow(CREATE_TAGGED, '*', { StringEquals: { 'aws:RequestTag/team': '${aws:PrincipalTag/team}' } }),
        ),
      ],
      tags: { team: 'green' },
    },
    does: createTagged({ team: 'blue' }),
    expect: 'denied',
  },
];

/** A secret of the case's own, with a tag. */
const taggedSecret: Case['given'] = ({ administrator }, { name }) =>
  new SecretsManagerClient(administrator).send(
    new CreateSecretCommand({
      Name: `${name}/own`,
      SecretString: 'value',
      Tags: [{ Key: 'team', Value: 'blue' }],
    }),
  );

const readTagged: Case['does'] = ({ options, name }) =>
  new SecretsManagerClient(options).send(new GetSecretValueCommand({ SecretId: `${name}/own` }));

const readsTagged = (team: string) =>
  policy(allow('secretsmanager:GetSecretValue', '*', { StringEquals: { 'aws:ResourceTag/team': team } }));

const resourceTags: Case[] = [
  {
    name: 'aws:ResourceTag is the value of a tag of the resource',
    source: `${GLOBAL_KEYS}, aws:ResourceTag: compares with the key-value pair attached to the resource`,
    service: 'secretsmanager',
    caller: { policies: [readsTagged('blue')] },
    given: taggedSecret,
    does: readTagged,
    expect: 'allowed',
  },
  {
    name: 'aws:ResourceTag of another value does not do',
    source: `${GLOBAL_KEYS}, aws:ResourceTag: compares with the key-value pair attached to the resource`,
    service: 'secretsmanager',
    caller: { policies: [readsTagged('green')] },
    given: taggedSecret,
    does: readTagged,
    expect: 'denied',
  },
  {
    name: 'a resource may have to have the tag of whoever asks',
    source:
      'IAM User Guide, "IAM tutorial: Define permissions to access AWS resources based on tags": aws:ResourceTag compared with ${aws:PrincipalTag/…}',
    service: 'secretsmanager',
    caller: { policies: [readsTagged('${aws:PrincipalTag/team}')], tags: { team: 'blue' } },
    given: taggedSecret,
    does: readTagged,
    expect: 'allowed',
  },
  {
    name: 'a resource with the tag of others stays closed',
    source:
      'IAM User Guide, "IAM tutorial: Define permissions to access AWS resources based on tags": aws:ResourceTag compared with ${aws:PrincipalTag/…}',
    service: 'secretsmanager',
    caller: { policies: [readsTagged('${aws:PrincipalTag/team}')], tags: { team: 'green' } },
    given: taggedSecret,
    does: readTagged,
    expect: 'denied',
  },
  {
    name: 'aws:TagKeys holds the tags that are to be removed',
    source: `${GLOBAL_KEYS}, aws:TagKeys: the tag keys in a request, where the operation passes them`,
    service: 'secretsmanager',
    caller: {
      policies: [
        policy(allow('secretsmanager:UntagResource')),
        policy(
          deny('secretsmanager:UntagResource', '*', {
            'ForAnyValue:StringEquals': { 'aws:TagKeys': ['team'] },
          }),
        ),
      ],
    },
    given: taggedSecret,
    does: ({ options, name }) =>
      new SecretsManagerClient(options).send(
        new UntagResourceCommand({ SecretId: `${name}/own`, TagKeys: ['team'] }),
      ),
    expect: 'denied',
  },
];

/** IAM's own console writes this one (IAM User Guide, "Revoke IAM role temporary security credentials"). */
const revoked = (before: string) =>
  policy(deny('*', '*', { DateLessThan: { 'aws:TokenIssueTime': before } }));

const aMinuteFromNow = () => new Date(Date.now() + 60_000).toISOString();

const keys: Case[] = [
  {
    name: 'aws:RequestedRegion is the region that is asked',
    source: `${GLOBAL_KEYS}, aws:RequestedRegion: the AWS Region that was called in the request`,
    service: 'ssm',
    caller: {
      policies: [
        policy(allow('ssm:DescribeParameters', '*', { StringEquals: { 'aws:RequestedRegion': REGION } })),
      ],
    },
    does: ({ options }) => new SSMClient(options).send(new DescribeParametersCommand({})),
    expect: 'allowed',
  },
  {
    name: 'another region than the allowed one is closed',
    source: `${DENY_REGION}: denies what is outside of the Regions listed`,
    service: 'ssm',
    caller: {
      policies: [
        policy(allow('*')),
        policy(deny('*', '*', { StringNotEquals: { 'aws:RequestedRegion': [REGION] } })),
      ],
    },
    does: ({ options }) =>
      new SSMClient({ ...options, region: 'us-east-1' }).send(new DescribeParametersCommand({})),
    expect: 'denied',
  },
  {
    name: 'IAM is asked in us-east-1, wherever one is',
    source: `${GLOBAL_KEYS}, aws:RequestedRegion: IAM calls are always made to us-east-1, so a policy that denies every other Region makes them fail`,
    service: 'iam',
    caller: {
      policies: [
        policy(allow('iam:ListUsers')),
        policy(deny('*', '*', { StringNotEquals: { 'aws:RequestedRegion': [REGION] } })),
      ],
    },
    does: listUsers,
    expect: 'denied',
  },
  {
    name: 'a deny of regions with NotAction leaves IAM alone',
    source: `${DENY_REGION}: global services with endpoints in us-east-1, such as IAM, are excepted by NotAction`,
    service: 'iam',
    caller: {
      policies: [
        policy(allow('iam:ListUsers')),
        policy({
          Effect: 'Deny',
          NotAction: ['iam:*', 'sts:*'],
          Resource: '*',
          Condition: { StringNotEquals: { 'aws:RequestedRegion': [REGION] } },
        }),
      ],
    },
    does: listUsers,
    expect: 'allowed',
  },
  {
    name: 'sessions from before a time are revoked',
    source: `${REVOKING}: AWSRevokeOlderSessions denies everything to sessions that began before`,
    service: 's3',
    caller: { kind: 'role', policies: [READS_REPORTS] },
    given: ({ administrator }, { name }) =>
      new IAMClient(administrator).send(
        new PutRolePolicyCommand({
          RoleName: name,
          PolicyName: 'AWSRevokeOlderSessions',
          PolicyDocument: JSON.stringify(revoked(aMinuteFromNow())),
        }),
      ),
    does: readReport,
    expect: 'denied',
    says: /with an explicit deny in an identity-based policy$/,
  },
  {
    name: 'sessions from after a revocation work',
    source: `${REVOKING}: whoever assumes the role after the revocation is not affected`,
    service: 's3',
    caller: { kind: 'role', policies: [READS_REPORTS, revoked('2020-01-01T00:00:00Z')] },
    does: readReport,
    expect: 'allowed',
  },
  {
    name: 'a revocation does not reach long-lived keys',
    source: `${DISABLING}: aws:TokenIssueTime is only present with temporary credentials, so the deny does not affect long-term ones`,
    service: 's3',
    caller: { policies: [READS_REPORTS, revoked('2099-01-01T00:00:00Z')] },
    does: readReport,
    expect: 'allowed',
  },
  allowedIf(
    'aws:TokenIssueTime of a session lets by its age',
    `${OPERATORS}: DateGreaterThan on aws:TokenIssueTime asks for fresh credentials`,
    { DateGreaterThan: { 'aws:TokenIssueTime': '2020-01-01T00:00:01Z' } },
    'allowed',
    { kind: 'role' },
  ),
  allowedIf(
    'aws:TokenIssueTime is missing with long-lived keys',
    `${OPERATORS}: aws:TokenIssueTime is not present in requests made using access keys`,
    { DateGreaterThan: { 'aws:TokenIssueTime': '2020-01-01T00:00:01Z' } },
    'denied',
  ),
  allowedIf(
    "aws:PrincipalArn of a session is its role's",
    `${GLOBAL_KEYS}, aws:PrincipalArn: for roles, the ARN of the role`,
    { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/case-*` } },
    'allowed',
    { kind: 'role' },
  ),
  allowedIf(
    'aws:PrincipalArn of a session is not its own',
    `${GLOBAL_KEYS}, aws:PrincipalArn: do not specify the assumed role session ARN`,
    { ArnLike: { 'aws:PrincipalArn': `arn:aws:sts::${ACCOUNT}:assumed-role/*` } },
    'denied',
    { kind: 'role' },
  ),
  allowedIf(
    'aws:PrincipalType of a user is User',
    `${VARIABLES}, "Principal key values": User for an IAM user`,
    { StringEquals: { 'aws:PrincipalType': 'User' } },
    'allowed',
  ),
  allowedIf(
    'aws:PrincipalType of a session is AssumedRole',
    `${VARIABLES}, "Principal key values": AssumedRole for a role`,
    { StringEquals: { 'aws:PrincipalType': 'AssumedRole' } },
    'allowed',
    { kind: 'role' },
  ),
  allowedIf(
    'aws:userid of a user begins as the ids of users do',
    'IAM User Guide, "IAM identifiers", "Unique identifiers": AIDA is the prefix of an IAM user',
    { StringLike: { 'aws:userid': 'AIDA*' } },
    'allowed',
  ),
  allowedIf(
    "aws:userid of a role's session begins as the ids of roles do",
    'IAM User Guide, "IAM identifiers", "Unique identifiers": AROA is the prefix of a role, and AROA…:* stands for its sessions',
    { StringLike: { 'aws:userid': 'AROA*:session' } },
    'allowed',
    { kind: 'role' },
  ),
  allowedIf(
    'aws:PrincipalAccount is the account of whoever asks',
    `${GLOBAL_KEYS}, aws:PrincipalAccount: the account to which the requesting principal belongs`,
    { StringEquals: { 'aws:PrincipalAccount': ACCOUNT } },
    'allowed',
  ),
  allowedIf(
    'aws:ViaAWSService of a direct request is false',
    `${GLOBAL_KEYS}, aws:ViaAWSService: false when the principal makes the call directly`,
    { Bool: { 'aws:ViaAWSService': 'false' } },
    'allowed',
  ),
  deniedIf(
    'an exception for services does not reach a direct request',
    'IAM User Guide, "AWS: Denies access to AWS based on the source IP": Bool aws:ViaAWSService false, with NotIpAddress',
    {
      NotIpAddress: { 'aws:SourceIp': ['192.0.2.0/24', '203.0.113.0/24'] },
      Bool: { 'aws:ViaAWSService': 'false' },
    },
    'denied',
  ),
  allowedIf(
    'aws:CalledVia is missing from a direct request',
    `${GLOBAL_KEYS}, aws:CalledVia: not present when the principal makes the call directly`,
    { 'ForAnyValue:StringEquals': { 'aws:CalledVia': ['cloudformation.amazonaws.com'] } },
    'denied',
  ),
  allowedIf(
    'aws:PrincipalIsAWSService of a user is false',
    `${GLOBAL_KEYS}, aws:PrincipalIsAWSService: false when it is not a service principal's direct call`,
    { Bool: { 'aws:PrincipalIsAWSService': 'false' } },
    'allowed',
  ),
  allowedIf(
    'Bool on MFA does not hold for a long-lived key',
    `${GLOBAL_KEYS}, aws:MultiFactorAuthPresent: Allow with Bool true does not allow long-term access keys`,
    { Bool: { 'aws:MultiFactorAuthPresent': 'true' } },
    'denied',
  ),
  deniedIf(
    'a deny by Bool false lets a long-lived key without MFA through',
    `${GLOBAL_KEYS}, aws:MultiFactorAuthPresent: Deny with Bool false does not deny requests with long-term credentials`,
    { Bool: { 'aws:MultiFactorAuthPresent': 'false' } },
    'allowed',
  ),
  deniedIf(
    'a deny by BoolIfExists false catches a long-lived key without MFA',
    `${GLOBAL_KEYS}, aws:MultiFactorAuthPresent: Deny with BoolIfExists false also denies long-term credentials`,
    { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } },
    'denied',
  ),
  allowedIf(
    'an allow by BoolIfExists true lets a long-lived key without MFA through',
    `${GLOBAL_KEYS}, aws:MultiFactorAuthPresent: Allow with BoolIfExists true allows long-term access keys`,
    { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'true' } },
    'allowed',
  ),
  deniedIf(
    'a deny by Bool false catches a session without MFA',
    `${GLOBAL_KEYS}, aws:MultiFactorAuthPresent: false in temporary credentials without MFA`,
    { Bool: { 'aws:MultiFactorAuthPresent': 'false' } },
    'denied',
    { kind: 'role' },
  ),
  allowedIf(
    'aws:SourceIdentity is missing from a session that has none',
    `${GLOBAL_KEYS}, aws:SourceIdentity: included after a source identity has been set`,
    { Null: { 'aws:SourceIdentity': 'true' } },
    'allowed',
    { kind: 'role' },
  ),
  allowedIf(
    'aws:FederatedProvider is missing from a session that nobody federated',
    `${GLOBAL_KEYS}, aws:FederatedProvider: present when the principal's session was made by an identity provider`,
    { StringLike: { 'aws:FederatedProvider': '*' } },
    'denied',
    { kind: 'role' },
  ),
  {
    name: 'a policy of a service that is changed counts at once',
    source: `${DISABLING}: permissions are evaluated each time an AWS request is made using the credentials`,
    service: 'ssm',
    caller: { kind: 'role', policies: [policy(allow('ssm:GetParameter'))] },
    given: ({ administrator }, { name }) =>
      new IAMClient(administrator).send(
        new PutRolePolicyCommand({
          RoleName: name,
          PolicyName: 'inline-1',
          PolicyDocument: JSON.stringify(policy(allow('ssm:GetParameters'))),
        }),
      ),
    does: ({ options }) =>
      new SSMClient(options).send(new GetParameterCommand({ Name: '/cases/dev/config' })),
    expect: 'denied',
  },
  {
    name: 'whoever takes on a role gives up his own permissions',
    source:
      'IAM User Guide, "Permissions for AssumeRole": the policies of whoever called AssumeRole are not evaluated for the session',
    service: 's3',
    caller: { policies: [policy(allow(['s3:*', 'sts:AssumeRole']))] },
    given: ({ administrator }, { name, account }) =>
      new IAMClient(administrator).send(
        new CreateRoleCommand({
          RoleName: `${name}-role`,
          AssumeRolePolicyDocument: JSON.stringify(
            policy({ Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' }),
          ),
        }),
      ),
    does: async (who, world) => {
      const { Credentials: given } = await new STSClient(who.options).send(
        new AssumeRoleCommand({
          RoleArn: `arn:aws:iam::${ACCOUNT}:role/${who.name}-role`,
          RoleSessionName: 'session',
        }),
      );
      const credentials = {
        accessKeyId: given?.AccessKeyId ?? '',
        secretAccessKey: given?.SecretAccessKey ?? '',
        sessionToken: given?.SessionToken ?? '',
      };
      return readReport({ ...who, options: { ...who.options, credentials } }, world);
    },
    expect: 'denied',
  },
];

/** How policies of all kinds play together; shown on S3, which has them all, where it doesn't take another service. */
export const evaluation: Case[] = [
  ...grants,
  ...elements,
  ...resourcePolicies,
  ...boundaries,
  ...sessionPolicies,
  ...federatedUsers,
  ...accounts,
  ...variables,
  ...operators,
  ...sets,
  ...resourceTags,
  ...keys,
];
