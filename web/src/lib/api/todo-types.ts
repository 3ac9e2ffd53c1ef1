/** 我的待办 and 待审核, as the server speaks of them. See types.ts for the rules. */
import type { Named, ProjectRow, Quantity, Report, ReportReceipt } from './types';

export type TodoGroup = 'returned' | 'due' | 'late' | 'waiting';

export interface Reporting {
  cycle: 'ten_days' | 'month' | 'quarter';
  due_days: number;
  mend_days: number;
  period_first: string;
  period_last: string;
  period_due_on: string;
  document_no: string | null;
  effective_on: string | null;
}

export type QuantityLine = Omit<Quantity, 'weight'>;

export type LightRule =
  | 'accepted'
  | 'awaits_acceptance'
  | 'cancelled'
  | 'past_due'
  | 'lag'
  | 'start_late'
  | 'no_update'
  | 'never_reported'
  | 'within_plan'
  | 'not_due_yet';

export interface TodoItem {
  group: TodoGroup;
  due_on: string | null;
  /** By the business date; negative when overdue. */
  days_left: number | null;
  period_first: string | null;
  period_last: string | null;
  project: ProjectRow;
  /** The rule that decided the light, and its days where it counts days. */
  light_rule: LightRule;
  light_days: number | null;
  light_reason: { zh: string; en: string };
  quantities: QuantityLine[];
  returned: {
    report_id: string;
    effective_on: string;
    reason: string;
    returned_at: string;
    returned_by: { display_name: string; unit_name: string };
  } | null;
}

export interface TodoCounts {
  returned: number;
  due: number;
  overdue: number;
  late: number;
  waiting: number;
  reporting: number;
  reported: number;
}

export interface TodoPage {
  business_date: string;
  reporting: Reporting;
  counts: TodoCounts;
  items: TodoItem[];
  next_cursor: string | null;
  total: number;
}

/** Hints for a reviewer, never verdicts. */
export type Flag =
  | { flag: 'jump'; points: number; days: number }
  | { flag: 'decrease'; item: string; was: number; now: number }
  | { flag: 'backdated'; days: number }
  | { flag: 'over_plan'; item: string; planned: number; now: number }
  | { flag: 'money_apart'; invested_percent: number; points: number }
  | { flag: 'paid_ahead'; yuan: number };

/** The last approved report before one that waits. */
export type ApprovedReport = Pick<
  Report,
  'id' | 'effective_on' | 'percent' | 'invested_yuan' | 'paid_yuan' | 'items'
>;

export interface PendingReport extends Report {
  project: Pick<
    ProjectRow,
    | 'id'
    | 'code'
    | 'name'
    | 'sector'
    | 'state'
    | 'status'
    | 'percent'
    | 'version'
    | 'total_investment_yuan'
  > & { area: Named };
  approved: ApprovedReport | null;
  recorded_on: string;
  quantities: QuantityLine[];
  flags: Flag[];
}

export interface PendingPage {
  items: PendingReport[];
  next_cursor: string | null;
  total: number;
}

export interface ReviewResult {
  id: string;
  outcome: 'approved' | 'returned' | 'refused';
  project?: ReportReceipt['project'];
  problem?: { code: string; title: string; detail: string; detail_en?: string };
}

export interface ReviewResults {
  results: ReviewResult[];
  done: number;
  refused: number;
}
