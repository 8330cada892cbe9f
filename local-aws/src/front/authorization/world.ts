import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms';
import { DescribeSecretCommand, type DescribeSecretCommandOutput } from '@aws-sdk/client-secrets-manager';
import { Identities } from './identities';
import { Kept } from './kept';
import { motoClients, orNothing, type ClientFor, type Place } from './moto-clients';
import { readPolicy, type PolicyDocument } from './policy';
import type { Pins } from './principals';

export interface Bucket {
  /** Who made it. */
  readonly account: string;
  readonly region: string;
  policy?: {
    /** As it was put. */
    readonly text: string;
    readonly document: PolicyDocument;
    readonly pins: Pins;
  };
  publicAccess: PublicAccessBlock;
}

/** S3 User Guide, "Blocking public access to your Amazon S3 storage": as far as it is about policies. */
export interface PublicAccessBlock {
  /** A policy that is public isn't taken. */
  readonly blockPublicPolicy: boolean;
  /** A policy that is public counts for the bucket's account and for AWS's services alone. */
  readonly restrictPublicBuckets: boolean;
}

/** What every new bucket has. */
export const ALL_BLOCKED: PublicAccessBlock = { blockPublicPolicy: true, restrictPublicBuckets: true };
export const NONE_BLOCKED: PublicAccessBlock = { blockPublicPolicy: false, restrictPublicBuckets: false };

export interface KeyFacts {
  readonly arn: string;
  readonly account: string;
  /** `alias/…`, all of them. */
  readonly aliases: readonly string[];
  readonly spec: string;
  readonly usage: string;
  readonly origin: string;
  readonly multiRegion: boolean;
  readonly tags: Readonly<Record<string, string>>;
  readonly policy: PolicyDocument | undefined;
}

/** A key of KMS that objects are encrypted with. */
export interface ObjectKey {
  /** Id, ARN or alias. */
  readonly key: string;
  /** One for many objects: the bucket stands for them (S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys"). */
  readonly bucketKey: boolean;
}

/** What decisions need to know of the account's things: read from moto, or learnt from what passed by. */
export class World {
  readonly kept = new Kept();
  readonly client: ClientFor;
  /** Every bucket by its name, which is one for all accounts. Their policies are kept here: moto misjudges them. */
  readonly buckets = new Map<string, Bucket>();
  readonly identities: Identities;
  /** Keys of KMS that multipart uploads encrypt with, by the upload's id. */
  readonly uploadKeys = new Map<string, ObjectKey>();
  /** Of trust policies, by the role's ARN. */
  readonly pins = new Map<string, Pins>();

  constructor(
    motoEndpoint: string,
    /** The account that this AWS is for. */
    readonly account: string,
    readonly region: string,
  ) {
    this.client = motoClients(motoEndpoint);
    this.identities = new Identities(this.client, this.kept, region);
  }

  /** Something was changed by a request for this service. CloudFormation changes any. */
  changed(prefix: string, account: string): void {
    for (const each of prefix === 'cloudformation' ? CHANGED_BY_STACKS : [prefix])
      this.kept.changed(`${each}:${account}`);
  }

  read<T>(prefix: string, { account, region }: Place, what: string, fetch: () => Promise<T>): Promise<T> {
    return this.kept.read([`${prefix}:${account}`], `${region}:${what}`, fetch);
  }

  /** Whether a public policy on what this ARN names counts less. */
  restrictsPublic(arn: string): boolean {
    const [, bucket = ''] = /^arn:aws:s3:::([^/]+)/.exec(arn) ?? [];
    return this.buckets.get(bucket)?.publicAccess.restrictPublicBuckets === true;
  }

  /**
   * A KMS key by its id, its ARN, or an alias in either form.
   *
   * @returns undefined when there is no such key
   */
  async key(place: Place, id: string): Promise<KeyFacts | undefined> {
    const at = { ...place, ...placeOf(id) };
    return this.read('kms', at, `key ${id}`, async () => {
      const kms = this.client('kms', at);
      const described = await orNothing(kms.send(new DescribeKeyCommand({ KeyId: id })));
      const key = described?.KeyMetadata;
      if (key?.KeyId === undefined || key.Arn === undefined) return undefined;
      const of = { KeyId: key.KeyId };
      const [aliases, tags, policy] = await Promise.all([
        kms.send(new ListAliasesCommand(of)),
        orNothing(kms.send(new ListResourceTagsCommand(of))),
        orNothing(kms.send(new GetKeyPolicyCommand({ ...of, PolicyName: 'default' }))),
      ]);
      const names = (aliases.Aliases ?? []).map(({ AliasName: name = '' }) => name);
      const service = names.map((name) => /^alias\/aws\/(.+)$/.exec(name)?.[1]).find(Boolean);
      return {
        arn: key.Arn,
        account: at.account,
        aliases: names,
        spec: key.KeySpec ?? 'SYMMETRIC_DEFAULT',
        usage: key.KeyUsage ?? 'ENCRYPT_DECRYPT',
        origin: key.Origin ?? 'AWS_KMS',
        multiRegion: key.MultiRegion ?? false,
        tags: Object.fromEntries(
          (tags?.Tags ?? []).map(({ TagKey: name = '', TagValue: value = '' }) => [name, value]),
        ),
        policy: service === undefined ? readPolicy(policy?.Policy ?? '') : policyOfManagedKey(service, at),
      };
    });
  }

  /** @param id its name or ARN */
  secret(place: Place, id: string): Promise<DescribeSecretCommandOutput | undefined> {
    const at = { ...place, ...placeOf(id) };
    return this.read('secretsmanager', at, `secret ${id}`, () =>
      orNothing(this.client('secretsmanager', at).send(new DescribeSecretCommand({ SecretId: id }))),
    );
  }
}

/** Names of AWS's own keys that aren't the services' own. */
const SERVICES_OF_KEYS: Readonly<Partial<Record<string, string>>> = { ebs: 'ec2', elasticfilesystem: 'efs' };

/** AWS's own keys are for everyone of the account by way of their service (KMS Developer Guide, "AWS managed keys"). */
function policyOfManagedKey(name: string, { account, region }: Place): PolicyDocument {
  const service = SERVICES_OF_KEYS[name] ?? name;
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncrypt*',
          'kms:GenerateDataKey*',
          'kms:CreateGrant',
          'kms:RetireGrant',
          'kms:DescribeKey',
        ],
        Resource: '*',
        Condition: {
          StringEquals: {
            'kms:CallerAccount': account,
            'kms:ViaService': `${service}.${region}.amazonaws.com`,
          },
        },
      },
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
        Resource: '*',
      },
    ],
  };
}

/** What moto's CloudFormation may make without a request that passes by here. */
const CHANGED_BY_STACKS = [
  'iam',
  's3',
  'ssm',
  'kms',
  'ecr',
  'ec2',
  'dynamodb',
  'secretsmanager',
  'cloudwatch',
  'logs',
  'ses',
  'lambda',
  'apigateway',
  'cloudformation',
];

/** Account and region that an ARN names; nothing for what is no ARN. */
export function placeOf(arn: string): Partial<Place> {
  const [head, , , region = '', account = ''] = arn.split(':');
  if (head !== 'arn') return {};
  return { ...(region !== '' && { region }), ...(account !== '' && { account }) };
}
