// Points: natural villages, villages, waterworks, projects. An unreached village is never thinned,
// never covered and never smaller than its neighbours.
import type { LayerSpecification } from 'maplibre-gl';
import { C } from '../palette';
import { focusVillage, type MapParams } from '../params';
import { SOURCE } from './areas';
import { villageFade } from './roads';
import {
  all,
  any,
  byZoom,
  eq,
  get,
  inFocus,
  isFeature,
  NOTHING,
  reading,
  width,
  type Expr,
  type Filter,
} from './expr';

const COUNTED = eq('counted', 1);

/** Whether a natural village has what the topic asks: a hardened road, or central water. */
export function isReached(p: MapParams): Expr {
  return ['==', reading(p.topic === 'water' ? 'water' : 'reached', p.reading), 1];
}

/**
 * Zoom at which natural villages appear. A county in focus shows them however small the screen: on
 * a phone a whole county stands at zoom 8.4. A city shows its counties' colours first.
 */
function villageZoom(p: MapParams, usual: number): number {
  if (p.county) return Math.min(usual, 8);
  return p.area.level === 'city' ? Math.max(usual, 9.5) : usual;
}

/** State of a natural village in the topic; water knows only 通 and 未通. */
export function villageState(p: MapParams): Expr {
  if (p.topic === 'water') return ['case', isReached(p), 'done', 'gap'];
  return reading('status', p.reading);
}

/** The filter of the rail: states of those that count, and those under 20 households. */
function shown(p: MapParams): Expr {
  const states = [...p.nv].filter((s) => s !== 'uncounted');
  const parts: Expr[] = [];
  if (states.length) parts.push(all(COUNTED, ['in', villageState(p), ['literal', states]]));
  if (p.nv.has('uncounted')) parts.push(['!=', get('counted'), 1]);
  return any(...parts);
}

export function reachedLayers(p: MapParams): LayerSpecification[] {
  const layer = { source: SOURCE, 'source-layer': 'natural_village' };
  const fade = villageFade(p);
  return [
    {
      id: 'nv-small',
      type: 'circle',
      ...layer,
      filter: all(shown(p), ['!=', get('counted'), 1], inFocus(p)),
      minzoom: 10.5,
      paint: {
        'circle-radius': byZoom([10.5, 1.2], [14, 3]),
        'circle-color': C.white,
        'circle-stroke-color': '#A3ADB6',
        'circle-stroke-width': 1,
        'circle-opacity': fade,
        'circle-stroke-opacity': fade,
      },
    },
    {
      id: 'nv-reached',
      type: 'circle',
      ...layer,
      // Of neighbouring counties only what is missing is shown, and that paler.
      filter: all(shown(p), COUNTED, isReached(p), inFocus(p)),
      minzoom: villageZoom(p, 9),
      paint: {
        'circle-radius': byZoom([8, 1.3], [9, 1.7], [10, 2.4], [12, 3.6], [14, 5.5]),
        'circle-color': C.done,
        'circle-stroke-color': C.white,
        'circle-stroke-width': byZoom([9, 0.4], [12, 1.2]),
        'circle-opacity': fade,
        'circle-stroke-opacity': fade,
      },
    },
    {
      id: 'village',
      type: 'circle',
      source: SOURCE,
      'source-layer': 'village',
      filter: eq('poor', 1),
      minzoom: 10.6,
      paint: {
        'circle-radius': byZoom([10.6, 2.2], [14, 5]),
        'circle-color': C.white,
        'circle-stroke-color': C.ink,
        'circle-stroke-width': byZoom([10.6, 1.2], [14, 2]),
      },
    },
  ] as LayerSpecification[];
}

/** Drawn last among points: gaps over everything. */
export function unreachedLayer(p: MapParams): LayerSpecification {
  return {
    id: 'nv-unreached',
    type: 'symbol',
    source: SOURCE,
    'source-layer': 'natural_village',
    filter: all(shown(p), COUNTED, ['!', isReached(p)]),
    minzoom: villageZoom(p, 8.5),
    layout: {
      'icon-image': ['match', villageState(p), 'gap', 'nv-gap', 'under_way', 'nv-way', 'nv-todo'],
      'icon-size': byZoom([8, 0.5], [9, 0.6], [10, 0.72], [12, 0.88], [14, 1.05]),
      'icon-allow-overlap': true,
      'icon-padding': 0,
      // Symbols sort ascending and the last lies on top: gaps over those under way.
      'symbol-sort-key': ['match', villageState(p), 'gap', 2, 'not_started', 1, 0],
    },
    paint: { 'icon-opacity': focusVillage(p) ? villageFade(p) : ['case', inFocus(p), 1, 0.28] },
  } as LayerSpecification;
}

