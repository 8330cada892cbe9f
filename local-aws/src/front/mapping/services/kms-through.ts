import type { Ask, Mapping } from '../ask';
import { keyContext } from './kms';

/**
 * What a service needs of a key in the caller's name (KMS Developer Guide, "kms:ViaService"). Nothing for AWS's own
 * keys: their policies let everyone of the account in by way of their service.
 *
 * @param service as in `kms:ViaService`
 * @param key id, ARN or alias
 */
export async function throughService(
  mapping: Mapping,
  service: string,
  key: string,
  actions: readonly string[],
  encryptionContext: Readonly<Record<string, string>> = {},
): Promise<Ask[]> {
  const { world, account, call } = mapping;
  if (/(^|:)alias\/aws\//.test(key)) return [];
  const facts = await world.key({ account, region: call.region }, key);
  if (facts === undefined || facts.aliases.some((alias) => alias.startsWith('alias/aws/'))) return [];
  return actions.map((action) => ({
    action: `kms:${action}`,
    resource: facts.arn,
    account: facts.account,
    context: {
      ...keyContext(facts, encryptionContext),
      'kms:ViaService': `${service}.${call.region}.amazonaws.com`,
      'kms:CallerAccount': account,
      'aws:ViaAWSService': 'true',
      'aws:CalledVia': [`${service}.amazonaws.com`],
      'aws:CalledViaFirst': `${service}.amazonaws.com`,
      'aws:CalledViaLast': `${service}.amazonaws.com`,
    },
    tags: () => Promise.resolve(facts.tags),
  }));
}
