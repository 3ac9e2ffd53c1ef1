import { describe, expect, it } from 'vitest';
import type { NaturalVillage } from '../api/types';
import { pageOf, splitStatus, type VillageQuery } from './unreached';

const village = (name: string): NaturalVillage => ({ name }) as NaturalVillage;

/** A server that knows villages by status, in code order, and pages them. */
function server(byStatus: Record<string, string[]>, limit: number): Parameters<typeof pageOf>[0] {
  return (query) => {
    const all = (query.status ?? '').split(',').flatMap((status) => byStatus[status] ?? []);
    const from = Number(query.cursor ?? 0);
    const next = from + limit < all.length ? String(from + limit) : null;
    return Promise.resolve({
      items: all.slice(from, from + limit).map(village),
      next_cursor: next,
      total: all.length,
    });
  };
}

async function readAll(
  byStatus: Record<string, string[]>,
  status: string | undefined,
): Promise<{ names: string[]; total: number | undefined }> {
  const query: VillageQuery = { status, counted: undefined, at: undefined, limit: 2 };
  const names: string[] = [];
  let cursor: string | undefined;
  let total: number | undefined;
  for (let i = 0; i < 20; i += 1) {
    const page = await pageOf(server(byStatus, 2), query, cursor);
    names.push(...page.items.map((x) => x.name));
    if (cursor === undefined) total = page.total;
    if (page.next_cursor === null) break;
    cursor = page.next_cursor;
  }
  return { names, total };
}

const DATA = { gap: ['a', 'd', 'e'], under_way: ['b'], done: ['c', 'f', 'g'], not_started: ['h'] };

describe('natural villages, unreached first', () => {
  it('reads as one list: everything once, the reached ones last, the total known at once', async () => {
    const { names, total } = await readAll(DATA, undefined);
    expect([...names].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    expect(names.slice(-3)).toEqual(['c', 'f', 'g']);
    expect(total).toBe(8);
  });

  it('keeps to the filter', async () => {
    expect((await readAll(DATA, 'done')).names).toEqual(['c', 'f', 'g']);
    expect((await readAll(DATA, 'gap,under_way')).names).toEqual(['a', 'd', 'e', 'b']);
    expect((await readAll({ done: ['x'] }, undefined)).names).toEqual(['x']);
    expect(splitStatus('done')).toEqual({ missing: '', done: true });
  });
});
