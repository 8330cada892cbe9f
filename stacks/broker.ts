import {
  Alarm,
  GeneratedSecret,
  HttpApi,
  iamArn,
  LambdaFunction,
  literal,
  LogGroup,
  PermissionsBoundary,
  projectLimits,
  Schedule,
  ServiceRole,
  brokerStatements,
  serviceStatements,
  Table,
  trustBroker,
  trustService,
  type EncryptionKey,
  type Place,
} from '@slipway/constructs';
import { Construct } from 'constructs';
import type { Environment } from '../environments';
import { lambdaZip } from './lambda-zip';
import { names } from './names';

export interface BrokerProps {
  environment: Environment;
  broker: NonNullable<Environment['broker']>;
  key: EncryptionKey;
  /** Folder of the repository, whose services/broker runs. */
  root: string;
}

const ENTRY = 'services/broker/src/lambda.ts';
/** The names that services/broker knows the tables' attributes by, and its counts of requests refused and failed. */
const USER_INDEX = 'ByUser';
const REFUSALS = { namespace: 'Slipway/Broker', name: 'Refusals' };
const FAILURES = { namespace: 'Slipway/Broker', name: 'Failures' };
/** In five minutes: a job that asks on after its end is refused a few times; this many is somebody who tries. */
const MANY_REFUSALS = 100;
/** A revocation waits for IAM; API Gateway gives up after 30 s. */
const TIMEOUT_SECONDS = 30;

/** The credentials broker: an API before a function, what that keeps, and a role for each project. */
export class Broker extends Construct {
  readonly outputs: Record<string, unknown>;

  private readonly environment: Environment;
  private readonly broker: BrokerProps['broker'];
  private readonly place: Place;
  private readonly named: ReturnType<typeof names>;

  constructor(scope: Construct, id: string, { environment, broker, key, root }: BrokerProps) {
    super(scope, id);
    this.environment = environment;
    this.broker = broker;
    this.place = { account: environment.account, region: environment.region };
    this.named = names(environment);

    const { tables, secret } = this.storage(key);
    const projectBoundary = new PermissionsBoundary(this, 'project-boundary', {
      name: this.named.projectBoundary,
      place: this.place,
      statements: projectLimits(
        this.place,
        environment.name,
        this.madeHere().map(([, project]) => this.access(project)),
      ),
    });
    const role = this.functionRole();
    const roleArns = this.projectRoles(role, projectBoundary, key);
    for (const [project, arn] of Object.entries(roleArns))
      tables.roleMapping.item(`project-${project}`, project, { RoleArn: arn });

    const api = new HttpApi(this, 'api', {
      name: this.named.broker,
      description: `Credentials of ${environment.name} for a cluster's jobs`,
      stage: environment.name,
      accessLogs: new LogGroup(this, 'access-log', { name: this.named.brokerAccessLog }),
    });
    const lambda = new LambdaFunction(this, 'function', {
      name: this.named.broker,
      description: `Gives a cluster's jobs the role of their project in ${environment.name}`,
      zipFile: lambdaZip(root, ENTRY),
      role,
      logs: new LogGroup(this, 'log', { name: this.named.brokerLog, key }),
      timeoutSeconds: TIMEOUT_SECONDS,
      environment: {
        SESSIONS_TABLE: tables.sessions,
        ROLE_MAPPING_TABLE: tables.roleMapping,
        HEAD_NODE_AUTH: broker.headNodeAuth,
        ...(secret && { HEAD_NODE_SECRET_ID: secret }),
        PUBLIC_URL: api,
        LOCALHOST_PORT: String(broker.localhostPort),
        SESSION_SECONDS: String(broker.sessionSeconds),
      },
    });
    const headNode = broker.headNodeAuth === 'iam' ? 'iam' : 'anyone';
    api.serve(lambda, {
      'ANY /{proxy+}': headNode,
      'GET /health': 'anyone',
      // By the job's own token.
      'GET /sessions/{sessionId}/cluster/{clusterName}/project/{projectId}': 'anyone',
    });
    new Schedule(this, 'hourly', {
      name: this.named.broker,
      description: 'Removes revocations that have expired',
      every: 'rate(1 hour)',
      target: lambda,
    });
    this.alarms(lambda);

    this.outputs = {
      broker_api_endpoint: api.url,
      broker_sessions_table: this.named.brokerTable('sessions'),
      broker_role_mapping_table: this.named.brokerTable('roles'),
      broker_function_role_arn: role.arn,
      broker_project_role_arns: literal(roleArns),
      ...(secret && { broker_head_node_secret: this.named.broker }),
    };
  }

