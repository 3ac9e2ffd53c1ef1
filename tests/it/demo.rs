//! The demo province in a real database: counts, sums and dates, by SQL.

use cuntong::exchange::demo::{DemoOptions, Scale, is_loaded, load, rehearse};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::harness::Db;

async fn number(owner: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT ({sql})::bigint"))).fetch_one(owner).await.expect(sql)
}

/// Counts that the issue and the domain handbook ask for.
#[tokio::test]
async fn it_counts_like_the_programme() {
    let db = Db::with_demo().await;
    let mut owner = db.owner().await;
    for (expected, sql) in [
        (1, "SELECT count(*) FROM areas WHERE level = 'province'"),
        (21, "SELECT count(*) FROM areas WHERE level = 'city'"),
        (122, "SELECT count(*) FROM areas WHERE level = 'county'"),
        (2_277, "SELECT count(*) FROM areas WHERE level = 'village'"),
        (2_277, "SELECT count(*) FROM village_facts WHERE poor"),
        (18_996, "SELECT count(*) FROM natural_villages"),
        (15_303, "SELECT count(*) FROM denominator_members"),
        (349, "SELECT count(*) FROM areas WHERE level = 'village' AND code LIKE '4414%'"),
        (180, "SELECT count(*) FROM areas WHERE level = 'village' AND code LIKE '4409%'"),
        (278, "SELECT count(*) FROM areas WHERE level = 'village' AND code LIKE '4402%'"),
        (0, "SELECT count(*) FROM areas WHERE level = 'village' AND code ~ '^44(01|03|04|06|19|20)'"),
        (82, "SELECT count(*) FROM areas WHERE level = 'village' AND code LIKE '441424%'"),
        (12, "SELECT count(*) FROM accounts WHERE disabled_at IS NULL"),
        (1, "SELECT count(*) FROM change_feed WHERE kind = 'bulk'"),
        (124, "SELECT count(*) FROM audit_heads WHERE seq = 1"),
        // 潮州 has not reported; the other cities stand as on the pictures: 13,747 of 15,085.
        (0, "SELECT count(*) FROM service_states s JOIN natural_villages n ON n.id = s.natural_village_id WHERE n.code LIKE '4451%'"),
        (
            13_747,
            "SELECT count(DISTINCT natural_village_id) FROM service_states JOIN denominator_members USING (natural_village_id)
              WHERE service = 'road' AND served AND voided_at IS NULL AND approved_at IS NOT NULL AND effective_on <= '2020-09-30'",
        ),
        (
            490,
            "SELECT count(DISTINCT s.natural_village_id) FROM service_states s
               JOIN denominator_members m ON m.natural_village_id = s.natural_village_id
               JOIN natural_villages n ON n.id = s.natural_village_id
              WHERE service = 'road' AND served AND voided_at IS NULL AND n.code LIKE '441424%'",
        ),
    ] {
        assert_eq!(number(&mut owner, sql).await, expected, "{sql}");
    }
}

