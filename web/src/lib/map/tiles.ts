// Which tiles a change touches, and from which sequence on they must be read. Pure arithmetic.
import type { Bbox } from '$lib/api/types';

export interface TileId {
  z: number;
  x: number;
  y: number;
}

/** Tiles carry a margin around them, so a change just outside is inside: one sixteenth of a side. */
const MARGIN = 1 / 16;
const KEEP = 400;

function worldX(lng: number): number {
  return (lng + 180) / 360;
}

function worldY(lat: number): number {
  const s = Math.sin((Math.max(-85.05, Math.min(85.05, lat)) * Math.PI) / 180);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
}

/** Columns and rows of a bbox at a zoom: first and last, in tiles. */
function span(bbox: Bbox, z: number): [number, number, number, number] {
  const n = 2 ** z;
  const clamp = (v: number) => Math.max(0, Math.min(n - 1, Math.floor(v)));
  return [
    clamp(worldX(bbox[0]) * n - MARGIN),
    clamp(worldY(bbox[3]) * n - MARGIN),
    clamp(worldX(bbox[2]) * n + MARGIN),
    clamp(worldY(bbox[1]) * n + MARGIN),
  ];
}

/** The tiles in sight that a change may have touched, on the zooms that may be drawn now. */
export function touchedTiles(
  change: Bbox,
  sight: Bbox,
  minZoom: number,
  maxZoom: number,
): TileId[] {
  const out: TileId[] = [];
  for (let z = minZoom; z <= maxZoom; z++) {
    const [ax, ay, bx, by] = span(change, z);
    const [cx, cy, dx, dy] = span(sight, z);
    for (let x = Math.max(ax, cx); x <= Math.min(bx, dx); x++) {
      for (let y = Math.max(ay, cy); y <= Math.min(by, dy); y++) out.push({ z, x, y });
    }
  }
  return out;
}

/**
 * The changes of this session: a tile that one of them touches is asked for with its sequence, so
 * that a node which has not yet heard of it waits instead of answering with yesterday's tile.
 */
export class ChangeLog {
  private entries: { seq: number; bbox: Bbox | null }[] = [];
  /** Sequence below which every tile must lie, from changes without a place and forgotten ones. */
  private floor = 0;

  add(seq: number, bbox: Bbox | null): void {
    if (!bbox) {
      this.floor = Math.max(this.floor, seq);
      return;
    }
    this.entries.push({ seq, bbox });
    if (this.entries.length > KEEP) {
      const old = this.entries.splice(0, this.entries.length - KEEP);
      for (const { seq: s } of old) this.floor = Math.max(this.floor, s);
    }
  }

  /** Lowest sequence that a tile may be read at; 0 when nothing has changed there. */
  minSeq(tile: TileId): number {
    let seq = this.floor;
    for (const e of this.entries) {
      if (e.seq <= seq || !e.bbox) continue;
      const [x0, y0, x1, y1] = span(e.bbox, tile.z);
      if (tile.x >= x0 && tile.x <= x1 && tile.y >= y0 && tile.y <= y1) seq = e.seq;
    }
    return seq;
  }
}

const TILE_PATH = /\/tiles\/[^/]+\/(\d+)\/(\d+)\/(\d+)/;

/** Adds date and lowest sequence to the address of a tile; other addresses stay as they are. */
export function tileRequest(url: string, at: string | null, log: ChangeLog): string {
  const match = TILE_PATH.exec(url);
  if (!match) return url;
  const [, z, x, y] = match;
  const query: string[] = [];
  if (at) query.push(`at=${at}`);
  const seq = log.minSeq({ z: Number(z), x: Number(x), y: Number(y) });
  if (seq > 0) query.push(`min_seq=${seq}`);
  return query.length ? `${url}?${query.join('&')}` : url;
}
