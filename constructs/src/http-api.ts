import { Apigatewayv2Api } from '@cdktf/provider-aws/lib/apigatewayv2-api';
import { Apigatewayv2Integration } from '@cdktf/provider-aws/lib/apigatewayv2-integration';
import { Apigatewayv2Route } from '@cdktf/provider-aws/lib/apigatewayv2-route';
import { Apigatewayv2Stage } from '@cdktf/provider-aws/lib/apigatewayv2-stage';
import { Construct } from 'constructs';
import type { LambdaFunction } from './lambda-function';
import { literal } from './literal';
import type { LogGroup } from './log-group';

export interface HttpApiProps {
  name: string;
  description: string;
  /** The last part of the endpoint's path, such as dev. */
  stage: string;
  accessLogs: LogGroup;
  /** Requests a second that are let through, over all callers. @default 500 */
  requestsPerSecond?: number;
  /** Requests that may come at once, on top. @default 1000 */
  burst?: number;
  tags?: Record<string, string>;
}

/** Answers to a request of which the log says no more than this: no path's parameters, no query, no header. */
const ACCESS_LOG = {
  time: '$context.requestTime',
  requestId: '$context.requestId',
  ip: '$context.identity.sourceIp',
  caller: '$context.identity.userArn',
  route: '$context.routeKey',
  status: '$context.status',
  bytes: '$context.responseLength',
  milliseconds: '$context.responseLatency',
  error: '$context.integrationErrorMessage',
};

/** An HTTP API of API Gateway with one stage: throttled, and with an access log that holds no secret. */
export class HttpApi extends Construct {
  /** As clients reach it: address and stage. */
  readonly url: string;
  private readonly api: Apigatewayv2Api;

  constructor(scope: Construct, id: string, props: HttpApiProps) {
    super(scope, id);
    const { name, description, stage, accessLogs, requestsPerSecond, burst, tags } = literal(props);
    this.api = new Apigatewayv2Api(this, 'api', {
      name,
      description,
      protocolType: 'HTTP',
      ...(tags && { tags }),
    });
    new Apigatewayv2Stage(this, 'stage', {
      apiId: this.api.id,
      name: stage,
      autoDeploy: true,
      accessLogSettings: { destinationArn: accessLogs.arn, format: JSON.stringify(ACCESS_LOG) },
      defaultRouteSettings: {
        throttlingRateLimit: requestsPerSecond ?? 500,
        throttlingBurstLimit: burst ?? 1000,
        detailedMetricsEnabled: true,
      },
      ...(tags && { tags }),
    });
    this.url = `${this.api.apiEndpoint}/${stage}`;
  }

  /**
   * Sends requests to a function.
   *
   * @param routes such as `GET /health` or `ANY /{proxy+}`, and who may ask: anyone, or whom IAM lets
   *   (`execute-api:Invoke`)
   */
  serve(target: LambdaFunction, routes: Readonly<Record<string, 'anyone' | 'iam'>>): void {
    const integration = new Apigatewayv2Integration(this, 'integration', {
      apiId: this.api.id,
      integrationType: 'AWS_PROXY',
      integrationUri: target.arn,
      payloadFormatVersion: '2.0',
    });
    target.allowCallsFrom('from-api', 'apigateway.amazonaws.com', `${this.api.executionArn}/*/*`);
    for (const [route, who] of Object.entries(literal(routes)))
      new Apigatewayv2Route(this, `route-${route.replaceAll(/\W+/g, '-')}`, {
        apiId: this.api.id,
        routeKey: route,
        target: `integrations/${integration.id}`,
        authorizationType: who === 'iam' ? 'AWS_IAM' : 'NONE',
      });
  }
}
