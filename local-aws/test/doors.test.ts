import { execFile } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  IAMClient,
  ListUsersCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DescribeParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { localEnvironment, startLocalAws, type LocalAws } from '../src';
import { asAdministrator, type ClientOptions } from './clients';
import { send, signed } from './raw-request';

jest.setTimeout(120_000);

const MEGABYTE = 1024 * 1024;
let aws: LocalAws;
let administrator: ClientOptions;
let s3: S3Client;
let folder: string;
beforeAll(async () => {
  aws = await startLocalAws();
  administrator = asAdministrator(aws);
  s3 = new S3Client(administrator);
  folder = mkdtempSync(path.join(tmpdir(), 'doors-'));
  await s3.send(new CreateBucketCommand({ Bucket: 'doors' }));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await aws.stop();
});

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
const digest = async (key: string) => {
  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: 'doors', Key: key }));
  return sha256(Buffer.from((await body?.transformToByteArray()) ?? []));
};
const keys = async (prefix: string) => {
  const { Contents: contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: 'doors', Prefix: prefix }),
  );
  return contents.map(({ Key: key }) => key);
};
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error as Error).name,
  );
/** Resident memory of the front's process, in megabytes. */
const memory = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${aws.pid}/status`, 'utf8'))?.[1]) / 1024;

describe('who', () => {
  const stranger = (change: Partial<ClientOptions['credentials']>): ClientOptions => ({
    ...administrator,
    credentials: { ...administrator.credentials, ...change },
  });
  /** A request of each service, with the code that it uses for a signature that is wrong, and for a key that it doesn't know. */
  const asked: [string, (options: ClientOptions) => Promise<unknown>, string, string][] = [
    [
      's3',
      (o) => new S3Client(o).send(new ListBucketsCommand({})),
      'SignatureDoesNotMatch',
      'InvalidAccessKeyId',
    ],
    [
      'sts',
      (o) => new STSClient(o).send(new GetCallerIdentityCommand({})),
      'SignatureDoesNotMatch',
      'InvalidClientTokenId',
    ],
    [
      'iam',
      (o) => new IAMClient(o).send(new ListUsersCommand({})),
      'SignatureDoesNotMatch',
      'InvalidClientTokenId',
    ],
    ['ec2', (o) => new EC2Client(o).send(new DescribeVpcsCommand({})), 'AuthFailure', 'AuthFailure'],
    [
      'ssm',
      (o) => new SSMClient(o).send(new DescribeParametersCommand({})),
      'InvalidSignatureException',
      'UnrecognizedClientException',
    ],
    [
      'lambda',
      (o) => new LambdaClient(o).send(new ListFunctionsCommand({})),
      'InvalidSignatureException',
      'UnrecognizedClientException',
    ],
    [
      'cloudwatch',
      (o) =>
        new CloudWatchClient(o).send(
          new PutMetricDataCommand({ Namespace: 'a', MetricData: [{ MetricName: 'b', Value: 1 }] }),
        ),
      'InvalidSignatureException',
      'UnrecognizedClientException',
    ],
  ];
  test.each(asked)(
    '%s refuses another secret and an unknown key in its own form',
    async (_name, ask, wrongSecret, unknownKey) => {
      expect(await errorOf(ask(administrator))).toBe('none');
      expect(await errorOf(ask(stranger({ secretAccessKey: 'x' })))).toBe(wrongSecret);
      expect(await errorOf(ask(stranger({ accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' })))).toBe(unknownKey);
      expect(await errorOf(ask(stranger({ sessionToken: 'made-up' })))).toBe(unknownKey);
    },
  );

  test('a key counts from its creation to its deletion, and not while it is inactive', async () => {
    const iam = new IAMClient(administrator);
    await iam.send(new CreateUserCommand({ UserName: 'keyed' }));
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: 'keyed' }));
    const user = { UserName: 'keyed', AccessKeyId: key?.AccessKeyId };
    const whoAmI = () =>
      errorOf(
        new STSClient({
          ...administrator,
          credentials: { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' },
        }).send(new GetCallerIdentityCommand({})),
      );

    expect(await whoAmI()).toBe('none');
    await iam.send(new UpdateAccessKeyCommand({ ...user, Status: 'Inactive' }));
    expect(await whoAmI()).toBe('InvalidClientTokenId');
    await iam.send(new UpdateAccessKeyCommand({ ...user, Status: 'Active' }));
    expect(await whoAmI()).toBe('none');
    await iam.send(new DeleteAccessKeyCommand(user));
    expect(await whoAmI()).toBe('InvalidClientTokenId');
  });

  test('a session ends with its time, and its token is its own', async () => {
    const role = await makeRole('ending');
    const take = async () => {
      const { Credentials: given } = await new STSClient(administrator).send(
        new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'session' }),
      );
      return {
        accessKeyId: given?.AccessKeyId ?? '',
        secretAccessKey: given?.SecretAccessKey ?? '',
        sessionToken: given?.SessionToken ?? '',
      };
    };
    const [one, other] = [await take(), await take()];
    const ask = (credentials: ClientOptions['credentials'], service: 's3' | 'sts' | 'ssm') => {
      const options = { ...administrator, credentials, maxAttempts: 1 };
      if (service === 'sts') return errorOf(new STSClient(options).send(new GetCallerIdentityCommand({})));
      if (service === 's3') return errorOf(new S3Client(options).send(new ListBucketsCommand({})));
      return errorOf(new SSMClient(options).send(new DescribeParametersCommand({})));
    };
    const { sessionToken: _token, ...tokenless } = one;

    expect(await ask(one, 'sts')).toBe('none');
    expect(await ask({ ...one, sessionToken: other.sessionToken }, 'sts')).toBe('InvalidClientTokenId');
    expect(await ask(tokenless, 'sts')).toBe('InvalidClientTokenId');

    expect(await aws.expireSessions({ accessKeyId: one.accessKeyId })).toBe(1);
    expect([await ask(one, 'sts'), await ask(one, 's3'), await ask(one, 'ssm')]).toEqual([
      'ExpiredToken',
      'ExpiredToken',
      'ExpiredTokenException',
    ]);
    expect(await ask(other, 'sts')).toBe('none');
  });

  test('nobody chooses an account for moto by its header', async () => {
    const headers = { 'x-moto-account-id': '999999999999' };
    const request = {
      method: 'GET',
      path: '/',
      headers: await signed(administrator, { method: 'GET', path: '/', headers }),
    };
    expect((await send(administrator, request)).body).toContain('<Name>doors</Name>');
  });

  test('the commands of the local AWS itself are for the administrator', async () => {
    const iam = new IAMClient(administrator);
    await iam.send(new CreateUserCommand({ UserName: 'curious' }));
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: 'curious' }));
    const curious = {
      ...administrator,
      credentials: { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' },
    };
    const request = { method: 'POST', path: '/_local-aws/decisions', body: '{}' };
    const refused = await send(curious, {
      ...request,
      headers: await signed(curious, { ...request, service: 'local-aws' }),
    });
    expect([refused.status, refused.body]).toEqual([
      403,
      expect.stringContaining("administrator's pair") as string,
    ]);
    expect((await send(curious, request)).status).toBe(403);
  });
});

describe('presigned URLs', () => {
  const get = (expiresIn: number) =>
    getSignedUrl(s3, new GetObjectCommand({ Bucket: 'doors', Key: 'presigned' }), { expiresIn });
  const put = (key: string) =>
    getSignedUrl(s3, new PutObjectCommand({ Bucket: 'doors', Key: key }), { expiresIn: 60 });

  test('put and get an object for as long as they last, and just that object', async () => {
    expect((await fetch(await put('presigned'), { method: 'PUT', body: 'by URL' })).status).toBe(200);
    const url = await get(1);
    expect(await (await fetch(url)).text()).toBe('by URL');
    expect((await fetch(url.replace('/presigned?', '/other?'))).status).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    expect((await fetch(url.replace('Expires=1', 'Expires=60'))).status).toBe(403);

    await sleep(2100);
    const late = await fetch(url);
    expect([late.status, await late.text()]).toEqual([
      403,
      expect.stringContaining('Request has expired') as string,
    ]);
  });

  test('take no header that was not signed with them', async () => {
    const answer = await fetch(await put('with-acl'), {
      method: 'PUT',
      body: 'x',
      headers: { 'x-amz-acl': 'public-read' },
    });
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining('not signed: x-amz-acl') as string,
    ]);
  });
});

describe('bodies', () => {
  const big = randomBytes(50 * MEGABYTE);
  let file: string;
  beforeAll(() => {
    file = path.join(folder, 'big');
    writeFileSync(file, big);
  });

  test('50 MB go through without being held', async () => {
    const headers = { 'x-amz-content-sha256': sha256(big), 'content-length': String(big.length) };
    const all = await signed(administrator, { method: 'PUT', path: '/doors/streamed', headers });
    const before = memory();
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, memory())), 10);
    const answer = await send(
      administrator,
      { method: 'PUT', path: '/doors/streamed', headers: all },
      (outgoing) => {
        createReadStream(file).pipe(outgoing);
      },
    );
    clearInterval(watch);
    expect(answer.status).toBe(200);
    expect(await digest('streamed')).toBe(sha256(big));
    expect(most - before).toBeLessThan(30);
  });

  test('a stream by the SDK, which sends its checksum behind it', async () => {
    const part = big.subarray(0, 2 * MEGABYTE);
    writeFileSync(`${file}.part`, part);
    await s3.send(
      new PutObjectCommand({
        Bucket: 'doors',
        Key: 'trailer',
        Body: createReadStream(`${file}.part`),
        ContentLength: part.length,
      }),
    );
    expect(await digest('trailer')).toBe(sha256(part));
  });

  test('50 MB by the aws CLI, which sends them in parts, and back', async () => {
    const env = localEnvironment(aws.variables);
    const run = promisify(execFile);
    await run('aws', ['s3', 'cp', file, 's3://doors/by-cli'], { env });
    expect(await digest('by-cli')).toBe(sha256(big));
    await run('aws', ['s3', 'cp', 's3://doors/by-cli', `${file}.back`], { env });
    expect(sha256(readFileSync(`${file}.back`))).toBe(sha256(big));
  });

  test('a body that is not the signed one leaves no object', async () => {
    const headers = { 'x-amz-content-sha256': sha256(big), 'content-length': String(big.length) };
    const request = { method: 'PUT', path: '/doors/forged', headers };
    const all = await signed(administrator, request);
    const forged = Buffer.from(big);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    const answer = await send(administrator, { ...request, headers: all, body: forged });
    expect([answer.status, answer.body]).toEqual([
      400,
      expect.stringContaining('XAmzContentSHA256Mismatch') as string,
    ]);
    expect(await keys('forged')).toEqual([]);
    expect((await send(administrator, { ...request, headers: all, body: big })).status).toBe(200);
    expect(await digest('forged')).toBe(sha256(big));
  });

  test('signed chunks are stored decoded, and not at all with a chunk of another signature', async () => {
    const chunks = [big.subarray(0, 64 * 1024), big.subarray(64 * 1024, 100_000)];
    const send64 = async (key: string, spoil: boolean) => {
      const { headers, body } = await inChunks(`/doors/${key}`, chunks, spoil);
      return send(administrator, { method: 'PUT', path: `/doors/${key}`, headers, body });
    };
    expect((await send64('chunked', false)).status).toBe(200);
    expect(await digest('chunked')).toBe(sha256(big.subarray(0, 100_000)));
    const answer = await send64('spoilt', true);
    expect([answer.status, answer.body]).toEqual([
      403,
      expect.stringContaining('SignatureDoesNotMatch') as string,
    ]);
    expect(await keys('spoilt')).toEqual([]);
  });

  test('a request that is cut off in the middle leaves no object, and nothing behind', async () => {
    const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': String(big.length) };
    const all = await signed(administrator, { method: 'PUT', path: '/doors/cut', headers });
    for (const bytes of [0, 1000, 20 * MEGABYTE]) {
      const cut = send(administrator, { method: 'PUT', path: '/doors/cut', headers: all }, (outgoing) => {
        outgoing.write(big.subarray(0, bytes));
        setTimeout(() => outgoing.destroy(), 100);
      });
      await expect(cut).rejects.toThrow();
    }
    await sleep(300);
    expect(await keys('cut')).toEqual([]);
  });

  test('whoever asks first is refused before he sends the body', async () => {
    const headers = {
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'content-length': String(big.length),
      expect: '100-continue',
    };
    const refused = await send(
      administrator,
      { method: 'PUT', path: '/doors/first', headers },
      (outgoing) => {
        outgoing.flushHeaders();
        outgoing.on('continue', () => outgoing.end(big));
      },
    );
    expect(refused.status).toBe(403);
    const all = await signed(administrator, { method: 'PUT', path: '/doors/first', headers });
    const taken = await send(
      administrator,
      { method: 'PUT', path: '/doors/first', headers: all },
      (outgoing) => {
        outgoing.flushHeaders();
        outgoing.on('continue', () => outgoing.end(big));
      },
    );
    expect(taken.status).toBe(200);
  });

  /** As S3's documentation has it; no SDK here sends these over plain HTTP. */
  async function inChunks(target: string, chunks: readonly Buffer[], spoil: boolean) {
    const decoded = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const line = (size: number) =>
      `${size.toString(16)};chunk-signature=${'0'.repeat(64)}\r\n`.length + size + 2;
    const length = [...chunks.map((chunk) => chunk.length), 0].reduce((sum, size) => sum + line(size), 0);
    const headers = await signed(administrator, {
      method: 'PUT',
      path: target,
      headers: {
        'content-encoding': 'aws-chunked',
        'content-length': String(length),
        'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
        'x-amz-decoded-content-length': String(decoded),
      },
    });
    const date = headers['x-amz-date'] ?? '';
    const scope = `${date.slice(0, 8)}/${aws.region}/s3/aws4_request`;
    const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
    const key = scope
      .split('/')
      .reduce<string | Buffer>(
        (previous, part) => hmac(previous, part),
        `AWS4${administrator.credentials.secretAccessKey}`,
      );
    let previous = /Signature=([0-9a-f]{64})/.exec(headers.authorization ?? '')?.[1] ?? '';
    const parts = [...chunks, Buffer.alloc(0)].map((chunk, index) => {
      const text = ['AWS4-HMAC-SHA256-PAYLOAD', date, scope, previous, sha256(''), sha256(chunk)].join('\n');
      previous = hmac(key, text).toString('hex');
      const signature = spoil && index === 1 ? '0'.repeat(64) : previous;
      return Buffer.concat([
        Buffer.from(`${chunk.length.toString(16)};chunk-signature=${signature}\r\n`),
        chunk,
        Buffer.from('\r\n'),
      ]);
    });
    return { headers, body: Buffer.concat(parts) };
  }
});

describe('what can be read in two ways is refused', () => {
  const outcome = async (
    request: Parameters<typeof signed>[1],
    raw: Partial<Parameters<typeof send>[1]> = {},
  ) => {
    const headers = await signed(administrator, request);
    return send(administrator, { ...request, ...raw, headers: { ...headers, ...raw.headers } });
  };

  test.each([
    [
      'an action twice',
      {
        method: 'POST',
        path: '/',
        service: 'iam',
        body: 'Action=ListUsers&Action=DeleteUser&UserName=keyed&Version=2010-05-08',
      },
    ],
    [
      'an action in URL and body',
      {
        method: 'POST',
        path: '/',
        service: 'iam',
        query: { Action: 'ListUsers' },
        body: 'Action=DeleteUser&UserName=keyed',
      },
    ],
    [
      'a parameter twice',
      { method: 'POST', path: '/', service: 'iam', body: 'Action=GetUser&UserName=keyed&UserName=curious' },
    ],
    ['two subresources', { method: 'GET', path: '/doors', query: { acl: '', policy: '' } }],
    ['a query parameter that S3 has not', { method: 'GET', path: '/doors', query: { surprise: '' } }],
  ])('%s', async (_what, given) => {
    const request = { ...given, headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    const bare = asUser(await makeUser('reader', { Effect: 'Allow', Action: '*', Resource: '*' }));
    const headers = await signed(bare, request);
    const answer = await send(bare, { ...request, headers });
    expect([answer.status, answer.body]).toEqual([
      403,
      expect.stringContaining("can't tell what this request needs") as string,
    ]);
  });

  test.each([['a path that cannot be decoded', { method: 'GET', path: '/doors/%zz' }]])(
    '%s',
    async (_what, request) => {
      expect((await send(administrator, request)).status).toBe(400);
    },
  );

  test('a body that is no JSON', async () => {
    const answer = await outcome({
      method: 'POST',
      path: '/',
      service: 'ssm',
      body: '{',
      headers: { 'x-amz-target': 'AmazonSSM.GetParameter' },
    });
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('not JSON') as string]);
  });
});

let made = 0;
async function makeUser(name: string, ...statements: object[]) {
  const iam = new IAMClient(administrator);
  const UserName = `${name}-${(made += 1)}`;
  await iam.send(new CreateUserCommand({ UserName }));
  await iam.send(
    new PutUserPolicyCommand({
      UserName,
      PolicyName: 'p',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: statements }),
    }),
  );
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' };
}

const asUser = (credentials: ClientOptions['credentials']): ClientOptions => ({
  ...administrator,
  credentials,
});

async function makeRole(name: string): Promise<string> {
  const trust = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${aws.account}:root` }, Action: 'sts:AssumeRole' },
    ],
  };
  const { Role: role } = await new IAMClient(administrator).send(
    new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: JSON.stringify(trust) }),
  );
  return role?.Arn ?? '';
}
