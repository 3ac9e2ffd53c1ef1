// Administrative codes as text: 2 digits province, 2 city, 2 county, 3 town, 3 village.
import type { AreaLevel } from '$lib/api/types';

/** The level of a code by its shape. Needed before the server has told more about the area. */
export function levelOf(code: string): AreaLevel {
  if (code.length >= 12) return 'village';
  if (code.length >= 9) return 'town';
  if (code.endsWith('0000')) return 'province';
  return code.endsWith('00') ? 'city' : 'county';
}
