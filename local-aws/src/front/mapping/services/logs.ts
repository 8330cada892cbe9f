import { ListTagsForResourceCommand } from '@aws-sdk/client-cloudwatch-logs';
import { orNothing } from '../../authorization/moto-clients';
import { asksFor } from '../asks-by-name';
import { text, type Mapping, type Rules } from '../ask';
import { passRole } from './iam';

/**
 * A log group as policies have it: with what follows its name, but in the tagging operations (CloudWatch Logs User
 * Guide, "CloudWatch Logs resources and operations": with `:*` in policies for all other actions).
 */
function logGroup(value: string, { call }: Mapping): string {
  if (/^(Tag|Untag|ListTags)/.test(call.operation)) return value.replace(/:\*$/, '');
  const bare = value.replace(/:\*$/, '');
  return `${bare}:log-stream:`;
}

export const logs: Rules = {
  members: {
    LogGroupName: ['logGroupName', 'logGroupNames', 'logGroupIdentifier', 'logGroupIdentifiers'],
    LogStreamName: ['logStreamName'],
    DestinationName: ['destinationName'],
  },
  resolve: (variable, value, mapping) => {
    if (variable !== 'LogGroupName') return value;
    // Streams have the group's name in their middle.
    return STREAM_OPERATIONS.has(mapping.call.operation) ? value : logGroup(value, mapping);
  },
  tags: async ({ world, account, call }, resource) => {
    const command = new ListTagsForResourceCommand({ resourceArn: resource.replace(/:log-stream:.*$/, '') });
    return (await orNothing(world.client('logs', { account, region: call.region }).send(command)))?.tags;
  },
  collections: ['StartQuery', 'DescribeDestinations', 'PutDestination'],
  context: ({ call }) => ({
    'logs:LogGeneratingResourceArns': undefined,
    'logs:DeliveryDestinationResourceArn': undefined,
    'logs:DestinationArn': text(call.input.destinationArn),
  }),
  asks: {
    CreateLogGroup: async (mapping) => {
      const asks = await asksFor('CreateLogGroup', mapping, logs);
      return mapping.call.input.tags === undefined
        ? asks
        : [...asks, ...asks.map((one) => ({ ...one, action: 'logs:TagResource' }))];
    },
    PutSubscriptionFilter: async (mapping) => {
      const asks = await asksFor('PutSubscriptionFilter', mapping, logs);
      const role = text(mapping.call.input.roleArn);
      return role === undefined
        ? asks
        : [...asks, passRole(mapping, role, `logs.${mapping.call.region}.amazonaws.com`)];
    },
  },
};

const STREAM_OPERATIONS = new Set(['CreateLogStream', 'DeleteLogStream', 'GetLogEvents', 'PutLogEvents']);
