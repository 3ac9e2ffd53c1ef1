// The programme of this province: names, thresholds, dates. Loaded once before the page is drawn.
import type { Programme } from '$lib/api/types';
import { learnLevels } from './codes';

class ProgrammeStore {
  data = $state.raw<Programme | null>(null);
}

const store = new ProgrammeStore();

/** The programme; only valid after `loadProgramme` has answered. */
export function programme(): Programme {
  if (!store.data) throw new Error('programme is not loaded');
  return store.data;
}

export async function loadProgramme(fetcher: typeof fetch = fetch): Promise<Programme> {
  const response = await fetcher('/api/v1/programme', { headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`programme: ${response.status}`);
  store.data = (await response.json()) as Programme;
  learnLevels([{ code: store.data.province.code, level: 'province' }]);
  return store.data;
}
