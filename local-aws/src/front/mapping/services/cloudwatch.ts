import { ListTagsForResourceCommand } from '@aws-sdk/client-cloudwatch';
import { orNothing } from '../../authorization/moto-clients';
import { asksFor } from '../asks-by-name';
import { text, texts, type Rules } from '../ask';

export const cloudwatch: Rules = {
  members: {
    AlarmName: ['AlarmName', 'AlarmNames'],
    DashboardName: ['DashboardName', 'DashboardNames'],
    InsightRuleName: ['RuleName', 'RuleNames'],
    MetricStreamName: ['Name', 'Names'],
    DatasetId: [],
  },
  // What names no alarm is about all of them; metrics have no ARN.
  collections: [
    'DescribeAlarms',
    'DescribeAlarmHistory',
    'ListMetrics',
    'PutMetricData',
    'GetMetricData',
    'ListMetricStreams',
    'DescribeInsightRules',
  ],
  context: ({ call }) => ({
    'cloudwatch:namespace': text(call.input.Namespace),
    'cloudwatch:AlarmActions':
      texts(call.input.AlarmActions).length > 0 ? texts(call.input.AlarmActions) : undefined,
    'cloudwatch:HasAccessGrant': undefined,
    'cloudwatch:requestInsightRuleLogGroups': undefined,
    'cloudwatch:requestManagedResourceARNs': undefined,
  }),
  tags: async ({ world, account, call }, resource) => {
    const command = new ListTagsForResourceCommand({ ResourceARN: resource });
    const answer = await orNothing(
      world.client('cloudwatch', { account, region: call.region }).send(command),
    );
    return Object.fromEntries(
      (answer?.Tags ?? []).map(({ Key: key = '', Value: value = '' }) => [key, value]),
    );
  },
  asks: {
    PutMetricAlarm: async (mapping) => {
      const asks = await asksFor('PutMetricAlarm', mapping, cloudwatch);
      return mapping.call.input.Tags === undefined
        ? asks
        : [...asks, ...asks.map((one) => ({ ...one, action: 'cloudwatch:TagResource' }))];
    },
  },
};
