import { TerraformOutput } from 'cdktf';
import { Network } from '../src/network';
import { synthesized } from './synthesized';

const existing = { vpcId: 'vpc-0123456789abcdef0', subnetId: 'subnet-0123456789abcdef0' };

test('one that exists is used, and nothing is made', () => {
  let network: Network | undefined;
  const stack = synthesized((stack) => (network = new Network(stack, 'network', { existing })));
  expect(stack.addresses()).toEqual([]);
  expect(network).toMatchObject(existing);
});

describe('a new one', () => {
  const props = { name: 'kantox-dev', newWithCidr: '10.20.0.0/24', tags: { Team: 'platform' } };
  const stack = synthesized((stack) => new Network(stack, 'network', props));

  test('has one subnet that takes all of its range, and gives hosts a public address', () => {
    expect(stack.the('aws_vpc').cidr_block).toBe('10.20.0.0/24');
    expect(stack.the('aws_subnet')).toMatchObject({
      vpc_id: stack.reference('aws_vpc', 'id'),
      cidr_block: '10.20.0.0/24',
      map_public_ip_on_launch: true,
    });
  });

  test('reaches the internet', () => {
    expect(stack.the('aws_route')).toMatchObject({
      route_table_id: stack.reference('aws_route_table', 'id'),
      destination_cidr_block: '0.0.0.0/0',
      gateway_id: stack.reference('aws_internet_gateway', 'id'),
    });
    expect(stack.the('aws_route_table_association')).toMatchObject({
      subnet_id: stack.reference('aws_subnet', 'id'),
      route_table_id: stack.reference('aws_route_table', 'id'),
    });
  });

  test('resolves names, as Session Manager needs it', () => {
    expect(stack.the('aws_vpc')).toMatchObject({ enable_dns_support: true, enable_dns_hostnames: true });
  });

  test('has a default security group that lets nothing through', () => {
    const group = stack.the('aws_default_security_group');
    expect(group.vpc_id).toBe(stack.reference('aws_vpc', 'id'));
    expect(group).not.toHaveProperty('ingress');
    expect(group).not.toHaveProperty('egress');
  });

  test.each([
    'aws_vpc',
    'aws_subnet',
    'aws_internet_gateway',
    'aws_route_table',
    'aws_default_security_group',
  ])('its %s has its name and its tags', (type) => {
    expect(stack.the(type).tags).toEqual({ Team: 'platform', Name: 'kantox-dev' });
  });

  test('is what hosts stand in', () => {
    const stack = synthesized((stack) => {
      const { vpcId, subnetId } = new Network(stack, 'network', props);
      new TerraformOutput(stack, 'place', { value: [vpcId, subnetId] });
    });
    expect(stack.configuration.output?.place?.value).toEqual([
      stack.reference('aws_vpc', 'id'),
      stack.reference('aws_subnet', 'id'),
    ]);
  });
});
