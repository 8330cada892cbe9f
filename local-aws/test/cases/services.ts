import {
  APIGatewayClient,
  CreateResourceCommand,
  CreateRestApiCommand,
  CreateStageCommand,
  DeleteRestApiCommand,
  GetRestApiCommand,
  UpdateRestApiCommand,
  type CreateRestApiCommandInput,
} from '@aws-sdk/client-api-gateway';
import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateRouteCommand,
  GetRoutesCommand,
} from '@aws-sdk/client-apigatewayv2';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  TagResourceCommand as TagLogsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  PutResourcePolicyCommand as PutTablePolicyCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import {
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  ListImagesCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda';
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutResourcePolicyCommand as PutSecretPolicyCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  SESClient,
  SendEmailCommand,
  SendRawEmailCommand,
  VerifyDomainIdentityCommand,
  VerifyEmailIdentityCommand,
} from '@aws-sdk/client-ses';
import { SendEmailCommand as SendEmailV2Command, SESv2Client } from '@aws-sdk/client-sesv2';
import type { Case, Who } from './case';
import { about, grant } from './making';
import { allow, deny, policy, type PolicyDocument, type Statement } from './policies';
import { ACCOUNT, OTHER_ACCOUNT, REGION, type World } from './world';

const here = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;

type Given = NonNullable<Case['given']>;
type Does = Case['does'];

/** One thing after the other. */
const inTurn =
  (...steps: Given[]): Given =>
  async (world, who) => {
    for (const step of steps) await step(world, who);
  };

/** A policy on the side of the resource, which it doesn't name. */
const resourcePolicy = (
  effect: Statement['Effect'],
  principal: Statement['Principal'],
  action: string,
  resource?: string,
): PolicyDocument =>
  policy({
    Effect: effect,
    Principal: principal,
    Action: action,
    ...(resource !== undefined && { Resource: resource }),
  });

const ECR_POLICIES = 'Amazon ECR User Guide, "Amazon ECR identity-based policy examples"';
const REPOSITORY_POLICIES = 'Amazon ECR User Guide, "Private repository policies"';
const ECR_TAGS = 'Amazon ECR User Guide, "Using tag-based access control"';

const repository = (name: string) => here('ecr', `repository/${name}`);

