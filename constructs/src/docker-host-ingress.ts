import type { Problem } from './problem';

export interface Ingress {
  /** Who reaches the web ports: 80, 443 and 8000-8100. @default - anyone over IPv4 */
  webCidrs?: string[];
  /** Who reaches SSH. Session Manager needs no open port. @default - nobody */
  sshCidrs?: string[];
}

export interface IngressRule {
  /** Unique within a host; part of the rule's logical id, so it never changes for a given range and port. */
  id: string;
  cidr: string;
  fromPort: number;
  toPort: number;
}

const WEB_PORTS: readonly (readonly [from: number, to: number])[] = [
  [80, 80],
  [443, 443],
  [8000, 8100],
];

/** Shortest prefixes that count as a place of one's own; below them, a few rules would add up to the whole internet. */
const WIDEST_SSH_PREFIX = { ipv4: 8, ipv6: 16 };

export function ingressRules({ webCidrs = ['0.0.0.0/0'], sshCidrs = [] }: Ingress): IngressRule[] {
  const rule = (cidr: string, [fromPort, toPort]: readonly [number, number]): IngressRule => ({
    id: `${fromPort === toPort ? fromPort : `${fromPort}-${toPort}`}-from-${cidr.replace(/[^0-9a-f]/gi, '-')}`,
    cidr,
    fromPort,
    toPort,
  });
  return [
    ...unique(webCidrs).flatMap((cidr) => WEB_PORTS.map((ports) => rule(cidr, ports))),
    ...unique(sshCidrs).map((cidr) => rule(cidr, [22, 22])),
  ];
}

const unique = (cidrs: string[]) => [...new Set(cidrs)];

/** SSH is never open to anyone. */
export function ingressProblems({ sshCidrs = [] }: Ingress, path: string): Problem[] {
  return sshCidrs.flatMap((cidr, index) => {
    const prefix = Number(cidr.split('/')[1]);
    const widest = cidr.includes(':') ? WIDEST_SSH_PREFIX.ipv6 : WIDEST_SSH_PREFIX.ipv4;
    return prefix >= widest
      ? []
      : [
          {
            path: `${path}sshCidrs[${index}]`,
            value: cidr,
            expected: `a range of your own, /${widest} or narrower: SSH is never open to anyone (Session Manager needs no open port)`,
          },
        ];
  });
}
