/**
 * Percent, plan curve and light (预警等级) as the server derives them (src/domain/plan.rs and
 * lights.rs), so that the form can show what a report leads to before it is sent. The server's
 * answer is the one that counts. Percentages are whole hundredths inside, as in the database, so
 * that a threshold is met or not met and never "almost".
 */
import { addDays, daysBetween } from '../i18n/format';
import type { Light, Status, Thresholds } from '../api/types';

export interface WeightedDone {
  planned: number;
  done: number;
  weight: number;
}

const hundredths = (percent: number): number => Math.round(percent * 100);
const thousandths = (value: number): number => Math.round(value * 1000);

/** Σ weight·min(done/planned, 1) ÷ Σ weight, in percent, cut to two decimals. */
export function percentDone(quantities: readonly WeightedDone[]): number {
  let weights = 0;
  let earned = 0;
  for (const q of quantities) {
    weights += q.weight;
    earned += q.weight * Math.max(0, Math.min(q.done / q.planned, 1));
  }
  if (weights <= 0) return 0;
  if (isComplete(quantities)) return 100;
  // Cut, not rounded: 100 means that every planned quantity is done, and nothing else does. The
  // small push keeps 0.675 from being read as 0.67499….
  return Math.min(Math.floor((earned / weights) * 10_000 + 1e-6) / 100, 99.99);
}

export function isComplete(quantities: readonly WeightedDone[]): boolean {
  return (
    quantities.length > 0 && quantities.every((q) => thousandths(q.done) >= thousandths(q.planned))
  );
}

export interface PlanFacts {
  planned_start_on: string;
  planned_finish_on: string;
  milestones: readonly { planned_on: string; planned_percent: number }[];
}

interface Point {
  day: string;
  /** Hundredths of a percent. */
  height: number;
}

/** Points of the curve: 0 % at the planned start, 100 % at the planned finish at the latest. */
export function planPoints(plan: PlanFacts): Point[] {
  const byDay = new Map<string, number>();
  for (const m of plan.milestones) {
    const height = hundredths(m.planned_percent);
    byDay.set(m.planned_on, Math.max(height, byDay.get(m.planned_on) ?? height));
  }
  const points = [...byDay].map(([day, height]) => ({ day, height }));
  points.sort((a, b) => a.day.localeCompare(b.day));
  const first = points[0];
  if (!first || (first.height > 0 && plan.planned_start_on < first.day)) {
    points.unshift({ day: plan.planned_start_on, height: 0 });
  }
  const last = points[points.length - 1];
  if (
    !last ||
    points.length === 0 ||
    (last.height < 10_000 && plan.planned_finish_on >= last.day)
  ) {
    points.push({ day: plan.planned_finish_on, height: 10_000 });
  }
  return points;
}

function heightOn(points: readonly Point[], day: string): number {
  let i = points.length - 1;
  while (i >= 0 && (points[i]?.day ?? '') > day) i -= 1;
  const from = points[i];
  if (!from) return 0;
  const to = points[i + 1];
  if (!to) return from.height;
  const run = daysBetween(from.day, to.day);
  const rise = to.height - from.height;
  return from.height + Math.floor((2 * rise * daysBetween(from.day, day) + run) / (2 * run));
}

/** Planned cumulative percentage at the end of a day. */
export function plannedPercent(plan: PlanFacts, day: string): number {
  return heightOn(planPoints(plan), day) / 100;
}

/** Days since the plan asked for no more than this: 0 when the work is not behind. */
export function lagDays(plan: PlanFacts, percent: number, day: string): number {
  const points = planPoints(plan);
  const height = hundredths(percent);
  if (heightOn(points, day) <= height) return 0;
  const begin = points[0]?.day ?? plan.planned_start_on;
  const total = daysBetween(begin, day);
  for (let back = 1; back <= total; back += 1) {
    if (heightOn(points, addDays(day, -back)) <= height) return back;
  }
  return total + 1;
}

export interface ProgressFacts {
  status: Status;
  percent: number;
  started_on: string | null;
  last_reported_on: string | null;
}

/** Rules in the server's order: past due, lag, late start, silence; a limit must be exceeded. */
export function lightOf(
  plan: PlanFacts,
  progress: ProgressFacts,
  limits: Thresholds,
  day: string,
): Light | null {
  const { status } = progress;
  if (status === 'done') return 'done';
  if (status === 'completed') return 'ok';
  if (status === 'cancelled') return null;
  const waiting = status === 'not_started';
  const known = waiting || progress.last_reported_on !== null;
  const lag = known ? hundredths(plannedPercent(plan, day)) - hundredths(progress.percent) : 0;
  const startLate = waiting ? daysBetween(plan.planned_start_on, day) : 0;
  const heard = progress.last_reported_on ?? progress.started_on ?? plan.planned_start_on;
  const silent = waiting ? 0 : daysBetween(heard, day);

  if (day > plan.planned_finish_on) return 'late';
  if (lag > hundredths(limits.lag_late_pp)) return 'late';
  if (startLate > limits.start_late_days || silent > limits.no_update_days) return 'late';
  if (lag > hundredths(limits.lag_warn_pp) || startLate > 0) return 'warn';
  if (waiting) return 'todo';
  return progress.last_reported_on === null ? 'none' : 'ok';
}
