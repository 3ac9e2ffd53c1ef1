// Names. They are drawn from the reader's own fonts (the style has no glyphs), never rotated, with
// a white halo, and give way to unreached villages.
import type { LayerSpecification } from 'maplibre-gl';
import { C } from '../palette';
import type { MapParams } from '../params';
import { areaRate, coloured, rateColour, SILENT, SOURCE } from './areas';
import { isReached, villageState } from './points';
import { villageFade } from './roads';
import { all, byZoom, eq, get, isOwn, isPoint, NOTHING, reading, type Expr } from './expr';

const FONT = ['PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC'];
// MapLibre takes the weight from the name of the font: one "Bold" in the stack is enough.
const BOLD = ['Label Bold', ...FONT];
const literal = (stack: string[]): Expr => ['literal', stack] as unknown as Expr;
const point = (level: string): Expr => all(eq('level', level), isPoint);

export function nameLayers(p: MapParams): LayerSpecification[] {
  const halo = { 'text-halo-color': C.halo, 'text-halo-width': 1.6 };
  const missing = all(['!', isReached(p)], eq('counted', 1));
  const fade = villageFade(p);
  return [
    {
      id: 'nv-label',
      type: 'symbol',
      source: SOURCE,
      'source-layer': 'natural_village',
      filter: ['has', 'name'],
      minzoom: 12.9,
      layout: {
        'text-field': [
          'format',
          get('name'),
          {},
          [
            'case',
            missing,
            ['concat', ' ', ['to-string', get('households')], p.words.households],
            '',
          ],
          { 'font-scale': 0.9 },
        ],
        'text-font': FONT,
        'text-size': byZoom([12.9, 12], [15, 13]),
        'text-variable-anchor': ['left', 'right', 'top', 'bottom'],
        'text-radial-offset': ['case', missing, 1.15, 0.75],
        'text-justify': 'auto',
        'symbol-sort-key': ['case', missing, 0, 1],
      },
      paint: {
        'text-color': ['case', missing, C.ink, C.ink2],
        ...halo,
        'text-halo-width': 1.4,
        'text-opacity': fade,
      },
    },
    {
      id: 'village-label',
      type: 'symbol',
      source: SOURCE,
      'source-layer': 'village',
      filter: eq('poor', 1),
      minzoom: 10.8,
      layout: {
        'text-field': get('name'),
        'text-font': BOLD,
        'text-size': byZoom([10.8, 12], [13, 13], [15, 15]),
        'text-variable-anchor': ['bottom', 'top', 'right', 'left'],
        'text-radial-offset': 0.7,
        'text-padding': 4,
      },
      paint: { 'text-color': C.ink, ...halo },
    },
    {
      id: 'village-other',
      type: 'symbol',
      source: SOURCE,
      'source-layer': 'village',
      filter: ['!=', get('poor'), 1],
      minzoom: 12.2,
      layout: { 'text-field': get('name'), 'text-font': FONT, 'text-size': 12 },
      paint: { 'text-color': '#626C76', ...halo, 'text-halo-width': 1.4 },
    },
    {
      id: 'road-label',
      type: 'symbol',
      source: SOURCE,
      'source-layer': 'road',
      filter: ['in', get('class'), ['literal', ['X', 'Y', 'S', 'G']]],
      minzoom: 11.8,
      layout: {
        'symbol-placement': 'line',
        'text-field': get('route'),
        'text-font': FONT,
        'text-size': 11,
        'symbol-spacing': 340,
        'text-rotation-alignment': 'viewport',
        'icon-image': 'shield',
        'icon-text-fit': 'both',
        'icon-text-fit-padding': [1, 4, 1, 4],
        'icon-rotation-alignment': 'viewport',
        'text-padding': 10,
      },
      paint: { 'text-color': '#56616C' },
    },
  ] as LayerSpecification[];
}

