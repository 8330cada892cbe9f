import { chalk } from 'zx';
import { table } from '../steps';
import type { Check, Finding, Report } from './check';
import { pageOf } from './checks';

/** A report for people: what is waived and why, what is wrong, and how much passed. */
export function reportText(report: Report, checks: readonly Check[]): string {
  const { findings, waived, unmatched, passed, idle } = report;
  const stale = unmatched.map(({ id, resource }) => `  ${id}  ${resource}`);
  return [
    ...section('Waived', waived, checks),
    ...section('Found', findings, checks),
    ...(stale.length > 0
      ? [
          `${chalk.bold('Waivers without anything to waive')}: take them out of scripts/check/waivers.ts`,
          ...stale,
          '',
        ]
      : []),
    ...(idle.length > 0 ? [`Nothing to look at: ${idle.join(', ')}`] : []),
    `${checks.length} checks: passed ${passed} times, waived ${waived.length} times, ${findings.length} findings`,
  ].join('\n');
}

/** All checks with what they ask, and where that is described. */
export function listText(checks: readonly Check[]): string {
  const pages = [...new Set(checks.map(({ id }) => pageOf(id)))];
  return [table(checks.map(({ id, asks, on }) => [id, asks, on.join(', ')])), '', ...pages].join('\n');
}

type Row = Finding & { reason?: string };

/** By check and reason; what is the same in several environments is one line. */
function section(title: string, rows: readonly Row[], checks: readonly Check[]): string[] {
  const groups = groupedBy(rows, ({ id, reason }) => JSON.stringify([id, reason])).flatMap((group) => {
    const { id, reason } = group[0];
    const asks = checks.find((check) => check.id === id)?.asks ?? '';
    const same = groupedBy(group, ({ resource, argument, found }) =>
      JSON.stringify([resource, argument, found]),
    );
    const lines = same.map((findings) => {
      const [{ resource, argument, found }] = findings;
      return [findings.map(({ environment }) => environment).join(', '), resource, argument, found];
    });
    return [
      `${chalk.bold(id)}  ${asks}`,
      table(lines),
      ...(reason === undefined ? [] : [chalk.dim(`  ${reason}`)]),
      '',
    ];
  });
  return groups.length > 0 ? [chalk.bold.underline(title), ...groups] : [];
}

function groupedBy<T>(rows: readonly T[], key: (row: T) => string): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return [...groups.values()];
}
