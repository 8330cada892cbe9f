import type { Check } from './check';
import { shown, valueAt } from './resource';

/** @param path of nested blocks, such as `metadata_options.http_tokens` */
export function argumentIs(path: string, ...expected: readonly unknown[]): Check['look'] {
  return ({ body }) => {
    const value = valueAt(body, path);
    return expected.includes(value) ? [] : [{ argument: path, found: shown(value) }];
  };
}

export function argumentIsSet(path: string): Check['look'] {
  return ({ body }) =>
    valueAt(body, path) === undefined ? [{ argument: path, found: shown(undefined) }] : [];
}
