/** Numbers, dates and money as a Chinese official writes them; English where asked. */
import { locale } from './locale.svelte';

/** What stands where there is nothing to count (无任务). */
export const NO_TASK = '–';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function group(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** 1234.5 → 1,234.5 */
export function number(value: number, decimals = 0): string {
  const fixed = Math.abs(value).toFixed(decimals);
  const [whole = '0', fraction] = fixed.split('.');
  const sign = value < 0 && Number(fixed) !== 0 ? '−' : '';
  return sign + group(whole) + (fraction ? `.${fraction}` : '');
}

/** 12.5 → 12.5%; exactly 100 → 100%. */
export function percent(value: number): string {
  const text = value.toFixed(1);
  return text === '100.0' && value >= 100 ? '100%' : `${text === '100.0' ? '99.9' : text}%`;
}

/** A rate from its counts. Never shows 100% while one is missing; no task is not 0%. */
export function rate(done: number, total: number): string {
  if (total <= 0) return NO_TASK;
  return percent(ratePercent(done, total));
}

export function ratePercent(done: number, total: number): number {
  return total <= 0 ? Number.NaN : (done * 100) / total;
}

/** +1.3 / −0.4 / 0.0, in points. */
export function signed(value: number, decimals = 1): string {
  const text = number(value, decimals);
  return Number(value.toFixed(decimals)) > 0 ? `+${text}` : text;
}

/** Quantities of a clerk: at least two decimals for lengths, the third only where it is there. */
export function quantity(value: number, decimals: number): string {
  if (decimals === 0) return number(value, 0);
  const full = value.toFixed(decimals);
  const short = full.replace(/0$/, '');
  return number(value, decimals > 2 && short !== full ? decimals - 1 : decimals);
}

interface YearMonthDay {
  y: number;
  m: number;
  d: number;
}

function parts(iso: string): YearMonthDay | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})/.exec(iso);
  if (!match) return null;
  return { y: Number(match[1]), m: Number(match[2]), d: Number(match[3]) };
}

/** 2020年10月31日 / 31 Oct 2020 */
export function longDate(iso: string): string {
  const p = parts(iso);
  if (!p) return iso;
  if (locale.current === 'en') return `${p.d} ${MONTHS[p.m - 1]} ${p.y}`;
  return `${p.y}年${p.m}月${p.d}日`;
}

/** 10月31日 / 31 Oct */
export function monthDay(iso: string): string {
  const p = parts(iso);
  if (!p) return iso;
  return locale.current === 'en' ? `${p.d} ${MONTHS[p.m - 1]}` : `${p.m}月${p.d}日`;
}

/** 2020-10-31: for tables. */
export function isoDate(iso: string | null): string {
  return iso ? iso.slice(0, 10) : NO_TASK;
}

/** 10-31 within the year of `today`, else 2019-10-31. */
export function shortDate(iso: string, today: string): string {
  const date = iso.slice(0, 10);
  return date.slice(0, 4) === today.slice(0, 4) ? date.slice(5) : date;
}

/** The wall clock of the field (Asia/Shanghai, no summer time) whatever the computer's zone. */
export function shanghai(instant: string | number | Date): { date: string; time: string } {
  const moment = new Date(new Date(instant).getTime() + 8 * 3600_000).toISOString();
  return { date: moment.slice(0, 10), time: moment.slice(11, 16) };
}

/** 2020-10-31 09:41 */
export function dateTime(instant: string): string {
  const { date, time } = shanghai(instant);
  return `${date} ${time}`;
}

/** Days from one date to another; positive when `to` is later. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to.slice(0, 10)) - Date.parse(from.slice(0, 10))) / 86_400_000);
}

export function addDays(iso: string, days: number): string {
  return new Date(Date.parse(iso.slice(0, 10)) + days * 86_400_000).toISOString().slice(0, 10);
}
