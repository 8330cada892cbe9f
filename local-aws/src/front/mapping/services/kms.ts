import { readPolicy, type PolicyDocument } from '../../authorization/policy';
import type { KeyFacts } from '../../authorization/world';
import { gap } from '../../refusal';
import { ask, asksFor } from '../asks-by-name';
import { isRecord, shown, text, texts, type Ask, type Context, type Mapping, type Rules } from '../ask';

/** moto's ciphertext, as KMS's own, says which key made it: its id comes first. */
const KEY_ID_LENGTH = 36;

/** Condition keys of a key itself (Service Authorization Reference, "AWS Key Management Service"). */
export function keyContext(key: KeyFacts, encryptionContext: Readonly<Record<string, string>> = {}): Context {
  const names = Object.keys(encryptionContext);
  return {
    'kms:ResourceAliases': key.aliases.length > 0 ? key.aliases : undefined,
    'kms:KeySpec': key.spec,
    'kms:CustomerMasterKeySpec': key.spec,
    'kms:KeyUsage': key.usage,
    'kms:CustomerMasterKeyUsage': key.usage,
    'kms:KeyOrigin': key.origin,
    'kms:MultiRegion': String(key.multiRegion),
    'kms:MultiRegionKeyType': undefined,
    'kms:RequestAlias': undefined,
    'kms:ViaService': undefined,
    'kms:EncryptionContextKeys': names.length > 0 ? names : undefined,
    ...Object.fromEntries(
      Object.entries(encryptionContext).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
    ),
    'kms:GrantIsForAWSResource': undefined,
    'kms:RecipientAttestation:ImageSha384': undefined,
    ...PARAMETERS_ABSENT,
  };
}

/** Keys that a request's parameters fill, where they are given. */
const PARAMETERS: Readonly<Record<string, string>> = {
  'kms:BypassPolicyLockoutSafetyCheck': 'BypassPolicyLockoutSafetyCheck',
  'kms:DataKeyPairSpec': 'KeyPairSpec',
  'kms:EncryptionAlgorithm': 'EncryptionAlgorithm',
  'kms:ExpirationModel': 'ExpirationModel',
  'kms:GranteePrincipal': 'GranteePrincipal',
  'kms:GranteeServicePrincipal': 'GranteeServicePrincipal',
  'kms:GrantOperations': 'Operations',
  'kms:KeyAgreementAlgorithm': 'KeyAgreementAlgorithm',
  'kms:MacAlgorithm': 'MacAlgorithm',
  'kms:MessageType': 'MessageType',
  'kms:PrimaryRegion': 'PrimaryRegion',
  'kms:ReplicaRegion': 'ReplicaRegion',
  'kms:RetiringPrincipal': 'RetiringPrincipal',
  'kms:RotationPeriodInDays': 'RotationPeriodInDays',
  'kms:ScheduleKeyDeletionPendingWindowInDays': 'PendingWindowInDays',
  'kms:SigningAlgorithm': 'SigningAlgorithm',
  'kms:ValidTo': 'ValidTo',
  'kms:WrappingAlgorithm': 'WrappingAlgorithm',
  'kms:WrappingKeySpec': 'WrappingKeySpec',
};
const OF_CONSTRAINTS = ['kms:GrantConstraintType', 'kms:GrantConstraintSourceArn', 'kms:ReEncryptOnSameKey'];
const PARAMETERS_ABSENT: Context = Object.fromEntries(
  [...Object.keys(PARAMETERS), ...OF_CONSTRAINTS].map((key) => [key, undefined]),
);

