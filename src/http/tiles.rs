//! `/tiles`: the layers, their TileJSON, and the tiles.

use std::sync::OnceLock;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tiles::{ColumnType, TileId};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use crate::error::{Code, Error, Result};
use crate::map::cache::{Format, Key, Scope};
use crate::map::encoding::Encoding;
use crate::map::schema::{Layer, SCHEMA_VERSION};
use crate::map::timeline::{Day, day_of};
use crate::map::{TileQuery, layer_bits};

/// How long a node that is behind lets a reader wait.
const PATIENCE: Duration = Duration::from_secs(1);
/// Deepest zoom that tiles are made for.
const MAX_ZOOM: u8 = tiles::MAX_ZOOM;

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_layers)).routes(routes!(tile_json)).routes(routes!(tile))
}

/// A layer of the map.
#[derive(Debug, Serialize, ToSchema)]
pub struct LayerView {
    /// Its name.
    name: &'static str,
    /// Whether people who have not signed in see it.
    public: bool,
    /// Where its TileJSON is.
    tilejson: String,
}

/// The layers that the asker may see.
#[utoipa::path(get, path = "/tiles", tag = "tiles", responses((status = 200, body = [LayerView])))]
async fn list_layers(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let scope = scope_of(&state, &headers).await;
    let seen = Layer::ALL.into_iter().filter(|l| scope == Scope::Staff || l.is_public());
    let list: Vec<LayerView> = seen
        .map(|l| LayerView {
            name: l.name(),
            public: l.is_public(),
            tilejson: format!("/tiles/{}", l.name()),
        })
        .collect();
    (page_headers(scope), Json(list)).into_response()
}

/// TileJSON 3.0 of one layer, or of several in one tile (names with commas).
#[utoipa::path(
    get, path = "/tiles/{layers}", tag = "tiles",
    params(("layers" = String, Path, description = "Names of layers, with commas")),
    responses((status = 200, description = "TileJSON 3.0"), (status = 404, description = "unknown_layer")),
)]
async fn tile_json(
    State(state): State<AppState>,
    Path(layers): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let scope = scope_of(&state, &headers).await;
    let list = parse_layers(&layers, scope)?;
    let published = state.map.published();
    let mut vector_layers = Vec::new();
    for layer in &list {
        let Some(schema) = published.snapshot.schema(layer.index()) else { continue };
        let shown =
            schema.columns.iter().filter(|c| scope == Scope::Staff || c.scope.meets(tiles::Scope::PUBLIC));
        let fields: Map<String, Value> = shown
            .map(|c| {
                let kind = match c.ty {
                    ColumnType::Str => "String",
                    ColumnType::Bool => "Boolean",
                    ColumnType::Int | ColumnType::UInt | ColumnType::Double => "Number",
                };
                (c.name.to_string(), kind.into())
            })
            .collect();
        vector_layers.push(json!({"id": layer.name(), "fields": fields, "minzoom": 0, "maxzoom": MAX_ZOOM}));
    }
    let names: Vec<&str> = list.iter().map(|l| l.name()).collect();
    let names = names.join(",");
    let bounds = state.map.bounds();
    let base = base_url(&state, &headers);
    let body = json!({
        "tilejson": "3.0.0",
        "name": names,
        "scheme": "xyz",
        "tiles": [format!("{base}/tiles/{names}/{{z}}/{{x}}/{{y}}")],
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "bounds": bounds,
        "center": [f64::midpoint(bounds[0], bounds[2]), f64::midpoint(bounds[1], bounds[3]), 6],
        "vector_layers": vector_layers,
    });
    Ok((page_headers(scope), Json(body)).into_response())
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TileParams {
    /// The day that the tile shall speak of, YYYY-MM-DD; the business date when left out.
    at: Option<String>,
    /// Not before this change: a node that is behind waits up to a second, then answers 503.
    min_seq: Option<String>,
}

/// A tile. The suffix `.mvt` may be left out; `.mlt` asks for the MapLibre format.
#[utoipa::path(
    get, path = "/tiles/{layers}/{z}/{x}/{y}", tag = "tiles",
    params(
        ("layers" = String, Path, description = "Names of layers, with commas"),
        ("z" = u8, Path), ("x" = u32, Path), ("y" = String, Path, description = "Row, with .mvt or .mlt at will"),
        TileParams,
    ),
    responses(
        (status = 200, description = "The tile", content_type = "application/vnd.mapbox-vector-tile"),
        (status = 204, description = "Nothing is there"),
        (status = 304, description = "Not changed since"),
        (status = 400, description = "bad_tile, bad_date"),
        (status = 404, description = "unknown_layer"),
        (status = 503, description = "not_caught_up"),
    ),
)]
async fn tile(
    State(state): State<AppState>,
    Path((layers, z, x, y)): Path<(String, String, String, String)>,
    Query(params): Query<TileParams>,
    headers: HeaderMap,
) -> Result<Response> {
    let scope = scope_of(&state, &headers).await;
    let layers = layer_bits(parse_layers(&layers, scope)?);
    let (tile, format) = parse_tile(&z, &x, &y)?;
    let day = parse_day(&state, params.at.as_deref())?;
    if let Some(text) = params.min_seq.as_deref() {
        let seq = text.parse().map_err(|_| {
            Error::problem(
                Code::BadRequest,
                format!("参数 min_seq 应为整数，收到“{text}”。"),
                format!("Parameter min_seq must be a whole number, not '{text}'."),
            )
        })?;
        state.map.wait_for(seq, PATIENCE).await?;
    }
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok());
    // A client that refuses even plain bytes gets them: better than nothing, says RFC 9110.
    let encoding = Encoding::accepted(accepted).unwrap_or(Encoding::Identity);
    let query = TileQuery { layers, tile, day, scope, format, encoding };

    if let Some(known) = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()) {
        let tag = etag(&state.map.key(&query));
        if names_tag(known, &tag) {
            state.metrics.tile("not_modified");
            return Ok(answer(StatusCode::NOT_MODIFIED, &tag, scope, format, None, Body::empty()));
        }
    }
    let (key, bytes) = state.map.tile(query).await?;
    let tag = etag(&key);
    if bytes.is_empty() {
        return Ok(answer(StatusCode::NO_CONTENT, &tag, scope, format, None, Body::empty()));
    }
    Ok(answer(StatusCode::OK, &tag, scope, format, Some(encoding), Body::from(bytes)))
}

