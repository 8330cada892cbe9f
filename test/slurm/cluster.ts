import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import {
  appendFile,
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { opened, type Tools } from './tools';

const HOOKS = join(__dirname, '../../slurm');
/** Until the nodes are idle; they take a second or two. */
const READY_WITHIN_MS = 30_000;
const POLL_MS = 100;

/** Users that every Debian has, and who may do nothing of interest. */
export type User = 'daemon' | 'games';

export interface ClusterOptions {
  /** As the head node reaches the broker, with the stage. */
  brokerUrl: string;
  headNodeSecret: string;
  region: string;
  /** Lines of the projects' file. */
  projects: string[];
  tools: Tools;
  /** Of jobs, besides PATH. */
  variables: Record<string, string>;
}

/** A SLURM cluster on this machine: head node and nodes node1 and node2, with the hooks of slurm/ as its README installs them. */
export interface Cluster {
  /** A program of SLURM's, as a user in whose shell the jobs' variables are set. @returns what it prints */
  as: (user: User | 'root', program: string, ...args: string[]) => Promise<string>;
  /** Of munge, which every user of a node can ask. */
  mungeSocket: string;
  /** Submits a shell script. @returns the job's id */
  submit: (user: User, script: string, ...options: string[]) => Promise<string>;
  /** What a job has written so far; an array's task is 7_1. */
  output: (job: string) => Promise<string>;
  /** Everything that SLURM, munge and the hooks have logged, and the arguments of each program that the hooks ran. */
  logs: () => Promise<string>;
  /** The token that a node holds for a job; undefined when there is none. */
  token: (node: string, job: string) => string | undefined;
  /** Settings of the hooks from now on, besides those that they have. */
  set: (line: string) => Promise<void>;
  /** More lines of slurm.conf, in force at once. */
  configure: (...lines: string[]) => Promise<void>;
  /** Like a power cut: slurmd and all that runs there is gone. */
  kill: (node: string) => Promise<void>;
  stop: () => Promise<void>;
}

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-slurm-'));
  const children = new Map<string, ChildProcess>();
  const endWithUs = () => {
    for (const child of children.values()) child.kill('SIGKILL');
  };
  process.once('exit', endWithUs);
  const stop = async () => {
    for (const child of [...children.values()].reverse()) await killed(child);
    process.off('exit', endWithUs);
    await rm(folder, { recursive: true, force: true });
  };
  const start = (name: string, ...command: [string, ...string[]]) => {
    const [program, ...args] = command;
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', SLURM_CONF: join(folder, 'slurm.conf') };
    const child = spawn(program, args, { cwd: folder, env, stdio: 'ignore' });
    child.on('error', () => undefined);
    children.set(name, child);
    return child;
  };

  try {
    await chmod(folder, 0o755);
    await install(folder, options);
    start('munged', 'munged', '--foreground', ...mungedOptions(folder));
    await until(async () => (await readdir(join(folder, 'munge'))).includes('socket'), 'munge listens');
    start('slurmctld', 'slurmctld', '-D', '-c');
    for (const node of NODES) {
      const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
      start(node, 'unshare', ...namespaces, 'bash', '-e', join(folder, 'node.sh'), node);
    }
  } catch (error) {
    await stop();
    throw error;
  }

  const env = { PATH: options.tools.path, SLURM_CONF: join(folder, 'slurm.conf'), ...options.variables };
  const as: Cluster['as'] = async (user, program, ...args) => {
    const identity = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
    const { stdout } = await promisify(execFile)('setpriv', [...identity, program, ...args], {
      env,
      cwd: '/',
    });
    return stdout.trim();
  };
  /** A node's files, as its root sees them. */
  const onNode = (node: string, file: string) => {
    const unshare = String(children.get(node)?.pid);
    const slurmd = readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8').trim();
    return `/proc/${slurmd}/root${file}`;
  };
  const cluster: Cluster = {
    as,
    mungeSocket: join(folder, 'munge/socket'),
    submit: async (user, script, ...sbatchOptions) => {
      const file = join(folder, 'jobs', `${randomBytes(6).toString('hex')}.sh`);
      await writeFile(file, `#!/bin/bash\n${script}\n`, { mode: 0o755 });
      const name = sbatchOptions.some((option) => option.startsWith('--array')) ? '%A_%a' : '%j';
      const to = [`--output=${join(folder, 'output', name)}`, '--chdir=/'];
      return as(user, 'sbatch', '--parsable', ...to, ...sbatchOptions, file);
    },
    output: (job) => readFile(join(folder, 'output', job), 'utf8').catch(() => ''),
    logs: async () => {
      const names = await readdir(join(folder, 'log'));
      const texts = names.map((name) => readFile(join(folder, 'log', name), 'latin1'));
      return (await Promise.all(texts)).join('\n');
    },
    token: (node, job) => {
      const file = onNode(node, join(folder, 'run', `${job}.token`));
      return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    },
    set: async (line) => {
      await appendFile(join(folder, 'etc/slipway.conf'), `${line}\n`);
    },
    configure: async (...lines) => {
      await appendFile(join(folder, 'slurm.conf'), lines.map((line) => `${line}\n`).join(''));
      await as('root', 'scontrol', 'reconfigure');
    },
    kill: async (node) => {
      const child = children.get(node);
      if (child) await killed(child);
    },
    stop,
  };
  try {
    await until(async () => {
      const states = await as('root', 'sinfo', '--noheader', '--format=%T').catch(() => '');
      return states === 'idle';
    }, 'the nodes are idle');
  } catch (error) {
    const logs = await cluster.logs();
    await stop();
    throw new Error(`The cluster did not start:\n${logs}`, { cause: error });
  }
  return cluster;
}

