//! From staged rows to the tables. Each check is one statement that refuses, mends or flags rows and
//! says why in `findings`; each insert takes what is left.

use serde_json::json;
use sqlx::PgConnection;

use super::mapping::{Layer, Mapping, Programme};
use super::report::ImportReport;
use crate::error::Result;

/// Runs statements that take the layer number as `$1`, in order.
async fn each(connection: &mut PgConnection, layer: i32, statements: &[&'static str]) -> Result<()> {
    for statement in statements {
        sqlx::query(*statement).bind(layer).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Settings and the top area.
pub async fn found_programme(connection: &mut PgConnection, mapping: &Mapping) -> Result<()> {
    let p = &mapping.programme;
    let value = json!({
        "name": p.name,
        "province_code": mapping.province.code,
        "business_date": p.business_date,
        "first_date": p.first_date,
        "denominator": p.counted.name,
        "attribution": p.attribution,
        "map_approval_no": null,
        "demo": false,
    });
    sqlx::query(
        "INSERT INTO settings (key, value, effective_on, document_no, document_title)
         VALUES ('programme', $1, $2, $3, $4)",
    )
    .bind(value)
    .bind(p.first_date)
    .bind(&p.document_no)
    .bind(&p.document_title)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO areas (id, code, level, name, short_name, valid_from, geom_source, path)
         VALUES (pg_temp.uuid_v7(), $1, 'province', $2, $2, $3, 'import', '')",
    )
    .bind(&mapping.province.code)
    .bind(&mapping.province.name)
    .bind(p.first_date)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// Outlines of one level, and their parents where the mapping asks for them.
pub async fn areas(connection: &mut PgConnection, number: i32, layer: &Layer) -> Result<()> {
    each(
        connection,
        number,
        &[
            "WITH bad AS (UPDATE staged SET refused = true WHERE layer = $1 AND NOT refused
               AND GeometryType(geom) NOT IN ('POLYGON', 'MULTIPOLYGON') RETURNING row_no, GeometryType(geom) AS t)
             INSERT INTO findings SELECT $1, row_no, 'refused', 'wrong_geometry_type', t, NULL FROM bad",
            "WITH bad AS (UPDATE staged SET geom = ST_CollectionExtract(ST_MakeValid(geom), 3)
               WHERE layer = $1 AND NOT refused AND NOT ST_IsValid(geom) RETURNING row_no)
             INSERT INTO findings SELECT $1, row_no, 'mended', 'outline_repaired', NULL, NULL FROM bad",
            "WITH bad AS (UPDATE staged SET refused = true WHERE layer = $1 AND NOT refused
               AND (cols ->> 'code' IS NULL OR cols ->> 'name' IS NULL) RETURNING row_no)
             INSERT INTO findings SELECT $1, row_no, 'refused', 'code_or_name_missing', NULL, NULL FROM bad",
            "WITH bad AS (UPDATE staged s SET refused = true WHERE layer = $1 AND NOT refused
               AND EXISTS (SELECT 1 FROM staged e WHERE e.layer = $1 AND NOT e.refused
                           AND e.cols ->> 'code' = s.cols ->> 'code' AND e.row_no < s.row_no)
               RETURNING row_no, cols ->> 'code' AS code)
             INSERT INTO findings SELECT $1, row_no, 'refused', 'code_repeated', code, NULL FROM bad",
            // Without a stated parent: that of the neighbour with the longest common border.
            "WITH guessed AS (
               SELECT DISTINCT ON (s.row_no) s.row_no, n.cols ->> 'parent' AS parent, n.cols ->> 'parent_name' AS parent_name
                 FROM staged s JOIN staged n ON n.layer = $1 AND NOT n.refused AND n.cols ->> 'parent' IS NOT NULL
                      AND ST_DWithin(s.geom, n.geom, 0.002)
                WHERE s.layer = $1 AND NOT s.refused AND s.cols ? 'parent' AND s.cols ->> 'parent' IS NULL
                ORDER BY s.row_no, ST_Length(ST_Intersection(ST_Boundary(s.geom), ST_Buffer(n.geom, 0.002))) DESC),
             mended AS (
               UPDATE staged s SET cols = s.cols || jsonb_build_object('parent', g.parent, 'parent_name', g.parent_name)
                 FROM guessed g WHERE s.layer = $1 AND s.row_no = g.row_no RETURNING s.row_no, g.parent)
             INSERT INTO findings SELECT $1, row_no, 'mended', 'parent_from_neighbour', NULL, parent FROM mended",
            "WITH bad AS (UPDATE staged SET refused = true WHERE layer = $1 AND NOT refused
               AND cols ? 'parent' AND cols ->> 'parent' IS NULL RETURNING row_no)
             INSERT INTO findings SELECT $1, row_no, 'refused', 'parent_missing', NULL, NULL FROM bad",
        ],
    )
    .await?;
    if let Some(parent_level) = &layer.parent_level {
        sqlx::query(
            "INSERT INTO areas (id, code, level, parent_id, name, short_name, valid_from, geom, seat, geom_source, path)
             SELECT pg_temp.uuid_v7(), parent, $2, (SELECT id FROM areas WHERE level = 'province'), name, name,
                    (SELECT valid_from FROM areas WHERE level = 'province'), outline, ST_PointOnSurface(outline),
                    'union of ' || $3, ''
               FROM (SELECT cols ->> 'parent' AS parent,
                            coalesce(min(cols ->> 'parent_name'), cols ->> 'parent') AS name,
                            ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_UnaryUnion(ST_Collect(geom))), 3)) AS outline
                       FROM staged WHERE layer = $1 AND NOT refused GROUP BY cols ->> 'parent') made
              WHERE NOT EXISTS (SELECT 1 FROM areas WHERE code = parent)
              ORDER BY parent",
        )
        .bind(number)
        .bind(parent_level)
        .bind(&layer.file)
        .execute(&mut *connection)
        .await?;
    }
    sqlx::query(
        "INSERT INTO areas (id, code, level, parent_id, name, short_name, valid_from, geom, seat, geom_source, path)
         SELECT pg_temp.uuid_v7(), s.cols ->> 'code', $2, coalesce(p.id, top.id), s.cols ->> 'name', s.cols ->> 'name',
                top.valid_from, ST_Multi(s.geom), ST_PointOnSurface(s.geom), $3, ''
           FROM staged s CROSS JOIN (SELECT id, valid_from FROM areas WHERE level = 'province') top
           LEFT JOIN areas p ON p.code = s.cols ->> 'parent'
          WHERE s.layer = $1 AND NOT s.refused ORDER BY s.row_no",
    )
    .bind(number)
    .bind(&layer.level)
    .bind(&layer.source)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// The province's outline and the ground that data must lie in, from the outlines loaded so far.
