import {
  CreateEventBusCommand,
  DeleteRuleCommand,
  DescribeRuleCommand,
  EventBridgeClient,
  ListTagsForResourceCommand,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  TagResourceCommand,
  type PutRuleCommandInput,
} from '@aws-sdk/client-eventbridge';
import type { Case } from './case';
import { both, may } from './making';
import { allow } from './policies';
import { ACCOUNT, OTHER_ACCOUNT, REGION } from './world';

const RULES =
  'Service Authorization Reference, "Amazon EventBridge": rules of the default event bus are rule/${RuleName}, of another rule/${EventBusName}/${RuleName}';
const CONDITIONS = 'Amazon EventBridge User Guide, "Using IAM policy conditions in Amazon EventBridge"';
const PUT_RULE = 'Amazon EventBridge API Reference, "PutRule"';

const rule = (name: string) => `arn:aws:events:${REGION}:${ACCOUNT}:rule/${name}`;
const OWN = rule('${aws:username}');
const OTHERS = rule('${aws:username}-other');
const queue = (name: string) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/targets`;

type Given = NonNullable<Case['given']>;
type Does = Case['does'];

const putsRule =
  (more: Partial<PutRuleCommandInput> = {}): Does =>
  ({ options, name }) =>
    new EventBridgeClient(options).send(
      new PutRuleCommand({
        Name: name,
        ...(more.EventPattern === undefined && { ScheduleExpression: 'rate(1 hour)' }),
        ...more,
      }),
    );

const newRule =
  (more: Partial<PutRuleCommandInput> = {}): Given =>
  (world, who) =>
    putsRule(more)({ ...who, options: { ...who.options, ...world.administrator } }, world);

const putsTarget =
  (Arn: string, RoleArn?: string): Does =>
  ({ options, name }) =>
    new EventBridgeClient(options).send(
      new PutTargetsCommand({ Rule: name, Targets: [{ Id: 'one', Arn, RoleArn }] }),
    );

const newTarget: Given = async (world, who) => {
  await newRule()(world, who);
  await putsTarget(queue('jobs'))({ ...who, options: { ...who.options, ...world.administrator } }, world);
};

/** Actions that name a rule and nothing else. */
const onRule: readonly (readonly [action: string, given: Given, does: Does])[] = [
  [
    'DescribeRule',
    newRule(),
    ({ options, name }) => new EventBridgeClient(options).send(new DescribeRuleCommand({ Name: name })),
  ],
  [
    'DeleteRule',
    newRule(),
    ({ options, name }) => new EventBridgeClient(options).send(new DeleteRuleCommand({ Name: name })),
  ],
  [
    'ListTargetsByRule',
    newTarget,
    ({ options, name }) => new EventBridgeClient(options).send(new ListTargetsByRuleCommand({ Rule: name })),
  ],
  [
    'RemoveTargets',
    newTarget,
    ({ options, name }) =>
      new EventBridgeClient(options).send(new RemoveTargetsCommand({ Rule: name, Ids: ['one'] })),
  ],
  [
    'ListTagsForResource',
    newRule(),
    ({ options, name }) =>
      new EventBridgeClient(options).send(new ListTagsForResourceCommand({ ResourceARN: rule(name) })),
  ],
  [
    'TagResource',
    newRule(),
    ({ options, name }) =>
      new EventBridgeClient(options).send(
        new TagResourceCommand({ ResourceARN: rule(name), Tags: [{ Key: 'team', Value: 'a' }] }),
      ),
  ],
];

const service = 'events';

export const events: Case[] = [
  ...both(
    { source: RULES, service, does: putsRule() },
    { name: 'a rule of the default bus is put by its ARN', caller: may(allow('events:PutRule', OWN)) },
    {
      name: 'another rule is not put',
      caller: may(allow('events:PutRule', OTHERS)),
      says: /events:PutRule/,
    },
  ),
  ...onRule.flatMap(([action, given, does]) =>
    both(
      { source: RULES, service, given, does },
      { name: `${action} takes leave for the rule`, caller: may(allow(`events:${action}`, OWN)) },
      { name: `${action} of another rule is denied`, caller: may(allow(`events:${action}`, OTHERS)) },
    ),
  ),
  ...both(
    {
      source: RULES,
      service,
      given: ({ administrator }, { name }) =>
        new EventBridgeClient(administrator).send(new CreateEventBusCommand({ Name: `bus-${name}` })),
      does: (who, world) =>
        putsRule({ EventBusName: `bus-${who.name}`, EventPattern: '{"source":["a"]}' })(who, world),
    },
    {
      name: "a rule of another bus has the bus's name in its ARN",
      caller: may(allow('events:PutRule', rule('bus-${aws:username}/${aws:username}'))),
    },
    {
      name: 'leave for a rule of the default bus is none for one of another bus',
      caller: may(allow('events:PutRule', OWN)),
    },
  ),
  ...both(
    { source: RULES, service, does: putsRule({ EventBusName: 'default' }) },
    { name: 'the default bus may be named', caller: may(allow('events:PutRule', OWN)) },
    {
      name: "the default bus's name is in no ARN",
      caller: may(allow('events:PutRule', rule('default/${aws:username}'))),
    },
  ),
  ...both(
    {
      source: `${PUT_RULE}: to set tags you must have both events:PutRule and events:TagResource`,
      service,
      does: putsRule({ Tags: [{ Key: 'team', Value: 'a' }] }),
    },
    {
      name: 'a rule with tags takes leave to tag',
      caller: may(allow(['events:PutRule', 'events:TagResource'], OWN)),
    },
    {
      name: 'a rule with tags is not put without leave to tag',
      caller: may(allow('events:PutRule', OWN)),
      says: /events:TagResource/,
    },
  ),
  ...both(
    {
      source: 'Service Authorization Reference, "Amazon EventBridge": PutRule has aws:RequestTag/${TagKey}',
      service,
      caller: may(
        allow(['events:PutRule', 'events:TagResource'], OWN, {
          StringEquals: { 'aws:RequestTag/team': 'a' },
        }),
      ),
      does: putsRule({ Tags: [{ Key: 'team', Value: 'a' }] }),
    },
    { name: 'a rule is put with the tag of the condition' },
    { name: 'a rule is not put with another tag', does: putsRule({ Tags: [{ Key: 'team', Value: 'b' }] }) },
  ),
  ...both(
    {
      source:
        'Service Authorization Reference, "Amazon EventBridge": the resource type rule has aws:ResourceTag/${TagKey}',
      service,
      caller: may(allow('events:DescribeRule', '*', { StringEquals: { 'aws:ResourceTag/team': 'a' } })),
      does: ({ options, name }) =>
        new EventBridgeClient(options).send(new DescribeRuleCommand({ Name: name })),
    },
    { name: 'a rule is described that has the tag', given: newRule({ Tags: [{ Key: 'team', Value: 'a' }] }) },
    {
      name: 'a rule is not described that has another',
      given: newRule({ Tags: [{ Key: 'team', Value: 'b' }] }),
    },
  ),
  ...both(
    {
      source: `${CONDITIONS}: events:TargetArn`,
      service,
      given: newRule(),
      caller: may(
        allow('events:PutTargets', '*', { 'ForAllValues:ArnLike': { 'events:TargetArn': queue('jobs') } }),
      ),
      does: putsTarget(queue('jobs')),
    },
    { name: 'a target of the condition is put' },
    { name: 'another target is not put', does: putsTarget(queue('others')) },
  ),
  ...both(
    {
      source: `${CONDITIONS}: events:source`,
      service,
      caller: may(
        allow('events:PutRule', '*', { 'ForAllValues:StringEquals': { 'events:source': ['aws.ec2'] } }),
      ),
      does: putsRule({ EventPattern: '{"source":["aws.ec2"]}' }),
    },
    { name: 'a rule on the source of the condition is put' },
    {
      name: 'a rule on another source is not put',
      does: putsRule({ EventPattern: '{"source":["aws.ec2","aws.s3"]}' }),
    },
  ),
  ...both(
    {
      source:
        'Amazon EventBridge User Guide, "Using identity-based policies": who gives EventBridge a role must have iam:PassRole',
      service,
      given: newRule(),
      does: putsTarget(queue('jobs'), ROLE),
    },
    {
      name: 'a target with a role takes leave to pass it to EventBridge',
      caller: may(
        allow('events:PutTargets', OWN),
        allow('iam:PassRole', ROLE, { StringEquals: { 'iam:PassedToService': 'events.amazonaws.com' } }),
      ),
    },
    {
      name: 'a target with a role is not put without leave to pass it',
      caller: may(allow('events:PutTargets', OWN)),
      service: 'iam',
      says: /iam:PassRole/,
    },
  ),
  {
    name: "a rule of another account isn't reached by its name",
    source: RULES,
    service,
    caller: {
      account: OTHER_ACCOUNT,
      policies: [{ Version: '2012-10-17', Statement: [allow('events:DescribeRule', OWN)] }],
    },
    given: newRule(),
    does: ({ options, name }) => new EventBridgeClient(options).send(new DescribeRuleCommand({ Name: name })),
    expect: 'denied',
  },
];
