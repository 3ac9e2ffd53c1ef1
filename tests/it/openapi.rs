//! The description of the API, its page, and the registry of error codes.

use std::fmt::Write as _;

use cuntong::error::Code;

use crate::harness::{Db, Server};

/// A change of the API shows up as a change of this snapshot: `INSTA_UPDATE=always` accepts it.
#[test]
fn the_api_is_as_described() {
    insta::assert_json_snapshot!("openapi", cuntong::http::openapi());
}

#[tokio::test]
async fn the_page_reads_the_description_and_has_no_inline_script() {
    let db = Db::fresh().await;
    let server = Server::start(&db).await;
    let api = server.json("/api/openapi.json").await;
    for path in [
        "/api/v1/programme",
        "/api/v1/areas/{code}",
        "/api/v1/areas/{code}/natural-villages",
        "/api/v1/natural-villages/{id}",
        "/api/v1/search",
        "/api/v1/projects",
        "/api/v1/projects/{id}",
        "/api/v1/projects/{id}/history",
    ] {
        assert!(api["paths"][path]["get"]["responses"]["200"].is_object(), "{path}");
    }
    let page = server.get("/api/docs").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let html = page.text().await.unwrap();
    assert!(html.contains("src=\"/api/docs.js\"") && !html.contains("<script>") && !html.contains("style="));
    assert!(!html.contains("http://") && !html.contains("https://"), "nothing from elsewhere");
    for file in ["/api/docs.js", "/api/docs.css"] {
        assert_eq!(server.get(file).await.status(), 200, "{file}");
    }
    assert_eq!(server.json("/api/errors.json").await.as_array().unwrap().len(), Code::ALL.len());
}

/// docs/error-codes.md is written from the registry; `UPDATE_DOCS=1` writes it anew.
#[test]
fn every_error_code_is_documented() {
    let mut page = String::from(
        "# Error codes\n\nEvery error is answered as `application/problem+json` (RFC 9457) with one of these stable codes; \
         `title` and\n`detail` are Chinese, `detail_en` English, `errors` names fields at fault. This page is written from the \
         registry in\n`src/error.rs` by a test (`UPDATE_DOCS=1 cargo test --test it error_code`).\n\n\
         | code | status | title |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let _ = writeln!(page, "| `{}` | {} | {} |", code.as_str(), code.status().as_u16(), code.title());
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/error-codes.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page, "docs/error-codes.md is out of date");
}
