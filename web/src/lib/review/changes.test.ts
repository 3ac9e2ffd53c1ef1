import { describe, expect, it } from 'vitest';
import type { PendingReport } from '../api/types';
import { changesOf, flagText } from './changes';

const surface = {
  item: 'surface_km',
  name_zh: '路面',
  name_en: 'Surface',
  unit_zh: '公里',
  unit_en: 'km',
  decimals: 3,
  planned: 1.2,
  done: 1.02,
};

function report(part: Partial<PendingReport> = {}): PendingReport {
  return {
    effective_on: '2020-10-31',
    percent: 85,
    invested_yuan: '714000.00',
    paid_yuan: null,
    items: [{ item: 'surface_km', done: 1.02 }],
    quantities: [surface],
    approved: {
      id: 'a',
      effective_on: '2020-09-28',
      percent: 67.5,
      invested_yuan: '546000.00',
      paid_yuan: null,
      items: [{ item: 'surface_km', done: 0.81 }],
    },
    ...part,
  } as PendingReport;
}

describe('what a report changes', () => {
  it('stands beside what was approved', () => {
    expect(changesOf(report(), '2020-10-31')).toEqual({
      quantities: ['路面 0.81 → 1.02 公里'],
      percent: '67.5% → 85.0%',
      points: '+17.5',
      falls: false,
      invested: '54.6 → 71.4',
      paid: '–',
      date: '09-28 → 10-31',
    });
  });

  it('says that it is the first, and that nothing changed', () => {
    const first = changesOf(report({ approved: null }), '2020-10-31');
    expect([first.quantities[0], first.percent, first.points]).toEqual([
      '路面 1.02 公里',
      '85.0%',
      '首次',
    ]);
    const same = report();
    same.items = [{ item: 'surface_km', done: 0.81 }];
    expect(changesOf(same, '2020-10-31').quantities).toEqual(['不变']);
  });

  it('marks a percentage that falls', () => {
    const less = changesOf(report({ percent: 60 }), '2020-10-31');
    expect([less.points, less.falls]).toEqual(['−7.5', true]);
  });
});

it('names flags in the words of the field', () => {
  const text = (flag: Parameters<typeof flagText>[0]) => flagText(flag, report());
  expect(text({ flag: 'jump', points: 30.5, days: 33 })).toBe('33 天增加 30.5 个百分点');
  expect(text({ flag: 'jump', points: 30.5, days: 0 })).toBe('增加 30.5 个百分点');
  expect(text({ flag: 'over_plan', item: 'surface_km', planned: 1.2, now: 1.3 })).toBe(
    '路面 1.30，大于设计 1.20',
  );
  expect(text({ flag: 'paid_ahead', yuan: 100000 })).toBe('支付大于完成投资 10.0 万元');
});
