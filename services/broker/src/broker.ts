import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { STSClient } from '@aws-sdk/client-sts';
import { createApp, type AppOptions } from './app';
import { auditTo, createLog } from './audit';
import { byIam, bySecret } from './head-node';
import { issuer } from './issuer';
import type { Metrics } from './metrics';
import { brokerOf } from './operations';
import { ownAccountBy } from './own-account';
import { pace } from './pace';
import { rateLimit } from './rate-limit';
import { readsOf } from './reads';
import { rolePoliciesOf } from './revocation/role-policies';
import { Revocations } from './revocation/revocations';
import { RoleMappings } from './role-mappings';
import { takeOnRoleBy } from './role-sessions';
import { Sessions } from './sessions';
import type { Settings } from './settings';

/** How long a job waits for its turn at STS; API Gateway gives up after 30 s. */
const LONGEST_TURN_MS = 26_000;
/** A burst holds what flows in within so many seconds: an array job starts at once. */
const BURST_SECONDS = 5;
/** A job has so many times what one of its nodes has, and so many more when a wide one starts. */
const NODES_OF_A_JOB = 10;
const NODES_AT_ONCE = 100;

/** Answers come in milliseconds; what takes longer is tried anew while the client still waits. */
const client = (connections: number) => ({
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: 1000,
    requestTimeout: 5000,
    throwOnRequestTimeout: true,
    httpAgent: { maxSockets: connections },
    httpsAgent: { maxSockets: connections },
  },
});

/** The broker with all its parts, from its settings and AWS's usual ones. */
export function createBroker(
  settings: Settings,
  metrics: Metrics,
  shownMetrics?: AppOptions['shownMetrics'],
) {
  const region = settings.AWS_REGION;
  const log = createLog(settings.LOG_LEVEL);
  const dynamodb = new DynamoDBClient({ ...client(200), region });
  const read = readsOf(dynamodb);
  const mappings = new RoleMappings(dynamodb, read, settings.ROLE_MAPPING_TABLE);
  const sessions = new Sessions(dynamodb, read, settings.SESSIONS_TABLE, mappings);
  const sts = new STSClient({ ...client(200), region });
  const takeOnRole = takeOnRoleBy(sts, settings.SESSION_SECONDS);
  const broker = brokerOf({
    sessions,
    mappings,
    revocations: new Revocations(
      dynamodb,
      read,
      settings.SESSIONS_TABLE,
      rolePoliciesOf(new IAMClient({ ...client(50), region }), ownAccountBy(sts)),
      mappings,
    ),
    issue: issuer({
      sessions,
      mappings,
      takeOnRole,
      turn: pace(settings.STS_CALLS_PER_SECOND, LONGEST_TURN_MS),
    }),
    takeOnRole,
    publicUrl: settings.PUBLIC_URL,
    localhostPort: settings.LOCALHOST_PORT,
    sessionSeconds: settings.SESSION_SECONDS,
  });
  const audit = auditTo(log);
  const limit = (perSecond: number) => rateLimit({ perSecond, burst: perSecond * BURST_SECONDS });
  const app = createApp({
    broker,
    headNode:
      settings.HEAD_NODE_AUTH === 'iam'
        ? byIam
        : bySecret(new SecretsManagerClient({ ...client(50), region }), settings.HEAD_NODE_SECRET_ID ?? ''),
    limits: {
      node: limit(settings.SESSION_REQUESTS_PER_SECOND),
      session: rateLimit({
        perSecond: NODES_OF_A_JOB * settings.SESSION_REQUESTS_PER_SECOND,
        burst: NODES_AT_ONCE * settings.SESSION_REQUESTS_PER_SECOND,
      }),
      source: limit(settings.SOURCE_REQUESTS_PER_SECOND),
    },
    stage: new URL(settings.PUBLIC_URL).pathname.slice(1),
    audit,
    metrics,
    log,
    ...(shownMetrics && { shownMetrics }),
  });
  return {
    app,
    log,
    /** Removes revocations that have expired. */
    async sweep(): Promise<void> {
      const roles = await broker.sweep();
      if (roles > 0) audit({ event: 'expired-revocations-removed', roles });
    },
  };
}
