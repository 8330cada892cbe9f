import type { NormalizedSchema } from '@smithy/core/schema';
import { gap } from '../refusal';
import { members } from './model';

/** What a form's parameters say, with a level for each dot. */
interface Node {
  value?: string;
  readonly children: Map<string, Node>;
}

/**
 * The input of an operation from the parameters of the query protocols (Smithy, "AWS Query protocol" and "AWS EC2
 * query protocol"): `Tags.member.1.Key=a` becomes `{ Tags: [{ Key: 'a' }] }`.
 *
 * @throws Refusal for a parameter that the model doesn't know: what stands behind might act on it
 */
export function queryInput(
  parameters: readonly (readonly [string, string])[],
  schema: NormalizedSchema,
  ec2: boolean,
): Record<string, unknown> {
  const root: Node = { children: new Map() };
  for (const [name, value] of parameters) {
    let node = root;
    for (const part of name.split('.')) {
      const next = node.children.get(part) ?? { children: new Map<string, Node>() };
      node.children.set(part, next);
      node = next;
    }
    if (node.value !== undefined) throw gap(`the parameter ${name} was given twice.`);
    node.value = value;
  }
  return read(root, schema, ec2, '') as Record<string, unknown>;
}

function read(node: Node, schema: NormalizedSchema, ec2: boolean, path: string): unknown {
  if (schema.isStructSchema() || schema.isUnitSchema()) return struct(node, schema, ec2, path);
  if (schema.isListSchema()) return list(node, schema, ec2, path);
  if (schema.isMapSchema()) return map(node, schema, ec2, path);
  if (node.children.size > 0) throw unknown(`${path}.${[...node.children.keys()].join()}`);
  return node.value;
}

function struct(node: Node, schema: NormalizedSchema, ec2: boolean, path: string): unknown {
  const known = new Map(
    members(schema).map(([name, member]) => [wireName(name, member, ec2), [name, member] as const]),
  );
  const entries = [...node.children].map(([wire, child]) => {
    const found = known.get(wire);
    if (found === undefined) throw unknown(path === '' ? wire : `${path}.${wire}`);
    const [name, member] = found;
    return [name, read(child, member, ec2, path === '' ? wire : `${path}.${wire}`)] as const;
  });
  return Object.fromEntries(entries);
}

function wireName(name: string, member: NormalizedSchema, ec2: boolean): string {
  const traits = member.getMergedTraits() as { ec2QueryName?: string; xmlName?: string };
  const own = traits.ec2QueryName ?? traits.xmlName ?? name;
  if (!ec2) return traits.xmlName ?? name;
  return traits.ec2QueryName ?? own.charAt(0).toUpperCase() + own.slice(1);
}

function list(node: Node, schema: NormalizedSchema, ec2: boolean, path: string): unknown {
  const { xmlFlattened } = schema.getMergedTraits() as { xmlFlattened?: unknown };
  const member = schema.getValueSchema();
  const { xmlName = 'member' } = member.getMergedTraits() as { xmlName?: string };
  // An empty list is sent as its name without a value.
  if (node.children.size === 0) return [];
  const items = ec2 || Boolean(xmlFlattened) ? node : node.children.get(xmlName);
  if (items === undefined || (items !== node && node.children.size > 1))
    throw unknown(`${path}.${[...node.children.keys()].join()}`);
  return [...items.children]
    .map(([index, child]) => {
      if (!/^[1-9]\d{0,4}$/.test(index)) throw unknown(`${path}.${index}`);
      return [Number(index), read(child, member, ec2, `${path}.${index}`)] as const;
    })
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

function map(node: Node, schema: NormalizedSchema, ec2: boolean, path: string): unknown {
  const { xmlFlattened } = schema.getMergedTraits() as { xmlFlattened?: unknown };
  const { xmlName: keyName = 'key' } = schema.getKeySchema().getMergedTraits() as { xmlName?: string };
  const { xmlName: valueName = 'value' } = schema.getValueSchema().getMergedTraits() as { xmlName?: string };
  const entries = xmlFlattened ? node : (node.children.get('entry') ?? { children: new Map<string, Node>() });
  return Object.fromEntries(
    [...entries.children.values()].map((entry) => {
      const value = entry.children.get(valueName) ?? { children: new Map<string, Node>() };
      return [
        entry.children.get(keyName)?.value ?? '',
        read(value, schema.getValueSchema(), ec2, `${path}.${valueName}`),
      ];
    }),
  );
}

const unknown = (parameter: string) => gap(`the SDK's model doesn't know the parameter ${parameter}.`);
