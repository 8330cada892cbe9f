import { tmpdir } from 'node:os';
import { App, TerraformStack, Testing } from 'cdktf';
import { EncryptionKey } from '../src/encryption-key';
import { LambdaFunction, type LambdaFunctionProps } from '../src/lambda-function';
import { LogGroup } from '../src/log-group';
import { PermissionsBoundary } from '../src/permissions-boundary';
import type { Place } from '../src/place';
import { trustService } from '../src/policies/role-chain';
import type { PolicyDocument } from '../src/policy-document';
import { ServiceRole } from '../src/service-role';

export const place: Place = { account: '111122223333', region: 'eu-west-1' };

/** What a block of Terraform's JSON says, such as one resource. */
export type Body = Readonly<Record<string, unknown>>;

/** Terraform's JSON of one stack: of resources and data sources type and then name, of the others name. */
export interface Configuration {
  readonly terraform?: Body;
  readonly provider?: Readonly<Record<string, Body[]>>;
  readonly resource?: Readonly<Record<string, Readonly<Record<string, Body>>>>;
  readonly data?: Readonly<Record<string, Readonly<Record<string, Body>>>>;
  readonly variable?: Readonly<Record<string, Body>>;
  readonly output?: Readonly<Record<string, Body>>;
}

/** A stack as Terraform gets to read it. */
export class Synthesized {
  readonly configuration: Configuration;

  constructor(stack: TerraformStack) {
    this.configuration = JSON.parse(Testing.synth(stack)) as Configuration;
  }

  /** Resources of a type. */
  all(type: string): Body[] {
    return Object.values(this.configuration.resource?.[type] ?? {});
  }

  /** The one resource of a type, or the one whose construct is called so. */
  the(type: string, construct = ''): Body {
    return theOnly(this.configuration.resource, type, construct)[1];
  }

  /** The one data source of a type. */
  data(type: string): Body {
    return theOnly(this.configuration.data, type)[1];
  }

  /** How other resources refer to an attribute of the one resource of a type: `${aws_kms_key.key.arn}`. */
  reference(type: string, attribute: string): string {
    return `\${${type}.${theOnly(this.configuration.resource, type)[0]}.${attribute}}`;
  }

  /** Every resource and data source by its address, sorted. */
  addresses(): string[] {
    const of = (blocks: Configuration['resource'], prefix: string) =>
      Object.entries(blocks ?? {}).flatMap(([type, named]) =>
        Object.keys(named).map((name) => `${prefix}${type}.${name}`),
      );
    return [...of(this.configuration.resource, ''), ...of(this.configuration.data, 'data.')].sort();
  }
}

/** @param build puts into the stack what is looked at */
export function synthesized(build: (stack: TerraformStack) => void): Synthesized {
  const stack = emptyStack();
  build(stack);
  return new Synthesized(stack);
}

/** Nothing is written: the folder just has to exist. */
export function emptyStack(): TerraformStack {
  return new TerraformStack(new App({ outdir: tmpdir(), stackTraces: false }), 'stack');
}

export const key = (stack: TerraformStack) => new EncryptionKey(stack, 'key', { name: 'key', place });

export const boundary = (stack: TerraformStack) =>
  new PermissionsBoundary(stack, 'boundary', { name: 'boundary', place, statements: [] });

/** With code that is no zip: nothing here looks into it. */
export const lambda = (stack: TerraformStack, change: Partial<LambdaFunctionProps> = {}) =>
  new LambdaFunction(stack, 'lambda', {
    name: 'lambda',
    description: 'text',
    zipFile: __filename,
    role: new ServiceRole(stack, 'lambda-role', {
      name: 'lambda',
      description: 'text',
      place,
      trust: trustService('lambda.amazonaws.com'),
      boundary: boundary(stack),
    }),
    logs: new LogGroup(stack, 'lambda-logs', { name: '/aws/lambda/lambda' }),
    ...change,
  });

/** A policy that a resource holds as JSON. */
export function policy(body: Body, attribute = 'policy'): PolicyDocument {
  return JSON.parse(String(body[attribute])) as PolicyDocument;
}

function theOnly(
  blocks: Configuration['resource'],
  type: string,
  construct = '',
): [name: string, body: Body] {
  const found = Object.entries(blocks?.[type] ?? {}).filter(([name]) => name.startsWith(construct));
  const [first] = found;
  if (!first || found.length > 1)
    throw new Error(`Expected one ${type} ${construct}, found ${found.length}.`);
  return first;
}