/** What a request means by what it leaves out (AWS KMS API Reference, each operation's parameters). */
const DEFAULTS: Readonly<Partial<Record<string, Input>>> = {
  Decrypt: { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
  Encrypt: { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
  GenerateDataKey: { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
  GenerateDataKeyPair: { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
  GenerateDataKeyPairWithoutPlaintext: { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
  GenerateDataKeyWithoutPlaintext: { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
  ScheduleKeyDeletion: { PendingWindowInDays: 30 },
};

type Input = Readonly<Record<string, unknown>>;

function parameterContext(operation: string, input: Input): Context {
  const given: Input = { ...DEFAULTS[operation], ...input };
  const parameters = Object.entries(PARAMETERS).flatMap(([key, member]) => {
    const value = given[member];
    if (value === undefined) return [];
    return [[key, Array.isArray(value) ? texts(value) : shown(value)] as const];
  });
  return { ...Object.fromEntries(parameters), ...constraintContext(given.Constraints) };
}

/** What a grant is limited to. */
function constraintContext(constraints: unknown): Context {
  if (!isRecord(constraints)) return {};
  const type = ['EncryptionContextEquals', 'EncryptionContextSubset'].find((each) =>
    isRecord(constraints[each]),
  );
  return { 'kms:GrantConstraintType': type, 'kms:GrantConstraintSourceArn': text(constraints.SourceArn) };
}

/** Keys of a key that isn't there yet; a request for one says what they will be. */
function newKeyContext({ call }: Mapping): Context {
  const { input } = call;
  const spec = text(input.KeySpec) ?? text(input.CustomerMasterKeySpec) ?? 'SYMMETRIC_DEFAULT';
  const usage = text(input.KeyUsage) ?? 'ENCRYPT_DECRYPT';
  return {
    'kms:CustomerMasterKeySpec': spec,
    'kms:CustomerMasterKeyUsage': usage,
    'kms:KeyOrigin': text(input.Origin) ?? 'AWS_KMS',
    'kms:KeySpec': spec,
    'kms:KeyUsage': usage,
    'kms:MultiRegion': shown(input.MultiRegion) ?? 'false',
    'kms:MultiRegionKeyType': input.MultiRegion === true ? 'PRIMARY' : undefined,
  };
}

/** Operations on another account's key (AWS KMS API Reference, each operation's "Cross-account use"). */
const CROSS_ACCOUNT =
  /^(CreateGrant|Decrypt|DeriveSharedSecret|DescribeKey|Encrypt|GenerateDataKey\w*|GenerateMac|GetKeyRotationStatus|GetPublicKey|ListGrants|ReEncrypt\w+|RetireGrant|RevokeGrant|Sign|Verify|VerifyMac)$/;

/** The key of a request by id, ARN or alias, with the context that it brings. */
async function keyAsk(
  action: string,
  id: string | undefined,
  mapping: Mapping,
  context: Context = {},
): Promise<Ask> {
  const { call, world, account } = mapping;
  if (id === undefined) throw gap(`kms:${call.operation} names no key.`);
  const parameters = { ...parameterContext(call.operation, call.input), ...context };
  const key = await world.key({ account, region: call.region }, id);
  // Whoever asks for a key that isn't there is told so, if he may ask for any.
  if (key === undefined) return ask(action, unknownKey(id, mapping), mapping, kms, parameters);
  const alias = /alias\/.+$/.exec(id)?.[0];
  return {
    ...ask(action, key.arn, mapping, kms, {
      ...keyContext(key, encryptionContext(action, call.input)),
      ...parameters,
      'kms:RequestAlias': alias,
      'kms:CallerAccount': account,
    }),
    tags: () => Promise.resolve(key.tags),
    ...(key.account !== account && !CROSS_ACCOUNT.test(action) && { guard: defaultKeyPolicy(key.account) }),
  };
}

function unknownKey(id: string, { call, account }: Mapping): string {
  if (id.startsWith('arn:')) return id;
  return `arn:aws:kms:${call.region}:${account}:${id.startsWith('alias/') ? id : `key/${id}`}`;
}

function encryptionContext(action: string, input: Input): Record<string, string> {
  const constraints = isRecord(input.Constraints) ? input.Constraints : {};
  const given =
    (action === 'ReEncryptFrom'
      ? input.SourceEncryptionContext
      : action === 'ReEncryptTo'
        ? input.DestinationEncryptionContext
        : input.EncryptionContext) ??
    constraints.EncryptionContextEquals ??
    constraints.EncryptionContextSubset;
  if (!isRecord(given)) return {};
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
}

/** A symmetric ciphertext names its key; an asymmetric one needs KeyId. */
function keyOf(ciphertext: unknown): string | undefined {
  const bytes = typeof ciphertext === 'string' ? Buffer.from(ciphertext, 'base64') : undefined;
  const id = bytes?.subarray(0, KEY_ID_LENGTH).toString('latin1') ?? '';
  return /^(mrk-)?[0-9a-f-]+$/.test(id) ? id : undefined;
}

const onKey = (action: string) => (mapping: Mapping) =>
  keyAsk(action, text(mapping.call.input.KeyId) ?? keyOf(mapping.call.input.CiphertextBlob), mapping).then(
    (one) => [one],
  );

function aliasAsk(mapping: Mapping): Ask {
  const { call, account } = mapping;
  const name = text(call.input.AliasName) ?? '';
  return {
    ...ask(call.operation, `arn:aws:kms:${call.region}:${account}:${name}`, mapping, kms, {
      'kms:CallerAccount': account,
    }),
    tags: () => Promise.resolve(undefined),
  };
}

async function reEncrypt(mapping: Mapping): Promise<Ask[]> {
  const { call, world, account } = mapping;
  const { input } = call;
  const place = { account, region: call.region };
  const from = text(input.SourceKeyId) ?? keyOf(input.CiphertextBlob);
  const to = text(input.DestinationKeyId);
  const [source, destination] = await Promise.all([from, to].map((id) => world.key(place, id ?? '')));
  const onSameKey = {
    'kms:ReEncryptOnSameKey': String(source !== undefined && source.arn === destination?.arn),
  };
  const algorithm = (member: string) => ({
    'kms:EncryptionAlgorithm': text(input[member]) ?? 'SYMMETRIC_DEFAULT',
  });
  return [
    await keyAsk('ReEncryptFrom', from, mapping, { ...onSameKey, ...algorithm('SourceEncryptionAlgorithm') }),
    await keyAsk('ReEncryptTo', to, mapping, {
      ...onSameKey,
      ...algorithm('DestinationEncryptionAlgorithm'),
    }),
  ];
}

/** A new key, and the tags that it gets at once: leave to tag a key that isn't there yet. */
async function createKey(mapping: Mapping): Promise<Ask[]> {
  const { call, account } = mapping;
  const none = () => Promise.resolve(undefined);
  const asks = (await asksFor('CreateKey', mapping, kms)).map((one) => ({
    ...one,
    context: { ...one.context, ...newKeyContext(mapping) },
    tags: none,
  }));
  if (call.input.Tags === undefined) return asks;
  const guard = readPolicy(text(call.input.Policy) ?? '') ?? defaultKeyPolicy(account);
  const resource = `arn:aws:kms:${call.region}:${account}:key/*`;
  return [...asks, ...asks.map((one) => ({ ...one, action: 'kms:TagResource', resource, guard }))];
}

/** KMS Developer Guide, "Default key policy": the account's IAM policies decide. */
function defaultKeyPolicy(account: string): PolicyDocument {
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action: 'kms:*',
    Resource: '*',
  };
  return { Version: '2012-10-17', Statement: [statement] };
}

const KEY_OPERATIONS = [
  'CancelKeyDeletion',
  'ConnectCustomKeyStore',
  'CreateGrant',
  'Decrypt',
  'DeleteImportedKeyMaterial',
  'DeriveSharedSecret',
  'DescribeKey',
  'DisableKey',
  'DisableKeyRotation',
  'EnableKey',
  'EnableKeyRotation',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'GetKeyPolicy',
  'GetKeyRotationStatus',
  'GetParametersForImport',
  'GetPublicKey',
  'ImportKeyMaterial',
  'ListGrants',
  'ListKeyPolicies',
  'ListKeyRotations',
  'ListResourceTags',
  'PutKeyPolicy',
  'ReplicateKey',
  'RevokeGrant',
  'RotateKeyOnDemand',
  'ScheduleKeyDeletion',
  'Sign',
  'TagResource',
  'UntagResource',
  'UpdateKeyDescription',
  'UpdatePrimaryRegion',
  'Verify',
  'VerifyMac',
].filter((operation) => !operation.endsWith('CustomKeyStore'));

export const kms: Rules = {
  asks: {
    ...Object.fromEntries(KEY_OPERATIONS.map((operation) => [operation, onKey(operation)])),
    // Leave on the alias and on every key that it is, or was, the name of (KMS Developer Guide, "Controlling access to aliases").
    CreateAlias: async (mapping) => [
      aliasAsk(mapping),
      await keyAsk('CreateAlias', text(mapping.call.input.TargetKeyId), mapping),
    ],
    DeleteAlias: async (mapping) => [
      aliasAsk(mapping),
      await keyAsk('DeleteAlias', text(mapping.call.input.AliasName), mapping),
    ],
    UpdateAlias: async (mapping) => [
      aliasAsk(mapping),
      await keyAsk('UpdateAlias', text(mapping.call.input.AliasName), mapping),
      await keyAsk('UpdateAlias', text(mapping.call.input.TargetKeyId), mapping),
    ],
    CreateKey: createKey,
    ReEncrypt: reEncrypt,
    RetireGrant: async (mapping) => [await keyAsk('RetireGrant', text(mapping.call.input.KeyId), mapping)],
  },
  context: ({ account, call }) => ({
    'kms:CallerAccount': account,
    'kms:ViaService': undefined,
    'kms:RequestAlias': undefined,
    'kms:ResourceAliases': undefined,
    ...PARAMETERS_ABSENT,
    ...parameterContext(call.operation, call.input),
  }),
};
