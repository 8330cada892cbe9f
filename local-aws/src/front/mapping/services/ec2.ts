import {
  DescribeIamInstanceProfileAssociationsCommand,
  DescribeRouteTablesCommand,
  type Instance,
  type Volume,
} from '@aws-sdk/client-ec2';
import { orNothing } from '../../authorization/moto-clients';
import { gap } from '../../refusal';
import { ask, asksFor } from '../asks-by-name';
import {
  isRecord,
  records,
  shown,
  text,
  texts,
  type Ask,
  type Context,
  type Mapping,
  type Rules,
} from '../ask';
import { requestTagContext, tagsIn } from '../request-tags';
import { ec2Tags, instance, subnet, volume, vpcOfGroup } from './ec2-facts';
import { baseContext, ec2Arn, isNew, placeOfCall, profileAsks, tagAsks, tagsByKind } from './ec2-resources';
import { runInstances } from './ec2-run-instances';

/** What the ids of things begin with, for the operations that take any (Service Authorization Reference, "Amazon EC2"). */
const KINDS: Readonly<Record<string, string>> = {
  acl: 'network-acl',
  ami: 'image',
  cgw: 'customer-gateway',
  dopt: 'dhcp-options',
  eigw: 'egress-only-internet-gateway',
  eipalloc: 'elastic-ip',
  eni: 'network-interface',
  fl: 'vpc-flow-log',
  i: 'instance',
  igw: 'internet-gateway',
  key: 'key-pair',
  lt: 'launch-template',
  nat: 'natgateway',
  pcx: 'vpc-peering-connection',
  pg: 'placement-group',
  pl: 'prefix-list',
  rtb: 'route-table',
  sg: 'security-group',
  sgr: 'security-group-rule',
  snap: 'snapshot',
  subnet: 'subnet',
  tgw: 'transit-gateway',
  vgw: 'vpn-gateway',
  vol: 'volume',
  vpc: 'vpc',
  vpce: 'vpc-endpoint',
  vpn: 'vpn-connection',
};

function arnOfId(id: string, mapping: Mapping): string {
  const kind = KINDS[id.slice(0, id.lastIndexOf('-'))];
  if (kind === undefined) throw gap(`the kind of ${id} isn't known.`);
  return ec2Arn(mapping, `${kind}/${id}`);
}

const kindOf = (resource: string) => (resource.split(':').at(-1) ?? '').split('/')[0] ?? '';
const idOf = (resource: string) => resource.split('/').at(-1) ?? '';
function context(mapping: Mapping, resource: string): Context {
  const { call, world } = mapping;
  const tags = tagsByKind(call.input).get(kindOf(resource)) ?? {};
  const place = placeOfCall(mapping);
  const id = idOf(resource);
  return {
    ...baseContext(mapping),
    // Tags of what is being made; on what there is they say nothing.
    ...(isNew(resource) ? requestTagContext(tags) : requestTagContext({})),
    ...attributeContext(mapping),
    ...(isNew(resource)
      ? newContext(mapping, kindOf(resource))
      : (existing[kindOf(resource)]?.(mapping, id) ?? {})),
    ...(kindOf(resource) === 'subnet' && !isNew(resource)
      ? { 'ec2:Vpc': async () => vpcArn(mapping, (await subnet(world, place, id))?.VpcId) }
      : {}),
  };
}

/** Facts about what there is, asked for when a policy mentions them. */
const existing: Readonly<Record<string, (mapping: Mapping, id: string) => Context>> = {
  instance: instanceContext,
  subnet: (mapping, id) => ({
    'ec2:SubnetID': id,
    'ec2:AvailabilityZone': async () =>
      (await subnet(mapping.world, placeOfCall(mapping), id))?.AvailabilityZone,
  }),
  'security-group': (mapping, id) => ({
    'ec2:SecurityGroupID': id,
    'ec2:Vpc': async () => vpcArn(mapping, await vpcOfGroup(mapping.world, placeOfCall(mapping), id)),
  }),
  volume: (mapping, id) => {
    const fact = (read: (found: Volume) => unknown) => async () => {
      const found = await volume(mapping.world, placeOfCall(mapping), id);
      return shown(found && read(found));
    };
    return {
      'ec2:VolumeID': id,
      'ec2:AvailabilityZone': fact((found) => found.AvailabilityZone),
      'ec2:Encrypted': fact((found) => found.Encrypted),
      'ec2:VolumeSize': fact((found) => found.Size),
      'ec2:VolumeType': fact((found) => found.VolumeType),
      'ec2:VolumeIops': fact((found) => found.Iops),
    };
  },
  vpc: (_mapping, id) => ({ 'ec2:VpcID': id }),
  'internet-gateway': (_mapping, id) => ({ 'ec2:InternetGatewayID': id }),
  'route-table': (_mapping, id) => ({ 'ec2:RouteTableID': id }),
  image: (_mapping, id) => ({ 'ec2:ImageID': id }),
  'key-pair': (_mapping, id) => ({ 'ec2:KeyPairName': id }),
};

