import { isRecord, records, shown, text, type Context } from './ask';

/** Tags that a request gives, in any of the forms that services have for them. */
export function givenTags(input: Readonly<Record<string, unknown>>): Record<string, string> {
  const found = input.Tags ?? input.tags ?? input.TagList ?? input.AddTags;
  if (isRecord(found))
    return Object.fromEntries(Object.entries(found).map(([key, value]) => [key, shown(value) ?? '']));
  return tagsIn(found);
}

/** A list of tags as a record: `[{ Key, Value }]`, or KMS's `[{ TagKey, TagValue }]`. */
export function tagsIn(list: unknown): Record<string, string> {
  return Object.fromEntries(
    records(list).map((tag) => [
      text(tag.Key ?? tag.key ?? tag.TagKey) ?? '',
      shown(tag.Value ?? tag.value ?? tag.TagValue) ?? '',
    ]),
  );
}

/** `aws:RequestTag/…` and `aws:TagKeys`, with further keys that a request names without values (to remove them). */
export function requestTagContext(
  tags: Readonly<Record<string, string>>,
  removed: readonly string[] = [],
): Context {
  const keys = [...Object.keys(tags), ...removed];
  return {
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    'aws:TagKeys': keys.length > 0 ? keys : undefined,
  };
}

/** Keys of the tags that a request removes. */
export function removedTagKeys(input: Readonly<Record<string, unknown>>): string[] {
  const found = input.TagKeys ?? input.tagKeys ?? input.RemoveTags;
  return [found].flat().filter((key): key is string => typeof key === 'string');
}
