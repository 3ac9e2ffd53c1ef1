/** Parser of server-sent events, fed with pieces of text as they arrive. */

export interface SseMessage {
  id: string;
  event: string;
  data: string;
}

export class SseParser {
  #rest = '';
  #id = '';
  #event = '';
  #data: string[] = [];

  /** Returns the messages that this piece completed. */
  push(piece: string): SseMessage[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? '';
    const out: SseMessage[] = [];
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0 || this.#event !== '') {
          out.push({ id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') });
        }
        this.#event = '';
        this.#data = [];
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue; // a comment: the heartbeat
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'id') this.#id = value;
      else if (field === 'event') this.#event = value;
      else if (field === 'data') this.#data.push(value);
    }
    return out;
  }
}
