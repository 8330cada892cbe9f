/**
 * What the SSM agent on a host calls, which no SDK has: written as the SDK's models are (a 9, the namespace, the name,
 * traits, thunks of input and output; a structure is a 3, with its members and their kinds, 0 for a text, and how many
 * are required). Source: aws/amazon-ssm-agent, and the Service Authorization Reference, "Amazon Session Manager Message
 * Gateway Service".
 */
const NAMESPACE = 'com.amazonaws.ssm.agent';
const LABEL = 1;

const structure = (name: string, members: readonly string[], kind: (member: string) => unknown) => [
  3,
  NAMESPACE,
  name,
  0,
  members,
  members.map(kind),
];

const information = structure(
  'UpdateInstanceInformationRequest',
  [
    'InstanceId',
    'AgentName',
    'AgentStatus',
    'AgentVersion',
    'AvailabilityZone',
    'AvailabilityZoneId',
    'ComputerName',
    'IPAddress',
    'PlatformName',
    'PlatformType',
    'PlatformVersion',
    'SSMConnectionChannel',
  ],
  () => 0,
);
const nothing = structure('Nothing', [], () => 0);

/** By the SSM service itself. */
export const ssmAgent = {
  UpdateInstanceInformation$: [
    9,
    NAMESPACE,
    'UpdateInstanceInformation',
    0,
    () => information,
    () => nothing,
  ],
};

const channel = (name: string, method: string, path: string) => {
  const input = structure(
    `${name}Request`,
    [
      'Id',
      'MessageSchemaVersion',
      'RequestId',
      'ClientId',
      'ClientInstanceId',
      'TokenValue',
      'role',
      'stream',
    ],
    (member) =>
      member === 'Id' ? [0, LABEL] : ['role', 'stream'].includes(member) ? [0, { httpQuery: member }] : 0,
  );
  return [9, NAMESPACE, name, { http: [method, path, 200] }, () => input, () => nothing];
};

/** By the message gateway of Session Manager. */
export const messageGateway = {
  CreateControlChannel$: channel('CreateControlChannel', 'POST', '/v1/control-channel/{Id}'),
  CreateDataChannel$: channel('CreateDataChannel', 'POST', '/v1/data-channel/{Id}'),
  OpenControlChannel$: channel('OpenControlChannel', 'GET', '/v1/control-channel/{Id}'),
  OpenDataChannel$: channel('OpenDataChannel', 'GET', '/v1/data-channel/{Id}'),
};