const newRepository =
  (tags: Record<string, string> = {}): Given =>
  ({ administrator }, { name }) =>
    new ECRClient(administrator).send(
      new CreateRepositoryCommand({
        repositoryName: name,
        tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );

const guardRepository =
  (effect: Statement['Effect'], action: string): Given =>
  ({ administrator }, { name, arn }) =>
    new ECRClient(administrator).send(
      new SetRepositoryPolicyCommand({
        repositoryName: name,
        policyText: JSON.stringify(resourcePolicy(effect, effect === 'Deny' ? '*' : { AWS: arn }, action)),
      }),
    );

const listsImages =
  (name?: string): Does =>
  (who) =>
    new ECRClient(who.options).send(new ListImagesCommand({ repositoryName: name ?? who.name }));

/** A repository in the other account. */
const elsewhere =
  (policyText?: PolicyDocument): Given =>
  async ({ otherAdministrator }, { name }) => {
    const client = new ECRClient(otherAdministrator);
    await client.send(new CreateRepositoryCommand({ repositoryName: name }));
    if (policyText !== undefined)
      await client.send(
        new SetRepositoryPolicyCommand({ repositoryName: name, policyText: JSON.stringify(policyText) }),
      );
  };

const describesImagesElsewhere: Does = ({ options, name }) =>
  new ECRClient(options).send(new DescribeImagesCommand({ registryId: OTHER_ACCOUNT, repositoryName: name }));

const createsRepository =
  (environment: string): Does =>
  ({ options, name }) =>
    new ECRClient(options).send(
      new CreateRepositoryCommand({
        repositoryName: name,
        tags: [{ Key: 'environment', Value: environment }],
      }),
    );

const DEV_REPOSITORIES = policy(
  allow('ecr:CreateRepository', '*', { StringEquals: { 'aws:RequestTag/environment': 'dev' } }),
  allow('ecr:TagResource', '*', { StringEquals: { 'aws:RequestTag/environment': 'dev' } }),
);

const ecr: Case[] = [
  {
    name: 'a token for the registry is given on all resources',
    source: `${ECR_POLICIES}, Accessing one Amazon ECR repository: ecr:GetAuthorizationToken on the resource *`,
    service: 'ecr',
    caller: { policies: [policy(allow('ecr:GetAuthorizationToken', '*'))] },
    does: ({ options }) => new ECRClient(options).send(new GetAuthorizationTokenCommand({})),
    expect: 'allowed',
  },
  {
    name: 'leave for a repository gives no token for the registry',
    source: `${ECR_POLICIES}, Accessing one Amazon ECR repository: ecr:GetAuthorizationToken on the resource *`,
    service: 'ecr',
    caller: { policies: [policy(allow('ecr:*', repository('cases/app')))] },
    does: ({ options }) => new ECRClient(options).send(new GetAuthorizationTokenCommand({})),
    expect: 'denied',
  },
  {
    name: 'the images of a repository can be listed by its ARN',
    source: `${ECR_POLICIES}, Accessing one Amazon ECR repository: ecr:ListImages on the repository's ARN`,
    service: 'ecr',
    caller: { policies: [policy(allow('ecr:ListImages', repository('cases/app')))] },
    does: listsImages('cases/app'),
    expect: 'allowed',
  },
  {
    name: 'the images of another repository can not be listed',
    source: `${ECR_POLICIES}, Accessing one Amazon ECR repository: access to one of the repositories`,
    service: 'ecr',
    caller: { policies: [policy(allow('ecr:ListImages', repository('cases/app')))] },
    given: newRepository(),
    does: listsImages(),
    expect: 'denied',
  },
  {
    name: 'a repository policy is enough for a user of the account',
    source: `${REPOSITORY_POLICIES}: a user needs to be allowed through either a repository policy or an IAM policy, not both`,
    service: 'ecr',
    given: inTurn(newRepository(), guardRepository('Allow', 'ecr:ListImages')),
    does: listsImages(),
    expect: 'allowed',
  },
  {
    name: 'a repository policy can deny what an IAM policy allows',
    source: `${REPOSITORY_POLICIES}: allowed through one and denied through the other, the action is denied`,
    service: 'ecr',
    caller: { policies: [policy(allow('ecr:*'))] },
    given: inTurn(newRepository(), guardRepository('Deny', 'ecr:ListImages')),
    does: listsImages(),
    expect: 'denied',
    says: /with an explicit deny in a resource-based policy/,
  },
  {
    name: 'a repository that is named can be described by its ARN',
    source:
      'Amazon ECR API Reference, "DescribeRepositories": repositoryNames is a list of repositories to describe; Service Authorization Reference, "Amazon Elastic Container Registry": its resource is the repository',
    service: 'ecr',
    caller: { policies: [policy(allow('ecr:DescribeRepositories', repository('cases/app')))] },
    does: ({ options }) =>
      new ECRClient(options).send(new DescribeRepositoriesCommand({ repositoryNames: ['cases/app'] })),
    expect: 'allowed',
  },
  {
    name: 'without names, all repositories are described, which takes leave for all',
    source:
      'Amazon ECR API Reference, "DescribeRepositories": if repositoryNames is not specified, then all repositories in a registry are described',
    service: 'ecr',
    caller: { policies: [policy(allow('ecr:DescribeRepositories', repository('cases/app')))] },
    does: ({ options }) => new ECRClient(options).send(new DescribeRepositoriesCommand({})),
    expect: 'denied',
  },
  {
    name: 'a repository of another account takes leave on both sides',
    source:
      'Amazon ECR User Guide, "Private repository policy examples", Allow another account; IAM User Guide, "Cross-account policy evaluation logic": both accounts must allow',
    service: 'ecr',
    caller: {
      policies: [
        policy(
          allow('ecr:DescribeImages', `arn:aws:ecr:${REGION}:${OTHER_ACCOUNT}:repository/\${aws:username}`),
        ),
      ],
    },
    given: elsewhere(resourcePolicy('Allow', { AWS: `arn:aws:iam::${ACCOUNT}:root` }, 'ecr:DescribeImages')),
    does: describesImagesElsewhere,
    expect: 'allowed',
  },
  {
    name: 'a repository of another account without a policy is closed',
    source: `${REPOSITORY_POLICIES}: by default, only the account that created the repository has access`,
    service: 'ecr',
    caller: { policies: [policy(allow('ecr:*'))] },
    given: elsewhere(),
    does: describesImagesElsewhere,
    expect: 'denied',
  },
  {
    name: 'a repository can be closed by its tag',
    source: `${ECR_TAGS}: access to all repositories unless they are tagged as key=environment,value=prod`,
    service: 'ecr',
    caller: {
      policies: [
        policy(
          allow('ecr:*'),
          deny('ecr:*', '*', { StringEquals: { 'ecr:ResourceTag/environment': 'prod' } }),
        ),
      ],
    },
    given: newRepository({ environment: 'prod' }),
    does: listsImages(),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'a repository is made with the tag that it must have',
    source: `${ECR_TAGS}: creating or tagging a repository as key=environment,value=dev only`,
    service: 'ecr',
    caller: { policies: [DEV_REPOSITORIES] },
    does: createsRepository('dev'),
    expect: 'allowed',
  },
  {
    name: 'a repository is not made with another value of its tag',
    source: `${ECR_TAGS}: creating or tagging a repository as key=environment,value=dev only`,
    service: 'ecr',
    caller: { policies: [DEV_REPOSITORIES] },
    does: createsRepository('prod'),
    expect: 'denied',
  },
];

const SECRET_POLICIES =
  'AWS Secrets Manager User Guide, "Permissions policy examples for AWS Secrets Manager"';
const SECRET_PERMISSIONS = 'AWS Secrets Manager User Guide, "Permissions reference for AWS Secrets Manager"';

const SECRETS_BY_TAGS =
  'IAM User Guide, "IAM tutorial: Define permissions to access AWS resources based on tags"';

const secretArn = (name: string) => here('secretsmanager', `secret:${name}`);

const newSecret =
  (tags: Record<string, string> = {}): Given =>
  ({ administrator }, { name }) =>
    new SecretsManagerClient(administrator).send(
      new CreateSecretCommand({
        Name: name,
        SecretString: 'value',
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );

const guardSecret =
  (effect: Statement['Effect']): Given =>
  ({ administrator }, { name, arn }) =>
    new SecretsManagerClient(administrator).send(
      new PutSecretPolicyCommand({
        SecretId: name,
        ResourcePolicy: JSON.stringify(
          resourcePolicy(effect, { AWS: arn }, 'secretsmanager:GetSecretValue', '*'),
        ),
      }),
    );

const getsSecret =
  (input: { SecretId?: string; VersionStage?: string } = {}): Does =>
  ({ options, name }) =>
    new SecretsManagerClient(options).send(new GetSecretValueCommand({ SecretId: name, ...input }));

const getsSharedSecret: Does = ({ options }, world) =>
  new SecretsManagerClient(options).send(new GetSecretValueCommand({ SecretId: world.secretArn }));

const CURRENT = policy(
  allow('secretsmanager:GetSecretValue', secretArn('cases/db-??????'), {
    StringEquals: { 'secretsmanager:VersionStage': 'AWSCURRENT' },
  }),
);

const SERVER_ABC = policy(
  allow('secretsmanager:DescribeSecret', '*', {
    StringEquals: { 'secretsmanager:ResourceTag/ServerName': 'ServerABC' },
  }),
);

const SAME_TEAM = policy(
  allow(['secretsmanager:Describe*', 'secretsmanager:Get*', 'secretsmanager:List*'], '*', {
    StringEquals: { 'aws:ResourceTag/access-team': '${aws:PrincipalTag/access-team}' },
  }),
);

const describesSecret: Does = ({ options, name }) =>
  new SecretsManagerClient(options).send(new DescribeSecretCommand({ SecretId: name }));

const secretsmanager: Case[] = [
  {
    name: 'six question marks match what is behind the name of a secret',
    source: `${SECRET_POLICIES}, Wildcards: six random characters are appended to secret names as part of their ARN`,
    service: 'secretsmanager',
    caller: { policies: [policy(allow('secretsmanager:GetSecretValue', secretArn('cases/db-??????')))] },
    does: getsSecret({ SecretId: 'cases/db' }),
    expect: 'allowed',
  },
  {
    name: 'the name of a secret is not the end of its ARN',
    source: `${SECRET_POLICIES}, Wildcards: six random characters are appended to secret names as part of their ARN`,
    service: 'secretsmanager',
    caller: { policies: [policy(allow('secretsmanager:GetSecretValue', secretArn('cases/db')))] },
    does: getsSecret({ SecretId: 'cases/db' }),
    expect: 'denied',
    says: /secretsmanager:GetSecretValue on resource: \S*secret:cases\/db-\w{6} /,
  },
  {
    name: 'a secret that is named is found by its whole ARN',
    source:
      'AWS Secrets Manager API Reference, "GetSecretValue": SecretId is the ARN or name of the secret; its resource is the secret',
    service: 'secretsmanager',
    caller: (world) => ({
      policies: [policy(allow('secretsmanager:GetSecretValue', world.secretArn))],
    }),
    does: getsSecret({ SecretId: 'cases/db' }),
    expect: 'allowed',
  },
  {
    name: 'secretsmanager:SecretId is the ARN of the secret',
    source:
      'Service Authorization Reference, "AWS Secrets Manager": secretsmanager:SecretId filters access by the SecretID value in the request, and is of type ARN',
    service: 'secretsmanager',
    caller: (world) => ({
      policies: [
        policy(
          allow('secretsmanager:GetSecretValue', '*', {
            ArnEquals: { 'secretsmanager:SecretId': world.secretArn },
          }),
        ),
      ],
    }),
    does: getsSharedSecret,
    expect: 'allowed',
  },
  {
    name: "secretsmanager:SecretId is not another secret's",
    source:
      'Service Authorization Reference, "AWS Secrets Manager": secretsmanager:SecretId filters access by the SecretID value in the request, and is of type ARN',
    service: 'secretsmanager',
    caller: (world) => ({
      policies: [
        policy(
          allow('secretsmanager:GetSecretValue', '*', {
            ArnEquals: { 'secretsmanager:SecretId': world.secretArn },
          }),
        ),
      ],
    }),
    given: newSecret(),
    does: getsSecret(),
    expect: 'denied',
  },
  {
    name: 'a secret that is not there yet can be made by six question marks',
    source: `${SECRET_POLICIES}, Wildcards: the ?????? syntax grants permissions to a secret that doesn't yet exist`,
    service: 'secretsmanager',
    caller: { policies: [policy(allow('secretsmanager:*', secretArn('${aws:username}-??????')))] },
    does: ({ options, name }) =>
      new SecretsManagerClient(options).send(new CreateSecretCommand({ Name: name, SecretString: 'value' })),
    expect: 'allowed',
  },
  {
    name: 'a version stage that the caller passes is matched',
    source: `${SECRET_PERMISSIONS}, Condition keys: callers must pass the matching parameter`,
    service: 'secretsmanager',
    caller: { policies: [CURRENT] },
    does: getsSecret({ SecretId: 'cases/db', VersionStage: 'AWSCURRENT' }),
    expect: 'allowed',
  },
  {
    name: 'a version stage that the caller does not pass is not there',
    source: `${SECRET_PERMISSIONS}, Condition keys: callers must pass the matching parameter or they are denied access`,
    service: 'secretsmanager',
    caller: { policies: [CURRENT] },
    does: getsSecret({ SecretId: 'cases/db' }),
    expect: 'denied',
  },
  {
    name: 'a secret can be described by its tag',
    source: `${SECRET_POLICIES}, Control access to secrets using tags: secretsmanager:ResourceTag/ServerName`,
    service: 'secretsmanager',
    caller: { policies: [SERVER_ABC] },
    given: newSecret({ ServerName: 'ServerABC' }),
    does: describesSecret,
    expect: 'allowed',
  },
  {
    name: 'a secret can not be described by another value of its tag',
    source: `${SECRET_POLICIES}, Control access to secrets using tags: secretsmanager:ResourceTag/ServerName`,
    service: 'secretsmanager',
    caller: { policies: [SERVER_ABC] },
    given: newSecret({ ServerName: 'ServerXYZ' }),
    does: describesSecret,
    expect: 'denied',
  },
  {
    name: 'a secret of the team of the role can be read',
    source: `${SECRETS_BY_TAGS}: aws:ResourceTag/access-team is \${aws:PrincipalTag/access-team}`,
    service: 'secretsmanager',
    caller: { kind: 'role', tags: { 'access-team': 'engineering' }, policies: [SAME_TEAM] },
    given: newSecret({ 'access-team': 'engineering' }),
    does: getsSecret(),
    expect: 'allowed',
  },
  {
    name: 'a secret of another team can not be read',
    source: `${SECRETS_BY_TAGS}: aws:ResourceTag/access-team is \${aws:PrincipalTag/access-team}`,
    service: 'secretsmanager',
    caller: { kind: 'role', tags: { 'access-team': 'quality' }, policies: [SAME_TEAM] },
    given: newSecret({ 'access-team': 'engineering' }),
    does: getsSecret(),
    expect: 'denied',
  },
  {
    name: 'a policy that is attached to the secret is enough',
    source: `${SECRET_POLICIES}, Permission to retrieve secret values: attached to a secret or to an identity, it grants the same permissions`,
    service: 'secretsmanager',
    given: inTurn(newSecret(), guardSecret('Allow')),
    does: getsSecret(),
    expect: 'allowed',
  },
  {
    name: 'a policy that is attached to the secret can deny',
    source:
      'IAM User Guide, "Policy evaluation logic": an explicit deny in a resource-based policy overrides any allow',
    service: 'secretsmanager',
    caller: { policies: [policy(allow('secretsmanager:*'))] },
    given: inTurn(newSecret(), guardSecret('Deny')),
    does: getsSecret(),
    expect: 'denied',
    says: /with an explicit deny in a resource-based policy/,
  },
  {
    name: 'a secret of several that may not be read is an error among their values',
    source:
      'AWS Secrets Manager API Reference, "BatchGetSecretValue": errors such as AccessDeniedException for any of the secrets are in Errors in the response',
    service: 'secretsmanager',
    caller: {
      policies: [
        policy(
          allow('secretsmanager:BatchGetSecretValue'),
          allow('secretsmanager:GetSecretValue', secretArn('${aws:username}-??????')),
        ),
      ],
    },
    given: newSecret(),
    does: async ({ options, name }) => {
      const { SecretValues: values = [], Errors: errors = [] } = await new SecretsManagerClient(options).send(
        new BatchGetSecretValueCommand({ SecretIdList: [name, 'cases/db'] }),
      );
      if (values.length !== 1 || values[0]?.Name !== name || errors.length !== 1)
        throw new Error(`${values.length} values and ${errors.length} errors`);
    },
    expect: 'allowed',
  },
  {
    name: 'several secrets take leave for the batch',
    source:
      'AWS Secrets Manager API Reference, "BatchGetSecretValue": requires secretsmanager:BatchGetSecretValue, and secretsmanager:GetSecretValue for each secret',
    service: 'secretsmanager',
    caller: { policies: [policy(allow('secretsmanager:GetSecretValue'))] },
    does: ({ options }) =>
      new SecretsManagerClient(options).send(new BatchGetSecretValueCommand({ SecretIdList: ['cases/db'] })),
    expect: 'denied',
    says: /secretsmanager:BatchGetSecretValue/,
  },
  {
    name: 'secrets can not be listed by their ARNs',
    source:
      'Service Authorization Reference, "AWS Secrets Manager": ListSecrets has no resource types, so that its statement needs the resource *',
    service: 'secretsmanager',
    caller: { policies: [policy(allow('secretsmanager:*', secretArn('*')))] },
    does: ({ options }) => new SecretsManagerClient(options).send(new ListSecretsCommand({})),
    expect: 'denied',
  },
];

const FINE_GRAINED =
  'Amazon DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control"';
const TRANSACTIONS = 'Amazon DynamoDB Developer Guide, "Using IAM with DynamoDB transactions"';

const table = (name: string) => here('dynamodb', `table/${name}`);

/** Named after the caller, with an index by score. */
const newTable: Given = ({ administrator }, { name }) =>
  new DynamoDBClient(administrator).send(
    new CreateTableCommand({
      TableName: name,
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'score', AttributeType: 'S' },
      ],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-score',
          KeySchema: [{ AttributeName: 'score', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );

const guardTable: Given = ({ administrator }, { name, arn }) =>
  new DynamoDBClient(administrator).send(
    new PutTablePolicyCommand({
      ResourceArn: table(name),
      Policy: JSON.stringify(
        resourcePolicy('Allow', { AWS: arn }, 'dynamodb:Query', `${table(name)}/index/by-score`),
      ),
    }),
  );

const OWN_ITEMS = policy(
  allow(
    [
      'dynamodb:GetItem',
      'dynamodb:BatchGetItem',
      'dynamodb:Query',
      'dynamodb:PutItem',
      'dynamodb:BatchWriteItem',
    ],
    table('cases'),
    { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['${aws:username}'] } },
  ),
);

const TWO_ATTRIBUTES = policy(
  allow(
    ['dynamodb:UpdateItem', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:BatchGetItem', 'dynamodb:Scan'],
    table('cases'),
    {
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['pk', 'score'] },
      StringEqualsIfExists: {
        'dynamodb:Select': 'SPECIFIC_ATTRIBUTES',
        'dynamodb:ReturnValues': ['NONE', 'UPDATED_OLD', 'UPDATED_NEW'],
      },
    },
  ),
);

const ONLY_IN_TRANSACTIONS = policy(
  allow(['dynamodb:PutItem', 'dynamodb:DeleteItem'], table('cases'), {
    'ForAnyValue:StringEquals': {
      'dynamodb:EnclosingOperation': ['TransactWriteItems', 'TransactGetItems'],
    },
  }),
);

const getsItem =
  (pk?: string, projection?: string): Does =>
  ({ options, name }) =>
    new DynamoDBClient(options).send(
      new GetItemCommand({
        TableName: 'cases',
        Key: { pk: { S: pk ?? name } },
        ProjectionExpression: projection,
      }),
    );

const queries =
  (pk?: string, input: Partial<QueryCommandInput> = {}): Does =>
  ({ options, name }) =>
    new DynamoDBClient(options).send(
      new QueryCommand({
        TableName: 'cases',
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: pk ?? name } },
        ...input,
      }),
    );

const queriesIndex: Does = ({ options, name }) =>
  new DynamoDBClient(options).send(
    new QueryCommand({
      TableName: name,
      IndexName: 'by-score',
      KeyConditionExpression: 'score = :score',
      ExpressionAttributeValues: { ':score': { S: '1' } },
    }),
  );

const scans: Does = ({ options }) =>
  new DynamoDBClient(options).send(new ScanCommand({ TableName: 'cases' }));

const updates =
  (returned: 'ALL_OLD' | 'UPDATED_NEW', expression = 'SET score = :score'): Does =>
  ({ options, name }) =>
    new DynamoDBClient(options).send(
      new UpdateItemCommand({
        TableName: 'cases',
        Key: { pk: { S: name } },
        UpdateExpression: expression,
        ExpressionAttributeValues: { ':score': { S: '1' } },
        ReturnValues: returned,
      }),
    );

const transacts: Does = ({ options, name }) =>
  new DynamoDBClient(options).send(
    new TransactWriteItemsCommand({
      TransactItems: [
        { Put: { TableName: 'cases', Item: { pk: { S: name } } } },
        { Delete: { TableName: 'cases', Key: { pk: { S: `${name}-2` } } } },
      ],
    }),
  );

const puts: Does = ({ options, name }) =>
  new DynamoDBClient(options).send(new PutItemCommand({ TableName: 'cases', Item: { pk: { S: name } } }));

const dynamodb: Case[] = [
  {
    name: 'an item with the key of the caller can be read',
    source: `${FINE_GRAINED}: dynamodb:LeadingKeys limits access to items whose partition key value matches, with ForAllValues`,
    service: 'dynamodb',
    caller: { policies: [OWN_ITEMS] },
    does: getsItem(),
    expect: 'allowed',
  },
  {
    name: "an item with another's key can not be read",
    source: `${FINE_GRAINED}: users can only access the items where the partition key value matches their user ID`,
    service: 'dynamodb',
    caller: { policies: [OWN_ITEMS] },
    does: getsItem('another'),
    expect: 'denied',
  },
  {
    name: "a query for another's key is denied",
    source: `${FINE_GRAINED}, example 1: dynamodb:Query is limited by dynamodb:LeadingKeys`,
    service: 'dynamodb',
    caller: { policies: [OWN_ITEMS] },
    does: queries('another'),
    expect: 'denied',
  },
  {
    name: "one item with another's key among several to write denies all",
    source: `${FINE_GRAINED}, example 1: ForAllValues on dynamodb:LeadingKeys for dynamodb:BatchWriteItem`,
    service: 'dynamodb',
    caller: { policies: [OWN_ITEMS] },
    does: ({ options, name }) =>
      new DynamoDBClient(options).send(
        new BatchWriteItemCommand({
          RequestItems: {
            cases: [name, 'another'].map((pk) => ({ PutRequest: { Item: { pk: { S: pk } } } })),
          },
        }),
      ),
    expect: 'denied',
  },
  {
    name: 'a scan is not in the policy for leading keys, and is denied',
    source: `${FINE_GRAINED}, example 1: the list of actions does not include Scan`,
    service: 'dynamodb',
    caller: { policies: [OWN_ITEMS] },
    does: scans,
    expect: 'denied',
  },
  {
    name: 'leading keys do not hold a scan back',
    source: `${FINE_GRAINED}, example 1: Scan returns all items regardless of the leading keys`,
    service: 'dynamodb',
    caller: {
      policies: [
        policy(
          allow(['dynamodb:GetItem', 'dynamodb:Scan'], table('cases'), {
            'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['${aws:username}'] },
          }),
        ),
      ],
    },
    does: scans,
    expect: 'allowed',
  },
  {
    name: 'attributes that are allowed can be read by their names',
    source: `${FINE_GRAINED}, example 2: access to only two specific attributes, with Select SPECIFIC_ATTRIBUTES`,
    service: 'dynamodb',
    caller: { policies: [TWO_ATTRIBUTES] },
    does: getsItem(undefined, 'pk, score'),
    expect: 'allowed',
  },
  {
    name: 'an attribute that is not allowed can not be read by its name',
    source: `${FINE_GRAINED}, example 2: access to only two specific attributes`,
    service: 'dynamodb',
    caller: { policies: [TWO_ATTRIBUTES] },
    does: getsItem(undefined, 'pk, password'),
    expect: 'denied',
  },
  {
    name: 'an item can not be read whole where attributes are held to a list',
    source: `${FINE_GRAINED}: StringEqualsIfExists on dynamodb:Select ensures that the app must always provide a list of specific attributes and can't request all attributes; Service Authorization Reference, "Amazon DynamoDB": GetItem has dynamodb:Select`,
    service: 'dynamodb',
    caller: { policies: [TWO_ATTRIBUTES] },
    does: getsItem(),
    expect: 'denied',
  },
  {
    name: 'a query without Select asks for all attributes',
    source: `${FINE_GRAINED}, example 2: the Select parameter always has a value, ALL_ATTRIBUTES unless otherwise specified`,
    service: 'dynamodb',
    caller: { policies: [TWO_ATTRIBUTES] },
    does: queries(),
    expect: 'denied',
  },
  {
    name: 'an attribute that is allowed can be updated',
    source: `${FINE_GRAINED}, example 2: the attributes can be read, written, or evaluated in a conditional write`,
    service: 'dynamodb',
    caller: { policies: [TWO_ATTRIBUTES] },
    does: updates('UPDATED_NEW'),
    expect: 'allowed',
  },
  {
    name: 'an update can not give back all attributes',
    source: `${FINE_GRAINED}, example 2: ReturnValues must be NONE, UPDATED_OLD, or UPDATED_NEW`,
    service: 'dynamodb',
    caller: { policies: [TWO_ATTRIBUTES] },
    does: updates('ALL_OLD'),
    expect: 'denied',
  },
  {
    name: 'an index is queried by leave for the index',
    source: `${FINE_GRAINED}, example 4: dynamodb:Query on table/GameScores/index/TopScoreDateTimeIndex`,
    service: 'dynamodb',
    caller: { policies: [policy(allow('dynamodb:Query', table('${aws:username}/index/by-score')))] },
    given: newTable,
    does: queriesIndex,
    expect: 'allowed',
  },
  {
    name: 'leave for a table is none for its indexes',
    source: `${FINE_GRAINED}, example 5: the policy names the table and the table's index as resources`,
    service: 'dynamodb',
    caller: { policies: [policy(allow('dynamodb:Query', table('${aws:username}')))] },
    given: newTable,
    does: queriesIndex,
    expect: 'denied',
    says: /dynamodb:Query on resource: \S*\/index\/by-score/,
  },
  {
    name: "a table's own policy is enough for a user of the account, and for its indexes",
    source:
      'Amazon DynamoDB Developer Guide, "Authorization with IAM identity-based policies and DynamoDB resource-based policies": for a principal of the same account, a resource-based policy is sufficient; the policy of a table also includes its indexes',
    service: 'dynamodb',
    given: inTurn(newTable, guardTable),
    does: queriesIndex,
    expect: 'allowed',
  },
  {
    name: 'a batch from two tables takes leave for both',
    source:
      'Amazon DynamoDB API Reference, "BatchGetItem": items from one or more tables; Service Authorization Reference, "Amazon DynamoDB": its resource is the table',
    service: 'dynamodb',
    caller: { policies: [policy(allow('dynamodb:BatchGetItem', table('cases')))] },
    given: newTable,
    does: ({ options, name }) =>
      new DynamoDBClient(options).send(
        new BatchGetItemCommand({
          RequestItems: Object.fromEntries(
            ['cases', name].map((each) => [each, { Keys: [{ pk: { S: '1' } }] }]),
          ),
        }),
      ),
    expect: 'denied',
    says: /dynamodb:BatchGetItem on resource: \S*table\/case-/,
  },
  {
    name: 'a transaction takes leave for what its parts do',
    source: `${TRANSACTIONS}: Put, Update, Delete and Get are governed by the permissions of PutItem, UpdateItem, DeleteItem and GetItem`,
    service: 'dynamodb',
    caller: { policies: [policy(allow(['dynamodb:PutItem', 'dynamodb:DeleteItem'], table('cases')))] },
    does: transacts,
    expect: 'allowed',
  },
  {
    name: 'a part of a transaction that is not allowed denies it all',
    source: `${TRANSACTIONS}: Put, Update, Delete and Get are governed by the permissions of PutItem, UpdateItem, DeleteItem and GetItem`,
    service: 'dynamodb',
    caller: { policies: [policy(allow('dynamodb:PutItem', table('cases')))] },
    does: transacts,
    expect: 'denied',
    says: /dynamodb:DeleteItem/,
  },
  {
    name: 'leave for transactions holds in a transaction',
    source: `${TRANSACTIONS}, example 2: allow only transactional operations, by dynamodb:EnclosingOperation`,
    service: 'dynamodb',
    caller: { policies: [ONLY_IN_TRANSACTIONS] },
    does: transacts,
    expect: 'allowed',
  },
  {
    name: 'leave for transactions does not hold outside of one',
    source: `${TRANSACTIONS}, example 2: allow only transactional operations, by dynamodb:EnclosingOperation`,
    service: 'dynamodb',
    caller: { policies: [ONLY_IN_TRANSACTIONS] },
    does: puts,
    expect: 'denied',
  },
  {
    name: 'a table that is named by its ARN is the same table',
    source:
      'Amazon DynamoDB API Reference, "GetItem": TableName is the name of the table; you can also provide its Amazon Resource Name (ARN)',
    service: 'dynamodb',
    caller: { policies: [policy(allow('dynamodb:GetItem', table('cases')))] },
    does: ({ options }) =>
      new DynamoDBClient(options).send(
        new GetItemCommand({ TableName: table('cases'), Key: { pk: { S: '1' } } }),
      ),
    expect: 'allowed',
  },
];

const LAMBDA_RESOURCES = 'AWS Lambda Developer Guide, "Resources and conditions for Lambda actions"';
const LAMBDA_IDENTITY = 'AWS Lambda Developer Guide, "Identity-based IAM policies for Lambda"';
const LAMBDA_RESOURCE = 'AWS Lambda Developer Guide, "Using resource-based policies for Lambda"';

const lambdaFunction = (name: string) => here('lambda', `function:${name}`);

const ROLE_OF_FUNCTIONS = `arn:aws:iam::${ACCOUNT}:role/\${aws:username}-role`;

const newRole: Given = ({ administrator }, { name }) =>
  new IAMClient(administrator).send(
    new CreateRoleCommand({
      RoleName: `${name}-role`,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      }),
    }),
  );

const createsFunction =
  (layer?: string): Does =>
  ({ options, name }) =>
    new LambdaClient(options).send(
      new CreateFunctionCommand({
        FunctionName: name,
        Role: `arn:aws:iam::${ACCOUNT}:role/${name}-role`,
        Runtime: 'nodejs20.x',
        Handler: 'index.handler',
        Code: { ZipFile: Buffer.from('zip') },
        ...(layer !== undefined && { Layers: [layer] }),
      }),
    );

/** A function with its version 1, and the alias `prod` of it. */
const newFunction = inTurn(newRole, async (world, who) => {
  await createsFunction()({ ...who, options: { ...who.options, ...world.administrator } }, world);
  const client = new LambdaClient(world.administrator);
  await client.send(new PublishVersionCommand({ FunctionName: who.name }));
  await client.send(new CreateAliasCommand({ FunctionName: who.name, Name: 'prod', FunctionVersion: '1' }));
});

const guardFunction =
  (principal: (who: Who) => string, qualifier?: string): Given =>
  ({ administrator }, who) =>
    new LambdaClient(administrator).send(
      new AddPermissionCommand({
        FunctionName: who.name,
        Qualifier: qualifier,
        StatementId: 'one',
        Action: 'lambda:InvokeFunction',
        Principal: principal(who),
      }),
    );

/** Lambda then checks the permission, and runs nothing. */
const invokes =
  (qualifier?: string): Does =>
  ({ options, name }) =>
    new LambdaClient(options).send(
      new InvokeCommand({ FunctionName: name, Qualifier: qualifier, InvocationType: 'DryRun' }),
    );

const addsPermission =
  (principal: string): Does =>
  ({ options, name }) =>
    new LambdaClient(options).send(
      new AddPermissionCommand({
        FunctionName: name,
        StatementId: 'new',
        Action: 'lambda:InvokeFunction',
        Principal: principal,
      }),
    );

const TO_SNS = policy(
  allow('lambda:AddPermission', lambdaFunction('${aws:username}'), {
    StringEquals: { 'lambda:Principal': 'sns.amazonaws.com' },
  }),
);

const newLayer: Given = ({ administrator }, { name }) =>
  new LambdaClient(administrator).send(
    new PublishLayerVersionCommand({ LayerName: name, Content: { ZipFile: Buffer.from('zip') } }),
  );

const createsFunctionWithLayer: Does = (who, world) =>
  createsFunction(here('lambda', `layer:${who.name}:1`))(who, world);

const OWN_LAYERS = [
  allow('lambda:CreateFunction', '*', {
    'ForAllValues:StringLike': { 'lambda:Layer': [`arn:aws:lambda:*:${ACCOUNT}:layer:*:*`] },
  }),
  allow('iam:PassRole', ROLE_OF_FUNCTIONS),
];

const lambda: Case[] = [
  {
    name: 'Invoke takes leave for InvokeFunction',
    source: `${LAMBDA_RESOURCES}: the action identifier lambda:InvokeFunction differs from the API operation Invoke`,
    service: 'lambda',
    caller: { policies: [policy(allow('lambda:InvokeFunction', lambdaFunction('${aws:username}')))] },
    given: newFunction,
    does: invokes(),
    expect: 'allowed',
  },
  {
    name: 'leave for the unqualified function is none for its alias',
    source: `${LAMBDA_RESOURCES}, Function resource names: a policy with the unqualified ARN denies requests that reference a qualified ARN`,
    service: 'lambda',
    caller: { policies: [policy(allow('lambda:InvokeFunction', lambdaFunction('${aws:username}')))] },
    given: newFunction,
    does: invokes('prod'),
    expect: 'denied',
    says: /lambda:InvokeFunction on resource: \S*:prod/,
  },
  {
    name: 'leave for any qualifier is leave for an alias',
    source: `${LAMBDA_RESOURCES}, Function resource names: with :* Lambda accepts any qualified ARN`,
    service: 'lambda',
    caller: { policies: [policy(allow('lambda:InvokeFunction', lambdaFunction('${aws:username}:*')))] },
    given: newFunction,
    does: invokes('prod'),
    expect: 'allowed',
  },
  {
    name: 'leave for any qualifier is none for the unqualified function',
    source: `${LAMBDA_RESOURCES}, Function resource names: with :* Lambda denies requests that reference the unqualified ARN`,
    service: 'lambda',
    caller: { policies: [policy(allow('lambda:InvokeFunction', lambdaFunction('${aws:username}:*')))] },
    given: newFunction,
    does: invokes(),
    expect: 'denied',
  },
  {
    name: "a function's own policy is enough for a user of the account",
    source: `${LAMBDA_RESOURCE}: a statement can have the ARN of a user as its principal; IAM User Guide, "Policy evaluation logic": in one account, a resource-based policy is enough`,
    service: 'lambda',
    given: inTurn(
      newFunction,
      guardFunction(({ arn }) => arn),
    ),
    does: invokes(),
    expect: 'allowed',
  },
  {
    name: 'a permission for an alias is none for the function',
    source:
      'AWS Lambda Developer Guide, "Lambda function aliases", Resource policies: invoking without the alias gets a permission error',
    service: 'lambda',
    given: inTurn(
      newFunction,
      guardFunction(({ arn }) => arn, 'prod'),
    ),
    does: invokes(),
    expect: 'denied',
  },
  {
    name: 'a service that may be let in can be let in',
    source: `${LAMBDA_RESOURCES}, Policy conditions: lambda:Principal restricts whom a user can grant invocation access to`,
    service: 'lambda',
    caller: { policies: [TO_SNS] },
    given: newFunction,
    does: addsPermission('sns.amazonaws.com'),
    expect: 'allowed',
  },
  {
    name: 'another account can not be let in where only a service may be',
    source: `${LAMBDA_RESOURCES}, Policy conditions: the principal must be Amazon SNS and not another service or account`,
    service: 'lambda',
    caller: { policies: [TO_SNS] },
    given: newFunction,
    does: addsPermission(OTHER_ACCOUNT),
    expect: 'denied',
  },
  {
    name: 'a function is made with leave to pass its role',
    source: `${LAMBDA_IDENTITY}, Function development: iam:PassRole on the execution role`,
    service: 'lambda',
    caller: {
      policies: [
        policy(
          allow('lambda:CreateFunction', lambdaFunction('${aws:username}')),
          allow('iam:PassRole', ROLE_OF_FUNCTIONS, {
            StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' },
          }),
        ),
      ],
    },
    given: newRole,
    does: createsFunction(),
    expect: 'allowed',
  },
  {
    name: 'a function is not made without leave to pass its role',
    source: `${LAMBDA_IDENTITY}, Function development: PassRole is used when you assign an execution role to a function`,
    service: 'iam',
    caller: { policies: [policy(allow('lambda:*'))] },
    given: newRole,
    does: createsFunction(),
    expect: 'denied',
    says: /iam:PassRole/,
  },
  {
    name: 'a layer of the account can be used where others can not',
    source: `${LAMBDA_IDENTITY}, Layer development and use: lambda:Layer requires that any layers come from the account`,
    service: 'lambda',
    caller: {
      policies: [policy(...OWN_LAYERS, allow('lambda:GetLayerVersion', here('lambda', 'layer:*:*')))],
    },
    given: inTurn(newRole, newLayer),
    does: createsFunctionWithLayer,
    expect: 'allowed',
  },
  {
    name: 'a layer of another account can not be used where only those of the account may be',
    source: `${LAMBDA_IDENTITY}, Layer development and use: lambda:Layer prevents users from using layers published by other accounts`,
    service: 'lambda',
    caller: { policies: [policy(...OWN_LAYERS, allow('lambda:GetLayerVersion'))] },
    given: newRole,
    does: createsFunction(`arn:aws:lambda:${REGION}:${OTHER_ACCOUNT}:layer:shared:1`),
    expect: 'denied',
    says: /lambda:CreateFunction/,
    beyondMoto: true,
  },
  {
    name: 'a layer takes leave to get its version',
    source:
      'AWS Lambda Developer Guide, "Using layers with your Lambda function": to use a function with a layer, you need permission to call GetLayerVersion on the layer version',
    service: 'lambda',
    caller: { policies: [policy(...OWN_LAYERS)] },
    given: inTurn(newRole, newLayer),
    does: createsFunctionWithLayer,
    expect: 'denied',
    says: /lambda:GetLayerVersion/,
  },
  {
    name: 'an event source is mapped to the functions of a condition alone',
    source: `${LAMBDA_RESOURCES}, Event source mapping actions: lambda:FunctionArn lets you restrict which functions a user can configure an event source to invoke`,
    service: 'lambda',
    caller: {
      policies: [
        policy(
          allow('lambda:CreateEventSourceMapping', '*', {
            StringLike: { 'lambda:FunctionArn': 'arn:aws:lambda:*:*:function:intern-*' },
          }),
        ),
      ],
    },
    given: newFunction,
    does: ({ options, name }) =>
      new LambdaClient(options).send(
        new CreateEventSourceMappingCommand({
          FunctionName: name,
          EventSourceArn: here('sqs', 'queue'),
        }),
      ),
    expect: 'denied',
    beyondMoto: true,
  },
  {
    name: 'functions are listed on all resources',
    source: `${LAMBDA_RESOURCES}, Function actions: ListFunctions has the resource *`,
    service: 'lambda',
    caller: { policies: [policy(allow('lambda:ListFunctions', '*'))] },
    does: ({ options }) => new LambdaClient(options).send(new ListFunctionsCommand({})),
    expect: 'allowed',
  },
  {
    name: 'functions are not listed by their ARNs',
    source: `${LAMBDA_RESOURCES}, Function actions: ListFunctions has the resource *`,
    service: 'lambda',
    caller: { policies: [policy(allow('lambda:*', lambdaFunction('*')))] },
    does: ({ options }) => new LambdaClient(options).send(new ListFunctionsCommand({})),
    expect: 'denied',
  },
];

const NAMESPACES =
  'Amazon CloudWatch User Guide, "Using condition keys to limit access to CloudWatch namespaces"';
const ALARM_ACTIONS = 'Amazon CloudWatch User Guide, "Using condition keys to limit alarm actions"';

const putsMetric =
  (namespace: string): Does =>
  ({ options }) =>
    new CloudWatchClient(options).send(
      new PutMetricDataCommand({ Namespace: namespace, MetricData: [{ MetricName: 'requests', Value: 1 }] }),
    );

const putsAlarm =
  (...actions: string[]): Does =>
  ({ options, name }) =>
    new CloudWatchClient(options).send(
      new PutMetricAlarmCommand({
        AlarmName: name,
        Namespace: 'Cases',
        MetricName: 'requests',
        Statistic: 'Sum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanThreshold',
        AlarmActions: actions,
      }),
    );

const newAlarms: Given = async (world, who) => {
  const administrator = { ...who, options: { ...who.options, ...world.administrator } };
  for (const name of [who.name, `${who.name}-2`]) await putsAlarm()({ ...administrator, name }, world);
};

const deletesAlarms =
  (...endings: string[]): Does =>
  ({ options, name }) =>
    new CloudWatchClient(options).send(
      new DeleteAlarmsCommand({ AlarmNames: endings.map((ending) => `${name}${ending}`) }),
    );

const MY_NAMESPACE = policy(
  allow('cloudwatch:PutMetricData', '*', {
    StringEquals: { 'cloudwatch:namespace': 'MyCustomNamespace' },
  }),
);

const SNS_AND_SSM_ACTIONS = policy(
  allow('cloudwatch:PutMetricAlarm', '*', {
    'ForAllValues:StringLike': { 'cloudwatch:AlarmActions': ['arn:aws:sns:*', 'arn:aws:ssm:*'] },
  }),
);

const cloudwatch: Case[] = [
  {
    name: 'a metric can be published in the namespace of the condition',
    source: `${NAMESPACES}: publishing in one namespace only`,
    service: 'cloudwatch',
    caller: { policies: [MY_NAMESPACE] },
    does: putsMetric('MyCustomNamespace'),
    expect: 'allowed',
  },
  {
    name: 'a metric can not be published in another namespace',
    source: `${NAMESPACES}: publishing in one namespace only`,
    service: 'cloudwatch',
    caller: { policies: [MY_NAMESPACE] },
    does: putsMetric('CustomNamespace2'),
    expect: 'denied',
  },
  {
    name: 'an alarm can notify a topic where it may not act on instances',
    source: `${ALARM_ACTIONS}: ForAllValues on cloudwatch:AlarmActions`,
    service: 'cloudwatch',
    caller: { policies: [SNS_AND_SSM_ACTIONS] },
    does: putsAlarm(here('sns', 'operators')),
    expect: 'allowed',
  },
  {
    name: 'an alarm can not act on instances beside notifying a topic',
    source: `${ALARM_ACTIONS}: the user can't create alarms that perform EC2 actions`,
    service: 'cloudwatch',
    caller: { policies: [SNS_AND_SSM_ACTIONS] },
    does: putsAlarm(here('sns', 'operators'), `arn:aws:automate:${REGION}:ec2:terminate`),
    expect: 'denied',
  },
  {
    name: 'an alarm is deleted by its ARN',
    source:
      'Service Authorization Reference, "Amazon CloudWatch": DeleteAlarms has the resource alarm, arn:…:alarm:${AlarmName}',
    service: 'cloudwatch',
    caller: {
      policies: [policy(allow('cloudwatch:DeleteAlarms', here('cloudwatch', 'alarm:${aws:username}')))],
    },
    given: newAlarms,
    does: deletesAlarms(''),
    expect: 'allowed',
  },
  {
    name: 'one alarm of two that may not be deleted denies the request',
    source:
      'Service Authorization Reference, "Amazon CloudWatch": DeleteAlarms has the resource alarm, arn:…:alarm:${AlarmName}; all that a request names must be allowed',
    service: 'cloudwatch',
    caller: {
      policies: [policy(allow('cloudwatch:DeleteAlarms', here('cloudwatch', 'alarm:${aws:username}')))],
    },
    given: newAlarms,
    does: deletesAlarms('', '-2'),
    expect: 'denied',
    says: /alarm:case-\d+-2/,
  },
  {
    name: 'without names, all alarms are described, which takes leave for all',
    source:
      'Amazon CloudWatch API Reference, "DescribeAlarms": retrieves the specified alarms; Service Authorization Reference, "Amazon CloudWatch": its resource is the alarm',
    service: 'cloudwatch',
    caller: {
      policies: [policy(allow('cloudwatch:DescribeAlarms', here('cloudwatch', 'alarm:${aws:username}')))],
    },
    given: newAlarms,
    does: ({ options }) => new CloudWatchClient(options).send(new DescribeAlarmsCommand({})),
    expect: 'denied',
  },
];

const LOG_GROUP_ARN = 'Amazon CloudWatch Logs API Reference, "LogGroup"';
const LOG_POLICIES =
  'Amazon CloudWatch Logs User Guide, "Using identity-based policies (IAM policies) for CloudWatch Logs"';

const logGroup = (name: string) => here('logs', `log-group:${name}`);

const newLogGroup =
  (tags?: Record<string, string>): Given =>
  ({ administrator }, { name }) =>
    new CloudWatchLogsClient(administrator).send(new CreateLogGroupCommand({ logGroupName: name, tags }));

const newLogStream: Given = ({ administrator }, { name }) =>
  new CloudWatchLogsClient(administrator).send(
    new CreateLogStreamCommand({ logGroupName: name, logStreamName: 'one' }),
  );

const keepsLogs: Does = ({ options, name }) =>
  new CloudWatchLogsClient(options).send(
    new PutRetentionPolicyCommand({ logGroupName: name, retentionInDays: 7 }),
  );

const tagsLogs: Does = ({ options, name }) =>
  new CloudWatchLogsClient(options).send(
    new TagLogsCommand({ resourceArn: logGroup(name), tags: { Team: 'Green' } }),
  );

const logsEvent: Does = ({ options, name }) =>
  new CloudWatchLogsClient(options).send(
    new PutLogEventsCommand({
      logGroupName: name,
      logStreamName: 'one',
      logEvents: [{ timestamp: Date.now(), message: 'hello' }],
    }),
  );

const GREEN = policy(allow('logs:*', '*', { StringLike: { 'aws:ResourceTag/Team': 'Green' } }));

const logs: Case[] = [
  {
    name: 'a log group is matched by its ARN with an asterisk behind it',
    source: `${LOG_GROUP_ARN}: the ARN with a trailing :* is for IAM policies for most API actions`,
    service: 'logs',
    caller: { policies: [policy(allow('logs:PutRetentionPolicy', logGroup('${aws:username}:*')))] },
    given: newLogGroup(),
    does: keepsLogs,
    expect: 'allowed',
  },
  {
    name: 'a log group is not matched by its ARN with nothing behind it',
    source: `${LOG_GROUP_ARN}: the ARN with a trailing :* is for IAM policies for most API actions`,
    service: 'logs',
    caller: { policies: [policy(allow('logs:PutRetentionPolicy', logGroup('${aws:username}')))] },
    given: newLogGroup(),
    does: keepsLogs,
    expect: 'denied',
  },
  {
    name: 'a log group is tagged by its ARN with nothing behind it',
    source: `${LOG_GROUP_ARN}: the permissions for TagResource require the ARN that doesn't include a trailing :*`,
    service: 'logs',
    caller: { policies: [policy(allow('logs:TagResource', logGroup('${aws:username}')))] },
    given: newLogGroup(),
    does: tagsLogs,
    expect: 'allowed',
  },
  {
    name: 'a log group is not tagged by its ARN with an asterisk behind it',
    source: `${LOG_GROUP_ARN}: the permissions for TagResource require the ARN that doesn't include a trailing :*`,
    service: 'logs',
    caller: { policies: [policy(allow('logs:TagResource', logGroup('${aws:username}:*')))] },
    given: newLogGroup(),
    does: tagsLogs,
    expect: 'denied',
  },
  {
    name: 'events are put by the ARN of their stream',
    source:
      'Amazon CloudWatch Logs User Guide, "Overview of managing access permissions": a log stream is log-group:log_group_name:log-stream:log-stream-name',
    service: 'logs',
    caller: {
      policies: [policy(allow('logs:PutLogEvents', logGroup('${aws:username}:log-stream:one')))],
    },
    given: inTurn(newLogGroup(), newLogStream),
    does: logsEvent,
    expect: 'allowed',
  },
  {
    name: 'events are not put by the ARN of another stream',
    source:
      'Amazon CloudWatch Logs User Guide, "Overview of managing access permissions": a log stream is log-group:log_group_name:log-stream:log-stream-name',
    service: 'logs',
    caller: {
      policies: [policy(allow('logs:PutLogEvents', logGroup('${aws:username}:log-stream:two')))],
    },
    given: inTurn(newLogGroup(), newLogStream),
    does: logsEvent,
    expect: 'denied',
    says: /log-stream:one/,
  },
  {
    name: 'log groups are described on all resources',
    source:
      'Service Authorization Reference, "Amazon CloudWatch Logs": DescribeLogGroups has no resource types, so that its statement needs the resource *',
    service: 'logs',
    caller: { policies: [policy(allow('logs:DescribeLogGroups', '*'))] },
    does: ({ options }) => new CloudWatchLogsClient(options).send(new DescribeLogGroupsCommand({})),
    expect: 'allowed',
  },
  {
    name: 'log groups are not described by the ARN of one',
    source:
      'Service Authorization Reference, "Amazon CloudWatch Logs": DescribeLogGroups has no resource types, so that its statement needs the resource *',
    service: 'logs',
    caller: { policies: [policy(allow('logs:DescribeLogGroups', logGroup('${aws:username}:*')))] },
    given: newLogGroup(),
    does: ({ options, name }) =>
      new CloudWatchLogsClient(options).send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name })),
    expect: 'denied',
  },
  {
    name: 'a log group with the tag of the condition is open',
    source: `${LOG_POLICIES}, Use tagging and IAM policies for control at the log group level: Team is Green`,
    service: 'logs',
    caller: { policies: [GREEN] },
    given: newLogGroup({ Team: 'Green' }),
    does: keepsLogs,
    expect: 'allowed',
  },
  {
    name: 'a log group with another value of the tag is closed',
    source: `${LOG_POLICIES}, Use tagging and IAM policies for control at the log group level: Team is Green`,
    service: 'logs',
    caller: { policies: [GREEN] },
    given: newLogGroup({ Team: 'Blue' }),
    does: keepsLogs,
    expect: 'denied',
  },
];

