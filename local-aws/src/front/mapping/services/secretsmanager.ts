import type { DescribeSecretCommandOutput as Secret } from '@aws-sdk/client-secrets-manager';
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
    'secretsmanager:VersionStage': text(input.VersionStage),
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

/** Encrypting or decrypting (Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager"). */
function withKey(operation: string, actions: readonly string[]) {
  return async (mapping: Mapping): Promise<Ask[]> => {
    const { call, world, account } = mapping;
    const { input } = call;
    const asks = await asksFor(operation, mapping, secretsmanager);
    const tagged =
      operation === 'CreateSecret' && input.Tags !== undefined
        ? [...asks, ...asks.map((one) => ({ ...one, action: 'secretsmanager:TagResource' }))]
        : asks;
    // A description is changed without a key.
    if (
      operation === 'UpdateSecret' &&
      !['SecretString', 'SecretBinary', 'KmsKeyId'].some((member) => member in input)
    )
      return tagged;
    const secret = await world.secret({ account, region: call.region }, text(input.SecretId) ?? '');
    const key = text(input.KmsKeyId) ?? secret?.KmsKeyId ?? 'alias/aws/secretsmanager';
    const version =
      operation === 'GetSecretValue' ? versionOf(secret, input) : text(input.ClientRequestToken);
    return [
      ...tagged,
      ...(await throughService(mapping, 'secretsmanager', key, actions, {
        SecretARN: asks[0]?.resource ?? '',
        ...(version !== undefined && { SecretVersionId: version }),
      })),
    ];
  };
}

/** Id of the version that a request reads. */
function versionOf(secret: Secret | undefined, input: Readonly<Record<string, unknown>>): string | undefined {
  const stage = text(input.VersionStage) ?? 'AWSCURRENT';
  return (
    text(input.VersionId) ??
    Object.entries(secret?.VersionIdsToStages ?? {}).find(([, stages]) => stages.includes(stage))?.[0]
  );
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
      const each = ids.map(async (id, part) => {
        const call = { ...mapping.call, input: { SecretId: id } };
        const asks = await withKey('GetSecretValue', ['Decrypt'])({ ...mapping, call });
        return asks.map((one) => ({ ...one, part }));
      });
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
