import { describe, expect, it } from 'vitest';
import type { Project, Thresholds } from '../api/types';
import { checksOf } from './checks';
import { draftedProjects, dropDraft, readDraft, saveDraft, wipeDrafts, type Draft } from './drafts';
import { bodyOfDraft, evaluate, parseQuantity, type Typed } from './form';
import { remainingPieces, stake } from './stakes';

const LIMITS: Thresholds = {
  lag_warn_pp: 5,
  lag_late_pp: 15,
  start_late_days: 30,
  no_update_days: 45,
  choropleth: [85, 90, 95, 98],
  red_line: 87,
};
const TODAY = '2020-10-31';

function project(over: Partial<Project> = {}): Project {
  const quantity = (item: string, weight: number, done: number): Project['quantities'][number] => ({
    item,
    name_zh: item,
    name_en: item,
    unit_zh: '公里',
    unit_en: 'km',
    decimals: 3,
    weight,
    planned: 1.2,
    done,
  });
  return {
    id: 'p',
    fid: 1,
    code: '2020-031',
    name: '转水镇黄梅村张段自然村路面硬化工程',
    sector: 'road',
    kind: 'new',
    area: { code: '441424103', name: '转水镇' },
    county: { code: '441424', name: '五华县' },
    unit: '五华县交通运输局',
    state: 'under_way',
    status: 'under_way',
    light: 'late',
    percent: 67.5,
    planned_percent: 85,
    lag_pp: 17.5,
    lag_days: 23,
    planned_start_on: '2020-06-01',
    planned_finish_on: '2020-11-30',
    last_reported_on: '2020-09-28',
    total_investment_yuan: '840000.00',
    pending_review: false,
    center: null,
    bbox: null,
    version: 3,
    responsible: null,
    contractor: null,
    approval_no: null,
    approved_on: null,
    plan_year: 2020,
    stated_length_km: 1.2,
    drawn_length_km: null,
    invested_yuan: '546000.00',
    paid_yuan: '420000.00',
    allocated_yuan: null,
    started_on: '2020-06-12',
    completed_on: null,
    accepted_on: null,
    light_reason: null,
    quantities: [quantity('roadbed_km', 0.35, 1.2), quantity('surface_km', 0.65, 0.81)],
    milestones: [],
    funds: [],
    natural_villages: [],
    segments: [],
    last_report: null,
    reports: [],
    permissions: { report: true, review: false, reason: null },
    details: {},
    next_due_on: null,
    ...over,
  };
}

const typed = (over: Partial<Typed> = {}): Typed => ({
  effectiveOn: TODAY,
  items: { roadbed_km: '1.20', surface_km: '1.02' },
  invested: '71.4',
  paid: '50.4',
  note: '',
  ...over,
});
const judge = (over: Partial<Typed> = {}, p = project()): ReturnType<typeof evaluate> =>
  evaluate(p, typed(over), TODAY, LIMITS);
const surface = (value: string, note = ''): ReturnType<typeof evaluate> =>
  judge({ items: { roadbed_km: '1.20', surface_km: value }, note });

describe('the report form', () => {
  it('derives percent and light from quantities and sends exact money', () => {
    const outcome = judge();
    expect(outcome.ready).toBe(true);
    expect(outcome.percent).toBe(90.25);
    expect(outcome.light).toBe('ok');
    expect(outcome.body).toEqual({
      effective_on: TODAY,
      items: [
        { item: 'roadbed_km', done: 1.2 },
        { item: 'surface_km', done: 1.02 },
      ],
      invested_yuan: '714000.00',
      paid_yuan: '504000.00',
    });
  });

  it('takes full-width digits and refuses what is no number', () => {
    expect(parseQuantity('１．０２')).toBe(1.02);
    expect(parseQuantity('1.02公里')).toBeNull();
    expect(surface('abc').faults['items.surface_km']).toBe('not_a_number');
    expect(surface('').ready).toBe(false);
    expect(surface('0.8155').faults['items.surface_km']).toBe('too_many_decimals');
    expect(surface('0.8150').faults).toEqual({});
  });

  it('does not let a cumulative figure fall', () => {
    expect(surface('0.80').faults['items.surface_km']).toBe('falls');
    expect(judge({ paid: '41.9' }).faults.paid_yuan).toBe('money_falls');
    expect(judge({ paid: '42' }).ready).toBe(true);
  });

  it('asks for a reason above the plan and stops at a fifth more', () => {
    expect(surface('1.30').faults['items.surface_km']).toBe('over_plan');
    expect(surface('1.30', '设计变更').ready).toBe(true);
    expect(surface('1.44', '设计变更').ready).toBe(true);
    expect(surface('1.441', '设计变更').faults['items.surface_km']).toBe('over_plan_far');
  });

  it('keeps the date between the last report and today', () => {
    const p = project({ last_reported_on: '2020-09-28' });
    expect(judge({ effectiveOn: '2020-11-01' }, p).faults.effective_on).toBe('after_today');
    expect(judge({ effectiveOn: '2020-09-27' }, p).faults.effective_on).toBe('before_last');
    expect(judge({ effectiveOn: '2020-09-28' }, p).ready).toBe(true);
    expect(judge({ effectiveOn: '' }, p).faults.effective_on).toBe('no_date');
  });

  it('says completed, awaiting acceptance, when everything is done', () => {
    const outcome = surface('1.20');
    expect([outcome.complete, outcome.percent, outcome.light]).toEqual([true, 100, 'ok']);
  });

  it('leaves money out when it was not typed', () => {
    expect(judge({ invested: '', paid: '' }).body).not.toHaveProperty('invested_yuan');
  });
});

