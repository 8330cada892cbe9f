import { DockerHost, dockerHostProblems, type DockerHostProps } from '../src/docker-host';
import { dockerHostUserData } from '../src/docker-host-user-data';
import { Network } from '../src/network';
import { sessionManagerStatements } from '../src/policies/session-manager';
import { boundary, place, policy, synthesized } from './synthesized';

const existing = { vpcId: 'vpc-0123456789abcdef0', subnetId: 'subnet-0123456789abcdef0' };
const web = { name: 'web', image: 'nginx:1.29', ports: ['80:80'] };

const host = (props: Partial<DockerHostProps> = {}) =>
  synthesized((stack) => {
    const network = new Network(stack, 'network', { existing });
    new DockerHost(stack, 'host', {
      name: 'kantox-docker-dev',
      place,
      network,
      boundary: boundary(stack),
      ...props,
    });
  });
const instance = (props: Partial<DockerHostProps> = {}) => host(props).the('aws_instance');
const ingress = (props: Partial<DockerHostProps> = {}) =>
  host(props)
    .all('aws_vpc_security_group_ingress_rule')
    .map(
      (rule) =>
        `${String(rule.cidr_ipv4 ?? rule.cidr_ipv6)} ${String(rule.from_port)}-${String(rule.to_port)}`,
    )
    .sort();

describe('the network', () => {
  test('anyone reaches 80, 443 and 8000-8100, and nobody SSH', () => {
    expect(ingress()).toEqual(['0.0.0.0/0 443-443', '0.0.0.0/0 80-80', '0.0.0.0/0 8000-8100']);
  });

  test('SSH is open to the ranges that are given, of IPv4 and IPv6', () => {
    expect(ingress({ webCidrs: [], sshCidrs: ['203.0.113.0/24', '2001:db8::/32'] })).toEqual([
      '2001:db8::/32 22-22',
      '203.0.113.0/24 22-22',
    ]);
  });

  test('SSH open to anyone is refused', () => {
    expect(() => host({ sshCidrs: ['0.0.0.0/0'] })).toThrow(
      /^The Docker host kantox-docker-dev can't be built:\n {2}sshCidrs\[0\] is "0.0.0.0\/0"; expected a range of your own/,
    );
  });

  test('the host reaches everything', () => {
    expect(host().the('aws_vpc_security_group_egress_rule')).toMatchObject({
      ip_protocol: '-1',
      cidr_ipv4: '0.0.0.0/0',
    });
  });

  test('it stands in the subnet that is given, behind its own security group', () => {
    const stack = host();
    expect(stack.the('aws_security_group').vpc_id).toBe(existing.vpcId);
    expect(stack.the('aws_instance')).toMatchObject({
      subnet_id: existing.subnetId,
      vpc_security_group_ids: [stack.reference('aws_security_group', 'id')],
    });
  });
});

