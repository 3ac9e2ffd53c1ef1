//! Tiles, figures and events over HTTP.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, VARY,
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::mvt::{self, Tile};
use crate::people::{Person, TODAY, World, road_report};

/// Where the people's projects are.
const PLACE: (f64, f64) = (115.7, 23.9);
const PUBLIC_LAYERS: &str = "area,village,natural_village,road,road_project,water_project,relocation_project,\
                             housing_project,power_project,clean_village_project";

fn address(layers: &str, z: u8, (lon, lat): (f64, f64)) -> String {
    let place = tiles::lonlat_to_world(lon, lat).unwrap();
    let t = tiles::TileId::at(z, place).unwrap();
    format!("/tiles/{layers}/{z}/{}/{}", t.x(), t.y())
}

struct Got {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Got {
    fn tile(&self) -> Tile {
        assert!([200, 204].contains(&self.status), "{}", self.status);
        mvt::decode(&self.body)
    }
    fn header(&self, name: impl reqwest::header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
    fn code(&self) -> String {
        assert_eq!(self.header(CONTENT_TYPE), "application/problem+json");
        serde_json::from_slice::<Value>(&self.body).unwrap()["code"].as_str().unwrap().to_owned()
    }
}

async fn get(
    client: &reqwest::Client,
    base: &str,
    path: &str,
    headers: &[(reqwest::header::HeaderName, &str)],
) -> Got {
    let mut request = client.get(format!("{base}{path}"));
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Got { status, headers, body: answer.bytes().await.unwrap().to_vec() }
}

async fn of(person: &Person, path: &str) -> Got {
    get(&person.client, &person.base, path, &[]).await
}

#[tokio::test]
async fn a_tile_has_its_headers_encodings_and_tag() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let (client, base) = (&clerk.client, clerk.base.as_str());
    let path = address("natural_village,road_project", 12, PLACE);

    let plain = get(client, base, &path, &[]).await;
    assert_eq!(plain.header(CONTENT_TYPE), "application/vnd.mapbox-vector-tile");
    assert_eq!(plain.header(CONTENT_ENCODING), "");
    let vary = plain.header(VARY).to_ascii_lowercase();
    assert!(vary.contains("accept-encoding") && vary.contains("cookie"), "{vary}");
    assert_eq!(plain.header(CACHE_CONTROL), "private, no-cache");
    let tile = plain.tile();
    assert_eq!(tile["natural_village"].len(), 2);
    let project = &tile["road_project"][0];
    assert_eq!((project.text("code"), project.text("status")), (Some("P1"), Some("not_started")));
    assert_eq!(project.text("light"), Some("late"), "should have begun in March");

