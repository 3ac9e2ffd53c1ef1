/**
 * Money. In JSON it is a decimal string in yuan; here it is an integer of cents (分), so that
 * nothing is lost on the way to 万元 and back.
 */
import { NO_TASK } from './format';

const CENTS_PER_WAN = 1_000_000n;

/** "840000.00" → 84000000n; null when it is not money. */
export function cents(yuan: string | null | undefined): bigint | null {
  const match = /^(-?)(\d+)(?:\.(\d{1,2})0*)?$/.exec((yuan ?? '').trim());
  if (!match) return null;
  const value = BigInt(match[2] ?? '0') * 100n + BigInt((match[3] ?? '').padEnd(2, '0') || '0');
  return match[1] ? -value : value;
}

export function yuanFromCents(value: bigint): string {
  const sign = value < 0n ? '-' : '';
  const abs = value < 0n ? -value : value;
  return `${sign}${abs / 100n}.${String(abs % 100n).padStart(2, '0')}`;
}

/** "546123.45" → "54.6" (万元, one decimal, half up, thousands separators). */
export function wan(yuan: string | null | undefined): string {
  const value = cents(yuan);
  if (value === null) return NO_TASK;
  const abs = value < 0n ? -value : value;
  const tenths = (abs * 10n + CENTS_PER_WAN / 2n) / CENTS_PER_WAN;
  const whole = String(tenths / 10n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return `${value < 0n && tenths > 0n ? '−' : ''}${whole}.${tenths % 10n}`;
}

/** "546123.45" → "54.612345": for a field that a clerk edits, nothing rounded away. */
export function wanExact(yuan: string | null | undefined): string {
  const value = cents(yuan);
  if (value === null) return '';
  const fraction = String(value % CENTS_PER_WAN)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${value / CENTS_PER_WAN}${fraction ? `.${fraction}` : ''}`;
}

/** What was typed in 万元 → yuan string; null when it is not an amount. */
export function yuanFromWan(typed: string): string | null {
  const match = /^(\d+)?(?:\.(\d{0,6}))?$/.exec(plainDigits(typed));
  if (!match || (match[1] === undefined && !match[2])) return null;
  const value = BigInt(match[1] ?? '0') * CENTS_PER_WAN + BigInt((match[2] ?? '').padEnd(6, '0'));
  return yuanFromCents(value);
}

/** Full-width digits and signs of a Chinese keyboard → plain ones; separators go. */
export function plainDigits(typed: string): string {
  return typed
    .trim()
    .replace(/[０-９]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(/[．。]/g, '.')
    .replace(/[,，\s]/g, '');
}

/** part ÷ whole as percent with two decimals kept, on integers; null without a whole. */
export function moneyPercent(part: string | null, whole: string | null): number | null {
  const a = cents(part);
  const b = cents(whole);
  if (a === null || b === null || b <= 0n) return null;
  return Number((a * 10_000n) / b) / 100;
}
