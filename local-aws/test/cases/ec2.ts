import {
  AttachVolumeCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateImageCommand,
  CreateKeyPairCommand,
  CreateLaunchTemplateCommand,
  CreateSecurityGroupCommand,
  CreateSnapshotCommand,
  CreateSubnetCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  CreateVpcCommand,
  DeleteSecurityGroupCommand,
  DeleteTagsCommand,
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  EC2Client,
  ModifyInstanceMetadataOptionsCommand,
  RunInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  type ResourceType,
  type RunInstancesCommandInput,
  type Subnet,
  type TagSpecification,
} from '@aws-sdk/client-ec2';
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { DecodeAuthorizationMessageCommand, STSClient } from '@aws-sdk/client-sts';
import type { Case, Who } from './case';
import { allow, deny, policy } from './policies';
import { about, grant } from './making';
import { ACCOUNT, REGION, type World } from './world';

const POLICIES = 'Amazon EC2 User Guide, "Example policies to control access the Amazon EC2 API"';
const STRUCTURE = 'Amazon EC2 User Guide, "Policy structure"';
const BY_TAGS = 'Amazon EC2 User Guide, "Control access to EC2 resources using resource tags"';
const AT_CREATION = 'Amazon EC2 User Guide, "Grant permission to tag resources during creation"';
const VPC_POLICIES = 'Amazon VPC User Guide, "Amazon VPC policy examples"';

type Tags = Record<string, string>;

export const arn = (resource: string) => `arn:aws:ec2:${REGION}:${ACCOUNT}:${resource}`;

/** All that takes part in a launch. */
const LAUNCHED = {
  image: `arn:aws:ec2:${REGION}::image/*`,
  instance: arn('instance/*'),
  volume: arn('volume/*'),
  'network-interface': arn('network-interface/*'),
  subnet: arn('subnet/*'),
  'security-group': arn('security-group/*'),
  'key-pair': arn('key-pair/*'),
};

const allBut = (...without: (keyof typeof LAUNCHED)[]) =>
  Object.entries(LAUNCHED).flatMap(([kind, pattern]) =>
    without.some((each) => each === kind) ? [] : [pattern],
  );

const list = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const tagged = (kind: ResourceType, tags: Tags): TagSpecification => ({
  ResourceType: kind,
  Tags: list(tags),
});

/** An image of Amazon's. */
async function image({ administrator }: World): Promise<string> {
  const { Parameter: parameter } = await new SSMClient(administrator).send(
    new GetParameterCommand({
      Name: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64',
    }),
  );
  return parameter?.Value ?? '';
}

const run = async (ec2: EC2Client, world: World, input: Partial<RunInstancesCommandInput> = {}) =>
  ec2.send(
    new RunInstancesCommand({
      ImageId: await image(world),
      InstanceType: 't3.micro',
      MinCount: 1,
      MaxCount: 1,
      ...input,
    }),
  );

const launches =
  (input: Partial<RunInstancesCommandInput> = {}): Case['does'] =>
  ({ options }, world) =>
    run(new EC2Client(options), world, input);

/** @returns its id */
export async function newInstance(world: World, tags: Tags = {}): Promise<string> {
  const { Instances: made } = await run(new EC2Client(world.administrator), world, {
    ...(Object.keys(tags).length > 0 && { TagSpecifications: [tagged('instance', tags)] }),
  });
  return made?.[0]?.InstanceId ?? '';
}

async function newVolume({ administrator }: World, tags: Tags): Promise<string> {
  const { VolumeId: id } = await new EC2Client(administrator).send(
    new CreateVolumeCommand({
      AvailabilityZone: `${REGION}a`,
      Size: 1,
      TagSpecifications: [tagged('volume', tags)],
    }),
  );
  return id ?? '';
}

async function newGroup(world: World, name: string, tags: Tags = {}): Promise<string> {
  const { GroupId: id } = await new EC2Client(world.administrator).send(
    new CreateSecurityGroupCommand({
      GroupName: name,
      Description: name,
      VpcId: (await defaultSubnets(world))[0].VpcId,
      ...(Object.keys(tags).length > 0 && { TagSpecifications: [tagged('security-group', tags)] }),
    }),
  );
  return id ?? '';
}

async function newVpc({ administrator }: World): Promise<string> {
  const { Vpc: made } = await new EC2Client(administrator).send(
    new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }),
  );
  return made?.VpcId ?? '';
}

/** Two subnets of the default VPC. */
async function defaultSubnets({ administrator }: World): Promise<[Subnet, Subnet]> {
  const { Subnets: found = [] } = await new EC2Client(administrator).send(
    new DescribeSubnetsCommand({ Filters: [{ Name: 'default-for-az', Values: ['true'] }] }),
  );
  const [first, second] = found;
  if (first === undefined || second === undefined) throw new Error('The default VPC has too few subnets.');
  return [first, second];
}

const subnetArn = ({ SubnetId: id = '' }: Subnet) => arn(`subnet/${id}`);
const vpcArn = ({ VpcId: id = '' }: Subnet) => arn(`vpc/${id}`);

/** A role in an instance profile of another name. */
async function newProfile({ administrator }: World, { name }: Who): Promise<string> {
  const iam = new IAMClient(administrator);
  await iam.send(
    new CreateRoleCommand({
      RoleName: `${name}-role`,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      }),
    }),
  );
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: `${name}-profile` }));
  await iam.send(
    new AddRoleToInstanceProfileCommand({
      InstanceProfileName: `${name}-profile`,
      RoleName: `${name}-role`,
    }),
  );
  return `${name}-profile`;
}

/** @param subnet that the template says to launch into, if any */
async function newTemplate(world: World, { name }: Who, subnet?: Subnet): Promise<string> {
  const { LaunchTemplate: made } = await new EC2Client(world.administrator).send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: name,
      LaunchTemplateData: {
        ImageId: await image(world),
        InstanceType: 't3.micro',
        ...(subnet && { NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: subnet.SubnetId }] }),
      },
    }),
  );
  return made?.LaunchTemplateId ?? '';
}

const fromTemplate = (
  { options }: Who,
  template: string,
  input: Partial<RunInstancesCommandInput> = {},
): Promise<unknown> =>
  new EC2Client(options).send(
    new RunInstancesCommand({
      LaunchTemplate: { LaunchTemplateId: template },
      MinCount: 1,
      MaxCount: 1,
      ...input,
    }),
  );

const ownTemplate = (world: World, who: Who) => newTemplate(world, who);

const instanceWith =
  (tags: Tags = {}) =>
  (world: World) =>
    newInstance(world, tags);

const terminates = ({ options }: Who, id: string) =>
  new EC2Client(options).send(new TerminateInstancesCommand({ InstanceIds: [id] }));

