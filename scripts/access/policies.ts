import { z } from 'zod';
import type { Body, Configuration } from '../configurations';
import { unreadablePolicy } from './errors';

/** A user, a role, a boundary, or a resource with a policy of its own, such as a bucket. */
export interface Subject {
  /** Unique in an environment. */
  readonly name: string;
  /** Such as role, user, boundary, bucket, key, ecr repository. */
  readonly kind: string;
  readonly description?: string;
  /** Name of the boundary it stands under. */
  readonly boundary?: string;
  /** What it may do, where it is a user, a role or a boundary. */
  readonly identity: readonly Statement[];
  /** Who may take it on, or do something with it. */
  readonly resource: readonly Statement[];
}

export interface Home {
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
}

const list = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const value = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const statementShape = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.union([z.literal('*'), z.record(z.string(), list)]).optional(),
  Action: list,
  Resource: list.default([]),
  Condition: z
    .record(
      z.string(),
      z.record(
        z.string(),
        z.union([value, z.array(value)]).transform((it) => [it].flat()),
      ),
    )
    .default({}),
});
export type Statement = z.output<typeof statementShape>;

const documentShape = z.object({
  Statement: z.union([statementShape, z.array(statementShape)]).transform((it) => [it].flat()),
});

/** Account and region of most of what the policies name. */
export function homeOf(configuration: Configuration): Home {
  const arns = [...JSON.stringify(configuration).matchAll(/arn:[\w-]+:[\w-]+:([\w-]*):(\d{12}):/g)];
  return {
    region: mostFrequent(arns.map(([, region = '']) => region)),
    account: mostFrequent(arns.map(([, , account = '']) => account)),
  };
}

/** What Terraform makes that may do something, or that says who may do something with it. */
export function subjectsOf(configuration: Configuration): Subject[] {
  const { resource } = configuration;
  const all = (type: string) => Object.entries(resource[type] ?? {});
  const resolved = resolver(configuration);
  const document = (where: string, json: unknown) => statements(where, resolved(json));
  const managed = new Map(
    all('aws_iam_policy').map(([, { name, policy }]) => [
      text(name),
      document(`the policy ${text(name)}`, policy),
    ]),
  );
  const named = (arn: unknown): readonly Statement[] =>
    managed.get(policyName(resolved(arn))) ?? [policyOfAws(resolved(arn))];

  const identities = (['user', 'role'] as const).flatMap((kind) =>
    all(`aws_iam_${kind}`).map(([, body]): Subject => {
      const name = text(body.name);
      const its = (suffix: string) =>
        all(`aws_iam_${kind}_${suffix}`).filter(([, other]) => resolved(other[kind]) === name);
      return {
        name,
        kind,
        ...(typeof body.description === 'string' && { description: body.description }),
        ...(body.permissions_boundary !== undefined && {
          boundary: policyName(resolved(body.permissions_boundary)),
        }),
        identity: [
          ...its('policy').flatMap(([, { policy }]) => document(`the ${kind} ${name}`, policy)),
          ...its('policy_attachment').flatMap(([, attachment]) => named(attachment.policy_arn)),
          ...[body.managed_policy_arns ?? []].flat().flatMap(named),
        ],
        resource: [
          ...(kind === 'role' ? document(`the role ${name}`, body.assume_role_policy) : []),
          ...(kind === 'user' && all('aws_iam_access_key').some(([, key]) => resolved(key.user) === name)
            ? [HOLDERS_OF_KEY]
            : []),
        ],
      };
    }),
  );
  const boundaries = new Set(identities.flatMap(({ boundary }) => boundary ?? []));
  return [
    ...identities,
    ...[...managed].flatMap(([name, identity]) =>
      boundaries.has(name) ? [{ name, kind: 'boundary', identity, resource: [] }] : [],
    ),
    ...Object.keys(resource)
      .filter((type) => !type.startsWith('aws_iam_'))
      .flatMap((type) => all(type).map(([id, body]) => guardOf(type, id, body, resolved)))
      .filter((guard) => guard !== undefined),
    ...functionGuards(configuration, resolved),
    ...unread(configuration),
  ];
}

/** Resources that may let somebody in, too, and can't be read here: they are told, and never passed over. */
function unread({ resource }: Configuration): Subject[] {
  return Object.entries(resource).flatMap(([type, named]) =>
    /^aws_iam_|_(acl|grant|permission)s?$/.test(type) && !READ.has(type)
      ? Object.keys(named).map((id) => ({
          name: `${type}.${id}`,
          kind: 'unread',
          identity: [],
          resource: [UNREAD],
        }))
      : [],
  );
}

const UNREAD: Statement = {
  Effect: 'Allow',
  Principal: { Unread: [''] },
  Action: ['*'],
  Resource: ['*'],
  Condition: {},
};

const READ = new Set([
  ...['user', 'role'].flatMap((kind) =>
    ['', '_policy', '_policy_attachment'].map((suffix) => `aws_iam_${kind}${suffix}`),
  ),
  'aws_iam_policy',
  'aws_iam_access_key',
  'aws_iam_instance_profile',
  'aws_iam_openid_connect_provider',
  'aws_lambda_permission',
]);

