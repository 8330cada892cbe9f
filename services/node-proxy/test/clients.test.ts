import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { fromHttp } from '@aws-sdk/credential-providers';
import { type Api, grants, refuses, type Reply, says, startApi } from './api';
import { type LocalProxy, startProxy } from './local-proxy';
import { pythonWithBoto3 } from './python';

jest.setTimeout(60_000);

/**
 * A client's surroundings, and what comes of them. PROXY stands for 127.0.0.1 and the proxy's port, PORT for the
 * port alone, FILE for a file with `tokenFile` in it.
 *
 * The cases are those of aws-sdk-php's uri-token-resolution.json (PHP), of aws-sdk-cpp's
 * GeneralHTTPCredentialsProviderTest (C++), and of aws-sdk-js-v3's fromHttp (JS), led to the proxy. Left out are
 * the addresses of ECS and EKS, on which no proxy of ours listens, and relative URIs, which mean them.
 */
interface Case {
  name: string;
  uri: string;
  token?: string;
  tokenFile?: string;
  /** The API's answer. @default - credentials */
  reply?: Reply;
  /** The path that the API sees, and the token; none when nothing is to get so far. */
  seen?: readonly [string, string];
  error?: true;
}

const path = (id: string) => `/dev/sessions/${id}/cluster/alpha/project/abc`;
const TOKEN = 'token';

const CASES: Case[] = [
  // PHP and C++, where the request goes
  { name: 'a forbidden host', uri: `http://192.168.1.1${path('1')}`, token: TOKEN, error: true },
  { name: 'a forbidden link-local host', uri: `http://169.254.170.3${path('2')}`, token: TOKEN, error: true },
  { name: 'a token file that is not there', uri: `http://PROXY${path('3')}`, tokenFile: '', error: true },
  {
    name: 'https, which the proxy does not speak',
    uri: `https://PROXY${path('4')}`,
    token: TOKEN,
    error: true,
  },
  { name: 'another loopback address', uri: `http://127.0.0.2:PORT${path('5')}`, token: TOKEN, error: true },
  { name: 'loopback (v4)', uri: `http://PROXY${path('6')}`, token: TOKEN, seen: [path('6'), TOKEN] },
  {
    name: 'loopback by name',
    uri: `http://localhost:PORT${path('7')}`,
    token: TOKEN,
    seen: [path('7'), TOKEN],
  },
  { name: 'loopback (v6)', uri: `http://[::1]:PORT${path('8')}`, token: TOKEN, seen: [path('8'), TOKEN] },
  {
    name: 'a complex URI',
    uri: `http://PROXY${path('9')}?roleSessionName=bar%20baz`,
    token: TOKEN,
    seen: [`${path('9')}?roleSessionName=bar%20baz`, TOKEN],
  },
  { name: 'a foreign parameter', uri: `http://PROXY${path('10')}?foo=bar%20baz`, token: TOKEN, error: true },
  {
    name: 'a token from a file',
    uri: `http://PROXY${path('11')}`,
    tokenFile: 'Basic static%20token',
    seen: [path('11'), 'Basic static%20token'],
  },
  {
    name: 'a token from the environment',
    uri: `http://PROXY${path('12')}`,
    token: 'Basic static%20token2',
    seen: [path('12'), 'Basic static%20token2'],
  },
  // JS
  {
    name: 'loopback (v6) in full',
    uri: `http://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT${path('13')}`,
    token: TOKEN,
    seen: [path('13'), TOKEN],
  },
  {
    name: 'the last loopback address',
    uri: `http://127.255.255.255:PORT${path('14')}`,
    token: TOKEN,
    error: true,
  },
  { name: 'no token', uri: `http://PROXY${path('15')}`, error: true },
  // C++ and JS, what the answer is
  {
    name: '401 with a code',
    uri: `http://PROXY${path('16')}`,
    token: TOKEN,
    reply: says(401, '{"Code":"TokenNotFound"}'),
    seen: [path('16'), TOKEN],
    error: true,
  },
  {
    name: '400',
    uri: `http://PROXY${path('17')}`,
    token: TOKEN,
    reply: refuses(400),
    seen: [path('17'), TOKEN],
    error: true,
  },
  {
    name: '429',
    uri: `http://PROXY${path('18')}`,
    token: TOKEN,
    reply: says(429, ''),
    seen: [path('18'), TOKEN],
    error: true,
  },
  {
    name: '301',
    uri: `http://PROXY${path('19')}`,
    token: TOKEN,
    reply: says(301, '', { location: `https://127.0.0.1/${path('6')}` }),
    seen: [path('19'), TOKEN],
    error: true,
  },
  {
    name: '500',
    uri: `http://PROXY${path('20')}`,
    token: TOKEN,
    reply: says(500, ''),
    seen: [path('20'), TOKEN],
    error: true,
  },
  {
    name: '200 with more than is needed',
    uri: `http://PROXY${path('21')}`,
    token: TOKEN,
    reply: says(
      200,
      '{"Foo":"Bar","AccessKeyId":"ASIA1","SecretAccessKey":"secret-1","Token":"token-1","AccountId":"111122223333","Expiration":"2099-06-30T00:00:00.000Z"}',
    ),
    seen: [path('21'), TOKEN],
  },
];
/** Processes of the CLI at once: each takes 0.7 s of a CPU to start, and waits between tries where it fails. */
const CLIS = 4;

