import { XmlShapeDeserializer } from '@aws-sdk/core/protocols';
import { cbor } from '@smithy/core/cbor';
import { gap, invalid, Refusal } from '../refusal';
import type { RequestHead } from '../request-head';
import { members, type Operation, type Protocol, type Service } from './model';
import { queryInput } from './query-input';
import { route } from './rest-route';

/** A request, understood: which operation of which service, and with what. */
export interface Call {
  readonly service: Service;
  readonly protocol: Protocol;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly region: string;
}

/**
 * How a request is written, by what it looks like.
 *
 * @throws Refusal when it looks like several at once
 */
export function protocolOf(service: Service, head: RequestHead): Protocol {
  const form = (head.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  const inUrl = head.query.some(([name]) => name === 'Action');
  const signs: Protocol[] = [];
  if (head.headers['smithy-protocol'] === 'rpc-v2-cbor') signs.push('rpc-v2-cbor');
  if (head.headers['x-amz-target'] !== undefined) signs.push('json');
  if (!service.protocols.some((protocol) => protocol.startsWith('rest'))) {
    const query = service.protocols.find((protocol) => protocol.endsWith('query'));
    if (query !== undefined && (form || inUrl)) signs.push(query);
  } else if (signs.length === 0) signs.push(...service.protocols);
  const [found, ...others] = signs;
  if (found === undefined || others.length > 0 || !service.protocols.includes(found))
    throw gap(`it isn't written as ${service.prefix} wants it (${service.protocols.join(' or ')}).`);
  return found;
}

/**
 * Whether the body is an object of S3, which is not read here.
 */
export function hasStreamedBody(operation: Operation): boolean {
  return members(operation.input).some(([, member]) => member.isStreaming());
}

/** @throws Refusal when it is no request of the service, or one that its model doesn't know */
export function readCall(service: Service, region: string, head: RequestHead, body: Buffer): Call {
  const protocol = protocolOf(service, head);
  return { service, protocol, region, ...operationAndInput(service, protocol, head, body) };
}

function operationAndInput(
  service: Service,
  protocol: Protocol,
  head: RequestHead,
  body: Buffer,
): Pick<Call, 'operation' | 'input'> {
  switch (protocol) {
    case 'query':
    case 'ec2-query': {
      const form = [...new URLSearchParams(body.toString('utf8'))];
      const parameters = [...head.query.filter(([name]) => !name.startsWith('X-Amz-')), ...form];
      const actions = parameters.filter(([name]) => name === 'Action').map(([, value]) => value);
      if (actions.length !== 1) throw gap('it needs the parameter Action exactly once.');
      const operation = operationNamed(service, actions[0] ?? '');
      const rest = parameters.filter(([name]) => name !== 'Action' && name !== 'Version');
      return {
        operation: operation.name,
        input: queryInput(rest, operation.input, protocol === 'ec2-query'),
      };
    }
    case 'json': {
      const target = head.headers['x-amz-target'] ?? '';
      const operation = operationNamed(service, target.slice(target.lastIndexOf('.') + 1));
      return { operation: operation.name, input: known(operation, json(body), 'body') };
    }
    case 'rpc-v2-cbor': {
      const [, name = ''] = /^\/service\/[^/]+\/operation\/([^/]+)$/.exec(head.path) ?? [];
      const operation = operationNamed(service, name);
      return {
        operation: operation.name,
        input: known(operation, record(body.length === 0 ? {} : cbor.deserialize(body)), 'body'),
      };
    }
    case 'rest-xml': {
      const { operation, input } = route(service, head);
      return { operation: operation.name, input: { ...xmlPayload(operation, body), ...input } };
    }
    case 'rest-json': {
      const { operation, input } = route(service, head);
      const isJson = (head.headers['content-type'] ?? 'application/json').includes('json');
      const payload = members(operation.input).some(
        ([, member]) => 'httpPayload' in member.getMergedTraits(),
      );
      const inBody = isJson && !payload && body.length > 0 ? known(operation, json(body), 'body') : {};
      return { operation: operation.name, input: { ...inBody, ...input } };
    }
  }
}

/** The body as the member that it is, such as `Tagging` of PutObjectTagging; nothing where it is no structure. */
function xmlPayload(operation: Operation, body: Buffer): Record<string, unknown> {
  const [name, member] =
    members(operation.input).find(([, each]) => 'httpPayload' in each.getMergedTraits()) ?? [];
  if (name === undefined || member?.isStructSchema() !== true || body.length === 0) return {};
  try {
    return { [name]: xml.read(member, body) as unknown };
  } catch {
    throw invalid(
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema.',
    );
  }
}

const xml = new XmlShapeDeserializer({
  xmlNamespace: '',
  serviceNamespace: '',
  timestampFormat: { default: 5, useTrait: true },
});

function operationNamed(service: Service, name: string): Operation {
  const operation = service.operations.get(name);
  if (operation === undefined)
    throw gap(`the SDK's model of ${service.prefix} has no operation ${JSON.stringify(name)}.`);
  return operation;
}

function json(body: Buffer): Record<string, unknown> {
  try {
    return record(body.length === 0 ? {} : JSON.parse(body.toString('utf8')));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('malformed', 'The body of the request is not JSON.');
  }
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Refusal('malformed', 'The body of the request is not an object.');
}

/** @throws Refusal for a member that the model doesn't know */
function known(operation: Operation, input: Record<string, unknown>, where: string): Record<string, unknown> {
  const names = new Map(
    members(operation.input).map(([name, member]) => {
      const { jsonName } = member.getMergedTraits() as { jsonName?: string };
      return [jsonName ?? name, name];
    }),
  );
  return Object.fromEntries(
    Object.entries(input).map(([wire, value]) => {
      const name = names.get(wire);
      if (name === undefined)
        throw gap(
          `the SDK's model of ${operation.name} doesn't know ${JSON.stringify(wire)} in its ${where}.`,
        );
      return [name, value];
    }),
  );
}
