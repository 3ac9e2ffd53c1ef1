/**
 * Percent, plan curve and light (预警等级) as the server derives them, so that the form can show
 * what a report will lead to before it is sent. The server's answer is the one that counts.
 */
import { daysBetween } from '../i18n/format';
import type { Light, Milestone, Status, Thresholds } from '../api/types';

export interface WeightedDone {
  planned: number;
  done: number;
  weight: number;
}

/** Lengths have three decimals at most; in thousandths they are integers and compare exactly. */
const thousandths = (value: number): number => Math.round(value * 1000);

/** Σ weight·min(done/planned, 1) ÷ Σ weight, in percent with two decimals. */
export function percentDone(quantities: readonly WeightedDone[]): number {
  let weights = 0;
  let sum = 0;
  let complete = quantities.length > 0;
  for (const q of quantities) {
    if (q.planned <= 0) continue;
    weights += q.weight;
    sum += q.weight * Math.min(q.done / q.planned, 1);
    if (thousandths(q.done) < thousandths(q.planned)) complete = false;
  }
  if (weights <= 0) return 0;
  if (complete) return 100;
  // Cut, not rounded: 100 means that every planned quantity is done, and nothing else does. The
  // small push keeps 0.675 from being read as 0.67499….
  return Math.min(Math.floor((sum / weights) * 10_000 + 1e-6) / 100, 99.99);
}

/** Planned percent on a day: straight lines between milestones, 0 before, the last after. */
export function plannedPercent(milestones: readonly Milestone[], on: string): number {
  const points = [...milestones].sort((a, b) => a.planned_on.localeCompare(b.planned_on));
  const first = points[0];
  if (!first || on < first.planned_on) return 0;
  for (let i = points.length - 1; i >= 0; i -= 1) {
    const from = points[i];
    if (!from || from.planned_on > on) continue;
    const to = points[i + 1];
    if (!to) return from.planned_percent;
    const length = daysBetween(from.planned_on, to.planned_on);
    if (length <= 0) continue;
    const share = daysBetween(from.planned_on, on) / length;
    return from.planned_percent + (to.planned_percent - from.planned_percent) * share;
  }
  return 0;
}

/** How many days ago the plan stood where the work stands now. */
export function lagDays(milestones: readonly Milestone[], percent: number, on: string): number {
  const points = [...milestones].sort((a, b) => a.planned_on.localeCompare(b.planned_on));
  for (let i = 0; i < points.length; i += 1) {
    const to = points[i];
    if (!to || to.planned_percent <= percent) continue;
    const from = points[i - 1];
    let day = to.planned_on;
    if (from && to.planned_percent > from.planned_percent) {
      const share = (percent - from.planned_percent) / (to.planned_percent - from.planned_percent);
      day = new Date(
        Date.parse(from.planned_on) +
          share * (Date.parse(to.planned_on) - Date.parse(from.planned_on)),
      )
        .toISOString()
        .slice(0, 10);
    }
    return Math.max(0, daysBetween(day, on));
  }
  return 0;
}

export interface LightFacts {
  status: Status;
  percent: number;
  planned: number;
  plannedStartOn: string;
  plannedFinishOn: string;
  startedOn: string | null;
  lastReportedOn: string | null;
}

/**
 * Order where rules overlap: done, late, warn, ok, todo; `none` is under way but never
 * reported. A boundary belongs to the milder side: lag of exactly 5 points is still ok.
 */
export function lightOf(facts: LightFacts, on: string, limits: Thresholds): Light {
  if (facts.status === 'done' || facts.status === 'completed' || facts.percent >= 100)
    return 'done';
  const startedLate = facts.startedOn === null ? daysBetween(facts.plannedStartOn, on) : 0;
  if (facts.status === 'not_started' && facts.startedOn === null) {
    if (on > facts.plannedFinishOn || startedLate > limits.start_late_days) return 'late';
    return startedLate > 0 ? 'warn' : 'todo';
  }
  if (on > facts.plannedFinishOn) return 'late';
  if (facts.lastReportedOn === null) return 'none';
  // Percentages carry two decimals; compare in hundredths so that 5.00 is not 5.000000001.
  const lag = Math.round((facts.planned - facts.percent) * 100);
  if (lag > limits.lag_late_pp * 100) return 'late';
  if (daysBetween(facts.lastReportedOn, on) > limits.no_update_days) return 'late';
  return lag > limits.lag_warn_pp * 100 ? 'warn' : 'ok';
}
