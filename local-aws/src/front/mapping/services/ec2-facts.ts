import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  type Image,
  type Instance,
  type Subnet,
  type Volume,
} from '@aws-sdk/client-ec2';
import type { Place } from '../../authorization/moto-clients';
import { orNothing } from '../../authorization/moto-clients';
import type { World } from '../../authorization/world';

/** Tags of anything in EC2, by the id at the end of its ARN. */
export async function ec2Tags(
  world: World,
  place: Place,
  resource: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  const id = resource.split('/').at(-1) ?? '';
  if (id === '' || id === '*') return undefined;
  return world.read('ec2', place, `tags of ${id}`, async () => {
    const command = new DescribeTagsCommand({ Filters: [{ Name: 'resource-id', Values: [id] }] });
    const answer = await orNothing(world.client('ec2', place).send(command));
    return Object.fromEntries(
      (answer?.Tags ?? []).map(({ Key: key = '', Value: value = '' }) => [key, value]),
    );
  });
}

export function instance(world: World, place: Place, id: string): Promise<Instance | undefined> {
  return world.read('ec2', place, `instance ${id}`, async () => {
    const answer = await orNothing(
      world.client('ec2', place).send(new DescribeInstancesCommand({ InstanceIds: [id] })),
    );
    return answer?.Reservations?.[0]?.Instances?.[0];
  });
}

export function subnet(world: World, place: Place, id: string): Promise<Subnet | undefined> {
  return world.read('ec2', place, `subnet ${id}`, async () => {
    const answer = await orNothing(
      world.client('ec2', place).send(new DescribeSubnetsCommand({ SubnetIds: [id] })),
    );
    return answer?.Subnets?.[0];
  });
}

/** The subnet that an instance goes to when the request names none. */
export function defaultSubnet(world: World, place: Place): Promise<Subnet | undefined> {
  return world.read('ec2', place, 'default subnet', async () => {
    const command = new DescribeSubnetsCommand({ Filters: [{ Name: 'default-for-az', Values: ['true'] }] });
    return (await orNothing(world.client('ec2', place).send(command)))?.Subnets?.[0];
  });
}

export function defaultSecurityGroup(world: World, place: Place, vpcId: string): Promise<string | undefined> {
  return world.read('ec2', place, `default group of ${vpcId}`, async () => {
    const command = new DescribeSecurityGroupsCommand({
      Filters: [
        { Name: 'vpc-id', Values: [vpcId] },
        { Name: 'group-name', Values: ['default'] },
      ],
    });
    return (await orNothing(world.client('ec2', place).send(command)))?.SecurityGroups?.[0]?.GroupId;
  });
}

/** Ids of security groups in a VPC, by their names. */
export async function groupsNamed(
  world: World,
  place: Place,
  vpcId: string,
  names: readonly string[],
): Promise<string[]> {
  if (names.length === 0) return [];
  return world.read('ec2', place, `groups ${names.join()} of ${vpcId}`, async () => {
    const command = new DescribeSecurityGroupsCommand({
      Filters: [
        { Name: 'vpc-id', Values: [vpcId] },
        { Name: 'group-name', Values: [...names] },
      ],
    });
    const answer = await orNothing(world.client('ec2', place).send(command));
    return (answer?.SecurityGroups ?? []).map(({ GroupId: id = '' }) => id);
  });
}

/** The VPC that a security group is in. */
export function vpcOfGroup(world: World, place: Place, id: string): Promise<string | undefined> {
  return world.read('ec2', place, `vpc of ${id}`, async () => {
    const answer = await orNothing(
      world.client('ec2', place).send(new DescribeSecurityGroupsCommand({ GroupIds: [id] })),
    );
    return answer?.SecurityGroups?.[0]?.VpcId;
  });
}

export function volume(world: World, place: Place, id: string): Promise<Volume | undefined> {
  return world.read('ec2', place, `volume ${id}`, async () => {
    const answer = await orNothing(
      world.client('ec2', place).send(new DescribeVolumesCommand({ VolumeIds: [id] })),
    );
    return answer?.Volumes?.[0];
  });
}

export function image(world: World, place: Place, id: string): Promise<Image | undefined> {
  return world.read('ec2', place, `image ${id}`, async () => {
    const answer = await orNothing(
      world.client('ec2', place).send(new DescribeImagesCommand({ ImageIds: [id] })),
    );
    return answer?.Images?.[0];
  });
}
