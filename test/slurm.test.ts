import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLocalAws, type LocalAws } from '@slipway/local-aws';
import { LOCAL, startLocalBroker, type LocalBroker } from '../scripts/local-broker';
import { startService, type RunningService } from '../scripts/pair';
import { unsteadyWay, type UnsteadyWay } from '../services/aux/test/unsteady-way';
import { freePorts, startCluster, until, type Cluster, type User } from './slurm/cluster';
import { missingForSlurm } from './slurm/requirements';
import { findTools, type Tools } from './slurm/tools';

jest.setTimeout(60_000);

const HOOKS = join(__dirname, '../slurm');
/** Prints the status of the proxy's answer to the job, as an SDK would ask. */
const FETCH = `curl --silent --output /dev/null --write-out '%{http_code}\\n' --header @<(printf 'Authorization: %s' "$(<"$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")") "$AWS_CONTAINER_CREDENTIALS_FULL_URI"`;
const BOTO3 = `python3 -c 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])'`;
const CLI = 'aws sts get-caller-identity --query Arn --output text';
const JS_SDK = `node -e 'const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts"); new STSClient().send(new GetCallerIdentityCommand()).then(({ Arn }) => console.log(Arn))'`;
const WAIT = 'sleep 300';

test('shellcheck finds nothing in the hooks', () => {
  const hooks = readdirSync(HOOKS).filter((name) => name.endsWith('.sh') || name === 'slipway.conf');
  const { stdout, status } = spawnSync('shellcheck', ['--external-sources', ...hooks], {
    cwd: HOOKS,
    encoding: 'utf8',
  });
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
});

const missing = missingForSlurm();
const described = missing === undefined ? describe : describe.skip;

