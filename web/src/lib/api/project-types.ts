/** Projects, their reports and reviews, as the server speaks of them. See types.ts for the rules. */
import type {
  Bbox,
  Light,
  LonLat,
  Named,
  NvStatus,
  QuantityItem,
  ReviewOutcome,
  ReviewState,
  Sector,
  Status,
} from './types';

export interface ProjectRow {
  id: string;
  fid: number;
  code: string;
  name: string;
  sector: Sector;
  kind: string;
  area: Named;
  county: Named;
  unit: string | null;
  state: string;
  status: Status;
  light: Light | null;
  percent: number;
  planned_percent: number | null;
  /** Null where there is nothing to compare: done, cancelled, never reported. */
  lag_pp: number | null;
  lag_days: number | null;
  planned_start_on: string;
  planned_finish_on: string;
  last_reported_on: string | null;
  total_investment_yuan: string | null;
  pending_review: boolean;
  center: LonLat | null;
  bbox: Bbox | null;
  version: number;
}

export interface ProjectPage {
  items: ProjectRow[];
  next_cursor: string | null;
  total: number;
  counts: {
    status: Partial<Record<Status, number>>;
    light: Partial<Record<Light, number>>;
    sector: Partial<Record<Sector, number>>;
  };
}

export interface Quantity extends QuantityItem {
  planned: number;
  done: number;
}

export interface Milestone {
  milestone: string;
  planned_on: string;
  planned_percent: number;
}

export interface Person {
  display_name: string;
  unit_name: string;
}

export interface Review {
  outcome: ReviewOutcome;
  reason: string;
  recorded_at: string;
  recorded_by: Person | null;
  /** The day by which a returned report is to be corrected. */
  mend_by?: string | null;
}

export interface Report {
  id: string;
  effective_on: string;
  recorded_at: string;
  recorded_by: Person | null;
  percent: number;
  previous_percent: number | null;
  invested_yuan: string | null;
  paid_yuan: string | null;
  items: { item: string; done: number }[];
  note: string;
  review_state: ReviewState;
  reviews: Review[];
  /** The returned report that this one corrects; it stays as it was. */
  corrects: string | null;
  /** The report that corrects this returned one. */
  corrected_by: string | null;
}

export interface Segment {
  fid: number;
  route: string | null;
  surface: string | null;
  km: number;
  from_node: string | null;
  to_node: string | null;
  hardened: boolean;
}

export interface ServedVillage {
  id: string;
  fid: number;
  code: string;
  name: string;
  households: number | null;
  people: number | null;
  status: NvStatus;
  reached_on: string | null;
  center: LonLat;
}

export interface Project extends ProjectRow {
  responsible: string | null;
  contractor: string | null;
  approval_no: string | null;
  approved_on: string | null;
  plan_year: number;
  stated_length_km: number | null;
  drawn_length_km: number | null;
  /** Null for the public. */
  invested_yuan: string | null;
  paid_yuan: string | null;
  allocated_yuan: string | null;
  started_on: string | null;
  completed_on: string | null;
  accepted_on: string | null;
  light_reason: {
    zh: string;
    en: string;
    threshold: number | null;
    document_no: string | null;
  } | null;
  quantities: Quantity[];
  milestones: Milestone[];
  funds: {
    source: string;
    allocated_yuan: string;
    paid_yuan: string;
    document_no: string | null;
  }[];
  natural_villages: ServedVillage[];
  segments: Segment[];
  last_report: Report | null;
  reports: Report[];
  permissions: {
    report: boolean;
    review: boolean;
    reason: string | null;
    reason_en?: string | null;
  };
  details: Record<string, unknown>;
  next_due_on: string | null;
}

export interface Revision {
  version: number;
  effective_on: string;
  recorded_at: string;
  recorded_by: Person | null;
  state: string;
  percent: number;
  invested_yuan: string;
  paid_yuan: string;
  reason: string;
  report_id: string | null;
  approved_at?: string | null;
  voided_at?: string | null;
  void_reason?: string | null;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
  total?: number;
}

export interface ReportDraft {
  effective_on: string;
  items: { item: string; done: number }[];
  invested_yuan?: string;
  paid_yuan?: string;
  note?: string;
  corrects?: string;
}

export interface ReportReceipt {
  report: Report;
  project: {
    id: string;
    version: number;
    state: string;
    status: Status;
    percent: number;
    light: Light | null;
  };
  seq: number;
}
