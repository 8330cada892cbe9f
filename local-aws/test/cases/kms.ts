import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  ListAliasesCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdateAliasCommand,
  type CreateGrantCommandInput,
  type CreateKeyCommandInput,
} from '@aws-sdk/client-kms';
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Case, Who } from './case';
import { allow, deny, policy, type PolicyDocument, type Statement } from './policies';
import { both, may, to } from './making';
import { ownBucket, type OwnBucket } from './s3';
import { ACCOUNT, OTHER_ACCOUNT, REGION, type World } from './world';

const GUIDE = 'AWS KMS Developer Guide';
const CONDITIONS = `${GUIDE}, "AWS KMS condition keys"`;
const DEFAULT_POLICY = `${GUIDE}, "Default key policy"`;
const ALIASES = `${GUIDE}, "Controlling access to aliases"`;
const BY_ALIAS = `${GUIDE}, "Using aliases to control access to KMS keys"`;
const ACROSS = `${GUIDE}, "Allowing users in other accounts to use a KMS key"`;
const GRANTS = `${GUIDE}, "Grants in AWS KMS"`;
const PARAMETERS = `${GUIDE}, "How AWS Systems Manager Parameter Store uses AWS KMS"`;
const SECRETS = 'AWS Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager"';
const SSE_KMS = 'Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)"';
const FORBIDDEN = 'Amazon S3 User Guide, "Troubleshoot access denied (403 Forbidden) errors in Amazon S3"';

/** All keys of the account; what a case makes for itself is among them. */
const ALL_KEYS = `arn:aws:kms:${REGION}:${ACCOUNT}:key/*`;
const OWN_OBJECTS = 'arn:aws:s3:::case-*/*';

const byIam = (account = ACCOUNT) => to({ AWS: `arn:aws:iam::${account}:root` }, allow('kms:*'));

const kmsOf = ({ options }: Who) => new KMSClient(options);
const s3Of = ({ options }: Who) => new S3Client(options);
const plaintext = Buffer.from('plain');

interface OwnKey extends Partial<Omit<CreateKeyCommandInput, 'Policy'>> {
  /** @default - the account's IAM policies decide */
  policy?: PolicyDocument;
  /** Behind the name of its alias, for a case with several. @default '' */
  suffix?: string;
  /** @default true */
  alias?: boolean;
}

const aliasOf = ({ name }: Who, suffix = '') => `alias/${name}${suffix}`;

/** Makes a key with an alias that is called as the caller is. */
async function ownKey(world: World, who: Who, own: OwnKey = {}): Promise<string> {
  const { policy: document, suffix, alias = true, ...more } = own;
  const administrator = new KMSClient(world.administrator);
  const { KeyMetadata: key } = await administrator.send(
    new CreateKeyCommand({
      ...more,
      ...(document && { Policy: JSON.stringify(document), BypassPolicyLockoutSafetyCheck: true }),
    }),
  );
  if (alias)
    await administrator.send(
      new CreateAliasCommand({ AliasName: aliasOf(who, suffix), TargetKeyId: key?.KeyId }),
    );
  return key?.Arn ?? '';
}

/** The ARN of a key that `ownKey` has made. */
async function keyArn(world: World, who: Who, suffix?: string): Promise<string> {
  const { KeyMetadata: key } = await new KMSClient(world.administrator).send(
    new DescribeKeyCommand({ KeyId: aliasOf(who, suffix) }),
  );
  return key?.Arn ?? '';
}

const given =
  (own?: OwnKey) =>
  (world: World, who: Who): Promise<unknown> =>
    ownKey(world, who, own);

/** As `given`, with a policy whose statements name the caller. */
const guarded =
  (...statements: ((who: Who) => Statement)[]) =>
  (world: World, who: Who): Promise<unknown> =>
    ownKey(world, who, { policy: policy(...statements.map((statement) => statement(who))) });

const encrypt =
  (EncryptionContext?: Record<string, string>): Case['does'] =>
  async (who, world) =>
    kmsOf(who).send(
      new EncryptCommand({ KeyId: await keyArn(world, who), Plaintext: plaintext, EncryptionContext }),
    );

const ciphertext = async (world: World, who: Who, EncryptionContext?: Record<string, string>) => {
  const command = new EncryptCommand({ KeyId: aliasOf(who), Plaintext: plaintext, EncryptionContext });
  return (await new KMSClient(world.administrator).send(command)).CiphertextBlob;
};

const decrypt =
  (EncryptionContext?: Record<string, string>): Case['does'] =>
  async (who, world) =>
    kmsOf(who).send(
      new DecryptCommand({
        CiphertextBlob: await ciphertext(world, who, EncryptionContext),
        EncryptionContext,
      }),
    );

const describeKey =
  (key: (who: Who, world: World) => string | Promise<string>): Case['does'] =>
  async (who, world) =>
    kmsOf(who).send(new DescribeKeyCommand({ KeyId: await key(who, world) }));

const createKey =
  (more: CreateKeyCommandInput = {}): Case['does'] =>
  (who) =>
    kmsOf(who).send(new CreateKeyCommand(more));

const scheduleDeletion =
  (PendingWindowInDays?: number): Case['does'] =>
  async (who, world) => {
    const KeyId = (await keyArn(world, who)).split('/')[1];
    return kmsOf(who).send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays }));
  };

const createGrant =
  (more: Partial<CreateGrantCommandInput> = {}): Case['does'] =>
  async (who, world) =>
    kmsOf(who).send(
      new CreateGrantCommand({
        KeyId: await keyArn(world, who),
        GranteePrincipal: who.arn,
        Operations: ['Encrypt'],
        ...more,
      }),
    );

const reEncrypt =
  (suffix: string): Case['does'] =>
  async (who, world) =>
    kmsOf(who).send(
      new ReEncryptCommand({
        CiphertextBlob: await ciphertext(world, who),
        DestinationKeyId: await keyArn(world, who, suffix),
      }),
    );