const SES_ACCESS = 'Amazon SES Developer Guide, "Identity and access management in Amazon SES"';
const SENDS_MAIL = ['ses:SendEmail', 'ses:SendRawEmail'];

const MESSAGE = { Subject: { Data: 'Hello' }, Body: { Text: { Data: 'Hello.' } } };

const sender = ({ name }: Who) => `${name}@example.com`;

const newSender: Given = ({ administrator }, who) =>
  new SESClient(administrator).send(new VerifyEmailIdentityCommand({ EmailAddress: sender(who) }));

interface Mail {
  to?: string[];
  cc?: string[];
  returnPath?: string;
  displayName?: string;
}

const sendsMail =
  ({ to = ['one@example.com'], cc, returnPath, displayName }: Mail = {}): Does =>
  (who) =>
    new SESClient(who.options).send(
      new SendEmailCommand({
        Source: displayName === undefined ? sender(who) : `${displayName} <${sender(who)}>`,
        Destination: { ToAddresses: to, CcAddresses: cc },
        ReturnPath: returnPath,
        Message: MESSAGE,
      }),
    );

const sendsMailV2: Does = (who) =>
  new SESv2Client(who.options).send(
    new SendEmailV2Command({
      FromEmailAddress: sender(who),
      Destination: { ToAddresses: ['one@example.com'] },
      Content: { Simple: MESSAGE },
    }),
  );

