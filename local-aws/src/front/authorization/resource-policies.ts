import { GetResourcePolicyCommand as GetTablePolicyCommand } from '@aws-sdk/client-dynamodb';
import { GetRepositoryPolicyCommand } from '@aws-sdk/client-ecr';
import { GetPolicyCommand as GetFunctionPolicyCommand } from '@aws-sdk/client-lambda';
import { GetResourcePolicyCommand as GetSecretPolicyCommand } from '@aws-sdk/client-secrets-manager';
import { accountIn, parseArn, type ArnParts } from '../mapping/arn';
import { orNothing } from './moto-clients';
import { readPolicy, type PolicyDocument } from './policy';
import { NO_PINS, type Pins } from './principals';
import type { World } from './world';

export interface ResourcePolicy {
  readonly document: PolicyDocument;
  readonly pins: Pins;
}

/**
 * The policy on the resource's own side: of a bucket, a key, a secret, a repository, a function, a table, or the trust
 * policy of a role that is to be taken on.
 *
 * @returns undefined where there is none
 */
export async function resourcePolicy(
  world: World,
  action: string,
  resource: string,
): Promise<ResourcePolicy | undefined> {
  const arn = parseArn(resource);
  if (arn === undefined) return undefined;
  const place = {
    account: accountIn(resource, world.account),
    region: arn.region === '' ? world.region : arn.region,
  };
  const read = (prefix: string, fetch: () => Promise<string | undefined>) =>
    world.read(prefix, place, `policy of ${arn.resource}`, async () =>
      unpinned(readPolicy((await fetch()) ?? '')),
    );
  switch (arn.service) {
    case 's3':
      return world.buckets.get(bucketOf(arn))?.policy;
    case 'kms':
      if (!arn.resource.startsWith('key/')) return undefined;
      return unpinned((await world.key(place, resource))?.policy);
    case 'iam':
      return action.startsWith('sts:') ? trustPolicy(world, place.account, arn, resource) : undefined;
    case 'secretsmanager':
      return read('secretsmanager', async () => {
        const answer = await orNothing(
          world.client('secretsmanager', place).send(new GetSecretPolicyCommand({ SecretId: resource })),
        );
        return answer?.ResourcePolicy;
      });
    case 'ecr':
      return read('ecr', async () => {
        const command = new GetRepositoryPolicyCommand({
          repositoryName: arn.resource.replace('repository/', ''),
        });
        return (await orNothing(world.client('ecr', place).send(command)))?.policyText;
      });
    case 'lambda': {
      const [kind, name = ''] = arn.resource.split(':');
      if (kind !== 'function') return undefined;
      return read('lambda', async () => {
        const command = new GetFunctionPolicyCommand({ FunctionName: name });
        return (await orNothing(world.client('lambda', place).send(command)))?.Policy;
      });
    }
    case 'dynamodb': {
      const [table = ''] = /^table\/[^/]+/.exec(arn.resource) ?? [];
      if (table === '') return undefined;
      return read('dynamodb', async () => {
        const command = new GetTablePolicyCommand({
          ResourceArn: `arn:${arn.partition}:dynamodb:${arn.region}:${arn.account}:${table}`,
        });
        return (await orNothing(world.client('dynamodb', place).send(command)))?.Policy;
      });
    }
    default:
      return undefined;
  }
}

async function trustPolicy(
  world: World,
  account: string,
  arn: ArnParts,
  resource: string,
): Promise<ResourcePolicy | undefined> {
  const document = (await world.identities.role(account, nameOf(arn)))?.trust;
  return document && { document, pins: world.pins.get(resource) ?? NO_PINS };
}

const unpinned = (document: PolicyDocument | undefined): ResourcePolicy | undefined =>
  document && { document, pins: NO_PINS };

export const bucketOf = ({ resource }: ArnParts) => resource.split('/')[0] ?? '';

/** The name at the end of a path. */
export const nameOf = ({ resource }: ArnParts) => resource.split('/').at(-1) ?? '';
