/** The indicator of a topic from the figures of an area, in one reading. */
import type { AreaFigures, ChildFigures, Figure, Light, Sector, Status, Target } from '$lib/api';
import type { Reading } from '$lib/view/url';

export interface Indicator {
  /** What is counted: natural villages (道路, 供水) or projects (other sectors). */
  unit: 'natural_village' | 'project';
  total: number;
  done: number;
  reported: number;
  approved: number;
  previous: { at: string; done: number } | null;
}

export function fromFigure(figure: Figure, reading: Reading): Indicator {
  return {
    unit: 'natural_village',
    total: figure.total,
    done: figure[reading],
    reported: figure.reported,
    approved: figure.approved,
    previous: figure.previous ? { at: figure.previous.at, done: figure.previous[reading] } : null,
  };
}

export function indicatorOf(figures: AreaFigures, topic: Sector, reading: Reading): Indicator {
  if (topic === 'road' || topic === 'water') {
    const whole = fromFigure(figures[topic], reading);
    // 未填报 is never 0: who has not reported is neither in the numerator nor in the denominator.
    for (const child of figures.children) {
      if (child.status !== 'not_reported') continue;
      const silent = fromFigure(child[topic], reading);
      whole.total -= silent.total;
      whole.done -= silent.done;
      whole.reported -= silent.reported;
      whole.approved -= silent.approved;
    }
    return whole;
  }
  const counts = figures.projects[topic];
  const total = (counts?.total ?? 0) - (counts?.cancelled ?? 0);
  const done = counts?.done ?? 0;
  return { unit: 'project', total, done, reported: done, approved: done, previous: null };
}

/** The goal of a topic that is due last: a later plan stands in the place of an earlier one. */
export function targetOf(targets: readonly Target[], topic: Sector): Target | undefined {
  const named = topic === 'clean_village' ? 'natural_village_clean' : topic;
  return targets
    .filter((x) => x.unit === '%' && (x.metric === named || x.metric.endsWith(`_${named}`)))
    .sort((a, b) => b.due_on.localeCompare(a.due_on))[0];
}

export function childIndicator(
  child: ChildFigures,
  topic: Sector,
  reading: Reading,
): Indicator | null {
  return topic === 'road' || topic === 'water' ? fromFigure(child[topic], reading) : null;
}

export const LIGHT_ORDER: readonly Light[] = ['late', 'warn', 'none', 'ok', 'todo', 'done'];

/** The mark of a project; who may not see its light sees its status. */
export function markOf(project: { light: Light | null; status: Status }): Mark {
  if (project.light) return project.light;
  if (project.status === 'cancelled') return 'no_task';
  return project.status === 'completed' ? 'ok' : project.status;
}

export type Mark = Light | 'no_task' | 'gap' | 'under_way' | 'not_started';

export type Tone = 'done' | 'ok' | 'warn' | 'late' | 'todo';

/** Colour of a bar that is held against a plan. */
export function toneOf(
  value: number,
  plan: number | null,
  limits: { lag_warn_pp: number; lag_late_pp: number },
): Tone {
  if (value >= 100) return 'done';
  if (plan === null) return 'done';
  const lag = Math.round((plan - value) * 100) / 100;
  if (lag > limits.lag_late_pp) return 'late';
  return lag > limits.lag_warn_pp ? 'warn' : 'ok';
}