    // Other encodings carry the same tile under tags of their own.
    let mut tags = BTreeSet::from([plain.header(ETAG).to_owned()]);
    for (accept, encoding) in
        [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip;q=0.1, br;q=0", "gzip")]
    {
        let got = get(client, base, &path, &[(ACCEPT_ENCODING, accept)]).await;
        assert_eq!(got.header(CONTENT_ENCODING), encoding);
        let mut body = Vec::new();
        match encoding {
            "gzip" => {
                body.resize(plain.body.len(), 0);
                libdeflater::Decompressor::new().gzip_decompress(&got.body, &mut body).unwrap();
            }
            "br" => {
                brotli::Decompressor::new(&got.body[..], 4096).read_to_end(&mut body).unwrap();
            }
            _ => body = zstd::decode_all(&got.body[..]).unwrap(),
        }
        assert!(body == plain.body, "{accept}");
        tags.insert(got.header(ETAG).to_owned());
        // A known tag is answered without a body, and only in its own encoding.
        let again =
            get(client, base, &path, &[(ACCEPT_ENCODING, accept), (IF_NONE_MATCH, got.header(ETAG))]).await;
        assert_eq!((again.status, again.body.len()), (304, 0));
        assert_eq!(again.header(ETAG), got.header(ETAG));
        assert!(again.header(VARY).to_ascii_lowercase().contains("accept-encoding"));
        let other = get(client, base, &path, &[(IF_NONE_MATCH, got.header(ETAG))]).await;
        assert_eq!(other.status, 200);
    }
    assert_eq!(tags.len(), 4, "a strong tag names one sequence of bytes");

    let suffixed = get(client, base, &format!("{path}.mvt"), &[]).await;
    assert_eq!(suffixed.body, plain.body);
    let mlt = get(client, base, &format!("{path}.mlt"), &[]).await;
    assert_eq!((mlt.status, mlt.header(CONTENT_TYPE)), (200, "application/vnd.maplibre-tile"));
    assert_ne!(mlt.header(ETAG), plain.header(ETAG));

    let empty = get(client, base, &address("natural_village", 12, (110.0, 21.0)), &[]).await;
    assert_eq!((empty.status, empty.body.len()), (204, 0));
    for z in 0..=20 {
        let got = get(client, base, &address("natural_village,road_project", z, PLACE), &[]).await;
        // Counts stand at the seats of cities and counties, which these have not.
        assert_eq!(got.status, if z == 7 { 204 } else { 200 }, "z{z}");
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_problem() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    for (path, status, code) in [
        ("/tiles/road/21/0/0", 400, "bad_tile"),
        ("/tiles/road/3/8/0", 400, "bad_tile"),
        ("/tiles/road/3/-1/0", 400, "bad_tile"),
        ("/tiles/road/3/1/0.png", 400, "bad_tile"),
        ("/tiles/road/x/1/0", 400, "bad_tile"),
        ("/tiles/rails/3/1/0", 404, "unknown_layer"),
        ("/tiles/road,rails/3/1/0", 404, "unknown_layer"),
        ("/tiles/road,/3/1/0", 404, "unknown_layer"),
        ("/tiles/rails", 404, "unknown_layer"),
        ("/tiles/road/3/1/0?at=2020-13-01", 400, "bad_date"),
        ("/tiles/road/3/1/0?at=yesterday", 400, "bad_date"),
        ("/tiles/road/3/1/0?at=2020-11-01", 400, "bad_date"),
        ("/tiles/road/3/1/0?min_seq=many", 400, "bad_request"),
        ("/tiles/road/3/1/0?min_seq=999", 503, "not_caught_up"),
        ("/api/v1/areas/999999/figures", 404, "not_found"),
    ] {
        let got = of(&clerk, path).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{path}");
    }
    assert_eq!(of(&clerk, "/tiles/road/3/1/0?at=2016-02-29").await.status, 204);
}

#[tokio::test]
async fn tilejson_says_what_is_there() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let got = of(&clerk, "/tiles/road_project,natural_village,water_scheme").await;
    let body: Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!(body["tilejson"], "3.0.0");
    assert_eq!((&body["minzoom"], &body["maxzoom"]), (&json!(0), &json!(20)));
    let address = body["tiles"][0].as_str().unwrap();
    assert_eq!(
        address,
        format!("{}/tiles/natural_village,water_scheme,road_project/{{z}}/{{x}}/{{y}}", clerk.base)
    );
    let ids: Vec<&str> =
        body["vector_layers"].as_array().unwrap().iter().map(|l| l["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["natural_village", "water_scheme", "road_project"]);
    assert_eq!(body["vector_layers"][2]["fields"]["light"], "String");

    let anybody = world.server.another_client();
    let got = get(&anybody, &clerk.base, "/tiles/road_project", &[]).await;
    let body: Value = serde_json::from_slice(&got.body).unwrap();
    assert!(body["vector_layers"][0]["fields"].get("light").is_none());
    assert_eq!(get(&anybody, &clerk.base, "/tiles/water_scheme", &[]).await.code(), "unknown_layer");
    let list: Vec<Value> =
        serde_json::from_slice(&get(&anybody, &clerk.base, "/tiles", &[]).await.body).unwrap();
    assert!(list.iter().all(|l| l["name"] != "water_scheme"));
    let list: Vec<Value> = serde_json::from_slice(&of(&clerk, "/tiles").await.body).unwrap();
    assert_eq!(list.len(), 11);
}

/// Things that only staff may see, each with a word that can be looked for.
async fn hide(db: &mut PgConnection) {
    sqlx::query(
        "INSERT INTO projects (id, code, name, sector, area_id, geom, plan_year, planned_start_on, planned_finish_on,
           state, published)
         SELECT $1, 'CANARY-1', 'CANARY unpublished', 'road', id, ST_SetSRID(ST_MakePoint(115.7, 23.9), 4490), 2020,
           '2020-03-01', '2020-12-31', 'under_way', false FROM areas WHERE code = '441424'",
    )
    .bind(Uuid::now_v7())
    .execute(&mut *db)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO water_schemes (id, area_id, name, scheme_type, geom, valid_from)
         SELECT $1, id, 'CANARY waterworks', 'large', ST_SetSRID(ST_MakePoint(115.7, 23.9), 4490), '2016-01-01'
           FROM areas WHERE code = '441424'",
    )
    .bind(Uuid::now_v7())
    .execute(&mut *db)
    .await
    .unwrap();
    sqlx::query("SELECT append_change('bulk', NULL, NULL, '{}')").execute(db).await.unwrap();
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle.as_bytes())
}

#[tokio::test]
async fn the_public_sees_what_is_published_and_approved() {
    let world = World::start().await;
    hide(&mut world.db.owner().await).await;
    let clerk = world.sign_in("road.wuhua").await;
    // Reported and not reviewed: 100 %, and two natural villages with a road.
    clerk.report(world.road, 1, &road_report(TODAY, 2.4, 2.4)).await.is(201);
    let anybody = world.server.another_client();
    let all = format!("{PUBLIC_LAYERS},water_scheme");
    for z in 0..=16 {
        let public =
            get(&anybody, &clerk.base, &format!("{}?min_seq=2", address(PUBLIC_LAYERS, z, PLACE)), &[]).await;
        assert!(!holds(&public.body, "CANARY") && !holds(&public.body, "light"), "z{z}");
        assert_eq!(public.header(CACHE_CONTROL), "no-cache");
        let tile = public.tile();
        for village in tile.get("natural_village").into_iter().flatten() {
            assert!(village.number("reached").is_none_or(|r| r == 0.0), "z{z}: not approved, not shown");
        }
        for project in tile.get("road_project").into_iter().flatten() {
            assert!(project.number("percent").is_none_or(|p| p == 0.0), "z{z}: {project:?}");
        }
        let staff = of(&clerk, &address(&all, z, PLACE)).await;
        if z >= 11 {
            assert!(
                holds(&staff.body, "CANARY unpublished") && holds(&staff.body, "CANARY waterworks"),
                "z{z}"
            );
            let tile = staff.tile();
            assert!(tile["natural_village"].iter().all(|v| v.number("reached") == Some(1.0)));
            let done = tile["road_project"].iter().find(|p| p.text("code") == Some("P1")).unwrap();
            assert_eq!((done.number("percent"), done.text("status")), (Some(100.0), Some("completed")));
        }
        // The staff's cache entry is not the public's, in either order.
        let again = get(&anybody, &clerk.base, &address(PUBLIC_LAYERS, z, PLACE), &[]).await;
        assert_eq!(again.body, public.body, "z{z}");
    }
    let staff: Value =
        serde_json::from_slice(&of(&clerk, "/api/v1/areas/441424/figures").await.body).unwrap();
    assert_eq!(staff["projects"]["road"]["total"], 2);
    assert_eq!(staff["projects"]["road"]["completed"], 1);
    let public = get(&anybody, &clerk.base, "/api/v1/areas/441424/figures", &[]).await;
    let public: Value = serde_json::from_slice(&public.body).unwrap();
    assert_eq!(public["projects"]["road"]["total"], 1);
    assert_eq!(public["projects"]["road"]["completed"], 0);
    // Signed out, the same browser is the public again.
    let answer = clerk
        .client
        .post(format!("{}/api/v1/session/end", clerk.base))
        .header("X-CSRF-Token", &clerk.csrf)
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(of(&clerk, &address("water_scheme", 12, PLACE)).await.status, 404);
}

/// Reads a stream of events piece by piece.
struct Stream {
    answer: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(client: &reqwest::Client, base: &str, query: &str) -> Self {
        let answer = client.get(format!("{base}/api/v1/events{query}")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
        Self { answer, text: String::new() }
    }

    /// The next event: its name and its data.
    async fn next(&mut self) -> (String, Value) {
        tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                if let Some(end) = self.text.find("\n\n") {
                    let event: String = self.text.drain(..end + 2).collect();
                    let field = |name: &str| {
                        event.lines().find_map(|l| l.strip_prefix(name).map(|v| v.trim().to_owned()))
                    };
                    if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                        let data: Value = serde_json::from_str(&data).unwrap();
                        if name == "change" {
                            assert_eq!(field("id:"), Some(data["seq"].to_string()));
                        }
                        return (name, data);
                    }
                    continue;
                }
                let piece = self.answer.chunk().await.unwrap().expect("the stream goes on");
                self.text.push_str(std::str::from_utf8(&piece).unwrap());
            }
        })
        .await
        .expect("an event in time")
    }
}