const NODES = ['node1', 'node2'];

/** What slurm/README.md says, into a folder instead of /etc and /var. */
async function install(folder: string, options: ClusterOptions): Promise<void> {
  const inFolder = (name: string) => join(folder, name);
  const slurm = userId('slurm');
  for (const [name, mode, owner] of [
    ['etc', 0o755, 0],
    ['jobs', 0o755, 0],
    ['log', 0o777, 0],
    ['munge', 0o755, 0],
    ['output', 0o777, 0],
    ['recorders', 0o755, 0],
    ['run', 0o711, 0],
    ['sessions', 0o700, slurm],
    ['spool', 0o755, 0],
    ['state', 0o700, slurm],
  ] as const) {
    await mkdir(inFolder(name));
    await chmod(inFolder(name), mode);
    await chown(inFolder(name), owner, owner);
  }
  await writeFile(inFolder('munge.key'), randomBytes(128), { mode: 0o600 });
  await cp(HOOKS, inFolder('etc'), { recursive: true });
  await writeFile(inFolder('etc/head-node-secret'), `${options.headNodeSecret}\n`, { mode: 0o400 });
  await chown(inFolder('etc/head-node-secret'), slurm, slurm);
  await writeFile(inFolder('etc/projects'), options.projects.map((line) => `${line}\n`).join(''));
  await writeFile(inFolder('etc/slipway.conf'), settings(folder, options));
  const fragment = await readFile(inFolder('etc/slurm.conf'), 'utf8');
  await writeFile(inFolder('etc/slurm.conf'), fragment.replaceAll('/etc/slipway', inFolder('etc')));
  await writeFile(inFolder('slurm.conf'), await slurmConfiguration(folder));
  for (const program of ['curl', 'munge', 'unmunge', 'scontrol', 'logger'])
    await writeFile(inFolder(`recorders/${program}`), recorder(program, inFolder('log/arguments')), {
      mode: 0o755,
    });
  await writeFile(inFolder('log/arguments'), '');
  await chmod(inFolder('log/arguments'), 0o666);
  await writeFile(inFolder('node.sh'), nodeScript(folder, options.tools));
}

function settings(folder: string, { brokerUrl, region }: ClusterOptions): string {
  return `BROKER_URL=${brokerUrl}
PROJECTS_FILE=${folder}/etc/projects
STATE_FOLDER=${folder}/sessions
RUN_FOLDER=${folder}/run
MUNGE_SOCKET=${folder}/munge/socket
AWS_REGION=${region}
PATH=${folder}/recorders:$PATH
export SLURM_CONF=${folder}/slurm.conf
`;
}

/** A program that notes its arguments, then is what it is called. */
const recorder = (program: string, file: string) => `#!/bin/bash
printf '%s\\n' "${program} $*" >>${file}
PATH=\${PATH#*:} exec ${program} "$@"
`;

/** A node has its own processes and its own folder in memory for tokens; what jobs need is readable there. */
const nodeScript = (folder: string, tools: Tools) => `mount -t tmpfs -o mode=711 tmpfs ${folder}/run
mount -t tmpfs tmpfs ${folder}/spool
mkdir ${folder}/spool/$1
${opened(tools.folders, `${folder}/spool/stash`)}
exec slurmd -D -N "$1"
`;

const mungedOptions = (folder: string) => [
  `--key-file=${folder}/munge.key`,
  `--socket=${folder}/munge/socket`,
  `--pid-file=${folder}/munge/pid`,
  `--log-file=${folder}/log/munged`,
  `--seed-file=${folder}/munge/seed`,
];

/** On loopback addresses alone, without cgroups, accounting and mail; a requeued job waits for cred_expire. */
async function slurmConfiguration(folder: string): Promise<string> {
  const [controller, ...nodes] = await freePorts(1 + NODES.length);
  return `ClusterName=alpha
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmctldPort=${controller ?? 0}
SlurmUser=slurm
AuthType=auth/munge
AuthInfo=socket=${folder}/munge/socket,cred_expire=8
CredType=cred/munge
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool/%n
SlurmctldPidFile=${folder}/state/slurmctld.pid
SlurmdPidFile=${folder}/spool/%n.pid
SlurmctldLogFile=${folder}/log/slurmctld
SlurmdLogFile=${folder}/log/%n
SlurmctldDebug=debug2
SlurmdDebug=debug2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
SwitchType=switch/none
MailProg=/bin/true
ReturnToService=2
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
MessageTimeout=4
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,sched_interval=1,bf_interval=1
${NODES.map((node, index) => `NodeName=${node} NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${nodes[index] ?? 0} CPUs=8`).join('\n')}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
Include ${folder}/etc/slurm.conf
`;
}

/** All held until the last is known, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) server.close();
  return ports;
}

function userId(name: string): number {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`There is no user ${name}.`);
  return Number(line.split(':')[2]);
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** @throws an Error that says what did not become true in time */
export async function until(
  holds: () => Promise<boolean>,
  what: string,
  withinMs = READY_WITHIN_MS,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not within ${withinMs / 1000} s: ${what}.`);
    await sleep(POLL_MS);
  }
}
