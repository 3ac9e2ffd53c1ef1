-- A returned report is corrected by a new record that names it; both days of a review are kept.
SET LOCAL lock_timeout = '3s';

-- The returned report that this one corrects; the returned one stays as it was recorded.
-- recorded_on: the business date of the recording, which "back-dated" is measured from.
ALTER TABLE progress_reports
  ADD COLUMN corrects_id uuid,
  ADD COLUMN recorded_on date;
ALTER TABLE progress_reports
  ADD CONSTRAINT progress_reports_corrects_report FOREIGN KEY (corrects_id) REFERENCES progress_reports (id) NOT VALID;

-- The day by which a returned report is to be corrected: told at the return, by the setting in
-- force then, and not moved by a later decision. Null for what was returned before this column.
ALTER TABLE report_reviews ADD COLUMN mend_by date;

-- Is it a returned report of this project? Asked by a policy, which may not read its own table.
CREATE FUNCTION is_returned_report_of(in_report uuid, in_project uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT 1 FROM progress_reports r
                  WHERE r.id = in_report AND r.project_id = in_project
                    AND r.review_state = 'returned' AND r.voided_at IS NULL)
$$;
REVOKE EXECUTE ON FUNCTION is_returned_report_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_returned_report_of TO cuntong_app;

-- The second lock: a correction names a returned report of the same project, or nothing.
CREATE POLICY progress_reports_correct ON progress_reports AS RESTRICTIVE FOR INSERT
  WITH CHECK (corrects_id IS NULL OR is_returned_report_of(corrects_id, project_id));
