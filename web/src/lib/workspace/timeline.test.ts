import { describe, expect, it } from 'vitest';
import { bestPlace } from './corner';
import { curve, indexOf, monthEnds, valuesAt } from './timeline';

describe('dates of the time bar', () => {
  it('are month ends, and the business date last', () => {
    const dates = monthEnds('2019-11-01', '2020-03-15');
    expect(dates).toEqual(['2019-11-30', '2019-12-31', '2020-01-31', '2020-02-29', '2020-03-15']);
  });
  it('name a month end once when the business date is one', () => {
    expect(monthEnds('2020-09-01', '2020-10-31')).toEqual(['2020-09-30', '2020-10-31']);
  });
  it('find the date shown', () => {
    expect(indexOf(['2020-01-31', '2020-02-29'], '2020-02-10')).toBe(0);
  });
});

describe('the curve', () => {
  const dates = ['2020-01-31', '2020-02-29', '2020-03-31'];
  it('carries the last known value on, and is empty before the first', () => {
    const values = valuesAt(dates, [{ date: '2020-02-10', value: 4 }]);
    expect(values).toEqual([null, 4, 4]);
  });
  it('starts at the first value and ends at the right edge', () => {
    expect(curve([null, 5, 10], 100, 20, 10)).toBe('M50.0 10.0L100.0 0.0');
  });
});

describe('the place of the legend', () => {
  it('is where no land is', () => {
    const place = bestPlace(800, 600, 200, 100, (r) => (r.x < 300 ? 0.5 : 0));
    expect(place.left).toBeGreaterThanOrEqual(300);
    expect(place.bottom).toBe(12);
  });
  it('is the least bad one when land is everywhere', () => {
    const place = bestPlace(800, 600, 200, 100, (r) => (r.y < 100 ? 0.2 : 0.9));
    expect(place.bottom).toBeGreaterThan(400);
  });
});