const stops = ({ options }: Who, ...ids: string[]) =>
  new EC2Client(options).send(new StopInstancesCommand({ InstanceIds: ids }));

const createsVolume =
  (input: { Size?: number; Encrypted?: boolean; VolumeType?: 'gp3' | 'io1'; Iops?: number }): Case['does'] =>
  ({ options }) =>
    new EC2Client(options).send(new CreateVolumeCommand({ AvailabilityZone: `${REGION}a`, ...input }));

const describesInstances: Case['does'] = ({ options }) =>
  new EC2Client(options).send(new DescribeInstancesCommand({}));

const PURPOSE_TEST = { StringEquals: { 'aws:ResourceTag/purpose': 'test' } };
const ALLOW_LAUNCH = allow('ec2:RunInstances', '*');
const AT_LAUNCH = { StringEquals: { 'ec2:CreateAction': 'RunInstances' } };

const SMALL_TYPES = policy(
  allow('ec2:RunInstances', LAUNCHED.instance, {
    StringEquals: { 'ec2:InstanceType': ['t3.micro', 't3.small'] },
  }),
  allow('ec2:RunInstances', allBut('instance')),
);

const OF_AMAZON = policy(
  allow('ec2:RunInstances', `arn:aws:ec2:${REGION}::image/ami-*`, {
    StringEquals: { 'ec2:Owner': 'amazon' },
  }),
  allow('ec2:RunInstances', allBut('image')),
);

const ENCRYPTED_VOLUMES = policy(
  allow('ec2:RunInstances', LAUNCHED.volume, { Bool: { 'ec2:Encrypted': 'true' } }),
  allow('ec2:RunInstances', allBut('volume')),
);

const SMALL_ENCRYPTED_VOLUME = policy(
  allow('ec2:CreateVolume', LAUNCHED.volume, {
    NumericLessThan: { 'ec2:VolumeSize': '20' },
    Bool: { 'ec2:Encrypted': 'true' },
  }),
);

const IMDS_V2 = policy(
  ALLOW_LAUNCH,
  deny('ec2:RunInstances', 'arn:aws:ec2:*:*:instance/*', {
    StringNotEquals: { 'ec2:MetadataHttpTokens': 'required' },
  }),
);

const NO_OPT_OUT_OF_IMDS_V2 = policy(
  allow('ec2:ModifyInstanceMetadataOptions', LAUNCHED.instance),
  deny('ec2:ModifyInstanceMetadataOptions', 'arn:aws:ec2:*:*:instance/*', {
    StringEquals: { 'ec2:Attribute': 'HttpTokens' },
    StringNotEquals: { 'ec2:Attribute/HttpTokens': 'required' },
  }),
);

const TAGS_INSTANCES_AT_LAUNCH = policy(ALLOW_LAUNCH, allow('ec2:CreateTags', LAUNCHED.instance, AT_LAUNCH));

const PRODUCTION_WEBSERVERS = policy(
  allow('ec2:RunInstances', allBut('instance', 'volume')),
  allow('ec2:RunInstances', [LAUNCHED.volume, LAUNCHED.instance], {
    StringEquals: { 'aws:RequestTag/environment': 'production', 'aws:RequestTag/purpose': 'webserver' },
  }),
  allow('ec2:CreateTags', arn('*/*'), AT_LAUNCH),
);

const PURPOSE_TEST_OR_NO_TAGS = policy(
  ALLOW_LAUNCH,
  allow('ec2:CreateTags', arn('*/*'), {
    StringEquals: { 'aws:RequestTag/purpose': 'test', 'ec2:CreateAction': 'RunInstances' },
    'ForAllValues:StringEquals': { 'aws:TagKeys': 'purpose' },
  }),
);

const SOME_TAG_AT_LAUNCH = policy(
  allow('ec2:RunInstances', allBut('instance', 'volume')),
  allow('ec2:RunInstances', [LAUNCHED.volume, LAUNCHED.instance], {
    'ForAnyValue:StringEquals': { 'aws:TagKeys': ['environment', 'webserver'] },
  }),
  allow('ec2:CreateTags', arn('*/*'), AT_LAUNCH),
);

const TAGS_ONES_OWN = policy(
  allow('ec2:CreateTags', arn('*/*'), {
    StringEquals: {
      'aws:RequestTag/anycompany:environment-type': ['test', 'prod'],
      'aws:ResourceTag/owner': '${aws:username}',
    },
  }),
);

const DELETES_TWO_KEYS = policy(
  allow('ec2:DeleteTags', LAUNCHED.volume, {
    'ForAllValues:StringEquals': { 'aws:TagKeys': ['environment', 'cost-center'] },
  }),
);

const ATTACHES_ONES_OWN = policy(
  allow('ec2:AttachVolume', LAUNCHED.instance, { StringEquals: { 'aws:ResourceTag/department': 'dev' } }),
  allow('ec2:AttachVolume', LAUNCHED.volume, {
    StringEquals: { 'aws:ResourceTag/volume_user': '${aws:username}' },
  }),
);

const STACK_TEST_GROUPS = policy(
  allow(['ec2:AuthorizeSecurityGroupIngress', 'ec2:DeleteSecurityGroup'], LAUNCHED['security-group'], {
    StringEquals: { 'ec2:ResourceTag/Stack': 'test' },
  }),
  allow('ec2:CreateSecurityGroup', LAUNCHED['security-group'], {
    StringEquals: { 'aws:RequestTag/Stack': 'test' },
    'ForAllValues:StringEquals': { 'aws:TagKeys': 'Stack' },
  }),
  allow('ec2:CreateTags', LAUNCHED['security-group'], {
    StringEquals: { 'ec2:CreateAction': 'CreateSecurityGroup' },
  }),
  allow('ec2:CreateSecurityGroup', arn('vpc/*')),
);

const createsGroup =
  (tags: Tags): Case['does'] =>
  async ({ options, name }, world) =>
    new EC2Client(options).send(
      new CreateSecurityGroupCommand({
        GroupName: name,
        Description: name,
        VpcId: (await defaultSubnets(world))[0].VpcId,
        ...(Object.keys(tags).length > 0 && { TagSpecifications: [tagged('security-group', tags)] }),
      }),
    );

const opensPort = ({ options }: Who, group: string) =>
  new EC2Client(options).send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupId: group,
      IpPermissions: [
        { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: '10.0.0.0/8' }] },
      ],
    }),
  );

const BOTH_TAGS = { environment: 'production', purpose: 'webserver' };