/** Whose key it is, and who may use it. */
const trust: Case[] = [
  ...both(
    {
      source: `${DEFAULT_POLICY}: without a statement for the account, IAM policies that allow access to the key are ineffective`,
      service: 'kms',
      caller: may(allow('kms:Encrypt', ALL_KEYS)),
      does: encrypt(),
    },
    { name: 'IAM policies allow the use of a key with the default key policy', given: given() },
    {
      name: 'IAM policies allow nothing where the key policy leaves out the account',
      given: given({ policy: policy(to({ AWS: `arn:aws:iam::${ACCOUNT}:role/nobody` }, allow('kms:*'))) }),
    },
  ),
  ...both(
    {
      source: `${DEFAULT_POLICY}: the account as the principal gives no user permission, but lets IAM policies delegate it; a key policy gives permission to the principals that it names`,
      service: 'kms',
      does: encrypt(),
    },
    {
      name: 'a key policy that names the user is enough',
      given: guarded((who) => to({ AWS: who.arn }, allow('kms:Encrypt'))),
    },
    { name: 'a key policy that names the account gives its users nothing', given: given() },
  ),
  {
    name: 'an IAM policy denies what the key policy allows',
    source: `${DEFAULT_POLICY}: IAM policies that deny access to the key are still effective`,
    service: 'kms',
    caller: may(deny('kms:Encrypt', ALL_KEYS)),
    given: guarded((who) => to({ AWS: who.arn }, allow('kms:Encrypt'))),
    does: encrypt(),
    expect: 'denied',
    says: /with an explicit deny in an identity-based policy$/,
  },
  ...both(
    {
      source: `${ACROSS}: neither the key policy nor the IAM policy alone is sufficient`,
      service: 'kms',
      caller: { account: OTHER_ACCOUNT, ...may(allow('kms:Encrypt', ALL_KEYS)) },
      does: encrypt(),
    },
    {
      name: 'another account uses a key that both sides give it',
      given: guarded(
        () => byIam(),
        () => to({ AWS: OTHER_ACCOUNT }, allow('kms:Encrypt')),
      ),
    },
    { name: 'another account uses no key by its own IAM policy alone', given: given() },
  ),
  {
    name: 'another account uses no key by the key policy alone, even if that names the user',
    source: `${ACROSS}: the users named cannot use the key until IAM policies of their account let them`,
    service: 'kms',
    caller: { account: OTHER_ACCOUNT },
    given: guarded(
      () => byIam(),
      (who) => to({ AWS: who.arn }, allow('kms:Encrypt')),
    ),
    does: encrypt(),
    expect: 'denied',
  },
  {
    name: 'another account tags no key, whatever both sides allow',
    source: `${GUIDE}, "AWS KMS permissions": a permission that can't be used across accounts, such as kms:TagResource, is not effective, and attempts to tag another account's key fail`,
    service: 'kms',
    caller: { account: OTHER_ACCOUNT, ...may(allow('kms:*', ALL_KEYS)) },
    given: guarded(
      () => byIam(),
      () => to({ AWS: OTHER_ACCOUNT }, allow('kms:*')),
    ),
    does: async (who, world) =>
      kmsOf(who).send(
        new TagResourceCommand({
          KeyId: await keyArn(world, who),
          Tags: [{ TagKey: 'stage', TagValue: 'dev' }],
        }),
      ),
    expect: 'denied',
  },
  ...both(
    {
      source: `${CONDITIONS}, kms:CallerAccount: with the principal "*" it allows all identities of one account`,
      service: 'kms',
      given: guarded(() =>
        to({ AWS: '*' }, allow('kms:Encrypt', '*', { StringEquals: { 'kms:CallerAccount': ACCOUNT } })),
      ),
      does: encrypt(),
    },
    { name: 'kms:CallerAccount lets everyone of the account in' },
    {
      name: 'kms:CallerAccount keeps another account out',
      caller: { account: OTHER_ACCOUNT, ...may(allow('kms:Encrypt', ALL_KEYS)) },
    },
  ),
  ...both(
    {
      source: `${GRANTS}: the grantee may call the grant's operations just as if a key policy or IAM policy let him; a grant can only allow grant operations`,
      service: 'kms',
      given: async (world, who) => {
        const KeyId = await ownKey(world, who);
        return new KMSClient(world.administrator).send(
          new CreateGrantCommand({ KeyId, GranteePrincipal: who.arn, Operations: ['Encrypt'] }),
        );
      },
      does: encrypt(),
    },
    { name: 'a grant lets the grantee use the key without a policy' },
    { name: 'a grant lets the grantee do nothing but its operations', does: decrypt() },
  ),
  {
    name: 'a grant with a constraint wants the encryption context',
    source: `${GUIDE}, "Creating grants": with EncryptionContextEquals the grant is for requests with this very context`,
    service: 'kms',
    given: async (world, who) => {
      const KeyId = await ownKey(world, who);
      return new KMSClient(world.administrator).send(
        new CreateGrantCommand({
          KeyId,
          GranteePrincipal: who.arn,
          Operations: ['Encrypt'],
          Constraints: { EncryptionContextEquals: { stage: 'dev' } },
        }),
      );
    },
    does: encrypt({ stage: 'prod' }),
    expect: 'denied',
  },
];

