// The figures of the area shown, at the date shown. Rail, legend, time bar and area panel read the
// same object, so that no two numbers on a screen can disagree.
import type { AreaFigures, Area, Change } from '$lib/api/types';
import { onChange } from '$lib/live';
import { learnLevels } from './codes';
import { view } from './view.svelte';

class Figures {
  data = $state.raw<AreaFigures | null>(null);
  area = $state.raw<Area | null>(null);
  status = $state<'loading' | 'ready' | 'error'>('loading');
}

export const figures = new Figures();

async function getJson<T>(path: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(path, { headers: { accept: 'application/json' }, signal });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as T;
}

/** Reloads what is shown; the old figures stay until the new ones are here. */
async function load(code: string, at: string | null, signal: AbortSignal): Promise<void> {
  const when = at ? `?at=${at}` : '';
  try {
    const [area, data] = await Promise.all([
      getJson<Area>(`/api/v1/areas/${code}${when}`, signal),
      getJson<AreaFigures>(`/api/v1/areas/${code}/figures${when}`, signal),
    ]);
    if (signal.aborted) return;
    learnLevels([area, ...data.children]);
    figures.area = area;
    figures.data = data;
    figures.status = 'ready';
  } catch (error) {
    if (signal.aborted) return;
    console.warn('figures', error);
    figures.status = 'error';
  }
}

function concerns(change: Change, code: string): boolean {
  return change.kind === 'bulk' || change.areas.length === 0 || change.areas.includes(code);
}

/** Keeps the figures in step with area, date and the change feed. Call once. */
export function startFigures(): () => void {
  let running: AbortController | null = null;
  const refresh = () => {
    running?.abort();
    running = new AbortController();
    void load(view.area, view.at, running.signal);
  };
  const stopFeed = onChange((change) => {
    if (concerns(change, view.area)) refresh();
  });
  const stopEffect = $effect.root(() => {
    $effect(() => {
      // Named here so that the effect follows them: `refresh` reads them untracked later.
      void view.area;
      void view.at;
      if (figures.data?.area.code !== view.area) figures.status = 'loading';
      refresh();
    });
  });
  return () => {
    stopFeed();
    stopEffect();
    running?.abort();
  };
}
