import { EventEmitter, once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteParametersCommand, GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { IAMClient, CreateRoleCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { $ } from 'zx';
import { startLocalRun, type LocalRun } from '../scripts/local-run';
import { bootstrapState } from '../scripts/state/bootstrap-state';
import { cdktf, killRunning, terraform } from '../scripts/terraform';
import { environment } from './synthesized';

jest.setTimeout(240_000);
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const BUCKET = 'kantox-terraform-state';
const ROOT = join(__dirname, '..');
const dev = environment('dev', { state: { backend: 's3', bucket: BUCKET } });

/** Two resources that need no other: enough to be cut off between. */
const parameter = (id: string) => `aws_ssm_parameter.parameter-${id}`;
const CONFIG = parameter('api-config_parameter_3A5C5232');
const FLAGS = parameter('features-flags_parameter_5EFFC40F');
const FLAGS_NAME = '/kantox/dev/features/flags';
const BOTH = ['/kantox/dev/api/config', FLAGS_NAME];
const TARGETS = [`-target=${CONFIG}`, `-target=${FLAGS}`];

let run: LocalRun;
let proxy: Proxy;
let aws: { endpoint: string; region: string; credentials: LocalRun['administrator'] };
/** Of the stack with its state in S3. */
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  run = await startLocalRun({ environment: 'dev' });
  aws = {
    endpoint: run.variables.AWS_ENDPOINT_URL ?? '',
    region: dev.region,
    credentials: run.administrator,
  };
  proxy = await startProxy(aws.endpoint);
  env = { ...run.env, CDKTF_OUTPUT: join(run.folder, 's3'), AWS_EC2_METADATA_DISABLED: 'true' };
  await synthesizeWithStateInS3();
});
afterAll(async () => {
  await proxy.stop();
  await run.stop();
});

/** As the app does it, but for where the state is. */
async function synthesizeWithStateInS3(): Promise<void> {
  const app = join(run.folder, 'app.ts');
  writeFileSync(
    app,
    `import { environmentFiles, loadEnvironments } from '${ROOT}/environments';
import { optionsFromMachine, synthesize } from '${ROOT}/stacks/app';
const dev = { ...environmentFiles['environments/dev.ts'], state: { backend: 's3', bucket: '${BUCKET}' } };
synthesize(loadEnvironments({ 'environments/dev.ts': dev }), optionsFromMachine());
`,
  );
  await $({
    cwd: ROOT,
    env: { ...env, CDKTF_OUTDIR: env.CDKTF_OUTPUT },
    quiet: true,
  })`${process.execPath} --require tsx/cjs ${app}`;
}

/** What Terraform says in dev's folder, on one line; cdktf shows the same. */
async function says(args: string[], variables: NodeJS.ProcessEnv = env) {
  const { exitCode, stdall } = await terraform('dev', [...args, '-no-color'], { env: variables });
  return { exitCode, text: stdall.replace(/[\s│╷╵]+/g, ' ') };
}
const init = (variables?: NodeJS.ProcessEnv) => says(['init', '-input=false'], variables);
const apply = (variables?: NodeJS.ProcessEnv) =>
  says(['apply', '-auto-approve', '-input=false', ...TARGETS], variables);

async function parameters(): Promise<(string | undefined)[]> {
  const ssm = new SSMClient(aws);
  const { Parameters = [] } = await ssm.send(
    new GetParametersByPathCommand({ Path: '/kantox/dev', Recursive: true }),
  );
  ssm.destroy();
  return Parameters.map(({ Name }) => Name);
}

/** Lets one of the two be made, and the other one wait for an answer for ever. */
const holdFlags: Proxy['rule'] = ({ target, body }) =>
  target === 'AmazonSSM.PutParameter' && body.includes(FLAGS_NAME) ? 'hold' : 'forward';

/** Kills, as kill -9 does, what is held at one of the two, once the other one is there. */
async function killHalfway(
  running: Promise<unknown>,
  isThere: () => boolean | Promise<boolean>,
): Promise<void> {
  const early = running.then((outcome) => {
    throw new Error(`It ended before it could be killed: ${JSON.stringify(outcome)}`);
  });
  await Promise.race([proxy.held(), early]);
  for (let tries = 0; !(await isThere()); tries += 1) {
    if (tries > 600) throw new Error('Nothing was made.');
    await sleep(50);
  }
  early.catch(() => undefined);
  await killRunning();
}

test('a deploy that was killed in the middle is completed by the next one, where the state is local', async () => {
  const variables = { ...run.env, TF_CLI_ARGS_apply: TARGETS.join(' ') };
  proxy.rule = holdFlags;
  const cut = cdktf(['deploy', 'dev', '--auto-approve'], {
    env: { ...variables, AWS_ENDPOINT_URL: proxy.endpoint },
  }).then(
    () => 'not cut off',
    () => 'cut off',
  );
  const state = join(run.folder, 'state', 'dev', 'terraform.tfstate');
  await killHalfway(cut, () => existsSync(state) && readFileSync(state, 'utf8').includes(BOTH[0] ?? ''));
  expect(await cut).toBe('cut off');
  expect(await parameters()).toEqual(BOTH.slice(0, 1));
  await cdktf(['deploy', 'dev', '--auto-approve', '--skip-synth'], { env: variables });
  expect(await parameters()).toEqual(BOTH);
  const ssm = new SSMClient(aws);
  await ssm.send(new DeleteParametersCommand({ Names: BOTH }));
  ssm.destroy();
});

