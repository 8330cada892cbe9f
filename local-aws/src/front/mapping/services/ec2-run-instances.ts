import { DescribeLaunchTemplateVersionsCommand } from '@aws-sdk/client-ec2';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { orNothing } from '../../authorization/moto-clients';
import { gap } from '../../refusal';
import { accountIn } from '../arn';
import { isRecord, records, shown, text, texts, type Ask, type Context, type Mapping } from '../ask';
import { requestTagContext } from '../request-tags';
import { baseContext, ec2Arn, placeOfCall, profileAsks, tagAsks, tagsByKind } from './ec2-resources';
import { defaultSecurityGroup, defaultSubnet, ec2Tags, groupsNamed, image, subnet } from './ec2-facts';
import { throughService } from './kms-through';
import { parameterArn } from './ssm';

type Input = Readonly<Record<string, unknown>>;

/**
 * Starting instances is asked for everything that takes part: the image, the instance, its volumes and interfaces, the
 * subnet, the security groups, and what else is named (Amazon EC2 User Guide, "Example policies: launch instances").
 */
export async function runInstances(mapping: Mapping): Promise<Ask[]> {
  const { input, template } = await withTemplate(mapping);
  const place = placeOfCall(mapping);
  const interfaces = records(input.NetworkInterfaces);
  const subnetId =
    text(input.SubnetId) ??
    interfaces.map(({ SubnetId: id }) => text(id)).find(Boolean) ??
    (await defaultSubnet(mapping.world, place))?.SubnetId;
  if (subnetId === undefined)
    throw gap('ec2:RunInstances names no subnet, and the account has no default one.');
  const vpcId = (await subnet(mapping.world, place, subnetId))?.VpcId;
  const imageName = text(input.ImageId) ?? '';
  const imageId = await imageIdOf(imageName, mapping);
  const named = [
    ...texts(input.SecurityGroupIds),
    ...interfaces.flatMap(({ Groups: groups }) => texts(groups)),
    ...(await groupsNamed(mapping.world, place, vpcId ?? '', texts(input.SecurityGroups))),
  ];
  const byDefault = vpcId === undefined ? undefined : await defaultSecurityGroup(mapping.world, place, vpcId);
  const groups = named.length > 0 ? named : byDefault === undefined ? [] : [byDefault];
  const vpc = vpcId === undefined ? undefined : ec2Arn(mapping, `vpc/${vpcId}`);
  const base: Context = { ...baseContext(mapping), ...requestTagContext({}), ...template };
  // What the request says itself isn't the template's.
  const ofTemplate = (resource: string): Context =>
    template['ec2:LaunchTemplate'] === undefined
      ? {}
      : { 'ec2:IsLaunchTemplateResource': String(!isOverridden(resource, mapping.call.input)) };
  const one = (resource: string, context: Context = {}): Ask => ({
    action: 'ec2:RunInstances',
    resource: ec2Arn(mapping, resource),
    account: mapping.account,
    context: { ...base, ...context, ...ofTemplate(resource) },
    tags: () =>
      resource.endsWith('/*') ? Promise.resolve(undefined) : ec2Tags(mapping.world, place, resource),
  });
  const tags = tagsByKind(input);
  const ofKind = (kind: string) => requestTagContext(tags.get(kind) ?? {});
  const disks = await disksOf(mapping, input, imageId);
  const placement = isRecord(input.Placement) ? input.Placement : {};
  const templateId = template['ec2:LaunchTemplate'];
  const existingInterfaces = interfaces.flatMap(({ NetworkInterfaceId: id }) => texts(id));
  return [
    one(`image/${imageId}`, imageContext(mapping, imageId)),
    one('instance/*', { ...instanceContext(mapping, input), ...ofKind('instance') }),
    ...disks.map((disk) => one('volume/*', { ...volumeContext(disk), ...ofKind('volume') })),
    ...(existingInterfaces.length > 0
      ? existingInterfaces.map((id) => `network-interface/${id}`)
      : ['network-interface/*']
    ).map((resource) =>
      one(resource, {
        'ec2:Subnet': ec2Arn(mapping, `subnet/${subnetId}`),
        'ec2:Vpc': vpc,
        'ec2:AssociatePublicIpAddress': shown(interfaces[0]?.AssociatePublicIpAddress),
        'ec2:AuthorizedService': undefined,
        ...ofKind('network-interface'),
      }),
    ),
    one(`subnet/${subnetId}`, {
      'ec2:Vpc': vpc,
      'ec2:SubnetID': subnetId,
      'ec2:AvailabilityZone': async () => (await subnet(mapping.world, place, subnetId))?.AvailabilityZone,
    }),
    ...[...new Set(groups)].map((id) =>
      one(`security-group/${id}`, { 'ec2:Vpc': vpc, 'ec2:SecurityGroupID': id }),
    ),
    ...texts(input.KeyName).map((name) => one(`key-pair/${name}`, { 'ec2:KeyPairName': name })),
    ...texts(placement.GroupName).map((name) =>
      one(`placement-group/${name}`, { 'ec2:PlacementGroupName': name }),
    ),
    ...(typeof templateId === 'string' ? [one(`launch-template/${templateId.split('/').at(-1) ?? ''}`)] : []),
    ...tagAsks({ ...mapping, call: { ...mapping.call, input } }),
    ...(await profileAsks(mapping, input.IamInstanceProfile)),
    ...(await diskKeys(mapping, disks)),
    ...parameterAsks(imageName, mapping),
  ];
}

