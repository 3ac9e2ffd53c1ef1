// The one module that knows MapLibre. It is given plain parameters and answers with plain events;
// the page never sees a MapLibre object.
import { Map as MapLibre, setWorkerUrl, type MapMouseEvent } from 'maplibre-gl';
// A worker of our own origin: the Content-Security-Policy allows no other.
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import type { Bbox, Change, LonLat } from '$lib/api/types';
import type { Camera } from '$lib/view/url';
import { addIcons } from './icons';
import type { MapParams } from './params';
import { pickAt, type Pick } from './pick';
import { buildStyle, MAX_TILE_ZOOM, SOURCE } from './style';
import { ChangeLog, tileRequest, touchedTiles } from './tiles';
import './maplibre.css';

export type { Pick } from './pick';
export type { MapParams } from './params';

/** What tests and the page may know about what is drawn. */
export interface MapStatus {
  zoom: number;
  lat: number;
  /** Sequence of the newest change whose tiles are drawn. */
  seq: number;
  /** Natural villages drawn; counted when the map has come to rest. */
  villages: number;
  resting: boolean;
}

export interface MapEvents {
  pick(pick: Pick | null): void;
  hover(pick: Pick | null, at: { x: number; y: number }): void;
  /** The person moved the map (not the page). */
  moved(camera: Camera): void;
  status(status: MapStatus): void;
  lost(): void;
}

export interface Padding {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

const COUNTED_LAYERS = ['nv-reached', 'nv-unreached', 'nv-small'];

export class MapEngine {
  private readonly map: MapLibre;
  private readonly log = new ChangeLog();
  private params: MapParams;
  private at: string | null;
  private drawnSeq = 0;
  private waitingSeq = 0;
  private hovered: { id: string | number } | null = null;
  private styled = false;
  private pendingStyle = false;

