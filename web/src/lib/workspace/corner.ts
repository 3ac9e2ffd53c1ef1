// Where the legend may stand: no panel on an island, no panel on the county that is shown.

export interface Place {
  left: number;
  bottom: number;
}

interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

const EDGE = 12;
/** Zoom buttons and scale hold the bottom right; the breadcrumb the top left. */
const CONTROLS = { w: 62, scaleW: 200, scaleH: 44 };
const CRUMB = 60;

/** Places in the order of preference: along the bottom, then along the top. */
function places(w: number, h: number, lw: number, lh: number): Rect[] {
  const right = w - EDGE - lw;
  const size = { w: lw, h: lh };
  const bottom = h - EDGE - lh;
  const out: Rect[] = [{ x: EDGE, y: bottom, ...size }];
  const last = w - CONTROLS.w - CONTROLS.scaleW - lw;
  for (let x = last; x > lw; x -= 24) out.push({ x, y: bottom, ...size });
  out.push({ x: w - CONTROLS.w - lw, y: bottom - CONTROLS.scaleH, ...size });
  out.push({ x: right, y: EDGE, ...size }, { x: EDGE, y: CRUMB, ...size });
  return out;
}

/** The place with least land under it; earlier ones win ties. */
export function bestPlace(
  w: number,
  h: number,
  legendW: number,
  legendH: number,
  landUnder: (rect: Rect) => number,
): Place {
  let best: Rect | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const rect of places(w, h, legendW, legendH)) {
    if (rect.x < 0 || rect.y < 0) continue;
    const land = landUnder(rect);
    if (land < least) [best, least] = [rect, land];
    if (land === 0) break;
  }
  return best ? { left: best.x, bottom: h - best.y - best.h } : { left: EDGE, bottom: EDGE };
}
