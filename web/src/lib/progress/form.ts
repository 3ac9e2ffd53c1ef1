/**
 * What a clerk typed, held against the project: values, faults by field, the percent and light
 * it leads to. Pure, so that every rule can be tested without a page.
 */
import type { Light, Project, Quantity, Report, ReportDraft, Thresholds } from '../api/types';
import { cents, plainDigits, wanExact, yuanFromWan } from '../i18n/money';
import type { Draft } from './drafts';
import { isComplete, lightOf, percentDone, plannedPercent } from './plan';

/** Why a field cannot be sent; the words are in the dictionary of the form. */
export type Fault =
  | 'not_a_number'
  | 'too_many_decimals'
  | 'falls'
  | 'over_plan'
  | 'over_plan_far'
  | 'not_money'
  | 'money_falls'
  | 'after_today'
  | 'before_last'
  | 'no_date';

export interface Typed {
  effectiveOn: string;
  items: Record<string, string>;
  invested: string;
  paid: string;
  note: string;
}

export interface Outcome {
  values: Record<string, number>;
  faults: Partial<Record<string, Fault>>;
  complete: boolean;
  percent: number;
  previous: number;
  planned: number;
  light: Light | null;
  ready: boolean;
  body: ReportDraft;
}

/** How far over the plan a quantity may go when the note says why. */
const OVER_PLAN = 1.2;

/** "1.02" of a field; null when it is not a plain number. */
export function parseQuantity(typed: string): number | null {
  const text = plainDigits(typed);
  if (!/^\d+(\.\d*)?$|^\.\d+$/.test(text)) return null;
  return Number(text);
}

function quantityFault(quantity: Quantity, typed: string, note: string): Fault | null {
  const value = parseQuantity(typed);
  if (value === null) return 'not_a_number';
  const decimals = plainDigits(typed).replace(/0+$/, '').split('.')[1]?.length ?? 0;
  if (decimals > quantity.decimals) return 'too_many_decimals';
  if (value < quantity.done) return 'falls';
  // In thousandths: 1.2 × 1.2 must not be refused for the fifteenth decimal.
  const over = Math.round(value * 1000) - Math.round(quantity.planned * 1000);
  if (over <= 0) return null;
  if (Math.round(value * 1000) > Math.round(quantity.planned * OVER_PLAN * 1000))
    return 'over_plan_far';
  return note.trim() === '' ? 'over_plan' : null;
}

function moneyFault(typed: string, before: string | null): Fault | null {
  const yuan = yuanFromWan(typed);
  if (yuan === null) return 'not_money';
  return (cents(yuan) ?? 0n) < (cents(before) ?? 0n) ? 'money_falls' : null;
}

export function evaluate(
  project: Project,
  typed: Typed,
  today: string,
  limits: Thresholds,
): Outcome {
  const faults: Outcome['faults'] = {};
  const values: Record<string, number> = {};
  const quantities = project.quantities.map((quantity) => {
    const text = typed.items[quantity.item] ?? '';
    const fault = quantityFault(quantity, text, typed.note);
    if (fault) faults[`items.${quantity.item}`] = fault;
    const done = parseQuantity(text) ?? quantity.done;
    values[quantity.item] = done;
    return { ...quantity, done };
  });

  const last = project.last_report?.effective_on ?? project.last_reported_on;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(typed.effectiveOn)) faults.effective_on = 'no_date';
  else if (typed.effectiveOn > today) faults.effective_on = 'after_today';
  else if (last && typed.effectiveOn < last) faults.effective_on = 'before_last';

  for (const [field, text, before] of [
    ['invested_yuan', typed.invested, project.invested_yuan],
    ['paid_yuan', typed.paid, project.paid_yuan],
  ] as const) {
    const fault = text.trim() === '' ? null : moneyFault(text, before);
    if (fault) faults[field] = fault;
  }

  const complete = isComplete(quantities);
  const percent = percentDone(quantities);
  const grew = project.quantities.some((q) => (values[q.item] ?? q.done) > q.done);
  const status = complete ? 'completed' : grew ? 'under_way' : project.status;
  const on = faults.effective_on ? today : typed.effectiveOn;
  const invested = typed.invested.trim() === '' ? null : yuanFromWan(typed.invested);
  const paid = typed.paid.trim() === '' ? null : yuanFromWan(typed.paid);
  return {
    values,
    faults,
    complete,
    percent,
    previous: project.percent,
    planned: plannedPercent(project, on),
    // The light of today, as the map will show it, not that of the day reported.
    light: lightOf(
      project,
      { status, percent, started_on: project.started_on ?? on, last_reported_on: on },
      limits,
      today,
    ),
    ready: Object.keys(faults).length === 0,
    body: {
      effective_on: typed.effectiveOn,
      items: project.quantities.map((q) => ({ item: q.item, done: values[q.item] ?? q.done })),
      ...(invested === null ? {} : { invested_yuan: invested }),
      ...(paid === null ? {} : { paid_yuan: paid }),
      ...(typed.note.trim() === '' ? {} : { note: typed.note.trim() }),
    },
  };
}

/** What a draft sends, without the project at hand: for the outbox. Faults are the server's. */
export function bodyOfDraft(draft: Draft): ReportDraft {
  const invested = draft.invested.trim() === '' ? null : yuanFromWan(draft.invested);
  const paid = draft.paid.trim() === '' ? null : yuanFromWan(draft.paid);
  return {
    effective_on: draft.effectiveOn,
    items: Object.entries(draft.items).flatMap(([item, text]) => {
      const done = parseQuantity(text);
      return done === null ? [] : [{ item, done }];
    }),
    ...(invested === null ? {} : { invested_yuan: invested }),
    ...(paid === null ? {} : { paid_yuan: paid }),
    ...(draft.note.trim() === '' ? {} : { note: draft.note.trim() }),
    ...(draft.corrects ? { corrects: draft.corrects } : {}),
  };
}

/** The report that the next one corrects: the newest, when it came back. */
export function toCorrect(project: Pick<Project, 'reports'>): Report | null {
  const newest = project.reports[0];
  return newest?.review_state === 'returned' ? newest : null;
}

/** What stands in the fields of a correction: what the clerk had written, not what came before. */
export function typedBefore(project: Project, report: Report): Typed {
  return {
    effectiveOn: report.effective_on,
    items: Object.fromEntries(
      project.quantities.map((q) => [
        q.item,
        plainNumber(report.items.find((x) => x.item === q.item)?.done ?? q.done, q.decimals),
      ]),
    ),
    invested: wanExact(report.invested_yuan ?? project.invested_yuan),
    paid: wanExact(report.paid_yuan ?? project.paid_yuan),
    note: report.note,
  };
}

/** A number for a field: as short as it is exact. */
export function plainNumber(value: number, decimals: number): string {
  const full = value.toFixed(decimals);
  if (decimals <= 2) return full;
  return full.replace(/0$/, '');
}
