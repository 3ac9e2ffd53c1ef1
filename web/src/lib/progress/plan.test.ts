import { describe, expect, it } from 'vitest';
import type { Thresholds } from '../api/types';
import {
  isComplete,
  lagDays,
  lightOf,
  percentDone,
  plannedPercent,
  type PlanFacts,
  type ProgressFacts,
} from './plan';

const LIMITS: Thresholds = {
  lag_warn_pp: 5,
  lag_late_pp: 15,
  start_late_days: 30,
  no_update_days: 45,
  choropleth: [85, 90, 95, 98],
  red_line: 87,
};

describe('percent from quantities', () => {
  it('weighs what is done', () => {
    const road = [
      { planned: 1.2, done: 1.2, weight: 0.35 },
      { planned: 1.2, done: 0.81, weight: 0.65 },
    ];
    expect(percentDone(road)).toBe(78.87);
  });

  it('does not count more than was planned', () => {
    expect(
      percentDone([
        { planned: 10, done: 12, weight: 0.5 },
        { planned: 10, done: 0, weight: 0.5 },
      ]),
    ).toBe(50);
  });

  it('is 100 only when everything is done, never by rounding', () => {
    const almost = [{ planned: 100_000, done: 99_999.999, weight: 1 }];
    expect(percentDone(almost)).toBe(99.99);
    expect(isComplete(almost)).toBe(false);
    expect(percentDone([{ planned: 0.3, done: 0.1 + 0.2, weight: 1 }])).toBe(100);
  });

  it('cuts rather than rounds, and binary fractions do not lose a hundredth', () => {
    expect(percentDone([{ planned: 3, done: 2, weight: 1 }])).toBe(66.66);
    expect(percentDone([{ planned: 1.2, done: 0.81, weight: 1 }])).toBe(67.5);
    expect(percentDone([{ planned: 1, done: 0.29, weight: 1 }])).toBe(29);
  });

  it('uses the weights there are when they do not add up to one', () => {
    expect(percentDone([{ planned: 4, done: 1, weight: 0.3 }])).toBe(25);
    expect(percentDone([])).toBe(0);
  });
});

/** 101 days, no milestones: one point a day. */
const even: PlanFacts = {
  planned_start_on: '2020-01-01',
  planned_finish_on: '2020-04-10',
  milestones: [],
};

describe('plan curve', () => {
  it('is straight between milestones, from the planned start to the planned finish', () => {
    const plan: PlanFacts = {
      planned_start_on: '2020-01-01',
      planned_finish_on: '2020-12-31',
      milestones: [
        { planned_on: '2020-03-31', planned_percent: 50 },
        { planned_on: '2020-03-01', planned_percent: 20 },
      ],
    };
    expect(plannedPercent(plan, '2019-12-31')).toBe(0);
    expect(plannedPercent(plan, '2020-01-31')).toBe(10);
    expect(plannedPercent(plan, '2020-03-01')).toBe(20);
    expect(plannedPercent(plan, '2020-03-11')).toBe(30);
    expect(plannedPercent(plan, '2020-12-31')).toBe(100);
    expect(plannedPercent(plan, '2025-01-01')).toBe(100);
  });

  it('rises evenly without milestones', () => {
    expect(plannedPercent(even, '2020-02-20')).toBe(50);
  });

  it('tells how many days ago the plan stood here', () => {
    expect(lagDays(even, 40, '2020-02-20')).toBe(10);
    expect(lagDays(even, 60, '2020-02-20')).toBe(0);
  });
});

describe('light', () => {
  const underWay = (percent: number, last: string | null = '2020-02-20'): ProgressFacts => ({
    status: 'under_way',
    percent,
    started_on: '2020-01-01',
    last_reported_on: last,
  });
  const waiting: ProgressFacts = {
    status: 'not_started',
    percent: 0,
    started_on: null,
    last_reported_on: null,
  };
  const on = (progress: ProgressFacts, day: string): string | null =>
    lightOf(even, progress, LIMITS, day);

  it('keeps a lag of exactly the limit within it', () => {
    expect(on(underWay(45), '2020-02-20')).toBe('ok');
    expect(on(underWay(44.99), '2020-02-20')).toBe('warn');
    expect(on(underWay(35), '2020-02-20')).toBe('warn');
    expect(on(underWay(34.99), '2020-02-20')).toBe('late');
  });

  it('warns of a late start from the next day, red after thirty', () => {
    const flat: PlanFacts = {
      planned_start_on: '2020-01-01',
      planned_finish_on: '2020-12-31',
      milestones: [
        { planned_on: '2020-01-01', planned_percent: 0 },
        { planned_on: '2020-06-30', planned_percent: 0 },
      ],
    };
    const light = (day: string): string | null => lightOf(flat, waiting, LIMITS, day);
    expect(light('2020-01-01')).toBe('todo');
    expect(light('2020-01-02')).toBe('warn');
    expect(light('2020-01-31')).toBe('warn');
    expect(light('2020-02-01')).toBe('late');
  });

  it('turns red after 45 days of silence', () => {
    expect(on(underWay(99.99, '2020-02-01'), '2020-03-17')).toBe('ok');
    expect(on(underWay(99.99, '2020-02-01'), '2020-03-18')).toBe('late');
  });

  it('turns red the day after the planned finish', () => {
    expect(on(underWay(99.99, '2020-04-10'), '2020-04-10')).toBe('ok');
    expect(on(underWay(99.99, '2020-04-10'), '2020-04-11')).toBe('late');
  });

  it('tells under way without a report apart from zero', () => {
    expect(on(underWay(0, null), '2020-02-10')).toBe('none');
    expect(on(underWay(0, null), '2020-02-16')).toBe('late');
  });

  it('puts done first and does not judge what awaits acceptance or is cancelled', () => {
    const at = (status: ProgressFacts['status']): string | null =>
      on({ ...underWay(0), status }, '2021-01-01');
    expect(at('done')).toBe('done');
    expect(at('completed')).toBe('ok');
    expect(at('cancelled')).toBeNull();
  });
});