described(`jobs of a SLURM cluster${missing === undefined ? '' : ` (left out: ${missing})`}`, () => {
  let aws: LocalAws;
  let broker: LocalBroker;
  /** Between the cluster and the broker. */
  let way: UnsteadyWay;
  let proxy: RunningService;
  let tools: Tools;
  let cluster: Cluster;
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    tools = findTools();
    aws = await startLocalAws();
    stops.push(aws.stop);
    broker = await startLocalBroker(aws, {
      projects: ['abc', 'def'],
      more: { LOCALHOST_PORT: String(port) },
    });
    stops.push(broker.stop);
    way = await unsteadyWay(broker.url, 'open');
    stops.push(way.stop);
    const starting = startService('node-proxy', {
      SLIPWAY_PROXY_HOSTNAME: way.url,
      SLIPWAY_PROXY_PORT: String(port),
      SLIPWAY_PROXY_RECHECK_SECONDS: '1',
    });
    cluster = await startCluster({
      brokerUrl: `${way.url}/${LOCAL.stage}`,
      headNodeSecret: broker.headNodeSecret,
      region: aws.region,
      projects: ['# user: projects', 'daemon: abc def unmapped odd"\\', 'games: def'],
      tools,
      variables: {
        AWS_ENDPOINT_URL: aws.endpoint,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        // What a submitter's shell may have; all of it would win over the job's own.
        AWS_ACCESS_KEY_ID: 'AKIAOFTHESUBMITTER00',
        AWS_SECRET_ACCESS_KEY: 'of the submitter',
        AWS_PROFILE: 'of-the-submitter',
      },
    });
    stops.push(cluster.stop);
    proxy = await starting;
    stops.push(proxy.stop);
  }, 120_000);
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  const arn = (project: string, name: string) =>
    `arn:aws:sts::${aws.account}:assumed-role/${LOCAL.rolePrefix}${project}/${name}`;
  const state = (job: string) =>
    cluster.as('root', 'squeue', '--noheader', '--states=all', '--format=%T', `--jobs=${job}`);
  const untilEnded = (job: string) =>
    until(async () => /^(COMPLETED|FAILED|CANCELLED)$/.test(await state(job)), `job ${job} ends`);
  const untilSays = (job: string, what: RegExp) =>
    until(async () => what.test(await cluster.output(job)), `job ${job} says ${what.source}`).catch(
      async (error: unknown) => {
        throw new Error(`${(error as Error).message} It says:\n${await cluster.output(job)}`);
      },
    );

  async function ask(method: string, path: string): Promise<unknown> {
    const answer = await fetch(broker.url + path, {
      method,
      headers: { authorization: broker.headNodeSecret },
    });
    expect(answer.status).toBe(200);
    return answer.json();
  }
  async function sessionOf(user: User, job: string) {
    const { sessions } = (await ask('GET', `/sessions?user=${user}`)) as {
      sessions: { sessionId: string; projectId: string; status: string }[];
    };
    return sessions.find(({ sessionId }) => sessionId === job);
  }
  const untilSession = (user: User, job: string, status: string) =>
    until(async () => (await sessionOf(user, job))?.status === status, `session ${job} is ${status}`);
  /** What the proxy says to a token, from outside of the job. */
  async function statusFor(token: string | undefined, job: string, project: string): Promise<number> {
    const path = `/sessions/${job}/cluster/alpha/project/${project}?roleSessionName=x`;
    return (await fetch(proxy.url + path, { headers: { authorization: token ?? '' } })).status;
  }
  const running = async (user: User, ...options: string[]) => {
    const job = await cluster.submit(user, `${FETCH}; ${WAIT}`, ...options);
    await untilSays(job, /^200$/m);
    return job;
  };

  test("aws CLI, boto3 and JS SDK have the project's role, under the job's user and node", async () => {
    const script = [`cd ${tools.root}`, CLI, BOTO3, JS_SDK, `srun --ntasks-per-node=1 ${BOTO3}`].join('\n');
    const job = await cluster.submit('daemon', script, '--nodes=2', '--account=abc');
    await untilEnded(job);
    const lines = (await cluster.output(job)).trim().split('\n').sort();
    const onNode1 = arn('abc', 'alpha-daemon-node1');
    expect(lines).toEqual([onNode1, onNode1, onNode1, onNode1, arn('abc', 'alpha-daemon-node2')]);
    await untilSession('daemon', job, 'COMPLETED');
  });

  test('the token is nowhere but in the file of the user on the nodes', async () => {
    const onBoth = `srun --ntasks-per-node=1 bash -c '${FETCH.replaceAll("'", `'"'"'`)}'`;
    const job = await cluster.submit('daemon', `${onBoth}; ${WAIT}`, '--nodes=2');
    await untilSays(job, /^200\n200$/m);
    const token = cluster.token('node1', job) ?? '';
    expect(token).toMatch(/^\S{32,}$/);
    expect(cluster.token('node2', job)).toBe(token);

    const shown = await cluster.as('games', 'scontrol', 'show', 'job', job);
    const [credential = ''] = /MUNGE:\S+:/.exec(shown) ?? [];
    const logs = await cluster.logs();
    expect(logs).toContain(`scontrol update JobId=${job} AdminComment=${credential}`);
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    for (const text of [shown, logs, processes, broker.log(), proxy.log()]) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(broker.headNodeSecret);
    }
    const open = `unmunge --socket=${cluster.mungeSocket} <<<'${credential}'`;
    await expect(cluster.as('games', 'bash', '-c', open)).rejects.toThrow(/Unauthorized credential/);

    const file = `$(dirname "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")/${job}.token`;
    const look = `stat --format=%a:%U "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"; cat "${file}"; rm -f "${file}"`;
    const other = await cluster.submit('games', look, '--nodelist=node1');
    await untilEnded(other);
    const said = await cluster.output(other);
    expect(said).toMatch(/^400:games$/m);
    expect(said.match(/Permission denied/g)).toHaveLength(2);

    await cluster.as('daemon', 'scancel', job);
    await untilSession('daemon', job, 'COMPLETED');
    await until(() => Promise.resolve(cluster.token('node1', job) === undefined), 'the file is removed');
    expect(await statusFor(token, job, 'abc')).toBe(403);
  });

  test("a user can't take another's handover for the own, nor forge one", async () => {
    const victim = await running('daemon');
    const shown = await cluster.as('games', 'scontrol', 'show', 'job', victim);
    const [theirs = ''] = /MUNGE:\S+:/.exec(shown) ?? [];

    const print = `echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI"; ${FETCH}`;
    const thief = await cluster.submit('games', `${print}; ${WAIT}`, '--hold');
    const forgery = `printf 'job ${thief} 0\\nuri http://127.0.0.1:1/forged\\ntoken forged\\n' | munge --socket=${cluster.mungeSocket} --restrict-uid=0`;
    const forged = await cluster.as('games', 'bash', '-c', forgery);
    // The name is shown before what the head node left.
    await cluster.as('games', 'scontrol', 'update', `JobId=${thief}`, `JobName=${theirs}${forged}`);
    await cluster.as('games', 'scontrol', 'release', thief);
    await untilSays(thief, /^200$/m);
    expect(await cluster.output(thief)).toContain(`/sessions/${thief}/cluster/alpha/project/def?`);
    expect([undefined, 'forged', cluster.token('node1', victim)]).not.toContain(
      cluster.token('node1', thief),
    );
    await cluster.as('root', 'scancel', victim, thief);
  });

  test('each task of an array has a session of its own', async () => {
    const print = `echo "$SLURM_JOB_ID $(<"$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")"; ${FETCH}`;
    const array = await cluster.submit('daemon', print, '--array=1-3', '--account=def');
    const tasks = [1, 2, 3].map((task) => `${array}_${task}`);
    const said = tasks.map(async (task) => {
      await untilSays(task, /^\d+ \S+\n200$/m);
      const [, job = '', token = ''] = /^(\d+) (\S+)$/m.exec(await cluster.output(task)) ?? [];
      await untilSession('daemon', job, 'COMPLETED');
      expect((await sessionOf('daemon', job))?.projectId).toBe('def');
      return { job, token };
    });
    const sessions = await Promise.all(said);
    expect(new Set(sessions.map(({ job }) => job)).size).toBe(3);
    expect(new Set(sessions.map(({ token }) => token)).size).toBe(3);
  });

  test('each component of a heterogeneous job has a session of its own, on its own node', async () => {
    const ask = `bash -c 'echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI"; ${FETCH.replaceAll("'", `'"'"'`)}'`;
    const script = `srun --het-group=0 ${ask}; srun --het-group=1 ${ask}`;
    const job = await cluster.submit('daemon', script, '--nodelist=node1', ':', '--nodelist=node2');
    await untilSays(job, /^\d{3}$[^]*^\d{3}$/m);
    const component = String(Number(job) + 1);
    expect(await cluster.output(job)).toMatch(
      new RegExp(`/${job}/.*-node1\n200\n.*/${component}/.*-node2\n200\n$`),
    );
    await untilSession('daemon', component, 'COMPLETED');
  });

  test("an srun in salloc's shell has credentials, and the shell none", async () => {
    const ask = FETCH.replaceAll("'", `'"'"'`);
    const shell = `srun --nodes=1 --ntasks=1 --nodelist=node2 bash -c '${ask}'; echo "shell: $AWS_CONTAINER_CREDENTIALS_FULL_URI"`;
    const said = await cluster.as('daemon', 'salloc', '--quiet', '--nodes=2', 'bash', '-c', shell);
    expect(said).toBe('200\nshell:');
  });

  test('a requeued job gets a new token, and the one before is refused', async () => {
    const script = `echo "run \${SLURM_RESTART_COUNT:-0}"; ${FETCH}; ${WAIT}`;
    const job = await cluster.submit('daemon', script, '--requeue');
    await untilSays(job, /^run 0\n200$/m);
    const before = cluster.token('node1', job);
    expect(await statusFor(before, job, 'abc')).toBe(200);
    await cluster.as('daemon', 'scontrol', 'requeue', job);
    await untilSession('daemon', job, 'COMPLETED');
    await untilSays(job, /^run 1\n200$/m);
    expect((await sessionOf('daemon', job))?.status).toBe('ACTIVE');
    expect(cluster.token('node1', job)).toMatch(/^\S{32,}$/);
    expect(cluster.token('node1', job)).not.toBe(before);
    expect(await statusFor(before, job, 'abc')).toBe(403);
    await cluster.as('daemon', 'scancel', job);
  });

  test("once its user is revoked, a running job's next fetch is refused", async () => {
    const job = await cluster.submit('games', `while sleep 0.3; do ${FETCH}; done`);
    await untilSays(job, /^200$/m);
    await ask('DELETE', '/sessions/users/games');
    await untilSays(job, /^403$/m);
    const until403 = (await cluster.output(job)).trim();
    await sleep(1500);
    expect((await cluster.output(job)).slice(until403.length)).toMatch(/^\n(403\n)+$/);
    await cluster.as('games', 'scancel', job);
  });

  test.each([
    ['--account=other', "daemon may not use the project 'other'"],
    [
      '--account=unmapped',
      'the broker answered 404: The role-mapping table has no role for the project unmapped',
    ],
  ])('%s: the job says why it has no credentials, and runs', async (option, why) => {
    const job = await cluster.submit('daemon', 'srun echo "ran $AWS_CONTAINER_CREDENTIALS_FULL_URI"', option);
    await untilEnded(job);
    const said = await cluster.output(job);
    expect(said.trimEnd()).toMatch(/^slipway: .*\nran$/);
    expect(said).toContain(`slipway: this job has no AWS credentials: ${why}`);
  });

  test('without a list of projects, an account that SLURM does not check counts for nothing', async () => {
    await cluster.set('PROJECTS_FILE=');
    const job = await cluster.submit('daemon', 'echo ran', '--account=abc');
    await untilEnded(job);
    expect(await cluster.output(job)).toBe(
      `slipway: this job has no AWS credentials: SLURM does not say that daemon may use the account 'abc'; there is no PROJECTS_FILE\nran\n`,
    );
    expect(await sessionOf('daemon', job)).toBeUndefined();
    await cluster.set('PROJECTS_FILE=$HOOKS/projects');
  });

  test.each([
    ['wckey', 'def', /\/project\/def\?/],
    ['comment', 'def', /\/project\/def\?/],
    ['comment', 'odd"\\', /: the broker answered 400: projectId must not hold a backslash/],
  ])('the project is in the %s, where the settings say so: %s', async (field, project, expected) => {
    await cluster.set(`PROJECT_FROM=${field}`);
    const job = await cluster.submit(
      'daemon',
      `echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI"`,
      `--${field}=${project}`,
    );
    await untilEnded(job);
    expect(await cluster.output(job)).toMatch(expected);
    await cluster.set('PROJECT_FROM=account');
  });

  test("with a prefix, the ids of another cluster's sessions don't meet this one's", async () => {
    await cluster.set('SESSION_PREFIX=alpha.');
    const job = await cluster.submit('daemon', FETCH);
    await untilSays(job, /^200$/m);
    await untilSession('daemon', `alpha.${job}`, 'COMPLETED');
    await cluster.set('SESSION_PREFIX=');
  });

  test.each(['closed', 'silent'] as const)(
    'broker %s: jobs run without, and it hears of the sessions that ended meanwhile',
    async (mode) => {
      const earlier = await running('daemon');
      way.become(mode);
      await cluster.as('daemon', 'scancel', earlier);
      const started = Date.now();
      const job = await cluster.submit('daemon', 'echo ran');
      await untilSays(job, /ran/);
      expect(Date.now() - started).toBeLessThan(15_000);
      expect(await cluster.output(job)).toBe(
        'slipway: this job has no AWS credentials: the broker does not answer\nran\n',
      );
      await untilEnded(job);
      expect((await sessionOf('daemon', earlier))?.status).toBe('ACTIVE');
      way.become('open');
      const later = await cluster.submit('daemon', 'true');
      await untilSession('daemon', later, 'COMPLETED');
      await untilSession('daemon', earlier, 'COMPLETED');
    },
  );

  test('when a node dies, the sessions of its jobs end', async () => {
    const job = await running('daemon', '--nodelist=node2', '--no-requeue');
    const token = cluster.token('node2', job);
    // SLURM's own is five minutes.
    await cluster.configure('SlurmdTimeout=4');
    await cluster.kill('node2');
    await untilSession('daemon', job, 'COMPLETED');
    expect(await state(job)).toBe('NODE_FAIL');
    expect(await statusFor(token, job, 'abc')).toBe(403);
  });
});
