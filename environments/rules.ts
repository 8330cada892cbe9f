import { environmentSchema, type EnvironmentInput } from './schema';

/** One thing that is wrong: where, what stands there, and what would be right. */
export interface Problem {
  path: string;
  value: unknown;
  expected: string;
}

/** A rule over several fields. It runs as soon as the fields that it needs have the right shape. */
interface Rule<Field extends keyof EnvironmentInput = keyof EnvironmentInput> {
  needs: readonly Field[];
  problems: (environment: Pick<EnvironmentInput, Field>) => Problem[];
}

const rule = <Field extends keyof EnvironmentInput>(
  needs: readonly Field[],
  problems: Rule<Field>['problems'],
): Rule => ({ needs, problems: problems as Rule['problems'] });

/** Longest bucket name of S3 (User Guide, "General purpose bucket naming rules"). */
const BUCKET_NAME_LIMIT = 63;
/** Longest value of a standard parameter (Systems Manager User Guide, "Managing parameter tiers"), in bytes. */
const PARAMETER_VALUE_LIMIT = 4096;

const rules: Rule[] = [
  rule(['buckets'], ({ buckets }) => duplicates('buckets', 'name', buckets)),
  rule(['parameters'], ({ parameters }) => duplicates('parameters', 'path', parameters)),
  rule(['dockerHosts'], ({ dockerHosts }) => duplicates('dockerHosts', 'name', dockerHosts)),
  rule(['repositories'], ({ repositories: { names } }) =>
    duplicates('repositories.names', undefined, names.map((name) => ({ name })), 'name'),
  ),
  rule(['baseUser'], ({ baseUser: { accessKeys } }) =>
    duplicates('baseUser.accessKeys', undefined, accessKeys.map((name) => ({ name })), 'name'),
  ),

  rule(['name', 'organisation', 'buckets'], ({ name, organisation, buckets }) =>
    buckets.flatMap((bucket, index) => {
      const whole = `${organisation}-${bucket.name}-${name}`;
      return whole.length <= BUCKET_NAME_LIMIT
        ? []
        : [{ path: `buckets[${index}].name`, value: whole, expected: `a name of at most ${BUCKET_NAME_LIMIT} characters in all, this has ${whole.length}` }];
    }),
  ),

  rule(['buckets'], ({ buckets }) =>
    buckets.flatMap(({ tiering }, index) =>
      typeof tiering === 'object' &&
      tiering.glacierAfterDays !== undefined &&
      tiering.infrequentAccessAfterDays !== undefined &&
      tiering.glacierAfterDays < tiering.infrequentAccessAfterDays + 30
        ? [
            {
              path: `buckets[${index}].tiering.glacierAfterDays`,
              value: tiering.glacierAfterDays,
              expected: `at least ${tiering.infrequentAccessAfterDays + 30}: an object stays in Standard-IA for 30 days or more`,
            },
          ]
        : [],
    ),
  ),

  rule(['buckets', 'accessLogsBucket'], ({ buckets, accessLogsBucket }) => {
    const target = buckets.find((bucket) => bucket.name === accessLogsBucket);
    if (!target) return [{ path: 'accessLogsBucket', value: accessLogsBucket, expected: oneOf(buckets.map(({ name }) => name)) }];
    if (target.encryption === 'AES256') return [];
    return [
      {
        path: `buckets[${buckets.indexOf(target)}].encryption`,
        value: target.encryption ?? 'KMS (the default)',
        expected: "'AES256': S3 delivers access logs to no bucket that is encrypted with KMS",
      },
    ];
  }),

  rule(['parameters'], ({ parameters }) =>
    parameters.flatMap((parameter, index) => {
      if (!('json' in parameter)) return [];
      const size = Buffer.byteLength(JSON.stringify(parameter.json));
      return size <= PARAMETER_VALUE_LIMIT
        ? []
        : [{ path: `parameters[${index}].json`, value: `${size} bytes of JSON`, expected: `at most ${PARAMETER_VALUE_LIMIT} bytes` }];
    }),
  ),

  rule(['parameters'], ({ parameters }) =>
    duplicates(
      'parameters',
      'secret.variable',
      parameters.map((parameter) => ({ name: 'secret' in parameter ? parameter.secret.variable : undefined })),
      'name',
    ),
  ),

  rule(['services', 'buckets', 'parameters'], ({ services, buckets, parameters }) =>
    Object.entries(services).flatMap(([name, service]) => {
      if ('deprecated' in service) return [];
      const bucketNames = buckets.map((bucket) => bucket.name);
      const parameterPaths = parameters.map((parameter) => parameter.path);
      return [
        ...Object.keys(service.buckets ?? {})
          .filter((bucket) => !bucketNames.includes(bucket))
          .map((value) => ({ path: `services.${name}.buckets`, value, expected: oneOf(bucketNames) })),
        ...(Array.isArray(service.parameters) ? service.parameters : []).flatMap((value, index) =>
          parameterPaths.includes(value)
            ? []
            : [{ path: `services.${name}.parameters[${index}]`, value, expected: oneOf(parameterPaths) }],
        ),
      ];
    }),
  ),

  rule(['services'], ({ services }) => {
    const active = Object.keys(services).filter((name) => !('deprecated' in (services[name] ?? {})));
    return active.length === 1
      ? []
      : [
          {
            path: 'services',
            value: active,
            expected: 'exactly one service that is not deprecated: the base user may take on one role and no more',
          },
        ];
  }),
];

/** Problems that no single field shows: duplicates, names that lead nowhere, sizes, limits of AWS. */
export function crossFieldProblems(input: unknown): Problem[] {
  return rules.flatMap(({ needs, problems }) => {
    const mask = Object.fromEntries(needs.map((field) => [field, true])) as Record<keyof EnvironmentInput, true>;
    const parsed = environmentSchema.pick(mask).strip().safeParse(input);
    const shapeIsRight = parsed.success || parsed.error.issues.every(({ code }) => WRONG_IN_CONTENT_ONLY.has(code));
    return shapeIsRight ? problems(input as EnvironmentInput) : [];
  });
}

/** zod's issue codes for a value of the right type: a rule can still be applied to it. */
const WRONG_IN_CONTENT_ONLY = new Set(['invalid_format', 'too_big', 'too_small', 'custom', 'not_multiple_of']);

function duplicates(
  list: string,
  field: string | undefined,
  items: readonly object[],
  key = field ?? 'name',
): Problem[] {
  const values = items.map((item) => (item as Record<string, unknown>)[key]);
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    return value === undefined || first === index
      ? []
      : [
          {
            path: `${list}[${index}]${field ? `.${field}` : ''}`,
            value,
            expected: `a name of its own: ${list}[${first}] has this one already`,
          },
        ];
  });
}

function oneOf(names: readonly string[]): string {
  return names.length === 0 ? 'nothing: there is none to name' : `one of ${names.join(', ')}`;
}
