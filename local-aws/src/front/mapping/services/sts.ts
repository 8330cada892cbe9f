import { sessionOf, type Session } from '../../authentication/principal';
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
      // A tag that a chain hands on stands over the role's own (IAM User Guide, "Chaining roles with session tags").
      tags: async () => {
        const role = await mapping.world.identities.role(accountIn(arn, ''), arn.split('/').at(-1) ?? '');
        return role && { ...role.tags, ...handedOn(session) };
      },
    });
    return [
      one(action),
      ...(tagged ? [one('TagSession')] : []),
      ...(source === undefined
        ? []
        : // In a chain, both roles must let it (IAM User Guide, "Monitor and control actions taken with assumed roles").
          [{ ...one('SetSourceIdentity'), onBothSides: session?.sourceIdentity !== undefined }]),
    ];
  };
}

/** Tags of a session that go on to the next role. */
export function handedOn(session: Session | undefined): Record<string, string> {
  return Object.fromEntries((session?.transitiveTagKeys ?? []).map((key) => [key, session?.tags[key] ?? '']));
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