#[tokio::test]
async fn an_update_is_told_and_shown() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let leader = world.sign_in("leader.gd").await;
    let anybody = world.server.another_client();
    let mut staff = Stream::open(&leader.client, &leader.base, "").await;
    let mut public = Stream::open(&anybody, &leader.base, "").await;
    let hello = (String::from("hello"), json!({"seq": 0, "business_date": TODAY}));
    assert_eq!(staff.next().await, hello);
    assert_eq!(public.next().await, hello);
    let path = address("natural_village,road_project", 12, PLACE);
    let before = of(&leader, &path).await;
    let far = of(&leader, &address("natural_village,road_project", 12, (110.0, 21.0))).await;

    clerk.report(world.road, 1, &road_report("2020-10-20", 2.4, 1.2)).await.is(201);
    let (name, change) = staff.next().await;
    assert_eq!(name, "change");
    assert_eq!((&change["seq"], &change["kind"]), (&json!(1), &json!("project")));
    assert_eq!(change["project_id"], json!(world.road));
    assert_eq!(change["natural_village_ids"].as_array().unwrap().len(), 2);
    assert_eq!(change["layers"][change["layers"].as_array().unwrap().len() - 1], "road_project");
    assert_eq!(change["areas"], json!(["441424101201", "441424101", "441424", "4414", "44"]));
    let (name, seen) = public.next().await;
    assert_eq!(name, "change");
    assert!(seen.get("project_id").is_none() && seen.get("natural_village_ids").is_none(), "{seen}");
    assert_eq!(seen["seq"], 1);

    let after = of(&leader, &format!("{path}?min_seq=1")).await;
    assert_ne!(after.header(ETAG), before.header(ETAG));
    assert_eq!(after.tile()["road_project"][0].number("percent"), Some(67.5));
    let old = get(&leader.client, &leader.base, &path, &[(IF_NONE_MATCH, before.header(ETAG))]).await;
    assert_eq!(old.status, 200);
    let far_now = of(&leader, &address("natural_village,road_project", 12, (110.0, 21.0))).await;
    assert_eq!(far_now.header(ETAG), far.header(ETAG), "nothing happened there");
    // On the day before, it is what it was.
    let then = of(&leader, &format!("{path}?at=2020-10-19")).await;
    assert_eq!(then.tile()["road_project"][0].text("status"), Some("not_started"));

    // Who was away hears what was missed; who knows too much or too little loads anew.
    clerk.report(world.road, 2, &road_report(TODAY, 2.4, 2.4)).await.is(201);
    assert_eq!(staff.next().await.1["seq"], 2);
    let mut back = Stream::open(&leader.client, &leader.base, "?after=1").await;
    assert_eq!(back.next().await.0, "hello");
    assert_eq!(back.next().await.1["seq"], 2);
    let mut foreign = Stream::open(&leader.client, &leader.base, "?after=77").await;
    assert_eq!(foreign.next().await.0, "hello");
    assert_eq!(foreign.next().await, ("reset".to_owned(), json!({"seq": 2})));

    let figures = of(&leader, "/api/v1/areas/441424101201/figures").await;
    let figures: Value = serde_json::from_slice(&figures.body).unwrap();
    assert_eq!(figures["seq"], 2);
    assert_eq!(figures["natural_villages"]["total"], 2);
    assert_eq!(figures["projects"]["road"]["completed"], 1);
    assert_eq!(figures["data_as_of"], TODAY);
}
