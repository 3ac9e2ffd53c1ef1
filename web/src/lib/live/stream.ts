/**
 * One connection to the change feed. It reads the event stream through `fetch`, because
 * EventSource hides heartbeats: a gateway that buffers the stream, or a line that died without
 * a word, would look alive for ever. Where nothing comes through, it polls the sequence.
 */
import type { Change } from '../api/types';
import { SseParser } from './parse';

/** live: events arrive; polling: the stream is held up; waiting: trying again; offline: no network. */
export type ConnectionState = 'connecting' | 'live' | 'polling' | 'waiting' | 'offline';

export interface StreamHandlers {
  onChange(change: Change): void;
  /** The feed cannot be continued from here: everything must be loaded anew. */
  onReset(seq: number): void;
  onState(state: ConnectionState): void;
}

export interface StreamEnvironment {
  fetch: typeof fetch;
  /** Ends early when something worth trying for happens (the network is back). */
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
  online: () => boolean;
  firstByteMs: number;
  silenceMs: number;
  pollMs: number;
  /** How long it polls before it tries the stream again. */
  pollForMs: number;
  eventsUrl: string;
  pollUrl: string;
}

const BACKOFF_MS = [500, 1000, 2000, 5000, 10_000];
/** So many streams without a single byte mean that something in between buffers. */
const SILENT_STREAMS_BEFORE_POLLING = 2;

type Outcome = 'closed' | 'silent' | 'failed';

export class Stream {
  #seq: number | null;
  readonly #handlers: StreamHandlers;
  readonly #env: StreamEnvironment;

  constructor(seq: number | null, handlers: StreamHandlers, env: StreamEnvironment) {
    this.#seq = seq;
    this.#handlers = handlers;
    this.#env = env;
  }

  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    let silent = 0;
    while (!signal.aborted) {
      const outcome = await this.#read(signal);
      if (signal.aborted) return;
      if (outcome === 'closed') failures = silent = 0;
      if (outcome === 'silent') silent += 1;
      if (outcome === 'failed') failures += 1;
      if (silent >= SILENT_STREAMS_BEFORE_POLLING) {
        await this.#poll(signal);
        silent = 0;
        continue;
      }
      this.#handlers.onState(this.#env.online() ? 'waiting' : 'offline');
      await this.#env.wait(BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)] ?? 0, signal);
    }
  }

  /** Reads one connection to its end. */
  async #read(outer: AbortSignal): Promise<Outcome> {
    const own = new AbortController();
    const stop = () => own.abort();
    outer.addEventListener('abort', stop, { once: true });
    let heard = false;
    let watchdog = setTimeout(stop, this.#env.firstByteMs);
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      const after = this.#seq === null ? '' : `?after=${this.#seq}`;
      if (this.#seq !== null) headers['Last-Event-ID'] = String(this.#seq);
      const response = await this.#env.fetch(this.#env.eventsUrl + after, {
        headers,
        signal: own.signal,
        cache: 'no-store',
        credentials: 'same-origin',
      });
      if (!response.ok || !response.body) return 'failed';
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const parser = new SseParser();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return heard ? 'closed' : 'failed';
        clearTimeout(watchdog);
        watchdog = setTimeout(stop, this.#env.silenceMs);
        if (!heard) this.#handlers.onState('live');
        heard = true;
        for (const message of parser.push(decoder.decode(value, { stream: true }))) {
          this.#dispatch(message.event, message.data);
        }
      }
    } catch {
      if (heard) return 'closed';
      // Our own watchdog ended it: connected, yet not one byte came.
      return own.signal.aborted && !outer.aborted ? 'silent' : 'failed';
    } finally {
      clearTimeout(watchdog);
      outer.removeEventListener('abort', stop);
      own.abort();
    }
  }

  #dispatch(event: string, data: string): void {
    let body: unknown;
    try {
      body = JSON.parse(data);
    } catch {
      return;
    }
    if (typeof body !== 'object' || body === null) return;
    const seq = 'seq' in body && typeof body.seq === 'number' ? body.seq : null;
    if (event === 'change') {
      const change = body as Change;
      this.#seq = change.seq;
      this.#handlers.onChange(change);
    } else if (event === 'reset') {
      this.#seq = seq;
      this.#handlers.onReset(seq ?? 0);
    } else if (event === 'hello') {
      // Where the feed stands now: the place to resume from when we had none.
      this.#seq ??= seq;
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const rounds = Math.max(1, Math.ceil(this.#env.pollForMs / this.#env.pollMs));
    for (let i = 0; i < rounds && !signal.aborted; i += 1) {
      try {
        const response = await this.#env.fetch(this.#env.pollUrl, { signal, cache: 'no-store' });
        const body = (await response.json()) as { seq?: number };
        this.#handlers.onState('polling');
        if (typeof body.seq === 'number') {
          // What changed is not told here, so everything shown is asked for again.
          if (this.#seq !== null && body.seq > this.#seq) this.#handlers.onReset(body.seq);
          this.#seq = body.seq;
        }
      } catch {
        if (!signal.aborted) this.#handlers.onState(this.#env.online() ? 'waiting' : 'offline');
      }
      await this.#env.wait(this.#env.pollMs, signal);
    }
  }
}
