/** How much waits for this person: the numbers beside 待办 and 待审核 in the bar over every page. */
import { api } from '$lib/api';
import { onChange } from '$lib/live';
import { can, session } from '$lib/session/session.svelte';

class Duty {
  /** To be corrected or reported; null when this is not a clerk, or not yet known. */
  todo = $state<number | null>(null);
  /** Reports that wait for this reviewer. */
  review = $state<number | null>(null);
}

export const duty = new Duty();

/** A burst of changes (an import, a batch) is one look. */
const PAUSE_MS = 800;

async function count(signal: AbortSignal): Promise<void> {
  if (can('report_progress')) {
    const { counts } = await api.todo({ limit: 1 }, signal);
    duty.todo = counts.returned + counts.due;
  }
  if (can('review_report')) {
    const { total } = await api.pendingReports({ limit: 1 }, signal);
    duty.review = total;
  }
}

/** Calls back once for a burst of changes in the areas of who is signed in. For an effect. */
export function onOwnChange(look: () => void, pause: number): () => void {
  const areas = new Set(session.account?.grants.map((grant) => grant.area.code));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = onChange((change) => {
    if (change.kind !== 'bulk' && !change.areas.some((code) => areas.has(code))) return;
    clearTimeout(timer);
    timer = setTimeout(look, pause);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

/** For an effect: counts for who is signed in, and again whenever something changes there. */
export function followDuty(): (() => void) | undefined {
  duty.todo = duty.review = null;
  if (!session.account || !(can('report_progress') || can('review_report'))) return undefined;
  let running = new AbortController();
  const look = (): void => {
    running.abort();
    running = new AbortController();
    // A number in a corner: when it cannot be had, the page itself says why.
    count(running.signal).catch(() => undefined);
  };
  look();
  const stop = onOwnChange(look, PAUSE_MS);
  return () => {
    stop();
    running.abort();
  };
}