/** An access key id, a secret and a session token with spaces between, or what went wrong. */
type Results = Record<string, string>;

let api: Api;
let proxy: LocalProxy;
let folder: string;
let results: Record<'JS' | 'boto3' | 'CLI', Results>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-clients-'));
  api = await startApi();
  api.reply = (response, request) => {
    const id = /sessions\/(\d+)/.exec(request.url ?? '')?.[1] ?? '';
    // Each session has its own grants, so that a mixed answer shows.
    const reply = CASES[Number(id) - 1]?.reply ?? grants();
    reply(response, request);
  };
  proxy = await startProxy(api, ['--ipv6']);
  const [js, boto3, cli] = await Promise.all([withJs(), withBoto3(), withCli()]);
  results = { JS: js, boto3, CLI: cli };
});
afterAll(async () => {
  await proxy.stop();
  await api.down();
  rmSync(folder, { recursive: true });
});

test.each(CASES)('the JS SDK: $name', ({ name, error }) => {
  expectResult(results.JS[name], error);
});
test.each(CASES)('boto3: $name', ({ name, error }) => {
  expectResult(results.boto3[name], error);
});
test.each(CASES)('the aws CLI: $name', ({ name, error }) => {
  expectResult(results.CLI[name], error, 'ASIA1 token-1');
});

test.each(CASES)('the API sees what was asked for, and nothing else: $name', ({ uri, seen }) => {
  const id = /sessions\/(\d+)\//.exec(uri)?.[1] ?? '';
  const heard = api.targets.flatMap((target, index) =>
    target.startsWith(`${path(id)}?`) || target === path(id) ? [`${target} ${api.tokens[index] ?? ''}`] : [],
  );
  expect([...new Set(heard)]).toEqual(seen ? [seen.join(' ')] : []);
});

test('a refusal reaches the JS SDK with code and message', async () => {
  api.reply = refuses(403);
  const uri = `http://127.0.0.1:${proxy.port}${path('22')}`;
  const options = {
    awsContainerCredentialsFullUri: uri,
    awsContainerAuthorizationToken: TOKEN,
    maxRetries: 0,
  };
  await expect(fromHttp(options)()).rejects.toMatchObject({
    Code: 'AccessDenied',
    Message: 'Not for this session, or it is not active.',
  });
});

/** What a client says that has not looked at its variables. */
const UNAWARE = /Unable to locate credentials|No HTTP credential provider host/;

function expectResult(
  result: string | undefined,
  error: true | undefined,
  expected = 'ASIA1 secret-1 token-1',
): void {
  if (!error) expect(result).toBe(expected);
  else {
    expect(result).toMatch(/^error: ./);
    expect(result).not.toMatch(UNAWARE);
  }
}

