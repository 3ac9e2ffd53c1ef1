/** The change feed of the server, as the page hears it. */
import type { Change } from '../api/types';
import { connection } from './connection.svelte';
import { Hub, type HubMessage } from './hub';
import { Stream, type StreamHandlers } from './stream';

export { connection } from './connection.svelte';
export type { ConnectionState } from './stream';

const CHANNEL = 'cuntong.live';
const IDENTITY = 'cuntong.session';
const listeners = new Set<(change: Change) => void>();
let hub: Hub | null = null;
/** Ends the connection that this tab holds; the next one begins where it stood. */
let drop: (() => void) | null = null;
let identity: BroadcastChannel | null = null;

/**
 * Somebody signed in or out: what is told of a change depends on who asked when the connection was
 * made, whichever tab holds it.
 */
export function reconnectLive(): void {
  drop?.();
  identity?.postMessage('changed');
}

/** Calls back for every change after now; a `bulk` change means: load everything anew. */
export function onChange(listener: (change: Change) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Starts to listen, from the sequence that the page's data is known to contain. */
export function startLive(seq: number | null = null): void {
  if (hub) return;
  const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(CHANNEL) : null;
  if (channel) {
    identity = new BroadcastChannel(IDENTITY);
    identity.onmessage = () => drop?.();
  }
  hub = new Hub(seq, {
    tab: Math.random().toString(36).slice(2),
    post: (message) => channel?.postMessage(message),
    lead: channel && 'locks' in navigator ? leadByLock : leadWhileVisible,
    connect,
  });
  const own = hub;
  if (channel) {
    channel.onmessage = (event: MessageEvent<HubMessage>) => own.receive(event.data);
  }
  own.onChange((change) => {
    for (const listener of listeners) listener(change);
  });
  own.onState(connection.set);
  own.start();
}

function leadByLock(whenLeader: () => Promise<void>): void {
  void navigator.locks.request(CHANNEL, whenLeader);
}

/** Plain HTTP off localhost has no locks: then only a tab that is looked at connects. */
function leadWhileVisible(whenLeader: () => Promise<void>): void {
  void whenLeader();
}

async function connect(seq: number | null, handlers: StreamHandlers): Promise<void> {
  const alone = !('locks' in navigator);
  let from = seq;
  const follow: StreamHandlers = {
    onChange: (change) => {
      from = change.seq;
      handlers.onChange(change);
    },
    onReset: (at) => {
      from = at;
      handlers.onReset(at);
    },
    onState: (state) => handlers.onState(state),
  };
  for (;;) {
    const abort = new AbortController();
    const hide = () => {
      if (alone && document.hidden) abort.abort();
    };
    document.addEventListener('visibilitychange', hide);
    drop = () => abort.abort();
    if (!(alone && document.hidden)) {
      await new Stream(from, follow, {
        fetch: (input, init) => globalThis.fetch(input, init),
        wait: waitOrOnline,
        online: () => navigator.onLine,
        firstByteMs: 8000,
        silenceMs: 45_000,
        pollMs: 10_000,
        pollForMs: 300_000,
        eventsUrl: '/api/v1/events',
        pollUrl: '/api/v1/programme',
      }).run(abort.signal);
    }
    document.removeEventListener('visibilitychange', hide);
    await visible();
  }
}

function visible(): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((done) => {
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', look);
      done();
    };
    document.addEventListener('visibilitychange', look);
  });
}

/** A pause that ends at once when the network comes back. */
function waitOrOnline(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const finish = () => {
      clearTimeout(timer);
      removeEventListener('online', finish);
      signal.removeEventListener('abort', finish);
      done();
    };
    const timer = setTimeout(finish, ms);
    addEventListener('online', finish);
    signal.addEventListener('abort', finish);
  });
}