/// Every one of these asks for rows that must not be.
#[tokio::test]
async fn it_adds_up() {
    let db = Db::with_demo().await;
    let mut owner = db.owner().await;
    for (what, sql) in [
        (
            "a project row is its newest standing revision",
            "SELECT count(*) FROM projects p JOIN LATERAL (
                SELECT * FROM project_revisions r WHERE r.project_id = p.id AND r.voided_at IS NULL
                 ORDER BY version DESC LIMIT 1) r ON true
              WHERE (p.state, p.percent, p.invested_yuan, p.paid_yuan) IS DISTINCT FROM (r.state, r.percent, r.invested_yuan, r.paid_yuan)
                 OR p.version < r.version",
        ),
        (
            "a report's percent is the weighted sum of its items",
            "SELECT count(*) FROM (
               SELECT r.percent, sum(least(i.done / q.planned, 1) * k.weight) * 100 AS sum
                 FROM progress_reports r JOIN progress_report_items i ON i.report_id = r.id
                 JOIN project_quantities q ON q.project_id = r.project_id AND q.item = i.item
                 JOIN quantity_items k ON k.sector = q.sector AND k.item = q.item
                GROUP BY r.id, r.percent) s WHERE abs(percent - sum) > 0.0051",
        ),
        (
            "every report says every quantity",
            "SELECT count(*) FROM progress_reports r WHERE
               (SELECT count(*) FROM progress_report_items i WHERE i.report_id = r.id)
               <> (SELECT count(*) FROM project_quantities q WHERE q.project_id = r.project_id)",
        ),
        (
            "what is paid is the sum of what the sources paid, and no source pays more than it allocated",
            "SELECT count(*) FROM projects p LEFT JOIN (SELECT project_id, sum(paid_yuan) AS paid, bool_or(paid_yuan > allocated_yuan) AS more
                FROM project_funds GROUP BY project_id) f ON f.project_id = p.id
              WHERE p.paid_yuan <> coalesce(f.paid, 0) OR coalesce(f.more, false)",
        ),
        ("nobody pays more than was invested", "SELECT count(*) FROM projects WHERE paid_yuan > invested_yuan OR invested_yuan > total_investment_yuan"),
        (
            "dates are ordered",
            "SELECT count(*) FROM projects WHERE approved_on > coalesce(started_on, approved_on) OR completed_on < started_on
                OR accepted_on < completed_on OR greatest(started_on, completed_on, accepted_on, last_reported_on) > '2020-10-31'",
        ),
        (
            "done means accepted and completed means 100 %",
            "SELECT count(*) FROM projects p JOIN project_states s USING (state)
              WHERE (s.status = 'done') <> (p.accepted_on IS NOT NULL) OR (s.status IN ('done', 'completed')) <> (p.percent = 100)",
        ),
        (
            "nothing was recorded after the business date",
            "SELECT (SELECT count(*) FROM project_revisions WHERE recorded_at > '2020-11-01 00:00+08')
                  + (SELECT count(*) FROM progress_reports WHERE recorded_at > '2020-11-01 00:00+08')
                  + (SELECT count(*) FROM service_states WHERE greatest(recorded_at, approved_at) > '2020-11-01 00:00+08')",
        ),
        (
            "a service that a report brought was approved with it",
            "SELECT count(*) FROM service_states s JOIN progress_reports r ON r.id = s.report_id
              WHERE (s.approved_at IS NOT NULL) <> (r.review_state = 'approved') OR s.effective_on <> r.effective_on OR s.project_id <> r.project_id",
        ),
        (
            "connected villages and households of a water report are those that it brought",
            "SELECT count(*) FROM projects p
               JOIN LATERAL (SELECT r.id FROM progress_reports r WHERE r.project_id = p.id AND r.review_state <> 'returned'
                              ORDER BY effective_on DESC, recorded_at DESC LIMIT 1) r ON true
               JOIN progress_report_items v ON v.report_id = r.id AND v.item = 'villages_connected'
               JOIN progress_report_items h ON h.report_id = r.id AND h.item = 'households_connected'
               JOIN LATERAL (SELECT count(*) AS n, coalesce(sum(households_connected), 0) AS h FROM service_states s
                              WHERE s.project_id = p.id AND s.service = 'water') s ON true
              WHERE p.sector = 'water' AND (v.done <> s.n OR h.done <> s.h)",
        ),
        (
            "a segment hardened by a project was hardened when it was accepted",
            "SELECT count(*) FROM road_segment_states s JOIN projects p ON p.id = s.project_id
              WHERE s.effective_on IS DISTINCT FROM p.accepted_on
                 OR NOT EXISTS (SELECT 1 FROM project_segments x WHERE x.project_id = p.id AND x.segment_id = s.segment_id)",
        ),
        (
            "lines start and end where their nodes are",
            "SELECT count(*) FROM (
               SELECT from_node AS node, ST_StartPoint(geom) AS at FROM road_segments
                UNION SELECT to_node, ST_EndPoint(geom) FROM road_segments) n
              WHERE node IN (SELECT node FROM (
               SELECT from_node AS node, ST_AsBinary(ST_StartPoint(geom)) AS at FROM road_segments
                UNION SELECT to_node, ST_AsBinary(ST_EndPoint(geom)) FROM road_segments) m GROUP BY node HAVING count(*) > 1)",
        ),
        (
            "access points are road nodes",
            "SELECT count(*) FROM natural_villages n WHERE NOT EXISTS (
               SELECT 1 FROM road_segments s WHERE s.to_node = n.access_node AND ST_Equals(ST_EndPoint(s.geom), n.access_point))",
        ),
        (
            "natural villages lie in their county",
            "SELECT count(*) FROM natural_villages n JOIN areas c ON c.level = 'county' AND c.code = substr(n.code, 1, 6)
              WHERE NOT ST_Covers(c.geom, n.geom)",
        ),
        (
            "stated lengths are the drawn ones, but for what was planted",
            "SELECT greatest(count(*) - 60, 0) FROM projects WHERE stated_length_km > 0.2
                AND abs(stated_length_km - ST_Length(geom::geography) / 1000) / stated_length_km > 0.1",
        ),
    ] {
        assert_eq!(number(&mut owner, sql).await, 0, "{what}");
    }
}

#[tokio::test]
async fn the_database_holds_what_was_rehearsed_and_takes_it_once() {
    let db = Db::with_demo().await;
    let mut owner = db.owner().await;
    assert!(is_loaded(&mut owner).await.unwrap());
    let options = DemoOptions { scale: Scale::Poor, progress: false, ..DemoOptions::default() };
    let refused = load(&mut owner, &options).await.expect_err("a second province");
    assert!(refused.to_string().contains("空库"), "{refused}");
    let (rehearsed, planted) = rehearse(&options).unwrap();
    for (table, rows, _) in rehearsed.tables {
        if !["settings", "targets", "areas", "accounts", "account_roles"].contains(&table) {
            assert_eq!(
                number(&mut owner, &format!("SELECT count(*) FROM {table}")).await as u64,
                rows,
                "{table}"
            );
        }
    }
    for p in planted {
        let there =
            number(&mut owner, &format!("SELECT count(*) FROM projects WHERE code = '{}'", p.project)).await;
        assert_eq!(there, 1, "{}", p.project);
    }
}
