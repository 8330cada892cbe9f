import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { LocalAws } from '@slipway/local-aws';
import { startService, type RunningService } from './pair';

/** Names on the local AWS, which holds nothing else. */
export const LOCAL = {
  sessionsTable: 'slipway-broker-sessions',
  roleMappingTable: 'slipway-broker-role-mapping',
  secret: 'slipway-broker-head-node',
  user: 'slipway-broker',
  /** What the projects' roles are called in front of the project's name. */
  rolePrefix: 'slipway-project-',
  bucket: 'slipway-example-data',
  stage: 'local',
} as const;

export interface LocalBroker extends RunningService {
  /** The head node's secret. */
  headNodeSecret: string;
  /** ARN of a project's role, whether it is there or not. */
  roleArn: (project: string) => string;
  /** All that the broker was started with. */
  variables: Record<string, string>;
}

/**
 * What a broker needs on a local AWS: tables, secret, a user of its own that may do what the broker does and no more.
 *
 * @returns the broker's variables, and the head node's secret
 */
export async function prepareBroker(
  aws: LocalAws,
): Promise<{ variables: Record<string, string>; headNodeSecret: string }> {
  const { dynamodb, iam, secrets } = clients(aws);
  const arn = (service: string, resource: string) =>
    `arn:aws:${service}:${service === 'iam' ? '' : aws.region}:${aws.account}:${resource}`;
  await dynamodb.send(
    new CreateTableCommand({
      TableName: LOCAL.sessionsTable,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['SessionId', 'ClusterUser'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      KeySchema: [{ AttributeName: 'SessionId', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'ByUser',
          KeySchema: [
            { AttributeName: 'ClusterUser', KeyType: 'HASH' },
            { AttributeName: 'SessionId', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
  await dynamodb.send(
    new CreateTableCommand({
      TableName: LOCAL.roleMappingTable,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'ProjectId', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'ProjectId', KeyType: 'HASH' }],
    }),
  );
  const headNodeSecret = randomBytes(32).toString('base64url');
  await secrets.send(new CreateSecretCommand({ Name: LOCAL.secret, SecretString: headNodeSecret }));

  await iam.send(new CreateUserCommand({ UserName: LOCAL.user }));
  const allow = (Action: string[], Resource: string[]) => ({ Effect: 'Allow', Action, Resource });
  const sessions = arn('dynamodb', `table/${LOCAL.sessionsTable}`);
  const roles = [arn('iam', `role/${LOCAL.rolePrefix}*`)];
  await iam.send(
    new PutUserPolicyCommand({
      UserName: LOCAL.user,
      PolicyName: 'permissions',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          allow(
            ['BatchGetItem', 'PutItem', 'Query', 'UpdateItem'].map((action) => `dynamodb:${action}`),
            [sessions, `${sessions}/index/ByUser`],
          ),
          allow(
            ['BatchGetItem', 'Scan', 'UpdateItem'].map((action) => `dynamodb:${action}`),
            [arn('dynamodb', `table/${LOCAL.roleMappingTable}`)],
          ),
          allow(['secretsmanager:GetSecretValue'], [arn('secretsmanager', `secret:${LOCAL.secret}-??????`)]),
          allow(['sts:AssumeRole', 'sts:TagSession'], roles),
          allow(
            ['DeleteRolePolicy', 'GetRolePolicy', 'ListRolePolicies', 'PutRolePolicy'].map(
              (action) => `iam:${action}`,
            ),
            roles,
          ),
        ],
      }),
    }),
  );
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: LOCAL.user }));
  return {
    headNodeSecret,
    variables: {
      AWS_ENDPOINT_URL: aws.endpoint,
      AWS_REGION: aws.region,
      AWS_ACCESS_KEY_ID: key?.AccessKeyId ?? '',
      AWS_SECRET_ACCESS_KEY: key?.SecretAccessKey ?? '',
      SESSIONS_TABLE: LOCAL.sessionsTable,
      ROLE_MAPPING_TABLE: LOCAL.roleMappingTable,
      HEAD_NODE_SECRET_ID: LOCAL.secret,
    },
  };
}

/**
 * A project's role, which trusts the broker's user and may use the example bucket and take on roles further on.
 *
 * @param tags whether the trust policy lets session tags in @default true
 */
export async function makeProjectRole(
  aws: LocalAws,
  project: string,
  { tags = true }: { tags?: boolean } = {},
): Promise<string> {
  const { iam, s3 } = clients(aws);
  const RoleName = `${LOCAL.rolePrefix}${project}`;
  await s3.send(new CreateBucketCommand({ Bucket: LOCAL.bucket })).catch((error: unknown) => {
    if ((error as Error).name !== 'BucketAlreadyOwnedByYou') throw error;
  });
  await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: `arn:aws:iam::${aws.account}:user/${LOCAL.user}` },
            Action: ['sts:AssumeRole', ...(tags ? ['sts:TagSession'] : [])],
          },
        ],
      }),
    }),
  );
  await iam.send(
    new PutRolePolicyCommand({
      RoleName,
      PolicyName: 'permissions',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['s3:ListBucket', 's3:GetObject', 's3:PutObject'],
            Resource: [`arn:aws:s3:::${LOCAL.bucket}`, `arn:aws:s3:::${LOCAL.bucket}/*`],
          },
        ],
      }),
    }),
  );
  return `arn:aws:iam::${aws.account}:role/${RoleName}`;
}

/**
 * Starts the broker on a free port of 127.0.0.1, with all it needs on the local AWS, and the roles of the projects.
 *
 * @param projects whose roles are made and mapped @default ['example']
 * @param more variables besides
 */
export async function startLocalBroker(
  aws: LocalAws,
  { projects = ['example'], more = {} }: { projects?: string[]; more?: Record<string, string> } = {},
): Promise<LocalBroker> {
  const { variables, headNodeSecret } = await prepareBroker(aws);
  for (const project of projects) await makeProjectRole(aws, project);
  const port = more.PORT ?? String(await freePort());
  const all = { PUBLIC_URL: `http://127.0.0.1:${port}/${LOCAL.stage}`, ...variables, ...more };
  const service = await startService('broker', { ...all, PORT: port });
  const broker: LocalBroker = {
    ...service,
    headNodeSecret,
    variables: all,
    roleArn: (project) => `arn:aws:iam::${aws.account}:role/${LOCAL.rolePrefix}${project}`,
  };
  for (const project of projects) await mapProject(broker, project);
  return broker;
}

/** The broker tells jobs where it is, so it has to know before it listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Tells the broker of a project's role, as an operator does. A new trust policy may take AWS a moment. */
async function mapProject(broker: LocalBroker, project: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(`${broker.url}/projects/${encodeURIComponent(project)}/role`, {
      method: 'PUT',
      headers: { authorization: broker.headNodeSecret, 'content-type': 'application/json' },
      body: JSON.stringify({ roleArn: broker.roleArn(project) }),
    });
    if (answer.ok) return;
    if (attempt === 3) throw new Error(`PUT /projects/${project}/role: ${await answer.text()}`);
    await sleep(500);
  }
}

function clients(aws: LocalAws) {
  const options = {
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: aws.administrators[aws.account] ?? { accessKeyId: '', secretAccessKey: '' },
  };
  return {
    dynamodb: new DynamoDBClient(options),
    iam: new IAMClient(options),
    s3: new S3Client({ ...options, forcePathStyle: true }),
    secrets: new SecretsManagerClient(options),
  };
}
