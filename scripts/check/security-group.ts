import type { Body } from '../configurations';
import { list, type Resource } from './resource';

/** What a security group lets through, to or from one range. */
export interface Rule {
  argument: string;
  /** CIDR range of IPv4 or IPv6. */
  range: string;
  /** `-1` is every protocol, and with it every port. */
  protocol: string;
  fromPort: number;
  toPort: number;
}

/** The rules for every address there is: of a security group, or of a rule that is a resource of its own. */
export function openRules({ type, body }: Resource, direction: 'ingress' | 'egress'): Rule[] {
  if (type === 'aws_security_group')
    return list(body[direction] as Body[] | undefined).flatMap((block) => open(block, direction));
  if (type === 'aws_security_group_rule' && body.type !== direction) return [];
  return open(body);
}

const RANGES = ['cidr_blocks', 'ipv6_cidr_blocks', 'cidr_ipv4', 'cidr_ipv6'];

function open(rule: Body, block?: string): Rule[] {
  const protocol = String(rule.protocol ?? rule.ip_protocol);
  return RANGES.flatMap((argument) =>
    list(rule[argument] as string | string[])
      .filter((range) => range.endsWith('/0'))
      .map((range) => ({
        argument: block === undefined ? argument : `${block}.${argument}`,
        range,
        protocol: protocol === 'all' ? '-1' : protocol,
        fromPort: Number(rule.from_port),
        toPort: Number(rule.to_port),
      })),
  );
}

export function reaches({ protocol, fromPort, toPort }: Rule, port: number): boolean {
  return protocol === '-1' || (!protocol.startsWith('icmp') && fromPort <= port && port <= toPort);
}
