/** What makes a reviewer look twice (DOMAIN: 数字脱贫). Hints, not verdicts. */
import { cents, daysBetween } from '../i18n';
import type { Project, Report } from '../api/types';

export type Check =
  | { kind: 'jump'; points: number; days: number }
  | { kind: 'over'; item: string }
  | { kind: 'money'; invested: number; points: number };

/** Faster than this many points a day is worth a question. */
const POINTS_PER_DAY = 1.5;
const MONEY_APART = 30;

export function checksOf(project: Project, report: Report): Check[] {
  const found: Check[] = [];
  const before = project.reports.find(
    (r) =>
      r.id !== report.id && r.review_state !== 'returned' && r.effective_on <= report.effective_on,
  );
  const since = before?.effective_on ?? project.started_on ?? project.planned_start_on;
  const points = report.percent - (report.previous_percent ?? before?.percent ?? 0);
  const days = Math.max(1, daysBetween(since, report.effective_on));
  if (points > 10 && points / days > POINTS_PER_DAY) found.push({ kind: 'jump', points, days });
  for (const q of project.quantities) {
    const done = report.items.find((x) => x.item === q.item)?.done ?? q.done;
    if (Math.round(done * 1000) > Math.round(q.planned * 1000))
      found.push({ kind: 'over', item: q.item });
  }
  const whole = cents(project.total_investment_yuan);
  const part = cents(report.invested_yuan);
  if (whole !== null && part !== null && whole > 0n) {
    const invested = Number((part * 1000n) / whole) / 10;
    const apart = Math.abs(invested - report.percent);
    if (apart > MONEY_APART) found.push({ kind: 'money', invested, points: apart });
  }
  return found;
}
