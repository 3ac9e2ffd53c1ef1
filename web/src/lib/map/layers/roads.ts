// Roads: width is the class, colour and pattern are the state. What is hardened recedes; what is
// missing is thick, vermilion and beaded.
import type { LayerSpecification } from 'maplibre-gl';
import { C } from '../palette';
import { focusVillage, type MapParams } from '../params';
import { SOURCE } from './areas';
import { all, byZoom, eq, get, isOwn, width, type Expr } from './expr';

const BUTT = { 'line-cap': 'butt', 'line-join': 'round' } as const;
const ROUND = { 'line-cap': 'round', 'line-join': 'round' } as const;

/** Where the choropleth of a city still stands, roads wait. */
function firstZoom(p: MapParams, zoom: number): number {
  return p.area.level === 'city' ? Math.max(zoom, 9.6) : zoom;
}

/** In a village, what belongs to other villages steps back to 28 %. */
export function villageFade(p: MapParams): Expr | 1 {
  const village = focusVillage(p);
  return village
    ? ['case', ['any', ['!', ['has', 'village']], eq('village', village)], 1, 0.28]
    : 1;
}

export function roadLayers(p: MapParams): LayerSpecification[] {
  const layer = { source: SOURCE, 'source-layer': 'road' };
  const own = isOwn(p);
  const fade = villageFade(p);
  const casing: Expr = ['case', own, 1, 0];
  const isC = eq('class', 'C');
  const status = (s: string): Expr => eq('status', s);
  // Expressways, national and provincial roads: drawn as a county road if a ledger has them.
  const isMain: Expr = ['in', get('class'), ['literal', ['X', 'S', 'G']]];
  return [
    {
      id: 'road-c-casing',
      type: 'line',
      ...layer,
      filter: all(isC, status('done')),
      minzoom: 11,
      layout: ROUND,
      paint: {
        'line-color': C.white,
        'line-width': width([11, 2], [14, 6.5], [16, 12]),
        'line-opacity': casing,
      },
    },
    {
      id: 'road-c-done',
      type: 'line',
      ...layer,
      filter: all(isC, status('done')),
      minzoom: firstZoom(p, 9.2),
      layout: ROUND,
      paint: {
        'line-color': C.hardened,
        'line-width': width([9.2, 0.7], [11, 1.1], [14, 3.6], [16, 8]),
        'line-opacity': fade,
      },
    },
    {
      id: 'road-y-casing',
      type: 'line',
      ...layer,
      filter: eq('class', 'Y'),
      minzoom: firstZoom(p, 9),
      layout: ROUND,
      paint: {
        'line-color': C.white,
        'line-width': width([9, 1.8], [11, 3], [14, 8], [16, 15]),
        'line-opacity': casing,
      },
    },
    {
      id: 'road-y',
      type: 'line',
      ...layer,
      filter: eq('class', 'Y'),
      minzoom: firstZoom(p, 8.5),
      layout: ROUND,
      paint: {
        'line-color': ['case', own, '#A6B0B9', '#D9DEE1'],
        'line-width': width([8.5, 0.7], [11, 1.5], [14, 5], [16, 11]),
      },
    },
    {
      id: 'road-x-casing',
      type: 'line',
      ...layer,
      filter: isMain,
      minzoom: firstZoom(p, 8),
      layout: ROUND,
      paint: {
        'line-color': C.white,
        'line-width': width([8, 2.4], [11, 4.6], [14, 11], [16, 19]),
        'line-opacity': casing,
      },
    },
    {
      id: 'road-x',
      type: 'line',
      ...layer,
      filter: isMain,
      minzoom: firstZoom(p, p.area.level === 'province' ? 8.2 : 7.5),
      layout: ROUND,
      paint: {
        'line-color': ['case', own, '#7A8794', '#CDD3D8'],
        'line-width': width([7.5, 0.6], [9.5, 1.7], [11, 2.6], [14, 7], [16, 14]),
      },
    },
    ...unhardened(p),
  ] as LayerSpecification[];
}

function unhardened(p: MapParams): LayerSpecification[] {
  const layer = { source: SOURCE, 'source-layer': 'road', layout: BUTT };
  const status = (s: string): Expr => eq('status', s);
  const fade = { 'line-opacity': villageFade(p) };
  const from = firstZoom(p, 9);
  return [
    {
      id: 'road-todo-casing',
      type: 'line',
      ...layer,
      filter: ['in', get('status'), ['literal', ['not_started', 'under_way', 'gap']]],
      minzoom: from,
      paint: { 'line-color': C.white, 'line-width': width([9, 3], [11, 4.5], [14, 9.5], [16, 15]) },
    },
    {
      id: 'road-not-started',
      type: 'line',
      ...layer,
      filter: status('not_started'),
      minzoom: from,
      paint: {
        'line-color': C.todo,
        'line-width': width([9, 1.4], [11, 2], [14, 4], [16, 7]),
        'line-dasharray': [1.1, 1.1],
        ...fade,
      },
    },
    {
      id: 'road-under-way',
      type: 'line',
      ...layer,
      filter: status('under_way'),
      minzoom: from,
      paint: {
        'line-color': C.warn,
        'line-width': width([9, 1.6], [11, 2.4], [14, 5], [16, 9]),
        ...fade,
      },
    },
    {
      id: 'road-under-way-tick',
      type: 'line',
      ...layer,
      filter: status('under_way'),
      minzoom: 11,
      paint: {
        'line-color': C.white,
        'line-width': width([9, 0.6], [11, 0.9], [14, 2], [16, 3.6]),
        'line-dasharray': [3, 2],
      },
    },
    {
      id: 'road-gap',
      type: 'line',
      ...layer,
      filter: status('gap'),
      minzoom: from,
      paint: {
        'line-color': C.late,
        'line-width': width([9, 2.2], [11, 3], [14, 6], [16, 10]),
        ...fade,
      },
    },
    {
      id: 'road-gap-core',
      type: 'line',
      ...layer,
      filter: status('gap'),
      minzoom: 11,
      paint: {
        'line-color': C.white,
        'line-width': width([11, 1.2], [14, 2.6], [16, 5]),
        'line-dasharray': [0.8, 0.8],
      },
    },
  ] as LayerSpecification[];
}

export function relocationLayers(p: MapParams): LayerSpecification[] {
  const layer = { source: SOURCE, 'source-layer': 'relocation_project' };
  const visibility = p.overlays.has('relocation') || p.topic === 'relocation' ? 'visible' : 'none';
  return [
    {
      id: 'relocation-line',
      type: 'line',
      ...layer,
      minzoom: p.topic === 'relocation' ? 8.5 : 9.5,
      layout: { 'line-cap': 'round', visibility },
      paint: {
        'line-color': C.relocation,
        'line-width': byZoom([10, 1], [14, 2]),
        'line-dasharray': [0.2, 2.2],
        'line-opacity': 0.85,
      },
    },
    {
      id: 'relocation-arrow',
      type: 'symbol',
      ...layer,
      minzoom: 10,
      layout: {
        'symbol-placement': 'line-center',
        'icon-image': 'arrow',
        'icon-size': byZoom([10, 0.75], [14, 1.1]),
        'icon-rotation-alignment': 'map',
        'icon-allow-overlap': true,
        visibility,
      },
    },
  ] as LayerSpecification[];
}
