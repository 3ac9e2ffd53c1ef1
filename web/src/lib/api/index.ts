/** The server's operations by name. Components call these, never `fetch`. */
import { ApiError } from './errors';
import { Client, type QueryValue, type WriteOptions } from './client';
import type {
  Area,
  AreaFigures,
  NaturalVillage,
  NaturalVillageDetail,
  Page,
  PendingPage,
  Programme,
  Project,
  ProjectPage,
  Report,
  ReportDraft,
  ReportReceipt,
  ReviewOutcome,
  ReviewResults,
  Revision,
  SearchItem,
  Session,
  TodoPage,
} from './types';

export * from './types';
export { ApiError, asApiError } from './errors';
export type { FieldChange, FieldProblem } from './errors';
export { explain, explainField } from './explain';
export { newKey } from './client';

export const client = new Client();

const segment = encodeURIComponent;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Tiles and printed lists name things by code, the API by id: asks for the id of a code. */
async function idOf(
  kind: 'project' | 'natural_village',
  idOrCode: string,
  signal?: AbortSignal,
): Promise<string> {
  if (UUID.test(idOrCode)) return idOrCode;
  const found = await client.get<{ items: SearchItem[] }>(
    '/search',
    { q: idOrCode, limit: 10 },
    signal,
  );
  const hit = found.items.find((item) => item.kind === kind && item.code === idOrCode);
  if (!hit) throw new ApiError({ status: 404, code: 'not_found' });
  return hit.id;
}

export const api = {
  programme: (signal?: AbortSignal) => client.get<Programme>('/programme', {}, signal),
  session: () => client.get<Session>('/session'),
  signIn: (login: string, password: string) =>
    client.post<Session>('/session', { login, password }),
  signOut: () => client.post<void>('/session/end', {}),

  area: (code: string, query: { at?: string } = {}, signal?: AbortSignal) =>
    client.get<Area>(`/areas/${segment(code)}`, query, signal),
  figures: (code: string, query: { at?: string } = {}, signal?: AbortSignal) =>
    client.get<AreaFigures>(`/areas/${segment(code)}/figures`, query, signal),
  naturalVillages: (code: string, query: Record<string, QueryValue> = {}, signal?: AbortSignal) =>
    client.get<Page<NaturalVillage>>(`/areas/${segment(code)}/natural-villages`, query, signal),
  naturalVillage: async (idOrCode: string, query: { at?: string } = {}, signal?: AbortSignal) =>
    client.get<NaturalVillageDetail>(
      `/natural-villages/${segment(await idOf('natural_village', idOrCode, signal))}`,
      query,
      signal,
    ),

  search: (q: string, limit = 10, signal?: AbortSignal) =>
    client.get<{ items: SearchItem[]; more: boolean }>('/search', { q, limit }, signal),

  projects: (query: Record<string, QueryValue>, signal?: AbortSignal) =>
    client.get<ProjectPage>('/projects', query, signal),
  project: async (idOrCode: string, signal?: AbortSignal) =>
    client.get<Project>(
      `/projects/${segment(await idOf('project', idOrCode, signal))}`,
      {},
      signal,
    ),
  history: (id: string, cursor?: string, signal?: AbortSignal) =>
    client.get<Page<Revision>>(`/projects/${segment(id)}/history`, { cursor }, signal),

  report: (id: string, draft: ReportDraft, options: Required<WriteOptions>) =>
    client.post<ReportReceipt>(`/projects/${segment(id)}/reports`, draft, options),
  review: (
    reportId: string,
    body: { outcome: ReviewOutcome; reason?: string },
    options: Required<WriteOptions>,
  ) => client.post<{ report?: Report }>(`/reports/${segment(reportId)}/review`, body, options),
  pendingReports: (query: Record<string, QueryValue>, signal?: AbortSignal) =>
    client.get<PendingPage>('/reports/pending', query, signal),
  reviewAll: (
    body: { outcome: ReviewOutcome; reason?: string; reports: { id: string; version: number }[] },
    key: string,
  ) => client.post<ReviewResults>('/reports/review', body, { key }),
  todo: (query: Record<string, QueryValue>, signal?: AbortSignal) =>
    client.get<TodoPage>('/todo', query, signal),
};