/** Who holds a key of a user is nothing that a policy says. */
const HOLDERS_OF_KEY: Statement = {
  Effect: 'Allow',
  Principal: { Key: ['access key'] },
  Action: ['sts:AssumeRole'],
  Resource: [],
  Condition: {},
};

/** AWS's managed policies are AWS's to change: what is in them can't be read here. */
const policyOfAws = (arn: string): Statement => ({
  Effect: 'Allow',
  Action: [`all that ${arn} allows`],
  Resource: ['*'],
  Condition: {},
});

/** A resource with a policy: its own argument `policy`, or a resource that gives it to another. */
function guardOf(
  type: string,
  id: string,
  body: Body,
  resolved: (value: unknown) => string,
): Subject | undefined {
  const json = typeof body.policy === 'string' ? resolved(body.policy) : '';
  if (!/"Principal"|"NotPrincipal"/.test(json)) return undefined;
  const kind = type
    .replace(/^aws_/, '')
    .replace(/_policy$/, '')
    .replace(/^(s3|kms)_/, '')
    .replaceAll('_', ' ');
  const target = body.bucket ?? body.repository ?? body.key_id ?? `\${${type}.${id}.name}`;
  const name = resolved(target).replace(/^\$\{(.*)\.\w+\}$/, '$1');
  return { name, kind, identity: [], resource: statements(`the ${kind} ${name}`, json) };
}

/** Who may call each function: its policy, a resource for each statement. */
function functionGuards(configuration: Configuration, resolved: (value: unknown) => string): Subject[] {
  const { resource } = configuration;
  const { account, region } = homeOf(configuration);
  const permissions = Object.values(resource.aws_lambda_permission ?? {});
  const names = [...new Set(permissions.map(({ function_name: name }) => resolved(name)))];
  return names.map((name) => ({
    // Its role may be called as it is.
    name: `function ${name}`,
    kind: 'Lambda',
    identity: [],
    resource: permissions
      .filter(({ function_name: of }) => resolved(of) === name)
      .map(({ principal, action, source_arn: source, source_account: from }): Statement => {
        const who = text(principal);
        return {
          Effect: 'Allow',
          Principal: { [who.endsWith('.amazonaws.com') ? 'Service' : 'AWS']: [who] },
          Action: [text(action)],
          Resource: [`arn:aws:lambda:${region}:${account}:function:${name}`],
          Condition: {
            ...(source !== undefined && { ArnLike: { 'aws:SourceArn': [resolved(source)] } }),
            ...(from !== undefined && { StringEquals: { 'aws:SourceAccount': [text(from)] } }),
          },
        };
      }),
  }));
}

/** Puts names and ARNs in place of references; what isn't known before a deploy stays a reference. */
function resolver(configuration: Configuration): (value: unknown) => string {
  const { resource } = configuration;
  const { account, region } = homeOf(configuration);
  const nameOf = (type: string, id: string): string | undefined => {
    if (type === 'aws_kms_key') {
      const alias = Object.values(resource.aws_kms_alias ?? {}).find(({ target_key_id: target }) =>
        text(target).includes(`.${id}.`),
      );
      return alias && text(alias.name).replace('alias/', '');
    }
    const { name, bucket, function_name: lambda } = resource[type]?.[id] ?? {};
    return text(name ?? bucket ?? lambda) || undefined;
  };
  const arnOf = (type: string, name: string): string | undefined =>
    ({
      // What is called through the API has the API's id there, which nobody knows before it is made.
      aws_apigatewayv2_api: `arn:aws:execute-api:${region}:${account}:api/${name}`,
      aws_cloudwatch_event_rule: `arn:aws:events:${region}:${account}:rule/${name}`,
      aws_lambda_function: `arn:aws:lambda:${region}:${account}:function:${name}`,
      aws_kms_key: `arn:aws:kms:${region}:${account}:key/${name}`,
      aws_s3_bucket: `arn:aws:s3:::${name}`,
      aws_ecr_repository: `arn:aws:ecr:${region}:${account}:repository/${name}`,
      aws_ssm_parameter: `arn:aws:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`,
      aws_iam_user: `arn:aws:iam::${account}:user/${name}`,
      aws_iam_role: `arn:aws:iam::${account}:role/${name}`,
      aws_iam_policy: `arn:aws:iam::${account}:policy/${name}`,
    })[type];
  return (value) =>
    text(value).replaceAll(
      /\$\{(\w+)\.([\w-]+)\.(\w+)\}/g,
      (reference, type: string, id: string, attribute: string) => {
        const name = nameOf(type, id);
        if (name === undefined) return reference;
        return /^(execution_)?arn$/.test(attribute) ? (arnOf(type, name) ?? reference) : name;
      },
    );
}

function statements(where: string, json: string): readonly Statement[] {
  try {
    return documentShape.parse(JSON.parse(json)).Statement;
  } catch (error) {
    throw unreadablePolicy(
      where,
      error instanceof z.ZodError
        ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
        : (error as Error).message,
    );
  }
}

const policyName = (arn: string) => arn.replace(/^.*:policy\//, '');

function mostFrequent(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== '') counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0] ?? '';
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');
