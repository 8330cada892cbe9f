import { ApiGatewayV2Client, GetApisCommand } from '@aws-sdk/client-apigatewayv2';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import {
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { DescribeRepositoriesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import {
  IAMClient,
  ListInstanceProfilesCommand,
  ListOpenIDConnectProvidersCommand,
  ListPoliciesCommand,
  ListRolesCommand,
  ListUsersCommand,
} from '@aws-sdk/client-iam';
import { KMSClient, ListAliasesCommand } from '@aws-sdk/client-kms';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Environment } from '../environments';
import { names } from '../stacks/names';

/** What an environment has in AWS, by name or by tag, asked of AWS itself and not of Terraform. Reads the first page of each: enough to see that something is there. */
export async function leftovers(environment: Environment, env: NodeJS.ProcessEnv): Promise<string[]> {
  const options = {
    endpoint: env.AWS_ENDPOINT_URL,
    region: environment.region,
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    },
  };
  const s3 = new S3Client({ ...options, forcePathStyle: true });
  const iam = new IAMClient(options);
  const ssm = new SSMClient(options);
  const kms = new KMSClient(options);
  const ecr = new ECRClient(options);
  const ec2 = new EC2Client(options);
  const { bucket, parameterPath, key } = names(environment);
  const [head = '', tail = ''] = bucket('*').split('*');
  const isOwn = (name: string | undefined) =>
    name !== undefined && name.startsWith(head) && name.endsWith(tail);
  const own = (kind: string, found: (string | undefined)[] = []) =>
    found.filter(isOwn).map((name) => `${kind} ${name ?? ''}`);

  const [buckets, parameters, users, roles, policies, profiles, providers, aliases, repositories, hosts] =
    await Promise.all([
      s3.send(new ListBucketsCommand({})),
      ssm.send(new GetParametersByPathCommand({ Path: parameterPath, Recursive: true })),
      iam.send(new ListUsersCommand({})),
      iam.send(new ListRolesCommand({})),
      iam.send(new ListPoliciesCommand({ Scope: 'Local' })),
      iam.send(new ListInstanceProfilesCommand({})),
      iam.send(new ListOpenIDConnectProvidersCommand({})),
      kms.send(new ListAliasesCommand({})),
      ecr.send(new DescribeRepositoriesCommand({})),
      ec2Resources(ec2, environment.name),
    ]);
  for (const client of [s3, iam, ssm, kms, ecr, ec2]) client.destroy();
  return [
    ...own(
      'bucket',
      buckets.Buckets?.map(({ Name }) => Name),
    ),
    ...(parameters.Parameters ?? []).map(({ Name }) => `parameter ${Name ?? ''}`),
    ...own(
      'user',
      users.Users?.map(({ UserName }) => UserName),
    ),
    ...own(
      'role',
      roles.Roles?.map(({ RoleName }) => RoleName),
    ),
    ...own(
      'policy',
      policies.Policies?.map(({ PolicyName }) => PolicyName),
    ),
    ...own(
      'instance profile',
      profiles.InstanceProfiles?.map(({ InstanceProfileName }) => InstanceProfileName),
    ),
    ...(aliases.Aliases ?? [])
      .filter(({ AliasName }) => AliasName === `alias/${key}`)
      .map(() => `key alias/${key}`),
    ...hosts,
    ...(await brokerResources(options)).filter((each) => isOwn(each.replace(/^.*[ /]/, ''))),
    ...(environment.repositories.owner === 'this'
      ? (repositories.repositories ?? []).map(({ repositoryName }) => `repository ${repositoryName ?? ''}`)
      : []),
    ...(environment.github.oidcProvider === 'this'
      ? (providers.OpenIDConnectProviderList ?? []).map(({ Arn }) => `OIDC provider ${Arn ?? ''}`)
      : []),
  ];
}

/** Of all brokers, each as `table kantox-broker-roles-dev`. */
async function brokerResources(options: {
  endpoint: string | undefined;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
}): Promise<string[]> {
  const dynamodb = new DynamoDBClient(options);
  const lambda = new LambdaClient(options);
  const apigateway = new ApiGatewayV2Client(options);
  const secretsManager = new SecretsManagerClient(options);
  const logs = new CloudWatchLogsClient(options);
  const events = new EventBridgeClient(options);
  const cloudwatch = new CloudWatchClient(options);
  const [tables, functions, apis, secrets, groups, rules, alarms] = await Promise.all([
    dynamodb.send(new ListTablesCommand({})),
    lambda.send(new ListFunctionsCommand({})),
    apigateway.send(new GetApisCommand({})),
    secretsManager.send(new ListSecretsCommand({})),
    logs.send(new DescribeLogGroupsCommand({})),
    events.send(new ListRulesCommand({})),
    cloudwatch.send(new DescribeAlarmsCommand({})),
  ]);
  for (const client of [dynamodb, lambda, apigateway, secretsManager, logs, events, cloudwatch])
    client.destroy();
  const called = (kind: string, names: (string | undefined)[] = []) =>
    names.map((name) => `${kind} ${name ?? ''}`);
  return [
    ...called('table', tables.TableNames),
    ...called(
      'function',
      functions.Functions?.map(({ FunctionName }) => FunctionName),
    ),
    ...called(
      'API',
      apis.Items?.map(({ Name }) => Name),
    ),
    ...called(
      'secret',
      secrets.SecretList?.map(({ Name }) => Name),
    ),
    ...called(
      'log group',
      groups.logGroups?.map(({ logGroupName }) => logGroupName),
    ),
    ...called(
      'rule',
      rules.Rules?.map(({ Name }) => Name),
    ),
    ...called(
      'alarm',
      alarms.MetricAlarms?.map(({ AlarmName }) => AlarmName),
    ),
  ];
}

async function ec2Resources(ec2: EC2Client, environment: string): Promise<string[]> {
  const tag = { Name: 'tag:Environment', Values: [environment] };
  const Filters = [tag];
  // A terminated instance goes on being described for an hour.
  const alive = {
    Name: 'instance-state-name',
    Values: ['pending', 'running', 'shutting-down', 'stopping', 'stopped'],
  };
  const [instances, volumes, groups, subnets, gateways, routes, vpcs] = await Promise.all([
    ec2.send(new DescribeInstancesCommand({ Filters: [tag, alive] })),
    ec2.send(new DescribeVolumesCommand({ Filters })),
    ec2.send(new DescribeSecurityGroupsCommand({ Filters })),
    ec2.send(new DescribeSubnetsCommand({ Filters })),
    ec2.send(new DescribeInternetGatewaysCommand({ Filters })),
    ec2.send(new DescribeRouteTablesCommand({ Filters })),
    ec2.send(new DescribeVpcsCommand({ Filters })),
  ]);
  const ids = [
    ...(instances.Reservations ?? [])
      .flatMap((each) => each.Instances ?? [])
      .map(({ InstanceId }) => InstanceId),
    ...(volumes.Volumes ?? []).map(({ VolumeId }) => VolumeId),
    ...(groups.SecurityGroups ?? []).map(({ GroupId }) => GroupId),
    ...(subnets.Subnets ?? []).map(({ SubnetId }) => SubnetId),
    ...(gateways.InternetGateways ?? []).map(({ InternetGatewayId }) => InternetGatewayId),
    ...(routes.RouteTables ?? []).map(({ RouteTableId }) => RouteTableId),
    ...(vpcs.Vpcs ?? []).map(({ VpcId }) => VpcId),
  ];
  return ids.map((id) => id ?? '');
}
