/** One function through which every request goes: session header, versions, keys, retries. */
import { ApiError, errorFromBody, offlineError } from './errors';

export type QueryValue = string | number | boolean | null | undefined;

export interface WriteOptions {
  /** Version of the resource that the writer has seen. */
  version?: number;
  /** One key per intention: kept by the caller so that a retry is the same write. */
  key?: string;
}

export interface ClientEnvironment {
  fetch: typeof fetch;
  wait: (ms: number) => Promise<void>;
  base: string;
}

const RETRY_AFTER_MS = [400, 1500];

export function newKey(): string {
  // randomUUID exists only in secure contexts; an intranet may serve plain HTTP.
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

export function queryString(query: Record<string, QueryValue>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

/** A gateway in between may answer with a page of HTML. */
function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export class Client {
  #csrf = '';
  #language = 'zh';
  #onSignedOut: (() => void) | undefined;
  readonly #env: ClientEnvironment;

  constructor(env?: Partial<ClientEnvironment>) {
    this.#env = {
      fetch: env?.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      wait: env?.wait ?? ((ms) => new Promise((done) => setTimeout(done, ms))),
      base: env?.base ?? '/api/v1',
    };
  }

  setCsrf(token: string): void {
    this.#csrf = token;
  }

  setLanguage(language: string): void {
    this.#language = language;
  }

  /** Called when the server no longer knows the session. */
  whenSignedOut(callback: () => void): void {
    this.#onSignedOut = callback;
  }

  async get<T>(
    path: string,
    query: Record<string, QueryValue> = {},
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#send<T>(path + queryString(query), { method: 'GET', signal: signal ?? null });
  }

  /**
   * Sends a write. When the network fails it is sent again with the same key: the server
   * answers a repeated key with the first answer, so nothing is written twice.
   */
  async post<T>(path: string, body: unknown, options: WriteOptions = {}): Promise<T> {
    const headers: Record<string, string> = {
      'Content-Type': 'application/json',
      'X-CSRF-Token': this.#csrf,
      'Idempotency-Key': options.key ?? newKey(),
    };
    if (options.version !== undefined) headers['If-Match'] = `"v${options.version}"`;
    return this.#write<T>(path, { method: 'POST', headers, body: JSON.stringify(body ?? {}) });
  }

  /** Sends a file as it is. */
  async upload<T>(
    path: string,
    query: Record<string, QueryValue>,
    file: Blob,
    key: string,
  ): Promise<T> {
    const headers = {
      'Content-Type': 'application/octet-stream',
      'X-CSRF-Token': this.#csrf,
      'Idempotency-Key': key,
    };
    return this.#write<T>(path + queryString(query), { method: 'POST', headers, body: file });
  }

  async #write<T>(path: string, init: RequestInit): Promise<T> {
    for (const pause of RETRY_AFTER_MS) {
      try {
        return await this.#send<T>(path, init);
      } catch (error) {
        if (!(error instanceof ApiError) || error.kind !== 'offline') throw error;
        await this.#env.wait(pause);
      }
    }
    return this.#send<T>(path, init);
  }

  async #send<T>(path: string, init: RequestInit): Promise<T> {
    let response: Response;
    const headers = {
      Accept: 'application/json',
      'Accept-Language': this.#language,
      ...init.headers,
    };
    try {
      response = await this.#env.fetch(this.#env.base + path, {
        ...init,
        headers,
        credentials: 'same-origin',
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      throw offlineError();
    }
    const text = await response.text().catch(() => {
      throw offlineError();
    });
    if (response.ok) {
      if (text === '') return undefined as T;
      try {
        return JSON.parse(text) as T;
      } catch {
        throw errorFromBody(502, null);
      }
    }
    if (response.status === 401) this.#onSignedOut?.();
    throw errorFromBody(response.status, jsonOrNull(text));
  }
}
