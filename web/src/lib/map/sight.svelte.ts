// What the map says about itself: written by MapView, read by the scale bar, the controls and the
// legend. Kept apart so that these do not load MapLibre.
import type { MapStatus, Pick } from './engine';

/** What the buttons around the map may ask of it. */
export interface MapHandle {
  zoomBy(step: number): void;
  fitArea(): void;
  landUnder(rect: { x: number; y: number; w: number; h: number }): number;
}

class Sight {
  status = $state.raw<MapStatus>({ zoom: 6, lat: 23, seq: 0, villages: -1, resting: false });
  hover = $state.raw<{ pick: Pick; x: number; y: number } | null>(null);
  handle = $state.raw<MapHandle | null>(null);
  /** True when the map cannot be drawn here: the list twin stands in. */
  unavailable = $state(false);
}

export const sight = new Sight();