const sendsRawMail =
  (to: string): Does =>
  (who) =>
    new SESClient(who.options).send(
      new SendRawEmailCommand({
        RawMessage: {
          Data: Buffer.from(`From: ${sender(who)}\r\nTo: ${to}\r\nSubject: Hello\r\n\r\nHello.\r\n`),
        },
      }),
    );

const TO_EXAMPLE_COM = policy(
  allow(SENDS_MAIL, '*', { 'ForAllValues:StringLike': { 'ses:Recipients': ['*@example.com'] } }),
);
const FROM_ONESELF = policy(
  allow(SENDS_MAIL, '*', { StringEquals: { 'ses:FromAddress': '${aws:username}@example.com' } }),
);
const VERSION_2 = policy(allow('ses:*', '*', { StringEquals: { 'ses:ApiVersion': '2' } }));

const ses: Case[] = [
  {
    name: 'mail can be sent from the address of the condition',
    source: `${SES_ACCESS}, Restricting the "From" address: ses:FromAddress`,
    service: 'ses',
    caller: { policies: [FROM_ONESELF] },
    given: newSender,
    does: sendsMail(),
    expect: 'allowed',
  },
  {
    name: 'mail can be sent from the address of the condition by version 2 of the API',
    source: `${SES_ACCESS}, Restricting email addresses: ses:FromAddress applies to SendEmail`,
    service: 'ses',
    caller: { policies: [FROM_ONESELF] },
    given: newSender,
    does: sendsMailV2,
    expect: 'allowed',
  },
  {
    name: 'mail can not be sent from another address',
    source: `${SES_ACCESS}, Restricting the "From" address: only if the address is marketing@example.com`,
    service: 'ses',
    caller: {
      policies: [
        policy(allow(SENDS_MAIL, '*', { StringEquals: { 'ses:FromAddress': 'marketing@example.com' } })),
      ],
    },
    given: newSender,
    does: sendsMailV2,
    expect: 'denied',
  },
  {
    name: 'mail can be sent to recipients that are allowed',
    source: `${SES_ACCESS}, Restricting the recipient addresses: ForAllValues:StringLike on ses:Recipients`,
    service: 'ses',
    caller: { policies: [TO_EXAMPLE_COM] },
    given: newSender,
    does: sendsMail({ to: ['one@example.com'], cc: ['two@example.com'] }),
    expect: 'allowed',
  },
  {
    name: 'one recipient that is not allowed, even of a copy, denies the mail',
    source: `${SES_ACCESS}, Restricting email addresses: ses:Recipients includes the To, CC and BCC addresses`,
    service: 'ses',
    caller: { policies: [TO_EXAMPLE_COM] },
    given: newSender,
    does: sendsMail({ to: ['one@example.com'], cc: ['two@example.org'] }),
    expect: 'denied',
  },
  {
    name: 'a recipient in the headers of raw mail counts, too',
    source: `${SES_ACCESS}, Restricting email addresses: ses:Recipients applies to SendRawEmail; Amazon SES API Reference, "SendRawEmail": without Destinations, the recipients are those of the headers`,
    service: 'ses',
    caller: { policies: [TO_EXAMPLE_COM] },
    given: newSender,
    does: sendsRawMail('two@example.org'),
    expect: 'denied',
    says: /ses:SendRawEmail/,
  },
  {
    name: 'a display name that is allowed can be sent under',
    source: `${SES_ACCESS}, Restricting the display name of the email sender: ses:FromDisplayName`,
    service: 'ses',
    caller: {
      policies: [policy(allow(SENDS_MAIL, '*', { StringLike: { 'ses:FromDisplayName': 'Marketing' } }))],
    },
    given: newSender,
    does: sendsMail({ displayName: 'Marketing' }),
    expect: 'allowed',
  },
  {
    name: 'bounces can be held to one address',
    source: `${SES_ACCESS}, Restricting the destination of bounce and complaint feedback: ses:FeedbackAddress is the Return-Path`,
    service: 'ses',
    caller: {
      policies: [
        policy(allow(SENDS_MAIL, '*', { StringEquals: { 'ses:FeedbackAddress': 'feedback@example.com' } })),
      ],
    },
    given: newSender,
    does: sendsMail({ returnPath: 'elsewhere@example.com' }),
    expect: 'denied',
  },
  {
    name: 'version 2 of the API can be allowed by itself',
    source: `${SES_ACCESS}, Allowing access to only SES API version 2: ses:ApiVersion`,
    service: 'ses',
    caller: { policies: [VERSION_2] },
    given: newSender,
    does: sendsMailV2,
    expect: 'allowed',
  },
  {
    name: 'version 1 of the API is denied where only version 2 is allowed',
    source: `${SES_ACCESS}, Allowing access to only SES API version 2: ses:ApiVersion`,
    service: 'ses',
    caller: { policies: [VERSION_2] },
    given: newSender,
    does: sendsMail(),
    expect: 'denied',
  },
  {
    name: 'mail can be sent from an identity by its ARN',
    source: `${SES_ACCESS}, Restricting the action: Resource is the ARNs of the identities that the user is permitted to use`,
    service: 'ses',
    caller: {
      policies: [policy(allow(SENDS_MAIL, here('ses', 'identity/${aws:username}@example.com')))],
    },
    given: newSender,
    does: sendsMail(),
    expect: 'allowed',
  },
  {
    name: 'mail can not be sent from an identity by the ARN of another',
    source: `${SES_ACCESS}, Restricting the action: Resource is the ARNs of the identities that the user is permitted to use`,
    service: 'ses',
    caller: { policies: [policy(allow(SENDS_MAIL, here('ses', 'identity/marketing@example.com')))] },
    given: newSender,
    does: sendsMail(),
    expect: 'denied',
  },
  {
    name: 'mail from an address that is not verified by itself is sent from the identity of its domain',
    source: `${SES_ACCESS}, Restricting the action: Resource is the ARNs of identities; Amazon SES Developer Guide, "Creating and verifying identities": addresses inherit verification from the domain identity`,
    service: 'ses',
    caller: {
      policies: [policy(allow(SENDS_MAIL, here('ses', 'identity/${aws:username}.example.net')))],
    },
    given: ({ administrator }, { name }) =>
      new SESClient(administrator).send(new VerifyDomainIdentityCommand({ Domain: `${name}.example.net` })),
    does: ({ options, name }) =>
      new SESClient(options).send(
        new SendEmailCommand({
          Source: `info@${name}.example.net`,
          Destination: { ToAddresses: ['one@example.com'] },
          Message: MESSAGE,
        }),
      ),
    expect: 'allowed',
  },
];

