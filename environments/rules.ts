import { written } from './issues';
import type { Problem } from './problem';
import { environmentSchema, type EnvironmentInput } from './schema';

/** A rule over several fields. It runs as soon as the fields that it needs have the right shape. */
interface Rule<Field extends keyof EnvironmentInput = keyof EnvironmentInput> {
  needs: readonly Field[];
  problems: (environment: Pick<EnvironmentInput, Field>) => Problem[];
}

const rule = <Field extends keyof EnvironmentInput>(
  needs: readonly Field[],
  problems: Rule<Field>['problems'],
): Rule => ({ needs, problems });

/** Longest bucket name of S3 (User Guide, "General purpose bucket naming rules"). */
const BUCKET_NAME_LIMIT = 63;
/** Longest role name of IAM (User Guide, "IAM and AWS STS quotas"); a Docker host's role carries its name. */
const ROLE_NAME_LIMIT = 64;
/** Longest value of a standard parameter (Systems Manager User Guide, "Managing parameter tiers"), in bytes. */
const PARAMETER_VALUE_LIMIT = 4096;
/** How long an object must have been in S3 Standard-IA before it moves on, in days. */
const INFREQUENT_ACCESS_DAYS = 30;

const rules: Rule[] = [
  rule(['buckets'], ({ buckets }) =>
    repeated(
      buckets.map(({ name }) => name),
      (index) => `buckets[${index}].name`,
    ),
  ),
  rule(['parameters'], ({ parameters }) =>
    repeated(
      parameters.map(({ path }) => path),
      (index) => `parameters[${index}].path`,
    ),
  ),
  rule(['parameters'], ({ parameters }) =>
    repeated(
      parameters.map((parameter) => ('secret' in parameter ? parameter.secret.variable : undefined)),
      (index) => `parameters[${index}].secret.variable`,
    ),
  ),
  rule(['dockerHosts'], ({ dockerHosts }) =>
    repeated(
      dockerHosts.map(({ name }) => name),
      (index) => `dockerHosts[${index}].name`,
    ),
  ),
  rule(['repositories'], ({ repositories: { names } }) =>
    repeated(names, (index) => `repositories.names[${index}]`),
  ),
  rule(['baseUser'], ({ baseUser: { accessKeys } }) =>
    repeated(accessKeys, (index) => `baseUser.accessKeys[${index}]`),
  ),

  rule(['name', 'organisation', 'buckets'], ({ name, organisation, buckets }) =>
    buckets.flatMap((bucket, index) =>
      tooLong(`buckets[${index}].name`, `${organisation}-${bucket.name}-${name}`, BUCKET_NAME_LIMIT),
    ),
  ),
  rule(['name', 'organisation', 'dockerHosts'], ({ name, organisation, dockerHosts }) =>
    dockerHosts.flatMap((host, index) =>
      tooLong(`dockerHosts[${index}].name`, `${organisation}-${host.name}-${name}`, ROLE_NAME_LIMIT),
    ),
  ),

  rule(['buckets', 'protection'], ({ buckets, protection: { keep = [] } }) =>
    keep.flatMap((value, index) =>
      buckets.some(({ name }) => name === value)
        ? []
        : [
            {
              path: `protection.keep[${index}]`,
              value,
              expected: 'a bucket that stands under buckets: to give this one up, take it out of keep first',
            },
          ],
    ),
  ),

  rule(['buckets'], ({ buckets }) =>
    buckets.flatMap(({ tiering, expireAfterDays }, index) => {
      const moves = typeof tiering === 'object' ? Object.values(tiering) : [];
      const last = Math.max(0, ...moves);
      return expireAfterDays !== undefined && last > 0 && expireAfterDays <= last
        ? [
            {
              path: `buckets[${index}].expireAfterDays`,
              value: expireAfterDays,
              expected: `more than ${last}, when objects move to cheaper storage`,
            },
          ]
        : [];
    }),
  ),
  rule(['buckets'], ({ buckets }) =>
    buckets.flatMap(({ tiering }, index) => {
      if (typeof tiering !== 'object') return [];
      const { infrequentAccessAfterDays: infrequent, glacierAfterDays: glacier } = tiering;
      if (infrequent === undefined || glacier === undefined) return [];
      const least = infrequent + INFREQUENT_ACCESS_DAYS;
      const expected = `at least ${least}: an object stays in Standard-IA for ${INFREQUENT_ACCESS_DAYS} days or more`;
      return glacier < least
        ? [{ path: `buckets[${index}].tiering.glacierAfterDays`, value: glacier, expected }]
        : [];
    }),
  ),

  rule(['buckets', 'accessLogsBucket'], ({ buckets, accessLogsBucket }) => {
    const names = buckets.map(({ name }) => name);
    return unknownName(accessLogsBucket, names, 'accessLogsBucket');
  }),
  rule(['buckets', 'accessLogsBucket'], ({ buckets, accessLogsBucket }) =>
    buckets.flatMap(({ name, encryption = 'KMS' }, index) => {
      const expected = "'AES256': S3 delivers access logs to no bucket that is encrypted with KMS";
      const wrong = name === accessLogsBucket && encryption === 'KMS';
      return wrong ? [{ path: `buckets[${index}].encryption`, value: encryption, expected }] : [];
    }),
  ),

  rule(['parameters'], ({ parameters }) =>
    parameters.flatMap((parameter, index) => {
      if ('secret' in parameter) return [];
      const [field, text] =
        'json' in parameter ? ['json', JSON.stringify(parameter.json)] : ['value', parameter.value];
      const size = Buffer.byteLength(text);
      const expected = `at most ${PARAMETER_VALUE_LIMIT} bytes, this has ${size}`;
      return size > PARAMETER_VALUE_LIMIT
        ? [{ path: `parameters[${index}].${field}`, value: text, expected }]
        : [];
    }),
  ),

  rule(['services', 'buckets', 'parameters'], ({ services, buckets, parameters }) =>
    Object.entries(services).flatMap(([name, service]) => {
      if ('deprecated' in service) return [];
      const bucketNames = buckets.map((bucket) => bucket.name);
      const paths = parameters.map(({ path }) => path);
      return [
        ...Object.entries(service.buckets ?? {}).flatMap(([bucket, access]) =>
          unknownName(bucket, bucketNames, `services.${name}.buckets.${bucket}`, access),
        ),
        ...(Array.isArray(service.parameters) ? service.parameters : []).flatMap((path, index) =>
          unknownName(path, paths, `services.${name}.parameters[${index}]`),
        ),
      ];
    }),
  ),

  rule(['broker', 'buckets', 'parameters'], ({ broker, buckets, parameters }) =>
    Object.entries(broker?.projects ?? {}).flatMap(([id, project]) => {
      if ('roleArn' in project) return [];
      const bucketNames = buckets.map((bucket) => bucket.name);
      const paths = parameters.map(({ path }) => path);
      return [
        ...Object.entries(project.buckets ?? {}).flatMap(([bucket, access]) =>
          unknownName(bucket, bucketNames, at(id, 'buckets', bucket), access),
        ),
        ...(project.parameters ?? []).flatMap((path, index) =>
          unknownName(path, paths, at(id, 'parameters', index)),
        ),
      ];
    }),
  ),
  rule(['name', 'organisation', 'broker'], ({ name, organisation, broker }) =>
    Object.entries(broker?.projects ?? {}).flatMap(([id, project]) =>
      'roleArn' in project ? [] : tooLong(at(id), `${organisation}-project-${id}-${name}`, ROLE_NAME_LIMIT),
    ),
  ),

  rule(['services'], ({ services }) => {
    const active = Object.entries(services).flatMap(([name, service]) =>
      'deprecated' in service ? [] : name,
    );
    const expected =
      'exactly one service that is not deprecated: the base user may take on one role and no more';
    return active.length === 1 ? [] : [{ path: 'services', value: active, expected }];
  }),
];

