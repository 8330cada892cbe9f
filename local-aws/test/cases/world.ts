import { Agent } from 'node:http';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { LocalAws } from '../../src';
import { asAdministrator, type ClientOptions } from '../clients';

export const ACCOUNT = '111122223333';
export const OTHER_ACCOUNT = '444455556666';
export const REGION = 'eu-west-1';

/** What is there for all cases to ask for; they change none of it. */
export interface World {
  aws: LocalAws;
  /** For clients of the SDK. */
  administrator: ClientOptions;
  otherAdministrator: ClientOptions;
  /** Bucket `cases-shared` with the objects `reports/1.csv` and `secret/1.csv`, without a policy. */
  bucket: string;
  /** ARN of a KMS key with IAM's default policy, alias `alias/cases`. */
  keyArn: string;
  /** Parameters `/cases/dev/config` and `/cases/prod/config`; table `cases` (partition key `pk`); repository `cases/app`; secret `cases/db`. */
  secretArn: string;
}

export async function makeWorld(aws: LocalAws): Promise<World> {
  // A case makes up to ten clients, and none of them needs a connection of its own. An idle one ends before the front ends it.
  const requestHandler = { httpAgent: new Agent({ keepAlive: true, timeout: 2_000 }) };
  const administrator = { ...asAdministrator(aws), requestHandler };
  const s3 = new S3Client(administrator);
  const bucket = 'cases-shared';
  await s3.send(
    new CreateBucketCommand({
      Bucket: bucket,
      CreateBucketConfiguration: { LocationConstraint: REGION },
    }),
  );
  for (const key of ['reports/1.csv', 'secret/1.csv'])
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'a,b\n' }));
  const kms = new KMSClient(administrator);
  const { KeyMetadata: key } = await kms.send(new CreateKeyCommand({}));
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/cases', TargetKeyId: key?.KeyId }));
  const ssm = new SSMClient(administrator);
  for (const environment of ['dev', 'prod'])
    await ssm.send(
      new PutParameterCommand({ Name: `/cases/${environment}/config`, Value: 'value', Type: 'String' }),
    );
  await new DynamoDBClient(administrator).send(
    new CreateTableCommand({
      TableName: 'cases',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  await new ECRClient(administrator).send(new CreateRepositoryCommand({ repositoryName: 'cases/app' }));
  const secret = await new SecretsManagerClient(administrator).send(
    new CreateSecretCommand({ Name: 'cases/db', SecretString: 'value' }),
  );
  return {
    aws,
    administrator,
    otherAdministrator: { ...asAdministrator(aws, OTHER_ACCOUNT), requestHandler },
    bucket,
    keyArn: key?.Arn ?? '',
    secretArn: secret.ARN ?? '',
  };
}
