// Where the legend may stand: no panel on an island, no panel on the county that is shown.

export type Corner = 'bottom-left' | 'bottom-right' | 'top-right' | 'top-left';

interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Corners in the order of preference; the controls hold the bottom right edge. */
function places(w: number, h: number, lw: number, lh: number): [Corner, Rect][] {
  const size = { w: lw, h: lh };
  return [
    ['bottom-left', { x: 12, y: h - 12 - lh, ...size }],
    ['bottom-right', { x: w - 58 - lw, y: h - 48 - lh, ...size }],
    ['top-right', { x: w - 12 - lw, y: 12, ...size }],
    ['top-left', { x: 12, y: 60, ...size }],
  ];
}

/** The corner with least land under it; earlier ones win ties. */
export function bestCorner(
  w: number,
  h: number,
  legendW: number,
  legendH: number,
  landUnder: (rect: Rect) => number,
): Corner {
  let best: Corner = 'bottom-left';
  let least = Number.POSITIVE_INFINITY;
  for (const [corner, rect] of places(w, h, legendW, legendH)) {
    const land = landUnder(rect);
    if (land < least) [best, least] = [corner, land];
    if (land === 0) break;
  }
  return best;
}
