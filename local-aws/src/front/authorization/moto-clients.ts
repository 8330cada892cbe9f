import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { ApiGatewayV2Client } from '@aws-sdk/client-apigatewayv2';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECRClient } from '@aws-sdk/client-ecr';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SESv2Client } from '@aws-sdk/client-sesv2';
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
  apigatewayv2: ApiGatewayV2Client,
  cloudformation: CloudFormationClient,
  cloudwatch: CloudWatchClient,
  dynamodb: DynamoDBClient,
  ec2: EC2Client,
  ecr: ECRClient,
  events: EventBridgeClient,
  iam: IAMClient,
  kms: KMSClient,
  lambda: LambdaClient,
  logs: CloudWatchLogsClient,
  s3: S3Client,
  secretsmanager: SecretsManagerClient,
  ses: SESv2Client,
  ssm: SSMClient,
} as const;

type Name = keyof typeof CLIENTS;
type Client<N extends Name> = InstanceType<(typeof CLIENTS)[N]>;

/** A client for moto itself, past all checks: for what a decision needs to know. */
export type ClientFor = <N extends Name>(name: N, place: Place) => Client<N>;

/** As many of the middleware stack's types as all clients share. */
interface Adjustable {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: unknown) => Promise<unknown>) => (args: unknown) => Promise<unknown>,
      options: { step: 'build' },
    ): void;
  };
}

/** @param endpoint of moto */
export function motoClients(endpoint: string): ClientFor {
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
          return withRetries(() => next(args));
        },
        { step: 'build' },
      );
      made.set(id, client);
    }
    return client as Client<typeof name>;
  };
}

/** moto's threads share dictionaries without a lock, and now and then one trips over another. */
const ATTEMPTS = 4;

async function withRetries<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await send();
    } catch (error) {
      if (attempt === ATTEMPTS || statusOf(error) < 500) throw error;
    }
}

/** What there is, or undefined where moto says that there is none. */
export async function orNothing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const status = statusOf(error);
    if (status >= 400 && status < 500) return undefined;
    throw error;
  }
}

/** @returns 0 where there was no answer */
function statusOf(error: unknown): number {
  const { $metadata: metadata, $response: response } = error as {
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number };
  };
  return metadata?.httpStatusCode ?? response?.statusCode ?? 0;
}
