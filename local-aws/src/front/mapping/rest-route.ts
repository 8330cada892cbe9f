import type { NormalizedSchema } from '@smithy/core/schema';
import { gap } from '../refusal';
import type { RequestHead } from '../request-head';
import { members, requiredMembers, type Operation, type Service } from './model';

interface Segment {
  /** The text itself, or the member that the segment is the value of. */
  readonly literal?: string;
  readonly member?: string;
  /** Takes all that is left, slashes and all. */
  readonly greedy: boolean;
}

interface Route {
  readonly operation: Operation;
  readonly method: string;
  readonly segments: readonly Segment[];
  /** Query parameters that must be there, with their value where it matters. */
  readonly literals: ReadonlyMap<string, string | undefined>;
  /** Members by query parameter, and by header. */
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
  /** Query parameters and headers of required members. */
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
  /** A member that takes every other query parameter. */
  readonly takesAllQuery: boolean;
}

export interface Routed {
  readonly operation: Operation;
  /** Members from path, query string and headers, as strings. */
  readonly input: Record<string, unknown>;
}

const routesOf = new WeakMap<Service, readonly Route[]>();

/**
 * The operation that a request of a REST protocol is for (Smithy, "HTTP bindings"), and what its head says.
 *
 * @throws Refusal when there is none, and for a query parameter that the operation doesn't know: what stands behind
 *   might take the request for another one
 */
export function route(service: Service, head: RequestHead): Routed {
  let routes = routesOf.get(service);
  if (routes === undefined)
    routesOf.set(service, (routes = [...service.operations.values()].flatMap(toRoute(service))));
  const path = head.path.split('/').slice(1).map(decodeURIComponent);
  const found = routes
    .filter((candidate) => candidate.method === head.method)
    .flatMap((candidate) => {
      const labels = matchPath(candidate.segments, path);
      return labels !== undefined && matchesHead(candidate, head) ? [{ route: candidate, labels }] : [];
    })
    .sort((a, b) => specificity(b.route) - specificity(a.route));
  const [best] = found;
  if (best === undefined) throw gap(`${service.prefix} has no operation for ${head.method} ${head.path}.`);
  return {
    operation: best.route.operation,
    input: { ...best.labels, ...headInput(best.route, head, service) },
  };
}

function toRoute(service: Service) {
  return (operation: Operation): Route[] => {
    if (operation.http === undefined) return [];
    const { method, uri } = operation.http;
    const [path = '', query = ''] = uri.split('?');
    const bindings = members(operation.input);
    const bound = (trait: 'httpQuery' | 'httpHeader') =>
      bindings.flatMap(([name, member]) => {
        const wire = (member.getMergedTraits() as Record<string, unknown>)[trait];
        return typeof wire === 'string'
          ? [[trait === 'httpHeader' ? wire.toLowerCase() : wire, name] as const]
          : [];
      });
    const required = requiredMembers(operation.input);
    const requiredWire = (pairs: readonly (readonly [string, string])[]) =>
      pairs.filter(([, name]) => required.includes(name)).map(([wire]) => wire);
    return [
      {
        operation,
        method,
        segments: segments(path, operation.input, service),
        literals: new Map(
          query
            .split('&')
            .filter((pair) => pair !== '' && !pair.startsWith('x-id='))
            .map((pair) => {
              const [name = '', value] = pair.split('=');
              return [name, value];
            }),
        ),
        query: new Map(bound('httpQuery')),
        headers: new Map(bound('httpHeader')),
        requiredQuery: requiredWire(bound('httpQuery')),
        requiredHeaders: requiredWire(bound('httpHeader')),
        takesAllQuery: bindings.some(([, member]) => 'httpQueryParams' in member.getMergedTraits()),
      },
    ];
  };
}

function segments(path: string, input: NormalizedSchema, service: Service): Segment[] {
  const own = path
    .split('/')
    .slice(1)
    .filter((part, index, all) => part !== '' || index < all.length - 1)
    .map((part): Segment => {
      const [, label, greedy] = /^\{([^+}]+)(\+?)\}$/.exec(part) ?? [];
      return label === undefined
        ? { literal: part, greedy: false }
        : { member: label, greedy: greedy === '+' };
    });
  // S3's models leave the bucket to the host's name; here it is the path's first segment.
  const inBucket = service.prefix === 's3' && members(input).some(([name]) => name === 'Bucket');
  return inBucket ? [{ member: 'Bucket', greedy: false }, ...own] : own;
}

/** @returns the members that the path holds, or undefined when it is another path */
function matchPath(route: readonly Segment[], path: readonly string[]): Record<string, string> | undefined {
  const trimmed = path.at(-1) === '' && !route.some(({ greedy }) => greedy) ? path.slice(0, -1) : path;
  const labels: Record<string, string> = {};
  for (const [index, segment] of route.entries()) {
    const value = segment.greedy ? trimmed.slice(index).join('/') : trimmed[index];
    if (value === undefined || value === '') return undefined;
    if (segment.member !== undefined) labels[segment.member] = value;
    else if (segment.literal !== value) return undefined;
    if (segment.greedy) return labels;
  }
  return trimmed.length === route.length ? labels : undefined;
}

function matchesHead({ literals, requiredQuery, requiredHeaders }: Route, head: RequestHead): boolean {
  const query = new Map(head.query);
  return (
    [...literals].every(
      ([name, value]) => query.has(name) && (value === undefined || query.get(name) === value),
    ) &&
    requiredQuery.every((name) => query.has(name)) &&
    requiredHeaders.every((name) => head.headers[name] !== undefined)
  );
}

const specificity = ({ segments: path, literals, requiredQuery, requiredHeaders }: Route) =>
  path.filter(({ literal }) => literal !== undefined).length +
  100 * (literals.size + requiredQuery.length + requiredHeaders.length) -
  (path.some(({ greedy }) => greedy) ? 0.5 : 0);

function headInput(found: Route, head: RequestHead, service: Service): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const [name, value] of head.query) {
    const member = found.query.get(name);
    if (member === undefined) {
      if (found.literals.has(name) || found.takesAllQuery || isOfSignature(name)) continue;
      throw gap(`${service.prefix}:${found.operation.name} has no query parameter ${name}.`);
    }
    const earlier = input[member];
    // A list's items come as the same parameter again and again.
    input[member] = earlier === undefined ? value : [earlier, value].flat();
  }
  for (const [name, member] of found.headers) {
    const value = head.headers[name];
    if (value !== undefined) input[member] = value;
  }
  return input;
}

const isOfSignature = (name: string) => name === 'x-id' || name.startsWith('X-Amz-');
