import { DataAwsSsmParameter } from '@cdktf/provider-aws/lib/data-aws-ssm-parameter';
import { IamInstanceProfile } from '@cdktf/provider-aws/lib/iam-instance-profile';
import { Instance } from '@cdktf/provider-aws/lib/instance';
import { SecurityGroup } from '@cdktf/provider-aws/lib/security-group';
import { VpcSecurityGroupEgressRule } from '@cdktf/provider-aws/lib/vpc-security-group-egress-rule';
import { VpcSecurityGroupIngressRule } from '@cdktf/provider-aws/lib/vpc-security-group-ingress-rule';
import { Construct } from 'constructs';
import { containerProblems, type Container } from './container';
import { ingressProblems, ingressRules, type Ingress } from './docker-host-ingress';
import { dockerHostUserData } from './docker-host-user-data';
import { literal } from './literal';
import type { Network } from './network';
import type { PermissionsBoundary } from './permissions-boundary';
import { dnsSuffix, type Place } from './place';
import { trustService } from './policies/role-chain';
import { sessionManagerStatements } from './policies/session-manager';
import { InvalidProps, type Problem } from './problem';
import { ServiceRole } from './service-role';

export interface DockerHostSettings extends Ingress {
  /** @default 't3.medium' */
  instanceType?: string;
  /** @default - the latest Amazon Linux 2023 when the host is first built; later images don't replace it */
  ami?: string;
  /** Root volume (gp3, encrypted), in GiB. @default 30 */
  volumeSizeGib?: number;
  /** Started by docker compose. @default - none */
  containers?: Container[];
  /** A script that runs as root once the containers are up. @default - none */
  script?: string;
}

export interface DockerHostProps extends DockerHostSettings {
  /** Of the instance; the role, instance profile and security group carry it, too. */
  name: string;
  place: Place;
  network: Network;
  boundary: PermissionsBoundary;
  /** Whether EC2 refuses to terminate the host, and Terraform to destroy or replace it. @default false */
  terminationProtection?: boolean;
  /** On the instance, its volume and all that belongs to it. */
  tags?: Record<string, string>;
}

/** Where AWS names its latest image (EC2 User Guide, "Reference the latest AMIs using Systems Manager public parameters"). */
const LATEST_AMAZON_LINUX = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-';

/**
 * An EC2 instance that runs containers: Docker and compose by user data, Session Manager in place of SSH keys, IMDSv2
 * out of the containers' reach, encrypted disk. Changed containers or script replace the host: user data runs once.
 *
 * @throws with every problem at once, when the settings are wrong (see dockerHostProblems)
 */
export class DockerHost extends Construct {
  readonly instanceId: string;
  readonly publicIp: string;
  readonly privateIp: string;
  readonly securityGroupId: string;

  constructor(scope: Construct, id: string, props: DockerHostProps) {
    super(scope, id);
    const problems = dockerHostProblems(props);
    if (problems.length > 0) {
      const lines = problems.map(
        ({ path, value, expected }) => `${path} is ${JSON.stringify(value)}; expected ${expected}`,
      );
      throw new InvalidProps([`The Docker host ${props.name} can't be built:`, ...lines].join('\n  '));
    }
    const userData = literal(
      dockerHostUserData({
        containers: props.containers ?? [],
        ...(props.script && { script: props.script }),
      }),
    );
    const { name, place, network, boundary, ami, instanceType = 't3.medium', ...host } = literal(props);
    const tags = { ...host.tags, Name: name };

    const group = new SecurityGroup(this, 'group', {
      name,
      description: `Docker host ${name}: web ports, and SSH where it is allowed`,
      vpcId: network.vpcId,
      tags,
    });
    for (const { id: ruleId, cidr, fromPort, toPort } of ingressRules(host)) {
      new VpcSecurityGroupIngressRule(this, `in-${ruleId}`, {
        securityGroupId: group.id,
        ipProtocol: 'tcp',
        fromPort,
        toPort,
        ...range(cidr),
        tags,
      });
    }
    const outbound = new VpcSecurityGroupEgressRule(this, 'out', {
      securityGroupId: group.id,
      ipProtocol: '-1',
      ...range('0.0.0.0/0'),
      tags,
    });

    // A construct of ours makes the caller's values literal by itself; twice would be once too often.
    const role = new ServiceRole(this, 'role', {
      name: props.name,
      description: `Docker host ${props.name}: Session Manager, and nothing else`,
      place: props.place,
      trust: trustService(`ec2.${dnsSuffix(place)}`),
      statements: sessionManagerStatements(),
      boundary,
      tags: { ...props.tags, Name: props.name },
    });
    const profile = new IamInstanceProfile(this, 'profile', { name, role: role.name, tags });

    const instance = new Instance(this, 'instance', {
      ami:
        ami ??
        new DataAwsSsmParameter(this, 'latest-ami', {
          name: LATEST_AMAZON_LINUX + architecture(instanceType),
        }).insecureValue,
      instanceType,
      subnetId: network.subnetId,
      vpcSecurityGroupIds: [group.id],
      iamInstanceProfile: profile.name,
      ...(network.publicAddress !== undefined && { associatePublicIpAddress: network.publicAddress }),
      // Standard now; the types from before it refuse the argument.
      ebsOptimized: !/^t[12]\./.test(instanceType),
      disableApiTermination: host.terminationProtection ?? false,
      metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
      rootBlockDevice: {
        encrypted: true,
        volumeType: 'gp3',
        volumeSize: host.volumeSizeGib ?? 30,
        deleteOnTermination: true,
        tags,
      },
      userData,
      userDataReplaceOnChange: true,
      ...((ami === undefined || host.terminationProtection) && {
        lifecycle: {
          // A newer image of Amazon must not replace a running host at the next deploy.
          ...(ami === undefined && { ignoreChanges: ['ami'] }),
          // The provider lifts EC2's protection by itself before it replaces a host.
          ...(host.terminationProtection && { preventDestroy: true }),
        },
      }),
      // The first boot fetches packages and images.
      dependsOn: [...network.waysOut, outbound],
      tags,
    });
    this.instanceId = instance.id;
    this.publicIp = instance.publicIp;
    this.privateIp = instance.privateIp;
    this.securityGroupId = group.id;
  }
}

/**
 * What is wrong with a host's settings, all at once.
 *
 * @param path put before each problem's path, such as `dockerHosts[0].`
 */
export function dockerHostProblems(settings: DockerHostSettings, path = ''): Problem[] {
  const { containers = [], script } = settings;
  const problems = [
    ...ingressProblems(settings, path),
    ...containerProblems(containers, `${path}containers`),
  ];
  if (problems.length > 0) return problems;
  try {
    dockerHostUserData({ containers, ...(script && { script }) });
    return [];
  } catch (error) {
    return [{ path: `${path}script`, value: script, expected: (error as Error).message }];
  }
}

/** AWS's own processors carry a g behind the generation: t4g, m7g, c7gn. */
function architecture(instanceType: string): 'arm64' | 'x86_64' {
  return /^(a1\.|[a-z]+\d+g)/.test(instanceType) ? 'arm64' : 'x86_64';
}

function range(cidr: string): { cidrIpv4: string } | { cidrIpv6: string } {
  return cidr.includes(':') ? { cidrIpv6: cidr } : { cidrIpv4: cidr };
}
