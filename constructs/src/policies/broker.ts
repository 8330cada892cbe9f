import { iamArn, dnsSuffix, regionalArn, type Place } from '../place';
import { allow, policyDocument, type PolicyDocument, type Statement } from '../policy-document';
import type { EncryptedService } from '../encryption-key';
import { serviceStatements, type ServiceAccess } from './role-chain';

/** What the credentials broker of an environment works with, by name. */
export interface BrokerScope {
  place: Place;
  /** Value of the tag Environment on the key that everything is encrypted with. */
  environment: string;
  sessionsTable: string;
  /** Index of the sessions table, by user. */
  userIndex: string;
  roleMappingTable: string;
  /** @default - none: head nodes are known by IAM */
  secret?: string;
  logGroup: string;
  /** Name of the projects' roles; may end in a wildcard of IAM. */
  projectRole: string;
  /** ARNs of roles that are made elsewhere. */
  otherRoles: string[];
  /** ARN of what a project's role stands under. */
  projectBoundary: string;
}

/**
 * All that the broker may do. It gains nothing by the policies that it writes: it may write them on roles alone that
 * stand under the projects' boundary, which it can't change, and which is the most that they can ever do.
 */
export function brokerStatements(scope: BrokerScope): Statement[] {
  const { place, environment, sessionsTable, userIndex, roleMappingTable, secret, logGroup } = scope;
  const { projectRole, otherRoles, projectBoundary } = scope;
  const table = (name: string) => regionalArn(place, 'dynamodb', `table/${name}`);
  const roles = [iamArn(place, `role/${projectRole}`), ...otherRoles];
  const services: EncryptedService[] = [
    'dynamodb',
    ...(secret === undefined ? [] : ['secretsmanager' as const]),
  ];
  return [
    allow(
      'Sessions',
      ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      [table(sessionsTable)],
    ),
    allow(
      'FindSessions',
      ['dynamodb:Query'],
      [table(sessionsTable), `${table(sessionsTable)}/index/${userIndex}`],
    ),
    allow(
      'RoleMapping',
      ['dynamodb:BatchGetItem', 'dynamodb:Scan', 'dynamodb:UpdateItem'],
      [table(roleMappingTable)],
    ),
    ...(secret === undefined
      ? []
      : [
          // Secrets Manager puts six characters behind a name.
          allow(
            'HeadNodeSecret',
            ['secretsmanager:GetSecretValue'],
            [regionalArn(place, 'secretsmanager', `secret:${secret}-??????`)],
          ),
        ]),
    allow('TakeOnProjectRoles', ['sts:AssumeRole', 'sts:TagSession'], roles),
    allow('ReadRevocations', ['iam:GetRolePolicy', 'iam:ListRolePolicies'], roles),
    allow('Revoke', ['iam:DeleteRolePolicy', 'iam:PutRolePolicy'], roles, {
      StringEquals: { 'iam:PermissionsBoundary': projectBoundary },
    }),
    allow(
      'WriteLog',
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      [regionalArn(place, 'logs', `log-group:${logGroup}:*`)],
    ),
    useOwnKey(place, environment, services),
  ];
}

/**
 * The most that the role of a project can ever do, whatever is written on it: what all of them together are given.
 *
 * @param projects what each may use
 */
export function projectLimits(
  place: Place,
  environment: string,
  projects: { buckets: ServiceAccess['buckets']; parameters: string[] }[],
): Statement[] {
  const buckets = projects.flatMap((project) => project.buckets);
  const names = [...new Set(buckets.map(({ name }) => name))].sort();
  return [
    ...serviceStatements({
      place,
      buckets: names.map((name) => {
        const writable = buckets.some((bucket) => bucket.name === name && bucket.access === 'read-write');
        return { name, access: writable ? 'read-write' : 'read' };
      }),
      parameters: [...new Set(projects.flatMap(({ parameters }) => parameters))].sort(),
    }),
    useOwnKey(place, environment, ['s3', 'ssm']),
  ];
}

/** Lets the broker take on a role, for the one project that the session is tagged with. */
export function trustBroker(brokerRole: string, project: string): PolicyDocument {
  return policyDocument({
    Sid: 'Broker',
    Effect: 'Allow',
    Principal: { AWS: brokerRole },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Condition: { StringEquals: { 'aws:RequestTag/slipway-project': project } },
  });
}

/** The id of a key isn't known before it is made; its tag is. */
function useOwnKey(place: Place, environment: string, services: EncryptedService[]): Statement {
  return allow(
    'UseKeyThroughServices',
    ['kms:Decrypt', 'kms:GenerateDataKey'],
    [regionalArn(place, 'kms', 'key/*')],
    {
      StringEquals: {
        'aws:ResourceTag/Environment': environment,
        'kms:ViaService': services.map((service) => `${service}.${place.region}.${dnsSuffix(place)}`),
      },
    },
  );
}