export function selectionLayers(p: MapParams): LayerSpecification[] {
  const { selected } = p;
  const is = (kind: string): Filter =>
    selected?.kind === kind ? isFeature(selected.fid) : NOTHING;
  const project = { source: SOURCE, 'source-layer': `${p.topic}_project` };
  const line = ['!=', ['geometry-type'], 'Point'] as Expr;
  return [
    {
      id: 'project-halo',
      type: 'line',
      ...project,
      filter: all(is('project') as Expr, line),
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': C.accent,
        'line-opacity': 0.26,
        'line-width': width([9, 9], [11, 13], [14, 24], [16, 34]),
      },
    },
    {
      id: 'project-line',
      type: 'line',
      ...project,
      filter: all(is('project') as Expr, line),
      minzoom: 9,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': C.accent,
        'line-width': width([9, 1], [14, 1.4]),
        'line-gap-width': width([9, 4], [11, 6], [14, 11], [16, 16]),
      },
    },
    {
      id: 'nv-selected',
      type: 'circle',
      source: SOURCE,
      'source-layer': 'natural_village',
      filter: is('natural_village'),
      minzoom: 8,
      paint: {
        'circle-radius': byZoom([9, 8], [14, 15]),
        'circle-color': 'rgba(42,74,156,.10)',
        'circle-stroke-color': C.accent,
        'circle-stroke-width': 2,
      },
    },
  ] as LayerSpecification[];
}

/** Waterworks of the ledger, for those who are signed in. */
export function waterLayers(p: MapParams): LayerSpecification[] {
  if (!p.staff) return [];
  const on = p.topic === 'water' || p.overlays.has('water_scheme');
  return [
    {
      id: 'water-scheme',
      type: 'symbol',
      source: SOURCE,
      'source-layer': 'water_scheme',
      minzoom: p.topic === 'water' ? 10 : 11,
      layout: {
        'icon-image': [
          'match',
          get('status'),
          'done',
          'drop-done',
          'under_way',
          'drop-way',
          'drop-todo',
        ],
        'icon-size': byZoom([10, 0.55], [11, 0.6], [14, 1]),
        'icon-allow-overlap': true,
        visibility: on ? 'visible' : 'none',
      },
    },
  ] as LayerSpecification[];
}

/** Marks of projects by 预警等级, and the pin of the one selected. */
export function projectLayers(p: MapParams): LayerSpecification[] {
  const layer = { source: SOURCE, 'source-layer': `${p.topic}_project` };
  const lines: Expr = ['!=', ['geometry-type'], 'Point'];
  const points: Expr = ['==', ['geometry-type'], 'Point'];
  // Roads already show their state as villages and lines: there only trouble gets a mark.
  const lights = [...p.light].filter(
    (l) => p.topic !== 'road' || l === 'late' || l === 'warn' || l === 'none',
  );
  const filter = ['in', get('light'), ['literal', lights]] as unknown as Expr;
  const icon = {
    'icon-image': [
      'match',
      get('light'),
      'late',
      'nv-gap',
      'warn',
      'nv-way',
      'ok',
      'light-ok',
      'done',
      'light-done',
      'none',
      'light-none',
      'nv-todo',
    ],
    'icon-rotation-alignment': 'viewport',
    'icon-allow-overlap': true,
  };
  const pinned: Expr = p.selected?.kind === 'project' ? isFeature(p.selected.fid) : NOTHING;
  const pin = {
    'icon-image': 'pin',
    'icon-anchor': 'bottom',
    'icon-rotation-alignment': 'viewport',
    'icon-allow-overlap': true,
    'icon-ignore-placement': true,
  };
  return [
    {
      id: 'project-light',
      type: 'symbol',
      ...layer,
      filter: all(filter, lines),
      minzoom: p.topic === 'road' ? 11 : 10,
      layout: { ...icon, 'symbol-placement': 'line-center', 'icon-size': 0.8 },
    },
    // Never drawn: lets a pointer find a project along its whole length.
    {
      id: 'project-hit',
      type: 'line',
      ...layer,
      filter: lines,
      minzoom: 10.5,
      paint: { 'line-color': C.white, 'line-opacity': 0, 'line-width': 12 },
    },
    {
      id: 'project-point',
      type: 'symbol',
      ...layer,
      filter: all(p.staff ? filter : ['has', 'status'], points),
      minzoom: 8.5,
      layout: { ...icon, 'icon-size': byZoom([8.5, 0.6], [12, 0.9]) },
    },
    {
      id: 'project-pin',
      type: 'symbol',
      ...layer,
      filter: all(pinned, lines),
      maxzoom: 13,
      layout: { ...pin, 'symbol-placement': 'line-center' },
    },
    {
      id: 'project-pin-point',
      type: 'symbol',
      ...layer,
      filter: all(pinned, points),
      layout: pin,
    },
  ] as LayerSpecification[];
}
