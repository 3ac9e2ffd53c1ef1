//! `/api/v1/areas/{code}/natural-villages` and `/api/v1/natural-villages/{id}`.

use crate::reads::{Reader, number, world};

#[tokio::test]
async fn every_natural_village_is_listed_once_and_statuses_add_up() {
    let world = world().await;
    let staff = Reader::signed_in(&world.server, "guihua.gd").await;
    let path = "/api/v1/areas/441424/natural-villages";
    let (all, total) = staff.all(path).await;
    let sql = number(
        &world.db,
        "SELECT count(*) FROM natural_villages v JOIN areas a ON a.id = v.village_id
          JOIN areas c ON a.path LIKE c.path || '%' WHERE c.code = '441424' AND v.valid_from <= '2020-10-31'",
    )
    .await;
    assert_eq!((all.len() as u64, total), (sql, sql));
    let codes: Vec<_> = all.iter().map(|v| v["code"].as_str().unwrap()).collect();
    assert!(codes.is_sorted());
    let mut sum = 0;
    for status in ["done", "under_way", "not_started", "gap"] {
        let (some, n) = staff.all(&format!("{path}?status={status}")).await;
        assert!(some.iter().all(|v| v["status"] == status));
        sum += n;
    }
    assert_eq!(sum, total);
    let (counted, n) = staff.all(&format!("{path}?counted=true")).await;
    assert!(counted.iter().all(|v| v["counted"] == true));
    assert_eq!(n + staff.all(&format!("{path}?counted=false")).await.1, total);
    let reached = number(
        &world.db,
        "SELECT count(*) FROM natural_villages v JOIN areas a ON a.id = v.village_id
          JOIN areas c ON a.path LIKE c.path || '%' AND c.code = '441424'
          JOIN denominator_members m ON m.natural_village_id = v.id
          JOIN LATERAL (SELECT served FROM service_states s WHERE s.natural_village_id = v.id AND s.service = 'road'
                  AND s.voided_at IS NULL AND s.effective_on <= '2019-06-30'
                  ORDER BY effective_on DESC, recorded_at DESC LIMIT 1) s ON s.served",
    )
    .await;
    assert_eq!(staff.all(&format!("{path}?counted=true&status=done&at=2019-06-30")).await.1, reached);
}

#[tokio::test]
async fn readings_and_gaps_are_consistent() {
    let world = world().await;
    let staff = Reader::signed_in(&world.server, "guihua.gd").await;
    let (all, _) = staff.all("/api/v1/areas/441424/natural-villages").await;
    for v in &all {
        assert_eq!(v["status"] == "done", v["reached_on"].is_string(), "{v}");
        assert!(v["status"] != "done" || v["gap_km"].is_null(), "{v}");
        assert!(v["gap_km"].as_f64().is_none_or(|km| km > 0.0 && km < 200.0), "{v}");
        assert!(v["status"] != "gap" || v["project"].is_null(), "{v}");
    }
    let public = Reader::public(&world.server);
    let (masked, _) = public.all("/api/v1/areas/441424/natural-villages").await;
    for (v, p) in all.iter().zip(&masked) {
        assert_eq!(v["id"], p["id"]);
        assert_eq!(p["status"], p["status_ok"]);
        assert_eq!(v["status_ok"], p["status_ok"], "the public sees the approved reading: {v}");
        assert_eq!(v["water_ok"], p["water"]);
        assert!(p["project"].is_null() || p["project"]["light"].is_null());
    }
    let one = all.iter().find(|v| v["project"].is_object()).unwrap();
    let detail = staff.json(&format!("/api/v1/natural-villages/{}", one["id"].as_str().unwrap())).await;
    assert_eq!((&detail["code"], &detail["status"]), (&one["code"], &one["status"]));
    assert!(detail["projects"].as_array().unwrap().iter().any(|p| p["id"] == one["project"]["id"]));
}

#[tokio::test]
async fn wrong_requests_are_problems() {
    let world = world().await;
    let reader = Reader::public(&world.server);
    for (path, status) in [
        ("/api/v1/areas/999999/natural-villages", 404),
        ("/api/v1/areas/441424/natural-villages?status=reached", 400),
        ("/api/v1/areas/441424/natural-villages?counted=maybe", 400),
        ("/api/v1/areas/441424/natural-villages?limit=1000", 400),
        ("/api/v1/areas/441424/natural-villages?cursor=zzzz", 400),
        ("/api/v1/natural-villages/not-an-id", 404),
        ("/api/v1/natural-villages/00000000-0000-7000-8000-000000000000", 404),
    ] {
        assert_eq!(reader.problem(path).await.0, status, "{path}");
    }
}