/** A launch template's parameters under the request's own. */
async function withTemplate(mapping: Mapping): Promise<{ input: Input; template: Context }> {
  const { input } = mapping.call;
  const given = input.LaunchTemplate;
  if (!isRecord(given)) return { input, template: {} };
  const command = new DescribeLaunchTemplateVersionsCommand({
    LaunchTemplateId: text(given.LaunchTemplateId),
    LaunchTemplateName: text(given.LaunchTemplateName),
    Versions: [text(given.Version) ?? '$Default'],
  });
  const answer = await orNothing(mapping.world.client('ec2', placeOfCall(mapping)).send(command));
  const version = answer?.LaunchTemplateVersions?.[0];
  if (version?.LaunchTemplateId === undefined)
    throw gap('ec2:RunInstances names a launch template that is not there.');
  const { TagSpecifications: specifications, ...data } = (version.LaunchTemplateData ?? {}) as Input;
  const tagSpecifications = [...records(specifications), ...records(input.TagSpecifications)];
  return {
    input: {
      ...data,
      ...input,
      ...(tagSpecifications.length > 0 && { TagSpecifications: tagSpecifications }),
    },
    template: { 'ec2:LaunchTemplate': ec2Arn(mapping, `launch-template/${version.LaunchTemplateId}`) },
  };
}

/** Members of a request that name a resource which a launch template may name. */
const NAMED_BY: Readonly<Partial<Record<string, readonly string[]>>> = {
  image: ['ImageId'],
  'key-pair': ['KeyName'],
  'network-interface': ['NetworkInterfaces', 'SubnetId'],
  'placement-group': ['Placement'],
  'security-group': ['SecurityGroupIds', 'SecurityGroups', 'NetworkInterfaces'],
  subnet: ['SubnetId', 'NetworkInterfaces'],
  volume: ['BlockDeviceMappings'],
};

const isOverridden = (resource: string, input: Input) =>
  NAMED_BY[resource.split('/')[0] ?? '']?.some((member) => input[member] !== undefined) === true;

const BY_PARAMETER = /^resolve:ssm:(.+)$/;

/** An image by its id, or by a parameter that holds it (Amazon EC2 User Guide, "Reference AMIs using Systems Manager parameters"). */
async function imageIdOf(name: string, mapping: Mapping): Promise<string> {
  const [, parameter] = BY_PARAMETER.exec(name) ?? [];
  if (parameter === undefined) {
    if (!name.startsWith('ami-')) throw gap('ec2:RunInstances names no image by its id.');
    return name;
  }
  const { world } = mapping;
  const place = placeOfCall(mapping);
  const found = await world.read('ssm', place, `value of ${parameter}`, () =>
    orNothing(world.client('ssm', place).send(new GetParameterCommand({ Name: parameter }))),
  );
  return found?.Parameter?.Value ?? '*';
}

function parameterAsks(image: string, mapping: Mapping): Ask[] {
  const [, parameter] = BY_PARAMETER.exec(image) ?? [];
  if (parameter === undefined) return [];
  const resource = parameterArn(parameter, mapping);
  return [
    { action: 'ssm:GetParameters', resource, account: accountIn(resource, mapping.account), context: {} },
  ];
}