/** Problems that no single field shows: duplicates, names that lead nowhere, sizes, limits of AWS. */
export function crossFieldProblems(input: unknown): Problem[] {
  return rules.flatMap(({ needs, problems }) => {
    const mask = Object.fromEntries(needs.map((field) => [field, true])) as Record<
      keyof EnvironmentInput,
      true
    >;
    const { error } = environmentSchema.pick(mask).strip().safeParse(input);
    const shapeIsRight = (error?.issues ?? []).every(({ code }) => WRONG_IN_CONTENT_ONLY.has(code));
    return shapeIsRight ? problems(input as EnvironmentInput) : [];
  });
}

/** zod's issue codes for a value of the right type: a rule can still be applied to it. */
const WRONG_IN_CONTENT_ONLY = new Set([
  'custom',
  'invalid_format',
  'invalid_key',
  'too_big',
  'too_small',
  'unrecognized_keys',
]);

/** Values that an earlier entry of the list has already. */
function repeated(values: readonly (string | undefined)[], write: (index: number) => string): Problem[] {
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    if (value === undefined || first === index) return [];
    return [{ path: write(index), value, expected: `one of its own: ${write(first)} is the same` }];
  });
}

function tooLong(path: string, whole: string, limit: number): Problem[] {
  const expected = `at most ${limit} characters in all, this has ${whole.length}`;
  return whole.length > limit ? [{ path, value: whole, expected }] : [];
}

/** Where a project stands, and what of it. */
const at = (id: string, ...what: (string | number)[]) => written(['broker', 'projects', id, ...what]);

/** @param value what stands at the path, where that isn't the name itself */
function unknownName(name: string, names: readonly string[], path: string, value: unknown = name): Problem[] {
  const expected = `the name of one that exists: ${names.join(', ') || 'there is none'}`;
  return names.includes(name) ? [] : [{ path, value, expected }];
}
