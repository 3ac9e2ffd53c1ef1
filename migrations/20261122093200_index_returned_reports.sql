-- no-transaction: what is to be corrected is found without reading every report.
CREATE INDEX CONCURRENTLY progress_reports_returned_index ON progress_reports (project_id, recorded_at)
  WHERE review_state = 'returned';
