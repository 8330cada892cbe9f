import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type LocalAws, startLocalAws } from '@slipway/local-aws';
import { $ } from 'zx';
import { type LocalBroker, startLocalBroker } from '../../../scripts/local-broker';
import { lambdaZip } from '../../../stacks/lambda-zip';
import type { HttpAnswer } from '../src/lambda';

jest.setTimeout(120_000);

/** What is deployed, as a process of its own, which takes an event a line and answers with a line. */
interface Lambda {
  invoke: (event: object) => Promise<HttpAnswer | null>;
  /** What else it wrote: its log, and its metrics. */
  log: () => string[];
  stop: () => void;
}

const RUNTIME = `
const { handler } = require(process.argv[1]);
require('node:readline').createInterface({ input: process.stdin }).on('line', async (line) => {
  const answer = await handler(JSON.parse(line)).catch((error) => ({ failed: String(error) }));
  console.log('ANSWER ' + JSON.stringify(answer ?? null));
});`;

let folder: string;
let bundle: string;
let aws: LocalAws;
let broker: LocalBroker;
let lambda: Lambda;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-broker-'));
  // The zip that the stack deploys, and Lambda's handler index.handler in it.
  const zip = lambdaZip(join(__dirname, '../../..'), 'services/broker/src/lambda.ts');
  await $({ quiet: true })`unzip -q ${zip} -d ${folder}`;
  bundle = join(folder, 'index.js');
  aws = await startLocalAws();
  broker = await startLocalBroker(aws);
  lambda = start({});
});
afterAll(async () => {
  lambda.stop();
  await broker.stop();
  await aws.stop();
  await rm(folder, { recursive: true });
});

function start(more: Record<string, string>): Lambda {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, ['-e', RUNTIME, bundle], {
    env: { ...broker.variables, AWS_LAMBDA_FUNCTION_NAME: 'kantox-broker-dev', ...more },
  });
  const log: string[] = [];
  const waiting: ((answer: HttpAnswer | null) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('ANSWER ')) waiting.shift()?.(JSON.parse(line.slice(7)) as HttpAnswer | null);
    else log.push(line);
  });
  return {
    invoke: (event) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        child.stdin.write(`${JSON.stringify(event)}\n`);
      }),
    log: () => log,
    stop: () => child.kill(),
  };
}

