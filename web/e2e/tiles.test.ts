// Tiles as a stranger reads them: with Mapbox's own decoder, over HTTP, every layer, many places.
import { VectorTile, classifyRings } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import { describe, expect, it } from 'vitest';
import { BASE } from './browser';

interface Point {
  x: number;
  y: number;
}

const BUFFER = 64;
const EXTENT = 4096;
const DATES = ['2018-06-30', '2019-12-31', ''];

async function session(): Promise<string> {
  const answer = await fetch(`${BASE}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: BASE },
    body: JSON.stringify({ login: 'lingdao.gd', password: 'cuntong-2020' }),
  });
  expect(answer.ok).toBe(true);
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

function tileOf(lng: number, lat: number, z: number): [number, number] {
  const n = 2 ** z;
  const s = Math.sin((lat * Math.PI) / 180);
  const y = 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
  return [Math.floor(((lng + 180) / 360) * n), Math.floor(y * n)];
}

function turn(a: Point, b: Point, c: Point): number {
  return Math.sign((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x));
}

/** The first two stretches of a polygon that cross, if any do. */
function crossing(rings: Point[][]): string | undefined {
  const stretches = rings.flatMap((ring) =>
    ring.slice(1).map((b, i): [Point, Point] => [ring[i] ?? b, b]),
  );
  stretches.sort((s, t) => Math.min(s[0].x, s[1].x) - Math.min(t[0].x, t[1].x));
  for (const [i, [a, b]] of stretches.entries()) {
    const right = Math.max(a.x, b.x);
    for (const [c, d] of stretches.slice(i + 1)) {
      if (Math.min(c.x, d.x) > right) break;
      if (turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0) {
        return JSON.stringify([a, b, c, d]);
      }
    }
  }
  return undefined;
}

describe('tiles', () => {
  it('decode with another decoder; shapes lie on the tile and polygons are valid', async () => {
    const cookie = await session();
    const list = (await (await fetch(`${BASE}/tiles`, { headers: { cookie } })).json()) as {
      name: string;
    }[];
    const names = list.map((l) => l.name);
    expect(names).toContain('area');
    expect(names.length).toBeGreaterThanOrEqual(11);
    const seen = new Map<string, number>();
    let polygons = 0;
    // 梅州五华, 韶关, 湛江, 珠三角: hills, islands, dense and empty.
    const places: [number, number][] = [
      [115.75, 23.95],
      [113.6, 24.8],
      [110.2, 20.9],
      [113.3, 23.1],
    ];
    for (const [lng, lat] of places) {
      for (let z = 4; z <= 15; z++) {
        const [x, y] = tileOf(lng, lat, z);
        for (const at of DATES) {
          const path = `/tiles/${names.join(',')}/${z}/${x}/${y}.mvt${at && `?at=${at}`}`;
          const answer = await fetch(BASE + path, { headers: { cookie } });
          if (answer.status === 204) continue;
          expect(answer.status, path).toBe(200);
          expect(answer.headers.get('content-type')).toBe('application/vnd.mapbox-vector-tile');
          const bytes = new Uint8Array(await answer.arrayBuffer());
          expect(bytes.length, path).toBeLessThan(500_000);
          const tile = new VectorTile(new PbfReader(bytes));
          for (const [name, layer] of Object.entries(tile.layers)) {
            expect(names).toContain(name);
            expect([layer.version, layer.extent]).toEqual([2, EXTENT]);
            seen.set(name, (seen.get(name) ?? 0) + layer.length);
            for (let i = 0; i < layer.length; i++) {
              const feature = layer.feature(i);
              const parts = feature.loadGeometry();
              const where = `${path} ${name} ${feature.id}`;
              expect(parts.length, where).toBeGreaterThan(0);
              for (const p of parts.flat()) {
                const inside = (v: number) => v >= -BUFFER && v <= EXTENT + BUFFER;
                if (!inside(p.x) || !inside(p.y)) expect.fail(`${where} at ${p.x} ${p.y}`);
              }
              if (feature.type === 3) {
                polygons++;
                for (const polygon of classifyRings(parts)) {
                  for (const ring of polygon) {
                    expect(ring.length, where).toBeGreaterThanOrEqual(4);
                    expect(ring[0], where).toEqual(ring[ring.length - 1]);
                  }
                  expect(crossing(polygon), where).toBeUndefined();
                }
              } else if (feature.type === 2) {
                for (const line of parts) expect(line.length, where).toBeGreaterThanOrEqual(2);
              }
            }
          }
        }
      }
    }
    console.info([...seen].map(([k, v]) => `${k} ${v}`).join(', '), `of them polygons ${polygons}`);
    for (const name of names) expect(seen.get(name) ?? 0, name).toBeGreaterThan(0);
    expect(polygons).toBeGreaterThan(100);
  });
});
