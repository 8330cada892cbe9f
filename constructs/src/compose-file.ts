import { stringify } from 'yaml';
import type { Container } from './container';

/**
 * The compose file (YAML) of a Docker host. What the containers say comes out of compose as it went in: `$` is
 * doubled, as compose fills in `$NAME` and `${NAME}` (Compose file reference, "Interpolation").
 *
 * @param containers as `containerProblems` passes them
 */
export function composeFile(containers: readonly Container[]): string {
  const services = Object.fromEntries(containers.map((container) => [container.name, service(container)]));
  return escapeUnprintable(stringify({ services }, QUOTED));
}

/**
 * A container's log on the volume: at most 3 files of 10 MB. Without limits json-file grows until the volume is full
 * (Docker manual, "JSON File logging driver").
 */
const LOG_LIMITS = { 'max-size': '10m', 'max-file': '3' };

function service({
  name,
  image,
  ports,
  environment,
  volumes,
  restart = 'unless-stopped',
  command,
}: Container) {
  return {
    image: dollarsDoubled(image),
    container_name: name,
    restart,
    command: command?.map(dollarsDoubled),
    environment: environment && mapValues(environment, dollarsDoubled),
    ports: ports?.map(dollarsDoubled),
    volumes: volumes?.map(dollarsDoubled),
    logging: { driver: 'json-file', options: { ...LOG_LIMITS } },
  };
}

const dollarsDoubled = (text: string) => text.split('$').join('$$');

const mapValues = (record: Readonly<Record<string, string>>, change: (text: string) => string) =>
  Object.fromEntries(Object.entries(record).map(([key, text]) => [key, change(text)]));

/**
 * Compose reads YAML with a mixture of versions 1.1 and 1.2, in which a bare `no` or `22:22` is no text: every value is
 * in double quotes, and so is each key that either version could take for something else.
 */
const QUOTED = {
  defaultStringType: 'QUOTE_DOUBLE',
  defaultKeyType: 'PLAIN',
  doubleQuotedAsJSON: true,
  compat: 'yaml-1.1',
  lineWidth: 0,
} as const;

/** Characters that YAML 1.1 takes for a line's end, for a byte order mark or for no text at all; only values have them. */
function escapeUnprintable(yaml: string): string {
  return yaml.replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
