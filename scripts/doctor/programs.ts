import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { which } from 'zx';
import { PATIENCE_MS, type Check, type Finding } from './finding';

interface Program {
  name: string;
  args: string[];
  /** Major and minor version. @default - any */
  oldest?: [number, number];
  remedy: string;
}

const onMac = process.platform === 'darwin';
const install = (apt: string, brew: string) => (onMac ? `brew install ${brew}` : `apt install ${apt}`);

const TERRAFORM_REMEDY = onMac
  ? 'brew install hashicorp/tap/terraform'
  : 'https://developer.hashicorp.com/terraform/install';
const SLURM_REMEDY = 'apt install slurm-client, on a machine that is in the cluster';

const PROGRAMS = {
  npm: { name: 'npm', args: ['--version'], remedy: 'it comes with Node.js: https://nodejs.org' },
  git: { name: 'git', args: ['--version'], remedy: install('git', 'git') },
  aws: { name: 'aws', args: ['--version'], remedy: install('awscli', 'awscli') },
  kubectl: {
    name: 'kubectl',
    args: ['version', '--client'],
    remedy: onMac ? 'brew install kubectl' : 'https://kubernetes.io/docs/tasks/tools',
  },
  'cloud-init': {
    name: 'cloud-init',
    args: ['--version'],
    remedy: onMac ? 'it runs on Linux alone: run these tests in CI' : 'apt install cloud-init',
  },
  shellcheck: { name: 'shellcheck', args: ['--version'], remedy: install('shellcheck', 'shellcheck') },
  sinfo: { name: 'sinfo', args: ['--version'], remedy: SLURM_REMEDY },
  sbatch: { name: 'sbatch', args: ['--version'], remedy: SLURM_REMEDY },
  postgres: { name: 'psql', args: ['--version'], remedy: install('postgresql', 'postgresql') },
  terraform: {
    name: 'terraform',
    args: ['version', '-json'],
    // Write-only arguments, which keep secrets out of the state.
    oldest: [1, 11],
    remedy: TERRAFORM_REMEDY,
  },
} satisfies Record<string, Program>;

/** Whether a program is on PATH, answers, and is new enough. */
export function program(key: keyof typeof PROGRAMS): Check {
  const { name, args, oldest, remedy }: Program = PROGRAMS[key];
  return async () => {
    const path = await which(name, { nothrow: true });
    if (!path) return { state: 'missing', text: 'not on PATH', remedy };
    const answer = await ask(path, args);
    // A loaded machine is no reason to send somebody off to install what is there.
    if (answer.late) return { state: 'found', text: `version unknown, ${path}` };
    const version = /\d+(\.\d+)+/.exec(answer.output)?.[0];
    if (answer.failed || version === undefined)
      return {
        state: 'missing',
        text: `${path} doesn't work: ${answer.failed ?? 'it tells no version'}`,
        remedy,
      };
    if (oldest && !isAtLeast(version, oldest))
      return {
        state: 'missing',
        text: `${version}, needed is ${oldest.join('.')} or later, ${path}`,
        remedy,
      };
    return { state: 'found', text: `${version}, ${path}` };
  };
}

/** What the package.json of this repository asks for. */
export function node(oldest: [number, number], version = process.versions.node): Finding {
  return isAtLeast(version, oldest)
    ? { state: 'found', text: `${version}, ${process.execPath}` }
    : {
        state: 'missing',
        text: `${version}, needed is ${oldest.join('.')} or later`,
        remedy: 'https://nodejs.org, or "nvm install 20"',
      };
}

function isAtLeast(version: string, [oldestMajor, oldestMinor]: [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

interface Answer {
  output: string;
  late: boolean;
  /** The last line of what it said. */
  failed?: string;
}

/** A shim of a version manager may be on PATH with nothing behind it, so only an answer counts. */
export async function ask(path: string, args: string[]): Promise<Answer> {
  try {
    const { stdout } = await promisify(execFile)(path, args, {
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
      env: { ...process.env, CHECKPOINT_DISABLE: '1' },
    });
    return { output: stdout, late: false };
  } catch (error) {
    const { killed, stderr, message } = error as Error & { killed?: boolean; stderr?: string };
    const lines = (stderr ?? message).trim().split('\n');
    return { output: '', late: killed === true, failed: (lines.at(-1) ?? '').slice(0, 100) };
  }
}