const STACK_ACCESS =
  'AWS CloudFormation User Guide, "Controlling access with AWS Identity and Access Management"';
const DESCRIBE_STACKS = 'AWS CloudFormation API Reference, "DescribeStacks", StackName';

const TEMPLATE = JSON.stringify({
  AWSTemplateFormatVersion: '2010-09-09',
  Resources: { Handle: { Type: 'AWS::CloudFormation::WaitConditionHandle' } },
});

const stack = (name: string) => here('cloudformation', `stack/${name}`);

const newStack: Given = ({ administrator }, { name }) =>
  new CloudFormationClient(administrator).send(
    new CreateStackCommand({ StackName: name, TemplateBody: TEMPLATE }),
  );

const describesStack: Does = ({ options, name }) =>
  new CloudFormationClient(options).send(new DescribeStacksCommand({ StackName: name }));

const describesStacks: Does = ({ options }) =>
  new CloudFormationClient(options).send(new DescribeStacksCommand({}));

const validates: Does = ({ options }) =>
  new CloudFormationClient(options).send(new ValidateTemplateCommand({ TemplateBody: TEMPLATE }));

const ONLY_BY_NAME = policy(allow(['cloudformation:DescribeStacks', 'cloudformation:ListStacks']), {
  Effect: 'Deny',
  Action: 'cloudformation:DescribeStacks',
  NotResource: 'arn:aws:cloudformation:*:*:stack/*/*',
});