const LAUNCH_TEMPLATES = arn('launch-template/*');
const NOTHING_OVERRIDDEN = allow('ec2:RunInstances', '*', {
  ArnLike: { 'ec2:LaunchTemplate': LAUNCH_TEMPLATES },
  Bool: { 'ec2:IsLaunchTemplateResource': 'true' },
});
const SUBNET_OF_TEMPLATE = policy(
  {
    Effect: 'Allow',
    Action: 'ec2:RunInstances',
    NotResource: [LAUNCHED.subnet, LAUNCHED['network-interface']],
    Condition: { ArnLike: { 'ec2:LaunchTemplate': LAUNCH_TEMPLATES } },
  },
  allow('ec2:RunInstances', [LAUNCHED.subnet, LAUNCHED['network-interface']], {
    ArnLike: { 'ec2:LaunchTemplate': LAUNCH_TEMPLATES },
    Bool: { 'ec2:IsLaunchTemplateResource': 'true' },
  }),
);

/** What a launch is refused with, decoded by whoever it was refused. */
const decodesRefusal: Case['does'] = async (who, world) => {
  const { message } = await run(new EC2Client(who.options), world).then(
    () => new Error('The launch was allowed.'),
    (error: unknown) => error as Error,
  );
  const [, encoded] = /Encoded authorization failure message: (\S+)/.exec(message) ?? [];
  if (encoded === undefined) throw new Error(`No encoded message in: ${message}`);
  const { DecodedMessage: decoded = '' } = await new STSClient(who.options).send(
    new DecodeAuthorizationMessageCommand({ EncodedMessage: encoded }),
  );
  const { allowed, context } = JSON.parse(decoded) as { allowed: boolean; context: { action: string } };
  if (allowed || context.action !== 'ec2:RunInstances') throw new Error(`Not the refusal: ${decoded}`);
};

/** Succeeds when the dry run says that the request would have. */
const stopsDry = async ({ options }: Who, id: string) => {
  try {
    await new EC2Client(options).send(new StopInstancesCommand({ InstanceIds: [id], DryRun: true }));
  } catch (error) {
    if ((error as Error).name !== 'DryRunOperation') throw error;
  }
};

