import { z } from 'zod';

const schema = z
  .object({
    AWS_REGION: z.string(),
    /** Of something else than AWS, such as the local AWS. @default - AWS itself */
    AWS_ENDPOINT_URL: z.url({ protocol: /^https?$/ }).optional(),
    SESSIONS_TABLE: z.string(),
    ROLE_MAPPING_TABLE: z.string(),
    /** How the head node shows who it is: a secret, or a signature that API Gateway verifies. @default 'secret' */
    HEAD_NODE_AUTH: z.enum(['secret', 'iam']).default('secret'),
    /** Name or ARN of the secret in Secrets Manager. */
    HEAD_NODE_SECRET_ID: z.string().optional(),
    /** The API as its clients reach it, with the stage: https://abc.execute-api.eu-west-1.amazonaws.com/dev */
    PUBLIC_URL: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')),
    /** Where the proxy of each node listens. @default 9999 */
    LOCALHOST_PORT: z.coerce.number().int().min(1).max(65_535).default(9999),
    /** How long credentials live, in seconds; AWS takes at most 3600 where a role takes on another. @default 3600 */
    SESSION_SECONDS: z.coerce.number().int().min(900).max(43_200).default(3600),
    /** Calls of AssumeRole a second at most, of this process; AWS takes 600 of an account and region. @default 400 */
    STS_CALLS_PER_SECOND: z.coerce.number().positive().max(600).default(400),
    /** Of one node of a job: requests a second; the job has ten times as many, and a hundred times at once. @default 10 */
    SESSION_REQUESTS_PER_SECOND: z.coerce.number().positive().default(10),
    /** Of one address: requests a second; a cluster may come from one. @default 2000 */
    SOURCE_REQUESTS_PER_SECOND: z.coerce.number().positive().default(2000),
    /** @default 'info' */
    LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    /** Address of the Node server. @default '127.0.0.1' */
    HOST: z.string().default('127.0.0.1'),
    /** Port of the Node server; 0 takes a free one, which the log tells. @default 8080 */
    PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  })
  .refine((all) => all.HEAD_NODE_AUTH === 'iam' || all.HEAD_NODE_SECRET_ID !== undefined, {
    path: ['HEAD_NODE_SECRET_ID'],
    // Whatever else is wrong, this is told with it.
    when: () => true,
    message: 'HEAD_NODE_AUTH=secret needs it',
  });

export type Settings = z.infer<typeof schema>;

/**
 * What the environment's variables say; an empty one counts as not set.
 *
 * @throws SettingsError that names every variable that is missing or wrong, and no value of any
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => {
    const name = path.join('.');
    return given[name] === undefined ? `${name} is not set` : `${name} is wrong (${message})`;
  });
  throw new SettingsError(
    `The broker can't start: ${problems.join('; ')}. Its README says what each variable is; "npm run broker -- --local" sets them all.`,
  );
}

export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