describe('with its state in S3, Terraform', () => {
  test('names a bucket that is missing', async () => {
    const { exitCode, text } = await init();
    expect(exitCode).toBe(1);
    expect(text).toContain(
      `S3 bucket "${BUCKET}" does not exist. The referenced S3 bucket must have been previously created.`,
    );
    await bootstrapState(dev, { stateFolder: run.folder, aws: { ...aws, forcePathStyle: true } });
  });

  test('says that there are no credentials', async () => {
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...others } = env;
    expect(await init(others)).toMatchObject({
      exitCode: 1,
      text: expect.stringMatching(
        /No valid credential sources found .* for more information about providing credentials/,
      ) as string,
    });
  });

  test('says that credentials have expired', async () => {
    expect(await init({ ...env, ...(await expiredSession()) })).toMatchObject({
      exitCode: 1,
      text: expect.stringContaining(
        'ExpiredToken: The security token included in the request is expired',
      ) as string,
    });
  });

  test('killed in the middle: says who holds the lock and what exists already, and loses nothing that is imported', async () => {
    proxy.rule = holdFlags;
    expect(await init()).toMatchObject({ exitCode: 0 });
    const cut = apply({ ...env, AWS_ENDPOINT_URL: proxy.endpoint });
    await killHalfway(cut, async () => (await parameters()).length > 0);
    expect(await cut).toMatchObject({ exitCode: null });

    const locked = await apply();
    expect(locked.text).toMatch(
      /Error acquiring the state lock .* Operation: OperationTypeApply Who: \S+@\S+ Version: \S+ Created: \d{4}-/,
    );
    const [, id = ''] = /Lock Info: ID: (\S+)/.exec(locked.text) ?? [];
    expect(await says(['force-unlock', '-force', id])).toMatchObject({ exitCode: 0 });

    // A state in S3 is written every 20 s while resources are being made, and at the end.
    const again = await apply();
    expect(again.text).toMatch(
      /creating SSM Parameter \(\/kantox\/dev\/api\/config\): .* ParameterAlreadyExists: .* with aws_ssm_parameter\.parameter-api-config/,
    );
    expect(await says(['import', '-input=false', CONFIG, '/kantox/dev/api/config'])).toMatchObject({
      exitCode: 0,
    });
  });

  test('waits while AWS throttles, and completes what was half-finished', async () => {
    const asked = { s3: 0, ssm: 0 };
    proxy.rule = ({ service }) => {
      if (service !== 's3' && service !== 'ssm') return 'forward';
      asked[service] += 1;
      return asked[service] > 2 ? 'forward' : THROTTLED[service];
    };
    const { exitCode, text } = await apply({ ...env, AWS_ENDPOINT_URL: proxy.endpoint });
    expect({ exitCode, text }).toMatchObject({ exitCode: 0 });
    expect(Math.min(asked.s3, asked.ssm)).toBeGreaterThan(2);
    expect(await parameters()).toEqual(BOTH);
  });
});

async function expiredSession() {
  const iam = new IAMClient(aws);
  const sts = new STSClient(aws);
  const trust = { Effect: 'Allow', Principal: { AWS: dev.account }, Action: 'sts:AssumeRole' };
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName: 'operator',
      AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
    }),
  );
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'operator' }),
  );
  for (const client of [iam, sts]) client.destroy();
  const accessKeyId = Credentials?.AccessKeyId ?? '';
  expect(await run.control.expireSessions({ accessKeyId })).toBe(1);
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey,
    AWS_SESSION_TOKEN: Credentials?.SessionToken,
  };
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

/** As S3 and Systems Manager say it (each one's API Reference, "Common errors"). */
const THROTTLED: Record<'s3' | 'ssm', Answer> = {
  s3: {
    status: 503,
    type: 'application/xml',
    body: '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
  },
  ssm: {
    status: 400,
    type: 'application/x-amz-json-1.1',
    body: '{"__type":"ThrottlingException","message":"Rate exceeded"}',
  },
};

interface Proxy {
  endpoint: string;
  /** What becomes of a request: `hold` leaves it without an answer, and it gets no further. */
  rule: (seen: { service: string; target: unknown; body: string }) => Answer | 'forward' | 'hold';
  /** Returns when a request is being held. */
  held: () => Promise<void>;
  stop: () => Promise<void>;
}

/** Stands before the local AWS, for what only a real AWS does by itself: answer late, or not at all. */
async function startProxy(target: string): Promise<Proxy> {
  const holding = new EventEmitter();
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const service = /\/([a-z0-9-]+)\/aws4_request/.exec(incoming.headers.authorization ?? '')?.[1] ?? '';
      const answer = made.rule({ service, target: incoming.headers['x-amz-target'], body: body.toString() });
      if (answer === 'hold') holding.emit('held');
      else if (answer === 'forward') forward(target, incoming, body, outgoing);
      else outgoing.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const made: Proxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    rule: () => 'forward',
    held: async () => {
      await once(holding, 'held');
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return made;
}

/** With its own Host, which is signed. */
function forward(target: string, incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse): void {
  const { method, url = '/', headers } = incoming;
  const onward = request(new URL(url, target), { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  onward.end(body);
}
