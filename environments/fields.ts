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

function isCidr(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  if (rest.length > 0 || bits === undefined || !/^\d{1,3}$/.test(bits)) return false;
  const family = isIP(address);
  const prefix = Number(bits);
  if (family === 6) return prefix <= 128;
  if (family !== 4 || prefix > 32) return false;
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return value % 2 ** (32 - prefix) === 0;
}
