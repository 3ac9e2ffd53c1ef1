//! The page: files of web/dist inside the binary, compressed once, with the right cache headers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, OnceLock};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Dist;

/// What a build without the page shows.
const NO_PAGE: &str = "<!doctype html><html lang=\"zh\"><meta charset=\"utf-8\"><title>村通</title>\
    <h1>村通 Cuntong</h1><p>此程序未包含网页。请先执行 <code>make web-build</code>，再重新编译。</p>\
    <p>This build has no page: run <code>make web-build</code> and build again. \
    The interface is at <a href=\"/api/docs\">/api/docs</a>.</p></html>";

struct Asset {
    plain: Bytes,
    br: OnceLock<Option<Bytes>>,
    gzip: OnceLock<Option<Bytes>>,
    content_type: HeaderValue,
    /// Without quotes; each encoding adds its own suffix, for the bytes differ.
    tag: String,
    /// The name changes with the content, so a copy is good for ever.
    hashed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Encoding {
    Plain,
    Gzip,
    Brotli,
}

static ASSETS: LazyLock<HashMap<Cow<'static, str>, Asset>> = LazyLock::new(|| {
    Dist::iter()
        .filter_map(|path| {
            let file = Dist::get(&path)?;
            let plain = match file.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            };
            let mut content_type = file.metadata.mimetype().to_owned();
            if content_type.starts_with("text/") || content_type.ends_with("javascript") {
                content_type.push_str("; charset=utf-8");
            }
            if path.ends_with(".webmanifest") {
                "application/manifest+json".clone_into(&mut content_type);
            }
            let asset = Asset {
                plain,
                br: OnceLock::new(),
                gzip: OnceLock::new(),
                content_type: HeaderValue::from_str(&content_type).ok()?,
                tag: hex::encode(&file.metadata.sha256_hash()[..12]),
                hashed: path.starts_with("assets/"),
            };
            Some((path, asset))
        })
        .collect()
});

impl Asset {
    /// Compressed at the first request, or before by [`warm`]; `None` when it would not get smaller.
    fn encoded(&self, encoding: Encoding) -> Option<Bytes> {
        let worth = |packed: Vec<u8>| (packed.len() + 64 < self.plain.len()).then(|| Bytes::from(packed));
        match encoding {
            Encoding::Plain => Some(self.plain.clone()),
            Encoding::Gzip => self.gzip.get_or_init(|| worth(gzip(&self.plain))).clone(),
            Encoding::Brotli => self.br.get_or_init(|| worth(brotli(&self.plain))).clone(),
        }
    }

    fn is_text(&self) -> bool {
        let kind = self.content_type.to_str().unwrap_or_default();
        kind.starts_with("text/")
            || ["javascript", "json", "xml", "wasm"].iter().any(|word| kind.contains(word))
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::best());
    let mut packed = vec![0; compressor.gzip_compress_bound(plain.len())];
    match compressor.gzip_compress(plain, &mut packed) {
        Ok(size) => packed.truncate(size),
        Err(_) => return plain.to_vec(),
    }
    packed
}

fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(plain.len() / 3);
    let mut writer = brotli::CompressorWriter::new(&mut packed, 64 * 1024, 9, 22);
    if writer.write_all(plain).and_then(|()| writer.flush()).is_err() {
        return plain.to_vec();
    }
    drop(writer);
    packed
}

/// Compresses everything now, on one thread, so that the first visitor does not wait for it.
pub fn warm() {
    for asset in ASSETS.values().filter(|asset| asset.is_text()) {
        asset.encoded(Encoding::Brotli);
        asset.encoded(Encoding::Gzip);
    }
}

/// Whether the page is in this binary.
pub fn is_built() -> bool {
    ASSETS.contains_key("index.html")
}

/// A file of the page, or its first page for any other address, which the page's own router reads.
pub async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if path == "/api" || path.starts_with("/api/") || path == "/tiles" || path.starts_with("/tiles/") {
        return Error::not_found("这个地址", "address").into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let name = path.trim_start_matches('/');
    let (asset, is_file) = match ASSETS.get(name) {
        Some(asset) => (asset, true),
        // A missing script must be a 404: a page of HTML in its place is a riddle to the browser.
        None if name.starts_with("assets/") => {
            return Error::not_found("这个文件", "file").into_response();
        }
        None => match ASSETS.get("index.html") {
            Some(index) => (index, false),
            None => {
                return (
                    [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")],
                    NO_PAGE,
                )
                    .into_response();
            }
        },
    };
    answer(asset, is_file, &method, &headers)
}

fn answer(asset: &Asset, is_file: bool, method: &Method, headers: &HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let wanted = if asset.is_text() { choose(accepted) } else { Encoding::Plain };
    let (encoding, body) = match asset.encoded(wanted) {
        Some(body) => (wanted, body),
        None => (Encoding::Plain, asset.plain.clone()),
    };
    let tag = match encoding {
        Encoding::Plain => format!("\"{}\"", asset.tag),
        Encoding::Gzip => format!("\"{}-gz\"", asset.tag),
        Encoding::Brotli => format!("\"{}-br\"", asset.tag),
    };
    let cache = if asset.hashed && is_file { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|list| list.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    let mut response = Response::builder()
        .status(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK })
        .header(header::ETAG, tag)
        .header(header::CACHE_CONTROL, cache)
        .header(header::VARY, "Accept-Encoding");
    if !known {
        response = response
            .header(header::CONTENT_TYPE, asset.content_type.clone())
            .header(header::CONTENT_LENGTH, body.len());
        match encoding {
            Encoding::Plain => {}
            Encoding::Gzip => response = response.header(header::CONTENT_ENCODING, "gzip"),
            Encoding::Brotli => response = response.header(header::CONTENT_ENCODING, "br"),
        }
    }
    let body = if known || *method == Method::HEAD { Body::empty() } else { Body::from(body) };
    response.body(body).unwrap_or_default()
}

/// The smallest encoding that the client takes (`q=0` means it does not).
fn choose(accept_encoding: &str) -> Encoding {
    let takes = |name: &str| {
        accept_encoding.split(',').any(|part| {
            let mut words = part.split(';').map(str::trim);
            words.next().is_some_and(|word| word.eq_ignore_ascii_case(name))
                && !words.any(|word| matches!(word, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    if takes("br") {
        Encoding::Brotli
    } else if takes("gzip") {
        Encoding::Gzip
    } else {
        Encoding::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_decides_the_encoding() {
        assert_eq!(choose("gzip, deflate, br"), Encoding::Brotli);
        assert_eq!(choose("gzip;q=1.0, br;q=0"), Encoding::Gzip);
        assert_eq!(choose("identity"), Encoding::Plain);
        assert_eq!(choose(""), Encoding::Plain);
    }
}
