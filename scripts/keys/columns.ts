/** A table of left-aligned columns, each as wide as it needs to be; the last one may have any length. */
export function columns(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map((row) =>
      `  ${row.map((cell, column) => (column < row.length - 1 ? cell.padEnd(width(column)) : cell)).join('  ')}`.trimEnd(),
    )
    .join('\n');
}
