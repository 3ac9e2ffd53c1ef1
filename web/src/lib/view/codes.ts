// The level of an area by its code: as the server told it, else by the shape of official codes
// (2 digits province, 2 city, 2 county, 3 town, 3 village). Imported programmes have codes of their own.
import { SvelteMap } from 'svelte/reactivity';
import type { AreaLevel } from '$lib/api/types';

const told = new SvelteMap<string, AreaLevel>();

/** Remembers what the server said of areas. */
export function learnLevels(areas: Iterable<{ code: string; level: AreaLevel }>): void {
  for (const { code, level } of areas) {
    if (told.get(code) !== level) told.set(code, level);
  }
}

/** The county that an area is or lies in, by the shape of official codes; null above counties. */
export function countyOf(code: string): string | null {
  const level = levelOf(code);
  if (level === 'county') return code;
  return level === 'town' || level === 'village' ? code.slice(0, 6) : null;
}

/** The level of an area; a guess before the server has told more about it. */
export function levelOf(code: string): AreaLevel {
  const known = told.get(code);
  if (known) return known;
  if (code.length >= 12) return 'village';
  if (code.length >= 9) return 'town';
  if (code.endsWith('0000')) return 'province';
  return code.endsWith('00') ? 'city' : 'county';
}