function newContext({ call }: Mapping, kind: string): Context {
  const { input } = call;

  if (kind === 'volume')
    return {
      'ec2:AvailabilityZone': text(input.AvailabilityZone),
      'ec2:Encrypted': shown(input.Encrypted) ?? 'false',
      'ec2:VolumeSize': shown(input.Size),
      'ec2:VolumeType': text(input.VolumeType) ?? 'gp2',
      'ec2:VolumeIops': shown(input.Iops),
      'ec2:VolumeThroughput': shown(input.Throughput),
      'ec2:KmsKeyId': text(input.KmsKeyId),
      'ec2:ParentSnapshot': text(input.SnapshotId),
      'ec2:VolumeID': undefined,
    };
  return {};
}

function instanceContext(mapping: Mapping, id: string): Context {
  const fact = (read: (found: Instance) => unknown) => async () => {
    const found = await instance(mapping.world, placeOfCall(mapping), id);
    return shown(found && read(found));
  };
  return {
    'ec2:InstanceID': id,
    'ec2:AvailabilityZone': fact((found) => found.Placement?.AvailabilityZone),
    'ec2:EbsOptimized': fact((found) => found.EbsOptimized),
    'ec2:InstanceMarketType': fact((found) => found.InstanceLifecycle ?? 'on-demand'),
    'ec2:InstanceProfile': fact((found) => found.IamInstanceProfile?.Arn),
    'ec2:InstanceType': fact((found) => found.InstanceType),
    'ec2:MetadataHttpEndpoint': fact((found) => found.MetadataOptions?.HttpEndpoint),
    'ec2:MetadataHttpPutResponseHopLimit': fact((found) => found.MetadataOptions?.HttpPutResponseHopLimit),
    'ec2:MetadataHttpTokens': fact((found) => found.MetadataOptions?.HttpTokens),
    'ec2:PlacementGroup': fact((found) =>
      found.Placement?.GroupName
        ? ec2Arn(mapping, `placement-group/${found.Placement.GroupName}`)
        : undefined,
    ),
    'ec2:RootDeviceType': fact((found) => found.RootDeviceType),
    'ec2:Tenancy': fact((found) => found.Placement?.Tenancy ?? 'default'),
    'ec2:ProductCode': undefined,
  };
}

/** What is modified, and to what: `ec2:Attribute` and `ec2:Attribute/…`. */
function attributeContext({ call }: Mapping): Context {
  if (!/^(Modify|Reset)/.test(call.operation)) return {};
  const { Attribute: named, Value: value, ...members } = call.input;
  const entries: [string, unknown][] = [
    ...Object.entries(members).filter(([name]) => !/Ids?$|^DryRun$|^ClientToken$/.test(name)),
    ...(typeof named === 'string'
      ? [[named.charAt(0).toUpperCase() + named.slice(1), value] as [string, unknown]]
      : []),
  ];
  return {
    'ec2:Attribute': entries.length > 1 ? entries.map(([name]) => name) : entries[0]?.[0],
    ...Object.fromEntries(
      entries.flatMap(([name, given]) => {
        const inner = shown(isRecord(given) ? given.Value : given);
        return inner === undefined ? [] : [[`ec2:Attribute/${name}`, inner] as const];
      }),
    ),
  };
}

const vpcArn = (mapping: Mapping, id: string | undefined) =>
  id === undefined ? undefined : ec2Arn(mapping, `vpc/${id}`);

/** An association of a route table is about the table and the subnet, or gateway, that it joins. */
async function byAssociation(mapping: Mapping): Promise<Ask[]> {
  const { call, world } = mapping;
  const id = text(call.input.AssociationId) ?? '';
  const command = new DescribeRouteTablesCommand({
    Filters: [{ Name: 'association.route-table-association-id', Values: [id] }],
  });
  const tables =
    (await orNothing(world.client('ec2', placeOfCall(mapping)).send(command)))?.RouteTables ?? [];
  const association = tables
    .flatMap(({ Associations: all = [] }) => all)
    .find(({ RouteTableAssociationId: each }) => each === id);
  const ids = [
    ...new Set([
      association?.RouteTableId,
      association?.SubnetId,
      association?.GatewayId,
      text(call.input.RouteTableId),
    ]),
  ];
  const known = ids.filter((each): each is string => each !== undefined);
  // What isn't there any more is anybody's to ask for who may do this to some table.
  const resources =
    known.length > 0 ? known.map((each) => arnOfId(each, mapping)) : [ec2Arn(mapping, 'route-table/*')];
  return resources.map((resource) => ask(call.operation, resource, mapping, ec2));
}