class Memory {
  readonly map = new Map<string, string>();
  get length(): number {
    return this.map.size;
  }
  key = (i: number): string | null => [...this.map.keys()][i] ?? null;
  getItem = (key: string): string | null => this.map.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.map.set(key, value);
  removeItem = (key: string): void => void this.map.delete(key);
}

const draft: Draft = {
  effectiveOn: TODAY,
  items: { surface_km: '1.0' },
  invested: '',
  paid: '',
  note: '雨天',
  version: 3,
  key: 'key-1',
  savedAt: '2020-10-31T01:41:00Z',
  queued: true,
};

describe('drafts', () => {
  it('belong to an account and are wiped with it alone', () => {
    const store = new Memory();
    saveDraft('a', 'p1', draft, store);
    saveDraft('a', 'p2', draft, store);
    saveDraft('b', 'p1', draft, store);
    expect(readDraft('a', 'p1', store)).toEqual(draft);
    expect(readDraft('c', 'p1', store)).toBeNull();
    wipeDrafts('a', store);
    expect(draftedProjects('a', store)).toEqual([]);
    expect(draftedProjects('b', store)).toEqual(['p1']);
    dropDraft('b', 'p1', store);
    expect(store.length).toBe(0);
  });

  it('does not claim to be saved when the storage is full', () => {
    const full = new Memory();
    full.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    expect(saveDraft('a', 'p', draft, full)).toBe(false);
    expect(saveDraft('a', 'p', draft, null)).toBe(false);
  });

  it('ignores what it cannot read', () => {
    const store = new Memory();
    store.setItem('cuntong.draft.a.p', '{"items":');
    expect(readDraft('a', 'p', store)).toBeNull();
    store.setItem('cuntong.draft.a.p', '{"items":null}');
    expect(readDraft('a', 'p', store)).toBeNull();
  });

  it('send what was typed, with the same key', () => {
    expect(bodyOfDraft({ ...draft, invested: '71.4' })).toEqual({
      effective_on: TODAY,
      items: [{ item: 'surface_km', done: 1 }],
      invested_yuan: '714000.00',
      note: '雨天',
    });
  });
});

describe('checks of a reviewer', () => {
  const report = (percent: number, on: string, done: number): Project['reports'][number] => ({
    id: on,
    effective_on: on,
    recorded_at: `${on}T00:00:00Z`,
    recorded_by: null,
    percent,
    previous_percent: null,
    invested_yuan: '546000.00',
    paid_yuan: null,
    items: [{ item: 'surface_km', done }],
    note: '',
    review_state: 'submitted',
    reviews: [],
    corrects: null,
    corrected_by: null,
  });

  it('point at a jump, a figure above the design and money that does not fit', () => {
    const before = report(20, '2020-10-20', 0.2);
    const now = report(100, '2020-10-31', 1.3);
    const kinds = checksOf(project({ reports: [now, before] }), now).map((check) => check.kind);
    expect(kinds).toEqual(['jump', 'over', 'money']);
  });

  it('are silent about a steady report', () => {
    const before = report(60, '2020-09-28', 0.7);
    const now = report(68, '2020-10-31', 0.82);
    expect(checksOf(project({ reports: [now, before] }), now)).toEqual([]);
  });
});

describe('stakes', () => {
  it('are written as on the road', () => {
    expect([stake(0.81), stake(1.2), stake(12.0456)]).toEqual(['K0+810', 'K1+200', 'K12+046']);
  });

  it('show the missing piece where the segments tell it', () => {
    const segment = (km: number, hardened: boolean): Project['segments'][number] => ({
      fid: 1,
      route: 'Y419',
      surface: null,
      km,
      from_node: null,
      to_node: null,
      hardened,
    });
    const road = remainingPieces(
      project({ segments: [segment(0.5, true), segment(0.3, false), segment(0.4, true)] }),
    );
    expect(road.pieces.map((p) => [stake(p.from), stake(p.to), p.hardened])).toEqual([
      ['K0+000', 'K0+500', true],
      ['K0+500', 'K0+800', false],
      ['K0+800', 'K1+200', true],
    ]);
    expect(road.derived).toBe(false);
  });

  it('derive it from the quantity where they do not, and say so', () => {
    const road = remainingPieces(project());
    expect(road.derived).toBe(true);
    expect(road.pieces.map((p) => p.to)).toEqual([0.81, 1.2]);
  });
});