describe('the instance', () => {
  test('is a t3.medium with 30 GiB of encrypted gp3', () => {
    expect(instance()).toMatchObject({
      instance_type: 't3.medium',
      root_block_device: {
        encrypted: true,
        volume_type: 'gp3',
        volume_size: 30,
        delete_on_termination: true,
      },
    });
    expect(instance({ instanceType: 'm7i.large', volumeSizeGib: 100 })).toMatchObject({
      instance_type: 'm7i.large',
      root_block_device: { encrypted: true, volume_type: 'gp3', volume_size: 100 },
    });
  });

  test("gives its credentials to processes of the host, not to its containers' (IMDSv2, one hop)", () => {
    expect(instance().metadata_options).toEqual({
      http_endpoint: 'enabled',
      http_tokens: 'required',
      http_put_response_hop_limit: 1,
    });
  });

  test('has no key pair: who may in comes by Session Manager', () => {
    expect(instance()).not.toHaveProperty('key_name');
    const stack = host();
    expect(policy(stack.the('aws_iam_role_policy')).Statement).toEqual(sessionManagerStatements());
    expect(stack.the('aws_iam_role')).toMatchObject({
      name: 'kantox-docker-dev',
      permissions_boundary: 'arn:aws:iam::111122223333:policy/boundary',
    });
    expect(policy(stack.the('aws_iam_role'), 'assume_role_policy').Statement).toMatchObject([
      { Principal: { Service: 'ec2.amazonaws.com' } },
    ]);
    expect(stack.the('aws_instance').iam_instance_profile).toBe(
      stack.reference('aws_iam_instance_profile', 'name'),
    );
  });

  test("can be terminated, unless it's protected", () => {
    expect(instance().disable_api_termination).toBe(false);
    expect(instance({ terminationProtection: true }).disable_api_termination).toBe(true);
  });

  test('does what it was given in the user data, and is replaced when that changes', () => {
    const script = 'echo hello';
    expect(instance({ containers: [web], script })).toMatchObject({
      // Terraform reads $${ as ${: see literal-strings.test.ts.
      user_data: dockerHostUserData({ containers: [web], script }).replaceAll(/[$%](?=\{)/g, '$&$&'),
      user_data_replace_on_change: true,
    });
  });
});

describe('the image', () => {
  test.each([
    ['t3.medium', 'x86_64'],
    ['c7i-flex.large', 'x86_64'],
    ['g6.xlarge', 'x86_64'],
    ['t4g.small', 'arm64'],
    ['c7gn.large', 'arm64'],
    ['im4gn.large', 'arm64'],
  ])(
    'of a new %s is the latest Amazon Linux 2023 for %s, and a later one does not replace the host',
    (instanceType, architecture) => {
      const stack = host({ instanceType });
      const latest = stack.data('aws_ssm_parameter');
      expect(latest.name).toBe(
        `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}`,
      );
      expect(stack.the('aws_instance')).toMatchObject({
        ami: expect.stringMatching(/^\$\{data\.aws_ssm_parameter\.\S+\.insecure_value\}$/) as string,
        lifecycle: { ignore_changes: ['ami'] },
      });
    },
  );

  test('can be one that is given, and another one then replaces the host', () => {
    const stack = host({ ami: 'ami-0123456789abcdef0' });
    expect(stack.the('aws_instance').ami).toBe('ami-0123456789abcdef0');
    expect(stack.the('aws_instance')).not.toHaveProperty('lifecycle');
    expect(stack.configuration.data).toBeUndefined();
  });
});

test('the name and the tags are on the instance, on its volume and on all that belongs to it', () => {
  const tags = { ManagedBy: 'slipway', JobId: '17' };
  const stack = host({ tags, sshCidrs: ['203.0.113.0/24'] });
  const expected = { ...tags, Name: 'kantox-docker-dev' };
  expect(stack.the('aws_instance').root_block_device).toMatchObject({ tags: expected });
  for (const type of [
    'instance',
    'security_group',
    'vpc_security_group_egress_rule',
    'iam_role',
    'iam_instance_profile',
  ]) {
    expect(stack.the(`aws_${type}`).tags).toEqual(expected);
  }
  for (const rule of stack.all('aws_vpc_security_group_ingress_rule')) expect(rule.tags).toEqual(expected);
});

test('says every problem of its settings at once, each by its path', () => {
  const settings = { sshCidrs: ['::/0'], containers: [{ ...web, image: 'NGINX' }] };
  expect(dockerHostProblems(settings, 'dockerHosts[2].').map(({ path }) => path)).toEqual([
    'dockerHosts[2].sshCidrs[0]',
    'dockerHosts[2].containers[0].image',
  ]);
  expect(dockerHostProblems({ script: 'x'.repeat(20_000) }, 'dockerHosts[2].')).toEqual([
    expect.objectContaining({
      path: 'dockerHosts[2].script',
      expected: expect.stringContaining('EC2 takes at most 16,384') as string,
    }),
  ]);
  expect(dockerHostProblems({ containers: [web] })).toEqual([]);
});
