import { DescribeRepositoriesCommand, ListTagsForResourceCommand } from '@aws-sdk/client-ecr';
import { orNothing } from '../../authorization/moto-clients';
import { asksFor } from '../asks-by-name';
import { isRecord, text, type Mapping, type Rules } from '../ask';
import { throughService } from './kms-through';

export const ecr: Rules = {
  members: { RepositoryName: ['repositoryName', 'repositoryNames'] },
  // A registry is an account.
  resolve: (_variable, value, { call, account }) => {
    const registry = text(call.input.registryId);
    return registry === undefined || registry === account || value.startsWith('arn:')
      ? value
      : `arn:aws:ecr:${call.region}:${registry}:repository/${value}`;
  },
  collections: ['DescribeRepositories', 'PutAccountSetting', 'BatchImportUpstreamImage'],
  tags: async ({ world, account, call }, resource) => {
    const command = new ListTagsForResourceCommand({ resourceArn: resource });
    const answer = await orNothing(world.client('ecr', { account, region: call.region }).send(command));
    return Object.fromEntries(
      (answer?.tags ?? []).map(({ Key: key = '', Value: value = '' }) => [key, value]),
    );
  },
  asks: {
    CreateRepository: async (mapping) => {
      const { input } = mapping.call;
      const asks = await asksFor('CreateRepository', mapping, ecr);
      const tagged =
        input.tags === undefined
          ? asks
          : [...asks, ...asks.map((one) => ({ ...one, action: 'ecr:TagResource' }))];
      const encryption = isRecord(input.encryptionConfiguration) ? input.encryptionConfiguration : {};
      const key = text(encryption.kmsKey);
      return key === undefined
        ? tagged
        : [...tagged, ...(await throughService(mapping, 'ecr', key, ['DescribeKey', 'CreateGrant']))];
    },
    // ECR retires its grants in the caller's name (Amazon ECR User Guide, "Encryption at rest").
    DeleteRepository: async (mapping) => {
      const asks = await asksFor('DeleteRepository', mapping, ecr);
      const key = await repositoryKey(mapping);
      return key === undefined
        ? asks
        : [...asks, ...(await throughService(mapping, 'ecr', key, ['RetireGrant']))];
    },
  },
};

async function repositoryKey({ world, account, call }: Mapping): Promise<string | undefined> {
  const command = new DescribeRepositoriesCommand({
    repositoryNames: [text(call.input.repositoryName) ?? ''],
  });
  const answer = await orNothing(world.client('ecr', { account, region: call.region }).send(command));
  return answer?.repositories?.[0]?.encryptionConfiguration?.kmsKey;
}
