import { Alarm, type AlarmProps } from '../src/alarm';
import { synthesized } from './synthesized';

const alarm = (change: Partial<AlarmProps> = {}) =>
  synthesized(
    (stack) =>
      new Alarm(stack, 'it', {
        name: 'kantox-broker-errors-dev',
        description: 'It has failed',
        metric: { namespace: 'AWS/Lambda', name: 'Errors' },
        dimension: ['FunctionName', { name: 'kantox-broker-dev' }],
        ...change,
      }),
  ).the('aws_cloudwatch_metric_alarm');

test('goes off at the first in five minutes, and is quiet while nothing is counted', () => {
  expect(alarm()).toMatchObject({
    alarm_name: 'kantox-broker-errors-dev',
    alarm_description: 'It has failed',
    namespace: 'AWS/Lambda',
    metric_name: 'Errors',
    dimensions: { FunctionName: 'kantox-broker-dev' },
    statistic: 'Sum',
    period: 300,
    evaluation_periods: 1,
    comparison_operator: 'GreaterThanThreshold',
    threshold: 0,
    treat_missing_data: 'notBreaching',
    alarm_actions: [],
  });
});

test('can wait for more, and tell topics when it begins and ends', () => {
  const topics = ['arn:aws:sns:eu-west-1:111122223333:operators'];
  expect(alarm({ moreThan: 100, topics, tags: { Team: 'platform' } })).toMatchObject({
    threshold: 100,
    alarm_actions: topics,
    ok_actions: topics,
    tags: { Team: 'platform' },
  });
});