const cloudformation: Case[] = [
  {
    name: 'a stack is described by its name with anything behind it',
    source: `${STACK_ACCESS}, CloudFormation resources: a wildcard after the stack's name matches the stack's ID`,
    service: 'cloudformation',
    caller: { policies: [policy(allow('cloudformation:DescribeStacks', stack('${aws:username}/*')))] },
    given: newStack,
    does: describesStack,
    expect: 'allowed',
  },
  {
    name: 'another stack is not described',
    source: `${STACK_ACCESS}, CloudFormation resources: you can specify actions for a specific stack`,
    service: 'cloudformation',
    caller: { policies: [policy(allow('cloudformation:DescribeStacks', stack('MyProductionStack/*')))] },
    given: newStack,
    does: describesStack,
    expect: 'denied',
    says: /cloudformation:DescribeStacks on resource: \S*stack\/case-\d+\//,
  },
  {
    name: 'all stacks are described by those who may describe and list all',
    source: `${DESCRIBE_STACKS}: describing all requires ListStacks and DescribeStacks permissions`,
    service: 'cloudformation',
    caller: {
      policies: [policy(allow(['cloudformation:DescribeStacks', 'cloudformation:ListStacks'], '*'))],
    },
    does: describesStacks,
    expect: 'allowed',
  },
  {
    name: 'all stacks are not described without leave to list them',
    source: `${DESCRIBE_STACKS}: describing all requires ListStacks and DescribeStacks permissions`,
    service: 'cloudformation',
    caller: { policies: [policy(allow('cloudformation:DescribeStacks', '*'))] },
    does: describesStacks,
    expect: 'denied',
    says: /cloudformation:ListStacks/,
  },
  {
    name: 'a denial for all but stacks denies the description of all',
    source: `${DESCRIBE_STACKS}: a Deny with NotResource stack/*/* avoids a response when no parameter is sent`,
    service: 'cloudformation',
    caller: { policies: [ONLY_BY_NAME] },
    does: describesStacks,
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'a denial for all but stacks lets the description of one through',
    source: `${DESCRIBE_STACKS}: a Deny with NotResource stack/*/* avoids a response when no parameter is sent`,
    service: 'cloudformation',
    caller: { policies: [ONLY_BY_NAME] },
    given: newStack,
    does: describesStack,
    expect: 'allowed',
  },
  {
    name: 'a template is validated on all resources',
    source: `${STACK_ACCESS}, CloudFormation actions: cloudformation:ValidateTemplate on the resource *`,
    service: 'cloudformation',
    caller: { policies: [policy(allow('cloudformation:ValidateTemplate', '*'))] },
    does: validates,
    expect: 'allowed',
  },
  {
    name: 'a template is not validated by leave for stacks',
    source: `${STACK_ACCESS}: without a stack's name, an action takes the * wildcard for the Resource element`,
    service: 'cloudformation',
    caller: { policies: [policy(allow('cloudformation:*', stack('*')))] },
    does: validates,
    expect: 'denied',
  },
];

