import { z } from 'zod';

const schema = z.object({
  /** The role that AUX takes on. */
  AWS_ROLE_ARN: z.string(),
  AWS_REGION: z.string(),
  /** Of something else than AWS, such as the local AWS. @default - AWS itself */
  AWS_ENDPOINT_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Address to listen on. @default - every one of the machine */
  HOST: z.string().default('0.0.0.0'),
  /** 0 takes a free one, which the log tells. @default 8080 */
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  /** @default 'info' */
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
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
    `AUX can't start: ${problems.join('; ')}. The Kubernetes secret of "npm run k8s-secret" sets what AWS needs.`,
  );
}

export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
