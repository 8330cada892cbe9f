import { includes, type Access, type Grant } from './grants';
import type { Configuration } from '../configurations';
import { homeOf } from './policies';

export interface Difference {
  /** May be done now and might not before; a denial in here is one that is gone. */
  readonly gained: readonly Grant[];
  /** Might be done before and may not now; a denial in here is a new one. */
  readonly lost: readonly Grant[];
}

/** What may be done in `after` and not in `before`, and the other way round, however the policies are written. */
export function difference(before: Access, after: Access): Difference {
  const more = (one: readonly Grant[], other: readonly Grant[], allowed: boolean) =>
    one.filter((grant) => grant.allowed === allowed && !other.some((each) => includes(each, grant)));
  return {
    gained: [...more(after.grants, before.grants, true), ...more(before.grants, after.grants, false)],
    lost: [...more(before.grants, after.grants, true), ...more(after.grants, before.grants, false)],
  };
}

/** An environment with the names, the account and the region of another, so that only what differs otherwise is left. */
export function renamed(configuration: Configuration, like: Configuration): Configuration {
  const [from, to] = [homeOf(configuration), homeOf(like)];
  const text = JSON.stringify({ resource: configuration.resource, data: configuration.data })
    .replaceAll(
      new RegExp(`(?<![A-Za-z0-9])${configuration.environment}(?![A-Za-z0-9])`, 'g'),
      like.environment,
    )
    .replaceAll(from.account, to.account)
    .replaceAll(from.region, to.region);
  return { environment: like.environment, ...(JSON.parse(text) as Omit<Configuration, 'environment'>) };
}
