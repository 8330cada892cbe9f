/**
 * Texts in which nothing stands for anything else: neither wildcards nor variables, nor line breaks, at which the
 * evaluator's patterns would end. Characters that no policy has stand in for those; on both sides of every comparison.
 */
const STAND_INS: Readonly<Partial<Record<string, string>>> = {
  '*': '\uE000',
  '?': '\uE001',
  $: '\uE002',
  '\n': '\uE003',
  '\r': '\uE004',
  '\u2028': '\uE005',
  '\u2029': '\uE006',
};

/** A value of a request, or of a policy where it is no pattern. */
export const literal = (text: string): string =>
  text.replaceAll(/[*?$\n\r\u2028\u2029]/g, (character) => STAND_INS[character] ?? character);

/** A pattern of a policy: its wildcards stay. */
export const pattern = (text: string): string =>
  text.replaceAll(/[$\n\r\u2028\u2029]/g, (character) => STAND_INS[character] ?? character);

/** Whether a pattern that `pattern` made matches a text that `literal` made. */
export const matches = (wildcards: string, text: string): boolean => expressionOf(wildcards, '').test(text);

/** The same where case doesn't count. */
export const matchesInAnyCase = (wildcards: string, text: string): boolean =>
  expressionOf(wildcards, 'i').test(text);

const MOST_KEPT = 10_000;
const expressions = new Map<string, RegExp>();

function expressionOf(wildcards: string, flags: string): RegExp {
  const id = `${flags} ${wildcards}`;
  let expression = expressions.get(id);
  if (expression === undefined) {
    const source = wildcards
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    if (expressions.size >= MOST_KEPT) expressions.clear();
    expressions.set(id, (expression = new RegExp(`^${source}$`, flags)));
  }
  return expression;
}
