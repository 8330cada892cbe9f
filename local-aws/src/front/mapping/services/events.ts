import { ListTagsForResourceCommand } from '@aws-sdk/client-eventbridge';
import { orNothing } from '../../authorization/moto-clients';
import { invalid } from '../../refusal';
import { ask } from '../asks-by-name';
import { isRecord, records, text, texts, type Ask, type Context, type Mapping, type Rules } from '../ask';
import { passRole } from './iam';

/** Rules of the default event bus have no bus in their ARN (Service Authorization Reference, "Amazon EventBridge"). */
function ruleArn({ call, account }: Mapping): string {
  const name = text(call.input.Rule) ?? text(call.input.Name) ?? '';
  const bus = (text(call.input.EventBusName) ?? 'default').replace(/^arn:.*:event-bus\//, '');
  return `arn:aws:events:${call.region}:${account}:rule/${bus === 'default' ? '' : `${bus}/`}${name}`;
}

/** A rule, and the roles that EventBridge gets to take on for it. */
function onRule(action: string) {
  return (mapping: Mapping): Ask[] => {
    const { input } = mapping.call;
    const resource = ruleArn(mapping);
    const roles = [input.RoleArn, ...records(input.Targets).map(({ RoleArn: role }) => role)].flatMap(texts);
    return [
      ask(action, resource, mapping, events),
      // EventBridge API Reference, "PutRule": with tags it takes leave to tag as well.
      ...(action === 'PutRule' && input.Tags !== undefined
        ? [ask('TagResource', resource, mapping, events)]
        : []),
      ...[...new Set(roles)].map((role) => passRole(mapping, role, 'events.amazonaws.com', resource)),
    ];
  };
}

const RULE_ACTIONS = [
  'DeleteRule',
  'DescribeRule',
  'DisableRule',
  'EnableRule',
  'ListTargetsByRule',
  'PutRule',
  'PutTargets',
  'RemoveTargets',
] as const;

/** What a rule's pattern says (EventBridge User Guide, "Using IAM policy conditions in Amazon EventBridge"). */
function patternContext(pattern: string | undefined): Context {
  const said = pattern === undefined ? {} : readPattern(pattern);
  const listed = (value: unknown) => (texts(value).length > 0 ? texts(value) : undefined);
  return { 'events:source': listed(said.source), 'events:detail-type': listed(said['detail-type']) };
}

function readPattern(pattern: string): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(pattern);
    if (isRecord(read)) return read;
  } catch {
    // Told below.
  }
  throw invalid(
    'InvalidEventPatternException',
    'Event pattern is not valid. Reason: it is no object in JSON',
  );
}

export const events: Rules = {
  members: { EventBusName: ['EventBusName', 'Name'] },
  tags: async ({ world, account, call }, resource) => {
    const command = new ListTagsForResourceCommand({ ResourceARN: resource });
    const answer = await orNothing(world.client('events', { account, region: call.region }).send(command));
    return Object.fromEntries(
      (answer?.Tags ?? []).map(({ Key: key = '', Value: value = '' }) => [key, value]),
    );
  },
  context: ({ call, account }) => {
    const targets = records(call.input.Targets).flatMap(({ Arn: arn }) => texts(arn));
    return {
      ...patternContext(text(call.input.EventPattern)),
      'events:TargetArn': targets.length > 0 ? targets : undefined,
      'events:creatorAccount': account,
      'events:ManagedBy': undefined,
      'events:detail.service': undefined,
      'events:detail.eventTypeCode': undefined,
      'events:detail.userIdentity.principalId': undefined,
      'events:eventBusInvocation': undefined,
    };
  },
  asks: Object.fromEntries(RULE_ACTIONS.map((action) => [action, onRule(action)])),
};
