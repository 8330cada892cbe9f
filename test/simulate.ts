import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { PolicyDocument } from '@slipway/constructs';
import type { Body } from '../constructs/test/synthesized';
import type { Environment } from '../environments';
import { synthesized } from './synthesized';

/** A policy as an environment states it. */
export interface StatedPolicy {
  kind: 'managed' | 'inline' | 'attached' | 'boundary' | 'trust' | 'bucket' | 'key';
  /** ARN of what it is a policy of. */
  of: string;
  account: string;
  document: PolicyDocument;
}

/** Every policy that Terraform makes in an environment, with ARNs in place of references. */
export function statedPolicies(environment: Environment): StatedPolicy[] {
  const { account } = environment;
  const { resource = {} } = synthesized(environment).configuration;
  const all = (type: string) => Object.entries(resource[type] ?? {});
  const iam = (what: string) => `arn:aws:iam::${account}:${what}`;
  const document = (json: unknown) => {
    const concrete = text(json).replaceAll(/\$\{aws_kms_key\.[\w-]+\.arn\}/g, keyArn(environment));
    if (concrete.includes('${')) throw new Error(`No ARN is known for the reference in ${concrete}`);
    return JSON.parse(concrete) as PolicyDocument;
  };
  const managed = new Map(
    all('aws_iam_policy').map(([, { name, policy }]) => [iam(`policy/${text(name)}`), document(policy)]),
  );
  const named = (arn: unknown): PolicyDocument => {
    const found = managed.get(text(arn));
    if (!found) throw new Error(`${text(arn)} is no policy of ${environment.name}.`);
    return found;
  };

  const identity = (type: 'user' | 'role', id: string, body: Body): Stated[] => {
    const of = iam(`${type}/${text(body.name)}`);
    const its = (suffix: string) =>
      all(`aws_iam_${type}_${suffix}`).filter(([, other]) => text(other[type]).includes(`.${id}.`));
    return [
      ['boundary', of, named(body.permissions_boundary)],
      ...its('policy').map(([, { policy }]): Stated => ['inline', of, document(policy)]),
      ...its('policy_attachment').map(([, { policy_arn: arn }]): Stated => ['attached', of, named(arn)]),
    ];
  };
  const stated: Stated[] = [
    ...[...managed].map(([of, policy]): Stated => ['managed', of, policy]),
    ...all('aws_iam_user').flatMap(([id, body]) => identity('user', id, body)),
    ...all('aws_iam_role').flatMap(([id, body]): Stated[] => [
      ...identity('role', id, body),
      ['trust', iam(`role/${text(body.name)}`), document(body.assume_role_policy)],
    ]),
    ...all('aws_s3_bucket_policy').map(([, { bucket, policy }]): Stated => {
      const [, id = ''] = text(bucket).split('.');
      return ['bucket', `arn:aws:s3:::${text(resource.aws_s3_bucket?.[id]?.bucket)}`, document(policy)];
    }),
    ...all('aws_kms_key').map(([, { policy }]): Stated => ['key', keyArn(environment), document(policy)]),
  ];
  return stated.map(([kind, of, policy]) => ({ kind, of, account, document: policy }));
}

type Stated = [StatedPolicy['kind'], of: string, PolicyDocument];

/** ARN of an environment's KMS key; on AWS its id is known once it is made. */
export function keyArn({ name, region, account }: Environment): string {
  return `arn:aws:kms:${region}:${account}:key/${name.padEnd(8, '0').slice(0, 8)}-1234-1234-1234-123456789012`;
}

/** One question to IAM. */
export interface Request {
  /** ARN of a user, a role or an identity provider, or the name of an AWS service. */
  who: string;
  /** Such as s3:GetObject. */
  does: string;
  /** An ARN, or * for an action that has no resource to name. */
  on: string;
  /** Condition keys, beside those of every request here: from eu-west-1, and over TLS 1.3. */
  context?: Context | undefined;
}

export type Context = Readonly<Record<string, string | string[]>>;

/**
 * What IAM decides: by the policies of whoever asks, the boundary, and the policy of the bucket, key or role asked for.
 *
 * @throws when AWS doesn't know the question: no such action, no such resource of it, no such condition key. Else a
 *   denial could come from a slip of the pen in the question.
 */
export async function isAllowed(policies: readonly StatedPolicy[], request: Request): Promise<boolean> {
  const { who, does, on, context } = request;
  const s3 = does.startsWith('s3:');
  const of = (arn: string, ...kinds: StatedPolicy['kind'][]) =>
    policies.filter((policy) => policy.of === arn && kinds.includes(policy.kind));
  const forSimulator = ({ kind, document }: StatedPolicy, index: number) => ({
    name: `${kind} ${index}`,
    policy: document,
  });
  const boundary = of(who, 'boundary').map(forSimulator);
  const [guard] = of(s3 ? on.replace(/\/.*/, '') : on, 'trust', 'bucket', 'key');
  const everyRequest = {
    'aws:RequestedRegion': 'eu-west-1',
    'aws:SecureTransport': 'true',
    ...(s3 && { 's3:TlsVersion': '1.3' }),
  };
  const result = await runSimulation(
    {
      request: {
        principal: who.replace(/:iam::(\d+):role\/(.*)$/, ':sts::$1:assumed-role/$2/session'),
        action: does,
        resource: {
          resource: on,
          accountId: [on.split(':')[4], guard?.account, who.split(':')[4]].find(Boolean) ?? '',
        },
        contextVariables: known({ ...everyRequest, ...context }),
      },
      identityPolicies: of(who, 'inline', 'attached').map(forSimulator),
      ...(boundary.length > 0 && { permissionBoundaryPolicies: boundary }),
      ...(guard && { resourcePolicy: known(guard.document) }),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  const question = `${who} ${does} ${on}`;
  if (result.resultType === 'error') throw new Error(`${question}: ${JSON.stringify(result.errors)}`);
  const results = result.resultType === 'single' ? [result.result] : result.results;
  const ignored = results.flatMap(({ ignoredContextKeys = [] }) => ignoredContextKeys);
  if (ignored.length > 0) throw new Error(`${question}: no such condition key: ${ignored.join(', ')}`);
  return result.overallResult === 'Allowed';
}

/**
 * The simulator drops `sub` and `aud` of GitHub's tokens, as AWS's tables don't list these two, and then denies every
 * token. It knows those of another issuer.
 */
function known<T>(value: T): T {
  const renamed = JSON.stringify(value).replaceAll(
    '"token.actions.githubusercontent.com:',
    '"accounts.google.com:',
  );
  return JSON.parse(renamed) as T;
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');
