//! `/api/v1/areas/{code}`.

use crate::reads::{Reader, number, world};

#[tokio::test]
async fn an_area_knows_its_ancestors_and_box() {
    let world = world().await;
    let reader = Reader::public(&world.server);
    let county = reader.json("/api/v1/areas/441424").await;
    assert_eq!((county["name"].as_str(), county["level"].as_str()), (Some("五华县"), Some("county")));
    let names: Vec<_> =
        county["ancestors"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["广东省", "梅州市"]);
    let towns = number(
        &world.db,
        "SELECT count(*) FROM areas t JOIN areas c ON c.id = t.parent_id WHERE c.code = '441424' AND t.valid_to IS NULL",
    )
    .await;
    assert_eq!(county["children_count"], towns);
    let inside = |outer: &serde_json::Value, inner: &serde_json::Value| {
        let n = |b: &serde_json::Value, i: usize| b[i].as_f64().unwrap();
        n(outer, 0) <= n(inner, 0) + 0.01
            && n(outer, 1) <= n(inner, 1) + 0.01
            && n(outer, 2) >= n(inner, 2) - 0.01
            && n(outer, 3) >= n(inner, 3) - 0.01
    };
    assert!(inside(&county["ancestors"][0]["bbox"], &county["bbox"]), "{county}");
    assert!(inside(&county["ancestors"][1]["bbox"], &county["bbox"]), "{county}");
    assert!(county["village"].is_null());
}

#[tokio::test]
async fn towns_and_villages_without_outline_are_as_large_as_what_lies_in_them() {
    let world = world().await;
    let reader = Reader::public(&world.server);
    let code = crate::reads::text(
        &world.db,
        "SELECT a.code FROM areas a JOIN village_facts f ON f.area_id = a.id AND f.poor WHERE a.level = 'village' ORDER BY a.code LIMIT 1",
    )
    .await;
    let village = reader.json(&format!("/api/v1/areas/{code}")).await;
    assert_eq!(village["village"]["poor"], true);
    assert_eq!(village["ancestors"].as_array().unwrap().last().unwrap()["level"], "town");
    for area in [&village, village["ancestors"].as_array().unwrap().last().unwrap()] {
        let side = |i: usize| area["bbox"][i].as_f64().unwrap();
        assert!(side(0) <= side(2) && side(1) <= side(3) && side(2) - side(0) < 1.5, "{area}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_a_problem_in_chinese() {
    let world = world().await;
    let reader = Reader::public(&world.server);
    let (status, problem) = reader.problem("/api/v1/areas/999999").await;
    assert_eq!((status, problem["code"].as_str()), (404, Some("not_found")));
    let (status, problem) = reader.problem("/api/v1/areas/441424?at=2020-02-30").await;
    assert_eq!((status, problem["code"].as_str()), (400, Some("bad_date")));
    assert_eq!(reader.problem("/api/v1/areas/441424?at=2021-01-01").await.0, 400);
}
