import { ListTagsCommand } from '@aws-sdk/client-lambda';
import { orNothing } from '../../authorization/moto-clients';
import { ask, asksFor } from '../asks-by-name';
import { isRecord, text, texts, type Mapping, type Rules } from '../ask';
import { passRole } from './iam';
import { throughService } from './kms-through';

/** A function by name, `name:qualifier`, `account:function:name`, or ARN (AWS Lambda API Reference, "FunctionName"). */
function functionArn(name: string, { call, account }: Mapping): string {
  const qualifier = text(call.input.Qualifier);
  const whole = name.startsWith('arn:')
    ? name
    : /^\d{12}:function:/.test(name)
      ? `arn:aws:lambda:${call.region}:${name}`
      : `arn:aws:lambda:${call.region}:${account}:function:${name}`;
  const qualified = whole.split(':').length > 7;
  return qualifier === undefined || qualified ? whole : `${whole}:${qualifier}`;
}

async function withRole(mapping: Mapping, action: string) {
  const { call } = mapping;
  const asks = await asksFor(action, mapping, lambda);
  const role = text(call.input.Role);
  const key = text(call.input.KMSKeyArn);
  const layers = texts(call.input.Layers).map((layer) => ask('GetLayerVersion', layer, mapping, lambda));
  return [
    ...asks,
    ...layers,
    ...(role === undefined ? [] : [passRole(mapping, role, 'lambda.amazonaws.com', asks[0]?.resource)]),
    ...(action === 'CreateFunction' && call.input.Tags !== undefined
      ? asks.map((one) => ({ ...one, action: 'lambda:TagResource' }))
      : []),
    ...(key === undefined ? [] : await throughService(mapping, 'lambda', key, ['Encrypt', 'CreateGrant'])),
  ];
}

export const lambda: Rules = {
  actions: {
    Invoke: ['InvokeFunction'],
    InvokeWithResponseStream: ['InvokeFunction'],
    GetLayerVersionByArn: ['GetLayerVersion'],
  },
  members: {
    FunctionName: ['FunctionName', 'Resource'],
    Alias: [],
    Version: [],
    LayerVersion: ['VersionNumber'],
    UUID: ['UUID'],
  },
  resolve: (variable, value, mapping) => {
    if (variable !== 'FunctionName') return value;
    if (value.startsWith('arn:') && !value.includes(':function:')) return value;
    return functionArn(value, mapping);
  },
  tags: async ({ world, account, call }, resource) => {
    const command = new ListTagsCommand({ Resource: resource });
    return (await orNothing(world.client('lambda', { account, region: call.region }).send(command)))?.Tags;
  },
  context: (mapping) => {
    const { input } = mapping.call;
    const vpc = isRecord(input.VpcConfig) ? input.VpcConfig : {};
    const listed = (value: unknown) => (texts(value).length > 0 ? texts(value) : undefined);
    const target = text(input.FunctionName);
    return {
      'lambda:CodeSigningConfigArn': text(input.CodeSigningConfigArn),
      'lambda:EventSourceToken': text(input.EventSourceToken),
      'lambda:FunctionArn': target === undefined ? undefined : functionArn(target, mapping),
      'lambda:FunctionUrlAuthType': text(input.FunctionUrlAuthType) ?? text(input.AuthType),
      'lambda:InvokedViaFunctionUrl': 'false',
      'lambda:Layer': listed(input.Layers),
      'lambda:Principal': text(input.Principal),
      'lambda:SecurityGroupIds': listed(vpc.SecurityGroupIds),
      'lambda:SubnetIds': listed(vpc.SubnetIds),
      'lambda:VpcIds': undefined,
      'lambda:SourceFunctionArn': undefined,
    };
  },
  asks: {
    CreateFunction: (mapping) => withRole(mapping, 'CreateFunction'),
    UpdateFunctionConfiguration: (mapping) => withRole(mapping, 'UpdateFunctionConfiguration'),
  },
};
