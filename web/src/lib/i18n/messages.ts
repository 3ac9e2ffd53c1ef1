/**
 * Typed dictionaries. Each module has a `name.messages.ts`:
 *
 *   export const t = dictionary(
 *     { title: '计划与实际', left: '还有 {n} 天' },
 *     { title: 'Plan and actual', left: '{n} {n:day|days} left' },
 *   );
 *   t('left', { n: 5 })
 *
 * A key missing in English, or a parameter that a call forgets, does not compile.
 * `{n:day|days}` picks a word by number; Chinese needs none.
 */
import { locale, type Locale } from './locale.svelte';

type Names<S extends string> = S extends `${string}{${infer P}}${infer Rest}`
  ? (P extends `${infer N}:${string}` ? N : P) | Names<Rest>
  : never;

export type Params<S extends string> = [Names<S>] extends [never]
  ? []
  : [params: Record<Names<S>, string | number>];

/** What `dictionary` made, listed so that a test can look at every text. */
export const dictionaries: { zh: Record<string, string>; en: Record<string, string> }[] = [];

export function fill(
  template: string,
  params: Record<string, string | number> | undefined,
): string {
  if (!params) return template;
  return template.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one, many) => {
    const value = params[name];
    if (value === undefined) return whole;
    if (one === undefined) return String(value);
    return Number(value) === 1 ? one : many;
  });
}

export interface Translate<Z extends Record<string, string>> {
  <K extends keyof Z & string>(key: K, ...params: Params<Z[K]>): string;
  /** The text of a key that the server named, if we have one. */
  lookup(key: string): string | undefined;
}

export function dictionary<const Z extends Record<string, string>>(
  zh: Z,
  en: { readonly [K in keyof Z]: string },
): Translate<Z> {
  const both: Record<Locale, Record<string, string>> = { zh, en };
  dictionaries.push(both);
  const translate = (key: string, params?: Record<string, string | number>): string =>
    fill(both[locale.current][key] ?? zh[key] ?? key, params);
  return Object.assign(translate, {
    lookup: (key: string): string | undefined =>
      Object.hasOwn(zh, key) ? translate(key) : undefined,
  }) as Translate<Z>;
}

/** Picks the name in the reader's language from a row that carries both. */
export function pick(zh: string, en: string | null | undefined): string {
  return locale.current === 'en' && en ? en : zh;
}
