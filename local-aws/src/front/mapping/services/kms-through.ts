import type { Ask, Mapping } from '../ask';
import { keyContext } from './kms';

/**
 * What a service needs of a key in the caller's name (KMS Developer Guide, "kms:ViaService").
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
  const facts = await world.key({ account, region: call.region }, key);
  if (facts === undefined) return [];
  return actions.map((action) => ({
    action: `kms:${action}`,
    resource: facts.arn,
    account: facts.account,
    context: {
      ...keyContext(facts, encryptionContext),
      'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
      'kms:ViaService': `${service}.${call.region}.amazonaws.com`,
      'kms:CallerAccount': account,
      // The service asks, and not the caller's machine.
      'aws:SourceIp': undefined,
      'aws:ViaAWSService': 'true',
      'aws:CalledVia': [`${service}.amazonaws.com`],
      'aws:CalledViaFirst': `${service}.amazonaws.com`,
      'aws:CalledViaLast': `${service}.amazonaws.com`,
    },
    tags: () => Promise.resolve(facts.tags),
  }));
}
