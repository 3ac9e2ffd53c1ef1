// The one figure of a topic, from the figures of the area.
import type { AreaFigures, Figure } from '$lib/api/types';
import type { Reading, Topic } from '$lib/view/url';

export interface Metric {
  done: number;
  total: number;
  /** Done a quarter earlier; null where it is not known. */
  before: number | null;
}

function of(figure: Figure, reading: Reading): Metric {
  return {
    done: figure[reading],
    total: figure.total,
    before: figure.previous ? figure.previous[reading] : null,
  };
}

/** Roads and water are counted by what they serve; the other topics by projects. */
export function metricOf(figures: AreaFigures, topic: Topic, reading: Reading): Metric | null {
  if (topic === 'road') return of(figures.road, reading);
  if (topic === 'water') return of(figures.water, reading);
  const projects = figures.projects[topic];
  if (!projects) return null;
  return { done: projects.done, total: projects.total - projects.cancelled, before: null };
}
