-- no-transaction: one correction for each returned report.
CREATE UNIQUE INDEX CONCURRENTLY progress_reports_corrects_unique ON progress_reports (corrects_id)
  WHERE corrects_id IS NOT NULL AND voided_at IS NULL;