pub async fn close_outlines(connection: &mut PgConnection, tolerance_m: f64) -> Result<()> {
    sqlx::query(
        "UPDATE areas top SET geom = made.outline, seat = ST_PointOnSurface(made.outline)
           FROM (SELECT ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_UnaryUnion(ST_Collect(a.geom))), 3)) AS outline
                   FROM areas a JOIN areas p ON p.id = a.parent_id AND p.level = 'province') made
          WHERE top.level = 'province' AND made.outline IS NOT NULL",
    )
    .execute(&mut *connection)
    .await?;
    // A degree of latitude is at least 110.5 km, so the margin is never under the tolerance.
    sqlx::query(
        "INSERT INTO programme_extent (geom)
         SELECT ST_Multi(ST_Buffer(geom, $1 / 110500.0 / cos(radians(ST_YMax(geom))), 2)) FROM areas
          WHERE level = 'province' AND geom IS NOT NULL",
    )
    .bind(tolerance_m)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// Checks shared by everything that lies in an area: code, name, area, place.
async fn settle_rows(connection: &mut PgConnection, number: i32) -> Result<()> {
    each(
        connection,
        number,
        &[
            "WITH bad AS (UPDATE staged SET refused = true WHERE layer = $1 AND NOT refused
               AND cols ->> 'code' IS NULL RETURNING row_no)
             INSERT INTO findings SELECT $1, row_no, 'refused', 'code_missing', NULL, NULL FROM bad",
            "WITH bad AS (UPDATE staged SET refused = true WHERE layer = $1 AND NOT refused
               AND cols ->> 'name' IS NULL RETURNING row_no, cols ->> 'code' AS code)
             INSERT INTO findings SELECT $1, row_no, 'refused', 'name_missing', code, NULL FROM bad",
            "UPDATE staged s SET area_id = a.id FROM areas a
              WHERE s.layer = $1 AND NOT s.refused AND a.code = s.cols ->> 'area'",
            "WITH bad AS (UPDATE staged SET refused = true WHERE layer = $1 AND NOT refused
               AND area_id IS NULL RETURNING row_no, cols ->> 'area' AS area)
             INSERT INTO findings SELECT $1, row_no, 'refused', 'area_unknown', area, NULL FROM bad",
            "WITH bad AS (UPDATE staged s SET refused = true FROM programme_extent e
               WHERE s.layer = $1 AND NOT s.refused AND NOT ST_Covers(e.geom, s.geom)
               RETURNING s.row_no, ST_AsText(ST_Centroid(s.geom), 4) AS place)
             INSERT INTO findings SELECT $1, row_no, 'refused', 'outside_province', place, NULL FROM bad",
            // Stated area and place disagree: kept as stated, and shown to whoever must decide.
            "INSERT INTO findings
             SELECT $1, s.row_no, 'flagged', CASE WHEN o.name IS NULL THEN 'outside_all_areas' ELSE 'lies_in_other_area' END,
                    a.name, o.name
               FROM staged s JOIN areas a ON a.id = s.area_id AND a.geom IS NOT NULL
               LEFT JOIN LATERAL (SELECT name FROM areas o WHERE o.level = a.level AND ST_Intersects(o.geom, s.geom)
                                   ORDER BY ST_Length(ST_Intersection(o.geom, s.geom)) DESC, o.code LIMIT 1) o ON true
              WHERE s.layer = $1 AND NOT s.refused AND NOT ST_Intersects(a.geom, s.geom)",
        ],
    )
    .await
}

