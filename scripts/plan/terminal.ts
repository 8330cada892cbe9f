import { chalk } from 'zx';
import { linesOf, type Line } from './lines';
import type { Remark } from './plan-changes';
import type { Item, Summary } from './summary';

const PAINT: Readonly<Record<Line['sign'], (text: string) => string>> = {
  '+': chalk.green,
  '-': chalk.red,
  '!': chalk.yellow,
  ' ': chalk.dim,
};

/** The summary for a terminal, in colours where there are any. */
export function terminal({ headline, warning, remarks, sections }: Summary): string {
  return [
    chalk.bold(headline),
    ...(warning === undefined ? [] : [chalk.red.bold(warning)]),
    ...remarks.map(said),
    ...sections.flatMap(({ title, isLoud, items }) => [
      '',
      isLoud ? chalk.red.bold(title) : chalk.bold(title),
      ...items.flatMap(shown),
    ]),
  ].join('\n');
}

function shown(item: Item): string[] {
  const { name, remarks } = item;
  const head = name === undefined ? [] : [`  ${name}  ${chalk.dim(remarks.map(said).join('; '))}`.trimEnd()];
  return [...head, ...linesOf(item).map(({ sign, text }) => PAINT[sign](`    ${sign} ${text}`))];
}

function said({ words, names = [] }: Remark): string {
  return [words, names.join(', ')].join(' ').trimEnd();
}
