import type { Container } from '../src/container';
import type { TerraformStack } from 'cdktf';
import {
  Alarm,
  BaseUser,
  DockerHost,
  EncryptionKey,
  GeneratedSecret,
  GithubOidcProvider,
  HttpApi,
  ImageRepository,
  LogGroup,
  Network,
  Parameter,
  PermissionsBoundary,
  PrivateBucket,
  Schedule,
  SecretParameter,
  ServiceRole,
  Table,
  type AlarmProps,
  type BaseUserProps,
  type BucketLifecycle,
  type DockerHostProps,
  type EncryptionKeyProps,
  type GeneratedSecretProps,
  type HttpApiProps,
  type ImageRepositoryProps,
  type LambdaFunctionProps,
  type LogGroupProps,
  type NetworkProps,
  type ParameterProps,
  type PermissionsBoundaryProps,
  type PrivateBucketProps,
  type ScheduleProps,
  type SecretParameterProps,
  type ServiceRoleProps,
  type Statement,
  type TableProps,
} from '../src';
import { spotsOf, type Subject } from './planted';
import { boundary, emptyStack, key, lambda, place, synthesized } from './synthesized';

/** Props of these names are records, whose keys are a caller's, too. */
const RECORDS = ['tags', 'environment', 'attributes', 'indexes', 'routes', 'Condition', 'StringEquals'];

function caller<Props extends object>(
  name: string,
  props: Props,
  build: (stack: TerraformStack, props: Props) => unknown,
): Subject {
  return {
    name,
    spots: spotsOf(props).filter(({ path, isKey }) => !isKey || RECORDS.includes(String(path.at(-2)))),
    check: (plant) => build(emptyStack(), plant(props) as Props),
    synthesize: (plant) => synthesized((stack) => build(stack, plant(props) as Props)).configuration,
    refuses: (message, field) => message.includes(field),
  };
}

const tags = { Team: 'platform' };
const statement: Required<Omit<Statement, 'Effect'>> = {
  Sid: 'Read',
  Principal: { AWS: 'text', Service: ['text'], Federated: 'text' },
  Action: ['s3:GetObject'],
  Resource: 'arn:aws:s3:::text/*',
  Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
};
const allow = (given: Omit<Statement, 'Effect'>): Statement => ({ ...given, Effect: 'Allow' });

/** With a value in each field. */
export const containerOfEveryField = {
  name: 'web',
  image: 'nginx:1.29',
  ports: ['80:80'],
  environment: { MODE: 'text' },
  volumes: ['/opt/app:/data:ro'],
  restart: 'always' as const,
  command: ['sh', '-c', 'text'],
} satisfies Required<Container>;

