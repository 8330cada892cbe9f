import type { LoggedDecision } from './front/decision-log';

/** Runs of the same decision count as one line. */
interface Line {
  cells: readonly string[];
  times: number;
}

/**
 * Decisions as a table for a terminal, one a line, oldest first: the result, who, what, on what, and why.
 *
 * @param width of the terminal, in characters; longer lines are cut. @default - nothing is cut
 */
export function decisionTable(decisions: readonly LoggedDecision[], width = Infinity): string {
  const lines: Line[] = [];
  for (const decision of decisions) {
    const cells = [
      decision.allowed ? 'allowed' : 'DENIED',
      decision.principal.replace(/^arn:aws:(iam|sts)::/, ''),
      decision.action,
      decision.resource,
      why(decision),
    ];
    const last = lines.at(-1);
    if (last?.cells.join('\n') === cells.join('\n')) last.times += 1;
    else lines.push({ cells, times: 1 });
  }
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(0, ...lines.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  return lines
    .map(({ cells, times }) => {
      const padded = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
      const line = `${padded}${times > 1 ? `  (${times} times)` : ''}`.trimEnd();
      return line.length > width ? `${line.slice(0, width - 1)}…` : line;
    })
    .join('\n');
}

function why({ by, statements, because }: LoggedDecision): string {
  if (by === 'administrator') return 'administrator';
  const deciding = statements.map(({ policy, statement }) => `${policy} #${statement}`).join(', ');
  return [because, deciding].filter((part) => part !== '').join(': ');
}
