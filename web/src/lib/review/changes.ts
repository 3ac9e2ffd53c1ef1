/** What a waiting report changes against the last approved one, in words. Pure. */
import type { Flag, PendingReport, QuantityLine } from '../api/types';
import { number, percent, pick, quantity, shortDate, signed, wan } from '../i18n';
import { t } from './queue.messages';

export interface Changes {
  /** One line for each quantity that changed; one that says so when none did. */
  quantities: string[];
  percent: string;
  /** "+17.5"; empty when nothing was approved before. */
  points: string;
  falls: boolean;
  invested: string;
  paid: string;
  date: string;
}

const arrow = (was: string | null, now: string): string =>
  was === null || was === now ? t('first', { now }) : t('from', { was, now });

function quantityLine(row: QuantityLine, report: PendingReport): string | null {
  const now = report.items.find((x) => x.item === row.item)?.done;
  if (now === undefined) return null;
  const was = report.approved?.items.find((x) => x.item === row.item)?.done ?? null;
  if (was === now || (was === null && now === 0)) return null;
  return t('unit', {
    item: pick(row.name_zh, row.name_en),
    change: arrow(was === null ? null : quantity(was, row.decimals), quantity(now, row.decimals)),
    unit: pick(row.unit_zh, row.unit_en),
  });
}

export function changesOf(report: PendingReport, today: string): Changes {
  const before = report.approved;
  const quantities = report.quantities
    .map((row) => quantityLine(row, report))
    .filter((line): line is string => line !== null);
  const points = before ? report.percent - before.percent : 0;
  const money = (field: 'invested_yuan' | 'paid_yuan'): string =>
    report[field] === null
      ? '–'
      : arrow(before?.[field] ? wan(before[field]) : null, wan(report[field]));
  return {
    quantities: quantities.length > 0 ? quantities : [t('same')],
    percent: arrow(before ? percent(before.percent) : null, percent(report.percent)),
    points: before ? signed(points) : t('neverApproved'),
    falls: points < 0,
    invested: money('invested_yuan'),
    paid: money('paid_yuan'),
    date: arrow(
      before ? shortDate(before.effective_on, today) : null,
      shortDate(report.effective_on, today),
    ),
  };
}

export function flagText(flag: Flag, report: PendingReport): string {
  const row = (item: string): QuantityLine | undefined =>
    report.quantities.find((q) => q.item === item);
  const name = (item: string): string => {
    const found = row(item);
    return found ? pick(found.name_zh, found.name_en) : item;
  };
  const amount = (item: string, value: number): string => quantity(value, row(item)?.decimals ?? 2);
  switch (flag.flag) {
    case 'jump':
      return flag.days > 0
        ? t('flag.jumpDays', { points: number(flag.points, 1), days: flag.days })
        : t('flag.jump', { points: number(flag.points, 1) });
    case 'decrease':
      return t('flag.decrease', {
        item: name(flag.item),
        was: amount(flag.item, flag.was),
        now: amount(flag.item, flag.now),
      });
    case 'backdated':
      return t('flag.backdated', { days: flag.days });
    case 'over_plan':
      return t('flag.over_plan', {
        item: name(flag.item),
        planned: amount(flag.item, flag.planned),
        now: amount(flag.item, flag.now),
      });
    case 'money_apart':
      return t('flag.money_apart', {
        invested: percent(flag.invested_percent),
        points: number(flag.points, 1),
      });
    case 'paid_ahead':
      return t('flag.paid_ahead', { wan: wan(flag.yuan.toFixed(2)) });
  }
}