/** Required: a prop that is added is missing here until it is planted in, too. Numbers and choices are in the call. */
export const callers: Subject[] = [
  caller<
    Required<
      Omit<
        PrivateBucketProps,
        keyof BucketLifecycle | 'key' | 'accessLogs' | 'receivesAccessLogs' | 'protection'
      >
    >
  >('PrivateBucket', { name: 'data', place, tags }, (stack, props) => {
    const accessLogs = new PrivateBucket(stack, 'logs', { ...props, receivesAccessLogs: true });
    new PrivateBucket(stack, 'data', { ...props, key: key(stack), accessLogs });
  }),
  caller<Required<ParameterProps>>(
    'Parameter',
    { name: '/kantox/text', value: 'text', tags },
    (stack, props) => new Parameter(stack, 'it', props),
  ),
  caller<Required<Omit<SecretParameterProps, 'key' | 'version'>>>(
    'SecretParameter',
    { name: '/kantox/secret', variable: 'secret', tags },
    (stack, props) => new SecretParameter(stack, 'it', { ...props, version: 1, key: key(stack) }),
  ),
  caller<Required<Omit<ImageRepositoryProps, 'keepLastImages'>>>(
    'ImageRepository',
    { name: 'kantox-api', tags },
    (stack, props) => new ImageRepository(stack, 'it', props),
  ),
  caller<Required<EncryptionKeyProps>>(
    'EncryptionKey',
    { name: 'kantox-dev', place, logGroups: ['text'], tags },
    (stack, props) => new EncryptionKey(stack, 'it', props),
  ),
  caller('GithubOidcProvider', { tags }, (stack, props) => new GithubOidcProvider(stack, 'it', props)),
  caller<
    Required<Omit<PermissionsBoundaryProps, 'statements'>> & { statements: Omit<Statement, 'Effect'>[] }
  >(
    'PermissionsBoundary',
    { name: 'kantox-boundary', place, tags, statements: [statement] },
    (stack, { statements, ...props }) =>
      new PermissionsBoundary(stack, 'it', { ...props, statements: statements.map(allow) }),
  ),
  caller<Required<Omit<BaseUserProps, 'boundary'>>>(
    'BaseUser',
    { name: 'kantox-base', place, roleName: 'kantox-role', accessKeys: ['first', 'second'], tags },
    (stack, props) => new BaseUser(stack, 'it', { ...props, boundary: boundary(stack) }),
  ),
  caller<
    Required<
      Omit<
        ServiceRoleProps,
        'trust' | 'statements' | 'managedPolicy' | 'encryption' | 'boundary' | 'maxSessionSeconds' | 'after'
      >
    > &
      Record<'trust' | 'statement', Omit<Statement, 'Effect'>>
  >(
    'ServiceRole',
    { name: 'kantox-role', description: 'text', place, tags, trust: statement, statement },
    (stack, { trust, statement: given, ...props }) =>
      new ServiceRole(stack, 'it', {
        ...props,
        trust: { Version: '2012-10-17', Statement: [allow(trust)] },
        statements: [allow(given)],
        encryption: { key: key(stack), through: ['s3'] },
        boundary: boundary(stack),
      }),
  ),
  caller<Extract<NetworkProps, { existing: unknown }>>(
    'Network that exists',
    { existing: { vpcId: 'vpc-1', subnetId: 'subnet-1' } },
    (stack, props) => {
      const network = new Network(stack, 'it', props);
      new DockerHost(stack, 'host', { name: 'host', place, network, boundary: boundary(stack) });
    },
  ),
  caller<Required<Extract<NetworkProps, { name: string }>>>(
    'Network that is new',
    { name: 'kantox-dev', newWithCidr: '10.20.0.0/24', tags },
    (stack, props) => new Network(stack, 'it', props),
  ),
  caller<Required<Omit<DockerHostProps, 'network' | 'boundary' | 'volumeSizeGib' | 'terminationProtection'>>>(
    'DockerHost',
    {
      name: 'kantox-docker',
      place,
      instanceType: 't3.medium',
      ami: 'ami-0123456789abcdef0',
      webCidrs: ['203.0.113.0/24'],
      sshCidrs: ['203.0.113.0/24'],
      containers: [containerOfEveryField],
      script: 'echo text',
      tags,
    },
    (stack, props) => {
      const network = new Network(stack, 'network', { existing: { vpcId: 'vpc-1', subnetId: 'subnet-1' } });
      new DockerHost(stack, 'it', { ...props, network, boundary: boundary(stack) });
    },
  ),
  caller<
    Required<Omit<TableProps, 'key' | 'deletionProtection' | 'by' | 'indexes'>> & {
      by: Required<TableProps['by']>;
      indexes: Record<string, Required<TableProps['by']>>;
      itemKey: string;
      attributes: Record<string, string>;
    }
  >(
    'Table',
    {
      name: 'kantox-sessions',
      by: { partition: 'SessionId', sort: 'At' },
      indexes: { ByUser: { partition: 'User', sort: 'At' } },
      expiresAt: 'ExpiresAt',
      tags,
      itemKey: 'text',
      attributes: { RoleArn: 'text' },
    },
    (stack, { itemKey, attributes, ...props }) => {
      new Table(stack, 'it', { ...props, key: key(stack) }).item('item', itemKey, attributes);
    },
  ),
  caller<Required<Omit<LogGroupProps, 'key' | 'retentionDays'>>>(
    'LogGroup',
    { name: '/aws/lambda/text', tags },
    (stack, props) => new LogGroup(stack, 'it', props),
  ),
  caller<Required<Omit<GeneratedSecretProps, 'key' | 'length' | 'recoveryDays'>>>(
    'GeneratedSecret',
    { name: 'kantox-secret', description: 'text', tags },
    (stack, props) => new GeneratedSecret(stack, 'it', { ...props, key: key(stack) }),
  ),
  caller<
    Required<
      Omit<LambdaFunctionProps, 'zipFile' | 'role' | 'logs' | 'memoryMib' | 'timeoutSeconds' | 'environment'>
    > & { environment: Record<string, string> }
  >(
    'LambdaFunction',
    { name: 'kantox-lambda', description: 'text', environment: { MODE: 'text' }, tags },
    (stack, props) => lambda(stack, props),
  ),
  caller<
    Required<Omit<HttpApiProps, 'accessLogs' | 'requestsPerSecond' | 'burst'>> & {
      routes: Record<string, 'anyone'>;
    }
  >(
    'HttpApi',
    { name: 'kantox-api', description: 'text', stage: 'dev', tags, routes: {} },
    (stack, { routes, ...props }) => {
      const accessLogs = new LogGroup(stack, 'access-log', { name: 'access-log' });
      new HttpApi(stack, 'it', { ...props, accessLogs }).serve(lambda(stack), routes);
    },
  ),
  caller<Required<Omit<ScheduleProps, 'target'>>>(
    'Schedule',
    { name: 'kantox-schedule', description: 'text', every: 'rate(1 hour)', tags },
    (stack, props) => new Schedule(stack, 'it', { ...props, target: lambda(stack) }),
  ),
  caller<Required<Omit<AlarmProps, 'moreThan' | 'dimension'>> & { dimension: [string, { name: string }] }>(
    'Alarm',
    {
      name: 'kantox-alarm',
      description: 'text',
      metric: { namespace: 'AWS/Lambda', name: 'Errors' },
      dimension: ['FunctionName', { name: 'text' }],
      topics: ['arn:aws:sns:eu-west-1:111122223333:text'],
      tags,
    },
    (stack, props) => new Alarm(stack, 'it', props),
  ),
];
