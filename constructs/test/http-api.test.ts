import { HttpApi, type HttpApiProps } from '../src/http-api';
import { LogGroup } from '../src/log-group';
import { lambda, synthesized } from './synthesized';

const api = (change: Partial<HttpApiProps> = {}, routes: Parameters<HttpApi['serve']>[1] = {}) =>
  synthesized((stack) => {
    const accessLogs = new LogGroup(stack, 'access-log', { name: '/aws/vendedlogs/it' });
    new HttpApi(stack, 'it', { name: 'it', description: 'text', stage: 'dev', accessLogs, ...change }).serve(
      lambda(stack),
      routes,
    );
  });

test('has one stage that lets so much through and no more', () => {
  const stack = api();
  expect(stack.the('aws_apigatewayv2_api')).toMatchObject({ name: 'it', protocol_type: 'HTTP' });
  expect(stack.the('aws_apigatewayv2_stage')).toMatchObject({
    api_id: stack.reference('aws_apigatewayv2_api', 'id'),
    name: 'dev',
    auto_deploy: true,
    default_route_settings: { throttling_rate_limit: 500, throttling_burst_limit: 1000 },
  });
});

test('can let another number of requests through, and have tags', () => {
  const stack = api({ requestsPerSecond: 5, burst: 7, tags: { Team: 'platform' } });
  expect(stack.the('aws_apigatewayv2_stage')).toMatchObject({
    default_route_settings: { throttling_rate_limit: 5, throttling_burst_limit: 7 },
    tags: { Team: 'platform' },
  });
});

test('logs each request, without what may hold a secret', () => {
  const stack = api();
  const { destination_arn: destination, format } = stack.the('aws_apigatewayv2_stage')
    .access_log_settings as Record<string, string>;
  expect(destination).toMatch(/^\$\{aws_cloudwatch_log_group\.access-log_.*\.arn\}$/);
  expect(Object.values(JSON.parse(format ?? '') as Record<string, string>)).toEqual(
    expect.arrayContaining(['$context.status', '$context.routeKey', '$context.identity.sourceIp']),
  );
  expect(format).not.toMatch(/authoriz|header|query|\$context\.path/i);
});

test('sends its routes to the function, open or by IAM as each says', () => {
  const stack = api({}, { 'GET /health': 'anyone', 'ANY /{proxy+}': 'iam' });
  const target = `integrations/${stack.reference('aws_apigatewayv2_integration', 'id')}`;
  expect(stack.all('aws_apigatewayv2_route')).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ route_key: 'GET /health', authorization_type: 'NONE', target }),
      expect.objectContaining({ route_key: 'ANY /{proxy+}', authorization_type: 'AWS_IAM', target }),
    ]),
  );
  expect(stack.the('aws_apigatewayv2_integration')).toMatchObject({
    integration_type: 'AWS_PROXY',
    integration_uri: stack.reference('aws_lambda_function', 'arn'),
    payload_format_version: '2.0',
  });
});

test('may call the function, and no other API may', () => {
  const stack = api();
  expect(stack.the('aws_lambda_permission')).toMatchObject({
    principal: 'apigateway.amazonaws.com',
    source_arn: `${stack.reference('aws_apigatewayv2_api', 'execution_arn')}/*/*`,
  });
});
