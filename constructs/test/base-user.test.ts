import { TerraformOutput } from 'cdktf';
import { BaseUser, type BaseUserProps } from '../src/base-user';
import { boundary, place, policy, synthesized } from './synthesized';

const props = {
  name: 'kantox-minikube-base-dev',
  place,
  roleName: 'kantox-aux-role-dev',
  accessKeys: ['first'],
};
const user = (change: Partial<BaseUserProps> = {}) =>
  synthesized((stack) => new BaseUser(stack, 'user', { ...props, boundary: boundary(stack), ...change }));

test('may take on one role, and do nothing else', () => {
  const stack = user();
  const body = stack.the('aws_iam_user_policy');
  expect(body.user).toBe(stack.reference('aws_iam_user', 'name'));
  expect(policy(body).Statement).toEqual([
    expect.objectContaining({
      Effect: 'Allow',
      Action: ['sts:AssumeRole'],
      Resource: ['arn:aws:iam::111122223333:role/kantox-aux-role-dev'],
    }),
  ]);
});

test('stands under the boundary, which is made before it', () => {
  expect(user().the('aws_iam_user')).toMatchObject({
    name: props.name,
    permissions_boundary: 'arn:aws:iam::111122223333:policy/boundary',
    depends_on: [expect.stringMatching(/^aws_iam_policy\.boundary_/)],
  });
});

test('two keys overlap while they are rotated, and the newest is handed out', () => {
  const stack = synthesized((stack) => {
    const accessKeys = ['first', 'second'];
    const made = new BaseUser(stack, 'user', { ...props, boundary: boundary(stack), accessKeys });
    new TerraformOutput(stack, 'key', { value: [made.accessKeyId, made.secretAccessKey] });
  });
  expect(stack.all('aws_iam_access_key')).toHaveLength(2);
  expect(stack.configuration.output?.key?.value).toEqual([
    expect.stringMatching(/^\$\{aws_iam_access_key\.user_key-second_\w+\.id\}$/),
    expect.stringMatching(/^\$\{aws_iam_access_key\.user_key-second_\w+\.secret\}$/),
  ]);
});

test('a rotation leaves the key that stays alone: its label is its identity', () => {
  const keys = (accessKeys: string[]) =>
    user({ accessKeys })
      .addresses()
      .filter((address) => address.startsWith('aws_iam_access_key.'));
  const [first] = keys(['first']);
  const [second] = keys(['second']);
  expect(keys(['first', 'second'])).toEqual([first, second]);
});

test('is refused without a key', () => {
  expect(() => user({ accessKeys: [] })).toThrow(
    'kantox-minikube-base-dev needs one or two access keys, got none.',
  );
});

test('carries the tags that are given', () => {
  expect(user({ tags: { Team: 'platform' } }).the('aws_iam_user').tags).toEqual({ Team: 'platform' });
});