  constructor(
    container: HTMLElement,
    params: MapParams,
    at: string | null,
    start: { camera: Camera | null; bbox: Bbox; padding: Padding },
    label: string,
    private readonly events: MapEvents,
  ) {
    setWorkerUrl(new URL(workerUrl, location.href).href);
    this.params = params;
    this.at = at;
    this.map = new MapLibre({
      container,
      style: buildStyle(params),
      ...(start.camera
        ? { center: [start.camera.lng, start.camera.lat] as LonLat, zoom: start.camera.z }
        : { bounds: start.bbox, fitBoundsOptions: { padding: start.padding } }),
      minZoom: 4.5,
      maxZoom: 17.5,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      renderWorldCopies: false,
      fadeDuration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 120,
      // Tiles out of sight are dropped: coming back asks again, and an old state cannot return.
      maxTileCacheSize: 0,
      localIdeographFontFamily: false,
      locale: { 'Map.Title': label },
      validateStyle: import.meta.env.DEV,
      transformRequest: (url) => ({ url: tileRequest(url, this.at, this.log) }),
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.listen();
  }

  private listen(): void {
    const { map } = this;
    map.on('style.load', () => {
      addIcons(map);
      this.styled = true;
      if (this.pendingStyle) this.update(this.params);
    });
    map.on('click', (e) => this.events.pick(this.pickUnder(e)));
    map.on('mousemove', (e) => this.hover(e));
    map.on('mouseout', () => this.unhover());
    map.on('move', () => this.report(false));
    map.on('moveend', (e) => {
      const byHand = (e as { originalEvent?: unknown }).originalEvent !== undefined;
      const { lng, lat } = map.getCenter();
      if (byHand) this.events.moved({ z: map.getZoom(), lat, lng });
    });
    map.on('idle', () => {
      this.drawnSeq = Math.max(this.drawnSeq, this.waitingSeq);
      this.report(true);
    });
    map.on('webglcontextlost', () => this.events.lost());
    map.on('error', (e) => console.warn('map', e.error?.message ?? e));
  }

  private report(resting: boolean): void {
    const { map } = this;
    this.events.status({
      zoom: map.getZoom(),
      lat: map.getCenter().lat,
      seq: this.drawnSeq,
      villages: resting ? this.countVillages() : -1,
      resting,
    });
  }

  private countVillages(): number {
    const layers = COUNTED_LAYERS.filter((id) => this.map.getLayer(id));
    const seen = new Set(this.map.queryRenderedFeatures({ layers }).map((f) => f.id));
    return seen.size;
  }

  private pickUnder(e: MapMouseEvent): Pick | null {
    return pickAt(this.map, e.point, this.params);
  }

  private hover(e: MapMouseEvent): void {
    const pick = this.pickUnder(e);
    this.map.getCanvas().style.cursor = pick ? 'pointer' : '';
    const id = pick?.kind === 'area' && pick.fid !== null ? pick.fid : null;
    if (this.hovered?.id !== id) {
      this.unhover();
      if (id !== null) {
        this.hovered = { id };
        this.map.setFeatureState({ source: SOURCE, sourceLayer: 'area', id }, { hover: true });
      }
    }
    this.events.hover(pick, e.point);
  }

  private unhover(): void {
    if (this.hovered) {
      this.map.removeFeatureState({
        source: SOURCE,
        sourceLayer: 'area',
        id: this.hovered.id,
      });
    }
    this.hovered = null;
    this.events.hover(null, { x: 0, y: 0 });
  }

  /** Shows other parameters; MapLibre applies only what differs. */
  update(params: MapParams): void {
    const tilesChanged = params.tilesUrl !== this.params.tilesUrl;
    this.params = params;
    if (!this.styled) {
      this.pendingStyle = true;
      return;
    }
    this.pendingStyle = false;
    // Done on the source itself: as part of the style it would take the map down for a moment.
    if (tilesChanged) {
      const source = this.map.getSource(SOURCE) as { setTiles?(urls: string[]): void } | undefined;
      source?.setTiles?.([params.tilesUrl]);
    }
    this.map.setStyle(buildStyle(params), { diff: true });
  }

  /** Shows another date. What is drawn stays until the new tiles are here. */
  setDate(at: string | null): void {
    if (at === this.at) return;
    this.at = at;
    this.map.refreshTiles(SOURCE);
  }

  /** Reloads the tiles that a change touches, and only those. */
  applyChange(change: Change): void {
    this.log.add(change.seq, change.bbox);
    this.waitingSeq = Math.max(this.waitingSeq, change.seq);
    if (!change.bbox) {
      this.map.refreshTiles(SOURCE);
      return;
    }
    const sight = this.map.getBounds();
    const zoom = Math.min(Math.floor(this.map.getZoom()), MAX_TILE_ZOOM);
    const touched = touchedTiles(
      change.bbox,
      [sight.getWest(), sight.getSouth(), sight.getEast(), sight.getNorth()],
      Math.max(0, zoom - 3),
      Math.min(MAX_TILE_ZOOM, zoom + 2),
    );
    if (touched.length) this.map.refreshTiles(SOURCE, touched);
    // Nothing in sight to reload: then what is drawn is already right.
    else this.drawnSeq = this.waitingSeq;
    this.map.triggerRepaint();
  }

  fit(bbox: Bbox, padding: Padding, maxZoom = 14.2): void {
    this.map.fitBounds(bbox, { padding, maxZoom, duration: 500 });
  }

  goTo(camera: Camera): void {
    this.map.jumpTo({ center: [camera.lng, camera.lat], zoom: camera.z });
  }

  /** Brings a place into sight, and moves no further than it must. */
  reveal(bbox: Bbox, padding: Padding): void {
    const sight = this.map.getBounds();
    const inside = sight.contains([bbox[0], bbox[1]]) && sight.contains([bbox[2], bbox[3]]);
    if (inside && this.map.getZoom() >= 10.5) return;
    this.fit(bbox, padding, 13.6);
  }

  /** Comes close enough to a place for its marks to have names. */
  approach(at: LonLat): void {
    const zoom = Math.max(this.map.getZoom() + 1.5, 11.2);
    this.map.easeTo({ center: at, zoom, duration: 400 }, { originalEvent: new Event('pick') });
  }

  zoomBy(step: number): void {
    const { map } = this;
    map.zoomTo(map.getZoom() + step, { duration: 200 }, { originalEvent: new Event('button') });
  }

  /** How much land of the area shown lies under a rectangle of the screen, 0 … 1. */
  landUnder(rect: { x: number; y: number; w: number; h: number }): number {
    const layers = this.params.county ? ['focus-land'] : ['province-land'];
    const { x: left, y: top } = rect;
    const whole = this.map.queryRenderedFeatures(
      [
        [left - 4, top - 4],
        [left + rect.w + 4, top + rect.h + 4],
      ],
      { layers },
    );
    if (whole.length === 0) return 0;
    const steps = 6;
    let hits = 0;
    for (let i = 0; i < steps; i++) {
      for (let j = 0; j < steps; j++) {
        const x = rect.x + (rect.w * (i + 0.5)) / steps;
        const y = rect.y + (rect.h * (j + 0.5)) / steps;
        if (this.map.queryRenderedFeatures([x, y], { layers }).length) hits++;
      }
    }
    return hits / (steps * steps);
  }

  resize(): void {
    this.map.resize();
  }

  destroy(): void {
    this.map.remove();
  }
}
