import { gap } from '../../refusal';
import { asksFor } from '../asks-by-name';
import { shown, text, texts, type Ask, type Context, type Mapping, type Rules } from '../ask';
import { throughService } from './kms-through';

/** Secrets Manager puts six characters behind a secret's name, which nobody knows before it is made. */
const UNKNOWN_SUFFIX = '-??????';

async function secretArn(id: string, { world, account, call }: Mapping): Promise<string> {
  const place = { account, region: call.region };
  const found = call.operation === 'CreateSecret' ? undefined : await world.secret(place, id);
  if (found?.ARN !== undefined) return found.ARN;
  return id.startsWith('arn:')
    ? id
    : `arn:aws:secretsmanager:${call.region}:${account}:secret:${id}${UNKNOWN_SUFFIX}`;
}

function context({ call, world, account }: Mapping, resource: string): Context {
  const { input } = call;
  const place = { account, region: call.region };
  const primary = async () => (await world.secret(place, resource))?.PrimaryRegion;
  return {
    'secretsmanager:SecretId': resource,
    'secretsmanager:Name': text(input.Name),
    'secretsmanager:Description': text(input.Description),
    'secretsmanager:KmsKeyId': text(input.KmsKeyId),
    'secretsmanager:KmsKeyArn': async () => (await world.key(place, text(input.KmsKeyId) ?? ''))?.arn,
    'secretsmanager:VersionId': text(input.VersionId),
    'secretsmanager:VersionStage':
      text(input.VersionStage) ??
      (call.operation === 'GetSecretValue' && input.VersionId === undefined ? 'AWSCURRENT' : undefined),
    'secretsmanager:RecoveryWindowInDays': shown(input.RecoveryWindowInDays),
    'secretsmanager:ForceDeleteWithoutRecovery': shown(input.ForceDeleteWithoutRecovery),
    'secretsmanager:BlockPublicPolicy': shown(input.BlockPublicPolicy),
    'secretsmanager:RotationLambdaARN': text(input.RotationLambdaARN),
    'secretsmanager:RotateImmediately': shown(input.RotateImmediately),
    'secretsmanager:ModifyRotationRules': input.RotationRules === undefined ? undefined : 'true',
    'secretsmanager:AddReplicaRegions': undefined,
    'secretsmanager:ForceOverwriteReplicaSecret': undefined,
    'secretsmanager:SecretPrimaryRegion': primary,
    'secretsmanager:Type': undefined,
    'secretsmanager:resource/Type': undefined,
    'secretsmanager:resource/AllowRotationLambdaArn': async () =>
      (await world.secret(place, resource))?.RotationLambdaARN,
    'secretsmanager:ExternalSecretRotationRoleArn': undefined,
  };
}

/** Encrypting or decrypting with a key of the account's own (Secrets Manager User Guide, "Secret encryption and decryption"). */
function withKey(operation: string, actions: readonly string[]) {
  return async (mapping: Mapping): Promise<Ask[]> => {
    const { call, world, account } = mapping;
    const asks = await asksFor(operation, mapping, secretsmanager);
    const tagged =
      operation === 'CreateSecret' && call.input.Tags !== undefined
        ? [...asks, ...asks.map((one) => ({ ...one, action: 'secretsmanager:TagResource' }))]
        : asks;
    const id = text(call.input.SecretId);
    const place = { account, region: call.region };
    const key =
      text(call.input.KmsKeyId) ?? (id === undefined ? undefined : (await world.secret(place, id))?.KmsKeyId);
    if (key === undefined) return tagged;
    return [
      ...tagged,
      ...(await throughService(mapping, 'secretsmanager', key, actions, {
        SecretARN: asks[0]?.resource ?? '',
      })),
    ];
  };
}

export const secretsmanager: Rules = {
  members: { SecretId: ['SecretId', 'Name'] },
  resolve: (_variable, value, mapping) => secretArn(value, mapping),
  context,
  tags: async ({ world, account, call }, resource) => {
    const found = await world.secret({ account, region: call.region }, resource);
    return Object.fromEntries(
      (found?.Tags ?? []).map(({ Key: key = '', Value: value = '' }) => [key, value]),
    );
  },
  asks: {
    // Reading several takes leave for each (Secrets Manager API Reference, "BatchGetSecretValue").
    BatchGetSecretValue: async (mapping) => {
      const ids = texts(mapping.call.input.SecretIdList);
      if (ids.length === 0) throw gap('secretsmanager:BatchGetSecretValue picks its secrets by filter.');
      const each = ids.map((id) =>
        withKey('GetSecretValue', ['Decrypt'])({
          ...mapping,
          call: { ...mapping.call, input: { SecretId: id } },
        }),
      );
      return [
        ...(await asksFor('BatchGetSecretValue', mapping, secretsmanager)),
        ...(await Promise.all(each)).flat(),
      ];
    },
    CreateSecret: withKey('CreateSecret', ['GenerateDataKey', 'Decrypt']),
    GetSecretValue: withKey('GetSecretValue', ['Decrypt']),
    PutSecretValue: withKey('PutSecretValue', ['GenerateDataKey', 'Decrypt']),
    UpdateSecret: withKey('UpdateSecret', ['GenerateDataKey', 'Decrypt']),
  },
};
