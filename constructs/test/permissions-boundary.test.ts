import { PermissionsBoundary } from '../src/permissions-boundary';
import { allow } from '../src/policy-document';
import { place, policy, synthesized } from './synthesized';

test('is a managed policy with the statements that are given, known by its ARN', () => {
  const statement = allow('Read', ['s3:GetObject'], ['arn:aws:s3:::kantox-data-dev/*']);
  const tags = { Team: 'platform' };
  let arn = '';
  const stack = synthesized((stack) => {
    const props = { name: 'kantox-boundary-dev', place, statements: [statement], tags };
    arn = new PermissionsBoundary(stack, 'boundary', props).arn;
  });
  const body = stack.the('aws_iam_policy');
  expect(body).toMatchObject({ name: 'kantox-boundary-dev', tags });
  expect(policy(body)).toEqual({ Version: '2012-10-17', Statement: [statement] });
  expect(arn).toBe('arn:aws:iam::111122223333:policy/kantox-boundary-dev');
});

test('refuses a policy that AWS would find too long', () => {
  const repositories = Array.from(
    { length: 200 },
    (_, index) => `arn:aws:ecr:eu-west-1:111122223333:repository/kantox-${index}`,
  );
  expect(() =>
    synthesized((stack) => {
      const statements = [allow('Push', ['ecr:PutImage'], repositories)];
      new PermissionsBoundary(stack, 'boundary', { name: 'kantox-boundary-dev', place, statements });
    }),
  ).toThrow(
    /^The policy kantox-boundary-dev has \d+ characters, and AWS takes 6144: give shorter names, or name fewer repositories\.$/,
  );
});
