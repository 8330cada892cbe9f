import type { Difference } from './difference';
import type { Access, Grant } from './grants';
import { accessIn, changeLabel, changesOf } from './text';

/** What is gained and lost, gained first, for the summary of a pull request. */
export function differenceMarkdown(title: string, { gained, lost }: Difference, access: Access): string {
  return [
    `## ${escaped(title)}`,
    part('gained', '🔺', gained, access),
    part('lost', '🔻', lost, access),
  ].join('\n\n');
}

function part(word: string, mark: string, grants: readonly Grant[], access: Access): string {
  if (grants.length === 0) return `No access is ${word}.`;
  const rows = changesOf(grants, access).flatMap(({ name, rows }) =>
    rows.map((row) =>
      [
        mark,
        name,
        `${changeLabel(row, word)}${row.who && ` ${row.who}`}`,
        row.service === 'Roles' && row.who !== '' ? '' : accessIn(row, true),
        row.on.join(', '),
        row.when.join(', '),
      ]
        .map(escaped)
        .join(' | '),
    ),
  );
  return [
    `### ${mark} Access ${word}`,
    '',
    '| | of | | access | on | when |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

const escaped = (text: string) =>
  text
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll(/[\\`*_{}[\]<>|~@&#]/g, (character) => `&#${character.charCodeAt(0)};`);
