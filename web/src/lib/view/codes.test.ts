import { describe, expect, it } from 'vitest';
import { learnLevels, levelOf } from './codes';

describe('the level of an area', () => {
  it('follows from the shape of official codes', () => {
    expect(['440000', '441400', '441424', '441424102', '441424102001'].map(levelOf)).toEqual([
      'province',
      'city',
      'county',
      'town',
      'village',
    ]);
  });

  it('is what the server told where codes are of another kind', () => {
    learnLevels([
      { code: 'IN-HR', level: 'province' },
      { code: 'D366', level: 'city' },
    ]);
    expect([levelOf('IN-HR'), levelOf('D366')]).toEqual(['province', 'city']);
  });
});
