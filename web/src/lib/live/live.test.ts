import { describe, expect, it, vi } from 'vitest';
import type { Change } from '../api/types';
import { Hub, type HubMessage } from './hub';
import { SseParser } from './parse';
import {
  Stream,
  type ConnectionState,
  type StreamEnvironment,
  type StreamHandlers,
} from './stream';

const change = (seq: number): Change => ({
  seq,
  kind: 'project',
  layers: [],
  areas: [],
  bbox: null,
});

describe('event stream text', () => {
  it('joins a message that arrives in pieces', () => {
    const parser = new SseParser();
    expect(parser.push('id: 7\neve')).toEqual([]);
    expect(parser.push('nt: change\ndata: {"a":1,\n')).toEqual([]);
    expect(parser.push('data: "b":2}\n\n')).toEqual([
      { id: '7', event: 'change', data: '{"a":1,\n"b":2}' },
    ]);
  });

  it('does not take a heartbeat for a message', () => {
    expect(new SseParser().push(': still here\n\n')).toEqual([]);
  });
});

interface Tab {
  hub: Hub;
  handlers: StreamHandlers | null;
  /** Where it connected from. */
  from: number | null;
  close: () => void;
  /** Sequences told to its screens; a reload as a negative number. */
  seen: number[];
}

/** A browser with several tabs: one lock, one channel. */
class Browser {
  readonly tabs: Tab[] = [];
  #queue: (() => Promise<void>)[] = [];
  #held = false;

  open(seq: number): Tab {
    const hub: Hub = new Hub(seq, {
      tab: `tab${this.tabs.length}`,
      post: (message) => this.#others(hub, message),
      lead: (when) => {
        this.#queue.push(when);
        this.#grant();
      },
      connect: (from, handlers) => {
        tab.handlers = handlers;
        tab.from = from;
        return new Promise((done) => (tab.close = done));
      },
    });
    const tab: Tab = { hub, handlers: null, from: null, close: () => undefined, seen: [] };
    this.tabs.push(tab);
    hub.onChange((c) => tab.seen.push(c.kind === 'bulk' ? -c.seq : c.seq));
    hub.start();
    return tab;
  }

  #others(sender: Hub, message: HubMessage): void {
    for (const tab of this.tabs) if (tab.hub !== sender) tab.hub.receive(structuredClone(message));
  }

  #grant(): void {
    if (this.#held) return;
    const next = this.#queue.shift();
    if (!next) return;
    this.#held = true;
    void next().then(() => {
      this.#held = false;
      this.#grant();
    });
  }
}

describe('one connection for all tabs', () => {
  it('connects in the first tab alone and tells the others', () => {
    const browser = new Browser();
    const a = browser.open(10);
    const b = browser.open(10);
    expect([a.hub.leader, b.hub.leader]).toEqual([true, false]);
    a.handlers?.onChange(change(11));
    expect(a.seen).toEqual([11]);
    expect(b.seen).toEqual([11]);
    expect(b.handlers).toBeNull();
  });

  it('hands a tab that opens late what it missed, once', () => {
    const browser = new Browser();
    const a = browser.open(10);
    a.handlers?.onChange(change(11));
    a.handlers?.onChange(change(12));
    const b = browser.open(11);
    expect(b.seen).toEqual([12]);
    a.handlers?.onChange(change(13));
    expect(b.seen).toEqual([12, 13]);
  });

  it('reloads a tab whose data is older than what is remembered', () => {
    const browser = new Browser();
    browser.open(10);
    const b = browser.open(4);
    expect(b.seen).toEqual([-10]);
  });

  it('passes the lead on and resumes where the next tab stands', async () => {
    const browser = new Browser();
    const a = browser.open(10);
    const b = browser.open(10);
    a.handlers?.onChange(change(11));
    a.close();
    await vi.waitFor(() => expect(b.hub.leader).toBe(true));
    expect(b.from).toBe(11);
    b.handlers?.onChange(change(11));
    expect(b.seen).toEqual([11]);
  });

  it('lets one failing screen not keep a change from the next', () => {
    const browser = new Browser();
    const a = browser.open(1);
    const quiet = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const seen: number[] = [];
    a.hub.onChange(() => {
      throw new Error('screen');
    });
    a.hub.onChange((c) => seen.push(c.seq));
    a.handlers?.onChange(change(2));
    expect(seen).toEqual([2]);
    quiet.mockRestore();
  });
});

function streamOf(text: string[]): Response {
  const encoder = new TextEncoder();
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const piece of text) controller.enqueue(encoder.encode(piece));
        controller.close();
      },
    }),
  );
}

function run(
  responses: (() => Promise<Response>)[],
): Promise<{ urls: string[]; log: string[]; states: ConnectionState[] }> {
  const urls: string[] = [];
  const log: string[] = [];
  const states: ConnectionState[] = [];
  const abort = new AbortController();
  const env: StreamEnvironment = {
    fetch: (input) => {
      urls.push(String(input));
      const next = responses.shift();
      if (next) return next();
      abort.abort();
      return Promise.reject(new TypeError('end of the test'));
    },
    wait: () => Promise.resolve(),
    online: () => true,
    firstByteMs: 5,
    silenceMs: 5,
    pollMs: 1,
    pollForMs: 2,
    eventsUrl: '/events',
    pollUrl: '/programme',
  };
  const stream = new Stream(
    3,
    {
      onChange: (c) => log.push(`change ${c.seq}`),
      onReset: (seq) => log.push(`reset ${seq}`),
      onState: (state) => states.push(state),
    },
    env,
  );
  return stream.run(abort.signal).then(() => ({ urls, log, states }));
}

describe('the stream', () => {
  it('resumes after the last change it saw', async () => {
    const { urls, log } = await run([
      () =>
        Promise.resolve(
          streamOf([
            'event: hello\ndata: {"seq":9}\n\n',
            'id: 4\nevent: change\ndata: {"seq":4}\n\n',
          ]),
        ),
    ]);
    expect(log).toEqual(['change 4']);
    expect(urls).toEqual(['/events?after=3', '/events?after=4']);
  });

  it('says so when the feed cannot be continued', async () => {
    const { log, urls } = await run([
      () => Promise.resolve(streamOf(['event: reset\ndata: {"seq":50}\n\n'])),
    ]);
    expect(log).toEqual(['reset 50']);
    expect(urls[1]).toBe('/events?after=50');
  });

  it('polls where a gateway holds the stream back', async () => {
    // Connected, and then nothing until the stream's own watchdog gives up.
    const silent = (): Promise<Response> =>
      new Promise((_, reject) => setTimeout(() => reject(new DOMException('', 'AbortError')), 20));
    const { urls, log, states } = await run([
      silent,
      silent,
      () => Promise.resolve(Response.json({ seq: 3 })),
      () => Promise.resolve(Response.json({ seq: 5 })),
    ]);
    expect(urls.slice(0, 4)).toEqual([
      '/events?after=3',
      '/events?after=3',
      '/programme',
      '/programme',
    ]);
    expect(log).toEqual(['reset 5']);
    expect(states).toContain('polling');
  });
});
