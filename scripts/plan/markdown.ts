import { linesOf } from './lines';
import type { Remark } from './plan-changes';
import type { Item, Section, Summary } from './summary';

/** Bytes. GitHub takes 1 MiB from a step (GitHub Docs, "Adding a job summary"); a little is left for what else it says. */
export const LONGEST_MARKDOWN = 1024 * 1024 - 8 * 1024;
/** Bytes for the sentence that counts what was left out. */
const ROOM_FOR_COUNT = 300;

/** A piece that stands or goes as a whole. */
interface Block {
  text: string;
  /** What it is counted as when it is left out. @default - it always stands */
  noun?: string;
}

/**
 * The summary as GitHub's Markdown. What plans and states hold becomes neither Markdown nor HTML: it stands in code.
 *
 * @param longest bytes. What doesn't fit is left out and counted, but never the name of what is destroyed or replaced
 */
export function markdown({ headline, warning, remarks, sections }: Summary, longest: number): string {
  const top = [
    `## ${escaped(headline)}`,
    ...(warning === undefined ? [] : [`> ⛔ **${escaped(warning)}**`]),
    ...remarks.map(said),
  ].map((text) => `${text}\n\n`);
  const { kept, left } = within(
    sections.flatMap(blocks),
    longest - Buffer.byteLength(top.join('')) - ROOM_FOR_COUNT,
  );
  const count = [...left].map(([noun, number]) => `${number} ${noun}`).join(', ');
  const cut = count === '' ? [] : [`**Too long to be shown whole. Left out: ${count}.**\n\n`];
  return [...top, ...cut, ...kept].join('');
}

function blocks({ title, noun, isLoud, items }: Section): Block[] {
  return [
    { text: `### ${title}\n\n` },
    ...items.flatMap((item): Block[] => {
      const details = detailsOf(item);
      if (!isLoud) return [{ text: headOf(item) + details, noun }];
      return [
        { text: headOf(item) },
        ...(details === '' ? [] : [{ text: details, noun: `details of ${noun}` }]),
      ];
    }),
    { text: '\n' },
  ];
}

function headOf({ name, remarks }: Item): string {
  return name === undefined ? '' : `- ${[code(name), remarks.map(said).join('; ')].join(' ').trimEnd()}\n`;
}

/** Indented: a part of the list's item. */
function detailsOf(item: Item): string {
  const lines = linesOf(item).map(({ sign, text }) => `${sign} ${text}`);
  if (lines.length === 0) return '';
  const ticks = '`'.repeat(Math.max(3, longestRun(lines.join('\n')) + 1));
  const indent = item.name === undefined ? '' : '  ';
  return `${[`${ticks}diff`, ...lines, ticks].map((line) => indent + line).join('\n')}\n`;
}

function within(all: Block[], bytes: number): { kept: string[]; left: Map<string, number> } {
  const left = new Map<string, number>();
  const size = ({ text }: Block) => Buffer.byteLength(text);
  const standing = all.filter(({ noun }) => noun === undefined);
  let rest = bytes - standing.reduce((sum, each) => sum + size(each), 0);
  const kept = all.filter((block) => {
    if (block.noun === undefined) return true;
    if (size(block) <= rest) {
      rest -= size(block);
      return true;
    }
    left.set(block.noun, (left.get(block.noun) ?? 0) + 1);
    return false;
  });
  return { kept: kept.map(({ text }) => text), left };
}

function said({ words, names = [] }: Remark): string {
  return [words, names.map(code).join(', ')].join(' ').trimEnd();
}

function code(text: string): string {
  const ticks = '`'.repeat(longestRun(text) + 1);
  const space = text.includes('`') ? ' ' : '';
  return ticks + space + text + space + ticks;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
}

function escaped(text: string): string {
  return text.replace(/[\\`*_[\]<>|~#]/g, '\\$&');
}