/** The disks that a request names, and the image's own first one where it isn't among them. */
async function disksOf(mapping: Mapping, input: Input, imageId: string): Promise<Input[]> {
  const named = records(input.BlockDeviceMappings);
  const found = await image(mapping.world, placeOfCall(mapping), imageId);
  const root = found?.RootDeviceName;
  const disks = named.flatMap(({ Ebs: ebs }) => (isRecord(ebs) ? [ebs] : []));
  if (root !== undefined && named.some(({ DeviceName: device }) => device === root)) return disks;
  const own = found?.BlockDeviceMappings?.find(({ DeviceName: device }) => device === root)?.Ebs ?? {};
  return root === undefined && disks.length > 0 ? disks : [{ ...own }, ...disks];
}

function imageContext(mapping: Mapping, id: string): Context {
  const fact =
    (read: (found: NonNullable<Awaited<ReturnType<typeof image>>>) => string | undefined) => async () => {
      const found = await image(mapping.world, placeOfCall(mapping), id);
      return found && read(found);
    };
  return {
    'ec2:ImageID': id,
    'ec2:ImageType': fact((found) => found.ImageType ?? 'machine'),
    'ec2:Owner': fact((found) => found.ImageOwnerAlias ?? found.OwnerId),
    'ec2:Public': fact((found) => (found.Public === undefined ? undefined : String(found.Public))),
    'ec2:RootDeviceType': fact((found) => found.RootDeviceType),
  };
}

function instanceContext(mapping: Mapping, input: Input): Context {
  const metadata = isRecord(input.MetadataOptions) ? input.MetadataOptions : {};
  const placement = isRecord(input.Placement) ? input.Placement : {};
  const profile = isRecord(input.IamInstanceProfile) ? input.IamInstanceProfile : undefined;
  const market = isRecord(input.InstanceMarketOptions)
    ? text(input.InstanceMarketOptions.MarketType)
    : undefined;
  return {
    'ec2:AvailabilityZone': text(placement.AvailabilityZone),
    'ec2:EbsOptimized': shown(input.EbsOptimized) ?? 'false',
    'ec2:InstanceID': undefined,
    'ec2:InstanceMarketType': market ?? 'on-demand',
    'ec2:InstanceMetadataTags': text(metadata.InstanceMetadataTags),
    'ec2:InstanceProfile': async () => {
      if (profile === undefined) return undefined;
      return (
        text(profile.Arn) ??
        (await mapping.world.identities.instanceProfile(mapping.account, text(profile.Name) ?? ''))?.arn
      );
    },
    'ec2:InstanceType': text(input.InstanceType) ?? 'm1.small',
    'ec2:MetadataHttpEndpoint': text(metadata.HttpEndpoint),
    'ec2:MetadataHttpPutResponseHopLimit': shown(metadata.HttpPutResponseHopLimit),
    'ec2:MetadataHttpTokens': text(metadata.HttpTokens),
    'ec2:PlacementGroup':
      text(placement.GroupName) && ec2Arn(mapping, `placement-group/${text(placement.GroupName) ?? ''}`),
    'ec2:ProductCode': undefined,
    'ec2:RootDeviceType': 'ebs',
    'ec2:Tenancy': text(placement.Tenancy) ?? 'default',
  };
}

function volumeContext(disk: Input): Context {
  return {
    'ec2:Encrypted': shown(disk.Encrypted) ?? 'false',
    'ec2:KmsKeyId': text(disk.KmsKeyId),
    'ec2:ParentSnapshot': text(disk.SnapshotId),
    'ec2:VolumeID': undefined,
    'ec2:VolumeIops': shown(disk.Iops),
    'ec2:VolumeSize': shown(disk.VolumeSize),
    'ec2:VolumeThroughput': shown(disk.Throughput),
    'ec2:VolumeType': text(disk.VolumeType),
  };
}

/** Keys of the disks that are to be encrypted (Amazon EBS User Guide, "Requirements for Amazon EBS encryption"). */
async function diskKeys(mapping: Mapping, disks: readonly Input[]): Promise<Ask[]> {
  const encrypted = disks.filter(
    ({ Encrypted: yes, KmsKeyId: key }) => shown(yes) === 'true' || key !== undefined,
  );
  const keys = [...new Set(encrypted.map(({ KmsKeyId: key }) => text(key) ?? 'alias/aws/ebs'))];
  const actions = [
    'CreateGrant',
    'Decrypt',
    'DescribeKey',
    'GenerateDataKeyWithoutPlaintext',
    'ReEncryptFrom',
    'ReEncryptTo',
  ];
  return (await Promise.all(keys.map((key) => throughService(mapping, 'ec2', key, actions)))).flat();
}
