import { createRequire } from 'node:module';
import path from 'node:path';
import { loadPolicy, type Policy } from '@cloud-copilot/iam-policy';
import type { RequestAnalysis, Simulation } from '@cloud-copilot/iam-simulate';
import type { ContextValue } from '../mapping/ask';
import { literal } from './literal-text';
import type { PolicyDocument } from './policy';

/** Who asks: an ARN, a service's name, or nobody. */
export type SimulatedPrincipal = Simulation['request']['principal'];

/** A policy with the name by which its statements are told of. */
type NamedForEvaluator = Policy<{ name: string }>;

export interface Evaluation {
  readonly principal: SimulatedPrincipal;
  readonly action: string;
  readonly resource: string;
  /** Who owns the resource. */
  readonly account: string;
  readonly context: Readonly<Record<string, ContextValue>>;
  readonly identity: readonly NamedForEvaluator[];
  /** @default - no boundary */
  readonly boundary: readonly NamedForEvaluator[] | undefined;
  readonly session: NamedForEvaluator | undefined;
  readonly resourcePolicy: NamedForEvaluator | undefined;
}

/**
 * The engine of @cloud-copilot/iam-simulate, which decides on what it is given. Its public function checks its input by
 * AWS's tables before, and drops or refuses what these lack though AWS has it: `aud` and `sub` of GitHub's tokens,
 * `kms:EncryptionContext:…`, paths of API Gateway, documents of Amazon's own (docs/decisions/0006-front.md).
 */
interface Engine {
  readonly authorize: (request: object) => RequestAnalysis;
}
type RequestClass = new (
  principal: SimulatedPrincipal,
  resource: { resource: string; accountId: string },
  action: string,
  context: object,
  wildcardOnly: boolean,
) => object;
type ContextClass = new (values: Readonly<Record<string, ContextValue>>) => object;
interface PublicAccess {
  readonly classifyS3RuntimePublicBucketPolicy: (policy: Policy) => {
    readonly result: 'public' | 'nonPublic';
  };
}
type ConstraintsClass = new (constraints: readonly object[]) => object;

const load = createRequire(__filename);
const folder = path.dirname(load.resolve('@cloud-copilot/iam-simulate'));
const part = (file: string): unknown => load(path.join(folder, file));

const { authorize } = part('core_engine/CoreSimulatorEngine.js') as Engine;
const { AwsRequestImpl } = part('request/request.js') as { AwsRequestImpl: RequestClass };
const { RequestContextImpl } = part('requestContext.js') as { RequestContextImpl: ContextClass };
const { DiscoveryContextKeyConstraints } = part('context_keys/discoveryContextKeyConstraints.js') as {
  DiscoveryContextKeyConstraints: ConstraintsClass;
};
const { classifyS3RuntimePublicBucketPolicy } = part('services/s3/s3BlockPublicAccess.js') as PublicAccess;

const STRICTLY = {
  simulationMode: 'Strict',
  discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]),
};
/** No organization stands above the account, but every resource is under AWS's own control policy, which allows all. */
const NO_ORGANIZATION = { serviceControlPolicies: [], resourceControlPolicies: [] };

/** IAM User Guide, "Policy evaluation logic". */
export function evaluate(evaluation: Evaluation): RequestAnalysis {
  const { principal, action, resource, account, context } = evaluation;
  const { identity, boundary, session, resourcePolicy } = evaluation;
  return authorize({
    request: new AwsRequestImpl(
      principal,
      { resource: resource === '*' ? resource : literal(resource), accountId: account },
      action,
      new RequestContextImpl(asLiterals(context)),
      resource === '*',
    ),
    identityPolicies: identity,
    permissionBoundaries: boundary,
    sessionPolicy: session,
    resourcePolicy,
    vpcEndpointPolicies: undefined,
    ...NO_ORGANIZATION,
    simulationParameters: STRICTLY,
  });
}

/** Whether a bucket's policy lets anyone in (S3 User Guide, "The meaning of 'public'"). */
export const isPublic = (bucketPolicy: PolicyDocument): boolean =>
  classifyS3RuntimePublicBucketPolicy(loadPolicy(bucketPolicy)).result === 'public';

const asLiterals = (context: Evaluation['context']): Record<string, ContextValue> =>
  Object.fromEntries(
    Object.entries(context).map(([key, value]) => [
      key,
      typeof value === 'string' ? literal(value) : value.map(literal),
    ]),
  );
