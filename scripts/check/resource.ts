import type { Body, Configuration } from '../configurations';

/** One resource or data source of an environment, with the configuration that it stands in. */
export interface Resource {
  environment: string;
  configuration: Configuration;
  /** With `data.` before a data source's. */
  type: string;
  name: string;
  /** Type and name, as Terraform shows it. */
  address: string;
  body: Body;
}

/** @param types with `data.` before those of data sources */
export function resourcesOf(configuration: Configuration, types: readonly string[]): Resource[] {
  return types.flatMap((type) => {
    const named = type.startsWith('data.')
      ? configuration.data[type.slice('data.'.length)]
      : configuration.resource[type];
    return Object.entries(named ?? {}).map(([name, body]) => ({
      environment: configuration.environment,
      configuration,
      type,
      name,
      address: `${type}.${name}`,
      body,
    }));
  });
}

/** Terraform and IAM alike let a list of one stand without its brackets. */
export function list<T>(value: T | readonly T[] | undefined | null): readonly T[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** @param path of nested blocks, such as `metadata_options.http_tokens`; of repeated ones the first counts */
export function valueAt(body: unknown, path: string): unknown {
  return path.split('.').reduce((value: unknown, key) => (list(value)[0] as Body | undefined)?.[key], body);
}

export function shown(value: unknown): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}

/** The resource that a value such as `${aws_subnet.network.id}` refers to, if it does. */
export function referred(configuration: Configuration, value: unknown): Resource | undefined {
  const [, type = '', name] = /^\$\{(\w+)\.([\w-]+)\./.exec(String(value)) ?? [];
  return resourcesOf(configuration, [type]).find((resource) => resource.name === name);
}
