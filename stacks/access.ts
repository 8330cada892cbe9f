import {
  BaseUser,
  boundaryStatements,
  deployLimits,
  deployStatements,
  GithubOidcProvider,
  iamArn,
  PermissionsBoundary,
  pushStatements,
  ServiceRole,
  serviceStatements,
  trustAccount,
  trustGithub,
  trustPrincipal,
  type DeployScope,
  type EncryptionKey,
  type Place,
} from '@slipway/constructs';
import { Construct } from 'constructs';
import type { Environment } from '../environments';
import { names } from './names';

export interface AccessProps {
  environment: Environment;
  key: EncryptionKey;
  /** Where an S3 backend keeps this environment's state. */
  statePrefix: string;
}

/** Who may do what in an environment: the boundaries, the role chain, and what GitHub's workflows may take on. */
export class Access extends Construct {
  /** What roles of this environment stand under. */
  readonly boundary: PermissionsBoundary;
  readonly outputs: Record<string, unknown>;
  /** Of the base user; secret. */
  readonly baseCredentials: Record<string, string>;

  private readonly environment: Environment;
  private readonly place: Place;
  private readonly named: ReturnType<typeof names>;

  constructor(scope: Construct, id: string, { environment, key, statePrefix }: AccessProps) {
    super(scope, id);
    this.environment = environment;
    this.place = { account: environment.account, region: environment.region };
    this.named = names(environment);
    this.boundary = new PermissionsBoundary(this, 'boundary', {
      name: this.named.boundary,
      place: this.place,
      statements: boundaryStatements({
        place: this.place,
        buckets: [this.named.bucket('*')],
        objectsOf: this.buckets(),
        parameterPath: this.named.parameterPath,
        repositories: [this.named.repository('*')],
        serviceRoles: [this.named.serviceRole('*')],
      }),
    });
    const chain = this.roleChain(key);
    const github = this.githubRoles(statePrefix);
    this.outputs = { service_role_arns: chain.roleArns, github_actions_role_arn: github.pushRoleArn };
    this.baseCredentials = chain.credentials;
  }

  /** Base user, and a role for each service. */
  private roleChain(key: EncryptionKey) {
    const { services, baseUser } = this.environment;
    const user = new BaseUser(this, 'base-user', {
      name: this.named.baseUser,
      place: this.place,
      roleName: this.named.serviceRole(this.activeService()),
      accessKeys: baseUser.accessKeys,
      boundary: this.boundary,
    });
    const roles = Object.entries(services).map(([name, service]) => {
      const common = { name: this.named.serviceRole(name), place: this.place, boundary: this.boundary };
      const role =
        'deprecated' in service
          ? new ServiceRole(this, `service-${name}`, {
              ...common,
              description: `Deprecated: ${name} has no AWS access any more`,
              trust: trustAccount(this.place),
            })
          : new ServiceRole(this, `service-${name}`, {
              ...common,
              description: `What the service ${name} may do`,
              trust: trustPrincipal(user.arn),
              after: [user],
              statements: serviceStatements({
                place: this.place,
                buckets: Object.entries(service.buckets).map(([bucket, access]) => ({
                  name: this.named.bucket(bucket),
                  access,
                })),
                parameters:
                  service.parameters === 'all'
                    ? { below: this.named.parameterPath }
                    : service.parameters.map((path) => this.named.parameter(path)),
              }),
              encryption: { key, through: ['s3', 'ssm'] },
            });
      return [name, role.arn] as const;
    });
    const roleArns = Object.fromEntries(roles);
    return {
      roleArns,
      credentials: {
        access_key_id: user.accessKeyId,
        secret_access_key: user.secretAccessKey,
        region: this.place.region,
        role_arn: roleArns[this.activeService()] ?? '',
      },
    };
  }

  private buckets(): string[] {
    return this.environment.buckets.map(({ name }) => this.named.bucket(name));
  }

  /** One role that pushes images, one that deploys this environment. */
  private githubRoles(statePrefix: string) {
    const { github, name: environment, protection, repositories, network, state, broker } = this.environment;
    const provider = github.oidcProvider === 'this' ? [new GithubOidcProvider(this, 'github')] : [];
    const push = new ServiceRole(this, 'github-push', {
      name: this.named.pushRole,
      description: `Pushes images from ${github.repository}`,
      place: this.place,
      trust: trustGithub(this.place, { repository: github.repository, from: github.pushFrom }),
      statements: pushStatements(this.place, this.repositories()),
      boundary: this.boundary,
      after: provider,
    });
    const policyArn = (name: string) => iamArn(this.place, `policy/${name}`);
    const scope: DeployScope = {
      place: this.place,
      environment,
      buckets: [this.named.bucket('*')],
      objectsOf: this.buckets(),
      protection: protection.buckets,
      parameterPath: this.named.parameterPath,
      repositories: repositories.owner === 'this' ? [this.named.repository('*')] : [],
      keyAlias: `alias/${this.named.key}`,
      user: this.named.baseUser,
      roles: [this.named.dockerHost('*')],
      boundaries: [this.named.boundary, ...(broker ? [this.named.projectBoundary] : [])].map(policyArn),
      policies: [
        this.named.boundary,
        this.named.deployBoundary,
        ...(broker ? [this.named.brokerBoundary, this.named.projectBoundary] : []),
      ].map(policyArn),
      ownsOidcProvider: github.oidcProvider === 'this',
      ...('existing' in network && { existingNetwork: network.existing }),
      ...(broker && {
        broker: {
          function: this.named.broker,
          role: this.named.broker,
          tables: this.named.brokerTable('*'),
          rowsOf: this.named.brokerTable('roles'),
          ...(broker.headNodeAuth === 'secret' && { secret: this.named.broker }),
          logGroups: `*/${this.named.broker}`,
          rule: this.named.broker,
          alarms: this.named.brokerAlarm('*'),
        },
      }),
      ...(state.backend === 's3' && { state: { ...state, keyPrefix: statePrefix } }),
    };
    new ServiceRole(this, 'github-deploy', {
      name: this.named.deployRole,
      description: `Deploys ${environment} from ${github.repository}`,
      place: this.place,
      trust: trustGithub(this.place, { repository: github.repository, from: { environment } }),
      statements: deployStatements(scope),
      boundary: new PermissionsBoundary(this, 'deploy-boundary', {
        name: this.named.deployBoundary,
        place: this.place,
        statements: deployLimits(scope),
      }),
      after: provider,
    });
    return { pushRoleArn: push.arn };
  }

  private repositories(): string[] {
    return this.environment.repositories.names.map((name) => this.named.repository(name));
  }

  /** The one service with AWS access; the schema lets no environment have none or two. */
  private activeService(): string {
    const { services } = this.environment;
    const [name = ''] = Object.keys(services).filter(
      (service) => !('deprecated' in (services[service] ?? {})),
    );
    return name;
  }
}
