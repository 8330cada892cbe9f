import { stringify } from 'yaml';
import { composeFile } from './compose-file';
import { appPathFault, APP_FOLDER, containerProblems, textProblems, type Container } from './container';
import { COMPOSE_PATH, SCRIPT_PATH, SETUP_PATH, SETUP_SCRIPT } from './docker-host-setup';
import { InvalidProps, type Problem } from './problem';

/** A file that is on the host before Docker starts. */
export interface HostFile {
  /** Under /opt/app, such as `/opt/app/users.csv`. */
  readonly path: string;
  readonly content: string;
  /** Four octal digits. @default '0644', as a container's process is seldom root */
  readonly mode?: string | undefined;
}

export interface DockerHostUserDataProps {
  readonly containers: readonly Container[];
  /** Runs as root after the containers' start, and again with each further setup. bash unless its `#!` line says else. @default - none */
  readonly script?: string | undefined;
  /** @default - none */
  readonly files?: readonly HostFile[] | undefined;
}

/** EC2's limit in bytes, before base64 (EC2 User Guide, "Run commands at launch using user data"). */
export const USER_DATA_LIMIT = 16_384;

/**
 * The user data of a Docker host: a `#cloud-config` document that installs Docker and Docker Compose where they are
 * missing, starts the containers and then runs the script. For Amazon Linux 2023, or an image that has dnf or Docker.
 *
 * **No secret may be in it**: each process on the host can read it from the metadata service, and it stands in
 * Terraform's configuration. Let the script fetch secrets with the instance's role.
 *
 * On the host, `/var/lib/slipway/ready` or `/var/lib/slipway/failed` tells how it went, the latter with the step, and
 * `/var/log/cloud-init-output.log` tells more. What the caller says arrives byte for byte. Nothing is compressed, as
 * zlib's output differs between releases, and other bytes would mean another instance.
 *
 * @throws Error with every problem of containers, script and files at once, or when the whole is over 16,384 bytes
 */
export function dockerHostUserData({ containers, script, files = [] }: DockerHostUserDataProps): string {
  const problems = [
    ...containerProblems(containers, 'containers'),
    ...(script === undefined ? [] : textProblems(script, 'script')),
    ...fileProblems(files, 'files'),
  ];
  if (problems.length > 0) {
    throw new InvalidProps(
      ["The Docker host's user data can't be made:", ...problems.map(describe)].join('\n  '),
    );
  }
  const compose = containers.length > 0 ? composeFile(containers) : '';
  const document = `#cloud-config\n${stringify(
    {
      write_files: [
        { path: SETUP_PATH, permissions: '0700', content: SETUP_SCRIPT },
        // Its environment is not for a container that serves all of /opt/app.
        ...(compose ? [encoded({ path: COMPOSE_PATH, content: compose, mode: '0600' })] : []),
        ...(script ? [encoded({ path: SCRIPT_PATH, content: script, mode: '0700' })] : []),
        ...files.map(encoded),
      ],
      runcmd: [['bash', SETUP_PATH]],
    },
    { compat: 'yaml-1.1', lineWidth: 0 },
  )}`;
  const size = Buffer.byteLength(document);
  if (size > USER_DATA_LIMIT) {
    const bytes = (text: string) => `${number(Buffer.byteLength(text))} bytes`;
    throw new InvalidProps(
      `The Docker host's user data is ${number(size)} bytes and EC2 takes at most ${number(USER_DATA_LIMIT)}. ` +
        `In it, before base64 adds a third: containers ${bytes(compose)}, script ${bytes(script ?? '')}, ` +
        `files ${bytes(files.map(({ content }) => content).join(''))}. ` +
        'Put what is large into S3 or the image, and let the script fetch it.',
    );
  }
  return document;
}

function fileProblems(files: readonly HostFile[], path: string): Problem[] {
  const paths = files.map((file) => file.path);
  return files.flatMap(({ path: file, content, mode }, index) => {
    const at = `${path}[${index}]`;
    const first = paths.indexOf(file);
    const fault =
      appPathFault(file) ??
      (file === APP_FOLDER || file.endsWith('/')
        ? `the path of a file, such as ${APP_FOLDER}/users.csv`
        : undefined) ??
      (file === COMPOSE_PATH ? 'another path: the compose file of the containers goes there' : undefined) ??
      (first < index ? `a path of its own: ${path}[${first}] has this one already` : undefined);
    return [
      ...(fault === undefined ? [] : [{ path: `${at}.path`, value: file, expected: fault }]),
      ...textProblems(content, `${at}.content`),
      ...(mode === undefined || /^0[0-7]{3}$/.test(mode)
        ? []
        : [{ path: `${at}.mode`, value: mode, expected: 'four octal digits, such as 0644' }]),
    ];
  });
}

function encoded({ path, content, mode = '0644' }: HostFile) {
  return { path, permissions: mode, encoding: 'b64', content: Buffer.from(content).toString('base64') };
}

function describe({ path, value, expected }: Problem): string {
  const shown = value === undefined ? 'missing' : JSON.stringify(value);
  return `${path} is ${shown.length > 80 ? `${shown.slice(0, 77)}...` : shown}; expected ${expected}`;
}

const number = (count: number) => count.toLocaleString('en-US');
