//! The few static files, built into the binary, at addresses that hold their hash and
//! may be kept for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

use crate::console::fault::Fault;

struct Asset {
    name: String,
    media_type: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, media_type: &'static str, content: &'static str) -> Self {
        let hash = blake3::hash(content.as_bytes()).to_hex();
        let hash: String = hash.chars().take(16).collect();
        Self {
            name: format!("{stem}.{hash}.{extension}"),
            media_type,
            content,
        }
    }

    fn address(&self) -> String {
        format!("/assets/{}", self.name)
    }

    fn answer(&self, caching: &'static str) -> Response {
        let headers = [(CONTENT_TYPE, self.media_type), (CACHE_CONTROL, caching)];
        (headers, self.content).into_response()
    }
}

static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console",
        "css",
        "text/css; charset=utf-8",
        include_str!("../../static/console.css"),
    )
});

static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("../../static/console.js"),
    )
});

static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "icon",
        "svg",
        "image/svg+xml",
        include_str!("../../static/icon.svg"),
    )
});

pub(crate) fn stylesheet() -> String {
    STYLESHEET.address()
}

/// The stylesheet itself, for a page that is one file.
pub(crate) fn stylesheet_text() -> &'static str {
    STYLESHEET.content
}

pub(crate) fn script() -> String {
    SCRIPT.address()
}

pub(crate) fn icon() -> String {
    ICON.address()
}

/// Answers `/assets/{file}`.
pub(crate) async fn get(Path(name): Path<String>) -> Result<Response, Fault> {
    [&STYLESHEET, &SCRIPT, &ICON]
        .into_iter()
        .find(|asset| asset.name == name)
        .map(|asset| asset.answer("public, max-age=31536000, immutable"))
        .ok_or(Fault::NotFound)
}

/// Browsers ask for this address without being told to.
pub(crate) async fn favicon() -> Response {
    ICON.answer("public, max-age=86400")
}
