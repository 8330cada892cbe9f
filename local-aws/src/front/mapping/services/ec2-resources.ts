import type { Place } from '../../authorization/moto-clients';
import { isRecord, records, text, type Ask, type Context, type Mapping } from '../ask';
import { requestTagContext, tagsIn } from '../request-tags';
import { passRole } from './iam';

export const placeOfCall = ({ call, account }: Mapping): Place => ({ account, region: call.region });

/** @param resource such as `instance/i-1`; images and snapshots have no account */
export const ec2Arn = ({ call, account }: Mapping, resource: string) =>
  /^(image|snapshot)\//.test(resource)
    ? `arn:aws:ec2:${call.region}::${resource}`
    : `arn:aws:ec2:${call.region}:${account}:${resource}`;

/** What isn't there yet has no id. */
export const isNew = (resource: string) => resource.endsWith('/*');

/** Tags that a request gives to what it makes, by the kind of it. */
export function tagsByKind(input: Readonly<Record<string, unknown>>): Map<string, Record<string, string>> {
  return new Map(
    records(input.TagSpecifications).map(({ ResourceType: kind, Tags: tags }) => [
      text(kind) ?? '',
      tagsIn(tags),
    ]),
  );
}

/** Tags that are given at the making take leave to tag, with `ec2:CreateAction` (Amazon EC2 User Guide, "Grant permission to tag resources during creation"). */
export function tagAsks(mapping: Mapping): Ask[] {
  return [...tagsByKind(mapping.call.input)].map(([kind, tags]) => ({
    action: 'ec2:CreateTags',
    resource: ec2Arn(mapping, `${kind}/*`),
    account: mapping.account,
    context: {
      ...baseContext(mapping),
      ...requestTagContext(tags),
      'ec2:CreateAction': mapping.call.operation,
    },
    tags: () => Promise.resolve(undefined),
  }));
}

export function baseContext({ call }: Mapping): Context {
  return {
    'ec2:Region': call.region,
    'ec2:CreateAction': undefined,
    'ec2:IsLaunchTemplateResource': 'false',
    'ec2:LaunchTemplate': undefined,
  };
}

/** `iam:PassRole` for the role in an instance profile, by its name or ARN. */
export async function profileAsks(mapping: Mapping, given: unknown): Promise<Ask[]> {
  if (!isRecord(given)) return [];
  const name = text(given.Name) ?? text(given.Arn)?.split('/').at(-1) ?? '';
  const profile = await mapping.world.identities.instanceProfile(mapping.account, name);
  const role = profile?.roleArn;
  return role === undefined
    ? []
    : [passRole(mapping, role, 'ec2.amazonaws.com', ec2Arn(mapping, 'instance/*'))];
}
