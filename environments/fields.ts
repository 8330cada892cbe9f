import { isIP } from 'node:net';
import { z } from 'zod';

/** A part of a resource's name: lower case letters, digits and hyphens. */
export const label = (longest: number) =>
  z
    .string()
    .max(longest, `at most ${longest} characters`)
    .regex(
      /^[a-z]([a-z0-9-]*[a-z0-9])?$/,
      'lower case letters, digits and hyphens, starting with a letter, such as data-2',
    );

/** The part of an SSM parameter's name after `/{organisation}/{environment}/`. */
export const parameterPath = z
  .string()
  .max(200, 'at most 200 characters')
  .regex(
    /^[\w.-]+(\/[\w.-]+){0,10}$/,
    'letters, digits, and . - _ between slashes, with none at the start, such as api/config',
  );

/** It becomes part of a role's name, and of an address. */
export const projectId = z
  .string()
  .regex(
    /^[A-Za-z0-9][\w.-]{0,31}$/,
    'up to 32 letters, digits and . _ -, starting with a letter or digit, such as abc',
  );

/** IPv4 or IPv6 range, host bits zero, such as 203.0.113.0/24. */
export const cidr = z
  .string()
  .refine(isCidr, 'a CIDR range whose host bits are zero, such as 203.0.113.0/24');

/** OWNER/NAME on GitHub, each with its id where GitHub's tokens tell it. A wildcard would let other repositories in. */
export const githubName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9-]*(@\d+)?\/[\w.-]+(@\d+)?$/,
    'exactly one repository as OWNER/NAME, without a wildcard',
  );

export const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region, such as eu-west-1');

/** The name of a Terraform variable, in lower case (Terraform, "Input variables", which keeps some names to itself). */
export const variableName = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, 'lower case letters, digits and _, such as database_url')
  .refine(
    (name) =>
      !['count', 'depends_on', 'for_each', 'lifecycle', 'locals', 'providers', 'source', 'version'].includes(
        name,
      ),
    'another name: Terraform keeps this one to itself',
  );

/** Keys that Slipway sets itself, and AWS's own prefix, are refused. */
export const tagKey = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u, 'letters, digits, spaces and _ . : / = + - @')
  .refine((key) => !/^aws:/i.test(key), 'AWS keeps aws: to itself')
  .refine((key) => !['Environment', 'ManagedBy', 'Name'].includes(key), 'Slipway sets this one itself');

export const tagValue = z
  .string()
  .max(256)
  .regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u, 'letters, digits, spaces and _ . : / = + - @');

/** IPv4 range of a VPC (VPC User Guide, "VPC CIDR blocks"). */
export const vpcCidr = z
  .string()
  .refine(
    (text) =>
      isCidr(text) && isIP(text.split('/')[0] ?? '') === 4 && inRange(Number(text.split('/')[1]), 16, 28),
    'an IPv4 range from /16 to /28 whose host bits are zero, such as 10.20.0.0/24',
  );

/** What the names of all resources start with; AWS keeps some beginnings of bucket, parameter and group names. */
export const organisationName = label(20).refine(
  (name) => !/^(aws|ssm|amzn|sg|xn|sthree)(-|$)/.test(name),
  'another name: AWS keeps this one to itself',
);

/** Terraform's own first workspace is called default, and a fall-back into it must never look right. */
export const environmentName = label(16).refine(
  (name) => name !== 'default',
  'another name: Terraform keeps this one to itself',
);

function isCidr(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  if (rest.length > 0 || bits === undefined || !/^(0|[1-9]\d{0,2})$/.test(bits)) return false;
  const family = isIP(address);
  const prefix = Number(bits);
  if (family === 4) return prefix <= 32 && hostBitsAreZero(address.split('.').map(Number), 8, prefix);
  return family === 6 && prefix <= 128 && hostBitsAreZero(groupsOf(address), 16, prefix);
}

/** @param parts of an address, each of so many bits */
function hostBitsAreZero(parts: number[], bits: number, prefix: number): boolean {
  return parts.every((part, index) => {
    const hostBits = Math.min(bits, Math.max(0, (index + 1) * bits - prefix));
    return part % 2 ** hostBits === 0;
  });
}

/** The eight groups of an IPv6 address, `::` filled in; one that ends as IPv4 counts as wrong, as AWS takes none. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const groups = (text = '') =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const zeros =
    tail === undefined ? [] : Array<number>(8 - groups(head).length - groups(tail).length).fill(0);
  return address.includes('.') ? [NaN] : [...groups(head), ...zeros, ...groups(tail)];
}

function inRange(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