interface Asked {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

/**
 * As an HTTP API would pass it on, from the stage `local`. It hands the path over decoded, whereas REST APIs and
 * function URLs leave it as it is, and cuts it off at a question mark that was encoded; the query stays as it came.
 */
function eventOf({ method, path, headers = {}, body }: Asked) {
  const [encodedPath = '', rawQueryString = ''] = path.split('?');
  const [rawPath = ''] = decodeURIComponent(encodedPath).split('?');
  return {
    version: '2.0',
    rawPath: `/local${rawPath}`,
    rawQueryString,
    headers: { host: 'abc.execute-api.eu-west-1.amazonaws.com', ...headers },
    requestContext: { http: { method, sourceIp: '127.0.0.1' } },
    // API Gateway passes bodies on as text or, by the content type, in base64.
    ...(body !== undefined &&
      (headers['content-type'] === undefined
        ? { body: Buffer.from(body).toString('base64'), isBase64Encoded: true }
        : { body, isBase64Encoded: false })),
  };
}

async function askLambda(asked: Asked): Promise<Answer> {
  const answer = await lambda.invoke(eventOf(asked));
  if (!answer) throw new Error('The handler answered nothing.');
  return { status: answer.statusCode, headers: answer.headers, body: answer.body };
}

/** By node:http, which sends a path as it is. */
function askNode({ method, path, headers, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(broker.url);
    const sent = request({ hostname, port, method, path: `/local${path}`, headers }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** What differs between any two requests: tokens, credentials and moments. */
const CHANGING =
  /("(?:AWS_CONTAINER_AUTHORIZATION_TOKEN|AccessKeyId|SecretAccessKey|Token|Expiration|revokedBefore)":)"[^"]+"/g;
const COMPARED = ['content-type', 'cache-control', 'x-content-type-options', 'retry-after', 'allow'];

/** Everything that a client can meet, in an order in which it makes sense. */
async function all(ask: (asked: Asked) => Promise<Answer>) {
  const authorization = broker.headNodeSecret;
  const json = { authorization, 'content-type': 'application/json' };
  const facts = {
    sessionId: '77',
    projectId: 'example',
    clusterName: 'älpha +1 #☃',
    clusterUser: 'DOM\\jürgen+1 &müller;',
    submittedTime: 'now',
  };
  const user = encodeURIComponent(facts.clusterUser);
  const path = `/sessions/77/cluster/${encodeURIComponent(facts.clusterName)}/project/example?roleSessionName=n%201`;
  const seen: Answer[] = [];
  const say = async (asked: Asked) => {
    const { status, headers, body } = await ask(asked);
    const compared = Object.fromEntries(COMPARED.map((name) => [name, headers[name]]));
    seen.push({ status, headers: compared, body: body.replaceAll(CHANGING, '$1"…"') });
    return body;
  };
  const create = async () => {
    const answer = await say({
      method: 'POST',
      path: '/sessions',
      headers: json,
      body: JSON.stringify(facts),
    });
    return (JSON.parse(answer) as Record<string, string>).AWS_CONTAINER_AUTHORIZATION_TOKEN ?? '';
  };
  const token = await create();
  await say({ method: 'GET', path, headers: { authorization: token } });
  await say({ method: 'GET', path: '/health' });
  await say({ method: 'GET', path, headers: { authorization: 'wrong' } });
  await say({ method: 'GET', path });
  await say({ method: 'GET', path: path.replace('/77/', '/7%252F7/'), headers: { authorization: token } });
  await say({ method: 'GET', path: `${path}${'n'.repeat(600)}`, headers: { authorization: token } });
  await say({ method: 'GET', path: `/sessions?user=${user}`, headers: json });
  await say({ method: 'GET', path: '/sessions', headers: json });
  await say({ method: 'GET', path: '/projects', headers: json });
  await say({ method: 'GET', path: '/projects/none/role', headers: json });
  await say({ method: 'POST', path: '/sessions', headers: { authorization }, body: JSON.stringify(facts) });
  await say({ method: 'POST', path: '/sessions', headers: json, body: '{' });
  await say({ method: 'POST', path: '/sessions', headers: json, body: `"${'x'.repeat(20_000)}"` });
  await say({
    method: 'POST',
    path: '/sessions',
    headers: json,
    body: JSON.stringify({ ...facts, clusterUser: '' }),
  });
  for (const clusterUser of ['a/b', 'x?y', 'a%41', '..'])
    await say({
      method: 'POST',
      path: '/sessions',
      headers: json,
      body: JSON.stringify({ ...facts, clusterUser }),
    });
  // No user of that name is there, and it is not taken for another's: a%41 is no aA.
  await say({ method: 'DELETE', path: '/sessions/users/a%2541', headers: { authorization } });
  await say({
    method: 'POST',
    path: '/sessions',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  await say({ method: 'PATCH', path: '/sessions' });
  await say({ method: 'PUT', path: '/sessions/77', headers: json, body: '{"status":"DONE"}' });
  await say({ method: 'PUT', path: '/sessions/77', headers: json, body: '{"status":"COMPLETED"}' });
  await say({ method: 'PUT', path: '/sessions/77', headers: json, body: '{"status":"ACTIVE"}' });
  await create();
  await say({ method: 'DELETE', path: '/sessions/77', headers: { authorization } });
  await create();
  await say({ method: 'DELETE', path: `/sessions/users/${user}`, headers: { authorization } });
  await say({ method: 'DELETE', path: '/nothing' });
  return seen;
}

test('answers byte for byte as the Node server does', async () => {
  const [node, bundled] = [await all(askNode), await all(askLambda)];
  expect(node.map(({ status }) => status)).toEqual([
    200, 200, 200, 403, 401, 400, 400, 200, 400, 200, 404, 200, 400, 413, 400, 400, 400, 400, 400, 400, 401,
    405, 400, 200, 409, 200, 200, 200, 200, 404,
  ]);
  expect(bundled).toEqual(node);
  // The user was found by that name, with the one session that there was.
  expect(JSON.parse(node.at(-2)?.body ?? '')).toMatchObject({
    userId: 'DOM\\jürgen+1 &müller;',
    invalidated: 1,
  });
});

test('an encoded slash, which API Gateway takes for a slash, leads to nothing', async () => {
  const path = '/sessions/7%2F7/cluster/alpha/project/example';
  expect(await askLambda({ method: 'GET', path, headers: { authorization: 'any' } })).toMatchObject({
    status: 404,
  });
  const authorization = broker.headNodeSecret;
  expect(
    await askLambda({ method: 'DELETE', path: '/sessions/users/a%2Fb', headers: { authorization } }),
  ).toMatchObject({ status: 404 });
});

test('writes its counts as metrics that CloudWatch reads, and no secret', () => {
  const lines = lambda.log().map((line) => JSON.parse(line) as Record<string, unknown>);
  const metrics = lines.filter((line) => '_aws' in line);
  expect(metrics).toContainEqual(
    expect.objectContaining({
      _aws: expect.objectContaining({
        CloudWatchMetrics: [
          expect.objectContaining({ Namespace: 'Slipway/Broker', Dimensions: [['Broker']] }),
        ],
      }) as unknown,
      Broker: 'kantox-broker-dev',
      Requests: 1,
      Issued: 1,
      StsCalls: 1,
    }),
  );
  expect(metrics.filter(({ Refusals }) => Refusals === 1).length).toBeGreaterThan(10);
  expect(lambda.log().join('\n')).not.toContain(broker.headNodeSecret);
});

test('cleans up when EventBridge says so', async () => {
  expect(await lambda.invoke({ source: 'aws.events', 'detail-type': 'Scheduled Event' })).toBeNull();
});

test('with IAM for head nodes: believes API Gateway, and no header', async () => {
  const iam = start({ HEAD_NODE_AUTH: 'iam', HEAD_NODE_SECRET_ID: '' });
  const event = eventOf({
    method: 'GET',
    path: '/projects',
    headers: { authorization: broker.headNodeSecret },
  });
  expect(await iam.invoke(event)).toMatchObject({ statusCode: 401 });
  const signed = {
    ...event.requestContext,
    authorizer: { iam: { userArn: 'arn:aws:sts::123456789012:assumed-role/head-node/i-1' } },
  };
  expect(await iam.invoke({ ...event, requestContext: signed })).toMatchObject({ statusCode: 200 });
  iam.stop();
});

test('is small', async () => {
  // Cold starts read all of it: 1.2 MB where this was written.
  expect((await stat(bundle)).size).toBeLessThan(1.5 * 1024 * 1024);
});