/** Any things by their ids. */
function onTagged(mapping: Mapping): Ask[] {
  const { call } = mapping;
  const tags = tagsIn(call.input.Tags);
  return texts(call.input.Resources).map((id) => ({
    ...ask(call.operation, arnOfId(id, mapping), mapping, ec2),
    context: { ...context(mapping, arnOfId(id, mapping)), ...requestTagContext(tags) },
  }));
}

/** The instance that has the profile which an association is about. */
async function onProfiled(operation: string, mapping: Mapping): Promise<Ask[]> {
  const command = new DescribeIamInstanceProfileAssociationsCommand({
    AssociationIds: texts(mapping.call.input.AssociationId),
  });
  const answer = await orNothing(mapping.world.client('ec2', placeOfCall(mapping)).send(command));
  const id = answer?.IamInstanceProfileAssociations?.[0]?.InstanceId ?? '*';
  return [ask(operation, ec2Arn(mapping, `instance/${id}`), mapping, ec2)];
}

/** Things that are named inside of lists of structures. */
function onNested(list: string, member: string, kind: string) {
  return (mapping: Mapping): Ask[] => {
    const { call } = mapping;
    const ids = records(call.input[list]).flatMap((each) => texts(each[member]));
    const group = texts(call.input.GroupId).map((id) => `security-group/${id}`);
    return [...group, ...ids.map((id) => `${kind}/${id}`)].map((resource) =>
      ask(call.operation, ec2Arn(mapping, resource), mapping, ec2),
    );
  };
}

/** With the role of an instance profile, which is handed to EC2. */
function withProfile(operation: string) {
  return async (mapping: Mapping): Promise<Ask[]> => {
    const asks =
      mapping.call.input.InstanceId === undefined
        ? await onProfiled(operation, mapping)
        : await asksFor(operation, mapping, ec2);
    return [...asks, ...(await profileAsks(mapping, mapping.call.input.IamInstanceProfile))];
  };
}

/** Operations that make things which can be given tags at once. */
const MAKES_TAGGED = [
  'AllocateAddress',
  'AuthorizeSecurityGroupEgress',
  'AuthorizeSecurityGroupIngress',
  'CopySnapshot',
  'CreateCustomerGateway',
  'CreateDhcpOptions',
  'CreateEgressOnlyInternetGateway',
  'CreateFlowLogs',
  'CreateImage',
  'CreateInternetGateway',
  'CreateKeyPair',
  'CreateLaunchTemplate',
  'CreateManagedPrefixList',
  'CreateNatGateway',
  'CreateNetworkAcl',
  'CreateNetworkInterface',
  'CreatePlacementGroup',
  'CreateRouteTable',
  'CreateSecurityGroup',
  'CreateSnapshot',
  'CreateSubnet',
  'CreateVolume',
  'CreateVpc',
  'CreateVpcEndpoint',
  'CreateVpcPeeringConnection',
  'ImportKeyPair',
];

function makesTagged(operation: string) {
  return async (mapping: Mapping): Promise<Ask[]> => {
    const asks = await asksFor(operation, mapping, ec2);
    const rules = tagsByKind(mapping.call.input).has('security-group-rule')
      ? [ask(operation, ec2Arn(mapping, 'security-group-rule/*'), mapping, ec2)]
      : [];
    return [...asks, ...rules, ...tagAsks(mapping)];
  };
}

export const ec2: Rules = {
  members: {
    SecurityGroupId: ['GroupId', 'GroupIds', 'SecurityGroupId', 'SecurityGroupIds', 'Groups'],
    KeyPairName: ['KeyName'],
    PlacementGroupName: ['GroupName'],
    SecurityGroupRuleId: ['SecurityGroupRuleId', 'SecurityGroupRuleIds'],
    AllocationId: ['AllocationId', 'AllocationIds'],
    VpcFlowLogId: ['FlowLogId', 'FlowLogIds'],
    NaclId: ['NetworkAclId'],
  },
  tags: (mapping, resource) =>
    isNew(resource) ? Promise.resolve(undefined) : ec2Tags(mapping.world, placeOfCall(mapping), resource),
  context,
  asks: {
    ...Object.fromEntries(MAKES_TAGGED.map((operation) => [operation, makesTagged(operation)])),
    RunInstances: runInstances,
    CreateTags: onTagged,
    DeleteTags: onTagged,
    DisassociateRouteTable: byAssociation,
    ReplaceRouteTableAssociation: byAssociation,
    DisassociateIamInstanceProfile: (mapping) => onProfiled('DisassociateIamInstanceProfile', mapping),
    ModifyInstanceCreditSpecification: onNested('InstanceCreditSpecifications', 'InstanceId', 'instance'),
    ModifySecurityGroupRules: onNested('SecurityGroupRules', 'SecurityGroupRuleId', 'security-group-rule'),
    AssociateIamInstanceProfile: withProfile('AssociateIamInstanceProfile'),
    ReplaceIamInstanceProfileAssociation: withProfile('ReplaceIamInstanceProfileAssociation'),
  },
};