/// Natural villages (habitations), their counts, and the denominator list.
pub async fn natural_villages(
    connection: &mut PgConnection,
    number: i32,
    layer: &Layer,
    programme: &Programme,
) -> Result<()> {
    each(
        connection,
        number,
        &["WITH bad AS (UPDATE staged SET refused = true WHERE layer = $1 AND NOT refused
             AND GeometryType(geom) <> 'POINT' RETURNING row_no, GeometryType(geom) AS t)
           INSERT INTO findings SELECT $1, row_no, 'refused', 'wrong_geometry_type', t, NULL FROM bad"],
    )
    .await?;
    settle_rows(connection, number).await?;
    each(
        connection,
        number,
        &[
            "WITH bad AS (UPDATE staged s SET refused = true WHERE layer = $1 AND NOT refused
               AND EXISTS (SELECT 1 FROM staged e WHERE e.layer = $1 AND NOT e.refused
                           AND e.cols ->> 'code' = s.cols ->> 'code' AND e.row_no < s.row_no)
               RETURNING row_no, cols ->> 'code' AS code)
             INSERT INTO findings SELECT $1, row_no, 'refused', 'code_repeated', code, NULL FROM bad",
            "INSERT INTO findings
             SELECT $1, row_no, 'flagged', 'people_missing', cols ->> 'name', NULL FROM staged
              WHERE layer = $1 AND NOT refused AND cols ->> 'people' IS NULL AND cols ->> 'households' IS NULL",
            "INSERT INTO findings
             SELECT $1, row_no, 'flagged', 'same_place', cols ->> 'name', first_name
               FROM (SELECT row_no, cols, row_number() OVER w AS n, first_value(cols ->> 'name') OVER w AS first_name
                       FROM staged WHERE layer = $1 AND NOT refused WINDOW w AS (PARTITION BY geom::text ORDER BY row_no)) t
              WHERE n > 1",
            "UPDATE staged SET id = pg_temp.uuid_v7() WHERE layer = $1 AND NOT refused",
            "INSERT INTO natural_villages (id, code, village_id, name, geom, access_point, valid_from)
             SELECT id, cols ->> 'code', area_id, cols ->> 'name', geom, geom,
                    (SELECT valid_from FROM areas WHERE level = 'province')
               FROM staged WHERE layer = $1 AND NOT refused ORDER BY row_no",
        ],
    )
    .await?;
    sqlx::query(
        "INSERT INTO natural_village_facts (id, natural_village_id, effective_on, households, people, source)
         SELECT pg_temp.uuid_v7(), id, coalesce((cols ->> 'counted_on')::date, $2),
                (cols ->> 'households')::integer, (cols ->> 'people')::integer, $3
           FROM staged WHERE layer = $1 AND NOT refused
            AND (cols ->> 'people' IS NOT NULL OR cols ->> 'households' IS NOT NULL) ORDER BY row_no",
    )
    .bind(number)
    .bind(programme.first_date)
    .bind(&layer.source)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "WITH list AS (INSERT INTO denominators (id, name, document_no, section, effective_on)
           VALUES (pg_temp.uuid_v7(), $4, $5, '', $6) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id)
         INSERT INTO denominator_members
         SELECT list.id, s.id FROM staged s, list WHERE s.layer = $1 AND NOT s.refused
            AND ((cols ->> 'people')::integer >= $2 OR (cols ->> 'households')::integer >= $3)",
    )
    .bind(number)
    .bind(programme.counted.people_at_least)
    .bind(programme.counted.households_at_least)
    .bind(&programme.counted.name)
    .bind(&programme.document_no)
    .bind(programme.first_date)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// Projects: rows that repeat a code with the same content are parts of one line and are joined.