/// `encoding` is given for answers that carry a tile.
fn answer(
    status: StatusCode,
    tag: &str,
    scope: Scope,
    format: Format,
    encoding: Option<Encoding>,
    body: Body,
) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding, Cookie"));
    headers.insert(header::CACHE_CONTROL, cache_control(scope));
    if let Some(encoding) = encoding {
        let kind = match format {
            Format::Mvt => "application/vnd.mapbox-vector-tile",
            Format::Mlt => "application/vnd.maplibre-tile",
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(word) = encoding.header() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(word));
        }
    }
    response
}

fn cache_control(scope: Scope) -> HeaderValue {
    HeaderValue::from_static(match scope {
        Scope::Public => "no-cache",
        Scope::Staff => "private, no-cache",
    })
}

fn page_headers(scope: Scope) -> [(header::HeaderName, HeaderValue); 2] {
    [(header::VARY, HeaderValue::from_static("Cookie")), (header::CACHE_CONTROL, cache_control(scope))]
}

/// Who asks: the session is looked at for every tile, at most a second old.
pub(super) async fn scope_of(state: &AppState, headers: &HeaderMap) -> Scope {
    match super::auth::staff_session(state, headers).await {
        Some(_) => Scope::Staff,
        None => Scope::Public,
    }
}

/// The name of exactly these bytes, for good: last change of the tile in its layers, shape of the
/// layers, program, day, reader, format and encoding.
fn etag(key: &Key) -> String {
    let scope = match key.scope {
        Scope::Public => 'p',
        Scope::Staff => 's',
    };
    let format = match key.format {
        Format::Mvt => 'v',
        Format::Mlt => 'l',
    };
    let (seq, epoch, day, encoding) = (key.version, key.epoch, key.day, key.encoding.letter());
    format!("\"{seq:x}.{epoch:x}-{SCHEMA_VERSION}-{}-{day}-{scope}{format}{encoding}\"", build_id())
}

