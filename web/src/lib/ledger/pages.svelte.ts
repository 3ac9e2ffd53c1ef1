/** A list that grows page by page (keyset), reloaded from the start when its question changes. */
import { asApiError, type ApiError } from '$lib/api';

export interface Slice<T> {
  items: T[];
  next_cursor: string | null;
  total?: number;
}

export class Pages<T, P extends Slice<T> = Slice<T>> {
  items = $state.raw<T[]>([]);
  first = $state.raw<P | null>(null);
  cursor = $state.raw<string | null>(null);
  loading = $state(false);
  error = $state.raw<ApiError | null>(null);
  #running: AbortController | null = null;
  #fetch: ((cursor: string | undefined, signal: AbortSignal) => Promise<P>) | null = null;

  get total(): number {
    return this.first?.total ?? this.items.length;
  }

  /** A new question: the old rows stay until the first page of the answer is here. */
  async open(
    fetcher: (cursor: string | undefined, signal: AbortSignal) => Promise<P>,
  ): Promise<void> {
    this.#fetch = fetcher;
    await this.#load(undefined);
  }

  async more(): Promise<void> {
    if (this.cursor && !this.loading) await this.#load(this.cursor);
  }

  /** The same question again after a change, as far as the reader has come. */
  async refresh(): Promise<void> {
    const wanted = this.items.length;
    await this.#load(undefined);
    while (this.items.length < wanted && this.cursor && !this.error) await this.#load(this.cursor);
  }

  async #load(cursor: string | undefined): Promise<void> {
    const fetcher = this.#fetch;
    if (!fetcher) return;
    this.#running?.abort();
    const own = (this.#running = new AbortController());
    this.loading = true;
    try {
      const page = await fetcher(cursor, own.signal);
      if (own.signal.aborted) return;
      this.items = cursor === undefined ? page.items : [...this.items, ...page.items];
      if (cursor === undefined) this.first = page;
      this.cursor = page.next_cursor;
      this.error = null;
    } catch (error) {
      if (own.signal.aborted) return;
      this.error = asApiError(error);
    }
    this.loading = false;
  }
}
