/** Reports submitted without a network: kept as drafts, sent when the network is back. */
import { api, asApiError } from '$lib/api';
import { draftedProjects, dropDraft, readDraft, saveDraft } from './drafts';
import { bodyOfDraft } from './form';

class Outbox {
  /** Sent since the page was opened, for the one line that says so. */
  sent = $state(0);
  waiting = $state(0);
}

export const outbox = new Outbox();
let running = false;

export async function flush(account: string): Promise<void> {
  if (running) return;
  running = true;
  let left = 0;
  try {
    for (const project of draftedProjects(account)) {
      const draft = readDraft(account, project);
      if (!draft?.queued) continue;
      try {
        await api.report(project, bodyOfDraft(draft), { version: draft.version, key: draft.key });
        dropDraft(account, project);
        outbox.sent += 1;
      } catch (error) {
        // Refused by a rule or overtaken: the clerk decides; it stays a draft, not in the queue.
        if (asApiError(error).retryable) left += 1;
        else saveDraft(account, project, { ...draft, queued: false });
      }
    }
  } finally {
    running = false;
    outbox.waiting = left;
  }
}

/** Sends what waits now, whenever the network comes back, and every minute while it waits. */
export function startOutbox(account: () => string | null): () => void {
  const attempt = (): void => {
    const who = account();
    if (who && navigator.onLine) void flush(who);
  };
  addEventListener('online', attempt);
  const timer = setInterval(attempt, 60_000);
  return () => {
    removeEventListener('online', attempt);
    clearInterval(timer);
  };
}
