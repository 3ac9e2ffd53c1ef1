// What the map shows, as plain values: the style is a pure function of these.
import type { AreaLevel, Bbox, Light } from '$lib/api/types';
import type { NvFilter, Overlay, Reading, Topic } from '$lib/view/url';

export interface MapParams {
  topic: Topic;
  reading: Reading;
  area: { code: string; level: AreaLevel };
  /** The project or natural village that is selected, by its number in tiles. */
  selected: { kind: 'project' | 'natural_village'; fid: number } | null;
  nv: ReadonlySet<NvFilter>;
  light: ReadonlySet<Light>;
  overlays: ReadonlySet<Overlay>;
  /** Signed in: waterworks and 预警等级 may be shown. */
  staff: boolean;
  breaks: readonly number[];
  redLine: number;
  words: { noTask: string; notReported: string; households: string };
  bounds: Bbox;
  tilesUrl: string;
  /** The county shown or that the area shown lies in; null above counties. */
  county: string | null;
  /** Counties of the city shown, once the figures have named them. */
  counties: readonly string[];
}

/** The village whose surroundings step back, if one is shown. */
export function focusVillage(p: MapParams): string | null {
  return p.area.level === 'village' ? p.area.code : null;
}

/** Layers of the composite tile that a view needs. */
export function tileLayers(topic: Topic, staff: boolean): string {
  const layers = ['area', 'village', 'natural_village', 'road'];
  if (staff) layers.push('water_scheme');
  layers.push('road_project', 'water_project', 'relocation_project');
  const own = `${topic}_project`;
  if (!layers.includes(own)) layers.push(own);
  return layers.join(',');
}
