/** Joins two patterns of which neither holds the other: what matches both. No ARN and no action has this character. */
const BOTH = '∩';

/**
 * Whether all that matches `narrow` matches `wide`, too: patterns of IAM, with `*` and `?`. In doubt the answer is no,
 * so that a difference is shown and never hidden.
 */
export function covers(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === '*') return true;
  if (!/[*?]/.test(wide)) return false;
  const escaped = wide.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '[^*]')}$`, 's').test(narrow);
}

/** What matches both patterns, or undefined where nothing does. */
export function intersection(one: string, other: string): string | undefined {
  if (covers(one, other)) return other;
  if (covers(other, one)) return one;
  return overlaps(one, other) ? `${one}${BOTH}${other}` : undefined;
}

/** The patterns that a result of {@link intersection} must match, all of them. */
export const patternsOf = (pattern: string): string[] => pattern.split(BOTH);

/** Whether something matches both patterns. */
export function overlaps(one: string, other: string): boolean {
  const failed = new Set<number>();
  const from = (i: number, j: number): boolean => {
    const [a, b] = [one[i], other[j]];
    if (a === undefined && b === undefined) return true;
    const place = i * (other.length + 1) + j;
    if (failed.has(place)) return false;
    const matches =
      (a === '*' && (from(i + 1, j) || (b !== undefined && from(i, j + 1)))) ||
      (b === '*' && (from(i, j + 1) || (a !== undefined && from(i + 1, j)))) ||
      (a !== undefined && b !== undefined && (a === b || a === '?' || b === '?') && from(i + 1, j + 1));
    if (!matches) failed.add(place);
    return matches;
  };
  return from(0, 0);
}
