import { isIPv4 } from 'node:net';
import type { Problem } from './problem';

/** A container of a Docker host, in the words of `docker run` and of a compose file. */
export interface Container {
  /** The container's name, and the name by which the other containers reach it. */
  readonly name: string;
  /** Such as `public.ecr.aws/nginx/nginx:1.29`; the host must be able to pull it without logging in. */
  readonly image: string;
  /** `host:container`, such as `80:80`, `8000-8010:8000-8010/tcp`, `53:53/udp`, `127.0.0.1:80:80`. @default - none */
  readonly ports?: readonly string[] | undefined;
  /** Anyone on the host can read it: no secret. A `$` is a `$`, nothing is filled in. @default - none */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** `host:container[:ro]`, the host's path under /opt/app, such as `/opt/app:/usr/share/nginx/html:ro`. @default - none */
  readonly volumes?: readonly string[] | undefined;
  /** @default 'unless-stopped' */
  readonly restart?: (typeof RESTARTS)[number] | undefined;
  /** In place of the image's own command, one item an argument. @default - the image's */
  readonly command?: readonly string[] | undefined;
}

const RESTARTS = ['no', 'always', 'on-failure', 'unless-stopped'] as const;

/** The one folder of the host that containers may see and extra files may go to. */
export const APP_FOLDER = '/opt/app';

/**
 * All that is wrong with a list of containers, which may come straight from a form or a JSON file.
 *
 * @param path what the problems' paths start with, such as `dockerHosts[0].containers`
 */
export function containerProblems(containers: unknown, path: string): Problem[] {
  if (!Array.isArray(containers)) return [{ path, value: containers, expected: 'a list of containers' }];
  const records = containers.map((container: unknown) => (isRecord(container) ? container : {}));
  const names = records.flatMap(({ name }, index) =>
    typeof name === 'string' ? [{ path: `${path}[${index}].name`, value: name }] : [],
  );
  const hostPorts = records.flatMap(({ ports }, index) =>
    (Array.isArray(ports) ? ports : []).flatMap((value: unknown, at) => {
      const mapping = parsePort(value);
      return mapping ? [{ path: `${path}[${index}].ports[${at}]`, value, ...mapping }] : [];
    }),
  );
  return [
    ...containers.flatMap((container, index) => oneContainer(container, `${path}[${index}]`)),
    ...repeated(names, 'name', (one, other) => one.value === other.value),
    ...repeated(hostPorts, 'host port', collide),
  ];
}

/** Why a path can't be one in the host's app folder; undefined when it can. */
export function appPathFault(path: string): string | undefined {
  if (path.includes('docker.sock')) return 'no Docker socket: whoever has it is root on the host';
  if (!isPlainPath(path)) return `a path under ${APP_FOLDER} ${PLAIN}`;
  return `${path}/`.startsWith(`${APP_FOLDER}/`) ? undefined : `a path under ${APP_FOLDER}`;
}

/**
 * Finds what is no text, or text that UTF-8 or a Linux process can't carry as it is. The value stays out of the problem:
 * it may be something private that is here by mistake.
 */
export const textProblems: Check = must(
  (text) => {
    const carriable = typeof text === 'string' && !/\0|\p{Surrogate}/u.test(text);
    return carriable ? undefined : 'text, without a NUL character or half of a surrogate pair';
  },
  (text) => `(a ${typeof text}, not shown)`,
);

type Check = (value: unknown, path: string) => Problem[];

/** A check of one value by what is wrong with it, if anything. */
function must(fault: (value: unknown) => string | undefined, shown = (value: unknown) => value): Check {
  return (value, path) => {
    const expected = fault(value);
    return expected === undefined ? [] : [{ path, value: shown(value), expected }];
  };
}

function match(pattern: RegExp, expected: string): Check {
  return must((value) => (typeof value === 'string' && pattern.test(value) ? undefined : expected));
}

function optionalList(check: Check, what: string): Check {
  return (value, path) => {
    if (value === undefined) return [];
    if (!Array.isArray(value)) return [{ path, value, expected: `a list of ${what}` }];
    return value.flatMap((item, index) => check(item, `${path}[${index}]`));
  };
}

/** Docker's own rule, and 63 characters at most, as the name becomes one of DNS. */
const name = match(
  /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,62}$/,
  'a name of 2 to 63 letters, digits and _ . - that starts with a letter or digit',
);

/** Grammar of distribution's package reference: [host[:port]/]part[/part][:tag][@digest]. */
const HOST = '[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*(?:\\.[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*)*(?::\\d+)?';
const PART = '[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*';
const image = match(
  new RegExp(
    `^(?=.{1,400}$)(?:${HOST}/)?${PART}(?:/${PART})*(?::\\w[\\w.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$`,
  ),
  'an image such as nginx:1.29 or registry.example.com/team/app:2, the name in lower case',
);

