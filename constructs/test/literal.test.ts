import { Lazy } from 'cdktf';
import { literal } from '../src/literal';

// Whether Terraform reads the results as the text that they were is asked of Terraform: test/literal-strings.test.ts.

test.each([
  ['${file("/etc/hosts")}', '$${file("/etc/hosts")}'],
  ['%{ if true }x%{ endif }', '%%{ if true }x%%{ endif }'],
  ['$${x}', '$$${x}'],
  ['100 %, $5, a$, {b}, ${', '100 %, $5, a$, {b}, $${'],
])('%s is written %s', (text, written) => {
  expect(literal(text)).toBe(written);
});

test('CDKTF finds none of its markers in what a caller says, even one that has the number of a real token', () => {
  const token = { produce: () => 'evaluated' };
  const markers = [
    Lazy.stringValue(token),
    Lazy.listValue({ produce: () => ['evaluated'] })[0] ?? '',
    `&{TfToken[TOKEN.0]}`,
    String(Lazy.numberValue({ produce: () => 1 })),
  ];
  for (const marker of markers) {
    expect(literal(marker)).not.toContain(marker);
    // No quote and no backslash, as the text may become part of JSON in JSON.
    expect(literal(marker)).not.toMatch(/["\\]/);
  }
});

test('numbers in a text are left alone', () => {
  const text = '1.5e10 -3e-7 0e12 ami-0e12345e67 1e100 19e89160546';
  expect(literal(text)).toBe(text);
});

test('reaches every string and key of plain data', () => {
  const bare = Object.assign(Object.create(null) as Record<string, unknown>, { '${a}': '${b}' });
  expect(literal({ list: ['${a}', { '%{b}': '${c}' }], bare, number: 1, off: false, nothing: null })).toEqual(
    {
      list: ['$${a}', { '%%{b}': '$${c}' }],
      bare: { '$${a}': '$${b}' },
      number: 1,
      off: false,
      nothing: null,
    },
  );
});

test('lets instances of classes through as they are: references are passed as constructs', () => {
  class Key {
    readonly arn = '${aws_kms_key.key.arn}';
  }
  const key = new Key();
  expect(literal({ key }).key).toBe(key);
});
