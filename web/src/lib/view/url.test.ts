import { describe, expect, it } from 'vitest';
import { DEFAULTS, formatUrl, parseUrl, type ViewState } from './url';

const at = (path: string) => parseUrl(new URL(path, 'http://localhost'));

describe('the address of a view', () => {
  it('is short when everything is as usual', () => {
    expect(formatUrl(DEFAULTS)).toBe('/');
    expect(at('/')).toEqual(DEFAULTS);
  });

  it('comes back as it was written', () => {
    const view: ViewState = {
      page: 'ledger',
      area: '441424104201',
      topic: 'water',
      reading: 'approved',
      at: '2019-06-30',
      nv: ['gap', 'uncounted'],
      light: ['late'],
      overlays: [],
      selection: { kind: 'natural_village', id: '441424104201003' },
      camera: { z: 12.5, lat: 23.81234, lng: 115.7 },
    };
    expect(at(formatUrl(view))).toEqual(view);
  });

  it('opens something when a link is old or broken', () => {
    const view = at('/nowhere?area=a%2Fb&topic=ships&at=tomorrow&sel=x:1&map=1/2&reading=no');
    expect(view).toEqual(DEFAULTS);
  });

  it('keeps an empty filter apart from the usual one', () => {
    expect(at('/?light=').light).toEqual([]);
    expect(formatUrl({ ...DEFAULTS, light: [] })).toBe('/?light=');
  });
});
