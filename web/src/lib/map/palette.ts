// The colours of the map. MapLibre cannot read CSS custom properties, so they are repeated here;
// palette.test.ts holds them against styles/tokens.css.
export const C = {
  ground: '#E8ECED',
  outside: '#F3F4F1',
  noTask: '#F6F7F6',
  paper: '#FDFCF9',
  white: '#FFFFFF',
  halo: 'rgba(255,255,255,.94)',
  ink: '#1A222B',
  ink2: '#46515D',
  ink3: '#626C76',
  accent: '#2A4A9C',
  done: '#2378AE',
  hardened: '#86AFCB',
  ok: '#12876A',
  warn: '#D98E04',
  late: '#C8371F',
  lateText: '#B32D16',
  todo: '#7B8793',
  ring: '#5F6B76',
  hatch: '#A9B2BA',
  relocation: '#6B4E8F',
  province: '#6E7884',
  city: '#8C95A0',
  county: '#A8B0B8',
  town: '#B9C1C8',
} as const;

/** Low to high. The breaks belong to the indicator and never change between dates. */
export const CLASSES = ['#F7EBCB', '#C6D8B1', '#93C3B4', '#4C97A6', '#23637F'] as const;

/** The class of a rate, 0 … breaks.length. */
export function classOf(rate: number, breaks: readonly number[]): number {
  return breaks.filter((b) => rate >= b).length;
}

export function colourOf(rate: number, breaks: readonly number[]): string {
  return CLASSES[classOf(rate, breaks)] ?? CLASSES[CLASSES.length - 1]!;
}
