//! `/api/v1/programme`.

use crate::harness::{Db, Server};
use crate::reads::{Reader, world};

#[tokio::test]
async fn tells_what_the_province_decided() {
    let world = world().await;
    let p = Reader::public(&world.server).json("/api/v1/programme").await;
    assert_eq!(p["business_date"], "2020-10-31");
    assert_eq!(p["province"]["code"].as_str().unwrap().get(..2), Some("44"));
    assert_eq!(p["province"]["bbox"].as_array().unwrap().len(), 4);
    assert_eq!(p["sectors"].as_array().unwrap().len(), 6);
    assert_eq!(p["states"].as_array().unwrap().len(), 11);
    assert_eq!(p["thresholds"]["lag_warn_pp"], 5.0);
    assert_eq!(p["thresholds"]["choropleth"], serde_json::json!([85.0, 90.0, 95.0, 98.0]));
    assert!(
        p["targets"]
            .as_array()
            .unwrap()
            .iter()
            .all(|t| t["document_no"].as_str().is_some_and(|d| !d.is_empty()))
    );
    for sector in p["sectors"].as_array().unwrap() {
        let weights: f64 =
            sector["items"].as_array().unwrap().iter().map(|i| i["weight"].as_f64().unwrap()).sum();
        assert!((weights - 1.0).abs() < 1e-9, "{sector}");
    }
    let logins: Vec<_> =
        p["demo_accounts"].as_array().unwrap().iter().map(|a| a["login"].as_str().unwrap()).collect();
    assert!(logins.contains(&"jiaotong.wuhua") && logins.contains(&"shenhe.wuhua"), "{logins:?}");
}

#[tokio::test]
async fn an_empty_database_says_so_and_a_real_one_shows_no_passwords() {
    let db = Db::fresh().await;
    let server = Server::start(&db).await;
    let reader = Reader::public(&server);
    assert_eq!(reader.problem("/api/v1/programme").await.0, 404);
    let mut owner = db.owner().await;
    sqlx::raw_sql(
        "INSERT INTO areas (id, code, level, name, short_name, valid_from, path)
         VALUES (gen_random_uuid(), '44', 'province', '某省', '某省', '2000-01-01', '');
         INSERT INTO settings (key, value, effective_on, document_no, document_title)
         VALUES ('programme', '{\"demo\": false, \"name\": \"某省\"}', '2000-01-01', '某文', '某文');
         INSERT INTO accounts (id, login, display_name, unit_name, password_hash)
         VALUES (gen_random_uuid(), 'someone', '某人', '某局', '!');
         INSERT INTO change_feed (seq, kind) VALUES (1, 'bulk');",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let (_, _, text) = reader.get("/api/v1/programme").await;
    assert!(text.contains("某省") && !text.contains("someone") && !text.contains("password"), "{text}");
}
