export { locale, type Locale } from './locale.svelte';
export { dictionary, dictionaries, pick } from './messages';
export * from './format';
export * from './money';
