/** An error in words for the reader: the server's own where it gave some. */
import { locale } from '../i18n';
import { t } from './api.messages';
import type { ApiError, FieldProblem } from './errors';

export function explain(error: ApiError): string {
  const own = locale.current === 'en' ? error.detailEn : error.detail;
  const text = own || t(error.kind);
  // The number lets an administrator find the line in the log; only where it helps.
  return error.kind === 'server' && error.requestId
    ? t('withId', { text, id: error.requestId })
    : text;
}

export function explainField(problem: FieldProblem): string {
  return (locale.current === 'en' && problem.message_en) || problem.message;
}
