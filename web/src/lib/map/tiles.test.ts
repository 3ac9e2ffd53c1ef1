import { describe, expect, it } from 'vitest';
import type { Bbox } from '$lib/api/types';
import { ChangeLog, tileRequest, touchedTiles } from './tiles';

const VILLAGE: Bbox = [115.7, 23.8, 115.71, 23.81];
const PROVINCE: Bbox = [109.6, 20.2, 117.3, 25.6];
// The tile of VILLAGE's middle at zoom 10: (115.705 + 180) / 360 * 1024 = 841.1.
const INSIDE = { z: 10, x: 841, y: 442 };

describe('tiles that a change touches', () => {
  it('are only those around it', () => {
    const tiles = touchedTiles(VILLAGE, PROVINCE, 10, 10);
    expect(tiles.length).toBeGreaterThan(0);
    expect(tiles.length).toBeLessThanOrEqual(4);
    expect(tiles).toContainEqual(INSIDE);
  });

  it('are none when it lies out of sight', () => {
    expect(touchedTiles(VILLAGE, [110, 21, 110.2, 21.2], 12, 12)).toEqual([]);
  });

  it('include the neighbour whose margin shows it', () => {
    // A point just east of a tile's edge is in the margin of the tile to the west.
    const edge = (842 / 1024) * 360 - 180;
    const tiles = touchedTiles([edge + 0.001, 23.8, edge + 0.002, 23.801], PROVINCE, 10, 10);
    expect(tiles.map((t) => t.x)).toEqual(expect.arrayContaining([841, 842]));
  });
});

describe('the log of changes', () => {
  it('asks for the newest change in the tile, and not elsewhere', () => {
    const log = new ChangeLog();
    log.add(7, VILLAGE);
    log.add(9, VILLAGE);
    expect(log.minSeq(INSIDE)).toBe(9);
    expect(log.minSeq({ z: 10, x: 800, y: 442 })).toBe(0);
  });

  it('asks everywhere after a change without a place', () => {
    const log = new ChangeLog();
    log.add(12, null);
    expect(log.minSeq({ z: 3, x: 6, y: 3 })).toBe(12);
  });

  it('never forgets downwards when it is full', () => {
    const log = new ChangeLog();
    for (let seq = 1; seq <= 1000; seq++) log.add(seq, VILLAGE);
    expect(log.minSeq(INSIDE)).toBe(1000);
  });
});

describe('the address of a tile', () => {
  const url = 'http://localhost/tiles/area,road/10/841/442';
  it('is plain when nothing is asked', () => {
    expect(tileRequest(url, null, new ChangeLog())).toBe(url);
  });
  it('carries date and sequence', () => {
    const log = new ChangeLog();
    log.add(5, VILLAGE);
    expect(tileRequest(url, '2019-06-30', log)).toBe(`${url}?at=2019-06-30&min_seq=5`);
  });
  it('leaves other requests alone', () => {
    expect(tileRequest('http://localhost/icon.svg', '2019-06-30', new ChangeLog())).toBe(
      'http://localhost/icon.svg',
    );
  });
});
