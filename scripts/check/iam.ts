import { unboundActions, type UnboundAction } from './actions';
import type { Check, Fault } from './check';
import { isForAnyone, principals, principalShown, statements } from './policy';
import { list, shown } from './resource';
import { ESCALATES, HANDS_OUT_CREDENTIALS, READS_DATA, RUNS_AS_A_ROLE } from './risky-actions';

/** An account's number, or its root: whoever the account's own policies let. */
const WHOLE_ACCOUNT = /^(\d{12}|arn:[^:]+:iam::\d{12}:root)$/;

const POLICIES = ['aws_iam_policy', 'aws_iam_group_policy', 'aws_iam_role_policy', 'aws_iam_user_policy'];
const ATTACHMENTS = [
  'aws_iam_policy_attachment',
  'aws_iam_group_policy_attachment',
  'aws_iam_role_policy_attachment',
  'aws_iam_user_policy_attachment',
];
const ROLES = ['aws_iam_role'];

export const iamChecks: readonly Check[] = [
  {
    id: 'CKV_AWS_40',
    asks: 'Policies belong to groups and roles, not to users.',
    on: ['aws_iam_user_policy', 'aws_iam_user_policy_attachment', 'aws_iam_policy_attachment'],
    look: ({ body }) =>
      ['user', 'users']
        .filter((argument) => list(body[argument]).length > 0)
        .map((argument) => ({ argument, found: shown(body[argument]) })),
  },
  {
    id: 'CKV_AWS_60',
    asks: 'No role can be taken on by everyone.',
    on: ROLES,
    look: statements(
      'assume_role_policy',
      'Allow',
      (statement) => isForAnyone(statement) && principalShown(statement),
    ),
  },
  {
    id: 'CKV_AWS_61',
    asks: 'A role names who takes it on, not a whole account.',
    on: ROLES,
    look: statements(
      'assume_role_policy',
      'Allow',
      (statement) =>
        principals(statement, 'AWS').some((principal) => WHOLE_ACCOUNT.test(principal)) &&
        principalShown(statement),
    ),
  },
  {
    id: 'CKV_AWS_62',
    asks: 'No policy allows everything on everything.',
    on: POLICIES,
    look: statements(
      'policy',
      'Allow',
      ({ Action, Resource }) =>
        list(Action).includes('*') && list(Resource).includes('*') && 'Action "*" on Resource "*"',
    ),
  },
  {
    id: 'CKV_AWS_63',
    asks: 'No policy allows every action.',
    on: POLICIES,
    look: statements('policy', 'Allow', ({ Action }) => list(Action).includes('*') && 'Action "*"'),
  },
  {
    id: 'CKV2_AWS_40',
    asks: 'No policy allows all of IAM.',
    on: POLICIES,
    look: statements(
      'policy',
      'Allow',
      ({ Action }) =>
        list(Action).some((action) => ['*', 'iam:*'].includes(action)) && `Action ${shown(Action)}`,
    ),
  },
  {
    id: 'CKV_AWS_274',
    asks: "Nobody has AWS's policy AdministratorAccess.",
    on: [...ATTACHMENTS, ...ROLES],
    look: hasNot('AdministratorAccess'),
  },
  {
    id: 'CKV2_AWS_56',
    asks: "Nobody has AWS's policy IAMFullAccess.",
    on: [...ATTACHMENTS, ...ROLES],
    look: hasNot('IAMFullAccess'),
  },
  {
    id: 'CKV_AWS_286',
    asks: 'No policy lets its holder gain more than it gives.',
    on: POLICIES,
    look: async (resource) => {
      const actions = await unboundActions(resource);
      const passes = actions.some(isOneOf(['iam:PassRole']));
      return byStatement(
        actions.filter((action) => isOneOf(ESCALATES)(action) || (passes && isOneOf(RUNS_AS_A_ROLE)(action))),
      );
    },
  },
  {
    id: 'CKV_AWS_287',
    asks: 'No policy allows actions that hand out credentials on everything.',
    on: POLICIES,
    look: unbound(isOneOf(HANDS_OUT_CREDENTIALS)),
  },
  {
    id: 'CKV_AWS_288',
    asks: 'No policy allows reading of objects, parameters or secrets on everything.',
    on: POLICIES,
    look: unbound(isOneOf(READS_DATA)),
  },
  {
    id: 'CKV_AWS_289',
    asks: 'No policy allows management of permissions on everything.',
    on: POLICIES,
    look: unbound(
      ({ restrictable, accessLevel }) => restrictable && accessLevel.includes('Permissions management'),
    ),
  },
  {
    id: 'CKV_AWS_290',
    asks: 'No policy allows writing on everything, where an action has a resource to name.',
    on: POLICIES,
    look: unbound(({ restrictable, accessLevel }) => restrictable && accessLevel === 'Write'),
  },
  {
    id: 'CKV_AWS_355',
    asks: 'No policy allows an action on everything that has a resource to name.',
    on: POLICIES,
    look: unbound(({ restrictable }) => restrictable),
  },
];

function hasNot(policy: string): Check['look'] {
  return ({ body }) =>
    ['policy_arn', 'managed_policy_arns'].flatMap((argument) =>
      list(body[argument] as string | string[])
        .filter((arn) => arn.endsWith(`:aws:policy/${policy}`))
        .map((found) => ({ argument, found })),
    );
}

/** @param isWrong of what a policy allows on everything and under no condition */
function unbound(isWrong: (action: UnboundAction) => boolean): Check['look'] {
  return async (resource) => byStatement((await unboundActions(resource)).filter(isWrong));
}

function isOneOf(actions: readonly string[]) {
  const names = new Set(actions.map((action) => action.toLowerCase()));
  return ({ name }: UnboundAction) => names.has(name.toLowerCase());
}

const NAMED_AT_MOST = 3;

function byStatement(actions: readonly UnboundAction[]): Fault[] {
  return [...new Set(actions.map(({ at }) => at))].map((at) => {
    const names = actions.filter((action) => action.at === at).map(({ name }) => name);
    const more = names.length - NAMED_AT_MOST;
    return {
      argument: at,
      found: `${names.slice(0, NAMED_AT_MOST).join(', ')}${more > 0 ? ` and ${more} more` : ''} on "*"`,
    };
  });
}
