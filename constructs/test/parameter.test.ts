import { Parameter, SecretParameter, type SecretParameterProps } from '../src/parameter';
import { key, synthesized } from './synthesized';

describe('a parameter', () => {
  test('is a String that plans show', () => {
    const stack = synthesized(
      (stack) => new Parameter(stack, 'p', { name: '/kantox/dev/api/config', value: '{}' }),
    );
    expect(stack.the('aws_ssm_parameter')).toMatchObject({
      name: '/kantox/dev/api/config',
      type: 'String',
      insecure_value: '{}',
    });
    expect(stack.configuration.variable).toBeUndefined();
  });

  test('carries the tags that are given', () => {
    const tags = { Team: 'platform' };
    const stack = synthesized((stack) => new Parameter(stack, 'p', { name: '/x', value: 'x', tags }));
    expect(stack.the('aws_ssm_parameter').tags).toEqual(tags);
  });
});

describe('a secret parameter', () => {
  const secret = (props: Partial<SecretParameterProps> = {}) =>
    synthesized((stack) => {
      const defaults = { name: '/kantox/dev/database/url', variable: 'database_url', version: 3 };
      new SecretParameter(stack, 'p', { ...defaults, key: key(stack), ...props });
    });

  test('is a SecureString under the key that is given', () => {
    const stack = secret();
    expect(stack.the('aws_ssm_parameter')).toMatchObject({
      name: '/kantox/dev/database/url',
      type: 'SecureString',
      key_id: stack.reference('aws_kms_key', 'arn'),
    });
  });

  test('has its value from a variable that neither plan nor state keeps, by the argument that they do not keep', () => {
    const stack = secret();
    expect(stack.configuration.variable).toEqual({
      database_url: expect.objectContaining({
        type: 'string',
        ephemeral: true,
        sensitive: true,
        default: '',
      }) as unknown,
    });
    const body = stack.the('aws_ssm_parameter');
    expect(body).toMatchObject({ value_wo: '${var.database_url}', value_wo_version: 3 });
    expect(body).not.toHaveProperty('value');
    expect(body).not.toHaveProperty('insecure_value');
  });

  test('is not deployed without a value, and says which environment variable brings it', () => {
    expect(secret().the('aws_ssm_parameter').lifecycle).toEqual({
      precondition: [
        {
          condition: '${var.database_url != ""}',
          error_message: expect.stringMatching(
            /\/kantox\/dev\/database\/url has no value .* TF_VAR_database_url\.$/,
          ) as string,
        },
      ],
    });
  });

  test.each(['database-url', '1st', '', 'x != "" || file("/etc/hosts")'])(
    'takes no variable called %j, which Terraform would not take either',
    (variable) => {
      expect(() => secret({ variable })).toThrow(`variable is ${JSON.stringify(variable)}; expected`);
    },
  );

  test('carries the tags that are given', () => {
    expect(secret({ tags: { Team: 'platform' } }).the('aws_ssm_parameter').tags).toEqual({
      Team: 'platform',
    });
  });
});
