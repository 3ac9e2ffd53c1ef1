/**
 * The tabs of one browser share one connection: an HTTP/1.1 browser has six per server, and an
 * official keeps more tabs than that. A lock elects the tab that connects; it tells the others.
 * When it closes, the lock passes on and the next tab resumes from what it has seen itself.
 */
import type { Change } from '../api/types';
import type { ConnectionState, StreamHandlers } from './stream';

export type HubMessage =
  | { type: 'change'; change: Change }
  | { type: 'reset'; seq: number }
  | { type: 'state'; state: ConnectionState }
  /** A tab has come in that knows everything up to `seq`. */
  | { type: 'joined'; tab: string; seq: number | null }
  | { type: 'catch_up'; tab: string; changes: Change[]; complete: boolean; seq: number | null };

export interface HubEnvironment {
  tab: string;
  post: (message: HubMessage) => void;
  /** Runs the callback once this tab may lead; holds the lead until its promise ends. */
  lead: (whenLeader: () => Promise<void>) => void;
  connect: (seq: number | null, handlers: StreamHandlers) => Promise<void>;
}

const REMEMBERED = 500;

export class Hub {
  #seq: number | null;
  /** Newest changes, so that a tab which opens late misses nothing. */
  #recent: Change[] = [];
  /** Everything after this is in #recent. */
  #knownSince: number | null = null;
  #leader = false;
  #state: ConnectionState = 'connecting';
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #stateListeners = new Set<(state: ConnectionState) => void>();
  readonly #env: HubEnvironment;

  constructor(seq: number | null, env: HubEnvironment) {
    this.#seq = seq;
    this.#env = env;
  }

  get leader(): boolean {
    return this.#leader;
  }

  get seq(): number | null {
    return this.#seq;
  }

  start(): void {
    this.#env.lead(async () => {
      this.#leader = true;
      this.#knownSince = this.#seq;
      this.#recent = [];
      await this.#env.connect(this.#seq, {
        onChange: (change) => {
          this.#remember(change);
          this.#accept(change);
          this.#env.post({ type: 'change', change });
        },
        onReset: (seq) => {
          this.#recent = [];
          this.#knownSince = seq;
          this.#reset(seq);
          this.#env.post({ type: 'reset', seq });
        },
        onState: (state) => {
          this.#setState(state);
          this.#env.post({ type: 'state', state });
        },
      });
    });
    this.#env.post({ type: 'joined', tab: this.#env.tab, seq: this.#seq });
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#stateListeners.add(listener);
    listener(this.#state);
    return () => this.#stateListeners.delete(listener);
  }

  /** What another tab said. */
  receive(message: HubMessage): void {
    if (message.type === 'joined') {
      if (this.#leader) this.#answer(message.tab, message.seq);
    } else if (this.#leader) {
      // Two leaders cannot be; a late word of the former one is not news.
    } else if (message.type === 'change') {
      this.#accept(message.change);
    } else if (message.type === 'reset') {
      this.#reset(message.seq);
    } else if (message.type === 'state') {
      this.#setState(message.state);
    } else if (message.tab === this.#env.tab) {
      if (!message.complete) this.#reset(message.seq ?? 0);
      for (const change of message.changes) this.#accept(change);
    }
  }

  #answer(tab: string, seq: number | null): void {
    const from = seq ?? this.#seq;
    const complete = from === null || (this.#knownSince !== null && from >= this.#knownSince);
    this.#env.post({
      type: 'catch_up',
      tab,
      seq: this.#seq,
      complete,
      changes: this.#recent.filter((change) => from === null || change.seq > from),
    });
    this.#env.post({ type: 'state', state: this.#state });
  }

  #remember(change: Change): void {
    this.#knownSince ??= change.seq - 1;
    this.#recent.push(change);
    if (this.#recent.length > REMEMBERED) {
      const dropped = this.#recent.shift();
      if (dropped) this.#knownSince = dropped.seq;
    }
  }

  #accept(change: Change): void {
    if (this.#seq !== null && change.seq <= this.#seq) return;
    this.#seq = change.seq;
    this.#tell(change);
  }

  #reset(seq: number): void {
    this.#seq = seq;
    this.#tell({ seq, kind: 'bulk', layers: [], areas: [], bbox: null });
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) {
      // One screen that trips over a change must not keep it from the others.
      try {
        listener(change);
      } catch (error) {
        console.error(error);
      }
    }
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state);
  }
}
