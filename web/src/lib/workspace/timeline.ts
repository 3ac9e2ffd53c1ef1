// Dates of the time bar and the curve over them. Pure.

/** Month ends from the first date to the business date, and the business date itself. */
export function monthEnds(first: string, last: string): string[] {
  const out: string[] = [];
  let year = Number(first.slice(0, 4));
  let month = Number(first.slice(5, 7));
  for (;;) {
    // Day 0 of the next month is the last of this one.
    const end = new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
    if (end >= last) break;
    out.push(end);
    month += 1;
    if (month > 12) {
      month = 1;
      year += 1;
    }
  }
  out.push(last);
  return out;
}

export interface SeriesPoint {
  date: string;
  value: number;
}

/** The newest value at or before each date; null before the first. */
export function valuesAt(
  dates: readonly string[],
  series: readonly SeriesPoint[],
): (number | null)[] {
  let i = 0;
  let value: number | null = null;
  return dates.map((date) => {
    for (let p = series[i]; p && p.date <= date; p = series[++i]) value = p.value;
    return value;
  });
}

/** SVG path of a curve in a box; a straight line between neighbours, no smoothing of facts. */
export function curve(
  values: readonly (number | null)[],
  w: number,
  h: number,
  max: number,
): string {
  if (max <= 0 || values.length < 2) return '';
  let path = '';
  values.forEach((value, i) => {
    if (value === null) return;
    const x = (i / (values.length - 1)) * w;
    const y = h - (value / max) * h;
    path += `${path ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return path;
}

/** Index of the last date that is not after `at`. */
export function indexOf(dates: readonly string[], at: string): number {
  let index = 0;
  dates.forEach((d, i) => {
    if (d <= at) index = i;
  });
  return index;
}
