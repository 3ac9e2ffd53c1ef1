/**
 * Natural villages with the unreached ones first. The server lists them by code; so the question
 * is asked twice, once for what is missing and then for what is reached, and reads as one list.
 */
import { api, type NaturalVillage } from '$lib/api';
import type { Slice } from './pages.svelte';

const MISSING = ['gap', 'under_way', 'not_started'];

export interface VillageQuery {
  status: string | undefined;
  counted: string | undefined;
  at: string | undefined;
  limit: number;
}

type Ask = (query: VillageQuery & { cursor: string | undefined }) => Promise<Slice<NaturalVillage>>;

export function splitStatus(status: string | undefined): { missing: string; done: boolean } {
  const wanted = status === undefined ? [...MISSING, 'done'] : status.split(',');
  return {
    missing: MISSING.filter((word) => wanted.includes(word)).join(','),
    done: wanted.includes('done'),
  };
}

/** Cursors of the second question carry a mark, so that one cursor names a place in both. */
export async function pageOf(
  ask: Ask,
  query: VillageQuery,
  cursor: string | undefined,
): Promise<Slice<NaturalVillage>> {
  const { missing, done } = splitStatus(query.status);
  const askDone = async (at: string | undefined): Promise<Slice<NaturalVillage>> => {
    const page = await ask({ ...query, status: 'done', cursor: at });
    return { ...page, next_cursor: page.next_cursor === null ? null : `done:${page.next_cursor}` };
  };
  if (cursor?.startsWith('done:')) return askDone(cursor.slice(5) || undefined);
  if (missing === '') return askDone(cursor);
  const page = await ask({ ...query, status: missing, cursor });
  if (!done) return page;
  if (page.next_cursor !== null && cursor !== undefined) return page;
  const reached = await askDone(undefined);
  const total = (page.total ?? page.items.length) + (reached.total ?? reached.items.length);
  // More of the missing to come: the reached ones wait, only their number is needed now.
  if (page.next_cursor !== null) return { ...page, total };
  return { items: [...page.items, ...reached.items], next_cursor: reached.next_cursor, total };
}

export function unreachedFirst(
  area: string,
  query: VillageQuery,
): (cursor: string | undefined, signal: AbortSignal) => Promise<Slice<NaturalVillage>> {
  return (cursor, signal) =>
    pageOf((asked) => api.naturalVillages(area, { ...asked }, signal), query, cursor);
}
