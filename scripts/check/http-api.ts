import type { Check } from './check';
import { argumentIsSet } from './looks';
import { shown } from './resource';

export const httpApiChecks: readonly Check[] = [
  {
    id: 'CKV_AWS_76',
    asks: 'Requests for an API are logged.',
    on: ['aws_apigatewayv2_stage', 'aws_api_gateway_stage'],
    look: argumentIsSet('access_log_settings.destination_arn'),
  },
  {
    id: 'CKV_AWS_309',
    asks: 'Routes of HTTP APIs ask who it is.',
    on: ['aws_apigatewayv2_route'],
    look: ({ body: { authorization_type: type } }) =>
      type === undefined || type === 'NONE' ? [{ argument: 'authorization_type', found: shown(type) }] : [],
  },
];
