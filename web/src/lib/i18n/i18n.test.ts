import { afterEach, describe, expect, it } from 'vitest';
import { dictionaries, dictionary, locale } from './index';
import { fill } from './messages';
import * as f from './format';
import * as m from './money';

// Every module's texts, so that none is forgotten when one is added.
const modules = import.meta.glob('../**/*.messages.ts', { eager: true });

afterEach(() => locale.set('zh'));

const placeholders = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)/g)].map((match) => match[1] ?? '').sort();

describe('dictionary', () => {
  it('has every module', () => {
    expect(Object.keys(modules).length).toBeGreaterThan(8);
    expect(dictionaries.length).toBeGreaterThanOrEqual(Object.keys(modules).length);
  });

  it('says everything in English too, with the same parameters', () => {
    for (const { zh, en } of dictionaries) {
      for (const [key, text] of Object.entries(zh)) {
        // A counter such as 个 has no English: then the text is there and empty.
        expect(en[key], key).toBeTypeOf('string');
        expect([...new Set(placeholders(en[key] ?? ''))], key).toEqual([
          ...new Set(placeholders(text)),
        ]);
      }
      expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
    }
  });

  it('leaves no Chinese in the English texts but the name of the language', () => {
    for (const { en } of dictionaries) {
      for (const [key, text] of Object.entries(en)) {
        if (key !== 'language') expect(text, key).not.toMatch(/[\u4e00-\u9fff]/);
      }
    }
  });

  it('fills in parameters and picks the English word by number', () => {
    expect(fill('还有 {n} 天', { n: 5 })).toBe('还有 5 天');
    expect(fill('{n} {n:day|days} left', { n: 1 })).toBe('1 day left');
    expect(fill('{n} {n:day|days} left', { n: 2 })).toBe('2 days left');
    const t = dictionary({ left: '还有 {n} 天' }, { left: '{n} {n:day|days} left' });
    locale.set('en');
    expect(t('left', { n: 1 })).toBe('1 day left');
    expect(t.lookup('left')).toBeDefined();
    expect(t.lookup('toString')).toBeUndefined();
    dictionaries.pop();
  });
});

describe('numbers as officials write them', () => {
  it('groups thousands', () => {
    expect(f.number(13747)).toBe('13,747');
    expect(f.number(1234.56, 1)).toBe('1,234.6');
    expect(f.number(-1234)).toBe('−1,234');
    expect(f.number(-0.04, 1)).toBe('0.0');
  });

  it('writes a rate with one decimal and never 100% while one is missing', () => {
    expect(f.rate(13747, 15085)).toBe('91.1%');
    expect(f.rate(9999, 10_000)).toBe('99.9%');
    expect(f.rate(10_000, 10_000)).toBe('100%');
  });

  it('shows a dash where there is no task, and 0.0% where nothing is done', () => {
    expect(f.rate(0, 0)).toBe('–');
    expect(f.rate(0, 6)).toBe('0.0%');
  });

  it('signs a change', () => {
    expect([f.signed(1.34), f.signed(-0.4), f.signed(0.04)]).toEqual(['+1.3', '−0.4', '0.0']);
  });

  it('keeps the third decimal of a length only where it is there', () => {
    expect(f.quantity(1.2, 3)).toBe('1.20');
    expect(f.quantity(0.815, 3)).toBe('0.815');
    expect(f.quantity(412, 0)).toBe('412');
  });
});

describe('dates', () => {
  it('are Chinese first, English on request', () => {
    expect(f.longDate('2020-10-31')).toBe('2020年10月31日');
    expect(f.shortDate('2020-10-31', '2020-11-02')).toBe('10-31');
    expect(f.shortDate('2019-10-31', '2020-11-02')).toBe('2019-10-31');
    expect(f.monthDay('2020-11-05')).toBe('11月5日');
    locale.set('en');
    expect(f.longDate('2020-10-31')).toBe('31 Oct 2020');
  });

  it('read the clock of Shanghai on every computer', () => {
    expect(f.dateTime('2020-10-31T16:30:00Z')).toBe('2020-11-01 00:30');
  });

  it('count days', () => {
    expect(f.daysBetween('2020-10-31', '2020-11-05')).toBe(5);
    expect(f.daysBetween('2020-03-01', '2020-02-01')).toBe(-29);
    expect(f.addDays('2020-02-28', 2)).toBe('2020-03-01');
  });
});

describe('money', () => {
  it('is written in 万元 with one decimal, half up', () => {
    expect(m.wan('840000.00')).toBe('84.0');
    expect(m.wan('546500.00')).toBe('54.7');
    expect(m.wan('546499.99')).toBe('54.6');
    expect(m.wan('270480000.00')).toBe('27,048.0');
    expect(m.wan(null)).toBe('–');
    expect(m.wan('0.00')).toBe('0.0');
  });

  it('goes to the field and back without losing a cent', () => {
    for (const yuan of ['546123.45', '0.01', '840000.00', '12345678901234.56']) {
      expect(m.yuanFromWan(m.wanExact(yuan))).toBe(yuan);
    }
  });

  it('reads what a Chinese keyboard types', () => {
    expect(m.yuanFromWan('７１．４')).toBe('714000.00');
    expect(m.yuanFromWan('1,234.5')).toBe('12345000.00');
    expect(m.yuanFromWan('约70')).toBeNull();
    expect(m.yuanFromWan('')).toBeNull();
    expect(m.yuanFromWan('.')).toBeNull();
    expect(m.yuanFromWan('1.1234567')).toBeNull();
  });

  it('divides on integers', () => {
    expect(m.moneyPercent('546000.00', '840000.00')).toBe(65);
    expect(m.moneyPercent('1.00', '0.00')).toBeNull();
    expect(m.moneyPercent(null, '1.00')).toBeNull();
  });
});
