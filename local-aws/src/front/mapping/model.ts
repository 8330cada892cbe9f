import { NormalizedSchema } from '@smithy/core/schema';
import { messageGateway, ssmAgent } from './agent-model';

/** How a service's requests are written (Smithy, "AWS protocols"). */
export type Protocol = 'query' | 'ec2-query' | 'json' | 'rest-json' | 'rest-xml' | 'rpc-v2-cbor';

export interface Service {
  /** In the scope of a signature. */
  readonly signingName: string;
  /** Of its actions: `cloudwatch` for `monitoring`. */
  readonly prefix: string;
  readonly protocols: readonly Protocol[];
  /** How its errors are written when a request is too broken to tell. */
  readonly operations: ReadonlyMap<string, Operation>;
}

export interface Operation {
  readonly name: string;
  readonly input: NormalizedSchema;
  /** Method and URI template, for the REST protocols. */
  readonly http: { readonly method: string; readonly uri: string } | undefined;
}

interface Source {
  readonly prefix: string;
  readonly protocols: readonly Protocol[];
  readonly load: () => Promise<object>;
}

/** The services that can be mapped, by the name in a signature's scope. What they take is in the SDK's own models. */
const SOURCES: Readonly<Partial<Record<string, Source>>> = {
  sts: { prefix: 'sts', protocols: ['query'], load: () => import('@aws-sdk/client-sts') },
  iam: { prefix: 'iam', protocols: ['query'], load: () => import('@aws-sdk/client-iam') },
  s3: { prefix: 's3', protocols: ['rest-xml'], load: () => import('@aws-sdk/client-s3') },
  ssm: {
    prefix: 'ssm',
    protocols: ['json'],
    load: async () => ({ ...(await import('@aws-sdk/client-ssm')), ...ssmAgent }),
  },
  ssmmessages: {
    prefix: 'ssmmessages',
    protocols: ['rest-json'],
    load: () => Promise.resolve(messageGateway),
  },
  kms: { prefix: 'kms', protocols: ['json'], load: () => import('@aws-sdk/client-kms') },
  ecr: { prefix: 'ecr', protocols: ['json'], load: () => import('@aws-sdk/client-ecr') },
  ec2: { prefix: 'ec2', protocols: ['ec2-query'], load: () => import('@aws-sdk/client-ec2') },
  dynamodb: { prefix: 'dynamodb', protocols: ['json'], load: () => import('@aws-sdk/client-dynamodb') },
  secretsmanager: {
    prefix: 'secretsmanager',
    protocols: ['json'],
    load: () => import('@aws-sdk/client-secrets-manager'),
  },
  monitoring: {
    prefix: 'cloudwatch',
    protocols: ['query', 'json', 'rpc-v2-cbor'],
    load: () => import('@aws-sdk/client-cloudwatch'),
  },
  events: { prefix: 'events', protocols: ['json'], load: () => import('@aws-sdk/client-eventbridge') },
  logs: { prefix: 'logs', protocols: ['json'], load: () => import('@aws-sdk/client-cloudwatch-logs') },
  ses: { prefix: 'ses', protocols: ['query'], load: () => import('@aws-sdk/client-ses') },
  'ses/v2': { prefix: 'ses', protocols: ['rest-json'], load: () => import('@aws-sdk/client-sesv2') },
  cloudformation: {
    prefix: 'cloudformation',
    protocols: ['query'],
    load: () => import('@aws-sdk/client-cloudformation'),
  },
  lambda: { prefix: 'lambda', protocols: ['rest-json'], load: () => import('@aws-sdk/client-lambda') },
  apigateway: {
    prefix: 'apigateway',
    protocols: ['rest-json'],
    load: () => import('@aws-sdk/client-api-gateway'),
  },
  'apigateway/v2': {
    prefix: 'apigateway',
    protocols: ['rest-json'],
    load: () => import('@aws-sdk/client-apigatewayv2'),
  },
};

export const SERVICE_NAMES = Object.keys(SOURCES);

const loaded = new Map<string, Promise<Service>>();

/**
 * A service by the name in a signature's scope. Two services have a second API under the path /v2/.
 *
 * @returns undefined for a service that isn't mapped
 */
export async function serviceOf(signingName: string, path: string): Promise<Service | undefined> {
  const name =
    path.startsWith('/v2/') && SOURCES[`${signingName}/v2`] !== undefined ? `${signingName}/v2` : signingName;
  const source = SOURCES[name];
  if (source === undefined) return undefined;
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const service = load(signingName, source);
  loaded.set(name, service);
  return service;
}

async function load(signingName: string, { prefix, protocols, load: loadClient }: Source): Promise<Service> {
  const client = await loadClient();
  const operations = Object.values(client)
    .filter(isOperation)
    .map((schema): [string, Operation] => {
      const [, , name, traits, input] = schema;
      const http = (traits === 0 ? undefined : traits.http) as [string, string] | undefined;
      return [
        name,
        { name, input: NormalizedSchema.of(input()), http: http && { method: http[0], uri: http[1] } },
      ];
    });
  return { signingName, prefix, protocols, operations: new Map(operations) };
}

/** How the SDK's clients write an operation: a 9, the namespace, the name, traits, and thunks of input and output. */
type OperationSchema = [9, string, string, 0 | { http?: unknown }, () => never, () => never];

function isOperation(value: unknown): value is OperationSchema {
  return Array.isArray(value) && value[0] === 9 && typeof value[2] === 'string';
}

/** Names of the members that a request must have; the model lists them first, and says how many they are. */
export function requiredMembers(input: NormalizedSchema): readonly string[] {
  const schema: unknown = input.getSchema();
  if (!Array.isArray(schema)) return [];
  const [, , , , names, , required] = schema as unknown[];
  return Array.isArray(names) && typeof required === 'number' ? (names as string[]).slice(0, required) : [];
}

export function members(input: NormalizedSchema): readonly [string, NormalizedSchema][] {
  return input.isStructSchema() ? [...input.structIterator()] : [];
}