const API_POLICIES =
  'Amazon API Gateway Developer Guide, "Amazon API Gateway identity-based policy examples"';
const API_TAGS =
  'Amazon API Gateway Developer Guide, "Using tags to control access to API Gateway resources"';

const api = (path: string) => `arn:aws:apigateway:${REGION}::${path}`;
const CHANGES = ['apigateway:PATCH', 'apigateway:POST', 'apigateway:PUT'];

const createsRestApi =
  (input: Partial<CreateRestApiCommandInput> = {}): Does =>
  ({ options, name }) =>
    new APIGatewayClient(options).send(new CreateRestApiCommand({ name, ...input }));

const newRestApi =
  (input: Partial<CreateRestApiCommandInput> = {}) =>
  async ({ administrator }: World, { name }: Who) => {
    const made = await new APIGatewayClient(administrator).send(new CreateRestApiCommand({ name, ...input }));
    return { id: made.id ?? '', root: made.rootResourceId ?? '' };
  };

const newHttpApi = async ({ administrator }: World, { name }: Who) => {
  const made = await new ApiGatewayV2Client(administrator).send(
    new CreateApiCommand({ Name: name, ProtocolType: 'HTTP' }),
  );
  return made.ApiId ?? '';
};

const renames = ({ options, name }: Who, { id }: { id: string }) =>
  new APIGatewayClient(options).send(
    new UpdateRestApiCommand({
      restApiId: id,
      patchOperations: [{ op: 'replace', path: '/name', value: `${name}-new` }],
    }),
  );

const putsApiPolicy = ({ options }: Who, { id }: { id: string }) =>
  new APIGatewayClient(options).send(
    new UpdateRestApiCommand({
      restApiId: id,
      patchOperations: [
        {
          op: 'replace',
          path: '/policy',
          value: JSON.stringify(resourcePolicy('Allow', '*', 'execute-api:Invoke', 'execute-api:/*')),
        },
      ],
    }),
  );

const createsRoute =
  (authorization?: 'NONE' | 'AWS_IAM') =>
  ({ options }: Who, id: string) =>
    new ApiGatewayV2Client(options).send(
      new CreateRouteCommand({ ApiId: id, RouteKey: 'GET /', AuthorizationType: authorization }),
    );

const createsHttpApi =
  (disabled?: boolean): Does =>
  ({ options, name }) =>
    new ApiGatewayV2Client(options).send(
      new CreateApiCommand({ Name: name, ProtocolType: 'HTTP', DisableExecuteApiEndpoint: disabled }),
    );

const AUTHORIZED_ROUTES = policy(
  allow(CHANGES, [api('/apis'), api('/apis/??????????'), api('/apis/*/routes'), api('/apis/*/routes/*')]),
  deny(CHANGES, [api('/apis'), api('/apis/*')], {
    'ForAnyValue:StringEqualsIgnoreCase': { 'apigateway:Request/RouteAuthorizationType': 'NONE' },
  }),
);

const DEFAULT_ENDPOINT_DISABLED = policy(
  allow(CHANGES, [api('/apis'), api('/apis/*')], {
    BoolIfExists: { 'apigateway:Request/DisableExecuteApiEndpoint': 'true' },
  }),
  deny(CHANGES, api('/apis/*/*')),
);

const PRIVATE_APIS = policy(
  allow(['apigateway:DELETE', ...CHANGES], [api('/restapis'), api('/restapis/??????????')], {
    'ForAllValues:StringEqualsIfExists': {
      'apigateway:Request/EndpointType': 'PRIVATE',
      'apigateway:Resource/EndpointType': 'PRIVATE',
    },
  }),
);

