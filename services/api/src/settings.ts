import { z } from 'zod';

const schema = z.object({
  /** Where AUX is, such as http://aux.aux:8080. */
  AUX_URL: z
    .url({ protocol: /^http$/ })
    .refine((url) => new URL(url).pathname === '/', 'host and port alone, such as http://aux.aux:8080'),
  /** Milliseconds that AUX has to begin its answer, retries included. @default 10000 */
  AUX_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(10_000),
  /** Names that this gateway is called by, with commas between. @default - this machine's own alone */
  API_HOSTS: z
    .string()
    .default('localhost,127.0.0.1')
    .transform((names) => new Set(names.split(',').map((name) => name.trim().toLowerCase()))),
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
  throw new SettingsError(`API can't start: ${problems.join('; ')}.`);
}

export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
