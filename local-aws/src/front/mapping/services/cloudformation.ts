import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { orNothing } from '../../authorization/moto-clients';
import { gap } from '../../refusal';
import { ask, asksFor } from '../asks-by-name';
import { text, texts, type Ask, type Mapping, type Rules } from '../ask';
import { passRole } from './iam';

/** A stack that there is, by its id; else by its name, as AWS asks for one that it is to make. */
async function stackArn(name: string, { world, account, call }: Mapping): Promise<string> {
  if (name.startsWith('arn:')) return name;
  const place = { account, region: call.region };
  const id = await world.read('cloudformation', place, `stack ${name}`, async () => {
    const answer = await orNothing(
      world.client('cloudformation', place).send(new DescribeStacksCommand({ StackName: name })),
    );
    return answer?.Stacks?.[0]?.StackId;
  });
  return id ?? `arn:aws:cloudformation:${call.region}:${account}:stack/${name}/*`;
}

/**
 * A stack's resources are made in the name of whoever asks for it, or of the role that he passes. What they need is
 * in their templates, which this front doesn't read; moto makes them without asking anyone.
 */
function makesResources(operation: string) {
  return async (mapping: Mapping): Promise<Ask[]> => {
    const asks = await asksFor(operation, mapping, cloudformation);
    const role = text(mapping.call.input.RoleARN);
    const all =
      role === undefined ? asks : [...asks, passRole(mapping, role, 'cloudformation.amazonaws.com')];
    if (mapping.caller.kind !== 'administrator')
      throw gap(
        `cloudformation:${operation} changes resources, and what each of them needs isn't read from the template.`,
      );
    return all;
  };
}

export const cloudformation: Rules = {
  members: {
    StackName: ['StackName'],
    StackSetName: ['StackSetName'],
    ChangeSetName: ['ChangeSetName'],
    Id: [],
  },
  resolve: (variable, value, mapping) => (variable === 'StackName' ? stackArn(value, mapping) : value),
  collections: ['DescribeStacks', 'DescribeStackResources', 'DescribeStackEvents', 'ListExports'],
  tags: async ({ world, account, call }, resource) => {
    const answer = await orNothing(
      world
        .client('cloudformation', { account, region: call.region })
        .send(new DescribeStacksCommand({ StackName: resource })),
    );
    return Object.fromEntries(
      (answer?.Stacks?.[0]?.Tags ?? []).map(({ Key: key = '', Value: value = '' }) => [key, value]),
    );
  },
  context: ({ call }) => ({
    'cloudformation:ChangeSetName': text(call.input.ChangeSetName),
    'cloudformation:ImportResourceTypes': undefined,
    'cloudformation:ResourceTypes':
      texts(call.input.ResourceTypes).length > 0 ? texts(call.input.ResourceTypes) : undefined,
    'cloudformation:RoleArn': text(call.input.RoleARN),
    'cloudformation:StackPolicyUrl': text(call.input.StackPolicyURL),
    'cloudformation:TemplateUrl': text(call.input.TemplateURL),
    'cloudformation:CreateAction': undefined,
    'cloudformation:TargetRegion': undefined,
  }),
  asks: {
    // All of them take leave to list them, too (AWS CloudFormation API Reference, "DescribeStacks").
    DescribeStacks: async (mapping) =>
      text(mapping.call.input.StackName) === undefined
        ? ['DescribeStacks', 'ListStacks'].map((action) => ask(action, '*', mapping, cloudformation))
        : asksFor('DescribeStacks', mapping, cloudformation),
    ...Object.fromEntries(
      [
        'CreateStack',
        'UpdateStack',
        'DeleteStack',
        'ExecuteChangeSet',
        'CreateStackInstances',
        'CreateStackSet',
        'UpdateStackSet',
        'DeleteStackInstances',
        'UpdateStackInstances',
        'RollbackStack',
        'ContinueUpdateRollback',
      ].map((operation) => [operation, makesResources(operation)]),
    ),
  },
};
