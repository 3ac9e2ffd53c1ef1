-- The second lock on every write: even a mistake in the program cannot write outside the
-- areas and sectors of the account that the transaction names in cuntong.account.

-- The role the program works as. It owns nothing and cannot bypass policies.
DO $$ BEGIN
  CREATE ROLE cuntong_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

CREATE FUNCTION current_account() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('cuntong.account', true), '')::uuid $$;

-- May the account of this transaction do a thing in an area, for a sector?
CREATE FUNCTION may(capability text, in_area uuid, in_sector text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT 1
      FROM account_roles r
      JOIN accounts a ON a.id = r.account_id AND a.disabled_at IS NULL
      JOIN role_capabilities c ON c.role = r.role AND c.capability = may.capability
      JOIN areas granted ON granted.id = r.area_id
      JOIN areas target ON target.id = in_area
     WHERE r.account_id = current_account() AND r.revoked_at IS NULL
       AND target.path LIKE granted.path || '%'
       AND (r.sectors IS NULL OR in_sector IS NULL OR in_sector = ANY (r.sectors)))
$$;
CREATE FUNCTION may_project(capability text, in_project uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT 1 FROM projects p WHERE p.id = in_project AND may(capability, p.area_id, p.sector))
$$;
-- A report may be written about by whoever may write about its project.
CREATE FUNCTION may_report(capability text, in_report uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT 1 FROM progress_reports r WHERE r.id = in_report AND may_project(capability, r.project_id))
$$;

GRANT USAGE ON SCHEMA public TO cuntong_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO cuntong_app;
GRANT INSERT ON progress_reports, progress_report_items, report_reviews, project_revisions, service_states TO cuntong_app;
GRANT UPDATE (state, percent, invested_yuan, paid_yuan, started_on, completed_on, accepted_on, last_reported_on, version, updated_at)
  ON projects TO cuntong_app;
GRANT UPDATE (review_state) ON progress_reports TO cuntong_app;
GRANT UPDATE (approved_at, approved_by, voided_at, voided_by, void_reason) ON service_states, project_revisions TO cuntong_app;
GRANT INSERT, UPDATE (revoked_at, expires_at), DELETE ON sessions TO cuntong_app;
GRANT INSERT, DELETE ON sign_in_failures TO cuntong_app;
GRANT INSERT, DELETE ON idempotency_keys TO cuntong_app;
REVOKE EXECUTE ON FUNCTION append_change, append_audit, may, may_project, may_report FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_change, append_audit, may, may_project, may_report, current_account TO cuntong_app;

ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY projects_read ON projects FOR SELECT USING (true);
CREATE POLICY projects_progress ON projects FOR UPDATE
  USING (may('report_progress', area_id, sector) OR may('review_report', area_id, sector))
  WITH CHECK (may('report_progress', area_id, sector) OR may('review_report', area_id, sector));

ALTER TABLE progress_reports ENABLE ROW LEVEL SECURITY;
CREATE POLICY progress_reports_read ON progress_reports FOR SELECT USING (true);
CREATE POLICY progress_reports_write ON progress_reports FOR INSERT
  WITH CHECK (recorded_by = current_account() AND may_project('report_progress', project_id));
CREATE POLICY progress_reports_review ON progress_reports FOR UPDATE
  USING (may_project('review_report', project_id)) WITH CHECK (may_project('review_report', project_id));

ALTER TABLE progress_report_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY progress_report_items_read ON progress_report_items FOR SELECT USING (true);
CREATE POLICY progress_report_items_write ON progress_report_items FOR INSERT WITH CHECK (may_report('report_progress', report_id));

ALTER TABLE report_reviews ENABLE ROW LEVEL SECURITY;
CREATE POLICY report_reviews_read ON report_reviews FOR SELECT USING (true);
CREATE POLICY report_reviews_write ON report_reviews FOR INSERT
  WITH CHECK (recorded_by = current_account() AND may_report('review_report', report_id)
    -- Nobody reviews what he or she reported.
    AND NOT EXISTS (SELECT 1 FROM progress_reports r
                     WHERE r.id = report_reviews.report_id AND r.recorded_by = current_account()));

ALTER TABLE project_revisions ENABLE ROW LEVEL SECURITY;
CREATE POLICY project_revisions_read ON project_revisions FOR SELECT USING (true);
CREATE POLICY project_revisions_write ON project_revisions FOR INSERT
  WITH CHECK (recorded_by = current_account()
    AND (may_project('report_progress', project_id) OR may_project('review_report', project_id)));
CREATE POLICY project_revisions_review ON project_revisions FOR UPDATE
  USING (may_project('review_report', project_id)) WITH CHECK (may_project('review_report', project_id));

ALTER TABLE service_states ENABLE ROW LEVEL SECURITY;
CREATE POLICY service_states_read ON service_states FOR SELECT USING (true);
CREATE POLICY service_states_write ON service_states FOR INSERT
  WITH CHECK (recorded_by = current_account() AND project_id IS NOT NULL
    -- Only villages that the project serves: one's own project gives no right over others.
    AND EXISTS (SELECT 1 FROM project_natural_villages l
                 WHERE l.project_id = service_states.project_id
                   AND l.natural_village_id = service_states.natural_village_id)
    AND (may_project('report_progress', project_id) OR may_project('review_report', project_id)));
CREATE POLICY service_states_review ON service_states FOR UPDATE
  USING (may_project('review_report', project_id)) WITH CHECK (may_project('review_report', project_id));
