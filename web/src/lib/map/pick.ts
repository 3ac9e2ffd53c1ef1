// What lies under the pointer, in the order in which people mean it: a mark before a line, a line
// before land.
import type { Map as MapLibre, MapGeoJSONFeature, Point } from 'maplibre-gl';
import type { LonLat } from '$lib/api/types';
import type { MapParams } from './params';

export interface Pick {
  kind: 'project' | 'natural_village' | 'village' | 'area';
  /** Empty where the tile carries marks without names (low zooms). */
  code: string;
  at: LonLat;
  fid: number | null;
  name: string;
  /** Village that a natural village belongs to. */
  village: string | null;
  /** What the tile says about it, for the note beside the pointer. */
  properties: Readonly<Record<string, unknown>>;
}

const KINDS: [layer: string, kind: Pick['kind']][] = [
  ['nv-unreached', 'natural_village'],
  ['project-light', 'project'],
  ['project-point', 'project'],
  ['nv-reached', 'natural_village'],
  ['nv-small', 'natural_village'],
  ['village', 'village'],
  ['village-label', 'village'],
  ['village-other', 'village'],
  ['project-hit', 'project'],
  ['town-label', 'area'],
  ['area-rate', 'area'],
  ['area-hit-county', 'area'],
  ['area-hit-city', 'area'],
];

/** Fingers are wider than pointers. */
function reach(): number {
  return matchMedia('(pointer: coarse)').matches ? 12 : 4;
}

function toPick(feature: MapGeoJSONFeature, kind: Pick['kind'], at: LonLat): Pick | null {
  const { properties, id } = feature;
  const code = properties['code'];
  const named = typeof code === 'string' || typeof code === 'number';
  if (!named && kind === 'area') return null;
  return {
    kind,
    code: named ? String(code) : '',
    at,
    fid: typeof id === 'number' ? id : null,
    name: String(properties['name'] ?? ''),
    village: properties['village'] === undefined ? null : String(properties['village']),
    properties,
  };
}

export function pickAt(map: MapLibre, at: Point, p: MapParams): Pick | null {
  const layers = KINDS.map(([layer]) => layer).filter((id) => map.getLayer(id));
  const r = reach();
  const near = map.queryRenderedFeatures(
    [
      [at.x - r, at.y - r],
      [at.x + r, at.y + r],
    ],
    { layers },
  );
  const { lng, lat } = map.unproject(at);
  for (const [layer, kind] of KINDS) {
    const found = near.find((f) => f.layer.id === layer);
    const pick = found && toPick(found, kind, [lng, lat]);
    if (!pick) continue;
    // Land of the county that is shown already: a click on it asks for nothing.
    if (kind === 'area' && (pick.code === p.county || pick.code === p.area.code)) return null;
    return pick;
  }
  return null;
}