/** Which key a request is about. */
const identifiers: Case[] = [
  ...both(
    {
      source: `${BY_ALIAS}: an alias in a Resource is about the alias, not about the key that it is associated with`,
      service: 'kms',
      given: given(),
      does: (who) => kmsOf(who).send(new EncryptCommand({ KeyId: aliasOf(who), Plaintext: plaintext })),
    },
    {
      name: "a request by an alias is about the key's ARN",
      caller: may(allow('kms:Encrypt', ALL_KEYS)),
    },
    {
      name: "an alias' ARN in a policy covers no use of the key",
      caller: may(allow('kms:Encrypt', `arn:aws:kms:${REGION}:${ACCOUNT}:alias/*`)),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:RequestAlias: KeyId must be the alias, as a name or as an ARN; another identifier of the same key doesn't satisfy the condition`,
      service: 'kms',
      given: given(),
      caller: may(allow('kms:DescribeKey', ALL_KEYS, { StringLike: { 'kms:RequestAlias': 'alias/case-*' } })),
      does: describeKey((who) => `arn:aws:kms:${REGION}:${ACCOUNT}:${aliasOf(who)}`),
    },
    { name: "kms:RequestAlias allows a request by the alias' ARN" },
    {
      name: "kms:RequestAlias refuses a request by the key's ARN",
      does: describeKey((who, world) => keyArn(world, who)),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:ResourceAliases: the key must have the alias, however the request names the key; without aliases ForAnyValue is not satisfied`,
      service: 'kms',
      caller: may(
        allow('kms:GenerateDataKey', ALL_KEYS, {
          'ForAnyValue:StringLike': { 'kms:ResourceAliases': 'alias/case-*' },
        }),
      ),
      given: given(),
      does: async (who, world) =>
        kmsOf(who).send(new GenerateDataKeyCommand({ KeyId: await keyArn(world, who), KeySpec: 'AES_256' })),
    },
    { name: "kms:ResourceAliases counts the key's aliases in a request by its ARN" },
    {
      name: 'kms:ResourceAliases refuses a key without aliases',
      does: async (who, world) =>
        kmsOf(who).send(
          new GenerateDataKeyCommand({
            KeyId: await ownKey(world, who, { alias: false }),
            KeySpec: 'AES_256',
          }),
        ),
    },
  ),
  ...both(
    {
      source: `${GUIDE}, "ABAC for AWS KMS": aws:ResourceTag allows the use of keys with a tag`,
      service: 'kms',
      caller: may(allow('kms:Encrypt', ALL_KEYS, { StringEquals: { 'aws:ResourceTag/stage': 'dev' } })),
      does: encrypt(),
    },
    {
      name: 'aws:ResourceTag allows a key with the tag',
      given: given({ Tags: [{ TagKey: 'stage', TagValue: 'dev' }] }),
    },
    {
      name: 'aws:ResourceTag refuses a key with another value',
      given: given({ Tags: [{ TagKey: 'stage', TagValue: 'prod' }] }),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:KeySpec: for the use of a key it is the property of this key`,
      service: 'kms',
      given: given(),
      does: encrypt(),
    },
    {
      name: "kms:KeySpec of a request is the key's own",
      caller: may(allow('kms:Encrypt', ALL_KEYS, { StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' } })),
    },
    {
      name: 'kms:KeySpec refuses a key of another kind',
      caller: may(allow('kms:Encrypt', ALL_KEYS, { StringLike: { 'kms:KeySpec': 'RSA_*' } })),
    },
  ),
  ...both(
    {
      source: `${ALIASES}: the Resource of kms:ListAliases must be "*"`,
      service: 'kms',
      does: (who) => kmsOf(who).send(new ListAliasesCommand({})),
    },
    { name: 'kms:ListAliases is given on "*"', caller: may(allow('kms:ListAliases')) },
    {
      name: 'kms:ListAliases is not about keys or aliases',
      caller: may(allow('kms:ListAliases', [ALL_KEYS, `arn:aws:kms:${REGION}:${ACCOUNT}:alias/*`])),
    },
  ),
];

const ALL_ALIASES = `arn:aws:kms:${REGION}:${ACCOUNT}:alias/*`;

/** What is done to keys and aliases themselves. */
const managing: Case[] = [
  ...both(
    {
      source: `${ALIASES}: kms:CreateAlias is needed for the alias and for the key`,
      service: 'kms',
      given: given(),
      does: async (who, world) =>
        kmsOf(who).send(
          new CreateAliasCommand({
            AliasName: aliasOf(who, '-more'),
            TargetKeyId: await keyArn(world, who),
          }),
        ),
    },
    {
      name: 'kms:CreateAlias is given for the alias and the key',
      caller: may(allow('kms:CreateAlias', [ALL_ALIASES, ALL_KEYS])),
    },
    {
      name: 'kms:CreateAlias for the alias alone makes none',
      caller: may(allow('kms:CreateAlias', ALL_ALIASES)),
    },
  ),
  {
    name: 'kms:CreateAlias for the key alone makes none',
    source: `${ALIASES}: kms:CreateAlias is needed for the alias, too`,
    service: 'kms',
    caller: may(allow('kms:CreateAlias', ALL_KEYS)),
    given: given(),
    does: async (who, world) =>
      kmsOf(who).send(
        new CreateAliasCommand({ AliasName: aliasOf(who, '-more'), TargetKeyId: await keyArn(world, who) }),
      ),
    expect: 'denied',
  },
  ...both(
    {
      source: `${ALIASES}: kms:UpdateAlias is needed for the alias, for its current key and for its new key`,
      service: 'kms',
      caller: may(allow('kms:UpdateAlias', [ALL_ALIASES, ALL_KEYS])),
      does: async (who, world) =>
        kmsOf(who).send(
          new UpdateAliasCommand({ AliasName: aliasOf(who), TargetKeyId: await keyArn(world, who, '-2') }),
        ),
    },
    {
      name: 'kms:UpdateAlias is given for both keys',
      given: async (world, who) => {
        await ownKey(world, who);
        await ownKey(world, who, { suffix: '-2' });
      },
    },
    {
      name: 'kms:UpdateAlias is needed for the current key, too',
      given: async (world, who) => {
        await ownKey(world, who, {
          policy: policy(to({ AWS: `arn:aws:iam::${ACCOUNT}:role/nobody` }, allow('kms:*'))),
        });
        await ownKey(world, who, { suffix: '-2' });
      },
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:KeySpec: it allows CreateKey by the KeySpec of the request`,
      service: 'kms',
      caller: may(allow('kms:CreateKey', '*', { StringLike: { 'kms:KeySpec': 'RSA_*' } })),
      does: createKey({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }),
    },
    { name: 'kms:KeySpec allows to make a key of its kind' },
    {
      name: 'kms:KeySpec refuses to make a key of another kind',
      does: createKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}: such conditions work even when the parameter isn't in the request: kms:KeySpec SYMMETRIC_DEFAULT allows CreateKey without a KeySpec`,
      service: 'kms',
      does: createKey(),
    },
    {
      name: 'kms:KeySpec of a new key is SYMMETRIC_DEFAULT by default',
      caller: may(allow('kms:CreateKey', '*', { StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' } })),
    },
    {
      name: 'kms:KeyUsage of a new key is ENCRYPT_DECRYPT by default',
      caller: may(
        allow('kms:CreateKey'),
        deny('kms:CreateKey', '*', { StringEquals: { 'kms:KeyUsage': 'ENCRYPT_DECRYPT' } }),
      ),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:MultiRegion: Bool false allows to create single-Region keys only; all keys have the property`,
      service: 'kms',
      caller: may(allow('kms:CreateKey', '*', { Bool: { 'kms:MultiRegion': 'false' } })),
      does: createKey(),
    },
    { name: 'kms:MultiRegion of a new key is false by default' },
    { name: 'kms:MultiRegion refuses a key for several Regions', does: createKey({ MultiRegion: true }) },
  ),
  ...both(
    {
      source: `${GUIDE}, "Controlling access to tags": to add tags while creating a key takes kms:TagResource in an IAM policy that isn't restricted to particular keys`,
      service: 'kms',
      does: createKey({ Tags: [{ TagKey: 'stage', TagValue: 'dev' }] }),
    },
    {
      name: 'CreateKey with tags takes kms:TagResource',
      caller: may(allow('kms:CreateKey'), allow('kms:TagResource', ALL_KEYS)),
    },
    { name: 'kms:CreateKey sets no tags', caller: may(allow('kms:CreateKey')) },
  ),
  ...both(
    {
      source: `${GUIDE}, "ABAC for AWS KMS": aws:RequestTag allows CreateKey only with a tag`,
      service: 'kms',
      caller: may(
        allow('kms:CreateKey', '*', { StringEquals: { 'aws:RequestTag/stage': 'dev' } }),
        allow('kms:TagResource'),
      ),
      does: createKey({ Tags: [{ TagKey: 'stage', TagValue: 'dev' }] }),
    },
    { name: 'aws:RequestTag allows to make a key with the tag' },
    {
      name: 'aws:RequestTag refuses to make a key with another value',
      does: createKey({ Tags: [{ TagKey: 'stage', TagValue: 'prod' }] }),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:ScheduleKeyDeletionPendingWindowInDays: it limits the value of PendingWindowInDays`,
      service: 'kms',
      given: given(),
      caller: may(
        allow('kms:ScheduleKeyDeletion', ALL_KEYS),
        deny('kms:ScheduleKeyDeletion', '*', {
          NumericLessThan: { 'kms:ScheduleKeyDeletionPendingWindowInDays': '30' },
        }),
      ),
      does: scheduleDeletion(30),
    },
    { name: 'kms:ScheduleKeyDeletionPendingWindowInDays allows a long wait' },
    {
      name: 'kms:ScheduleKeyDeletionPendingWindowInDays refuses a short wait',
      does: scheduleDeletion(7),
    },
  ),
  {
    name: 'kms:ScheduleKeyDeletionPendingWindowInDays is 30 by default',
    source: `${CONDITIONS}: such conditions work even when the parameter isn't in the request; AWS KMS API Reference, "ScheduleKeyDeletion": PendingWindowInDays defaults to 30`,
    service: 'kms',
    given: given(),
    caller: may(
      allow('kms:ScheduleKeyDeletion', ALL_KEYS, {
        NumericGreaterThanEquals: { 'kms:ScheduleKeyDeletionPendingWindowInDays': '30' },
      }),
    ),
    does: scheduleDeletion(),
    expect: 'allowed',
  },
  ...both(
    {
      source: `${CONDITIONS}, kms:BypassPolicyLockoutSafetyCheck: an Allow with Null "true" is for requests without the parameter`,
      service: 'kms',
      given: given(),
      caller: may(
        allow('kms:PutKeyPolicy', ALL_KEYS, { Null: { 'kms:BypassPolicyLockoutSafetyCheck': 'true' } }),
      ),
      does: putKeyPolicy(),
    },
    { name: 'kms:BypassPolicyLockoutSafetyCheck is absent by default' },
    {
      name: 'kms:BypassPolicyLockoutSafetyCheck is there when it is asked for',
      does: putKeyPolicy(true),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:GrantIsForAWSResource: Bool true doesn't allow the user to call CreateGrant directly`,
      service: 'kms',
      given: given(),
      does: createGrant(),
    },
    {
      name: 'kms:GrantIsForAWSResource denies nothing that a user asks for himself',
      caller: may(
        allow('kms:CreateGrant', ALL_KEYS),
        deny('kms:CreateGrant', '*', { Bool: { 'kms:GrantIsForAWSResource': 'true' } }),
      ),
    },
    {
      name: 'kms:GrantIsForAWSResource allows nothing that a user asks for himself',
      caller: may(allow('kms:CreateGrant', ALL_KEYS, { Bool: { 'kms:GrantIsForAWSResource': 'true' } })),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:GrantOperations: with ForAllValues every operation of the grant must be in the policy`,
      service: 'kms',
      given: given(),
      caller: may(
        allow('kms:CreateGrant', ALL_KEYS, {
          'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Encrypt', 'ReEncryptTo'] },
        }),
      ),
      does: createGrant(),
    },
    { name: 'kms:GrantOperations allows a grant of its operations' },
    {
      name: 'kms:GrantOperations refuses a grant of more',
      does: createGrant({ Operations: ['Encrypt', 'Decrypt'] }),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:GrantConstraintType: it allows grants only with an EncryptionContextEquals constraint`,
      service: 'kms',
      given: given(),
      caller: may(
        allow('kms:CreateGrant', ALL_KEYS, {
          StringEquals: { 'kms:GrantConstraintType': 'EncryptionContextEquals' },
        }),
      ),
      does: createGrant({ Constraints: { EncryptionContextEquals: { stage: 'dev' } } }),
    },
    { name: 'kms:GrantConstraintType allows a grant with the constraint' },
    { name: 'kms:GrantConstraintType refuses a grant without constraints', does: createGrant() },
  ),
];

function putKeyPolicy(bypass?: boolean): Case['does'] {
  return async (who, world) =>
    kmsOf(who).send(
      new PutKeyPolicyCommand({
        KeyId: await keyArn(world, who),
        PolicyName: 'default',
        Policy: JSON.stringify(policy(byIam())),
        BypassPolicyLockoutSafetyCheck: bypass,
      }),
    );
}

/** What is encrypted, and how. */
const cryptography: Case[] = [
  ...both(
    {
      source: `${CONDITIONS}, kms:EncryptionContext: it wants a pair of the encryption context; the key's name is not case sensitive, the value is`,
      service: 'kms',
      given: given(),
      caller: may(
        allow('kms:Encrypt', ALL_KEYS, { StringEquals: { 'kms:EncryptionContext:appname': 'ExampleApp' } }),
      ),
      does: encrypt({ AppName: 'ExampleApp', stage: 'dev' }),
    },
    { name: 'kms:EncryptionContext allows its pair, in any case of the name' },
    { name: 'kms:EncryptionContext refuses another value', does: encrypt({ AppName: 'exampleapp' }) },
  ),
  {
    name: 'kms:EncryptionContext refuses a request without a context',
    source: `${CONDITIONS}, kms:EncryptionContext: it is allowed only when the context includes the pair`,
    service: 'kms',
    given: given(),
    caller: may(
      allow('kms:Encrypt', ALL_KEYS, { StringEquals: { 'kms:EncryptionContext:AppName': 'ExampleApp' } }),
    ),
    does: encrypt(),
    expect: 'denied',
  },
  {
    name: 'kms:EncryptionContext denies a pair',
    source: `${CONDITIONS}, kms:EncryptionContext: a Deny with StringEquals forbids the use of the key if the context includes the pair`,
    service: 'kms',
    given: given(),
    caller: may(
      allow('kms:Encrypt', ALL_KEYS),
      deny('kms:Encrypt', '*', { StringEquals: { 'kms:EncryptionContext:Stage': 'Restricted' } }),
    ),
    does: encrypt({ Stage: 'Restricted' }),
    expect: 'denied',
  },
  ...both(
    {
      source: `${CONDITIONS}, kms:EncryptionContext: its value may hold a policy variable, such as \${aws:username}`,
      service: 'kms',
      given: given(),
      caller: may(
        allow('kms:Decrypt', ALL_KEYS, {
          StringEquals: { 'kms:EncryptionContext:user': '${aws:username}' },
        }),
      ),
      does: (who, world) => decrypt({ user: who.name })(who, world),
    },
    { name: 'kms:EncryptionContext with ${aws:username} lets a user decrypt what is his' },
    {
      name: "kms:EncryptionContext with ${aws:username} keeps another's from him",
      does: decrypt({ user: 'case' }),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:EncryptionContextKeys: ForAllValues wants every name of the context in the policy, and lets a request without a context pass`,
      service: 'kms',
      given: given(),
      caller: may(
        allow('kms:Encrypt', ALL_KEYS, {
          'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['AppName'] },
        }),
      ),
      does: encrypt(),
    },
    { name: 'ForAllValues on kms:EncryptionContextKeys lets a request without a context pass' },
    {
      name: 'ForAllValues on kms:EncryptionContextKeys refuses a name that it does not list',
      does: encrypt({ AppName: 'ExampleApp', stage: 'dev' }),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:EncryptionContextKeys: with StringEquals the names of the context are case sensitive`,
      service: 'kms',
      given: given(),
      caller: may(
        allow('kms:Encrypt', ALL_KEYS, {
          'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': 'AppName' },
        }),
      ),
      does: encrypt({ AppName: 'ExampleApp', stage: 'dev' }),
    },
    { name: 'ForAnyValue on kms:EncryptionContextKeys allows a context with the name' },
    {
      name: 'ForAnyValue on kms:EncryptionContextKeys refuses the name in another case',
      does: encrypt({ appname: 'ExampleApp' }),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:EncryptionAlgorithm: it is the algorithm that the operation uses, even if the request doesn't name it`,
      service: 'kms',
      given: given(),
      does: encrypt(),
    },
    {
      name: 'kms:EncryptionAlgorithm is SYMMETRIC_DEFAULT by default',
      caller: may(
        allow('kms:Encrypt', ALL_KEYS),
        deny('kms:Encrypt', '*', { StringNotEquals: { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' } }),
      ),
    },
    {
      name: 'kms:EncryptionAlgorithm by default is denied as such',
      caller: may(
        allow('kms:Encrypt', ALL_KEYS),
        deny('kms:Encrypt', '*', { StringEquals: { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' } }),
      ),
    },
  ),
  ...both(
    {
      source:
        'AWS KMS API Reference, "ReEncrypt": it takes kms:ReEncryptFrom on the source key and kms:ReEncryptTo on the destination key',
      service: 'kms',
      given: async (world, who) => {
        await ownKey(world, who);
        await ownKey(world, who, { suffix: '-2' });
      },
      does: reEncrypt('-2'),
    },
    {
      name: 'ReEncrypt takes kms:ReEncryptFrom and kms:ReEncryptTo',
      caller: may(allow(['kms:ReEncryptFrom', 'kms:ReEncryptTo'], ALL_KEYS)),
    },
    {
      name: 'ReEncrypt does not go by kms:Decrypt, kms:Encrypt and kms:ReEncryptTo',
      caller: may(allow(['kms:Decrypt', 'kms:Encrypt', 'kms:ReEncryptTo'], ALL_KEYS)),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:ReEncryptOnSameKey: it allows ReEncrypt only under the key of the original encryption`,
      service: 'kms',
      caller: may(allow('kms:ReEncrypt*', ALL_KEYS, { Bool: { 'kms:ReEncryptOnSameKey': 'true' } })),
      given: async (world, who) => {
        await ownKey(world, who);
        await ownKey(world, who, { suffix: '-2' });
      },
      does: reEncrypt(''),
    },
    { name: 'kms:ReEncryptOnSameKey allows the same key' },
    { name: 'kms:ReEncryptOnSameKey refuses another key', does: reEncrypt('-2') },
  ),
];

const READS = allow('s3:GetObject', OWN_OBJECTS);
const WRITES = allow('s3:PutObject', OWN_OBJECTS);

/** A bucket of the caller's own name with the object `a`, encrypted with a key of the same name. */
const encrypted =
  (
    more: Partial<PutObjectCommandInput> = {},
    own: OwnBucket = {},
    keyPolicy?: (who: Who) => PolicyDocument,
  ) =>
  async (world: World, who: Who): Promise<unknown> => {
    const SSEKMSKeyId = await ownKey(world, who, keyPolicy && { policy: keyPolicy(who) });
    const owner = await ownBucket(world, who, own);
    return owner.send(
      new PutObjectCommand({
        Bucket: who.name,
        Key: 'a',
        Body: 'a,b\n',
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId,
        ...more,
      }),
    );
  };

const keyAndBucket = async (world: World, who: Who): Promise<unknown> => {
  await ownKey(world, who);
  return ownBucket(world, who);
};

const getObject: Case['does'] = (who) => s3Of(who).send(new GetObjectCommand({ Bucket: who.name, Key: 'a' }));

const putObject =
  (how: (who: Who, world: World) => Promise<Partial<PutObjectCommandInput>>): Case['does'] =>
  async (who, world) =>
    s3Of(who).send(
      new PutObjectCommand({ Bucket: who.name, Key: 'a', Body: 'a,b\n', ...(await how(who, world)) }),
    );

const withOwnKey = async (who: Who, world: World) => ({
  ServerSideEncryption: 'aws:kms' as const,
  SSEKMSKeyId: await keyArn(world, who),
});

/** A bucket that encrypts with the caller's key by itself; with a policy, if one is given. */
const encryptsByDefault =
  (bucketPolicy?: (who: Who, key: string) => Statement) =>
  async (world: World, who: Who): Promise<void> => {
    const key = await ownKey(world, who);
    const owner = await ownBucket(world, who);
    await owner.send(
      new PutBucketEncryptionCommand({
        Bucket: who.name,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key } }],
        },
      }),
    );
    if (bucketPolicy)
      await owner.send(
        new PutBucketPolicyCommand({
          Bucket: who.name,
          Policy: JSON.stringify(policy(bucketPolicy(who, key))),
        }),
      );
  };

const byKey = (who: Who, key: string) =>
  to(
    '*',
    deny('s3:PutObject', `arn:aws:s3:::${who.name}/*`, {
      ArnNotEqualsIfExists: { 's3:x-amz-server-side-encryption-aws-kms-key-id': key },
    }),
  );

const OTHER_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef`;

/** What S3 needs of a key in the caller's name. */
const throughS3: Case[] = [
  ...both(
    {
      source: `${FORBIDDEN}: to download an object that is encrypted with a customer managed key takes kms:Decrypt`,
      service: 'kms',
      given: encrypted(),
      does: getObject,
    },
    {
      name: 'an encrypted object is read with kms:Decrypt',
      caller: may(READS, allow('kms:Decrypt', ALL_KEYS)),
    },
    {
      name: 'an encrypted object is not read without kms:Decrypt',
      caller: may(allow('s3:*'), allow('kms:GenerateDataKey', ALL_KEYS)),
      says: /kms:Decrypt/,
    },
  ),
  ...both(
    {
      source: `${FORBIDDEN}: to upload an object with a customer managed key takes kms:GenerateDataKey`,
      service: 'kms',
      given: keyAndBucket,
      does: putObject(withOwnKey),
    },
    {
      name: 'an object is encrypted with kms:GenerateDataKey',
      caller: may(WRITES, allow('kms:GenerateDataKey', ALL_KEYS)),
    },
    {
      name: 'an object is not encrypted without kms:GenerateDataKey',
      caller: may(allow('s3:*'), allow(['kms:Encrypt', 'kms:Decrypt'], ALL_KEYS)),
      says: /kms:GenerateDataKey/,
    },
  ),
  ...both(
    {
      source: `Amazon S3 User Guide, "Setting default server-side encryption behavior for Amazon S3 buckets": objects are encrypted with the bucket's key where the request names none; ${FORBIDDEN}: that takes kms:GenerateDataKey`,
      service: 'kms',
      given: encryptsByDefault(),
      does: putObject(() => Promise.resolve({})),
    },
    {
      name: "an object is encrypted with the bucket's key by kms:GenerateDataKey",
      caller: may(WRITES, allow('kms:GenerateDataKey', ALL_KEYS)),
    },
    { name: "an object is not encrypted with the bucket's key by s3:PutObject alone", caller: may(WRITES) },
  ),
  ...both(
    {
      source:
        'Amazon S3 User Guide, "Examples of Amazon S3 bucket policies": with ArnNotEqualsIfExists on s3:x-amz-server-side-encryption-aws-kms-key-id nothing is written with another key',
      service: 's3',
      caller: may(WRITES, allow('kms:GenerateDataKey', ALL_KEYS)),
      does: putObject(withOwnKey),
    },
    { name: 'the key that a bucket policy requires may be named', given: encryptsByDefault(byKey) },
    {
      name: 'a key that a bucket policy does not require may not be named',
      given: encryptsByDefault((who) => byKey(who, OTHER_KEY)),
    },
  ),
  ...both(
    {
      source: `${SSE_KMS}: the key that S3 uses for the object must match the one in the bucket policy, also where the request names none`,
      service: 's3',
      caller: may(WRITES, allow('kms:GenerateDataKey', ALL_KEYS)),
      does: putObject(() => Promise.resolve({})),
    },
    {
      name: "the bucket's own key counts where a bucket policy requires it",
      given: encryptsByDefault(byKey),
    },
    {
      name: "the bucket's own key counts where a bucket policy requires another",
      given: encryptsByDefault((who) => byKey(who, OTHER_KEY)),
    },
  ),
  ...both(
    {
      source:
        'Amazon S3 API Reference, "UploadPart": with a KMS key it takes kms:Decrypt; the request for CreateMultipartUpload names the key',
      service: 'kms',
      given: keyAndBucket,
      does: async (who, world) => {
        const at = { Bucket: who.name, Key: 'large' };
        const { UploadId } = await new S3Client(world.administrator).send(
          new CreateMultipartUploadCommand({ ...at, ...(await withOwnKey(who, world)) }),
        );
        return s3Of(who).send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: 'a,b\n' }));
      },
    },
    {
      name: 'a part is encrypted with kms:Decrypt and kms:GenerateDataKey',
      caller: may(WRITES, allow(['kms:Decrypt', 'kms:GenerateDataKey'], ALL_KEYS)),
    },
    {
      name: 'a part is not encrypted without kms:Decrypt',
      caller: may(WRITES, allow('kms:GenerateDataKey', ALL_KEYS)),
    },
  ),
  ...both(
    {
      source: `Amazon S3 API Reference, "CopyObject": it takes read access to the source; ${FORBIDDEN}: that is kms:Decrypt where the source is encrypted with a customer managed key`,
      service: 'kms',
      given: encrypted(),
      does: (who) =>
        s3Of(who).send(
          new CopyObjectCommand({
            Bucket: who.name,
            Key: 'copy',
            CopySource: `${who.name}/a`,
            ServerSideEncryption: 'AES256',
          }),
        ),
    },
    {
      name: 'an encrypted object is copied with kms:Decrypt',
      caller: may(READS, WRITES, allow('kms:Decrypt', ALL_KEYS)),
    },
    { name: 'an encrypted object is not copied without kms:Decrypt', caller: may(READS, WRITES) },
  ),
  ...both(
    {
      source:
        'Amazon S3 API Reference, "HeadObject": it takes s3:GetObject, and kms:Decrypt for the checksum of an object that is encrypted with a KMS key',
      service: 'kms',
      given: encrypted(),
      caller: may(READS),
      does: (who) => s3Of(who).send(new HeadObjectCommand({ Bucket: who.name, Key: 'a' })),
    },
    { name: "an encrypted object's metadata takes no key" },
    {
      name: "an encrypted object's checksum takes kms:Decrypt",
      does: (who) =>
        s3Of(who).send(new HeadObjectCommand({ Bucket: who.name, Key: 'a', ChecksumMode: 'ENABLED' })),
    },
  ),
  ...both(
    {
      source: `${FORBIDDEN}: with the AWS managed key aws/s3 the requester needs permissions of S3 alone, but must be of the account that owns the key`,
      service: 's3',
      does: getObject,
    },
    {
      name: 'an object that is encrypted with aws/s3 takes no leave for the key',
      caller: may(READS, WRITES),
      given: (world, who) => ownBucket(world, who),
      does: async (who, world) => {
        await putObject(() => Promise.resolve({ ServerSideEncryption: 'aws:kms' }))(who, world);
        return getObject(who, world);
      },
    },
    {
      name: 'an object that is encrypted with aws/s3 is not for another account',
      service: 'kms',
      caller: { account: OTHER_ACCOUNT, ...may(READS, allow('kms:*')) },
      given: async (world, who) => {
        const owner = await ownBucket(world, who, {
          policy: policy(to({ AWS: OTHER_ACCOUNT }, allow('s3:GetObject', `arn:aws:s3:::${who.name}/*`))),
        });
        return owner.send(
          new PutObjectCommand({
            Bucket: who.name,
            Key: 'a',
            Body: 'a,b\n',
            ServerSideEncryption: 'aws:kms',
          }),
        );
      },
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}, kms:ViaService: it limits the use of a key to requests from a service on the caller's behalf`,
      service: 'kms',
      caller: may(READS),
      given: encrypted({}, {}, (who) =>
        policy(
          byIam(),
          to(
            { AWS: who.arn },
            allow(['kms:Encrypt', 'kms:Decrypt'], '*', {
              StringEquals: { 'kms:ViaService': `s3.${REGION}.amazonaws.com` },
            }),
          ),
        ),
      ),
      does: getObject,
    },
    { name: 'kms:ViaService lets S3 decrypt for the caller' },
    { name: 'kms:ViaService lets the caller encrypt nothing himself', does: encrypt() },
  ),
  ...both(
    {
      source: `${SSE_KMS}: the encryption context is the object's ARN`,
      service: 'kms',
      given: encrypted(),
      does: getObject,
    },
    {
      name: "the encryption context of an object is the object's ARN",
      caller: may(READS, allow('kms:Decrypt', ALL_KEYS, s3Context('arn:aws:s3:::${aws:username}/a'))),
    },
    {
      name: "the encryption context of an object is not another object's ARN",
      caller: may(READS, allow('kms:Decrypt', ALL_KEYS, s3Context('arn:aws:s3:::${aws:username}/b'))),
    },
  ),
  ...both(
    {
      source: `${SSE_KMS}: with an S3 Bucket Key the encryption context is the bucket's ARN`,
      service: 'kms',
      given: encrypted({ BucketKeyEnabled: true }),
      does: getObject,
    },
    {
      name: "the encryption context is the bucket's ARN with a bucket key",
      caller: may(READS, allow('kms:Decrypt', ALL_KEYS, s3Context('arn:aws:s3:::${aws:username}'))),
    },
    {
      name: "the encryption context is no object's ARN with a bucket key",
      caller: may(READS, allow('kms:Decrypt', ALL_KEYS, s3Context('arn:aws:s3:::${aws:username}/a'))),
    },
  ),
];

function s3Context(arn: string): Statement['Condition'] {
  return { StringEquals: { 'kms:EncryptionContext:aws:s3:arn': arn } };
}

const parameter = ({ name }: Who) => `/${name}/secret`;

const putParameter =
  (Tier?: 'Advanced'): Case['does'] =>
  async (who, world) =>
    new SSMClient(who.options).send(
      new PutParameterCommand({
        Name: parameter(who),
        Value: 'value',
        Type: 'SecureString',
        KeyId: await keyArn(world, who),
        Tier,
      }),
    );

const getParameter =
  (WithDecryption: boolean): Case['does'] =>
  (who) =>
    new SSMClient(who.options).send(new GetParameterCommand({ Name: parameter(who), WithDecryption }));

const secretParameter =
  (keyPolicy?: (who: Who) => PolicyDocument) =>
  async (world: World, who: Who): Promise<unknown> => {
    const KeyId = await ownKey(world, who, keyPolicy && { policy: keyPolicy(who) });
    return new SSMClient(world.administrator).send(
      new PutParameterCommand({ Name: parameter(who), Value: 'value', Type: 'SecureString', KeyId }),
    );
  };

const OWN_PARAMETERS = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/case-*`;

function parameterContext(arn: string): Statement['Condition'] {
  return { StringEquals: { 'kms:EncryptionContext:PARAMETER_ARN': arn } };
}

/** What Parameter Store needs of a key in the caller's name. */
const throughSsm: Case[] = [
  ...both(
    {
      source: `${PARAMETERS}: to encrypt a standard parameter takes kms:Encrypt`,
      service: 'kms',
      given: given(),
      does: putParameter(),
    },
    {
      name: 'a secret parameter is encrypted with kms:Encrypt',
      caller: may(allow('ssm:PutParameter', OWN_PARAMETERS), allow('kms:Encrypt', ALL_KEYS)),
    },
    {
      name: 'a secret parameter is not encrypted with kms:GenerateDataKey',
      caller: may(allow('ssm:*'), allow('kms:GenerateDataKey', ALL_KEYS)),
      says: /kms:Encrypt/,
    },
  ),
  ...both(
    {
      source: `${PARAMETERS}: to encrypt an advanced parameter takes kms:GenerateDataKey`,
      service: 'kms',
      given: given(),
      does: putParameter('Advanced'),
    },
    {
      name: 'an advanced secret parameter is encrypted with kms:GenerateDataKey',
      caller: may(allow('ssm:PutParameter', OWN_PARAMETERS), allow('kms:GenerateDataKey', ALL_KEYS)),
    },
    {
      name: 'an advanced secret parameter is not encrypted with kms:Encrypt',
      caller: may(allow('ssm:*'), allow('kms:Encrypt', ALL_KEYS)),
    },
  ),
  ...both(
    {
      source: `${PARAMETERS}: to decrypt a parameter takes kms:Decrypt; without WithDecryption the value stays encrypted`,
      service: 'kms',
      given: secretParameter(),
      does: getParameter(true),
    },
    {
      name: 'a secret parameter is decrypted with kms:Decrypt',
      caller: may(allow('ssm:GetParameter', OWN_PARAMETERS), allow('kms:Decrypt', ALL_KEYS)),
    },
    { name: 'a secret parameter is not decrypted without kms:Decrypt', caller: may(allow('ssm:*')) },
  ),
  {
    name: 'a secret parameter that stays encrypted takes no key',
    source: `${PARAMETERS}: GetParameter without WithDecryption doesn't decrypt`,
    service: 'kms',
    given: secretParameter(),
    caller: may(allow('ssm:GetParameter', OWN_PARAMETERS)),
    does: getParameter(false),
    expect: 'allowed',
  },
  {
    name: 'a secret parameter with the key aws/ssm takes no leave for the key',
    source: `${PARAMETERS}: the default is the AWS managed key aws/ssm, access to which can't be controlled; ${CONDITIONS}, kms:ViaService: AWS managed keys are used by way of their service`,
    service: 'kms',
    given: (world, who) =>
      new SSMClient(world.administrator).send(
        new PutParameterCommand({ Name: parameter(who), Value: 'value', Type: 'SecureString' }),
      ),
    caller: may(allow('ssm:GetParameter', OWN_PARAMETERS)),
    does: getParameter(true),
    expect: 'allowed',
  },
  ...both(
    {
      source: `${PARAMETERS}: the encryption context is PARAMETER_ARN with the parameter's ARN, its path in it`,
      service: 'kms',
      given: secretParameter(),
      does: getParameter(true),
    },
    {
      name: "the encryption context of a parameter is the parameter's ARN",
      caller: may(
        allow('ssm:GetParameter', OWN_PARAMETERS),
        allow(
          'kms:Decrypt',
          ALL_KEYS,
          parameterContext(`arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/\${aws:username}/secret`),
        ),
      ),
    },
    {
      name: "the encryption context of a parameter is not another parameter's ARN",
      caller: may(
        allow('ssm:GetParameter', OWN_PARAMETERS),
        allow(
          'kms:Decrypt',
          ALL_KEYS,
          parameterContext(`arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/\${aws:username}/other`),
        ),
      ),
    },
  ),
  ...['ssm', 'secretsmanager'].map(
    (service): Case => ({
      name: `kms:ViaService ${service} ${service === 'ssm' ? 'lets' : 'does not let'} Parameter Store decrypt for the caller`,
      source: `${CONDITIONS}, kms:ViaService: Systems Manager is ssm.AWS_region.amazonaws.com`,
      service: 'kms',
      given: secretParameter((who) =>
        policy(
          byIam(),
          to(
            { AWS: who.arn },
            allow('kms:Decrypt', '*', {
              StringEquals: { 'kms:ViaService': `${service}.${REGION}.amazonaws.com` },
            }),
          ),
        ),
      ),
      caller: may(allow('ssm:GetParameter', OWN_PARAMETERS)),
      does: getParameter(true),
      expect: service === 'ssm' ? 'allowed' : 'denied',
    }),
  ),
];

const secretWithKey =
  (keyPolicy?: (who: Who) => PolicyDocument) =>
  async (world: World, who: Who): Promise<unknown> => {
    const KmsKeyId = await ownKey(world, who, keyPolicy && { policy: keyPolicy(who) });
    return new SecretsManagerClient(world.administrator).send(
      new CreateSecretCommand({ Name: who.name, SecretString: 'value', KmsKeyId }),
    );
  };

const getSecret: Case['does'] = (who) =>
  new SecretsManagerClient(who.options).send(new GetSecretValueCommand({ SecretId: who.name }));

const OWN_SECRETS = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:case-*`;
const READS_SECRETS = allow('secretsmanager:GetSecretValue', OWN_SECRETS);

/** What Secrets Manager needs of a key in the caller's name. */
const throughSecrets: Case[] = [
  ...both(
    {
      source: `${SECRETS}: when a key is associated with a secret, Secrets Manager calls GenerateDataKey and Decrypt to see that the caller may use it`,
      service: 'kms',
      given: given(),
      does: async (who, world) =>
        new SecretsManagerClient(who.options).send(
          new CreateSecretCommand({
            Name: who.name,
            SecretString: 'value',
            KmsKeyId: await keyArn(world, who),
          }),
        ),
    },
    {
      name: 'a secret is made with kms:GenerateDataKey and kms:Decrypt',
      caller: may(
        allow('secretsmanager:CreateSecret', OWN_SECRETS),
        allow(['kms:GenerateDataKey', 'kms:Decrypt'], ALL_KEYS),
      ),
    },
    {
      name: 'a secret is not made with kms:GenerateDataKey alone',
      caller: may(allow('secretsmanager:*'), allow('kms:GenerateDataKey', ALL_KEYS)),
      says: /kms:Decrypt/,
    },
  ),
  ...both(
    {
      source: `${SECRETS}: to retrieve a secret takes kms:Decrypt`,
      service: 'kms',
      given: secretWithKey(),
      does: getSecret,
    },
    {
      name: 'a secret is read with kms:Decrypt',
      caller: may(READS_SECRETS, allow('kms:Decrypt', ALL_KEYS)),
    },
    { name: 'a secret is not read without kms:Decrypt', caller: may(allow('secretsmanager:*')) },
  ),
  {
    name: 'the description of a secret takes no key',
    source: `${SECRETS}: DescribeSecret is none of the operations that use the key`,
    service: 'kms',
    given: secretWithKey(),
    caller: may(allow('secretsmanager:DescribeSecret', OWN_SECRETS)),
    does: (who) =>
      new SecretsManagerClient(who.options).send(new DescribeSecretCommand({ SecretId: who.name })),
    expect: 'allowed',
  },
  {
    name: 'a secret with the key aws/secretsmanager takes no leave for the key',
    source: `${SECRETS}: the policy of aws/secretsmanager lets all users of the account use it by way of Secrets Manager`,
    service: 'kms',
    given: (world, who) =>
      new SecretsManagerClient(world.administrator).send(
        new CreateSecretCommand({ Name: who.name, SecretString: 'value' }),
      ),
    caller: may(READS_SECRETS),
    does: getSecret,
    expect: 'allowed',
  },
  ...both(
    {
      source: `${SECRETS}: the encryption context has the pairs SecretARN and SecretVersionId`,
      service: 'kms',
      given: secretWithKey(),
      does: getSecret,
    },
    {
      name: "the encryption context of a secret has the secret's ARN",
      caller: may(
        READS_SECRETS,
        allow('kms:Decrypt', ALL_KEYS, {
          StringLike: {
            'kms:EncryptionContext:SecretARN': `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:\${aws:username}-*`,
          },
        }),
      ),
    },
    {
      name: "the encryption context of a secret has no other secret's ARN",
      caller: may(
        READS_SECRETS,
        allow('kms:Decrypt', ALL_KEYS, {
          StringLike: {
            'kms:EncryptionContext:SecretARN': `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:other-*`,
          },
        }),
      ),
    },
  ),
  {
    name: 'the encryption context of a secret has the version, too',
    source: `${SECRETS}: the encryption context has the pairs SecretARN and SecretVersionId`,
    service: 'kms',
    given: secretWithKey(),
    caller: may(
      READS_SECRETS,
      allow('kms:Decrypt', ALL_KEYS, {
        'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': 'SecretVersionId' },
      }),
    ),
    does: getSecret,
    expect: 'allowed',
  },
  ...both(
    {
      source: `${SECRETS}: kms:ViaService secretsmanager.<Region>.amazonaws.com allows the key for requests of Secrets Manager only`,
      service: 'kms',
      given: secretWithKey((who) =>
        policy(
          byIam(),
          to(
            { AWS: who.arn },
            allow(['kms:Decrypt', 'kms:Encrypt'], '*', {
              StringEquals: { 'kms:ViaService': `secretsmanager.${REGION}.amazonaws.com` },
            }),
          ),
        ),
      ),
      caller: may(READS_SECRETS),
      does: getSecret,
    },
    { name: 'kms:ViaService lets Secrets Manager decrypt for the caller' },
    { name: 'kms:ViaService of Secrets Manager lets the caller encrypt nothing himself', does: encrypt() },
  ),
  ...both(
    {
      source: `${GUIDE}, "AWS global condition keys": a service's request to KMS comes from the service's address, so that a Deny by aws:SourceIp refuses it; IAM User Guide, "AWS: Denies access to AWS based on the source IP": with aws:ViaAWSService "false" it is for direct requests only`,
      service: 'kms',
      given: secretWithKey(),
      does: getSecret,
    },
    {
      name: 'aws:SourceIp with aws:ViaAWSService lets a service use the key for the caller',
      caller: may(
        READS_SECRETS,
        allow('kms:Decrypt', ALL_KEYS),
        deny('*', '*', {
          NotIpAddress: { 'aws:SourceIp': '127.0.0.0/8' },
          Bool: { 'aws:ViaAWSService': 'false' },
        }),
      ),
    },
    {
      name: "aws:SourceIp is not the caller's when a service uses the key for him",
      caller: may(
        READS_SECRETS,
        allow('kms:Decrypt', ALL_KEYS),
        deny('*', '*', { NotIpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }),
      ),
    },
  ),
];

export const kms: Case[] = [
  ...trust,
  ...identifiers,
  ...managing,
  ...cryptography,
  ...throughS3,
  ...throughSsm,
  ...throughSecrets,
];
