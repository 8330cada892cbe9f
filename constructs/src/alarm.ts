import { CloudwatchMetricAlarm } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm';
import { Construct } from 'constructs';
import { literal } from './literal';

export interface AlarmProps {
  name: string;
  description: string;
  /** Namespace and name of what is counted, such as AWS/Lambda and Errors. */
  metric: { namespace: string; name: string };
  /** Of the metric: a dimension's name, and its value, which may be a reference. */
  dimension: readonly [name: string, value: { readonly name: string }];
  /** More than so many in five minutes. @default 0 */
  moreThan?: number;
  /** ARNs of SNS topics that hear of it, and of its end. @default - none; it can be seen in CloudWatch */
  topics?: string[];
  tags?: Record<string, string>;
}

const PERIOD_SECONDS = 300;

/** An alarm of CloudWatch on a count. No count is a good sign. */
export class Alarm extends Construct {
  constructor(scope: Construct, id: string, props: AlarmProps) {
    super(scope, id);
    const { name, description, metric, dimension, moreThan = 0, topics = [], tags } = literal(props);
    const [dimensionName, of] = dimension;
    new CloudwatchMetricAlarm(this, 'alarm', {
      alarmName: name,
      alarmDescription: description,
      namespace: metric.namespace,
      metricName: metric.name,
      dimensions: { [dimensionName]: of.name },
      statistic: 'Sum',
      period: PERIOD_SECONDS,
      evaluationPeriods: 1,
      comparisonOperator: 'GreaterThanThreshold',
      threshold: moreThan,
      treatMissingData: 'notBreaching',
      alarmActions: topics,
      okActions: topics,
      ...(tags && { tags }),
    });
  }
}
