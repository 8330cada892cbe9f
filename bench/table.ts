/** One line of a bench: what was measured, and how it compares with the floor or the peer that the title names. */
export interface Row {
  case: string;
  value: number;
  unit: string;
  ratio: number;
}

export function printTable(rows: Row[]): void {
  const cells = rows.map(
    (row) => [row.case, `${row.value} ${row.unit}`, `${row.ratio.toFixed(2)}x`] as const,
  );
  const width = (column: 0 | 1 | 2) => Math.max(...cells.map((cell) => cell[column].length));
  for (const cell of cells) {
    console.log(
      `  ${cell[0].padEnd(width(0))}  ${cell[1].padStart(width(1))}  ${cell[2].padStart(width(2))}`,
    );
  }
}
