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
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [convertText(key), convert(inner)]));
  }
  return value;
}

/** CDKTF's own markers (`${TfToken[…]}`, `#{TfToken[…]}`, `&{TfToken[…]}`) need more: it would resolve `$${TfToken[` too. */
function convertText(text: string): string {
  return text
    .split(/([$#&@]\{)(?=TfToken\[)/)
    .map((part, index) => (index % 2 === 1 ? `\${"${part.charAt(0)}"}{` : part.replace(/[$%](?=\{)/g, '$&$&')))
    .join('');
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
