-- 套表: forms of superiors, how their cells are filled, and every filled copy that was made.

-- Who may take figures out: whoever works with them. Auditors and administrators do not.
INSERT INTO role_capabilities VALUES
  ('clerk', 'export_figures'), ('town', 'export_figures'), ('reviewer', 'export_figures'),
  ('poverty_office', 'export_figures'), ('planner', 'export_figures'), ('leader', 'export_figures'),
  ('inspector', 'export_figures');

-- A workbook as it was uploaded. The same bytes twice are two uploads of two people.
CREATE TABLE sheet_files (
  id          uuid CONSTRAINT sheet_files_pk PRIMARY KEY,
  area_id     uuid NOT NULL CONSTRAINT sheet_files_area_exists REFERENCES areas (id),
  file_name   text NOT NULL CONSTRAINT sheet_files_name_length CHECK (length(file_name) BETWEEN 1 AND 200),
  sha256      bytea NOT NULL,
  content     bytea NOT NULL
              CONSTRAINT sheet_files_size CHECK (octet_length(content) BETWEEN 1 AND 4194304)
              CONSTRAINT sheet_files_hash_fits CHECK (sha256 = pg_catalog.sha256(content)),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  recorded_by uuid NOT NULL
);
CREATE INDEX sheet_files_area_index ON sheet_files (area_id);
CREATE TRIGGER sheet_files_kept BEFORE UPDATE OR DELETE ON sheet_files
  FOR EACH ROW EXECUTE FUNCTION forbid_rewrite();

-- A form by its name, in the area of whoever made it; everybody who works there may use it.
CREATE TABLE sheets (
  id          uuid CONSTRAINT sheets_pk PRIMARY KEY,
  area_id     uuid NOT NULL CONSTRAINT sheets_area_exists REFERENCES areas (id),
  name        text NOT NULL CONSTRAINT sheets_name_length CHECK (length(name) BETWEEN 1 AND 80),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  recorded_by uuid NOT NULL,
  CONSTRAINT sheets_name_unique UNIQUE (area_id, name)
);
CREATE TRIGGER sheets_kept BEFORE UPDATE OR DELETE ON sheets
  FOR EACH ROW EXECUTE FUNCTION forbid_rewrite();

-- How the cells of a form are filled. A correction is a new version.
CREATE TABLE sheet_versions (
  sheet_id    uuid NOT NULL CONSTRAINT sheet_versions_sheet_exists REFERENCES sheets (id),
  version     integer NOT NULL CONSTRAINT sheet_versions_positive CHECK (version > 0),
  file_id     uuid NOT NULL CONSTRAINT sheet_versions_file_exists REFERENCES sheet_files (id),
  mapping     jsonb NOT NULL CONSTRAINT sheet_versions_mapping_size CHECK (pg_column_size(mapping) <= 2097152),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  recorded_by uuid NOT NULL,
  CONSTRAINT sheet_versions_pk PRIMARY KEY (sheet_id, version)
);
CREATE TRIGGER sheet_versions_kept BEFORE UPDATE OR DELETE ON sheet_versions
  FOR EACH ROW EXECUTE FUNCTION forbid_rewrite();

-- A filled copy exactly as it left: what was sent can be shown again.
CREATE TABLE sheet_fills (
  id          uuid CONSTRAINT sheet_fills_pk PRIMARY KEY,
  sheet_id    uuid NOT NULL,
  version     integer NOT NULL,
  -- 截止日期 and 口径
  at          date NOT NULL,
  reading     text NOT NULL CONSTRAINT sheet_fills_reading_known CHECK (reading IN ('reported', 'approved')),
  -- The change of the feed that its figures contain.
  seq         bigint NOT NULL,
  file_name   text NOT NULL,
  summary     jsonb NOT NULL,
  sha256      bytea NOT NULL,
  content     bytea NOT NULL
              CONSTRAINT sheet_fills_size CHECK (octet_length(content) BETWEEN 1 AND 16777216)
              CONSTRAINT sheet_fills_hash_fits CHECK (sha256 = pg_catalog.sha256(content)),
  recorded_at timestamptz NOT NULL DEFAULT now(),
  recorded_by uuid NOT NULL,
  CONSTRAINT sheet_fills_version_exists FOREIGN KEY (sheet_id, version) REFERENCES sheet_versions (sheet_id, version)
);
CREATE INDEX sheet_fills_sheet_index ON sheet_fills (sheet_id, recorded_at DESC);
CREATE TRIGGER sheet_fills_kept BEFORE UPDATE OR DELETE ON sheet_fills
  FOR EACH ROW EXECUTE FUNCTION forbid_rewrite();

CREATE FUNCTION may_sheet(capability text, in_sheet uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT 1 FROM sheets s WHERE s.id = in_sheet AND may(capability, s.area_id, NULL))
$$;
REVOKE EXECUTE ON FUNCTION may_sheet FROM PUBLIC;
GRANT EXECUTE ON FUNCTION may_sheet TO cuntong_app;
GRANT SELECT, INSERT ON sheet_files, sheets, sheet_versions, sheet_fills TO cuntong_app;

-- A filled copy holds figures of its area: whoever may not take them out does not read it either.
ALTER TABLE sheet_files ENABLE ROW LEVEL SECURITY;
CREATE POLICY sheet_files_read ON sheet_files FOR SELECT USING (may('export_figures', area_id, NULL));
CREATE POLICY sheet_files_write ON sheet_files FOR INSERT
  WITH CHECK (recorded_by = current_account() AND may('export_figures', area_id, NULL));

ALTER TABLE sheets ENABLE ROW LEVEL SECURITY;
CREATE POLICY sheets_read ON sheets FOR SELECT USING (may('export_figures', area_id, NULL));
CREATE POLICY sheets_write ON sheets FOR INSERT
  WITH CHECK (recorded_by = current_account() AND may('export_figures', area_id, NULL));

ALTER TABLE sheet_versions ENABLE ROW LEVEL SECURITY;
CREATE POLICY sheet_versions_read ON sheet_versions FOR SELECT USING (may_sheet('export_figures', sheet_id));
CREATE POLICY sheet_versions_write ON sheet_versions FOR INSERT
  WITH CHECK (recorded_by = current_account() AND may_sheet('export_figures', sheet_id)
    -- The file must be one that the account may read itself.
    AND EXISTS (SELECT 1 FROM sheet_files f WHERE f.id = sheet_versions.file_id));

ALTER TABLE sheet_fills ENABLE ROW LEVEL SECURITY;
CREATE POLICY sheet_fills_read ON sheet_fills FOR SELECT USING (may_sheet('export_figures', sheet_id));
CREATE POLICY sheet_fills_write ON sheet_fills FOR INSERT
  WITH CHECK (recorded_by = current_account() AND may_sheet('export_figures', sheet_id));
