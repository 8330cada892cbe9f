/**
 * A caller's value as data: the same value, with every string in it (keys too) written so that neither Terraform
 * nor CDKTF evaluates any of it. CDKTF passes strings through as they are, and Terraform reads `${…}` and `%{…}`
 * in them as templates, with access to files and other resources (Terraform, "Strings and Templates").
 *
 * Every construct calls this on its props first. So a string in props is never a reference to another resource:
 * references are passed as constructs. Instances of classes go through untouched.
 */
export function literal<T>(value: T): T {
  return convert(value) as T;
}

function convert(value: unknown): unknown {
  if (typeof value === 'string') return convertText(value);
  if (Array.isArray(value)) return value.map(convert);
  if (isPlainObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [convertText(key), convert(inner)]),
    );
  }
  return value;
}

/** A template that yields nothing. Without quotes, as the text may become part of JSON. */
const NOTHING = '%{if true}%{endif}';

/** In CDKTF's own markers of texts, lists and maps; it would resolve `$${TfToken[` too. */
const INSIDE_MARKER = /(?<=[$#&@]\{Tf)(?=Token\[)/g;

/** CDKTF's own pattern of a number in a text; its markers are huge negative ones, which nobody writes. */
const NUMBER = /([-|\d.+]+)(e[-|\d.eE+]+)/g;
const isMarker = (number: string) => Number.parseFloat(number) < -1e288 && Number.parseFloat(number) > -1e300;

function convertText(text: string): string {
  return text
    .replace(/[$%](?=\{)/g, '$&$&')
    .replace(INSIDE_MARKER, NOTHING)
    .replace(NUMBER, (number, digits: string, exponent: string) =>
      isMarker(number) ? digits + NOTHING + exponent : number,
    );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
