import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { composeFile } from '../src/compose-file';
import { COMPOSE_PLUGIN, SETUP_SCRIPT } from '../src/docker-host-setup';
import { dockerHostUserData, USER_DATA_LIMIT } from '../src/docker-host-user-data';

const web = { name: 'web', image: 'nginx:1.29', environment: { MOTD: '$(id) "é" \n' } };
const NASTY =
  '#!/bin/bash\nEOF\nSLIPWAY\n${HOME} $(id) `id` %{if} \'"\\ \r\n{{ jinja }} é 漢 😀 \u0085\u2028\ufeff\t\n\n';
const users = { path: '/opt/app/users.csv', content: 'username,email\r\n"ana ""x""",ana@example.com\n' };

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'slipway-host-'))));
afterEach(() => {
  rmSync(root, { recursive: true });
});

const on = (path: string) => join(root, path);
const read = (path: string) => readFileSync(on(path), 'utf8');
const mode = (path: string) => (statSync(on(path)).mode & 0o777).toString(8);

describe('the document', () => {
  test('is one that cloud-init knows', () => {
    const document = dockerHostUserData({ containers: [web], script: NASTY, files: [users] });
    expect(document.startsWith('#cloud-config\n')).toBe(true);
    expect(schemaCheck(document)).toEqual({ status: 0, output: expect.stringContaining('Valid') as string });
    const damaged = document.replace('runcmd:\n', 'runcmd: 5\nother:\n');
    expect(schemaCheck(damaged)).toEqual({ status: 1, output: expect.stringContaining('runcmd') as string });
  });

  test('brings each text onto the host byte for byte', () => {
    const files = [
      users,
      { path: '/opt/app/a/nasty', content: NASTY, mode: '0640' },
      { path: '/opt/app/empty', content: '' },
    ];
    writeFiles(dockerHostUserData({ containers: [web], script: NASTY, files }));
    expect(read('/var/lib/slipway/script')).toBe(NASTY);
    expect(read('/opt/app/users.csv')).toBe(users.content);
    expect(read('/opt/app/a/nasty')).toBe(NASTY);
    expect(read('/opt/app/empty')).toBe('');
    expect(read('/opt/app/compose.yaml')).toBe(composeFile([web]));
    expect(read('/var/lib/slipway/setup.sh')).toBe(SETUP_SCRIPT);
    expect(
      ['/var/lib/slipway/script', '/opt/app/compose.yaml', '/opt/app/users.csv', '/opt/app/a/nasty'].map(
        mode,
      ),
    ).toEqual(['700', '600', '644', '640']);
  });

  test('of a host without containers, script and files has the setup alone', () => {
    const { write_files: files } = parse(dockerHostUserData({ containers: [], script: '' })) as {
      write_files: object[];
    };
    expect(files).toHaveLength(1);
  });

  test('is refused with every problem at once', () => {
    const files = [
      users,
      users,
      { path: '/etc/passwd', content: '' },
      { path: '/opt/app/compose.yaml', content: '' },
      { path: '/opt/app', content: '' },
      { path: '/opt/app/x', content: 'a\0', mode: '777' },
    ];
    expect(() => dockerHostUserData({ containers: [web, web], script: '\0', files })).toThrow(
      [
        "The Docker host's user data can't be made:",
        'containers[1].name is "web"; expected a name of its own: containers[0].name has this one already',
        'script is "(a string, not shown)"; expected text, without a NUL character or half of a surrogate pair',
        'files[1].path is "/opt/app/users.csv"; expected a path of its own: files[0] has this one already',
        'files[2].path is "/etc/passwd"; expected a path under /opt/app',
        'files[3].path is "/opt/app/compose.yaml"; expected another path: the compose file of the containers goes there',
        'files[4].path is "/opt/app"; expected the path of a file, such as /opt/app/users.csv',
        'files[5].content is "(a string, not shown)"; expected text, without a NUL character or half of a surrogate pair',
        'files[5].mode is "777"; expected four octal digits, such as 0644',
      ].join('\n  '),
    );
  });

  test('may be as large as EC2 takes it and no larger', () => {
    const size = (script: string) => Buffer.byteLength(dockerHostUserData({ containers: [], script }));
    // Three bytes of script are four of base64.
    const room = Math.floor((USER_DATA_LIMIT - size('abc')) / 4) * 3 + 3;
    expect(USER_DATA_LIMIT - size('x'.repeat(room))).toBeLessThan(4);
    expect(() => size('x'.repeat(room + 1))).toThrow(
      /^The Docker host's user data is 16,38[5-8] bytes and EC2 takes at most 16,384\. .*script [\d,]+ bytes.* into S3/,
    );
  });
});

