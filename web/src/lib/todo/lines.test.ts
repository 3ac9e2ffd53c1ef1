import { describe, expect, it } from 'vitest';
import type { Reporting, TodoItem } from '../api/types';
import { deadline, lastLine, lightWord, periodName } from './lines';

const TODAY = '2020-10-31';

function item(part: Partial<TodoItem> = {}): TodoItem {
  return {
    group: 'due',
    due_on: '2020-11-05',
    days_left: 5,
    period_first: '2020-10-01',
    period_last: '2020-10-31',
    project: {
      status: 'under_way',
      last_reported_on: '2020-09-28',
      planned_start_on: '2020-03-01',
    } as TodoItem['project'],
    light_rule: 'lag',
    light_days: 23,
    light_reason: { zh: '', en: '' },
    quantities: [
      {
        item: 'roadbed_km',
        name_zh: '路基',
        name_en: 'Road bed',
        unit_zh: '公里',
        unit_en: 'km',
        decimals: 3,
        planned: 1.2,
        done: 1.2,
      },
      {
        item: 'surface_km',
        name_zh: '路面',
        name_en: 'Surface',
        unit_zh: '公里',
        unit_en: 'km',
        decimals: 3,
        planned: 1.2,
        done: 0.81,
      },
    ],
    returned: null,
    ...part,
  };
}

describe('the deadline of a row', () => {
  it.each([
    [5, '还有 5 天', 'plain'],
    [0, '今天', 'soon'],
    [-26, '逾期 26 天', 'late'],
  ] as const)('%s days left: %s', (days_left, text, tone) => {
    expect(deadline(item({ days_left }), TODAY)).toEqual({ text, tone });
  });

  it('says that a late project is reported when only the next period is open', () => {
    const reported = { group: 'late', period_first: '2020-11-01', days_left: 35 } as const;
    expect(deadline(item(reported), TODAY).text).toBe('本期已报');
    expect(deadline(item({ group: 'late' }), TODAY).text).toBe('还有 5 天');
  });
});

describe('the line below the name', () => {
  it('tells the quantity that is still being built', () => {
    expect(lastLine(item(), TODAY)).toBe('上次 09-28　路面 0.81 / 1.20 公里');
  });

  it('tells the reason and who gave it when it came back', () => {
    const returned = {
      report_id: 'r',
      effective_on: TODAY,
      reason: '桩号不对',
      returned_at: '2020-10-31T08:20:00Z',
      returned_by: { display_name: '古文华', unit_name: '五华县扶贫办公室' },
    };
    expect(lastLine(item({ group: 'returned', returned }), TODAY)).toBe('退回：桩号不对（古文华）');
  });

  it('does not call nothing zero', () => {
    const silent = { ...item().project, last_reported_on: null };
    expect(lastLine(item({ project: silent }), TODAY)).toBe('尚未上报过');
    const waiting = { ...silent, status: 'not_started' as const };
    expect(lastLine(item({ project: waiting }), TODAY)).toBe('未开工，计划 2020-03-01 开工');
  });
});

it('names the light by the rule that decided', () => {
  const said = (light: string, light_rule: TodoItem['light_rule']) =>
    lightWord(item({ light_rule, project: { light, lag_pp: 9.4 } as TodoItem['project'] }));
  expect(said('late', 'lag')).toBe('滞后 23 天');
  expect(said('late', 'no_update')).toBe('23 天未报');
  expect(said('late', 'start_late')).toBe('开工晚 23 天');
  expect(said('late', 'past_due')).toBe('超期 23 天');
  expect(said('warn', 'lag')).toBe('预警 9.4 个百分点');
  expect(said('ok', 'within_plan')).toBe('正常');
});

it('names the period as the province reports', () => {
  const name = (cycle: Reporting['cycle'], first: string, last: string) =>
    periodName({ cycle, period_first: first, period_last: last } as Reporting);
  expect(name('month', '2020-10-01', '2020-10-31')).toBe('10 月份');
  expect(name('quarter', '2020-10-01', '2020-12-31')).toBe('第 4 季度');
  expect(name('ten_days', '2020-10-21', '2020-10-31')).toBe('10月21日 至 10月31日');
});