export function placeLayers(p: MapParams): LayerSpecification[] {
  const layer = { source: SOURCE, 'source-layer': 'area' };
  const own = isOwn(p);
  const halo = { 'text-halo-color': C.halo, 'text-halo-width': 1.8 };
  const isSeat: Expr = ['==', ['coalesce', get('county_seat'), 0], 1];
  const county = p.county;
  return [
    {
      id: 'town-label',
      type: 'symbol',
      ...layer,
      filter: all(point('town'), own),
      minzoom: county ? 8.2 : p.area.level === 'city' ? 10 : 9.6,
      maxzoom: 13.4,
      layout: {
        'icon-image': ['case', isSeat, 'seat-county', 'seat-town'],
        'icon-size': byZoom([8.2, 0.6], [9, 0.8], [12, 1.1]),
        'icon-allow-overlap': true,
        'text-optional': true,
        'text-field': get('name'),
        'text-font': BOLD,
        'text-size': byZoom([9, ['case', isSeat, 14, 12]], [12, ['case', isSeat, 18, 15]]),
        'text-variable-anchor': ['top', 'bottom', 'left', 'right'],
        'text-radial-offset': 0.65,
        'text-letter-spacing': 0.06,
        'symbol-sort-key': ['case', isSeat, 0, 1],
      },
      paint: { 'text-color': C.ink, ...halo },
    },
    {
      id: 'town-label-out',
      type: 'symbol',
      ...layer,
      filter: all(point('town'), ['!', own]),
      minzoom: 10.4,
      layout: { 'text-field': get('name'), 'text-font': FONT, 'text-size': 12 },
      paint: { 'text-color': C.ink3, 'text-halo-color': C.outside, 'text-halo-width': 1.2 },
    },
    {
      id: 'county-label',
      type: 'symbol',
      ...layer,
      filter: county
        ? all(point('county'), ['!=', get('code'), county])
        : p.area.level === 'city'
          ? all(point('county'), ['!=', get('city'), p.area.code])
          : point('county'),
      minzoom: 8,
      maxzoom: 11.5,
      layout: {
        'text-field': get('name'),
        'text-font': FONT,
        'text-size': byZoom([8, 12], [10.5, 15]),
        'text-letter-spacing': 0.3,
        'text-padding': 6,
      },
      paint: { 'text-color': C.ink3, 'text-halo-color': C.outside, 'text-halo-width': 1.4 },
    },
    rateLabel(p),
  ] as LayerSpecification[];
}

/** 梅州市 → 梅州, 梅县区 → 梅县; 城区 stays. The map is tight and the level is plain. */
const SHORT: Expr = [
  'let',
  'n',
  ['to-string', get('name')],
  [
    'case',
    [
      'all',
      ['>', ['length', ['var', 'n']], 2],
      ['in', ['slice', ['var', 'n'], -1], ['literal', ['市', '县', '区']]],
    ],
    ['slice', ['var', 'n'], 0, -1],
    ['var', 'n'],
  ],
] as unknown as Expr;

/** Name and rate on the areas that are coloured; ■ where the red line is undercut. */
function rateLabel(p: MapParams): LayerSpecification {
  const rate = areaRate(p);
  const { filter, fadeTo } = coloured(p);
  const level = p.area.level === 'city' ? 'county' : 'city';
  const labelled = rate ?? reading('rate', p.reading);
  const hasRate = [
    'all',
    eq('status', 'ok'),
    ['!', SILENT],
    ['!=', labelled, null],
  ] as unknown as Expr;
  const value: Expr = ['to-number', labelled, 0];
  const short = SHORT;
  const noRate: unknown[] = ['case', eq('status', 'no_task'), p.words.noTask, p.words.notReported];
  const second = [
    '\n',
    {},
    ['case', ['all', hasRate, ['<', value, p.redLine]], '■ ', ''],
    { 'text-color': C.lateText, 'font-scale': 0.8 },
    [
      'case',
      hasRate,
      [
        'concat',
        ['number-format', value, { 'min-fraction-digits': 1, 'max-fraction-digits': 1 }],
        '%',
      ],
      noRate,
    ],
    {
      'font-scale': ['case', hasRate, 1.12, 0.86],
      'text-font': ['case', hasRate, literal(BOLD), literal(FONT)],
    },
  ];
  return {
    id: 'area-label',
    type: 'symbol',
    source: SOURCE,
    'source-layer': 'area',
    // The coloured polygons' filter names polygons; their label points share level and parent.
    filter:
      level === 'county'
        ? all(point('county'), eq('city', p.area.code))
        : p.area.level === 'province'
          ? point('city')
          : NOTHING,
    maxzoom: filter ? fadeTo - 0.1 : 8.4,
    layout: {
      'text-field': rate
        ? ['format', short, { 'text-font': literal(FONT) }, ...second]
        : ['format', short, {}],
      'text-font': FONT,
      'text-size': byZoom([5.5, 12], [7.5, 14], [9.5, 15]),
      'text-line-height': 1.25,
      'text-allow-overlap': true,
      'text-padding': 0,
    },
    paint: {
      'text-color': rate
        ? [
            'case',
            ['!', hasRate],
            C.ink2,
            ['>=', value, p.breaks[p.breaks.length - 1] ?? 98],
            C.white,
            C.ink,
          ]
        : C.ink2,
      'text-halo-color': rate ? rateColour(p, rate) : C.outside,
      'text-halo-width': 1.6,
    },
  } as unknown as LayerSpecification;
}

export { villageState };
