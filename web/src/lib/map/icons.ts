// The marks of the map, drawn on a canvas at start: no sprite is downloaded, and they are sharp on
// every screen. Shapes are the same as in the legend and the lists.
import type { Map as MapLibre, StyleImageMetadata } from 'maplibre-gl';
import { C } from './palette';

interface Mark {
  w: number;
  h: number;
  /** SVG path in px. */
  d: string;
  fill?: string;
  ring?: { color: string; width: number };
  /** Width of the white outline that lifts the mark off the map; 0 for none. */
  outline?: number;
  extra?: { d: string; fill: string };
  meta?: Partial<StyleImageMetadata>;
}

const circle = (cx: number, cy: number, r: number) =>
  `M${cx - r} ${cy}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
const DROP = 'M8 2C10 6 13.5 9 13.5 12.5a5.5 5.5 0 0 1-11 0C2.5 9 6 6 8 2z';

const MARKS: Record<string, Mark> = {
  'nv-gap': { w: 18, h: 18, d: 'M4 4h10v10H4z', fill: C.late },
  'nv-way': { w: 18, h: 18, d: 'M9 2.6L15.6 14H2.4z', fill: C.warn },
  'nv-todo': {
    w: 18,
    h: 18,
    d: circle(9, 9, 5),
    fill: C.white,
    ring: { color: C.ring, width: 2.4 },
    outline: 0,
  },
  'light-ok': { w: 18, h: 18, d: circle(9, 9, 5), fill: C.ok },
  'light-done': { w: 18, h: 18, d: circle(9, 9, 5), fill: C.done },
  'light-none': {
    w: 18,
    h: 18,
    d: 'M4 4h10v10H4z',
    fill: C.white,
    ring: { color: C.todo, width: 1.4 },
    outline: 0,
    extra: { d: 'M4.7 9.6L9.6 4.7M4.7 13.2L13.2 4.7M8.5 13.3L13.3 8.5', fill: C.todo },
  },
  'seat-town': {
    w: 12,
    h: 12,
    d: circle(6, 6, 3.2),
    fill: C.white,
    ring: { color: C.ink, width: 1.6 },
    outline: 0,
  },
  'seat-county': {
    w: 16,
    h: 16,
    d: circle(8, 8, 5.2),
    fill: C.white,
    ring: { color: C.ink, width: 1.6 },
    outline: 0,
    extra: { d: circle(8, 8, 2.4), fill: C.ink },
  },
  'drop-done': { w: 16, h: 20, d: DROP, fill: C.done },
  'drop-way': { w: 16, h: 20, d: DROP, fill: C.white, ring: { color: C.warn, width: 1.8 } },
  'drop-todo': { w: 16, h: 20, d: DROP, fill: C.white, ring: { color: C.todo, width: 1.8 } },
  wp: { w: 18, h: 18, d: 'M9 2l7 7-7 7-7-7z', fill: C.ok },
  pin: {
    w: 26,
    h: 34,
    d: 'M13 33C8 25 2.5 20.5 2.5 13a10.5 10.5 0 0 1 21 0C23.5 20.5 18 25 13 33z',
    fill: C.accent,
    extra: { d: circle(13, 13, 3.6), fill: C.white },
  },
  arrow: { w: 14, h: 14, d: 'M3 2l8 5-8 5z', fill: C.relocation, outline: 0 },
  shield: {
    w: 20,
    h: 14,
    d: 'M3.5 .5h13a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3h-13a3 3 0 0 1-3-3v-7a3 3 0 0 1 3-3z',
    fill: C.white,
    ring: { color: '#B4BCC4', width: 1 },
    outline: 0,
    meta: { stretchX: [[4, 16]], stretchY: [[4, 10]], content: [2, 1, 18, 13] },
  },
};

function canvas(w: number, h: number, ratio: number): CanvasRenderingContext2D | null {
  const el = document.createElement('canvas');
  el.width = Math.round(w * ratio);
  el.height = Math.round(h * ratio);
  const context = el.getContext('2d', { willReadFrequently: true });
  context?.scale(ratio, ratio);
  return context;
}

function draw(mark: Mark, ratio: number): ImageData | null {
  const c = canvas(mark.w, mark.h, ratio);
  if (!c) return null;
  const path = new Path2D(mark.d);
  c.lineJoin = 'round';
  const outline = mark.outline ?? 1.7;
  if (outline > 0) {
    c.strokeStyle = C.white;
    c.lineWidth = outline * 2;
    c.stroke(path);
  }
  if (mark.fill) {
    c.fillStyle = mark.fill;
    c.fill(path);
  }
  if (mark.ring) {
    c.strokeStyle = mark.ring.color;
    c.lineWidth = mark.ring.width;
    c.stroke(path);
  }
  if (mark.extra) {
    const extra = new Path2D(mark.extra.d);
    // A path of open strokes has no inside: the hatch is drawn, the dots are filled.
    if (mark.extra.d.endsWith('z')) {
      c.fillStyle = mark.extra.fill;
      c.fill(extra);
    } else {
      c.strokeStyle = mark.extra.fill;
      c.lineWidth = 1;
      c.stroke(extra);
    }
  }
  return c.getImageData(0, 0, c.canvas.width, c.canvas.height);
}

/** ▨ 未填报: 45° lines on white that meet across tile edges. */
function drawHatch(ratio: number): ImageData | null {
  const c = canvas(8, 8, ratio);
  if (!c) return null;
  c.fillStyle = C.white;
  c.fillRect(0, 0, 8, 8);
  c.strokeStyle = C.hatch;
  c.lineWidth = 1;
  for (const shift of [-8, 0, 8]) {
    c.beginPath();
    c.moveTo(shift - 1, 9);
    c.lineTo(shift + 9, -1);
    c.stroke();
  }
  return c.getImageData(0, 0, c.canvas.width, c.canvas.height);
}

/** Gives the map every mark its style names. */
export function addIcons(map: MapLibre): void {
  const ratio = Math.min(Math.max(Math.ceil(globalThis.devicePixelRatio || 1), 2), 3);
  const hatch = drawHatch(ratio);
  if (hatch && !map.hasImage('hatch')) map.addImage('hatch', hatch, { pixelRatio: ratio });
  for (const [name, mark] of Object.entries(MARKS)) {
    if (map.hasImage(name)) continue;
    const image = draw(mark, ratio);
    if (!image) continue;
    const meta = mark.meta && {
      ...mark.meta,
      stretchX: mark.meta.stretchX?.map(([a, b]): [number, number] => [a * ratio, b * ratio]),
      stretchY: mark.meta.stretchY?.map(([a, b]): [number, number] => [a * ratio, b * ratio]),
      content: mark.meta.content?.map((v) => v * ratio) as [number, number, number, number],
    };
    map.addImage(name, image, { pixelRatio: ratio, ...(meta as Partial<StyleImageMetadata>) });
  }
}
