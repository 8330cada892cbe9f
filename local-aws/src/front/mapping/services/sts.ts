import { sessionOf } from '../../authentication/principal';
import { accountIn } from '../arn';
import { isRecord, text, texts, type Ask, type Context, type Mapping, type Rules } from '../ask';
import { requestTagContext, tagsIn } from '../request-tags';

/**
 * Taking on a role: the caller's own policies and the role's trust policy are asked at once, for the role itself, for
 * the session's tags, and for its source identity.
 */
function assumeRole(action: string) {
  return (mapping: Mapping): Ask[] => {
    const { input } = mapping.call;
    const arn = text(input.RoleArn) ?? '';
    // What a chain hands on is set again, and needs leave again.
    const session = sessionOf(mapping.caller);
    const tagged = Object.keys(tagsIn(input.Tags)).length > 0 || (session?.transitiveTagKeys.length ?? 0) > 0;
    const source = text(input.SourceIdentity) ?? session?.sourceIdentity;
    const context = { ...roleContext(mapping), 'sts:SourceIdentity': source };
    const one = (name: string): Ask => ({
      action: `sts:${name}`,
      resource: arn,
      account: accountIn(arn, mapping.account),
      context,
      tags: async () =>
        (await mapping.world.identities(accountIn(arn, ''))).roles.get(arn.split('/').at(-1) ?? '')?.tags,
    });
    return [
      one(action),
      ...(tagged ? [one('TagSession')] : []),
      ...(source !== undefined ? [one('SetSourceIdentity')] : []),
    ];
  };
}

function roleContext({ call }: Mapping): Context {
  const { input } = call;
  const transitive = texts(input.TransitiveTagKeys);
  return {
    ...requestTagContext(tagsIn(input.Tags)),
    'sts:ExternalId': text(input.ExternalId),
    'sts:RoleSessionName': text(input.RoleSessionName),
    'sts:TransitiveTagKeys': transitive.length > 0 ? transitive : undefined,
    'sts:DurationSeconds': text(input.DurationSeconds),
    'sts:AWSServiceName': undefined,
    'sts:RoleAuthorizedByIdp': undefined,
    'sts:RequestContextProviders': undefined,
    ...(isRecord(input.Claims) ? (input.Claims as Context) : {}),
  };
}

export const sts: Rules = {
  actions: {
    // Everyone may ask who he is, and a user for a session of his own (AWS STS API Reference).
    GetCallerIdentity: [],
    GetSessionToken: [],
  },
  asks: {
    AssumeRole: assumeRole('AssumeRole'),
    AssumeRoleWithWebIdentity: assumeRole('AssumeRoleWithWebIdentity'),
    GetFederationToken: (mapping) => {
      const { call, account } = mapping;
      const tags = tagsIn(call.input.Tags);
      const one = (action: string): Ask => ({
        action: `sts:${action}`,
        resource: `arn:aws:sts::${account}:federated-user/${text(call.input.Name) ?? ''}`,
        account,
        context: requestTagContext(tags),
      });
      return [one('GetFederationToken'), ...(Object.keys(tags).length > 0 ? [{ ...one('TagSession') }] : [])];
    },
  },
};
