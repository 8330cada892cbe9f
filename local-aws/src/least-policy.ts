import type { LoggedDecision } from './front/decision-log';

export interface LeastPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly {
    readonly Effect: 'Allow';
    readonly Action: readonly string[];
    readonly Resource: readonly string[];
  }[];
}

/**
 * The least policy that would have allowed a run: just its actions, each on just its resources. What wasn't there yet
 * stands as AWS asks for it, such as `vpc/*`.
 *
 * @param decisions all that were asked for, whether they were allowed or not; what couldn't be mapped is left out
 */
export function leastPolicy(decisions: readonly LoggedDecision[]): LeastPolicy {
  const byAction = new Map<string, Set<string>>();
  for (const { action, resource } of decisions) {
    if (resource === '?') continue;
    const resources = byAction.get(action) ?? new Set();
    byAction.set(action, resources.add(literal(resource)));
  }
  // Actions on the very same resources share a statement.
  const byResources = new Map<string, { actions: string[]; resources: string[] }>();
  for (const [action, found] of [...byAction].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const resources = [...found].sort();
    const id = JSON.stringify(resources);
    const known = byResources.get(id) ?? { actions: [], resources };
    known.actions.push(action);
    byResources.set(id, known);
  }
  const statements = [...byResources.values()].map(({ actions, resources }) => ({
    Effect: 'Allow' as const,
    Action: actions,
    Resource: resources,
  }));
  return { Version: '2012-10-17', Statement: statements };
}

/** In an object's key, characters that a policy takes for wildcards or variables are meant as they are. */
function literal(resource: string): string {
  return resource.startsWith('arn:aws:s3:::') ? resource.replaceAll(/[*?$]/g, '${$&}') : resource;
}
