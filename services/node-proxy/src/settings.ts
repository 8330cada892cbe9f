import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';

export const HELP = `Serves a compute node's jobs their AWS credentials, from the credentials API and a cache.

Usage: slipway-node-proxy --hostname HOST [flags]

  --hostname HOST       the API's host, without a path; asked by https (http://127.0.0.1:PORT for one on this machine)
  --stage NAME          the API's stage: put in front of paths without one, and no other is let through
  --port PORT           on 127.0.0.1 (9999)
  --ipv6                on ::1 as well
  --cache_mode MODE     store, or none: then each request goes to the API (store)
  --max_queue_size N    sessions in the cache; the one with the oldest credentials goes first (1000000)
  --recheck_seconds N   how long a session is served without asking the API whether it is still on (5)
  --bind_uid            a token belongs to the local user who first uses it
  --ca FILE             the certificates that alone are trusted, for an API with a private authority
  --log_level LEVEL     debug, info, warn, error, silent (info)
  --config FILE         lines such as SLIPWAY_PROXY_HOSTNAME=HOST; for each flag there is one
  --help

Each flag can be given as a variable, too. A flag goes before its variable, and that before the file's line.
A socket from systemd is taken in place of --port and --ipv6.`;

const VARIABLE = 'SLIPWAY_PROXY_';
const FLAGS = {
  hostname: { type: 'string' },
  stage: { type: 'string' },
  port: { type: 'string' },
  ipv6: { type: 'boolean' },
  cache_mode: { type: 'string' },
  max_queue_size: { type: 'string' },
  recheck_seconds: { type: 'string' },
  bind_uid: { type: 'boolean' },
  ca: { type: 'string' },
  log_level: { type: 'string' },
} as const;
type Flag = keyof typeof FLAGS;

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/;

const schema = z.object({
  /** Where the API is: its scheme, host and port. */
  hostname: z.string().transform((given, context) => {
    const origin = originOf(given);
    if (origin !== undefined) return origin;
    context.addIssue(
      'the host alone, such as abc.execute-api.eu-west-1.amazonaws.com; http:// only on this machine',
    );
    return z.NEVER;
  }),
  stage: z
    .string()
    .regex(/^[\w-]{1,128}$/, 'letters, digits, - and _')
    .optional(),
  /** 0 takes a free one, which the log tells. */
  port: z.coerce.number().int().min(0).max(65_535).default(9999),
  ipv6: z.stringbool().default(false),
  cache_mode: z.enum(['store', 'none']).default('store'),
  max_queue_size: z.coerce.number().int().min(1).max(10_000_000).default(1_000_000),
  recheck_seconds: z.coerce.number().min(0).max(3600).default(5),
  bind_uid: z.stringbool().default(false),
  ca: z.string().optional(),
  log_level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type Settings = z.infer<typeof schema>;

/** Why the proxy can't start, as a sentence for whoever starts it. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * What flags, variables and the file say, in this order; an empty variable counts as not set.
 *
 * @returns undefined when help is asked for
 * @throws StartError that names everything that is missing or wrong
 */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings | undefined {
  const { help, config, ...flags } = flagsIn(args);
  if (help === true) return undefined;
  const file = config ?? nonEmpty(env[`${VARIABLE}CONFIG`]);
  const lines = file === undefined ? {} : linesOf(file);
  const flag = (name: Flag) => (flags[name] === true ? 'true' : flags[name]);
  const names = Object.keys(FLAGS) as Flag[];
  const given = Object.fromEntries(
    names.map((name) => [name, flag(name) ?? nonEmpty(env[variable(name)]) ?? lines[variable(name)]]),
  );
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => {
    const name = path.join('.');
    return given[name] === undefined ? `--${name} is not given` : `--${name} is wrong (${message})`;
  });
  throw new StartError(`The node proxy can't start: ${problems.join('; ')}. --help shows all flags.`);
}

function flagsIn(args: readonly string[]) {
  try {
    const options = { ...FLAGS, config: { type: 'string' }, help: { type: 'boolean' } } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const [first = ''] = (error as Error).message.split('. ');
    throw new StartError(`The node proxy can't start: ${first.replace(/\.$/, '')}. --help shows all flags.`);
  }
}

/** Lines NAME=VALUE, as systemd's EnvironmentFile has them; empty ones and those that begin with # say nothing. */
function linesOf(file: string): Record<string, string> {
  const known = new Set((Object.keys(FLAGS) as Flag[]).map(variable));
  const lines = contents(file, '--config')
    .split('\n')
    .map((line) => line.trim());
  return Object.fromEntries(
    lines.flatMap((line, index) => {
      if (line === '' || line.startsWith('#')) return [];
      const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
      if (known.has(name)) return value === '' ? [] : [[name, value] as const];
      throw new StartError(
        `The node proxy can't start: line ${index + 1} of ${file} is not ${VARIABLE}NAME=VALUE with a known name.`,
      );
    }),
  );
}

/** @throws StartError */
export function contents(file: string, flag: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(
      `The node proxy can't start: ${file} of ${flag} can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}).`,
    );
  }
}

/** A token is never sent over a wire in the clear. */
function originOf(hostname: string): string | undefined {
  const text = hostname.includes('://') ? hostname : `https://${hostname}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:\/\/[^/?#@\\\s]+\/?$/i.test(text)) return undefined;
  return url.protocol === 'https:' || LOOPBACK.test(url.hostname) ? url.origin : undefined;
}

function variable(name: Flag): string {
  return VARIABLE + name.toUpperCase();
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
