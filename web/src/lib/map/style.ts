// The style of the map for one view. Draw order: fills, borders, relocation, hardened, not
// hardened, selection, points, names.
import type { StyleSpecification } from 'maplibre-gl';
import { areaLayers, SOURCE } from './layers/areas';
import { nameLayers, placeLayers } from './layers/labels';
import {
  projectLayers,
  reachedLayers,
  selectionLayers,
  unreachedLayer,
  waterLayers,
} from './layers/points';
import { relocationLayers, roadLayers } from './layers/roads';
import type { MapParams } from './params';

export { SOURCE } from './layers/areas';

/** Deepest zoom that is asked of the server; what is deeper is drawn from it. */
export const MAX_TILE_ZOOM = 14;

export function buildStyle(p: MapParams): StyleSpecification {
  return {
    version: 8,
    name: 'cuntong-light',
    // No `glyphs` and no `sprite`: nothing is fetched from anywhere else.
    sources: {
      [SOURCE]: {
        type: 'vector',
        tiles: [p.tilesUrl],
        minzoom: 0,
        maxzoom: MAX_TILE_ZOOM,
        bounds: p.bounds,
      },
    },
    layers: [
      ...areaLayers(p),
      ...relocationLayers(p),
      ...roadLayers(p),
      ...selectionLayers(p),
      ...waterLayers(p),
      ...reachedLayers(p),
      ...nameLayers(p),
      ...placeLayers(p),
      // Last, and so placed first: every name gives way to an unreached village.
      unreachedLayer(p),
      ...projectLayers(p),
    ],
  };
}
