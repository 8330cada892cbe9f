import { allow } from '../src/policy-document';
import { trustService } from '../src/policies/role-chain';
import { ServiceRole, type ServiceRoleProps } from '../src/service-role';
import { boundary, key, place, policy, synthesized } from './synthesized';

const trust = trustService('ec2.amazonaws.com');
const read = allow('Read', ['s3:GetObject'], ['arn:aws:s3:::kantox-data-dev/*']);
const props = { name: 'kantox-aux-role-dev', description: 'What aux may do', place, trust };
const role = (change: Partial<ServiceRoleProps> = {}) =>
  synthesized((stack) => new ServiceRole(stack, 'role', { ...props, boundary: boundary(stack), ...change }));

test('is taken on by whom it trusts, for an hour, under the boundary, which is made before it', () => {
  const body = role().the('aws_iam_role');
  expect(body).toMatchObject({
    name: 'kantox-aux-role-dev',
    description: 'What aux may do',
    max_session_duration: 3600,
    permissions_boundary: 'arn:aws:iam::111122223333:policy/boundary',
    depends_on: [expect.stringMatching(/^aws_iam_policy\.boundary_/)],
  });
  expect(policy(body, 'assume_role_policy')).toEqual(trust);
});

test('may do nothing unless it is said', () => {
  const stack = role();
  expect(stack.all('aws_iam_role_policy')).toEqual([]);
  expect(stack.all('aws_iam_role_policy_attachment')).toEqual([]);
});

test('may do what its statements say', () => {
  expect(policy(role({ statements: [read] }).the('aws_iam_role_policy')).Statement).toEqual([read]);
});

test('uses a key by way of the services that are named', () => {
  const stack = synthesized((stack) => {
    const encryption = { key: key(stack), through: ['s3' as const] };
    new ServiceRole(stack, 'role', { ...props, boundary: boundary(stack), statements: [read], encryption });
  });
  expect(policy(stack.the('aws_iam_role_policy')).Statement).toEqual([
    read,
    expect.objectContaining({
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: [stack.reference('aws_kms_key', 'arn')],
      Condition: { StringEquals: { 'kms:ViaService': ['s3.eu-west-1.amazonaws.com'] } },
    }),
  ]);
});

test('can have a managed policy', () => {
  const stack = synthesized((stack) => {
    const managedPolicy = boundary(stack);
    new ServiceRole(stack, 'role', { ...props, boundary: managedPolicy, managedPolicy });
  });
  expect(stack.the('aws_iam_role_policy_attachment')).toMatchObject({
    role: stack.reference('aws_iam_role', 'name'),
    policy_arn: 'arn:aws:iam::111122223333:policy/boundary',
  });
});

test('a session may be of another length', () => {
  expect(role({ maxSessionSeconds: 7200 }).the('aws_iam_role').max_session_duration).toBe(7200);
});

test('is made after what its trust policy names', () => {
  const stack = synthesized((stack) => {
    new ServiceRole(stack, 'role', {
      ...props,
      boundary: boundary(stack),
      after: [{ fqn: 'aws_iam_user.base' }],
    });
  });
  expect(stack.the('aws_iam_role').depends_on).toContain('aws_iam_user.base');
});

test('carries the tags that are given', () => {
  expect(role({ tags: { Team: 'platform' } }).the('aws_iam_role').tags).toEqual({ Team: 'platform' });
});

test('what depends on it comes after what it may do', () => {
  const stack = synthesized((stack) => {
    const common = { ...props, boundary: boundary(stack) };
    const after = [new ServiceRole(stack, 'first', { ...common, statements: [read] })];
    new ServiceRole(stack, 'second', { ...common, after });
  });
  expect(stack.the('aws_iam_role', 'second').depends_on).toContainEqual(
    expect.stringMatching(/^aws_iam_role_policy\.first_/),
  );
});