  private storage(key: EncryptionKey) {
    const disposable = this.environment.protection.buckets === 'disposable';
    const common = { key, deletionProtection: !disposable };
    return {
      tables: {
        sessions: new Table(this, 'sessions', {
          ...common,
          name: this.named.brokerTable('sessions'),
          by: { partition: 'SessionId' },
          indexes: { [USER_INDEX]: { partition: 'ClusterUser', sort: 'SessionId' } },
          expiresAt: 'ExpiresAt',
        }),
        roleMapping: new Table(this, 'role-mapping', {
          ...common,
          name: this.named.brokerTable('roles'),
          by: { partition: 'ProjectId' },
        }),
      },
      secret:
        this.broker.headNodeAuth === 'secret'
          ? new GeneratedSecret(this, 'secret', {
              name: this.named.broker,
              description: `What a head node shows to the broker of ${this.environment.name}`,
              key,
              ...(disposable && { recoveryDays: 0 }),
            })
          : undefined,
    };
  }

  /** Policy and boundary in one: whatever else is put on the role, it can do no more than this. */
  private functionRole(): ServiceRole {
    const limits = new PermissionsBoundary(this, 'boundary', {
      name: this.named.brokerBoundary,
      place: this.place,
      statements: brokerStatements({
        place: this.place,
        environment: this.environment.name,
        sessionsTable: this.named.brokerTable('sessions'),
        userIndex: USER_INDEX,
        roleMappingTable: this.named.brokerTable('roles'),
        ...(this.broker.headNodeAuth === 'secret' && { secret: this.named.broker }),
        logGroup: this.named.brokerLog,
        projectRole: this.named.projectRole('*'),
        otherRoles: Object.values(this.broker.projects).flatMap((project) =>
          'roleArn' in project ? project.roleArn : [],
        ),
        projectBoundary: iamArn(this.place, `policy/${this.named.projectBoundary}`),
      }),
    });
    return new ServiceRole(this, 'role', {
      name: this.named.broker,
      description: `The broker of ${this.environment.name}: takes on the projects' roles`,
      place: this.place,
      trust: trustService('lambda.amazonaws.com'),
      managedPolicy: limits,
      boundary: limits,
    });
  }

  /** @returns ARNs by project */
  private projectRoles(broker: ServiceRole, boundary: PermissionsBoundary, key: EncryptionKey) {
    const made = this.madeHere().map(([id, project]) => {
      const name = this.named.projectRole(id);
      new ServiceRole(this, `project-${id}`, {
        name,
        description: `What jobs of the project ${id} may do`,
        place: this.place,
        trust: trustBroker(broker.arn, id),
        after: [broker],
        statements: serviceStatements({ place: this.place, ...this.access(project) }),
        encryption: { key, through: ['s3', 'ssm'] },
        boundary,
      });
      return [id, iamArn(this.place, `role/${name}`)] as const;
    });
    const given = Object.entries(this.broker.projects).flatMap(([id, project]) =>
      'roleArn' in project ? [[id, project.roleArn] as const] : [],
    );
    return Object.fromEntries([...made, ...given]);
  }

  /** Projects whose roles are made here, not elsewhere. */
  private madeHere() {
    return Object.entries(this.broker.projects).flatMap(([id, project]) =>
      'roleArn' in project ? [] : [[id, project] as const],
    );
  }

  private access({ buckets, parameters }: ReturnType<Broker['madeHere']>[number][1]) {
    return {
      buckets: Object.entries(buckets).map(([name, access]) => ({ name: this.named.bucket(name), access })),
      parameters: parameters.map((path) => this.named.parameter(path)),
    };
  }

  private alarms(lambda: LambdaFunction): void {
    const { alarmTopics: topics } = this.broker;
    const alarm = (what: string, description: string, metric: { namespace: string; name: string }) => ({
      name: this.named.brokerAlarm(what),
      description,
      metric,
      topics,
    });
    const lambdaMetric = (name: string) => ({ namespace: 'AWS/Lambda', name });
    // The function answers whatever goes wrong within a request: Lambda counts what kept it from that.
    new Alarm(this, 'alarm-errors', {
      ...alarm('errors', 'The broker has crashed, or its hourly sweep failed', lambdaMetric('Errors')),
      dimension: ['FunctionName', lambda],
    });
    new Alarm(this, 'alarm-failures', {
      ...alarm('failures', 'The broker, or AWS behind it, has failed requests: its log says why', FAILURES),
      dimension: ['Broker', lambda],
    });
    new Alarm(this, 'alarm-throttles', {
      ...alarm('throttles', 'More requests than Lambda runs at once: jobs wait', lambdaMetric('Throttles')),
      dimension: ['FunctionName', lambda],
    });
    new Alarm(this, 'alarm-refusals', {
      ...alarm('refusals', 'The broker has refused many requests: its log says whose', REFUSALS),
      dimension: ['Broker', lambda],
      moreThan: MANY_REFUSALS,
    });
  }
}
