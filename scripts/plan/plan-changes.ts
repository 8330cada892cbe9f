import { differences, type Difference } from './differences';
import { secretsOf } from './secrets';
import type { Plan, ResourceChange } from './plan-json';

/** Something said in our words of what the plan names; the names are apart, as they may hold anything. */
export interface Remark {
  words: string;
  names?: string[];
}

/** One resource of a plan. */
export interface Change {
  address: string;
  type: string;
  /** Why, and what else there is to know. */
  remarks: Remark[];
  differences: Difference[];
}

/** A plan, sorted by what it does. Holds nothing that is secret. */
export interface PlanChanges {
  destroyed: Change[];
  replaced: Change[];
  changed: Change[];
  added: Change[];
  /** Taken out of the state, left alone in AWS. */
  forgotten: Change[];
  outputs: Difference[];
  /** What was changed outside of Terraform and this plan would put back: differences from the state to AWS. */
  drifted: Change[];
}

const REASONS: Readonly<Record<string, string>> = {
  delete_because_no_resource_config: 'no longer in the configuration',
  delete_because_no_module: 'its module is no longer in the configuration',
  delete_because_wrong_repetition: 'count or for_each has changed',
  delete_because_count_index: 'beyond its count',
  delete_because_each_key: 'its key is no longer in for_each',
  delete_because_no_move_target: 'where it was moved to does not exist',
  replace_because_tainted: 'it was made only half, or marked as tainted',
  replace_by_request: 'asked for by -replace',
  replace_by_triggers: 'what it must follow (replace_triggered_by) changes',
};

export function planChanges(plan: Plan): PlanChanges {
  const holdsSecret = secretsOf(plan);
  const asChange = (resource: ResourceChange): Change => ({
    address: resource.address,
    type: resource.type,
    remarks: remarksOn(resource),
    differences: differences(resource.change, holdsSecret),
  });
  const managed = plan.resource_changes.filter(({ mode }) => mode === 'managed');
  const by = (...actions: string[]) =>
    managed.filter(({ change }) => actions.includes(change.actions.join(' '))).map(asChange);
  const moving = new Set(managed.filter((each) => !isUntouched(each)).map(({ address }) => address));
  return {
    destroyed: by('delete').map((change) => ({ ...change, differences: [] })),
    replaced: by('delete create', 'create delete', 'create forget'),
    changed: [
      ...by('update'),
      ...managed.filter((each) => isUntouched(each) && remarksOn(each).length > 0).map(asChange),
    ],
    added: by('create'),
    forgotten: by('forget'),
    outputs: Object.entries(plan.output_changes).flatMap(([name, change]) =>
      differences(change, holdsSecret).map((each) => ({
        ...each,
        path: /^[[]/.test(each.path) || each.path === '' ? `${name}${each.path}` : `${name}.${each.path}`,
      })),
    ),
    drifted: plan.resource_drift
      .filter(({ address, change }) => moving.has(address) && change.actions.join() !== 'no-op')
      .map((resource) =>
        resource.change.actions.includes('delete')
          ? { ...asChange(resource), remarks: [{ words: 'gone from AWS' }], differences: [] }
          : asChange(resource),
      ),
  };
}

/** Whether the plan does anything at all. */
export function isEmpty({ drifted: _, ...changes }: PlanChanges): boolean {
  return Object.values(changes).every((each: unknown[]) => each.length === 0);
}

function isUntouched({ change }: ResourceChange): boolean {
  return change.actions.join() === 'no-op';
}

function remarksOn({ action_reason, previous_address, deposed, address, change }: ResourceChange): Remark[] {
  const actions = change.actions.join(' ');
  const reason = action_reason === undefined ? undefined : REASONS[action_reason];
  return [
    ...(reason === undefined ? [] : [{ words: reason }]),
    ...(actions === 'create delete' ? [{ words: 'the new one is made first' }] : []),
    ...(actions === 'create forget' ? [{ words: 'the old one stays in AWS, outside of Terraform' }] : []),
    ...(deposed ? [{ words: 'left behind by an earlier replacement' }] : []),
    ...(previous_address !== undefined && previous_address !== address
      ? [{ words: 'was', names: [previous_address] }]
      : []),
    ...(change.importing ? [{ words: 'taken over from AWS' }] : []),
  ];
}
