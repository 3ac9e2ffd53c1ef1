// The one state that map, list, rail and drawer share. It lives in the address bar: back and
// forward work, and a link opens what its sender saw.
import type { Bbox, Light } from '$lib/api/types';
import {
  DEFAULTS,
  formatUrl,
  parseUrl,
  type Camera,
  type NvFilter,
  type Overlay,
  type Page,
  type Reading,
  type Selection,
  type Topic,
  type ViewState,
} from './url';

export type { Camera, NvFilter, Overlay, Page, Reading, Selection, Topic } from './url';
export { LIGHTS, NV_FILTERS, OVERLAYS, TOPICS } from './url';

export type Twin = 'map' | 'list';

interface Filters {
  nv: ReadonlySet<NvFilter>;
  light: ReadonlySet<Light>;
  overlays: ReadonlySet<Overlay>;
}

/** What is known of the selection beyond its name in the address. */
export interface Marked {
  /** Id or code as in the selection. */
  id: string;
  /** The number that tiles carry: by it the map marks the feature. */
  fid: number;
  bbox: Bbox | null;
}

class View {
  page = $state<Page>('map');
  /** Code of the area shown; after start never empty. */
  area = $state('');
  topic = $state<Topic>(DEFAULTS.topic);
  reading = $state<Reading>(DEFAULTS.reading);
  /** Date shown, null = now. */
  at = $state<string | null>(null);
  /** What is shown. Replace a set, do not mutate it (see `toggle`). */
  filters = $state.raw<Filters>({
    nv: new Set(DEFAULTS.nv),
    light: new Set(DEFAULTS.light),
    overlays: new Set(DEFAULTS.overlays),
  });
  selection = $state.raw<Selection | null>(null);
  /** Set by the drawer when it has loaded the selection (`markSelection`). */
  marked = $state.raw<Marked | null>(null);
  /** Map and ledger are twins on one state: the ledger is the page `ledger`. */
  get twin(): Twin {
    return this.page === 'ledger' ? 'list' : 'map';
  }
  set twin(twin: Twin) {
    this.page = twin === 'list' ? 'ledger' : 'map';
  }
  /** Where the map stands; null = fit the area. Written by the map, read at start and on "back". */
  camera = $state.raw<Camera | null>(null);
}

export const view = new View();

let home = '';
/** Readings a visitor may see; the public sees reviewed figures only. */
let onlyApproved = $state(false);

function snapshot(): ViewState {
  return {
    page: view.page,
    area: view.area === home ? '' : view.area,
    topic: view.topic,
    reading: onlyApproved ? 'reported' : view.reading,
    at: view.at,
    nv: [...view.filters.nv],
    light: [...view.filters.light],
    overlays: [...view.filters.overlays],
    selection: view.selection,
    camera: view.camera,
  };
}

function apply(s: ViewState): void {
  view.page = s.page;
  view.area = s.area || home;
  view.topic = s.topic;
  view.reading = onlyApproved ? 'approved' : s.reading;
  view.at = s.at;
  view.filters = { nv: new Set(s.nv), light: new Set(s.light), overlays: new Set(s.overlays) };
  view.selection = s.selection;
  view.camera = s.camera;
}

/** Ties the view to the address bar. Call once, when the programme's province is known. */
export function startView(province: string): () => void {
  home = province;
  apply(parseUrl(new URL(location.href)));
  const onPop = () => apply(parseUrl(new URL(location.href)));
  addEventListener('popstate', onPop);
  let last = snapshot();
  const stop = $effect.root(() => {
    $effect(() => {
      const now = snapshot();
      const next = formatUrl(now);
      if (next !== formatUrl(parseUrl(new URL(location.href)))) {
        // Moving the map is not a step to go back to; going somewhere else is.
        const moved = formatUrl({ ...now, camera: null }) === formatUrl({ ...last, camera: null });
        history[moved ? 'replaceState' : 'pushState'](null, '', next);
      }
      last = now;
    });
  });
  return () => {
    removeEventListener('popstate', onPop);
    stop();
  };
}

/** The public sees reviewed figures only; called by the session when it learns who is here. */
export function restrictToApproved(yes: boolean): void {
  if (yes === onlyApproved) return;
  onlyApproved = yes;
  view.reading = yes ? 'approved' : parseUrl(new URL(location.href)).reading;
}

export function readingIsFixed(): boolean {
  return onlyApproved;
}

export function provinceCode(): string {
  return home;
}

/** Opens something in the drawer; null closes it. */
export function select(selection: Selection | null): void {
  view.selection = selection;
  if (selection && view.page !== 'map' && view.page !== 'ledger') view.page = 'map';
}

/** Tells the map which feature the selection is, and where, once the drawer has loaded it. */
export function markSelection(marked: Marked): void {
  view.marked = marked;
}

/** Goes to an area: the map fits it, the rail and the drawer speak of it. */
export function drillTo(area: string): void {
  view.area = area || home;
  view.selection = null;
  view.camera = null;
}

/** Shows the state on a date; null returns to now. */
export function setAt(at: string | null): void {
  view.at = at;
}

export function goTo(page: Page): void {
  view.page = page;
}

/** Shows or hides one entry of a filter group. */
export function toggle(group: 'nv', entry: NvFilter): void;
export function toggle(group: 'light', entry: Light): void;
export function toggle(group: 'overlays', entry: Overlay): void;
export function toggle(group: keyof Filters, entry: string): void {
  const set = new Set<string>(view.filters[group]);
  if (!set.delete(entry)) set.add(entry);
  view.filters = { ...view.filters, [group]: set };
}

/** Follows a link of this page. */
export function openUrl(href: string): void {
  apply(parseUrl(new URL(href, location.href)));
}

/** An address for a link, with some parts of the view changed. */
export function hrefWith(part: Partial<ViewState>): string {
  return formatUrl({ ...snapshot(), camera: null, ...part });
}
