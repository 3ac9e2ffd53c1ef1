/** Whether this browser can draw the map. Where not, the list twin opens by itself. */
export function canDrawMaps(): boolean {
  try {
    return document.createElement('canvas').getContext('webgl2') !== null;
  } catch {
    return false;
  }
}
