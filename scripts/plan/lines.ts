import { UNKNOWN, type Difference } from './differences';
import type { Item } from './summary';

/** A line about an argument: `+` is new, `-` goes, `!` changes, a space is a remark. */
export interface Line {
  sign: '+' | '-' | '!' | ' ';
  text: string;
}

export function linesOf({ differences, unknown }: Item): Line[] {
  return [
    ...differences.map(line),
    ...(unknown.length > 0 ? [{ sign: ' ', text: `${UNKNOWN}: ${unknown.join(', ')}` } as const] : []),
  ];
}

function line({ path, before, after, forcesReplacement }: Difference): Line {
  const end = forcesReplacement ? '   (forces the replacement)' : '';
  if (before === undefined) return { sign: '+', text: `${path}: ${after ?? 'null'}${end}` };
  if (after === undefined) return { sign: '-', text: `${path}: ${before}${end}` };
  return { sign: '!', text: `${path}: ${before} → ${after}${end}` };
}