const port = must((text) => {
  const { host, inside } = parsePort(text) ?? {};
  if (!host || !inside) return 'a port such as 80:80, 8000-8010:8000-8010/tcp or 127.0.0.1:80:80';
  if ([...host, ...inside].some((number) => number < 1 || number > 65_535)) return 'ports from 1 to 65535';
  if (host[1] < host[0]) return 'the lower port of the range first';
  const sameLength = host[1] - host[0] === inside[1] - inside[0];
  return sameLength ? undefined : 'as many ports on the host as in the container';
});

const variable = match(/^[A-Za-z_][\w.-]*$/, 'names of letters, digits and _ . -, no digit at the start');

const environment: Check = (variables, path) => {
  if (variables === undefined) return [];
  if (!isRecord(variables)) return [{ path, value: typeof variables, expected: 'names with their values' }];
  return Object.entries(variables).flatMap(([key, text]) => [
    ...variable(key, path),
    ...textProblems(text, `${path}.${key}`),
  ]);
};

const volume = must((text) => {
  const [host, inside, access = 'rw', ...rest] = typeof text === 'string' ? text.split(':') : [];
  if (host === undefined || inside === undefined || rest.length > 0 || !['ro', 'rw'].includes(access)) {
    return `a volume such as ${APP_FOLDER}/data:/data or ${APP_FOLDER}/html:/usr/share/nginx/html:ro`;
  }
  return appPathFault(host) ?? (isPlainPath(inside) ? undefined : `a path in the container ${PLAIN}`);
});

const restart = must((text) => {
  const known: readonly unknown[] = [undefined, ...RESTARTS];
  return known.includes(text) ? undefined : `one of ${RESTARTS.join(', ')}`;
});

/** The whole list of what a container may say: `privileged`, `network_mode`, `pid` and the like are not in it. */
const FIELDS: Readonly<Record<keyof Container, Check>> = {
  name,
  image,
  ports: optionalList(port, 'ports'),
  environment,
  volumes: optionalList(volume, 'volumes'),
  restart,
  command: optionalList(textProblems, 'arguments'),
};

function oneContainer(container: unknown, path: string): Problem[] {
  if (!isRecord(container)) return [{ path, value: container, expected: 'a container, with name and image' }];
  const expected = `no such field here, only ${Object.keys(FIELDS).join(', ')}`;
  return [
    ...Object.entries(FIELDS).flatMap(([field, check]) => check(container[field], `${path}.${field}`)),
    ...Object.keys(container).flatMap((field) =>
      Object.hasOwn(FIELDS, field) ? [] : [{ path: `${path}.${field}`, value: container[field], expected }],
    ),
  ];
}

type Claim = Omit<Problem, 'expected'>;

function repeated<T extends Claim>(
  claims: T[],
  what: string,
  same: (one: T, other: T) => boolean,
): Problem[] {
  return claims.flatMap((claim, index) => {
    const first = claims.find((other, at) => at < index && same(claim, other));
    if (!first) return [];
    const expected = `a ${what} of its own: ${first.path} has this one already`;
    return [{ path: claim.path, value: claim.value, expected }];
  });
}

/** [address:]port[-port]:port[-port][/protocol] */
const PORT = /^(?:([\d.]+):)?(\d{1,5})(?:-(\d{1,5}))?:(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp))?$/;
const ANY_ADDRESS = '0.0.0.0';
type PortMapping = NonNullable<ReturnType<typeof parsePort>>;

function parsePort(text: unknown) {
  if (typeof text !== 'string') return undefined;
  const parts = PORT.exec(text) ?? [];
  const [whole, ip = ANY_ADDRESS, from, to = from, insideFrom, insideTo = insideFrom, protocol = 'tcp'] =
    parts;
  if (whole === undefined || !isIPv4(ip)) return undefined;
  const range = (first?: string, last?: string) => [Number(first), Number(last)] as const;
  return { ip, host: range(from, to), inside: range(insideFrom, insideTo), protocol };
}

function collide(one: PortMapping, other: PortMapping): boolean {
  const sameAddress = one.ip === other.ip || [one.ip, other.ip].includes(ANY_ADDRESS);
  const overlap = one.host[0] <= other.host[1] && other.host[0] <= one.host[1];
  return sameAddress && overlap && one.protocol === other.protocol;
}

const PLAIN = "of letters, digits, spaces and . _ @ + = , - between slashes, with no '.' or '..' part";

/** Absolute, and of characters that mean themselves in a compose file, a shell and cloud-init alike. */
function isPlainPath(path: string): boolean {
  return /^(\/[\w.@+=, -]+)+\/?$/.test(path) && !/\/\.{1,2}(\/|$)/.test(path);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
