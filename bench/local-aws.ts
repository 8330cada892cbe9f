import { CreateTableCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { startLocalAws, type LocalAws } from '@slipway/local-aws';
import { startLocalRun } from '../scripts/local-run';
import { step } from '../scripts/steps';
import { cdktf } from '../scripts/terraform';
import { median, quantile, round } from './measure';
import type { Row } from './table';

const REQUESTS = 300;
const WARM_UP = 200;
const STATEMENTS = 20;
const DEPLOYS = 2;

export const title = `local-aws: through the front against moto directly, in one run.
Requests: medians of ${REQUESTS} of each kind, in turn; the caller is a user with a policy of ${STATEMENTS} statements.
Aim: under 3 ms added at the median. The ratio is to moto directly.
Deploy: cdktf deploy dev, the faster of ${DEPLOYS}, in turn. Aim: at most 1.1 times. Without: --requests.`;

export async function run(): Promise<Row[]> {
  const requests = await measureRequests();
  return process.argv.includes('--requests') ? requests : [...requests, ...(await measureDeploys())];
}

interface Kind {
  name: string;
  send: (options: Options) => () => Promise<unknown>;
}

interface Options {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  forcePathStyle: boolean;
}

const KINDS: Kind[] = [
  {
    name: 'ssm:GetParameter',
    send: (options) => {
      const client = new SSMClient(options);
      return () => client.send(new GetParameterCommand({ Name: '/bench/a' }));
    },
  },
  {
    name: 's3:PutObject of 1 KB',
    send: (options) => {
      const client = new S3Client(options);
      const Body = Buffer.alloc(1024);
      return () => client.send(new PutObjectCommand({ Bucket: 'bench', Key: 'a', Body }));
    },
  },
  {
    name: 's3:GetObject of 1 KB',
    send: (options) => {
      const client = new S3Client(options);
      return async () => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bench', Key: 'a' }));
        await Body?.transformToByteArray();
      };
    },
  },
  {
    name: 'dynamodb:GetItem',
    send: (options) => {
      const client = new DynamoDBClient(options);
      return () => client.send(new GetItemCommand({ TableName: 'bench', Key: { pk: { S: 'a' } } }));
    },
  },
  {
    name: 'ec2:DescribeVpcs',
    send: (options) => {
      const client = new EC2Client(options);
      return () => client.send(new DescribeVpcsCommand({}));
    },
  },
];

async function measureRequests(): Promise<Row[]> {
  const aws = await startLocalAws();
  try {
    const credentials = await makeCaller(aws);
    const to = (endpoint: string) => ({ endpoint, region: aws.region, credentials, forcePathStyle: true });
    const rows: Row[] = [];
    for (const { name, send } of KINDS) {
      const ways = [send(to(aws.endpoint)), send(to(aws.motoEndpoint))] as const;
      const times: [number[], number[]] = [[], []];
      for (let round = 0; round < WARM_UP + REQUESTS; round += 1)
        for (const [index, way] of ways.entries()) {
          const started = performance.now();
          await way();
          if (round >= WARM_UP) times[index as 0 | 1].push(performance.now() - started);
        }
      const [through, direct] = times.map(median) as [number, number];
      const late = quantile(times[0], 0.95) - quantile(times[1], 0.95);
      rows.push(
        { case: `${name}, moto directly`, value: round(direct), unit: 'ms', ratio: 1 },
        { case: `${name}, through the front`, value: round(through), unit: 'ms', ratio: through / direct },
        {
          case: `${name}, added (95th percentile: ${late.toFixed(1)} ms)`,
          value: round(through - direct),
          unit: 'ms',
          ratio: through / direct,
        },
      );
    }
    return rows;
  } finally {
    await aws.stop();
  }
}

/** A user with more to read than most, and what he asks for. */
async function makeCaller(aws: LocalAws): Promise<Options['credentials']> {
  const administrator = aws.administrators[aws.account];
  if (administrator === undefined) throw new Error('There is no administrator.');
  const options = {
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: administrator,
    forcePathStyle: true,
  };
  await new S3Client(options).send(new CreateBucketCommand({ Bucket: 'bench' }));
  await new SSMClient(options).send(
    new PutParameterCommand({ Name: '/bench/a', Value: 'value', Type: 'String' }),
  );
  await new DynamoDBClient(options).send(
    new CreateTableCommand({
      TableName: 'bench',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  const others = Array.from({ length: STATEMENTS - 1 }, (_, index) => ({
    Effect: 'Allow',
    Action: [`s3:Get*`, 'ssm:GetParameter'],
    Resource: [`arn:aws:s3:::other-${index}/*`, `arn:aws:ssm:*:*:parameter/other-${index}/*`],
    Condition: { StringEquals: { 'aws:RequestedRegion': aws.region } },
  }));
  const own = {
    Effect: 'Allow',
    Action: ['s3:GetObject', 's3:PutObject', 'ssm:GetParameter', 'dynamodb:GetItem', 'ec2:DescribeVpcs'],
    Resource: '*',
    Condition: { Bool: { 'aws:SecureTransport': 'true' } },
  };
  const iam = new IAMClient(options);
  await iam.send(new CreateUserCommand({ UserName: 'bench' }));
  await iam.send(
    new PutUserPolicyCommand({
      UserName: 'bench',
      PolicyName: 'bench',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [...others, own] }),
    }),
  );
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: 'bench' }));
  return { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' };
}

async function measureDeploys(): Promise<Row[]> {
  const times: Record<'through' | 'directly', number[]> = { through: [], directly: [] };
  for (let round = 1; round <= DEPLOYS; round += 1)
    for (const way of ['through', 'directly'] as const)
      times[way].push(await step(`deploy ${round} of ${DEPLOYS}, ${way}`, () => deploy(way)));
  const [through, directly] = [Math.min(...times.through), Math.min(...times.directly)];
  return [
    { case: 'deploy of dev, moto directly', value: round(directly), unit: 's', ratio: 1 },
    { case: 'deploy of dev, through the front', value: round(through), unit: 's', ratio: through / directly },
  ];
}

/** @returns seconds */
async function deploy(way: 'through' | 'directly'): Promise<number> {
  const run = await startLocalRun({ environment: 'dev' });
  try {
    const env = way === 'through' ? run.env : { ...run.env, AWS_ENDPOINT_URL: run.motoEndpoint };
    const started = performance.now();
    await cdktf(['deploy', 'dev', '--auto-approve'], { env });
    return (performance.now() - started) / 1000;
  } finally {
    await run.stop();
  }
}
