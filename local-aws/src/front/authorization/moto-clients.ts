import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECRClient } from '@aws-sdk/client-ecr';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';

/** moto takes the account that a request is for from this header. */
export const ACCOUNT_HEADER = 'x-moto-account-id';

/** The place that a question is about. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

const CLIENTS = {
  apigateway: APIGatewayClient,
  cloudformation: CloudFormationClient,
  cloudwatch: CloudWatchClient,
  dynamodb: DynamoDBClient,
  ec2: EC2Client,
  ecr: ECRClient,
  iam: IAMClient,
  kms: KMSClient,
  lambda: LambdaClient,
  logs: CloudWatchLogsClient,
  s3: S3Client,
  secretsmanager: SecretsManagerClient,
  ssm: SSMClient,
} as const;

type Name = keyof typeof CLIENTS;
type Client<N extends Name> = InstanceType<(typeof CLIENTS)[N]>;

/** As many of the middleware stack's types as all clients share. */
interface Adjustable {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: unknown) => Promise<unknown>) => (args: unknown) => Promise<unknown>,
      options: { step: 'build' },
    ): void;
  };
}

/**
 * The SDK's clients on moto itself, past all checks: for what a decision needs to know.
 *
 * @param endpoint of moto
 */
export function motoClients(endpoint: string): <N extends Name>(name: N, place: Place) => Client<N> {
  const made = new Map<string, unknown>();
  return (name, { account, region }) => {
    const id = [name, account, region].join('\n');
    let client = made.get(id);
    if (client === undefined) {
      client = new CLIENTS[name]({
        endpoint,
        region,
        credentials: { accessKeyId: 'AKIALOCALAWSFRONT000', secretAccessKey: 'unchecked' },
        maxAttempts: 1,
        ...(name === 's3' && { forcePathStyle: true }),
      });
      (client as Adjustable).middlewareStack.add(
        (next) => (args) => {
          const { request } = args as { request: { headers: Record<string, string> } };
          request.headers[ACCOUNT_HEADER] = account;
          return next(args);
        },
        { step: 'build' },
      );
      made.set(id, client);
    }
    return client as Client<typeof name>;
  };
}
