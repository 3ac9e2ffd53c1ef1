/** Errors of the API: problem+json in, one typed error with a message a clerk can act on out. */

export interface FieldProblem {
  /** `effective_on`, `items.surface_km`, `invested_yuan`, … */
  field: string;
  message: string;
  message_en?: string | undefined;
}

export interface Problem {
  type?: string | undefined;
  title?: string | undefined;
  status: number;
  code: string;
  detail?: string | undefined;
  detail_en?: string | undefined;
  errors?: FieldProblem[];
  request_id?: string | undefined;
  current?: unknown;
  changed?: FieldChange[];
}

export interface FieldChange {
  field: string;
  was: unknown;
  now: unknown;
}

/** Why a request did not come back with an answer we can use. */
export type ErrorKind =
  | 'offline' // no answer from the server at all
  | 'signed_out' // 401
  | 'forbidden' // 403
  | 'missing' // 404
  | 'stale' // 412: someone was faster
  | 'invalid' // 400, 409, 422
  | 'busy' // 429, 503
  | 'server'; // everything else

const KIND_BY_STATUS: Record<number, ErrorKind> = {
  400: 'invalid',
  401: 'signed_out',
  403: 'forbidden',
  404: 'missing',
  409: 'invalid',
  412: 'stale',
  422: 'invalid',
  428: 'stale',
  429: 'busy',
  502: 'busy',
  503: 'busy',
  504: 'busy',
};

export class ApiError extends Error {
  readonly kind: ErrorKind;
  readonly status: number;
  readonly code: string;
  /** What the server said, Chinese. Empty when it said nothing. */
  readonly detail: string;
  readonly detailEn: string;
  readonly fields: FieldProblem[];
  readonly changed: FieldChange[];
  readonly current: unknown;
  readonly requestId: string | undefined;

  constructor(problem: Problem, kind?: ErrorKind) {
    super(problem.detail || problem.title || problem.code);
    this.name = 'ApiError';
    this.kind = kind ?? KIND_BY_STATUS[problem.status] ?? 'server';
    this.status = problem.status;
    this.code = problem.code;
    this.detail = problem.detail || problem.title || '';
    this.detailEn = problem.detail_en || this.detail;
    this.fields = problem.errors ?? [];
    this.changed = problem.changed ?? [];
    this.current = problem.current;
    this.requestId = problem.request_id;
  }

  /** The same request may be sent again as it is (same idempotency key). */
  get retryable(): boolean {
    return this.kind === 'offline' || this.kind === 'busy';
  }
}

export function offlineError(): ApiError {
  return new ApiError({ status: 0, code: 'offline' }, 'offline');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldProblems(value: unknown): FieldProblem[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).flatMap((entry) =>
    typeof entry.field === 'string'
      ? [
          {
            field: entry.field,
            message: String(entry.message ?? ''),
            message_en: typeof entry.message_en === 'string' ? entry.message_en : undefined,
          },
        ]
      : [],
  );
}

function fieldChanges(value: unknown): FieldChange[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter(isRecord)
    .flatMap((entry) =>
      typeof entry.field === 'string'
        ? [{ field: entry.field, was: entry.was, now: entry.now }]
        : [],
    );
}

/** Builds the error from whatever came back: a gateway's HTML page must not break the form. */
export function errorFromBody(status: number, body: unknown): ApiError {
  if (!isRecord(body)) return new ApiError({ status, code: `http_${status}` });
  const text = (key: string): string | undefined =>
    typeof body[key] === 'string' ? body[key] : undefined;
  return new ApiError({
    status,
    code: text('code') ?? `http_${status}`,
    title: text('title'),
    detail: text('detail'),
    detail_en: text('detail_en'),
    errors: fieldProblems(body.errors),
    request_id: text('request_id'),
    current: body.current,
    changed: fieldChanges(body.changed),
  });
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError({ status: 0, code: 'unexpected', detail: String(error) }, 'server');
}