export const ec2: Case[] = [
  {
    name: 'a launch is asked for all that takes part in it',
    source: `${POLICIES}, AMIs: image, instance, volume, key pair, security group, subnet, network interface`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:RunInstances', allBut()))] },
    does: launches(),
    expect: 'allowed',
  },
  {
    name: 'a launch from an EBS-backed image needs leave for the volume',
    source: `${POLICIES}, Launch instances: launching from an Amazon EBS-backed AMI creates a volume, which users must have permission for`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:RunInstances', allBut('volume')))] },
    does: launches(),
    expect: 'denied',
    says: /ec2:RunInstances on resource: arn:aws:ec2:eu-west-1:111122223333:volume\/\*/,
  },
  {
    name: 'a launch needs leave for the network interface that it makes',
    source: `${VPC_POLICIES}, Launch instances into a specific subnet: RunInstances creates a primary network interface, which needs permission`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:RunInstances', allBut('network-interface')))] },
    does: launches(),
    expect: 'denied',
    says: /network-interface\/\*/,
  },
  {
    name: 'a launch into the default VPC needs leave for its subnet',
    source: `${POLICIES}, Launch instances: launching into a VPC requires a subnet`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:RunInstances', allBut('subnet')))] },
    does: launches(),
    expect: 'denied',
    says: /subnet\/subnet-/,
  },
  {
    name: 'a launch that names no key pair needs no leave for one',
    source: `${POLICIES}, Launch instances: users can specify a key pair, and need permission for the resources that they use`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:RunInstances', allBut('key-pair')))] },
    does: launches(),
    expect: 'allowed',
  },
  {
    name: 'a launch that names a key pair needs leave for it',
    source: `${POLICIES}, Launch instances: users can specify a key pair, and need permission for the resources that they use`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:RunInstances', allBut('key-pair')))] },
    ...about(
      async ({ administrator }, { name }) =>
        new EC2Client(administrator).send(new CreateKeyPairCommand({ KeyName: name })),
      ({ options, name }, _key, world) => run(new EC2Client(options), world, { KeyName: name }),
    ),
    expect: 'denied',
    says: /key-pair\//,
  },
  {
    name: 'only the images that a policy names can be launched',
    source: `${POLICIES}, AMIs: users can't launch an instance using other AMIs than those specified`,
    service: 'ec2',
    caller: {
      policies: [
        policy(allow('ec2:RunInstances', [`arn:aws:ec2:${REGION}::image/ami-9e1670f7`, ...allBut('image')])),
      ],
    },
    does: launches(),
    expect: 'denied',
    says: /arn:aws:ec2:eu-west-1::image\/ami-/,
  },
  {
    name: 'an image of Amazon has the owner amazon',
    source: `${POLICIES}, AMIs: ec2:Owner tests whether the AMI's owner is amazon`,
    service: 'ec2',
    caller: { policies: [OF_AMAZON] },
    does: launches(),
    expect: 'allowed',
  },
  {
    name: 'an image of the account is not of the owner amazon',
    source: `${POLICIES}, AMIs: where ec2:Owner must be amazon, users can't launch other AMIs`,
    service: 'ec2',
    caller: { policies: [OF_AMAZON] },
    ...about(
      async (world, { name }) => {
        const { ImageId: id } = await new EC2Client(world.administrator).send(
          new CreateImageCommand({ InstanceId: await newInstance(world), Name: name }),
        );
        return id ?? '';
      },
      ({ options }, id, world) => run(new EC2Client(options), world, { ImageId: id }),
    ),
    expect: 'denied',
    says: /::image\/ami-/,
  },
  {
    name: 'an instance type that is listed can be launched',
    source: `${POLICIES}, Instance types: a condition on ec2:InstanceType in the statement for the instance`,
    service: 'ec2',
    caller: { policies: [SMALL_TYPES] },
    does: launches({ InstanceType: 't3.small' }),
    expect: 'allowed',
  },
  {
    name: 'an instance type that is not listed can not be launched',
    source: `${POLICIES}, Instance types: users can't launch larger instances`,
    service: 'ec2',
    caller: { policies: [SMALL_TYPES] },
    does: launches({ InstanceType: 'm5.large' }),
    expect: 'denied',
    says: /instance\/\*/,
  },
  {
    name: 'a condition key of the instance fails the statement for everything else',
    source: `${STRUCTURE}, Condition keys: without a Resource that the key applies to, the condition check fails for the resources to which it does not apply`,
    service: 'ec2',
    caller: {
      policies: [
        policy(allow('ec2:RunInstances', '*', { StringEquals: { 'ec2:InstanceType': 't3.micro' } })),
      ],
    },
    does: launches(),
    expect: 'denied',
  },
  {
    name: 'IfExists has a condition key ignored where it does not apply',
    source: `${STRUCTURE}, Condition keys: the IfExists condition type ignores the key for resources that do not use it`,
    service: 'ec2',
    caller: {
      policies: [
        policy(allow('ec2:RunInstances', '*', { StringEqualsIfExists: { 'ec2:InstanceType': 't3.micro' } })),
      ],
    },
    does: launches(),
    expect: 'allowed',
  },
  {
    name: 'a denial of other subnets for the network interface lets the named one through',
    source: `${POLICIES}, Subnets: Deny on the network interface with ArnNotEquals on ec2:Subnet`,
    service: 'ec2',
    ...about(
      async (world, who) => {
        const [subnet] = await defaultSubnets(world);
        await grant(
          world,
          who,
          ALLOW_LAUNCH,
          deny('ec2:RunInstances', LAUNCHED['network-interface'], {
            ArnNotEquals: { 'ec2:Subnet': subnetArn(subnet) },
          }),
        );
        return subnet;
      },
      ({ options }, { SubnetId: id }, world) => run(new EC2Client(options), world, { SubnetId: id }),
    ),
    expect: 'allowed',
  },
  {
    name: 'a denial of other subnets for the network interface denies a launch into one',
    source: `${POLICIES}, Subnets: denying permission to create a network interface, except where the subnet is specified`,
    service: 'ec2',
    ...about(
      async (world, who) => {
        const [subnet, other] = await defaultSubnets(world);
        await grant(
          world,
          who,
          ALLOW_LAUNCH,
          deny('ec2:RunInstances', LAUNCHED['network-interface'], {
            ArnNotEquals: { 'ec2:Subnet': subnetArn(subnet) },
          }),
        );
        return other;
      },
      ({ options }, { SubnetId: id }, world) => run(new EC2Client(options), world, { SubnetId: id }),
    ),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'a subnet is of its VPC',
    source: `${VPC_POLICIES}, Launch instances into a specific VPC: ec2:Vpc on the subnet is the full ARN of the VPC`,
    service: 'ec2',
    ...about(
      async (world, who) => {
        const [subnet] = await defaultSubnets(world);
        return grant(
          world,
          who,
          allow('ec2:RunInstances', LAUNCHED.subnet, { ArnEquals: { 'ec2:Vpc': vpcArn(subnet) } }),
          allow('ec2:RunInstances', allBut('subnet')),
        );
      },
      ({ options }, _made, world) => run(new EC2Client(options), world),
    ),
    expect: 'allowed',
  },
  {
    name: 'a subnet of another VPC can not be launched into',
    source: `${VPC_POLICIES}, Launch instances into a specific VPC: ec2:Vpc on the subnet`,
    service: 'ec2',
    caller: {
      policies: [
        policy(
          allow('ec2:RunInstances', LAUNCHED.subnet, {
            ArnEquals: { 'ec2:Vpc': arn('vpc/vpc-11223344556677889') },
          }),
          allow('ec2:RunInstances', allBut('subnet')),
        ),
      ],
    },
    does: launches(),
    expect: 'denied',
    says: /subnet\/subnet-/,
  },
  {
    name: 'another security group than the allowed one can not be given to an instance',
    source: `${VPC_POLICIES}, Launch instances into a specific subnet: a launch using a different security group fails`,
    service: 'ec2',
    ...about(
      async (world, who) => {
        const group = await newGroup(world, who.name);
        await grant(
          world,
          who,
          allow('ec2:RunInstances', [arn(`security-group/${group}`), ...allBut('security-group')]),
        );
        return newGroup(world, `${who.name}-other`);
      },
      ({ options }, other, world) => run(new EC2Client(options), world, { SecurityGroupIds: [other] }),
    ),
    expect: 'denied',
    says: /security-group\/sg-/,
  },
  {
    name: 'a security group can be given to an instance by its name',
    source:
      'Amazon EC2 API Reference, "RunInstances": SecurityGroup.N are names of security groups in the default VPC',
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:RunInstances', allBut()))] },
    does: launches({ SecurityGroups: ['default'] }),
    expect: 'allowed',
  },
  {
    name: 'an image can be named by a parameter that one may read',
    source:
      'Amazon EC2 User Guide, "Reference AMIs using Systems Manager parameters": resolve:ssm:parameter-name takes ssm:GetParameters and ssm:DescribeParameters',
    service: 'ec2',
    caller: {
      policies: [policy(ALLOW_LAUNCH, allow(['ssm:GetParameters', 'ssm:DescribeParameters'], '*'))],
    },
    does: launches({ ImageId: 'resolve:ssm:/cases/dev/config' }),
    expect: 'allowed',
    beyondMoto: true,
  },
  {
    name: 'an encrypted root volume can be launched where volumes must be encrypted',
    source: `${POLICIES}, EBS volumes: users can launch instances only if the EBS volumes are encrypted`,
    service: 'ec2',
    caller: { policies: [ENCRYPTED_VOLUMES] },
    does: launches({
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { Encrypted: true, VolumeSize: 8 } }],
    }),
    expect: 'allowed',
  },
  {
    name: 'an unencrypted root volume can not be launched where volumes must be encrypted',
    source: `${POLICIES}, EBS volumes: users can launch instances only if the EBS volumes are encrypted`,
    service: 'ec2',
    caller: { policies: [ENCRYPTED_VOLUMES] },
    does: launches(),
    expect: 'denied',
    says: /volume\/\*/,
  },
  {
    name: 'an encrypted volume beside an unencrypted root volume is not enough',
    source: `${POLICIES}, EBS volumes: the root volume is encrypted by its AMI's snapshots, and any additional volume must also be encrypted`,
    service: 'ec2',
    caller: { policies: [ENCRYPTED_VOLUMES] },
    does: launches({
      BlockDeviceMappings: [{ DeviceName: '/dev/sdb', Ebs: { Encrypted: true, VolumeSize: 8 } }],
    }),
    expect: 'denied',
    says: /volume\/\*/,
  },
  {
    name: 'a small encrypted volume can be made where others can not',
    source: `${POLICIES}, Create a volume: only if it is encrypted and smaller than 20 GiB`,
    service: 'ec2',
    caller: { policies: [SMALL_ENCRYPTED_VOLUME] },
    does: createsVolume({ Size: 19, Encrypted: true }),
    expect: 'allowed',
  },
  {
    name: 'a volume of 20 GiB is not smaller than 20 GiB',
    source: `${POLICIES}, Create a volume: NumericLessThan on ec2:VolumeSize`,
    service: 'ec2',
    caller: { policies: [SMALL_ENCRYPTED_VOLUME] },
    does: createsVolume({ Size: 20, Encrypted: true }),
    expect: 'denied',
  },
  {
    name: 'a volume that the request does not encrypt is not encrypted',
    source: `${POLICIES}, Create a volume: Bool on ec2:Encrypted`,
    service: 'ec2',
    caller: { policies: [SMALL_ENCRYPTED_VOLUME] },
    does: createsVolume({ Size: 19 }),
    expect: 'denied',
  },
  {
    name: 'a snapshot has no account in its ARN',
    source: `${POLICIES}, Create a snapshot: CreateSnapshot on arn:aws:ec2:us-east-1::snapshot/* and on the volume`,
    service: 'ec2',
    caller: {
      policies: [policy(allow('ec2:CreateSnapshot', [`arn:aws:ec2:${REGION}::snapshot/*`, LAUNCHED.volume]))],
    },
    ...about(
      (world) => newVolume(world, { purpose: 'test' }),
      ({ options }, id) => new EC2Client(options).send(new CreateSnapshotCommand({ VolumeId: id })),
    ),
    expect: 'allowed',
  },
  {
    name: 'a snapshot takes leave for the volume',
    source: `${POLICIES}, Create a snapshot: CreateSnapshot on arn:aws:ec2:us-east-1::snapshot/* and on the volume`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:CreateSnapshot', `arn:aws:ec2:${REGION}::snapshot/*`))] },
    ...about(
      (world) => newVolume(world, { purpose: 'test' }),
      ({ options }, id) => new EC2Client(options).send(new CreateSnapshotCommand({ VolumeId: id })),
    ),
    expect: 'denied',
    says: /volume\/vol-/,
  },
  {
    name: 'a type of volume can be denied',
    source:
      'Service Authorization Reference, "Amazon EC2": ec2:VolumeType filters access to CreateVolume by the type of the volume',
    service: 'ec2',
    caller: {
      policies: [
        policy(
          allow('ec2:CreateVolume', LAUNCHED.volume),
          deny('ec2:CreateVolume', LAUNCHED.volume, { StringNotEquals: { 'ec2:VolumeType': 'gp3' } }),
        ),
      ],
    },
    does: createsVolume({ Size: 8, VolumeType: 'io1', Iops: 100 }),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'a launch that does not require IMDSv2 can be denied',
    source: `${POLICIES}, Require the use of IMDSv2: without it, RunInstances gets an UnauthorizedOperation error`,
    service: 'ec2',
    caller: { policies: [IMDS_V2] },
    does: launches(),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'a launch that requires IMDSv2 is let through',
    source: `${POLICIES}, Require the use of IMDSv2: indicated by ec2:MetadataHttpTokens required`,
    service: 'ec2',
    caller: { policies: [IMDS_V2] },
    does: launches({ MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled' } }),
    expect: 'allowed',
  },
  {
    name: 'a hop limit can be held down',
    source: `${POLICIES}, Specify maximum hop limit: it can't be more than 3`,
    service: 'ec2',
    caller: {
      policies: [
        policy(
          ALLOW_LAUNCH,
          deny('ec2:RunInstances', 'arn:aws:ec2:*:*:instance/*', {
            NumericGreaterThan: { 'ec2:MetadataHttpPutResponseHopLimit': '3' },
          }),
        ),
      ],
    },
    does: launches({ MetadataOptions: { HttpPutResponseHopLimit: 4 } }),
    expect: 'denied',
  },
  {
    name: 'an instance can not be opted out of IMDSv2',
    source: `${POLICIES}, Deny opt-out of IMDSv2: ec2:Attribute is HttpTokens, and ec2:Attribute/HttpTokens is not required`,
    service: 'ec2',
    caller: { policies: [NO_OPT_OUT_OF_IMDS_V2] },
    ...about(instanceWith(), ({ options }, id) =>
      new EC2Client(options).send(
        new ModifyInstanceMetadataOptionsCommand({ InstanceId: id, HttpTokens: 'optional' }),
      ),
    ),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'an instance can be opted in to IMDSv2',
    source: `${POLICIES}, Deny opt-out of IMDSv2: the HttpTokens attribute must be set to required`,
    service: 'ec2',
    caller: { policies: [NO_OPT_OUT_OF_IMDS_V2] },
    ...about(instanceWith(), ({ options }, id) =>
      new EC2Client(options).send(
        new ModifyInstanceMetadataOptionsCommand({ InstanceId: id, HttpTokens: 'required' }),
      ),
    ),
    expect: 'allowed',
  },
  {
    name: 'a launch without tags needs no leave to tag',
    source: `${AT_CREATION}: CreateTags is only evaluated if tags are applied during the resource-creating action`,
    service: 'ec2',
    caller: { policies: [policy(ALLOW_LAUNCH)] },
    does: launches(),
    expect: 'allowed',
  },
  {
    name: 'a launch with tags needs leave to tag',
    source: `${AT_CREATION}: with tags the request fails if the user does not have permission to use CreateTags`,
    service: 'ec2',
    caller: { policies: [policy(ALLOW_LAUNCH)] },
    does: launches({ TagSpecifications: [tagged('instance', { purpose: 'test' })] }),
    expect: 'denied',
    says: /ec2:CreateTags on resource: \S*instance\/\*/,
  },
  {
    name: 'leave to tag at the launch is enough for tags at the launch',
    source: `${POLICIES}, Tag instances on creation: ec2:CreateAction allows tags in the context of RunInstances`,
    service: 'ec2',
    caller: { policies: [TAGS_INSTANCES_AT_LAUNCH] },
    does: launches({ TagSpecifications: [tagged('instance', { purpose: 'test' })] }),
    expect: 'allowed',
  },
  {
    name: 'leave to tag instances at the launch is none to tag volumes',
    source: `${POLICIES}, Tag instances on creation: users cannot tag volumes using the RunInstances request`,
    service: 'ec2',
    caller: { policies: [TAGS_INSTANCES_AT_LAUNCH] },
    does: launches({ TagSpecifications: [tagged('volume', { purpose: 'test' })] }),
    expect: 'denied',
    says: /ec2:CreateTags on resource: \S*volume\/\*/,
  },
  {
    name: 'leave to tag at the launch is none to tag what there is',
    source: `${POLICIES}, Tag instances on creation: users cannot tag existing resources`,
    service: 'ec2',
    caller: { policies: [TAGS_INSTANCES_AT_LAUNCH] },
    ...about(instanceWith(), ({ options }, id) =>
      new EC2Client(options).send(
        new CreateTagsCommand({ Resources: [id], Tags: list({ purpose: 'test' }) }),
      ),
    ),
    expect: 'denied',
  },
  {
    name: 'tags that instances and volumes must have are given to both',
    source: `${POLICIES}, Tag instances and volumes on creation with specific tags`,
    service: 'ec2',
    caller: { policies: [PRODUCTION_WEBSERVERS] },
    does: launches({ TagSpecifications: [tagged('instance', BOTH_TAGS), tagged('volume', BOTH_TAGS)] }),
    expect: 'allowed',
  },
  {
    name: 'tags of the instance are none of the volume',
    source: `${POLICIES}, Tag instances and volumes on creation with specific tags: any instances and volumes must be tagged`,
    service: 'ec2',
    caller: { policies: [PRODUCTION_WEBSERVERS] },
    does: launches({ TagSpecifications: [tagged('instance', BOTH_TAGS)] }),
    expect: 'denied',
    says: /ec2:RunInstances on resource: \S*volume\/\*/,
  },
  {
    name: 'a launch without a tag has none of the keys that must be there',
    source: `${POLICIES}, Tag instances and volumes on creation with at least one specific tag: ForAnyValue on aws:TagKeys`,
    service: 'ec2',
    caller: { policies: [SOME_TAG_AT_LAUNCH] },
    does: launches(),
    expect: 'denied',
  },
  {
    name: 'a launch with one of the keys that must be there may have any value',
    source: `${POLICIES}, Tag instances and volumes on creation with at least one specific tag: any tag values can be specified`,
    service: 'ec2',
    caller: { policies: [SOME_TAG_AT_LAUNCH] },
    does: launches({
      TagSpecifications: [
        tagged('instance', { webserver: 'any', more: 'tags' }),
        tagged('volume', { environment: 'any' }),
      ],
    }),
    expect: 'allowed',
  },
  {
    name: 'where tags are free but held to one key, a launch without tags is let through',
    source: `${POLICIES}, If instances are tagged on creation, they must be tagged with a specific tag: users do not have to specify tags`,
    service: 'ec2',
    caller: { policies: [PURPOSE_TEST_OR_NO_TAGS] },
    does: launches(),
    expect: 'allowed',
  },
  {
    name: 'where tags are held to one key, a second one is denied',
    source: `${POLICIES}, If instances are tagged on creation, they must be tagged with a specific tag: no other tags are allowed`,
    service: 'ec2',
    caller: { policies: [PURPOSE_TEST_OR_NO_TAGS] },
    does: launches({ TagSpecifications: [tagged('instance', { purpose: 'test', more: 'tags' })] }),
    expect: 'denied',
  },
  {
    name: 'things of the owner can be tagged by him',
    source: `${POLICIES}, Tag resources: users may tag what has a tag owner with their user name, with additional tags`,
    service: 'ec2',
    caller: { policies: [TAGS_ONES_OWN] },
    ...about(
      (world, { name }) => newInstance(world, { owner: name }),
      ({ options }, id) =>
        new EC2Client(options).send(
          new CreateTagsCommand({
            Resources: [id],
            Tags: list({ 'anycompany:environment-type': 'test', more: 'tags' }),
          }),
        ),
    ),
    expect: 'allowed',
  },
  {
    name: "another owner's things can not be taken over by a tag in the request",
    source: `${POLICIES}, Tag resources: aws:ResourceTag/owner is a tag that the resource already has`,
    service: 'ec2',
    caller: { policies: [TAGS_ONES_OWN] },
    ...about(instanceWith({ owner: 'another' }), ({ options, name }, id) =>
      new EC2Client(options).send(
        new CreateTagsCommand({
          Resources: [id],
          Tags: list({ 'anycompany:environment-type': 'test', owner: name }),
        }),
      ),
    ),
    expect: 'denied',
  },
  {
    name: 'tags of the named keys can be deleted',
    source: `${POLICIES}, Tag resources: DeleteTags on a volume if the keys in the request are environment or cost-center`,
    service: 'ec2',
    caller: { policies: [DELETES_TWO_KEYS] },
    ...about(
      (world) => newVolume(world, { environment: 'test', owner: 'another' }),
      ({ options }, id) =>
        new EC2Client(options).send(
          new DeleteTagsCommand({ Resources: [id], Tags: [{ Key: 'environment' }] }),
        ),
    ),
    expect: 'allowed',
  },
  {
    name: 'tags of another key can not be deleted along with them',
    source: `${POLICIES}, Tag resources: ForAllValues, the tag key must match either of the specified keys`,
    service: 'ec2',
    caller: { policies: [DELETES_TWO_KEYS] },
    ...about(
      (world) => newVolume(world, { environment: 'test', owner: 'another' }),
      ({ options }, id) =>
        new EC2Client(options).send(
          new DeleteTagsCommand({ Resources: [id], Tags: [{ Key: 'environment' }, { Key: 'owner' }] }),
        ),
    ),
    expect: 'denied',
  },
  {
    name: 'an instance with the tag of the condition can be terminated',
    source: `${POLICIES}, Terminate only particular instances: where the instance has the tag purpose=test`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:TerminateInstances', LAUNCHED.instance, PURPOSE_TEST))] },
    ...about(instanceWith({ purpose: 'test' }), terminates),
    expect: 'allowed',
  },
  {
    name: "an instance with another value of the condition's tag can not be terminated",
    source: `${POLICIES}, Terminate only particular instances: where the instance has the tag purpose=test`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:TerminateInstances', LAUNCHED.instance, PURPOSE_TEST))] },
    ...about(instanceWith({ purpose: 'production' }), terminates),
    expect: 'denied',
  },
  {
    name: "an instance without the condition's tag can not be terminated",
    source: `${POLICIES}, Terminate only particular instances: where the instance has the tag purpose=test`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:TerminateInstances', LAUNCHED.instance, PURPOSE_TEST))] },
    ...about(instanceWith(), terminates),
    expect: 'denied',
  },
  {
    name: 'an instance can be protected by its tag',
    source: `${BY_TAGS}: terminating is allowed, but denied if the instance has the tag environment=production`,
    service: 'ec2',
    caller: {
      policies: [
        policy(
          allow('ec2:TerminateInstances', LAUNCHED.instance),
          deny('ec2:TerminateInstances', LAUNCHED.instance, {
            StringEquals: { 'aws:ResourceTag/environment': 'production' },
          }),
        ),
      ],
    },
    ...about(instanceWith({ environment: 'production' }), terminates),
    expect: 'denied',
    says: /with an explicit deny in an identity-based policy/,
  },
  {
    name: 'one instance of two that may not be stopped denies the request',
    source:
      'Amazon EC2 API Reference, "TerminateInstances": a request for several instances that fails for one of them terminates none; EC2 User Guide, "Policy structure": users must have permission for each of several resources',
    service: 'ec2',
    ...about(
      async (world, who) => {
        const [own, other] = [await newInstance(world), await newInstance(world)];
        await grant(world, who, allow('ec2:StopInstances', arn(`instance/${own}`)));
        return [own, other];
      },
      (who, ids) => stops(who, ...ids),
    ),
    expect: 'denied',
    says: /ec2:StopInstances on resource: \S*instance\/i-/,
  },
  {
    name: 'an instance can be stopped by its ARN',
    source: `${POLICIES}, Stop and start only particular instances: by their ARNs in the Resource element`,
    service: 'ec2',
    ...about(
      async (world, who) => {
        const own = await newInstance(world);
        await grant(world, who, allow('ec2:StopInstances', arn(`instance/${own}`)));
        return own;
      },
      (who, id) => stops(who, id),
    ),
    expect: 'allowed',
  },
  {
    name: 'a dry run of what is allowed says that it would have succeeded',
    source: `${STRUCTURE}, Check that users have the required permissions: DryRun returns DryRunOperation`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:StopInstances', LAUNCHED.instance))] },
    ...about(instanceWith(), stopsDry),
    expect: 'allowed',
  },
  {
    name: 'a dry run of what is not allowed is denied',
    source: `${STRUCTURE}, Check that users have the required permissions: otherwise, DryRun returns UnauthorizedOperation`,
    service: 'ec2',
    ...about(instanceWith(), stopsDry),
    expect: 'denied',
  },
  {
    name: 'a volume is attached with leave for both it and the instance',
    source: `${POLICIES}, Attach and detach volumes: by a tag of the volume with the user's name, and a tag of the instance`,
    service: 'ec2',
    caller: { policies: [ATTACHES_ONES_OWN] },
    ...about(
      async (world, { name }) => ({
        instance: await newInstance(world, { department: 'dev' }),
        volume: await newVolume(world, { volume_user: name }),
      }),
      ({ options }, { instance, volume }) =>
        new EC2Client(options).send(
          new AttachVolumeCommand({ InstanceId: instance, VolumeId: volume, Device: '/dev/sdh' }),
        ),
    ),
    expect: 'allowed',
  },
  {
    name: "another user's volume can not be attached to an instance that one may use",
    source: `${STRUCTURE}, ARNs: AttachVolume needs permission for the volume and the instance`,
    service: 'ec2',
    caller: { policies: [ATTACHES_ONES_OWN] },
    ...about(
      async (world) => ({
        instance: await newInstance(world, { department: 'dev' }),
        volume: await newVolume(world, { volume_user: 'another' }),
      }),
      ({ options }, { instance, volume }) =>
        new EC2Client(options).send(
          new AttachVolumeCommand({ InstanceId: instance, VolumeId: volume, Device: '/dev/sdh' }),
        ),
    ),
    expect: 'denied',
    says: /volume\/vol-/,
  },
  {
    name: 'Describe actions are allowed on all resources',
    source: `${POLICIES}, Read-only access: the * wildcard is necessary where the action does not support resource-level permissions`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:Describe*', '*'))] },
    does: describesInstances,
    expect: 'allowed',
  },
  {
    name: 'Describe actions are not allowed by an ARN',
    source: `${STRUCTURE}, Actions: the Describe actions do not support resource-level permissions`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:DescribeInstances', LAUNCHED.instance))] },
    does: describesInstances,
    expect: 'denied',
  },
  {
    name: 'Describe actions are not allowed by a tag',
    source: `${BY_TAGS}: Describe actions must be in a separate statement without conditions`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:DescribeInstances', '*', PURPOSE_TEST))] },
    ...about(instanceWith({ purpose: 'test' }), ({ options }, id) =>
      new EC2Client(options).send(new DescribeInstancesCommand({ InstanceIds: [id] })),
    ),
    expect: 'denied',
  },
  {
    name: 'a denial of other Regions denies a request in one',
    source: `${POLICIES}, Restrict access to a specific Region: ec2:Region is supported by all Amazon EC2 API actions`,
    service: 'ec2',
    caller: {
      policies: [
        policy(allow('ec2:*'), deny('ec2:*', '*', { StringNotEquals: { 'ec2:Region': 'eu-central-1' } })),
      ],
    },
    does: describesInstances,
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'a denial of other Regions lets a request in the named one through',
    source: `${POLICIES}, Restrict access to a specific Region: ec2:Region is supported by all Amazon EC2 API actions`,
    service: 'ec2',
    caller: {
      policies: [
        policy(allow('ec2:*'), deny('ec2:*', '*', { StringNotEquals: { 'ec2:Region': 'eu-central-1' } })),
      ],
    },
    does: ({ options }) =>
      new EC2Client({ ...options, region: 'eu-central-1' }).send(new DescribeInstancesCommand({})),
    expect: 'allowed',
  },
  {
    name: 'a rule can be added to the security groups of a VPC',
    source: `${VPC_POLICIES}, Manage security group rules: ec2:Vpc scopes permissions to a specific VPC`,
    service: 'ec2',
    ...about(async (world, who) => {
      const [subnet] = await defaultSubnets(world);
      await grant(
        world,
        who,
        allow('ec2:AuthorizeSecurityGroupIngress', LAUNCHED['security-group'], {
          ArnEquals: { 'ec2:Vpc': vpcArn(subnet) },
        }),
      );
      return newGroup(world, who.name);
    }, opensPort),
    expect: 'allowed',
  },
  {
    name: 'a rule can not be added to the security groups of another VPC',
    source: `${VPC_POLICIES}, Manage security group rules: ec2:Vpc scopes permissions to a specific VPC`,
    service: 'ec2',
    caller: {
      policies: [
        policy(
          allow('ec2:AuthorizeSecurityGroupIngress', LAUNCHED['security-group'], {
            ArnEquals: { 'ec2:Vpc': arn('vpc/vpc-11223344556677889') },
          }),
        ),
      ],
    },
    ...about((world, { name }) => newGroup(world, name), opensPort),
    expect: 'denied',
  },
  {
    name: 'ec2:ResourceTag is another name for the tags of a resource',
    source: `${VPC_POLICIES}, Manage security groups: any security group with the tag Stack=test can be deleted`,
    service: 'ec2',
    caller: { policies: [STACK_TEST_GROUPS] },
    ...about(
      (world, { name }) => newGroup(world, name, { Stack: 'test' }),
      ({ options }, id) => new EC2Client(options).send(new DeleteSecurityGroupCommand({ GroupId: id })),
    ),
    expect: 'allowed',
  },
  {
    name: 'ec2:ResourceTag does not match another value',
    source: `${VPC_POLICIES}, Manage security groups: rules can be managed for security groups with the tag Stack=test`,
    service: 'ec2',
    caller: { policies: [STACK_TEST_GROUPS] },
    ...about((world, { name }) => newGroup(world, name, { Stack: 'production' }), opensPort),
    expect: 'denied',
  },
  {
    name: 'a security group is made with the tag that it must have',
    source: `${VPC_POLICIES}, Manage security groups: leave for the group by its tag, for the tag, and for the VPC`,
    service: 'ec2',
    caller: { policies: [STACK_TEST_GROUPS] },
    does: createsGroup({ Stack: 'test' }),
    expect: 'allowed',
  },
  {
    name: 'a security group is not made without the tag that it must have',
    source: `${VPC_POLICIES}, Manage security groups: requires a tag on any security group that is created`,
    service: 'ec2',
    caller: { policies: [STACK_TEST_GROUPS] },
    does: createsGroup({}),
    expect: 'denied',
    says: /ec2:CreateSecurityGroup on resource: \S*security-group\/\*/,
  },
  {
    name: 'a security group takes leave for its VPC',
    source: `${VPC_POLICIES}, Manage security groups: the fifth statement allows creating a security group in a VPC`,
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:CreateSecurityGroup', LAUNCHED['security-group']))] },
    does: createsGroup({}),
    expect: 'denied',
    says: /ec2:CreateSecurityGroup on resource: \S*vpc\/vpc-/,
  },
  {
    name: 'a subnet is made with leave for it and its VPC',
    source: 'Service Authorization Reference, "Amazon EC2": CreateSubnet requires the subnet and the vpc',
    service: 'ec2',
    ...about(
      async (world, who) => {
        const vpc = await newVpc(world);
        await grant(world, who, allow('ec2:CreateSubnet', [LAUNCHED.subnet, arn(`vpc/${vpc}`)]));
        return vpc;
      },
      ({ options }, vpc) =>
        new EC2Client(options).send(new CreateSubnetCommand({ VpcId: vpc, CidrBlock: '10.0.1.0/24' })),
    ),
    expect: 'allowed',
  },
  {
    name: 'a subnet is not made in a VPC that one has no leave for',
    source: 'Service Authorization Reference, "Amazon EC2": CreateSubnet requires the subnet and the vpc',
    service: 'ec2',
    caller: { policies: [policy(allow('ec2:CreateSubnet', LAUNCHED.subnet))] },
    ...about(newVpc, ({ options }, vpc) =>
      new EC2Client(options).send(new CreateSubnetCommand({ VpcId: vpc, CidrBlock: '10.0.1.0/24' })),
    ),
    expect: 'denied',
    says: /vpc\/vpc-/,
  },
  {
    name: 'an instance profile needs leave to pass its role',
    source: `${POLICIES}, Work with IAM roles: users must have permission to use iam:PassRole to pass the role to the instance`,
    service: 'iam',
    caller: { policies: [policy(ALLOW_LAUNCH)] },
    ...about(newProfile, ({ options }, profile, world) =>
      run(new EC2Client(options), world, { IamInstanceProfile: { Name: profile } }),
    ),
    expect: 'denied',
    says: /iam:PassRole on resource: \S*role\/\S+-role/,
  },
  {
    name: 'the role is passed, and not the profile',
    source: `${POLICIES}, Work with IAM roles: iam:PassRole has the name of the IAM role and not of the instance profile`,
    service: 'iam',
    caller: {
      policies: [
        policy(ALLOW_LAUNCH, allow('iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/\${aws:username}-role`)),
      ],
    },
    ...about(newProfile, ({ options }, profile, world) =>
      run(new EC2Client(options), world, { IamInstanceProfile: { Name: profile } }),
    ),
    expect: 'allowed',
  },
  {
    name: 'a launch without a launch template is denied where there must be one',
    source: `${POLICIES}, Launch templates: users can launch instances, but only if they use a specific launch template`,
    service: 'ec2',
    caller: {
      policies: [
        policy(allow('ec2:RunInstances', '*', { ArnLike: { 'ec2:LaunchTemplate': LAUNCH_TEMPLATES } })),
      ],
    },
    does: launches(),
    expect: 'denied',
  },
  {
    name: 'what a launch template says can be overridden',
    source: `${POLICIES}, Launch templates: users can override any parameters in the launch template in the RunInstances action`,
    service: 'ec2',
    caller: {
      policies: [
        policy(allow('ec2:RunInstances', '*', { ArnLike: { 'ec2:LaunchTemplate': LAUNCH_TEMPLATES } })),
      ],
    },
    ...about(ownTemplate, (who, template) => fromTemplate(who, template, { InstanceType: 't3.small' })),
    expect: 'allowed',
  },
  {
    name: 'a launch by nothing but its template overrides nothing',
    source: `${POLICIES}, Launch templates: ec2:IsLaunchTemplateResource prevents users from overriding any pre-existing ARNs in the launch template`,
    service: 'ec2',
    caller: { policies: [policy(NOTHING_OVERRIDDEN)] },
    ...about(ownTemplate, (who, template) => fromTemplate(who, template)),
    expect: 'allowed',
  },
  {
    name: "another image than the launch template's is denied where nothing may be overridden",
    source: `${POLICIES}, Launch templates: ec2:IsLaunchTemplateResource prevents users from overriding any pre-existing ARNs in the launch template`,
    service: 'ec2',
    caller: { policies: [policy(NOTHING_OVERRIDDEN)] },
    ...about(ownTemplate, async (who, template, world) =>
      fromTemplate(who, template, { ImageId: await image(world) }),
    ),
    expect: 'denied',
  },
  {
    name: "an image can be overridden where the subnet must be the launch template's",
    source: `${POLICIES}, Launch templates: all other resources are allowed except subnets and network interfaces, which are allowed only if sourced from the launch template`,
    service: 'ec2',
    caller: { policies: [SUBNET_OF_TEMPLATE] },
    ...about(
      async (world, who) => newTemplate(world, who, (await defaultSubnets(world))[0]),
      async (who, template, world) => fromTemplate(who, template, { ImageId: await image(world) }),
    ),
    expect: 'allowed',
  },
  {
    name: "a subnet in the request is denied where it must be the launch template's",
    source: `${POLICIES}, Launch templates: the subnet and network interface parameters can only be specified in the launch template`,
    service: 'ec2',
    caller: { policies: [SUBNET_OF_TEMPLATE] },
    ...about(ownTemplate, async (who, template, world) =>
      fromTemplate(who, template, { SubnetId: (await defaultSubnets(world))[0].SubnetId }),
    ),
    expect: 'denied',
  },
  {
    name: 'the message of a refusal is decoded for those who may',
    source: `${STRUCTURE}, Check that users have the required permissions: an encoded message with diagnostic information, decoded by DecodeAuthorizationMessage`,
    service: 'sts',
    caller: { policies: [policy(allow('sts:DecodeAuthorizationMessage'))] },
    does: decodesRefusal,
    expect: 'allowed',
  },
  {
    name: 'the message of a refusal is not decoded for everyone',
    source:
      'AWS STS API Reference, "DecodeAuthorizationMessage": the message is encoded because it can be privileged information; decoding takes permission for sts:DecodeAuthorizationMessage',
    service: 'sts',
    does: decodesRefusal,
    expect: 'denied',
    says: /sts:DecodeAuthorizationMessage/,
  },
];