pub async fn projects(
    connection: &mut PgConnection,
    number: i32,
    layer: &Layer,
    programme: &Programme,
) -> Result<()> {
    each(
        connection,
        number,
        &["WITH bad AS (UPDATE staged SET refused = true WHERE layer = $1 AND NOT refused
             AND GeometryType(geom) NOT IN ('POINT', 'LINESTRING', 'MULTILINESTRING') RETURNING row_no, GeometryType(geom) AS t)
           INSERT INTO findings SELECT $1, row_no, 'refused', 'wrong_geometry_type', t, NULL FROM bad"],
    )
    .await?;
    settle_rows(connection, number).await?;
    each(
        connection,
        number,
        &[
            "WITH parts AS (
               SELECT row_no, first_value(row_no) OVER w AS first_row, first_value(cols) OVER w = cols AS same
                 FROM staged WHERE layer = $1 AND NOT refused WINDOW w AS (PARTITION BY cols ->> 'code' ORDER BY row_no)),
             bad AS (UPDATE staged s SET refused = true FROM parts p
               WHERE s.layer = $1 AND s.row_no = p.row_no AND p.row_no <> p.first_row AND NOT p.same RETURNING s.row_no, cols ->> 'code' AS code)
             INSERT INTO findings SELECT $1, row_no, 'refused', 'code_repeated', code, NULL FROM bad",
            "WITH parts AS (
               SELECT min(row_no) AS first_row, count(*) AS n, array_agg(row_no ORDER BY row_no) AS rows_of,
                      ST_Multi(ST_LineMerge(ST_Collect(geom ORDER BY row_no))) AS whole
                 FROM staged WHERE layer = $1 AND NOT refused GROUP BY cols ->> 'code' HAVING count(*) > 1),
             joined AS (UPDATE staged s SET geom = p.whole FROM parts p WHERE s.layer = $1 AND s.row_no = p.first_row RETURNING s.row_no)
             INSERT INTO findings
             SELECT $1, later, 'mended', 'joined_to_row', NULL, p.first_row::text
               FROM parts p CROSS JOIN LATERAL unnest(p.rows_of) AS later WHERE later <> p.first_row",
            "UPDATE staged s SET refused = true
              WHERE s.layer = $1 AND NOT s.refused
                AND EXISTS (SELECT 1 FROM findings f WHERE f.layer = $1 AND f.row_no = s.row_no AND f.reason = 'joined_to_row')",
            "UPDATE staged SET id = pg_temp.uuid_v7() WHERE layer = $1 AND NOT refused",
            // DOMAIN §6: ledger length against drawn length, more than 10 % apart.
            "INSERT INTO findings
             SELECT $1, row_no, 'flagged', 'length_differs', stated::text, round(drawn::numeric, 2)::text
               FROM (SELECT row_no, (cols ->> 'stated_length_km')::numeric AS stated, ST_Length(geom::geography) / 1000 AS drawn
                       FROM staged WHERE layer = $1 AND NOT refused) t
              WHERE stated > 0 AND abs(drawn / stated::float8 - 1) > 0.1",
        ],
    )
    .await?;
    sqlx::query(
        "INSERT INTO projects (id, code, name, sector, kind, area_id, contractor, geom, plan_year, approval_no,
                               planned_start_on, planned_finish_on, total_investment_yuan, stated_length_km, state)
         SELECT id, cols ->> 'code', cols ->> 'name', $2, coalesce(cols ->> 'kind', 'new'), area_id, cols ->> 'contractor', geom,
                (cols ->> 'plan_year')::smallint, cols ->> 'approval_no', (cols ->> 'planned_start_on')::date,
                (cols ->> 'planned_finish_on')::date, (cols ->> 'total_investment_yuan')::numeric,
                round((cols ->> 'stated_length_km')::numeric, 3), $3
           FROM staged WHERE layer = $1 AND NOT refused ORDER BY row_no",
    )
    .bind(number)
    .bind(&layer.sector)
    .bind(&layer.state)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO project_revisions (project_id, version, effective_on, state, percent, invested_yuan, paid_yuan, reason)
         SELECT id, 1, least((cols ->> 'planned_start_on')::date, $2), $3, 0, 0, 0, $4
           FROM staged WHERE layer = $1 AND NOT refused",
    )
    .bind(number)
    .bind(programme.business_date)
    .bind(&layer.state)
    .bind(&layer.source)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO project_milestones (project_id, ordinal, milestone, planned_on, planned_percent)
         SELECT id, m.ordinal, m.name, m.day, m.percent FROM staged
          CROSS JOIN LATERAL (VALUES (1::smallint, '计划开工', (cols ->> 'planned_start_on')::date, 0),
                                     (2::smallint, '计划完工', (cols ->> 'planned_finish_on')::date, 100)) AS m (ordinal, name, day, percent)
          WHERE layer = $1 AND NOT refused",
    )
    .bind(number)
    .execute(&mut *connection)
    .await?;
    // Of a road the stated length is what is to be built, in each of the sector's kilometre items.
    sqlx::query(
        "INSERT INTO project_quantities (project_id, sector, item, planned)
         SELECT s.id, q.sector, q.item, (s.cols ->> 'stated_length_km')::numeric FROM staged s
           JOIN quantity_items q ON q.sector = $2 AND q.unit_en = 'km'
          WHERE s.layer = $1 AND NOT s.refused AND (s.cols ->> 'stated_length_km')::numeric > 0",
    )
    .bind(number)
    .bind(&layer.sector)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// One audit root per county and one feed row for all of it; last, because both hold locks.
pub async fn seal(connection: &mut PgConnection, mapping: &Mapping, report: &ImportReport) -> Result<()> {
    let body =
        json!({ "action": "import", "programme": mapping.programme.name, "report": report }).to_string();
    sqlx::query("SELECT append_audit('system', $1)").bind(&body).execute(&mut *connection).await?;
    sqlx::query(
        "SELECT append_audit(code, json_build_object('action', 'import', 'area', code, 'projects',
                (SELECT count(*) FROM projects p WHERE p.area_id = a.id), 'natural_villages',
                (SELECT count(*) FROM natural_villages n WHERE n.village_id = a.id))::text)
           FROM (SELECT id, code FROM areas WHERE level = 'county' ORDER BY code) a",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query("SELECT append_change('bulk', NULL, NULL, '{}')").execute(&mut *connection).await?;
    Ok(())
}