describe('the setup script', () => {
  test('passes shellcheck', () => {
    expect(tool('shellcheck', ['-'], SETUP_SCRIPT)).toEqual({ status: 0, output: '' });
    expect(tool('shellcheck', ['-'], SETUP_SCRIPT.replace('"$@"', '$@')).output).toContain('SC2068');
  });

  test('makes a bare host ready, with patience, and may run again', () => {
    host({ docker: false });
    expect(setup()).toMatchObject({ status: 0 });
    expect(calls()).toEqual([
      'dnf install --assumeyes docker',
      'sleep 10',
      'dnf install --assumeyes docker',
      'systemctl enable --now docker',
      'docker compose version',
      expect.stringMatching(/^curl .*\/v2\.40\.3\/docker-compose-linux-x86_64$/) as string,
      'docker compose version',
      `docker compose -f ${on('/opt/app/compose.yaml')} up -d --quiet-pull`,
      'script',
    ]);
    expect(read('/var/lib/slipway/ready')).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(mode('/usr/local/lib/docker/cli-plugins/docker-compose')).toBe('755');

    writeFileSync(on('/log'), '');
    expect(setup()).toMatchObject({ status: 0 });
    expect(calls().map((line) => line.split(' -f')[0])).toEqual([
      'systemctl enable --now docker',
      'docker compose version',
      'docker compose',
      'script',
    ]);
    expect(existsSync(on('/var/lib/slipway/failed'))).toBe(false);
  });

  test('takes no Docker Compose that is not the pinned one', () => {
    host({ plugin: 'something else' });
    expect(setup().status).toBe(1);
    expect(read('/var/lib/slipway/failed')).toBe('install Docker Compose (exit status 1)\n');
    expect(existsSync(on('/usr/local/lib/docker/cli-plugins/docker-compose'))).toBe(false);
    expect(existsSync(on('/var/lib/slipway/ready'))).toBe(false);
  });

  test('says that the custom script failed, and is ready once it works', () => {
    host({ script: '#!/bin/bash\nexit 7\n' });
    expect(setup()).toMatchObject({
      status: 7,
      output: expect.stringContaining('slipway: failed: run the custom script') as string,
    });
    expect(read('/var/lib/slipway/failed')).toBe('run the custom script (exit status 7)\n');
    writeFileSync(on('/var/lib/slipway/script'), '#!/bin/bash\n');
    expect(setup()).toMatchObject({ status: 0 });
    expect(existsSync(on('/var/lib/slipway/failed'))).toBe(false);
  });

  test('starts no containers where there are none', () => {
    host({ containers: [] });
    expect(setup()).toMatchObject({ status: 0 });
    expect(calls().join()).not.toContain('up');
  });
});

const PLUGIN = 'the plugin';

/** The files of a host's user data in a folder of its own, and stand-ins for all that would change this machine. */
function host({
  docker = true,
  plugin = PLUGIN,
  containers = [web],
  script = '#!/bin/bash\necho script >>"$LOG"\n',
}) {
  writeFiles(dockerHostUserData({ containers, script }));
  const path = on('/var/lib/slipway/setup.sh');
  const here = read('/var/lib/slipway/setup.sh')
    .replaceAll(/\/(opt\/app|var\/lib\/slipway|usr\/local\/lib)/g, `${root}$&`)
    .replace(COMPOSE_PLUGIN.sha256.x86_64, createHash('sha256').update(PLUGIN).digest('hex'));
  writeFileSync(path, here);
  mkdirSync(on('/bin'));
  for (const name of ['bash', 'chmod', 'cp', 'date', 'mkdir', 'mv', 'rm', 'sha256sum', 'touch']) {
    symlinkSync(tool('sh', ['-c', `command -v ${name}`]).output.trim(), on(`/bin/${name}`));
  }
  const standIn = (name: string, body = '', log = `echo "${name} $*" >>"$LOG"`) => {
    writeFileSync(on(`/bin/${name}`), `#!/bin/bash\n${log}\n${body}\n`);
    chmodSync(on(`/bin/${name}`), 0o755);
  };
  standIn('systemctl');
  standIn('sleep');
  standIn('uname', 'echo x86_64', '');
  standIn('curl', `while [ "$1" != --output ]; do shift; done; printf %s '${plugin}' >"$2"`);
  standIn(
    docker ? 'docker' : 'docker-package',
    `[ "$2" != version ] || [ -x ${on('/usr/local/lib/docker/cli-plugins/docker-compose')} ]`,
    'echo "docker $*" >>"$LOG"',
  );
  standIn(
    'dnf',
    `[ -e ${on('/online')} ] || { touch ${on('/online')}; exit 1; }; cp ${on('/bin/docker-package')} ${on('/bin/docker')}`,
  );
}

const setup = () =>
  tool(on('/bin/bash'), [on('/var/lib/slipway/setup.sh')], '', { PATH: on('/bin'), LOG: on('/log') });
const calls = () => read('/log').trim().split('\n');

function schemaCheck(document: string) {
  writeFileSync(on('/user-data'), document);
  return tool('cloud-init', ['schema', '--config-file', on('/user-data')]);
}

/** Has cloud-init's own module write the files, below the test's folder. */
function writeFiles(document: string) {
  const script = `import sys
from cloudinit import util
from cloudinit.config.cc_write_files import write_files
files = util.load_yaml(sys.stdin.buffer.read())['write_files']
write_files('write_files', [{**file, 'path': sys.argv[1] + file['path']} for file in files], '-1:-1')`;
  expect(tool('/usr/bin/python3', ['-c', script, root], document)).toMatchObject({ status: 0 });
}

function tool(command: string, args: string[], input = '', env: NodeJS.ProcessEnv = process.env) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { input, encoding: 'utf8', env });
  const output = stdout + stderr;
  if (error || output.includes("No module named 'cloudinit'")) {
    throw new Error(
      `${command} is missing here: apt-get install --no-install-recommends cloud-init shellcheck`,
      { cause: error },
    );
  }
  return { status, output };
}
