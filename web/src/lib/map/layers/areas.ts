// Land, choropleth and borders. Fills end where roads begin: at 8.5 for the province, later when a
// city is shown, whose counties are coloured then.
import type { LayerSpecification } from 'maplibre-gl';
import { CLASSES, C } from '../palette';
import type { MapParams } from '../params';
import { all, byZoom, eq, get, isPolygon, NOTHING, reading, type Expr, type Filter } from './expr';

export const SOURCE = 'cuntong';

const polygon = (level: string): Expr => all(eq('level', level), isPolygon);

/** The rate that the topic colours areas by; null where a topic has no rate of areas. */
export function areaRate(p: MapParams): Expr | null {
  if (p.topic === 'road') return reading('rate', p.reading);
  if (p.topic === 'water') return reading('water', p.reading);
  return null;
}

/** Which areas are coloured: the children of the area shown. */
export function coloured(p: MapParams): { filter: Expr; fadeFrom: number; fadeTo: number } {
  if (p.area.level === 'city') {
    return {
      filter: all(polygon('county'), eq('city', p.area.code)),
      fadeFrom: 9.4,
      fadeTo: 10.1,
    };
  }
  const fill = p.area.level === 'province' ? polygon('city') : all(polygon('city'), NOTHING);
  return { filter: fill, fadeFrom: 7.8, fadeTo: 8.5 };
}

/** 未填报. */
export const SILENT: Expr = eq('status', 'not_reported');

/** Colour of a rate, with words of its own for what has none. */
export function rateColour(p: MapParams, rate: Expr): Expr {
  const steps = p.breaks.flatMap((b, i) => [b, CLASSES[i + 1] ?? CLASSES[4]]);
  return [
    'case',
    eq('status', 'no_task'),
    C.noTask,
    ['any', SILENT, ['==', rate, null]],
    C.white,
    ['step', ['to-number', rate, 0], CLASSES[0], ...steps],
  ] as unknown as Expr;
}

export function areaLayers(p: MapParams): LayerSpecification[] {
  const county = p.county;
  const focus: Filter = county ? all(polygon('county'), eq('code', county)) : NOTHING;
  const { filter, fadeFrom, fadeTo } = coloured(p);
  const rate = areaRate(p);
  const layer = { source: SOURCE, 'source-layer': 'area' };
  return [
    { id: 'ground', type: 'background', paint: { 'background-color': C.ground } },
    {
      id: 'province-lift',
      type: 'line',
      ...layer,
      filter: polygon('province'),
      maxzoom: 9,
      layout: { 'line-join': 'round', 'line-cap': 'round' },
      paint: {
        'line-color': '#7C8A96',
        'line-width': byZoom([5, 7], [8, 14]),
        'line-blur': byZoom([5, 6], [8, 12]),
        'line-opacity': 0.38,
        'line-translate': [0, 1.5],
      },
    },
    {
      id: 'province-land',
      type: 'fill',
      ...layer,
      filter: polygon('province'),
      paint: { 'fill-color': C.outside, 'fill-antialias': false },
    },
    {
      id: 'area-rate',
      type: 'fill',
      ...layer,
      filter,
      maxzoom: fadeTo,
      layout: { visibility: rate ? 'visible' : 'none' },
      paint: {
        'fill-color': rate ? rateColour(p, rate) : C.noTask,
        'fill-opacity': byZoom([fadeFrom, 1], [fadeTo, 0]),
      },
    },
    {
      id: 'area-hatch',
      type: 'fill',
      ...layer,
      filter: all(filter, SILENT),
      maxzoom: fadeTo,
      layout: { visibility: rate ? 'visible' : 'none' },
      paint: { 'fill-pattern': 'hatch', 'fill-opacity': byZoom([fadeFrom, 1], [fadeTo, 0]) },
    },
    // Never drawn: what a pointer meets where nothing is coloured.
    {
      id: 'area-hit-city',
      type: 'fill',
      ...layer,
      filter: polygon('city'),
      maxzoom: 8.5,
      paint: { 'fill-color': C.white, 'fill-opacity': 0 },
    },
    {
      id: 'area-hit-county',
      type: 'fill',
      ...layer,
      filter: polygon('county'),
      minzoom: 7.2,
      paint: { 'fill-color': C.white, 'fill-opacity': 0 },
    },
    {
      id: 'focus-land',
      type: 'fill',
      ...layer,
      filter: focus,
      minzoom: 7,
      paint: { 'fill-color': C.paper },
    },
    {
      id: 'town-line',
      type: 'line',
      ...layer,
      filter: all(eq('level', 'town'), ['!=', ['geometry-type'], 'Point']),
      minzoom: 9,
      layout: {
        'line-join': 'round',
        visibility: p.overlays.has('town_line') ? 'visible' : 'none',
      },
      paint: {
        'line-color': C.town,
        'line-width': byZoom([9, 0.6], [13, 1.4]),
        'line-dasharray': [3, 2.5],
      },
    },
    {
      id: 'county-line',
      type: 'line',
      ...layer,
      filter: polygon('county'),
      minzoom: 7.2,
      layout: { 'line-join': 'round' },
      paint: {
        'line-color':
          p.area.level === 'city' ? ['case', eq('city', p.area.code), C.white, C.county] : C.county,
        'line-width': byZoom([7, 0.4], [8, 1], [10, 1.1], [14, 1.6]),
        'line-opacity': byZoom([7.2, 0], [8, 1]),
      },
    },
    {
      id: 'city-line',
      type: 'line',
      ...layer,
      filter: polygon('city'),
      layout: { 'line-join': 'round' },
      paint: {
        'line-color':
          p.area.level === 'province' ? ['step', ['zoom'], C.white, 8.5, C.city] : C.city,
        'line-width': byZoom([5, 0.8], [7, 1.3], [10, 1.6], [14, 2.4]),
      },
    },
    {
      id: 'province-line',
      type: 'line',
      ...layer,
      filter: polygon('province'),
      layout: { 'line-join': 'round' },
      paint: { 'line-color': C.province, 'line-width': byZoom([5, 0.8], [7, 1.1], [10, 2]) },
    },
    ...focusLayers(p, focus),
  ] as LayerSpecification[];
}

/** The line around the city or county in focus. */
function focusLayers(p: MapParams, county: Filter): LayerSpecification[] {
  const layer = { source: SOURCE, 'source-layer': 'area' };
  const filter: Filter =
    p.area.level === 'city' ? all(polygon('city'), eq('code', p.area.code)) : county;
  return [
    {
      id: 'focus-glow',
      type: 'line',
      ...layer,
      filter,
      minzoom: 6,
      layout: { 'line-join': 'round' },
      paint: {
        'line-color': C.accent,
        'line-opacity': 0.13,
        'line-width': byZoom([8, 9], [12, 20]),
        'line-blur': byZoom([8, 5], [12, 10]),
      },
    },
    {
      id: 'focus-line',
      type: 'line',
      ...layer,
      filter,
      minzoom: 6,
      layout: { 'line-join': 'round' },
      paint: { 'line-color': '#4A5A86', 'line-width': byZoom([6, 1.4], [10, 1.8], [14, 2.4]) },
    },
    {
      id: 'hover-line',
      type: 'line',
      ...layer,
      filter: isPolygon,
      maxzoom: 11,
      layout: { 'line-join': 'round' },
      paint: {
        'line-color': C.accent,
        'line-width': ['case', ['boolean', ['feature-state', 'hover'], false], 2.2, 0],
      },
    },
  ] as LayerSpecification[];
}

export { get };
