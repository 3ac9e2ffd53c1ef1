// Short words for the expressions that the layers share.
import type { ExpressionSpecification, FilterSpecification } from 'maplibre-gl';
import type { Reading } from '$lib/view/url';
import type { MapParams } from '../params';

export type Expr = ExpressionSpecification;
export type Filter = FilterSpecification;

export const get = (name: string): Expr => ['get', name];
export const eq = (name: string, value: string | number): Expr => ['==', get(name), value];
/** The feature with this number, which every zoom keeps, unlike its properties. */
export const isFeature = (fid: number): Expr => ['==', ['id'], fid];
export const isPolygon: Expr = ['==', ['geometry-type'], 'Polygon'];
export const isPoint: Expr = ['==', ['geometry-type'], 'Point'];
export const all = (...of: Expr[]): Expr => ['all', ...of];
export const any = (...of: Expr[]): Expr => (of.length ? ['any', ...of] : NOTHING);
/** Constants as expressions: a bare boolean, or `1 == 0`, would be read as an old-style filter. */
export const NOTHING = ['literal', false] as unknown as Expr;
export const EVERYTHING = ['literal', true] as unknown as Expr;

/** A value by zoom: `[zoom, value]` pairs, straight between. */
export function byZoom(...stops: [number, number | Expr][]): Expr {
  return ['interpolate', ['linear'], ['zoom'], ...stops.flat()] as unknown as Expr;
}

/** Line widths double with the zoom, as the ground does. */
export function width(...stops: [number, number][]): Expr {
  return ['interpolate', ['exponential', 1.5], ['zoom'], ...stops.flat()] as unknown as Expr;
}

/**
 * A property in the reading shown. Tiles carry `name` for 上报数 and `name_ok` for 审核数; the public
 * scope carries only what is reviewed, under either name.
 */
export function reading(name: string, r: Reading): Expr {
  const ok = `${name}_ok`;
  return r === 'approved' ? ['coalesce', get(ok), get(name)] : ['coalesce', get(name), get(ok)];
}

/**
 * Whether a point lies in the county in focus. What carries no county is taken to: an older tile
 * must not hide a village.
 */
export function inFocus(p: MapParams): Expr {
  const county = p.county;
  return county ? ['any', ['!', ['has', 'county']], eq('county', county)] : EVERYTHING;
}

/** Whether a road lies in the area shown; what lies outside is paler. */
export function isOwn(p: MapParams): Expr {
  const county = p.county;
  if (county) return eq('county', county);
  if (p.area.level === 'city') {
    if (p.counties.length > 0) return ['in', get('county'), ['literal', [...p.counties]]];
    return ['==', ['slice', ['to-string', get('county')], 0, 4], p.area.code.slice(0, 4)];
  }
  return EVERYTHING;
}
