import { Schedule } from '../src/schedule';
import { lambda, synthesized } from './synthesized';

test('calls the function at its times, and no other rule may', () => {
  const stack = synthesized((stack) => {
    new Schedule(stack, 'it', {
      name: 'kantox-broker-dev',
      description: 'Tidies up',
      every: 'rate(1 hour)',
      target: lambda(stack),
      tags: { Team: 'platform' },
    });
  });
  expect(stack.the('aws_cloudwatch_event_rule')).toMatchObject({
    name: 'kantox-broker-dev',
    description: 'Tidies up',
    schedule_expression: 'rate(1 hour)',
    tags: { Team: 'platform' },
  });
  expect(stack.the('aws_cloudwatch_event_target')).toMatchObject({
    rule: stack.reference('aws_cloudwatch_event_rule', 'name'),
    arn: stack.reference('aws_lambda_function', 'arn'),
  });
  expect(stack.the('aws_lambda_permission')).toMatchObject({
    principal: 'events.amazonaws.com',
    source_arn: stack.reference('aws_cloudwatch_event_rule', 'arn'),
  });
});
