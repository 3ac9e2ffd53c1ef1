// The change feed of the server, as the page hears it.
import type { Change } from '$lib/api/types';

type Listener = (change: Change) => void;
const listeners = new Set<Listener>();
let source: EventSource | null = null;

/** Calls back for every change after now; returns how to stop. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Opens the feed. */
export function startLive(): void {
  source ??= new EventSource('/api/v1/events');
  source.addEventListener('change', (event) => {
    const change = JSON.parse((event as MessageEvent<string>).data) as Change;
    for (const listener of listeners) listener(change);
  });
}