const NOT_IN_PRODUCTION = policy(
  allow('apigateway:*'),
  deny(['apigateway:DELETE', ...CHANGES], '*', {
    StringEquals: { 'aws:ResourceTag/stage': 'prod' },
  }),
);

const TAGGED_STAGES = policy(
  allow('apigateway:*'),
  deny('apigateway:POST', 'arn:aws:apigateway:*::/restapis/*/stages', {
    Null: { 'aws:RequestTag/stage': 'true' },
  }),
);

const createsStage =
  (tags?: Record<string, string>) =>
  ({ options }: Who, { id }: { id: string }) =>
    new APIGatewayClient(options).send(
      new CreateStageCommand({ restApiId: id, stageName: 'one', deploymentId: 'none', tags }),
    );

const apigateway: Case[] = [
  {
    name: 'an API is read by its path',
    source: `${API_POLICIES}: apigateway:GET on the path of an API; Amazon API Gateway Developer Guide, "How Amazon API Gateway works with IAM": actions are HTTP methods`,
    service: 'apigateway',
    ...about(
      async (world, who) => {
        const made = await newRestApi()(world, who);
        await grant(world, who, allow('apigateway:GET', api(`/restapis/${made.id}`)));
        return made;
      },
      ({ options }, { id }) => new APIGatewayClient(options).send(new GetRestApiCommand({ restApiId: id })),
    ),
    expect: 'allowed',
  },
  {
    name: 'leave to read an API is none to delete it',
    source: `${API_POLICIES}, Simple read permissions: apigateway:GET alone`,
    service: 'apigateway',
    caller: { policies: [policy(allow('apigateway:GET', api('/restapis/*')))] },
    ...about(newRestApi(), ({ options }, { id }) =>
      new APIGatewayClient(options).send(new DeleteRestApiCommand({ restApiId: id })),
    ),
    expect: 'denied',
    says: /apigateway:DELETE on resource: arn:aws:apigateway:eu-west-1::\/restapis\/\w+/,
  },
  {
    name: 'leave for what is in an API is leave for its routes',
    source: `${API_POLICIES}, Simple read permissions: /apis/a123456789/* includes all sub-resources of the API`,
    service: 'apigateway',
    ...about(
      async (world, who) => {
        const id = await newHttpApi(world, who);
        await grant(world, who, allow('apigateway:GET', api(`/apis/${id}/*`)));
        return id;
      },
      ({ options }, id) => new ApiGatewayV2Client(options).send(new GetRoutesCommand({ ApiId: id })),
    ),
    expect: 'allowed',
  },
  {
    name: 'leave for what is in an API is none for that of another',
    source: `${API_POLICIES}, Simple read permissions: /apis/a123456789/* is of one API`,
    service: 'apigateway',
    caller: { policies: [policy(allow('apigateway:GET', api('/apis/a123456789/*')))] },
    ...about(newHttpApi, ({ options }, id) =>
      new ApiGatewayV2Client(options).send(new GetRoutesCommand({ ApiId: id })),
    ),
    expect: 'denied',
    says: /apigateway:GET on resource: arn:aws:apigateway:eu-west-1::\/apis\/\w+\/routes/,
  },
  {
    name: 'ten question marks match an API and nothing in it',
    source: `${API_POLICIES}, Create only REQUEST or JWT authorizers: /apis/?????????? excludes sub-resources of an API`,
    service: 'apigateway',
    caller: { policies: [policy(allow('apigateway:POST', api('/restapis/??????????')))] },
    ...about(newRestApi(), ({ options }, { id, root }) =>
      new APIGatewayClient(options).send(
        new CreateResourceCommand({ restApiId: id, parentId: root, pathPart: 'one' }),
      ),
    ),
    expect: 'denied',
  },
  {
    name: 'a route with authorization is made where each must have it',
    source: `${API_POLICIES}, Require that API routes have authorization`,
    service: 'apigateway',
    caller: { policies: [AUTHORIZED_ROUTES] },
    ...about(newHttpApi, createsRoute('AWS_IAM')),
    expect: 'allowed',
  },
  {
    name: 'a route without authorization is denied where each must have it',
    source: `${API_POLICIES}, Require that API routes have authorization: the route's authorization type is NONE`,
    service: 'apigateway',
    caller: { policies: [AUTHORIZED_ROUTES] },
    ...about(newHttpApi, createsRoute('NONE')),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'a route that says nothing of authorization has none',
    source: `${API_POLICIES}, Require that API routes have authorization: attempts to create a route fail if the route has no authorization; API Gateway V2 API Reference, "CreateRoute": NONE is open access`,
    service: 'apigateway',
    caller: { policies: [AUTHORIZED_ROUTES] },
    ...about(newHttpApi, createsRoute()),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'an API with its default endpoint disabled is made where it must be',
    source: `${API_POLICIES}, Require that the default execute-api endpoint is disabled`,
    service: 'apigateway',
    caller: { policies: [DEFAULT_ENDPOINT_DISABLED] },
    does: createsHttpApi(true),
    expect: 'allowed',
  },
  {
    name: 'an API that says nothing of its default endpoint has it enabled',
    source: `${API_POLICIES}, Require that the default execute-api endpoint is disabled: on creation, the DisableExecuteApiEndpoint condition key is always populated`,
    service: 'apigateway',
    caller: { policies: [DEFAULT_ENDPOINT_DISABLED] },
    does: createsHttpApi(),
    expect: 'denied',
  },
  {
    name: 'an API with its default endpoint enabled is denied where it must be disabled',
    source: `${API_POLICIES}, Require that the default execute-api endpoint is disabled`,
    service: 'apigateway',
    caller: { policies: [DEFAULT_ENDPOINT_DISABLED] },
    does: createsHttpApi(false),
    expect: 'denied',
  },
  {
    name: 'a private API is made where all must be private',
    source: `${API_POLICIES}, Allow users to create or update only private REST APIs: for create operations, a Resource condition key is not present`,
    service: 'apigateway',
    caller: { policies: [PRIVATE_APIS] },
    does: createsRestApi({ endpointConfiguration: { types: ['PRIVATE'] } }),
    expect: 'allowed',
  },
  {
    name: 'a regional API is not made where all must be private',
    source: `${API_POLICIES}, Allow users to create or update only private REST APIs: every EndpointType that is added must be PRIVATE`,
    service: 'apigateway',
    caller: { policies: [PRIVATE_APIS] },
    does: createsRestApi({ endpointConfiguration: { types: ['REGIONAL'] } }),
    expect: 'denied',
  },
  {
    name: 'a private API can be changed where all must be private',
    source: `${API_POLICIES}, Allow users to create or update only private REST APIs: any update to an API as long as it's PRIVATE`,
    service: 'apigateway',
    caller: { policies: [PRIVATE_APIS] },
    ...about(newRestApi({ endpointConfiguration: { types: ['PRIVATE'] } }), renames),
    expect: 'allowed',
  },
  {
    name: 'a regional API can not be changed where all must be private',
    source: `${API_POLICIES}, Allow users to create or update only private REST APIs: apigateway:Resource/EndpointType`,
    service: 'apigateway',
    caller: { policies: [PRIVATE_APIS] },
    ...about(newRestApi({ endpointConfiguration: { types: ['REGIONAL'] } }), renames),
    expect: 'denied',
  },
  {
    name: 'the policy of an API takes leave of its own',
    source:
      'Amazon API Gateway Developer Guide, "Create and attach an API Gateway resource policy to an API": updating it takes apigateway:UpdateRestApiPolicy in addition to apigateway:PATCH',
    service: 'apigateway',
    caller: { policies: [policy(allow('apigateway:PATCH', api('/restapis/*')))] },
    ...about(newRestApi(), putsApiPolicy),
    expect: 'denied',
    says: /apigateway:UpdateRestApiPolicy/,
  },
  {
    name: 'the policy of an API is changed with leave for both',
    source:
      'Amazon API Gateway Developer Guide, "Create and attach an API Gateway resource policy to an API": updating it takes apigateway:UpdateRestApiPolicy in addition to apigateway:PATCH',
    service: 'apigateway',
    caller: {
      policies: [policy(allow(['apigateway:PATCH', 'apigateway:UpdateRestApiPolicy'], api('/restapis/*')))],
    },
    ...about(newRestApi(), putsApiPolicy),
    expect: 'allowed',
  },
  {
    name: 'an API can be protected by its tag',
    source: `${API_TAGS}, example 3: users are denied modifications on a resource with the tag stage=prod`,
    service: 'apigateway',
    caller: { policies: [NOT_IN_PRODUCTION] },
    ...about(newRestApi({ tags: { stage: 'prod' } }), renames),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'an API with another value of the tag is not protected',
    source: `${API_TAGS}, example 3: users may perform all actions by default`,
    service: 'apigateway',
    caller: { policies: [NOT_IN_PRODUCTION] },
    ...about(newRestApi({ tags: { stage: 'beta' } }), renames),
    expect: 'allowed',
  },
  {
    name: 'a stage is not made without the tag that it must have',
    source: `${API_TAGS}, example 2: the request to create the stage must contain a tag named stage`,
    service: 'apigateway',
    caller: { policies: [TAGGED_STAGES] },
    ...about(newRestApi(), createsStage()),
    expect: 'denied',
    says: /with an explicit deny/,
    beyondMoto: true,
  },
  {
    name: 'a stage is made with the tag that it must have',
    source: `${API_TAGS}, example 2: the request to create the stage must contain a tag named stage`,
    service: 'apigateway',
    caller: { policies: [TAGGED_STAGES] },
    ...about(newRestApi(), createsStage({ stage: 'beta' })),
    expect: 'allowed',
    beyondMoto: true,
  },
];

export const services: Case[] = [
  ...ecr,
  ...secretsmanager,
  ...dynamodb,
  ...lambda,
  ...cloudwatch,
  ...logs,
  ...ses,
  ...cloudformation,
  ...apigateway,
];
