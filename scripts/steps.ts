import { chalk } from 'zx';

/** How often a step that goes on says so where there is no terminal to redraw, in milliseconds. */
const REPORT_EVERY = 10_000;

/**
 * Runs a step and tells of it: what, how far, how long. On a terminal one line is redrawn; elsewhere (a pipeline's
 * log) a line comes every ten seconds.
 *
 * @param run gets a function that says how far it is
 */
export async function step<T>(
  title: string,
  run: (progress: (text: string) => void) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const terminal = process.stdout.isTTY;
  let progress = '';
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const draw = () => {
    const line = `  ${title}  ${seconds()}${progress ? `  ${progress}` : ''}`;
    if (terminal) process.stdout.write(`\r\x1b[2K${chalk.dim(line.slice(0, process.stdout.columns - 1))}`);
    else console.log(line);
  };
  const timer = setInterval(draw, terminal ? 200 : REPORT_EVERY);
  const end = (mark: string) => {
    clearInterval(timer);
    console.log(`${terminal ? '\r\x1b[2K' : ''}${mark} ${title}  ${chalk.dim(seconds())}`);
  };
  try {
    const result = await run((text) => (progress = text));
    end(chalk.green('✓'));
    return result;
  } catch (error) {
    end(chalk.red('✗'));
    throw error;
  }
}

/** Left-aligned columns, each as wide as it needs to be; the last one may have any length. */
export function table(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map((row) =>
      `  ${row.map((cell, column) => (column < row.length - 1 ? cell.padEnd(width(column)) : cell)).join('  ')}`.trimEnd(),
    )
    .join('\n');
}

/** Counts what Terraform has done, from its lines. */
export function terraformProgress(tell: (text: string) => void): (line: string) => void {
  let planned = 0;
  let done = 0;
  return (line) => {
    const plan = /Plan: (\d+) to add, (\d+) to change, (\d+) to destroy/.exec(line);
    if (plan) planned = plan.slice(1).reduce((sum, count) => sum + Number(count), 0);
    if (/: (Creation|Destruction|Modifications) complete/.test(line)) done += 1;
    const waiting = /(aws_\w+)\.\S+: Still (creating|destroying)/.exec(line);
    tell(
      planned === 0
        ? 'planning'
        : `${done} of ${planned} resources${waiting ? `, waiting for ${waiting[1] ?? ''}` : ''}`,
    );
  };
}
