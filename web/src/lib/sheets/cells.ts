/** Places in a sheet, as Excel names them. */
import type { Grid } from './api';

export function columnName(column: number): string {
  let name = '';
  for (let rest = column; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    name = String.fromCharCode(65 + ((rest - 1) % 26)) + name;
  }
  return name;
}

export function columnNumber(name: string): number {
  return [...name].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0);
}

export function splitCell(cell: string): { column: string; row: number } {
  const match = /^([A-Z]+)(\d+)$/.exec(cell);
  return { column: match?.[1] ?? '', row: Number(match?.[2] ?? 0) };
}

/** A cell of the table as it is drawn. */
export interface Shown {
  cell: string;
  row: number;
  column: number;
  text: string;
  formula: boolean;
  rowspan: number;
  colspan: number;
}

/** Rows of the table; what a merge covers is left out. */
export function layOut(grid: Grid, rows: number, columns: number): Shown[][] {
  const covered = new Set<string>();
  const spans = new Map<string, [number, number]>();
  for (const merge of grid.merges) {
    const bottom = Math.min(merge.bottom, rows);
    const right = Math.min(merge.right, columns);
    if (merge.top > rows || merge.left > columns) continue;
    spans.set(`${merge.top}:${merge.left}`, [bottom - merge.top + 1, right - merge.left + 1]);
    for (let row = merge.top; row <= bottom; row += 1) {
      for (let column = merge.left; column <= right; column += 1) {
        if (row !== merge.top || column !== merge.left) covered.add(`${row}:${column}`);
      }
    }
  }
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columns }, (__, c) => c + 1)
      .filter((column) => !covered.has(`${r + 1}:${column}`))
      .map((column) => {
        const cell = `${columnName(column)}${r + 1}`;
        const [rowspan, colspan] = spans.get(`${r + 1}:${column}`) ?? [1, 1];
        const found = grid.cells[cell];
        return {
          cell,
          row: r + 1,
          column,
          text: found?.text ?? '',
          formula: found?.formula !== undefined,
          rowspan,
          colspan,
        };
      }),
  );
}
