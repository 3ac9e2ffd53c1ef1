-- no-transaction: the last approved report of a project, which a reviewer compares with.
CREATE INDEX CONCURRENTLY progress_reports_approved_index ON progress_reports (project_id, recorded_at DESC)
  WHERE review_state = 'approved' AND voided_at IS NULL;
