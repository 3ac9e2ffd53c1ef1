/** 套表: the operations and shapes of `/api/v1/sheets`. */
import { client } from '$lib/api';

export type RowKind = 'area' | 'project';
export type Unit =
  'count' | 'km' | 'm' | 'yuan' | 'wan_yuan' | 'yi_yuan' | 'percent' | 'fraction' | 'text' | 'date';
export type Reading = 'reported' | 'approved';

export interface FieldInfo {
  field: string;
  rows: RowKind[];
  group_zh: string;
  group_en: string;
  name_zh: string;
  name_en: string;
  units: Unit[];
  by_reading: boolean;
  additive: boolean;
}
export interface Column {
  column: string;
  field: string;
  unit: Unit;
  reading?: Reading | null;
}
export type RowFill =
  | { kind: 'area'; code: string }
  | { kind: 'project'; code: string }
  | { kind: 'sum'; rows: number[] }
  | { kind: 'leave' };
export interface Row {
  row: number;
  fill: RowFill;
}
export interface Single {
  cell: string;
  text: string;
}
export interface Mapping {
  sheet: string;
  header_rows: number[];
  key_column: string | null;
  rows_are: RowKind;
  columns: Column[];
  rows: Row[];
  cells: Single[];
}
export interface Choice {
  code: string;
  name: string;
}
export interface AreaChoice extends Choice {
  level: string;
  parent: string | null;
}
export type RowState =
  'matched' | 'likely' | 'total' | 'formula_total' | 'outside' | 'ambiguous' | 'unknown';
export interface RowNote {
  row: number;
  text: string;
  state: RowState;
  suggestions: Choice[];
}
export interface ColumnNote {
  column: string;
  heading: string;
  state: 'names' | 'mapped' | 'formula' | 'unknown';
}
export interface Grid {
  name: string;
  rows: number;
  columns: number;
  cells: Record<string, { text: string; formula?: string }>;
  merges: { top: number; left: number; bottom: number; right: number }[];
  widths: number[];
}
export interface FileView {
  id: string;
  file_name: string;
  area: Choice;
  sheets: { name: string; hidden: boolean }[];
  grid: Grid;
  proposal: { mapping: Mapping; rows: RowNote[]; columns: ColumnNote[] };
  areas: AreaChoice[];
}
export interface Person {
  display_name: string;
  unit_name: string;
}
export interface SheetRow {
  id: string;
  name: string;
  area_code: string;
  area_name: string;
  version: number;
  file_id: string;
  file_name: string;
  recorded_by: Person;
  recorded_at: string;
  last_filled_at: string | null;
  last_filled_for: string | null;
}
export interface FillRow {
  id: string;
  version: number;
  at: string;
  reading: Reading;
  file_name: string;
  recorded_by: Person;
  recorded_at: string;
}
export interface Sheet extends SheetRow {
  mapping: Mapping;
  fills: FillRow[];
}
export type Missing = 'not_reported' | 'no_task' | 'not_known' | 'not_in_reading';
export interface Summary {
  rows_filled: number;
  cells_filled: number;
  sum_rows: number;
  formulas_kept: number;
  empty: { cell: string; row: string; field: string; field_en: string; reason: Missing }[];
  empty_count: number;
  partial: { cell: string; row: string; field: string; field_en: string; missing: number }[];
  skipped: { row: number; text: string; reason: 'left_alone' | 'not_found' }[];
  cells: { cell: string; text: string }[];
  /** Results of formulas that the server understands. */
  results: { cell: string; text: string }[];
}
export interface Filling {
  id: string;
  at: string;
  reading: Reading;
  file_name: string;
  bytes: number;
  summary: Summary;
}

/** As the server has it; a larger file is not even sent. */
export const MOST_BYTES = 1_000_000;

const path = encodeURIComponent;

export const sheets = {
  fields: () => client.get<FieldInfo[]>('/sheet-fields'),
  list: (signal?: AbortSignal) => client.get<{ items: SheetRow[] }>('/sheets', {}, signal),
  one: (id: string, signal?: AbortSignal) => client.get<Sheet>(`/sheets/${path(id)}`, {}, signal),
  upload: (file: File, area: string | undefined, key: string) =>
    client.upload<{ id: string }>('/sheet-files', { name: file.name, area }, file, key),
  file: (id: string, query: { sheet?: string; key?: string; rows_are?: RowKind } = {}) =>
    client.get<FileView>(`/sheet-files/${path(id)}`, query),
  create: (body: { name: string; file_id: string; mapping: Mapping }, key: string) =>
    client.post<{ id: string; version: number }>('/sheets', body, { key }),
  addVersion: (
    id: string,
    version: number,
    body: { file_id: string; mapping: Mapping },
    key: string,
  ) =>
    client.post<{ id: string; version: number }>(`/sheets/${path(id)}/versions`, body, {
      version,
      key,
    }),
  fill: (id: string, body: { at: string; reading: Reading }, key: string) =>
    client.post<Filling>(`/sheets/${path(id)}/fills`, body, { key }),
  download: (fill: string) => `/api/v1/sheet-fills/${path(fill)}/file`,
};
