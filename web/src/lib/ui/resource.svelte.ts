/** Something loaded from the server: the old stays on screen until the new is here. */
import { asApiError, type ApiError } from '$lib/api';

export class Resource<T> {
  data = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  loading = $state(false);
  #running: AbortController | null = null;

  async load(fetcher: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#running?.abort();
    const own = (this.#running = new AbortController());
    this.loading = true;
    try {
      const data = await fetcher(own.signal);
      if (own.signal.aborted) return;
      this.data = data;
      this.error = null;
    } catch (error) {
      if (own.signal.aborted) return;
      this.error = asApiError(error);
    }
    this.loading = false;
  }

  /** Forgets what is shown: for when something else is selected. */
  clear(): void {
    this.#running?.abort();
    this.#running = null;
    this.data = null;
    this.error = null;
    this.loading = false;
  }
}