/// Tells one build of the program from another: eight digits of its own hash.
fn build_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| match std::env::current_exe().and_then(std::fs::read) {
        Ok(bytes) => hex::encode(&Sha256::digest(&bytes)[..4]),
        Err(_) => env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Works the name of this build out ahead of the first tile. Reads the program's file: off the
/// threads that answer requests, please.
pub fn warm() {
    build_id();
}

/// Whether an If-None-Match header names this tag.
fn names_tag(header: &str, tag: &str) -> bool {
    header.split(',').map(str::trim).any(|t| t == "*" || t.strip_prefix("W/").unwrap_or(t) == tag)
}

fn parse_layers(text: &str, scope: Scope) -> Result<Vec<Layer>> {
    let mut list = Vec::new();
    for name in text.split(',') {
        let layer =
            Layer::parse(name).filter(|l| scope == Scope::Staff || l.is_public()).ok_or_else(|| {
                Error::problem(
                    Code::UnknownLayer,
                    format!("没有名为“{name}”的图层，或需要登录后查看。图层清单见 /tiles。"),
                    format!("There is no layer '{name}', or it needs signing in. /tiles lists the layers."),
                )
            })?;
        if !list.contains(&layer) {
            list.push(layer);
        }
    }
    list.sort_unstable();
    Ok(list)
}

/// Digits alone: no sign, no space, no leading zero that would give one tile two addresses.
fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn parse_tile(z: &str, x: &str, y: &str) -> Result<(TileId, Format)> {
    let (row, format) = match y.rsplit_once('.') {
        None => (y, Some(Format::Mvt)),
        Some((row, "mvt")) => (row, Some(Format::Mvt)),
        Some((row, "mlt")) => (row, Some(Format::Mlt)),
        Some((row, _)) => (row, None),
    };
    let tile = || {
        let zoom = number(z).and_then(|z| u8::try_from(z).ok()).filter(|z| *z <= MAX_ZOOM)?;
        TileId::new(zoom, number(x)?, number(row)?)
    };
    match (tile(), format) {
        (Some(tile), Some(format)) => Ok((tile, format)),
        _ => Err(Error::problem(
            Code::BadTile,
            format!(
                "没有瓦片 {z}/{x}/{y}：级别为 0 至 {MAX_ZOOM}，行列号小于 2 的级别次方，后缀为 .mvt 或 .mlt。"
            ),
            format!(
                "There is no tile {z}/{x}/{y}: zoom goes from 0 to {MAX_ZOOM}, column and row stay below two to \
                 that power, and the suffix is .mvt or .mlt."
            ),
        )),
    }
}

/// The day asked for. A day to come is refused: nothing is known of it.
pub(super) fn parse_day(state: &AppState, text: Option<&str>) -> Result<Day> {
    let today = state.clock.business_date();
    let Some(text) = text.filter(|t| !t.is_empty()) else { return Ok(day_of(today)) };
    let date: Option<chrono::NaiveDate> = if text.len() == 10 { text.parse().ok() } else { None };
    match date {
        Some(date) if date <= today => Ok(day_of(date)),
        Some(date) => Err(Error::problem(
            Code::BadDate,
            format!("{date} 尚未到来：业务日期为 {today}。"),
            format!("{date} lies in the future: the business date is {today}."),
        )),
        None => Err(Error::problem(
            Code::BadDate,
            format!("参数 at 应为日期，如 2020-10-31；收到“{text}”。"),
            format!("Parameter at must be a date such as 2020-10-31, not '{text}'."),
        )),
    }
}

/// Address of this server as the asker typed it.
fn base_url(state: &AppState, headers: &HeaderMap) -> String {
    if let Some(url) = &state.config.public_url {
        return url.clone();
    }
    let scheme = if state.config.tls.is_some() { "https" } else { "http" };
    match headers.get(header::HOST).and_then(|h| h.to_str().ok()) {
        Some(host) => format!("{scheme}://{host}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_that_cannot_be_are_refused() {
        let ok = |z, x, y| parse_tile(z, x, y).ok().map(|(t, f)| (t.z(), t.x(), t.y(), f));
        assert_eq!(ok("0", "0", "0"), Some((0, 0, 0, Format::Mvt)));
        assert_eq!(ok("20", "1048575", "0.mlt"), Some((20, 1_048_575, 0, Format::Mlt)));
        assert_eq!(ok("6", "52", "27.mvt"), Some((6, 52, 27, Format::Mvt)));
        for (z, x, y) in [
            ("21", "0", "0"),
            ("0", "1", "0"),
            ("1", "0", "2"),
            ("-1", "0", "0"),
            ("6", "+5", "5"),
            ("6", "05", "5"),
            ("6", "5", "5.png"),
            ("6", "5", ""),
            ("6", "5.5", "5"),
            ("6", "99999999999", "5"),
            ("六", "5", "5"),
        ] {
            assert!(ok(z, x, y).is_none(), "{z}/{x}/{y}");
        }
    }

    #[test]
    fn the_public_does_not_learn_of_waterworks() {
        assert!(parse_layers("area,water_scheme", Scope::Public).is_err());
        assert_eq!(parse_layers("road,area,road", Scope::Public).unwrap(), [Layer::Area, Layer::Road]);
        assert!(parse_layers("area,water_scheme", Scope::Staff).is_ok());
        assert!(parse_layers("", Scope::Staff).is_err());
    }

    #[test]
    fn tags_are_compared_as_written_or_weakly() {
        assert!(names_tag("\"a\", W/\"b\"", "\"b\""));
        assert!(names_tag("*", "\"b\""));
        assert!(!names_tag("\"bb\"", "\"b\""));
    }
}
