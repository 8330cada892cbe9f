import { chalk } from 'zx';
import type { Difference } from './difference';
import type { Access, Grant } from './grants';
import { grouped, rowsOf, sectionsOf, type Row, type Section } from './rows';

export interface TextOptions {
  /** Columns. */
  readonly width: number;
  /** Name every action, in place of the kinds of access. */
  readonly actions: boolean;
}

/** What a line is about: the first column, its width in characters. */
const LABEL = 14;
const INDENT = 2;
const GAP = 2;

/** Parts of what is left of a line: access, on what, when. */
const PARTS = { levels: [0.27, 0.41, 0.32], actions: [0.42, 0.29, 0.29] } as const;

/** Who may do what in an environment, as tables in plain text. */
export function accessTable(access: Access, options: TextOptions): string {
  const sections = sectionsOf(access, options.actions ? 'actions' : 'levels');
  const of = (...kinds: string[]) => sections.filter(({ kind }) => kinds.includes(kind));
  const chapter = (title: string, chosen: readonly Section[]) =>
    chosen.length === 0 ? [] : [chalk.bold(title), ...chosen.map((each) => sectionText(each, options))];
  return [
    chalk.bold(`Access in ${access.environment}`) + `, account ${access.account}, ${access.region}`,
    ...of('user', 'role').map((each) => sectionText(each, options)),
    ...chapter('The most that can be given to roles and users under a boundary', of('boundary')),
    ...chapter(
      'Policies of resources',
      sections.filter(({ kind }) => !['user', 'role', 'boundary'].includes(kind)),
    ),
  ].join('\n\n');
}

/** What is gained and lost, gained first. */
export function differenceTable(
  title: string,
  { gained, lost }: Difference,
  access: Access,
  width: number,
): string {
  const options = { width: width - 2, actions: true };
  const part = (word: string, mark: string, grants: readonly Grant[]) =>
    grants.length === 0
      ? `Nothing is ${word}.`
      : [
          `Access ${word}`,
          ...changesOf(grants, access).flatMap(({ name, rows }) => [
            name,
            ...rows.flatMap((row) => rowLines(row, changeLabel(row, word), options)),
          ]),
        ]
          .map((line) => `${mark} ${line}`)
          .join('\n');
  return [
    chalk.bold(title),
    gained.length > 0 ? chalk.red(part('gained', '+', gained)) : part('gained', '+', gained),
    part('lost', '-', lost),
  ].join('\n\n');
}

/** Grants by subject, in rows that name every action. A boundary that changes as its role does is told with it. */
export function changesOf(grants: readonly Grant[], access: Access): { name: string; rows: Row[] }[] {
  const changes = grouped(grants, ({ of }) => of).map((own) => ({
    name: own[0].of,
    rows: rowsOf(own, access, 'actions'),
  }));
  return grouped(changes, ({ rows }) => rows).map((same) => ({
    name: same.map(({ name }) => name).join(', '),
    rows: same[0].rows,
  }));
}

/** What a change is; a denial that is gone is access gained. */
export function changeLabel({ allowed, who, service }: Row, word: string): string {
  if (!allowed) return word === 'gained' ? 'denied no more' : 'denied now';
  return who === '' ? 'may' : service === 'Roles' ? 'taken on by' : 'lets in';
}

/** Access, or every action by name. */
export function accessIn({ service, levels, actions }: Row, detailed: boolean): string {
  return `${service}: ${levels.join(', ')}${detailed && actions.join() !== '*' ? ` (${actions.join(', ')})` : ''}`;
}

export const sentence = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');

function sectionText(section: Section, options: TextOptions): string {
  const { kind, name, description, boundary, others, may, mayNot, sameAs } = section;
  const isIdentity = ['user', 'role', 'boundary'].includes(kind);
  const line = (label: string, text: string) =>
    cells(label, [[text]], [options.width - INDENT - LABEL - GAP]);
  const lines = (label: string, rows: readonly Row[]) =>
    rows.flatMap((row, index) => rowLines(row, index === 0 ? label : '', options));
  const about = sentence([description, boundary && `under ${boundary}`]);
  return [
    `${chalk.bold(`${kind} ${name}`)}${about && chalk.dim(`  ${about}`)}`,
    ...(isIdentity
      ? [
          ...lines('taken on by', others),
          ...(sameAs === undefined
            ? may.length === 0
              ? line('may', 'nothing')
              : lines('may', may)
            : line('may', `what ${sameAs} may`)),
          ...lines('is denied', mayNot),
        ]
      : [
          ...lines(
            'lets in',
            others.filter(({ allowed }) => allowed),
          ),
          ...lines(
            'denies',
            others.filter(({ allowed }) => !allowed),
          ),
        ]),
  ].join('\n');
}

function rowLines(row: Row, label: string, { width, actions }: TextOptions): string[] {
  const room = width - INDENT - LABEL - GAP;
  const isTrust = row.service === 'Roles' && row.who !== '';
  if (isTrust) return cells(label, [[trustIn(row)]], [room]);
  const widths = PARTS[actions ? 'actions' : 'levels'].map((part) => Math.floor(part * (room - 2 * GAP)));
  const access = accessIn(row, actions);
  if (row.who === '') return cells(label, [[access], row.on, row.when], widths);
  return cells(label, [[row.who], [`${access} on ${row.on.join(', ')}`], row.when], widths);
}

/** Who may take on a role, in a sentence. */
export const trustIn = ({ who, when }: Row): string =>
  sentence([[who, when[0]].join(' ').trim(), ...when.slice(1)]);

/** A row of a table, on as many lines as its fullest cell takes. */
function cells(label: string, lists: readonly (readonly string[])[], widths: readonly number[]): string[] {
  const columns = lists.map((list, index) => wrapped(list, widths[index] ?? 0));
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    [
      `${' '.repeat(INDENT)}${(line === 0 ? label : '').padEnd(LABEL)}`,
      ...columns.map((lines, index) => (lines[line] ?? '').padEnd(widths[index] ?? 0)),
    ]
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

/** A list on lines of at most `width` characters, broken between its items, else between words, else anywhere. */
export function wrapped(list: readonly string[], width: number): string[] {
  const items = list.map((item, index) => visible(index < list.length - 1 ? `${item},` : item));
  const parts = items.flatMap((item) => (item.length <= width ? [item] : item.split(' ')));
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    if (line !== '' && line.length + 1 + part.length > width) {
      lines.push(line);
      line = part;
    } else line = line === '' ? part : `${line} ${part}`;
    while (line.length > width) {
      lines.push(line.slice(0, width));
      line = line.slice(width);
    }
  }
  return [...lines, line];
}

/** What a policy says must not steer a terminal. */
const visible = (text: string) => text.replaceAll(/\p{Cc}/gu, '�');
