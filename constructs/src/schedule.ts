import { CloudwatchEventRule } from '@cdktf/provider-aws/lib/cloudwatch-event-rule';
import { CloudwatchEventTarget } from '@cdktf/provider-aws/lib/cloudwatch-event-target';
import { Construct } from 'constructs';
import type { LambdaFunction } from './lambda-function';
import { literal } from './literal';

export interface ScheduleProps {
  name: string;
  description: string;
  /** Such as `rate(1 hour)` (EventBridge User Guide, "Rate expressions"). */
  every: string;
  target: LambdaFunction;
  tags?: Record<string, string>;
}

/** Calls a function again and again, with EventBridge's scheduled event. */
export class Schedule extends Construct {
  constructor(scope: Construct, id: string, props: ScheduleProps) {
    super(scope, id);
    const { name, description, every, target, tags } = literal(props);
    const rule = new CloudwatchEventRule(this, 'rule', {
      name,
      description,
      scheduleExpression: every,
      ...(tags && { tags }),
    });
    new CloudwatchEventTarget(this, 'target', { rule: rule.name, targetId: 'function', arn: target.arn });
    target.allowCallsFrom('from-schedule', 'events.amazonaws.com', rule.arn);
  }
}
