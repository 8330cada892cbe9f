import type { Check } from './check';
import { argumentIs, argumentIsSet } from './looks';
import { list, referred, shown, valueAt, type Resource } from './resource';
import { secretsIn } from './secret-texts';
import { openRules, reaches } from './security-group';

const INSTANCE = ['aws_instance'];
const TEMPLATES = ['aws_launch_template', 'aws_launch_configuration'];
const INGRESS = ['aws_security_group', 'aws_security_group_rule', 'aws_vpc_security_group_ingress_rule'];
const EGRESS = ['aws_security_group', 'aws_security_group_rule', 'aws_vpc_security_group_egress_rule'];

export const ec2Checks: readonly Check[] = [
  {
    id: 'CKV_AWS_8',
    asks: 'The disks of EC2 instances are encrypted.',
    on: [...INSTANCE, 'aws_launch_configuration'],
    look: ({ body }) =>
      [
        ['root_block_device', list(body.root_block_device)[0]] as const,
        ...list(body.ebs_block_device).map((block) => ['ebs_block_device', block] as const),
      ]
        .map(([type, block]) => ({ argument: `${type}.encrypted`, encrypted: valueAt(block, 'encrypted') }))
        .filter(({ encrypted }) => encrypted !== true)
        .map(({ argument, encrypted }) => ({ argument, found: shown(encrypted) })),
  },
  {
    id: 'CKV_AWS_24',
    asks: 'SSH (port 22) is open to nobody in general.',
    on: INGRESS,
    look: isClosed(22),
  },
  {
    id: 'CKV_AWS_25',
    asks: 'Remote Desktop (port 3389) is open to nobody in general.',
    on: INGRESS,
    look: isClosed(3389),
  },
  {
    id: 'CKV_AWS_260',
    asks: 'HTTP (port 80) is open to nobody in general.',
    on: INGRESS,
    look: isClosed(80),
  },
  {
    id: 'CKV_AWS_382',
    asks: 'Not every port of every address is reached from inside.',
    on: EGRESS,
    look: (resource) =>
      openRules(resource, 'egress')
        .filter(({ protocol }) => protocol === '-1')
        .map(({ argument, range }) => ({ argument, found: `everything to ${range}` })),
  },
  {
    id: 'CKV_AWS_46',
    asks: 'User data holds no secret.',
    on: [...INSTANCE, ...TEMPLATES],
    look: ({ body }) =>
      ['user_data', 'user_data_base64'].flatMap((argument) =>
        secretsIn(body[argument]).map((found) => ({ argument, found })),
      ),
  },
  {
    id: 'CKV_AWS_79',
    asks: 'Instance metadata is given to sessions only (IMDSv2).',
    on: [...INSTANCE, ...TEMPLATES],
    look: unlessWithoutMetadata(argumentIs('metadata_options.http_tokens', 'required')),
  },
  {
    // Not set is not 1: Amazon Linux 2023 asks for 2.
    id: 'CKV_AWS_341',
    asks: 'Instance metadata goes no further than the instance: not into its containers.',
    on: [...INSTANCE, ...TEMPLATES],
    look: unlessWithoutMetadata(argumentIs('metadata_options.http_put_response_hop_limit', 1)),
  },
  {
    id: 'CKV_AWS_88',
    asks: 'EC2 instances have no public address, neither of their own nor by their subnet.',
    on: INSTANCE,
    look: (instance) => {
      const argument = 'associate_public_ip_address';
      const own = instance.body[argument];
      const subnet = referred(instance.configuration, instance.body.subnet_id);
      if (own === true) return [{ argument, found: shown(own) }];
      return own === undefined && subnet?.body.map_public_ip_on_launch === true
        ? [{ argument: 'subnet_id', found: `map_public_ip_on_launch of ${subnet.address} is true` }]
        : [];
    },
  },
  {
    id: 'CKV_AWS_126',
    asks: 'EC2 instances are measured every minute (detailed monitoring).',
    on: INSTANCE,
    look: argumentIs('monitoring', true),
  },
  {
    id: 'CKV_AWS_135',
    asks: 'EC2 instances have bandwidth of their own to their disks.',
    on: INSTANCE,
    look: argumentIs('ebs_optimized', true),
  },
  {
    id: 'CKV2_AWS_41',
    asks: 'EC2 instances act by a role, not by keys that are put on them.',
    on: INSTANCE,
    look: argumentIsSet('iam_instance_profile'),
  },
];

function isClosed(port: number): Check['look'] {
  return (resource) =>
    openRules(resource, 'ingress')
      .filter((rule) => reaches(rule, port))
      .map(({ argument, range }) => ({ argument, found: `port ${port} from ${range}` }));
}

function unlessWithoutMetadata(look: Check['look']): Check['look'] {
  return (resource: Resource) =>
    valueAt(resource.body, 'metadata_options.http_endpoint') === 'disabled' ? [] : look(resource);
}
