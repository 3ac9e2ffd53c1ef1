/** The words of a row of 我的待办. Pure: every number in them is the server's. */
import { isoDate, monthDay, number, pick, quantity, shortDate } from '../i18n';
import type { Reporting, TodoItem } from '../api/types';
import { word } from '../ui/ui.messages';
import { t } from './todo.messages';

export interface Deadline {
  text: string;
  /** late: passed; soon: today; plain: still time; quiet: nothing to keep. */
  tone: 'late' | 'soon' | 'plain' | 'quiet';
}

export function deadline(item: TodoItem, today: string): Deadline {
  if (item.group === 'waiting') return { text: t('waiting'), tone: 'quiet' };
  const ahead = item.period_first !== null && item.period_first > today;
  if (item.group === 'late' && (ahead || item.days_left === null))
    return { text: t('reported'), tone: 'quiet' };
  const days = item.days_left;
  if (days === null) return { text: '', tone: 'quiet' };
  if (days === 0) return { text: t('today'), tone: 'soon' };
  return days > 0
    ? { text: t('left', { days }), tone: 'plain' }
    : { text: t('over', { days: -days }), tone: 'late' };
}

/** What was last said of the project, in the clerk's quantity: the one still being built. */
export function lastLine(item: TodoItem, today: string): string {
  if (item.returned) {
    const { reason, returned_by: who } = item.returned;
    return t('returnedWhy', { reason, who: who.display_name });
  }
  const { project } = item;
  if (!project.last_reported_on) {
    return project.status === 'not_started'
      ? t('neverStarted', { date: isoDate(project.planned_start_on) })
      : t('never');
  }
  const date = shortDate(project.last_reported_on, today);
  const row = item.quantities.find((q) => q.done < q.planned) ?? item.quantities.at(-1);
  if (!row) return t('lastOnly', { date });
  return t('lastLine', {
    date,
    item: pick(row.name_zh, row.name_en),
    done: quantity(row.done, row.decimals),
    planned: quantity(row.planned, row.decimals),
    unit: pick(row.unit_zh, row.unit_en),
  });
}

/** "■ 滞后 23 天", "■ 开工晚 41 天", "■ 107 天未报": the light in the words of its rule. */
export function lightWord(item: TodoItem): string {
  const { light, lag_pp: points } = item.project;
  const days = item.light_days ?? 0;
  if (light !== 'late' && light !== 'warn') return word('light', light);
  if (item.light_rule === 'past_due') return t('light.pastDue', { days });
  if (item.light_rule === 'start_late') return t('light.startLate', { days });
  if (item.light_rule === 'no_update') return t('light.silent', { days });
  return light === 'late'
    ? t('light.lag', { days })
    : t('light.points', { points: number(points ?? 0, 1) });
}

export function periodName(reporting: Reporting): string {
  const month = Number(reporting.period_first.slice(5, 7));
  if (reporting.cycle === 'month') return t('period.month', { month });
  if (reporting.cycle === 'quarter') return t('period.quarter', { quarter: Math.ceil(month / 3) });
  return t('period.ten_days', {
    first: monthDay(reporting.period_first),
    last: monthDay(reporting.period_last),
  });
}
