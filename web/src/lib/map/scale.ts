/** Metres on the ground per CSS pixel, in the middle of the map (tiles are 512 px). */
export function metresPerPixel(zoom: number, lat: number): number {
  return (40_075_016.686 * Math.cos((lat * Math.PI) / 180)) / (512 * 2 ** zoom);
}

/** The longest round distance that fits into `maxPx`: 1, 2 or 5 times a power of ten. */
export function scaleBar(zoom: number, lat: number, maxPx: number): { metres: number; px: number } {
  const perPixel = metresPerPixel(zoom, lat);
  const most = perPixel * maxPx;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = ([5, 2, 1].find((n) => n * power <= most) ?? 1) * power;
  return { metres, px: metres / perPixel };
}
