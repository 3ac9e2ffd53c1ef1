// Shapes of the HTTP API (docs: /api/docs). Dates are `YYYY-MM-DD`, money is a string in yuan.

export type Sector = 'road' | 'water' | 'relocation' | 'housing' | 'power' | 'clean_village';
export type AreaLevel = 'province' | 'city' | 'county' | 'town' | 'village';
export type Status = 'not_started' | 'under_way' | 'completed' | 'done' | 'cancelled';
export type Light = 'done' | 'late' | 'warn' | 'ok' | 'todo' | 'none';
export type NvStatus = 'done' | 'under_way' | 'not_started' | 'gap';
export type Service = 'bus' | 'power' | 'broadband' | 'clean_village';
/** West, south, east, north in degrees. */
export type Bbox = [number, number, number, number];
export type LonLat = [number, number];

/** A count of a total in both readings; rates are computed from counts, never sent. */
export interface Figure {
  total: number;
  reported: number;
  approved: number;
  previous: { at: string; reported: number; approved: number } | null;
}

export interface AreaRef {
  code: string;
  name: string;
  level: AreaLevel;
}

export interface ChildFigures extends AreaRef {
  fid: number;
  center: LonLat | null;
  status: 'ok' | 'no_task' | 'not_reported';
  road: Figure;
  water: Figure;
  late: number;
  villages: number;
}

export interface ProjectCounts {
  total: number;
  done: number;
  completed: number;
  under_way: number;
  not_started: number;
  cancelled: number;
  lights: Record<Light, number>;
}

export interface AreaFigures {
  area: AreaRef;
  at: string;
  seq: number;
  data_as_of: string;
  road: Figure;
  water: Figure;
  natural_villages: {
    total: number;
    counted: number;
    by_status: Record<NvStatus, number>;
    by_status_ok: Record<NvStatus, number>;
    uncounted: number;
  };
  villages: { total: number; poor: number };
  projects: Partial<Record<Sector, ProjectCounts>>;
  services: Partial<Record<Service, Figure>>;
  children: ChildFigures[];
  series: { date: string; reported: number; approved: number }[];
}

export interface Area extends AreaRef {
  fid: number;
  short_name: string;
  bbox: Bbox | null;
  center: LonLat | null;
  ancestors: (AreaRef & { bbox: Bbox | null })[];
  children_count: number;
  village: {
    poor: boolean;
    old_revolutionary: boolean;
    helper_unit: string | null;
    households: number | null;
    people: number | null;
    effective_on: string | null;
    source: string | null;
  } | null;
}

export interface Programme {
  name: string;
  locale_default: 'zh' | 'en';
  province: { code: string; name: string; bbox: Bbox; center: LonLat };
  business_date: string;
  first_date: string;
  seq: number;
  sectors: {
    sector: Sector;
    name_zh: string;
    name_en: string;
    items: {
      item: string;
      name_zh: string;
      name_en: string;
      unit_zh: string;
      unit_en: string;
      decimals: number;
      weight: number;
    }[];
  }[];
  states: { state: string; status: Status; name_zh: string; name_en: string }[];
  thresholds: {
    lag_warn_pp: number;
    lag_late_pp: number;
    start_late_days: number;
    no_update_days: number;
    choropleth: number[];
    red_line: number;
  };
  targets: {
    metric: string;
    scope: string;
    value: number;
    unit: string;
    due_on: string;
    document_no: string | null;
    section: string | null;
  }[];
  map_approval_no: string | null;
  attribution: string[];
  demo_accounts?: {
    login: string;
    password: string;
    display_name: string;
    unit_name: string;
    role: string;
  }[];
  version: string;
}

/** What the change feed tells a browser; `bbox` is null when the change has no place. */
export interface Change {
  seq: number;
  kind: string;
  project_id?: string;
  natural_village_ids?: string[];
  layers: string[];
  areas: string[];
  bbox: Bbox | null;
}
