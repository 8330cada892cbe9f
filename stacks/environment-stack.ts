import {
  DockerHost,
  EncryptionKey,
  ImageRepository,
  Network,
  Parameter,
  PrivateBucket,
  SecretParameter,
  bucketArn,
  dnsSuffix,
  type Place,
} from '@slipway/constructs';
import { TerraformOutput, TerraformStack } from 'cdktf';
import type { Construct } from 'constructs';
import type { Environment } from '../environments';
import { STATE_KEY_PREFIX, stateBackend } from './backend';
import { Access } from './access';
import { Broker } from './broker';
import { guardedProvider, type Target } from './guard';
import { names } from './names';

export interface EnvironmentStackOptions extends Target {
  /** Folder of the local backend's state: one folder in it for each workspace. */
  stateFolder: string;
  /** Folder of the repository, from whose services functions are bundled. */
  root: string;
}

/** One environment, whole. Its id is the environment's name, so that `cdktf deploy dev` means what it says. */
export class EnvironmentStack extends TerraformStack {
  private readonly named: ReturnType<typeof names>;
  private readonly place: Place;

  constructor(
    scope: Construct,
    private readonly environment: Environment,
    options: EnvironmentStackOptions,
  ) {
    super(scope, environment.name);
    this.named = names(environment);
    this.place = { account: environment.account, region: environment.region };

    // Write-only arguments, which keep secrets out of the state, came with 1.11.
    this.addOverride('terraform.required_version', '>= 1.11');
    stateBackend(this, environment, options.stateFolder, options);
    guardedProvider(this, environment, options);
    const key = new EncryptionKey(this, 'key', {
      name: this.named.key,
      place: this.place,
      ...(environment.broker && { logGroups: [this.named.brokerLog] }),
    });
    this.buckets(key);
    this.parameters(key);
    this.repositories();
    const access = new Access(this, 'access', {
      environment,
      key,
      statePrefix: `${STATE_KEY_PREFIX}/${environment.name}`,
    });
    for (const [name, value] of Object.entries(access.outputs)) this.output(name, value);
    this.output('minikube_base_credentials', access.baseCredentials, { sensitive: true });
    this.dockerHosts(access);
    if (environment.broker) {
      const { outputs } = new Broker(this, 'broker', {
        environment,
        broker: environment.broker,
        key,
        root: options.root,
      });
      for (const [name, value] of Object.entries(outputs)) this.output(name, value);
    }
  }

  private buckets(key: EncryptionKey): void {
    const { accessLogsBucket, protection } = this.environment;
    const make = (
      { name, encryption, ...lifecycle }: Environment['buckets'][number],
      accessLogs?: PrivateBucket,
    ) =>
      new PrivateBucket(this, `bucket-${name}`, {
        ...lifecycle,
        name: this.named.bucket(name),
        place: this.place,
        protection: protection.buckets,
        ...(encryption === 'KMS' && { key }),
        ...(accessLogs ? { accessLogs } : { receivesAccessLogs: true }),
      });
    const { buckets } = this.environment;
    const target = buckets.find(({ name }) => name === accessLogsBucket);
    const logs = target && make(target);
    for (const bucket of buckets) if (bucket !== target) make(bucket, logs);

    const byName = (value: (whole: string) => string) =>
      Object.fromEntries(this.environment.buckets.map(({ name }) => [name, value(this.named.bucket(name))]));
    this.output(
      's3_bucket_names',
      byName((name) => name),
    );
    this.output(
      's3_bucket_arns',
      byName((name) => bucketArn(this.place, name)),
    );
  }

  private parameters(key: EncryptionKey): void {
    for (const parameter of this.environment.parameters) {
      // An id has no slash. Without the ~, a/b and a-b would be one.
      const id = `parameter-${parameter.path.replaceAll('-', '~').replaceAll('/', '-')}`;
      const name = this.named.parameter(parameter.path);
      if ('secret' in parameter) new SecretParameter(this, id, { name, key, ...parameter.secret });
      else
        new Parameter(this, id, {
          name,
          value: 'json' in parameter ? JSON.stringify(parameter.json) : parameter.value,
        });
    }
    this.output(
      'ssm_parameter_names',
      Object.fromEntries(this.environment.parameters.map(({ path }) => [path, this.named.parameter(path)])),
    );
  }

  private repositories(): void {
    const { owner, names: repositories, keepLastImages } = this.environment.repositories;
    if (owner === 'this') {
      for (const repository of repositories) {
        const name = this.named.repository(repository);
        new ImageRepository(this, `repository-${repository}`, { name, keepLastImages });
      }
    }
    const { account, region } = this.place;
    const registry = `${account}.dkr.ecr.${region}.${dnsSuffix(this.place)}`;
    this.output(
      'ecr_repository_urls',
      Object.fromEntries(repositories.map((name) => [name, `${registry}/${this.named.repository(name)}`])),
    );
  }

  private dockerHosts({ boundary }: Access): void {
    const { network: chosen, dockerHosts, tags, name: environment, protection } = this.environment;
    const network = new Network(
      this,
      'network',
      'existing' in chosen ? chosen : { ...chosen, name: this.named.network },
    );
    const hosts = dockerHosts.map(({ name, ...settings }) => {
      const host = new DockerHost(this, `host-${name}`, {
        ...settings,
        name: this.named.dockerHost(name),
        place: this.place,
        network,
        boundary,
        terminationProtection: protection.hosts,
        // The construct tags the host's volume itself, and knows of no provider's defaults.
        tags: { ...tags, Environment: environment, ManagedBy: 'slipway' },
      });
      return [
        name,
        {
          instance_id: host.instanceId,
          public_ip: host.publicIp,
          private_ip: host.privateIp,
          security_group_id: host.securityGroupId,
        },
      ];
    });
    this.output('docker_hosts', Object.fromEntries(hosts));
  }

  private output(name: string, value: unknown, options: { sensitive?: boolean } = {}): void {
    new TerraformOutput(this, name, { value, ...options });
  }
}
