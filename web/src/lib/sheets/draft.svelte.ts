/** A mapping while it is being corrected. */
import type {
  Column,
  FieldInfo,
  FileView,
  Mapping,
  RowFill,
  RowKind,
  RowNote,
  Single,
} from './api';
import { columnNumber } from './cells';

export type Picked =
  | { kind: 'column'; column: string }
  | { kind: 'row'; row: number }
  | { kind: 'cell'; cell: string };

export class Draft {
  view = $state.raw<FileView>() as FileView;
  columns = $state.raw<Column[]>([]);
  fills = $state.raw<ReadonlyMap<number, RowFill>>(new Map());
  cells = $state.raw<Single[]>([]);
  header = $state.raw<{ from: number; to: number }>({ from: 1, to: 1 });
  /** Rows that a person has looked at. */
  seen = $state.raw<ReadonlySet<number>>(new Set());
  picked = $state.raw<Picked | null>(null);

  constructor(view: FileView, mapping: Mapping = view.proposal.mapping) {
    this.take(view, mapping);
  }

  take(view: FileView, mapping: Mapping = view.proposal.mapping): void {
    this.view = view;
    this.columns = mapping.columns;
    this.fills = new Map(mapping.rows.map((r) => [r.row, r.fill]));
    this.cells = mapping.cells;
    const rows = mapping.header_rows;
    this.header = { from: rows[0] ?? 1, to: rows[rows.length - 1] ?? 1 };
    // A mapping that was saved has been looked at.
    const own = mapping === view.proposal.mapping;
    this.seen = new Set(own ? [] : mapping.rows.map((r) => r.row));
    this.picked = null;
  }

  get kind(): RowKind {
    return this.view.proposal.mapping.rows_are;
  }
  get key(): string | null {
    return this.view.proposal.mapping.key_column;
  }

  column(name: string): Column | undefined {
    return this.columns.find((c) => c.column === name);
  }
  setColumn(name: string, field: FieldInfo | null): void {
    const rest = this.columns.filter((c) => c.column !== name);
    const was = this.column(name);
    const unit = field?.units.find((u) => u === was?.unit) ?? field?.units[0];
    const next = field && unit ? [...rest, { column: name, field: field.field, unit }] : rest;
    this.columns = next.sort((a, b) => columnNumber(a.column) - columnNumber(b.column));
  }
  changeColumn(name: string, part: Partial<Column>): void {
    this.columns = this.columns.map((c) => (c.column === name ? { ...c, ...part } : c));
  }

  setRow(row: number, fill: RowFill): void {
    this.fills = new Map([...this.fills, [row, fill]]);
    this.seen = new Set([...this.seen, row]);
  }
  /** Rows that still want a look: not recognised, or by a short name. */
  get open(): RowNote[] {
    return this.view.proposal.rows.filter(
      (r) => ['likely', 'ambiguous', 'unknown'].includes(r.state) && !this.seen.has(r.row),
    );
  }
  get filledRows(): number[] {
    return [...this.fills].filter(([, f]) => f.kind !== 'leave').map(([row]) => row);
  }
  get unresolved(): number {
    return this.view.proposal.rows.filter(
      (r) =>
        (r.state === 'unknown' || r.state === 'ambiguous') &&
        (this.fills.get(r.row)?.kind ?? 'leave') === 'leave' &&
        !this.seen.has(r.row),
    ).length;
  }
  /** Rows that a total adds up: all, or those of its own part. */
  parts(row: number, own: boolean): number[] {
    const filled = [...this.fills]
      .filter(([, f]) => f.kind === 'area' || f.kind === 'project')
      .map(([n]) => n)
      .sort((a, b) => a - b);
    if (!own) return filled;
    const totals = this.view.proposal.rows
      .filter((r) => r.state === 'total' || r.state === 'formula_total')
      .map((r) => r.row);
    const before = Math.max(0, ...totals.filter((n) => n < row));
    const above = filled.filter((n) => n > before && n < row);
    if (above.length > 0) return above;
    const after = Math.min(Infinity, ...totals.filter((n) => n > row));
    return filled.filter((n) => n > row && n < after);
  }

  single(cell: string): Single | undefined {
    return this.cells.find((c) => c.cell === cell);
  }
  setSingle(cell: string, text: string | null): void {
    const rest = this.cells.filter((c) => c.cell !== cell);
    this.cells = text === null ? rest : [...rest, { cell, text }];
  }

  /** Areas below one, from a row on, in the order of their codes. */
  fillInOrder(from: number, parent: string): number {
    const below = this.view.areas
      .filter((a) => a.parent === parent)
      .sort((a, b) => a.code.localeCompare(b.code));
    const next = new Map(this.fills);
    below.forEach((area, i) => next.set(from + i, { kind: 'area', code: area.code }));
    this.fills = next;
    return below.length;
  }

  get mapping(): Mapping {
    const { from, to } = this.header;
    return {
      sheet: this.view.grid.name,
      header_rows: Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i),
      key_column: this.key,
      rows_are: this.kind,
      columns: this.columns,
      rows: [...this.fills].sort((a, b) => a[0] - b[0]).map(([row, fill]) => ({ row, fill })),
      cells: this.cells,
    };
  }
}
