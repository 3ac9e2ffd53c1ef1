import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import { describe, expect, it } from 'vitest';
import tokens from '../../styles/tokens.css?raw';
import type { Bbox } from '$lib/api/types';
import { LIGHTS, NV_FILTERS, OVERLAYS, TOPICS, type NvFilter } from '$lib/view/url';
import { classOf, CLASSES, C } from './palette';
import { tileLayers, type MapParams } from './params';
import { scaleBar } from './scale';
import { buildStyle } from './style';
import { countyOf, levelOf } from '$lib/view/codes';

function params(part: Partial<MapParams> & { code?: string }): MapParams {
  const code = part.code ?? '440000';
  return {
    topic: 'road',
    reading: 'reported',
    area: { code, level: levelOf(code) },
    selected: null,
    nv: new Set(NV_FILTERS),
    light: new Set(LIGHTS),
    overlays: new Set(OVERLAYS),
    staff: true,
    breaks: [85, 90, 95, 98],
    redLine: 87,
    words: { noTask: '无任务', notReported: '未填报', households: '户' },
    bounds: [109, 20, 118, 26] as Bbox,
    county: countyOf(code),
    counties: code === '441400' ? ['441424', '441481'] : [],
    tilesUrl: 'http://localhost/tiles/area/{z}/{x}/{y}',
    ...part,
  };
}

const CODES = ['440000', '441400', '441424', '441424104', '441424104201'];

describe('the style', () => {
  for (const topic of TOPICS) {
    it.each(CODES)(`is valid for ${topic} at %s`, (code) => {
      for (const reading of ['reported', 'approved'] as const) {
        for (const staff of [true, false]) {
          for (const nv of [new Set<NvFilter>(), new Set<NvFilter>(['gap', 'uncounted'])]) {
            const selected = { kind: 'project', fid: 7 } as const;
            const style = buildStyle(params({ topic, code, reading, staff, nv, selected }));
            expect(validateStyleMin(style)).toEqual([]);
          }
        }
      }
    });
  }

  it('asks for no font and no sprite: nothing leaves our server', () => {
    const style = buildStyle(params({}));
    expect(style.glyphs).toBeUndefined();
    expect(style.sprite).toBeUndefined();
  });

  it('draws unreached villages after every line and every name of a road', () => {
    const ids = buildStyle(params({ code: '441424' })).layers.map((l) => l.id);
    const unreached = ids.indexOf('nv-unreached');
    for (const below of ['road-gap', 'road-label', 'village-label', 'nv-label', 'nv-reached']) {
      expect(ids.indexOf(below), below).toBeLessThan(unreached);
    }
  });

  it('never asks for waterworks for the public', () => {
    expect(tileLayers('road', false)).not.toContain('water_scheme');
    const ids = buildStyle(params({ staff: false, topic: 'water' })).layers.map((l) => l.id);
    expect(ids).not.toContain('water-scheme');
  });
});

describe('classes of a rate', () => {
  const breaks = [85, 90, 95, 98];
  it.each([
    [0, 0],
    [84.9, 0],
    [85, 1],
    [97.9, 3],
    [98, 4],
    [100, 4],
  ])('%f is in class %i', (rate, expected) => expect(classOf(rate, breaks)).toBe(expected));
});

describe('colours of the map', () => {
  const token = (name: string) => new RegExp(`--${name}:(#[0-9A-F]{6})`).exec(tokens)?.[1];
  it('are those of the page', () => {
    const { done, ok, warn, late, todo, accent, ink } = C;
    for (const [name, value] of Object.entries({ done, ok, warn, late, todo, accent, ink })) {
      expect(token(name), name).toBe(value);
    }
    CLASSES.forEach((value, i) => expect(token(`q${i + 1}`)).toBe(value));
  });
});

describe('the scale', () => {
  it('is a round distance that fits', () => {
    const bar = scaleBar(12, 23.8, 110);
    expect(String(bar.metres)).toMatch(/^[125]0*$/);
    expect(bar.px).toBeLessThanOrEqual(110);
    expect(bar.px).toBeGreaterThan(40);
  });
});
