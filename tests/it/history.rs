//! `/api/v1/projects/{id}/history`.

use crate::reads::{Reader, text, world};

#[tokio::test]
async fn the_history_is_whole_newest_first_and_for_staff() {
    let world = world().await;
    let id = text(
        &world.db,
        "SELECT project_id::text FROM project_revisions GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
    )
    .await;
    let path = format!("/api/v1/projects/{id}/history");
    let public = Reader::public(&world.server);
    assert_eq!(public.problem(&path).await.0, 401);
    let staff = Reader::signed_in(&world.server, "guihua.gd").await;
    let (rows, total) = staff.all(&path).await;
    assert!(total > 3);
    assert_eq!(rows.len() as u64, total);
    let versions: Vec<_> = rows.iter().map(|r| r["version"].as_i64().unwrap()).collect();
    assert!(versions.is_sorted_by(|a, b| a > b));
    let first = staff.json(&format!("{path}?limit=2")).await;
    let second =
        staff.json(&format!("{path}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!(second["items"][0], rows[2]);
    assert_eq!(staff.problem("/api/v1/projects/00000000-0000-7000-8000-000000000000/history").await.0, 404);
}
