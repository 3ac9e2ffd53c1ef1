/**
 * The shapes the server speaks (/api/v1). Money is a decimal string in yuan, dates are
 * YYYY-MM-DD in Asia/Shanghai, times are RFC 3339. `null` means "not known", never zero.
 */

export * from './project-types';
export * from './todo-types';
import type { ProjectRow } from './project-types';
import type { Reporting } from './todo-types';

export type Sector = 'road' | 'water' | 'relocation' | 'housing' | 'power' | 'clean_village';
export type Status = 'not_started' | 'under_way' | 'completed' | 'done' | 'cancelled';
/** 预警等级, in the order in which they win. `none` = under way but never reported (未填报). */
export type Light = 'done' | 'late' | 'warn' | 'ok' | 'todo' | 'none';
/** 口径: 上报数 or 审核数. */
export type Reading = 'reported' | 'approved';
export type AreaLevel = 'province' | 'city' | 'county' | 'town' | 'village';
export type NvStatus = 'done' | 'under_way' | 'not_started' | 'gap';
export type Service = 'bus' | 'power' | 'broadband' | 'clean_village';
export type ReviewState = 'submitted' | 'approved' | 'returned';
export type ReviewOutcome = 'approved' | 'returned';
export type LonLat = [number, number];
export type Bbox = [number, number, number, number];

export interface QuantityItem {
  item: string;
  name_zh: string;
  name_en: string;
  unit_zh: string;
  unit_en: string;
  decimals: number;
  weight: number;
}

export interface Thresholds {
  lag_warn_pp: number;
  lag_late_pp: number;
  start_late_days: number;
  no_update_days: number;
  choropleth: number[];
  red_line: number;
}

export interface Target {
  metric: string;
  scope: string;
  value: number;
  unit: string;
  due_on: string;
  document_no: string | null;
  section: string | null;
}

export interface DemoAccount {
  login: string;
  password: string;
  display_name: string;
  unit_name: string;
  role: string;
}

export interface Programme {
  name: string;
  locale_default: 'zh' | 'en';
  province: { code: string; name: string; bbox: Bbox; center: LonLat };
  business_date: string;
  first_date: string;
  seq: number;
  sectors: { sector: Sector; name_zh: string; name_en: string; items: QuantityItem[] }[];
  states: { state: string; status: Status; name_zh: string; name_en: string }[];
  thresholds: Thresholds;
  reporting: Reporting;
  targets: Target[];
  map_approval_no: string | null;
  attribution: string[];
  demo_accounts?: DemoAccount[];
  version: string;
}

export interface Grant {
  role: string;
  area: AreaRef;
  sectors: Sector[] | null;
  capabilities: string[];
}

export interface Account {
  id: string;
  login: string;
  display_name: string;
  unit_name: string;
  locale: 'zh' | 'en';
  grants: Grant[];
}

export interface Session {
  account: Account | null;
  csrf_token: string;
}

export interface Named {
  code: string;
  name: string;
}

export interface AreaRef extends Named {
  level: AreaLevel;
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

/** Counts of one indicator; rates are computed from them (total 0 = 无任务). */
export interface Figure {
  total: number;
  reported: number;
  approved: number;
  previous: { at: string; reported: number; approved: number } | null;
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

export interface ChildFigures extends AreaRef {
  fid: number;
  center: LonLat | null;
  status: 'ok' | 'no_task' | 'not_reported';
  road: Figure;
  water: Figure;
  late: number;
  villages: number;
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

export interface NaturalVillage {
  id: string;
  fid: number;
  code: string;
  name: string;
  village: Named;
  households: number | null;
  people: number | null;
  counted: boolean;
  status: NvStatus;
  status_ok: NvStatus;
  reached_on: string | null;
  water: boolean;
  water_ok: boolean;
  services: Partial<Record<Service, boolean>>;
  gap_km: number | null;
  center: LonLat;
  project: { id: string; name: string; state: string; light: Light | null } | null;
}

export interface ServiceState {
  service: string;
  served: boolean;
  effective_on: string | null;
  approved: boolean;
}

export interface NaturalVillageDetail extends NaturalVillage {
  service_states?: ServiceState[];
  projects?: ProjectRow[];
}

export interface SearchItem {
  kind: 'area' | 'natural_village' | 'project';
  code: string;
  id: string;
  name: string;
  level: AreaLevel | null;
  sector?: Sector | null;
  place: string;
  center: LonLat | null;
  bbox: Bbox | null;
}

export interface Change {
  seq: number;
  /** project, natural_village, road_segment, water_scheme, area, bulk (reload everything). */
  kind: string;
  project_id?: string | null;
  natural_village_ids?: string[];
  layers: string[];
  areas: string[];
  bbox: Bbox | null;
}
