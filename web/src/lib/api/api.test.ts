import { afterEach, describe, expect, it, vi } from 'vitest';
import { locale } from '../i18n';
import { Client, queryString } from './client';
import { ApiError, errorFromBody } from './errors';
import { explain, explainField } from './explain';

afterEach(() => locale.set('zh'));

interface Sent {
  url: string;
  init: RequestInit;
}

function clientWith(answers: (() => Promise<Response>)[]): { client: Client; sent: Sent[] } {
  const sent: Sent[] = [];
  const client = new Client({
    base: '',
    wait: () => Promise.resolve(),
    fetch: (url, init) => {
      sent.push({ url: String(url), init: init ?? {} });
      return answers.shift()?.() ?? Promise.reject(new TypeError('no more answers'));
    },
  });
  return { client, sent };
}
const header = (sent: Sent | undefined, name: string): string | null =>
  new Headers(sent?.init.headers).get(name);
const down = (): Promise<Response> => Promise.reject(new TypeError('Failed to fetch'));
const answer =
  (body: unknown, status = 200): (() => Promise<Response>) =>
  () =>
    Promise.resolve(Response.json(body, { status }));

describe('writing', () => {
  it('names the version it saw and proves where it comes from', async () => {
    const { client, sent } = clientWith([answer({ ok: 1 })]);
    client.setCsrf('token');
    await client.post('/x', { a: 1 }, { version: 7, key: 'key-12345' });
    expect(header(sent[0], 'If-Match')).toBe('"v7"');
    expect(header(sent[0], 'X-CSRF-Token')).toBe('token');
    expect(header(sent[0], 'Idempotency-Key')).toBe('key-12345');
  });

  it('tries again with the same key when the network fails', async () => {
    const { client, sent } = clientWith([down, down, answer({ ok: 1 })]);
    await expect(client.post('/x', {})).resolves.toEqual({ ok: 1 });
    const keys = sent.map((s) => header(s, 'Idempotency-Key'));
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]?.length).toBeGreaterThanOrEqual(8);
  });

  it('gives up as offline, and does not repeat what the server refused', async () => {
    const lost = clientWith([down, down, down]);
    await expect(lost.client.post('/x', {})).rejects.toMatchObject({
      kind: 'offline',
      retryable: true,
    });
    const refused = clientWith([answer({ code: 'invalid', detail: '填写有误' }, 422)]);
    await expect(refused.client.post('/x', {})).rejects.toMatchObject({ kind: 'invalid' });
    expect(refused.sent).toHaveLength(1);
  });

  it('uses another key for another write', async () => {
    const { client, sent } = clientWith([answer({}), answer({})]);
    await client.post('/x', {});
    await client.post('/x', {});
    expect(header(sent[0], 'Idempotency-Key')).not.toBe(header(sent[1], 'Idempotency-Key'));
  });
});

describe('errors', () => {
  it('keeps field problems and what changed', () => {
    const error = errorFromBody(412, {
      code: 'stale_version',
      detail: '您看到的不是最新数据。',
      changed: [{ field: 'percent', was: 67.5, now: 70 }, 'nonsense'],
      current: { version: 4 },
      errors: [
        { field: 'items.surface_km', message: '太大', message_en: 'Too large' },
        { message: 'x' },
      ],
    });
    expect(error.kind).toBe('stale');
    expect(error.changed).toEqual([{ field: 'percent', was: 67.5, now: 70 }]);
    expect(error.fields.map((x) => x.field)).toEqual(['items.surface_km']);
  });

  it('speaks the reader’s language', () => {
    const error = errorFromBody(403, {
      code: 'outside_area',
      detail: '您只负责五华县。',
      detail_en: 'You are responsible for Wuhua.',
    });
    expect(explain(error)).toBe('您只负责五华县。');
    const field = { field: 'x', message: '太大', message_en: 'Too large' };
    expect(explainField(field)).toBe('太大');
    locale.set('en');
    expect(explain(error)).toBe('You are responsible for Wuhua.');
    expect(explainField(field)).toBe('Too large');
  });

  it('has words of its own for a gateway that answers with a page', async () => {
    const { client } = clientWith([
      () => Promise.resolve(new Response('<html>Bad gateway</html>', { status: 502 })),
    ]);
    const error = await client.get('/x').catch((e: unknown) => e as ApiError);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).kind).toBe('busy');
    expect(explain(error as ApiError)).toMatch(/稍后/);
  });

  it('tells the session that it has ended', async () => {
    const { client } = clientWith([answer({ code: 'sign_in_required' }, 401)]);
    const ended = vi.fn();
    client.whenSignedOut(ended);
    await expect(client.get('/x')).rejects.toMatchObject({ kind: 'signed_out' });
    expect(ended).toHaveBeenCalledOnce();
  });
});

it('leaves empty parameters out of an address', () => {
  expect(queryString({ a: '', b: undefined, c: null, d: 0, e: false })).toBe('?d=0&e=false');
  expect(queryString({})).toBe('');
});