/** All that a client has in its environment. */
function environment({ name, uri, token, tokenFile }: Case): Record<string, string> {
  const file = join(folder, name.replaceAll(/\W/g, '-'));
  if (tokenFile) writeFileSync(file, tokenFile, { mode: 0o600 });
  return {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: uri
      .replace('PROXY', `127.0.0.1:${proxy.port}`)
      .replace('PORT', String(proxy.port)),
    ...(token !== undefined && { AWS_CONTAINER_AUTHORIZATION_TOKEN: token }),
    ...(tokenFile !== undefined && { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file }),
  };
}

/** Without options it reads its variables before it waits for anything, so that all cases can run at once. */
async function withJs(): Promise<Results> {
  const results = CASES.map(async (each): Promise<[string, string]> => {
    const surroundings = jest.replaceProperty(process, 'env', environment(each));
    const asked = fromHttp()();
    surroundings.restore();
    const result = await asked.then(
      ({ accessKeyId, secretAccessKey, sessionToken }) =>
        `${accessKeyId} ${secretAccessKey} ${sessionToken ?? ''}`,
      (error: unknown) => `error: ${String(error)}`,
    );
    return [each.name, result];
  });
  return Object.fromEntries(await Promise.all(results));
}

const WITH_BOTO3 = `
import json, sys
from concurrent.futures import ThreadPoolExecutor
import boto3, botocore.credentials

def one(case):
    name, environ = case
    try:
        found = botocore.credentials.ContainerProvider(environ=environ).load().get_frozen_credentials()
        return name, f'{found.access_key} {found.secret_key} {found.token}'
    except Exception as error:
        return name, f'error: {error!r}'

with ThreadPoolExecutor(32) as pool:
    results = dict(pool.map(one, json.load(sys.stdin)))
whole = boto3.Session().get_credentials().get_frozen_credentials()
results['loopback (v4)'] = f'{whole.access_key} {whole.secret_key} {whole.token}'
json.dump(results, sys.stdout)
`;

/** As a whole where it works at once; the others by boto3's own provider, side by side, since it waits between tries. */
async function withBoto3(): Promise<Results> {
  const [python, ...first] = await pythonWithBoto3();
  const [whole] = CASES.filter(({ name }) => name === 'loopback (v4)').map(environment);
  const cases = CASES.map((each) => [each.name, environment(each)]);
  return (await ran(python, [...first, '-c', WITH_BOTO3], whole ?? {}, JSON.stringify(cases))) as Results;
}

/** It signs a request to an STS of ours, which tells who it was. */
async function withCli(): Promise<Results> {
  const sts = createServer(({ headers }, response) => {
    const id = /Credential=(\w+)\//.exec(headers.authorization ?? '')?.[1] ?? '';
    const caller = `${id} ${String(headers['x-amz-security-token'])}`;
    const body = `<GetCallerIdentityResult><Arn>${caller}</Arn></GetCallerIdentityResult>`;
    response.end(`<GetCallerIdentityResponse>${body}</GetCallerIdentityResponse>`);
  }).listen(0, '127.0.0.1');
  await once(sts, 'listening');
  const { port } = sts.address() as AddressInfo;
  const args = ['sts', 'get-caller-identity', '--endpoint-url', `http://127.0.0.1:${port}`];
  const results: Results = {};
  const left = CASES.values();
  const oneAfterAnother = async () => {
    for (const each of left)
      results[each.name] = await ran('aws', args, {
        ...environment(each),
        AWS_DEFAULT_REGION: 'eu-west-1',
      }).then(
        (found) => (found as { Arn: string }).Arn,
        (error: unknown) => `error: ${(error as Error).message}`,
      );
  };
  await Promise.all(Array.from({ length: CLIS }, oneAfterAnother));
  sts.close();
  return results;
}

async function ran(
  command: string,
  args: string[],
  variables: Record<string, string>,
  input = '',
): Promise<unknown> {
  const { PATH, LANG } = process.env;
  const none = { HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null' };
  const env = { ...none, PATH, LANG, ...variables };
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const errors = text(child.stderr);
  return json(child.stdout).catch(async (error: unknown) => {
    throw new Error(`${command} said: ${await errors}`, { cause: error });
  });
}
