import { describe, expect, it } from 'vitest';
import { columnName, columnNumber, layOut, splitCell } from './cells';

describe('places in a sheet', () => {
  it('columns have letters, there and back', () => {
    for (const [number, name] of [
      [1, 'A'],
      [26, 'Z'],
      [27, 'AA'],
      [256, 'IV'],
    ] as const) {
      expect(columnName(number)).toBe(name);
      expect(columnNumber(name)).toBe(number);
    }
    expect(splitCell('AB12')).toEqual({ column: 'AB', row: 12 });
  });

  it('a merge is one cell, cut where the table ends', () => {
    const grid = {
      name: 's',
      rows: 2,
      columns: 3,
      widths: [],
      cells: { A1: { text: '标题' }, B2: { text: '', formula: 'A2*2' } },
      merges: [{ top: 1, left: 1, bottom: 1, right: 9 }],
    };
    const rows = layOut(grid, 2, 3);
    expect(rows[0]).toHaveLength(1);
    expect(rows[0]?.[0]).toMatchObject({ text: '标题', colspan: 3, rowspan: 1 });
    expect(rows[1]?.map((c) => c.formula)).toEqual([false, true, false]);
  });
});
