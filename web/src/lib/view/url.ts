// The view as an address: what a colleague sees when the link is sent on. Pure, so that it can be
// tested without a browser.
import type { Light, NvStatus, Sector } from '$lib/api/types';

export type Topic = Sector;
export type Reading = 'reported' | 'approved';
/** `uncounted`: natural villages under 20 households, which are not in the denominator. */
export type NvFilter = NvStatus | 'uncounted';
export type Overlay = 'water_scheme' | 'relocation' | 'town_line';
/** A screen of its own, by the first word of the path; the map is at the root. */
export type Page = 'map' | 'ledger' | 'todo' | 'review' | 'sheets' | 'signin';
/** `id` is the UUID of the API or the code of the field: both name the same thing. */
export type Selection =
  | { kind: 'project'; id: string }
  | { kind: 'natural_village'; id: string }
  | { kind: 'area'; code: string };
export interface Camera {
  z: number;
  lat: number;
  lng: number;
}

export interface ViewState {
  page: Page;
  /** Area code; empty means the programme's province. */
  area: string;
  topic: Topic;
  reading: Reading;
  /** The date shown; null is now, and keeps up with the clock. */
  at: string | null;
  nv: readonly NvFilter[];
  light: readonly Light[];
  overlays: readonly Overlay[];
  selection: Selection | null;
  camera: Camera | null;
}

export const TOPICS: readonly Topic[] = [
  'road',
  'water',
  'relocation',
  'housing',
  'power',
  'clean_village',
];
export const NV_FILTERS: readonly NvFilter[] = [
  'done',
  'gap',
  'under_way',
  'not_started',
  'uncounted',
];
export const LIGHTS: readonly Light[] = ['done', 'late', 'warn', 'ok', 'todo', 'none'];
export const OVERLAYS: readonly Overlay[] = ['water_scheme', 'relocation', 'town_line'];
const PAGES: readonly Page[] = ['map', 'ledger', 'todo', 'review', 'sheets', 'signin'];

/** What is done and what does not count recede: exceptions carry the ink. */
export const DEFAULTS: ViewState = {
  page: 'map',
  area: '',
  topic: 'road',
  reading: 'reported',
  at: null,
  nv: ['done', 'gap', 'under_way', 'not_started'],
  light: ['late', 'warn', 'ok', 'todo', 'none'],
  overlays: ['relocation', 'town_line'],
  selection: null,
  camera: null,
};

const DATE = /^\d{4}-\d{2}-\d{2}$/;
/** Official codes are 6 to 12 digits; imported programmes have their own. */
const CODE = /^[\w.-]{1,32}$/;

function oneOf<T extends string>(value: string | null, allowed: readonly T[], fallback: T): T {
  return allowed.find((a) => a === value) ?? fallback;
}

function listOf<T extends string>(
  value: string | null,
  allowed: readonly T[],
  fallback: readonly T[],
): readonly T[] {
  if (value === null) return fallback;
  const wanted = value.split('.');
  return allowed.filter((a) => wanted.includes(a));
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((x) => b.includes(x));
}

function parseSelection(value: string | null): Selection | null {
  const [kind, id] = value?.split(':', 2) ?? [];
  if (!id) return null;
  if (kind === 'p') return { kind: 'project', id };
  if (kind === 'nv') return { kind: 'natural_village', id };
  if (kind === 'a' && CODE.test(id)) return { kind: 'area', code: id };
  return null;
}

function formatSelection(s: Selection): string {
  if (s.kind === 'area') return `a:${s.code}`;
  return `${s.kind === 'project' ? 'p' : 'nv'}:${s.id}`;
}

function parseCamera(value: string | null): Camera | null {
  const [z, lat, lng] = (value ?? '').split('/').map(Number);
  if (z === undefined || lat === undefined || lng === undefined) return null;
  if (![z, lat, lng].every(Number.isFinite)) return null;
  return Math.abs(lat) < 85 && Math.abs(lng) <= 180 && z >= 0 && z < 24 ? { z, lat, lng } : null;
}

/** Reads an address. What it does not understand falls back: an old link must open something. */
export function parseUrl(url: URL): ViewState {
  const q = url.searchParams;
  const at = q.get('at');
  const area = q.get('area') ?? '';
  return {
    page: oneOf(url.pathname.split('/')[1] || 'map', PAGES, 'map'),
    area: CODE.test(area) ? area : '',
    topic: oneOf(q.get('topic'), TOPICS, DEFAULTS.topic),
    reading: oneOf(q.get('reading'), ['reported', 'approved'] as const, DEFAULTS.reading),
    at: at !== null && DATE.test(at) ? at : null,
    nv: listOf(q.get('nv'), NV_FILTERS, DEFAULTS.nv),
    light: listOf(q.get('light'), LIGHTS, DEFAULTS.light),
    overlays: listOf(q.get('over'), OVERLAYS, DEFAULTS.overlays),
    selection: parseSelection(q.get('sel')),
    camera: parseCamera(q.get('map')),
  };
}

/** Writes an address; what is as usual is left out, so that links stay short. */
export function formatUrl(v: ViewState): string {
  const q: string[] = [];
  if (v.area) q.push(`area=${v.area}`);
  if (v.topic !== DEFAULTS.topic) q.push(`topic=${v.topic}`);
  if (v.reading !== DEFAULTS.reading) q.push(`reading=${v.reading}`);
  if (v.at) q.push(`at=${v.at}`);
  if (!same(v.nv, DEFAULTS.nv)) q.push(`nv=${v.nv.join('.')}`);
  if (!same(v.light, DEFAULTS.light)) q.push(`light=${v.light.join('.')}`);
  if (!same(v.overlays, DEFAULTS.overlays)) q.push(`over=${v.overlays.join('.')}`);
  if (v.selection) q.push(`sel=${formatSelection(v.selection)}`);
  if (v.camera) {
    const { z, lat, lng } = v.camera;
    q.push(`map=${z.toFixed(2)}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
  }
  return `/${v.page === 'map' ? '' : v.page}${q.length ? `?${q.join('&')}` : ''}`;
}
