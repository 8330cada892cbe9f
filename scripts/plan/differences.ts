import { isDeepStrictEqual } from 'node:util';
import type { PlannedChange } from './plan-json';
import { at, isMarked, type HoldsSecret } from './secrets';

/** One argument that changes. A side is absent where there is nothing; texts are safe to show and of one line. */
export interface Difference {
  path: string;
  before?: string;
  after?: string;
  forcesReplacement: boolean;
}

export const UNKNOWN = 'known after apply';
const SENSITIVE = '(sensitive)';
/** Characters of a value that are shown. */
const SHOWN_LENGTH = 200;

/** A value before and after, with Terraform's marks on it. */
interface Pair {
  before: unknown;
  after: unknown;
  unknown: unknown;
  beforeSensitive: unknown;
  afterSensitive: unknown;
}

type Path = (string | number)[];

/** What a change does, argument by argument; those that force a replacement come first. */
export function differences(change: PlannedChange, holdsSecret: HoldsSecret): Difference[] {
  const found = compare(
    {
      before: change.before,
      after: change.after,
      unknown: change.after_unknown,
      beforeSensitive: change.before_sensitive,
      afterSensitive: change.after_sensitive,
    },
    [],
  );
  const forcing = change.replace_paths.map(pathText);
  return found
    .map(({ path, pair }) => {
      const text = pathText(path);
      return {
        path: text,
        ...shown(pair, holdsSecret),
        forcesReplacement: forcing.some(
          (start) => text === start || (/^[.[]/.test(text.slice(start.length)) && text.startsWith(start)),
        ),
      };
    })
    .sort((one, other) => Number(other.forcesReplacement) - Number(one.forcesReplacement));
}

interface Found {
  path: Path;
  pair: Pair;
}

function compare(pair: Pair, path: Path): Found[] {
  const { before, after, unknown, beforeSensitive, afterSensitive } = pair;
  if (unknown !== true && !isMarked(unknown) && isDeepStrictEqual(before ?? null, after ?? null)) return [];
  if (unknown === true || beforeSensitive === true || afterSensitive === true) return [{ path, pair }];
  if (isList(before) && isList(after)) return compareLists(pair, before, after, path);
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([before, after, isObject(unknown) ? unknown : {}].flatMap(Object.keys))];
    return keys.flatMap((key) => compare(part(pair, key), [...path, key]));
  }
  const documents = [before, after].map(jsonDocument);
  if (
    documents.every((each) => each !== undefined) &&
    !isDeepStrictEqual(...(documents as [unknown, unknown]))
  )
    return compare({ ...UNMARKED, before: documents[0], after: documents[1] }, path);
  return [{ path, pair }];
}

/** What both lists have is passed over wherever it stands: Terraform gives sets as lists. */
function compareLists(pair: Pair, before: unknown[], after: unknown[], path: Path): Found[] {
  const isSame = (one: number, other: number) =>
    !isMarked(at(pair.unknown, other)) && isDeepStrictEqual(before[one], after[other]);
  const removed = [...before.keys()];
  const added = [...after.keys()].filter((index) => {
    const found = removed.findIndex((each) => isSame(each, index));
    if (found >= 0) removed.splice(found, 1);
    return found < 0;
  });
  // The same ones in another order.
  if (removed.length + added.length === 0) return [{ path, pair }];
  const one = (from: number | undefined, to: number | undefined): Pair => ({
    before: from === undefined ? undefined : before[from],
    beforeSensitive: from === undefined ? undefined : at(pair.beforeSensitive, from),
    after: to === undefined ? undefined : after[to],
    afterSensitive: to === undefined ? undefined : at(pair.afterSensitive, to),
    unknown: to === undefined ? undefined : at(pair.unknown, to),
  });
  const isOneForOne = removed.length === 1 || [...before, ...after].some(isObject);
  if (removed.length === added.length && isOneForOne)
    return removed.flatMap((from, index) =>
      compare(one(from, added[index]), [...path, added[index] ?? from]),
    );
  return [
    ...removed.map((from) => ({ path, pair: one(from, undefined) })),
    ...added.map((to) => ({ path, pair: one(undefined, to) })),
  ];
}

const UNMARKED = { unknown: false, beforeSensitive: false, afterSensitive: false };

function part(pair: Pair, key: string): Pair {
  return {
    before: at(pair.before, key),
    after: at(pair.after, key),
    unknown: at(pair.unknown, key),
    beforeSensitive: at(pair.beforeSensitive, key),
    afterSensitive: at(pair.afterSensitive, key),
  };
}

/** Policies and other documents are strings of JSON to Terraform. */
function jsonDocument(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function shown(pair: Pair, holdsSecret: HoldsSecret): Pick<Difference, 'before' | 'after'> {
  const start = Math.max(0, firstDifference(pair.before, pair.after) - SHOWN_LENGTH / 4);
  const side = (value: unknown, marks: unknown) => {
    if (value === undefined || value === null) return undefined;
    // What is unmarked on one side may be the very secret that the other side marks.
    if (isMarked(marks)) return SENSITIVE;
    if (holdsSecret(typeof value === 'string' ? value : JSON.stringify(value))) return SENSITIVE;
    return excerpt(value, start);
  };
  const before = side(pair.before, [pair.beforeSensitive, pair.afterSensitive === true]);
  const after = isMarked(pair.unknown)
    ? UNKNOWN
    : side(pair.after, [pair.afterSensitive, pair.beforeSensitive === true]);
  return { ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
}

function firstDifference(before: unknown, after: unknown): number {
  if (typeof before !== 'string' || typeof after !== 'string') return 0;
  if (Math.max(before.length, after.length) <= SHOWN_LENGTH) return 0;
  let index = 0;
  while (index < before.length && before[index] === after[index]) index += 1;
  return index;
}

function excerpt(value: unknown, start: number): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const cut = text.slice(start, start + SHOWN_LENGTH);
  const whole = typeof value === 'string' ? JSON.stringify(cut) : cut;
  return `${start > 0 ? '…' : ''}${whole}${start + SHOWN_LENGTH < text.length ? '…' : ''}`;
}

function pathText(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[\w-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

const isList = (value: unknown): value is unknown[] => Array.isArray(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
