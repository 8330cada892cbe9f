import type { Configuration } from './synthesized';

export type Path = readonly (string | number)[];

/** Where a caller's text stands: a value, or the key that ends the path. */
export interface Spot {
  readonly path: Path;
  readonly isKey: boolean;
}

/** Something that takes strings of a caller's. */
export interface Subject {
  readonly name: string;
  readonly spots: readonly Spot[];
  /** @throws what a caller would see, when the input is refused */
  readonly check: (plant: (input: unknown) => unknown) => void;
  readonly synthesize: (plant: (input: unknown) => unknown) => Configuration;
  /** Whether what was thrown is a refusal of the text at a field. */
  readonly refuses: (message: string, field: string) => boolean;
}

/** What marks a spot in what was synthesized. */
export const word = (index: number) => `Spot${index}x`;

/** Every value that is a string, and every key. */
export function spotsOf(value: unknown, path: Path = []): Spot[] {
  if (typeof value === 'string') return [{ path, isKey: false }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = [...path, Array.isArray(value) ? Number(name) : name];
    return [...spotsOf(inner, at), ...(Array.isArray(value) ? [] : [{ path: at, isKey: true }])];
  });
}

/** The same value, with a text behind the string or key of each spot. */
export function withTexts(
  value: unknown,
  spots: readonly Spot[],
  text: (index: number) => string,
  path: Path = [],
): unknown {
  const behind = (at: Path, isKey: boolean) => {
    const index = spots.findIndex((spot) => spot.isKey === isKey && written(spot.path) === written(at));
    return index < 0 ? '' : text(index);
  };
  if (typeof value === 'string') return value + behind(path, false);
  if (Array.isArray(value))
    return value.map((inner, index) => withTexts(inner, spots, text, [...path, index]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const at = [...path, name];
      return [name + behind(at, true), withTexts(inner, spots, text, at)];
    }),
  );
}

export function written(path: Path): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}${text ? '.' : ''}${key}`),
    '',
  );
}

/** The same value, with each string and key changed. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((inner) => mapTexts(inner, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [change(name), mapTexts(inner, change)]),
  );
}
