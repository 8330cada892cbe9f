import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeFile } from '../src/compose-file';
import { containerProblems, type Container } from '../src/container';

const NASTY =
  '$HOME ${HOME:-x} $$ `id` $(id) "quoted" \'single\' \\ #no: [x] {y}\n\tline\r\n--- é 漢 😀 \u0085\u2028\u2029\ufeff\x7f ';

const web: Container = {
  name: 'web',
  image: 'public.ecr.aws/nginx/nginx:1.29',
  ports: ['22:22', '8000-8010:8000-8010/tcp'],
  environment: { NASTY, EMPTY: '', NO: 'no', y: '0777', null: '1e3' },
  volumes: ['/opt/app:/usr/share/nginx/html:ro'],
  restart: 'no',
  command: ['echo', NASTY, '12:30:45'],
};

test('a container becomes a service that restarts and whose log is limited', () => {
  expect(composeFile([{ name: 'web', image: 'nginx' }])).toBe(`services:
  web:
    image: "nginx"
    container_name: "web"
    restart: "unless-stopped"
    logging:
      driver: "json-file"
      options:
        max-size: "10m"
        max-file: "3"
`);
});

test('compose gets each text as the caller wrote it: nothing is filled in, no word becomes a number', () => {
  expect(containerProblems([web], 'containers')).toEqual([]);
  const { services } = asCompose(composeFile([web, { ...web, name: '1_000', ports: [] }]));
  expect(Object.keys(services)).toEqual(['web', '1_000']);
  expect(services.web).toEqual({
    image: web.image,
    container_name: web.name,
    restart: web.restart,
    command: web.command,
    environment: web.environment,
    ports: web.ports,
    volumes: web.volumes,
    logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
  });
});

test('the file is one of the Compose Specification', () => {
  expect(schemaFaults(composeFile([web, { name: 'other', image: 'redis:8' }]))).toEqual([]);
});

test.each([
  ['an unknown field', (text: string) => text.replace('container_name:', 'container-name:')],
  ['a number for a text', (text: string) => text.replace('"public.ecr.aws/nginx/nginx:1.29"', '5')],
  ['broken quotes', (text: string) => text.replace('"no"', '"no')],
])('the check of the specification finds %s', (_, damage) => {
  expect(schemaFaults(damage(composeFile([web])))).toHaveLength(1);
});

/** Read by a YAML 1.1 parser, as a second opinion (python3-yaml), and interpolated as compose does. */
function asCompose(text: string): { services: Record<string, unknown> } {
  const script = 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin.buffer), sys.stdout)';
  let json: string;
  try {
    json = execFileSync('/usr/bin/python3', ['-c', script], { input: text, encoding: 'utf8' });
  } catch (error) {
    throw new Error('python3-yaml can not read it; if it is missing: apt-get install cloud-init', {
      cause: error,
    });
  }
  return JSON.parse(json, (_, value: unknown) =>
    typeof value === 'string' ? interpolated(value) : value,
  ) as {
    services: Record<string, unknown>;
  };
}

/** `$$` is a dollar; any other `$` would be filled in or refused (compose-go, template). */
function interpolated(text: string): string {
  return text.replace(/\$(.?)/gs, (_, next) => {
    if (next !== '$') throw new Error(`compose would fill in ${text}`);
    return '$';
  });
}

/** dclint checks the schema before any of its rules, and says so by these names. */
function schemaFaults(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-compose-'));
  try {
    const file = join(folder, 'compose.yaml');
    writeFileSync(file, text);
    const { stdout } = spawnSync(DCLINT, ['--formatter', 'json', file], { encoding: 'utf8' });
    const [result] = JSON.parse(stdout) as [{ messages: { rule: string; message: string }[] }];
    const faults = result.messages.filter(({ rule }) => /^(invalid|unknown)-/.test(rule));
    return faults.map(({ message }) => message);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const DCLINT = join(__dirname, '../../node_modules/.bin/dclint');
