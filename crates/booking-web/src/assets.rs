//! The few static files, built into the binary, at addresses that hold their hash.
//! A known hash may be kept for ever. An address with another hash belongs to
//! another release that runs beside this one: it gets our file, to be kept by nobody.

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::address::Path;
use crate::error::Fault;

struct Asset {
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    content: &'static str,
    file_name: String,
}

impl Asset {
    fn new(
        stem: &'static str,
        extension: &'static str,
        media_type: &'static str,
        content: &'static str,
    ) -> Self {
        let mut hash = blake3::hash(content.as_bytes()).to_hex().to_string();
        hash.truncate(16);
        Self {
            stem,
            extension,
            media_type,
            content,
            file_name: format!("{stem}.{hash}.{extension}"),
        }
    }

    /// Whether `name` is this file at any release.
    fn is_named(&self, name: &str) -> bool {
        name.strip_prefix(self.stem)
            .and_then(|rest| rest.strip_suffix(self.extension))
            .is_some_and(|middle| middle.starts_with('.') && middle.ends_with('.'))
    }

    fn address(&self) -> String {
        format!("/assets/{}", self.file_name)
    }
}

static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "booking",
        "css",
        "text/css; charset=utf-8",
        include_str!("../static/booking.css"),
    )
});

static DESK: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "desk",
        "css",
        "text/css; charset=utf-8",
        include_str!("../static/desk.css"),
    )
});

static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "icon",
        "svg",
        "image/svg+xml",
        include_str!("../static/icon.svg"),
    )
});

/// Counts down what is held. Everything works without it.
static COUNTDOWN: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "countdown",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("../static/countdown.js"),
    )
});

/// Makes and uses passkeys, which browsers give to scripts only.
static PASSKEY: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "passkey",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("../static/passkey.js"),
    )
});

/// Shows a password that is typed, and how hard a new one is to guess.
static PASSWORD: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "password",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("../static/password.js"),
    )
});

pub(crate) fn password() -> String {
    PASSWORD.address()
}

pub(crate) fn passkey() -> String {
    PASSKEY.address()
}

pub(crate) fn countdown() -> String {
    COUNTDOWN.address()
}

pub(crate) fn stylesheet() -> String {
    STYLESHEET.address()
}

/// Beside the other one, for the pages of the desk.
pub(crate) fn desk_stylesheet() -> String {
    DESK.address()
}

pub(crate) fn icon() -> String {
    ICON.address()
}

/// Answers `/assets/{file}`.
pub(crate) async fn get(Path(name): Path<String>) -> Result<Response, Fault> {
    let all = [&STYLESHEET, &DESK, &ICON, &COUNTDOWN, &PASSKEY, &PASSWORD];
    let asset = all
        .into_iter()
        .find(|asset| asset.is_named(&name))
        .ok_or(Fault::NotFound)?;
    let caching = if name == asset.file_name {
        "public, max-age=31536000, immutable"
    } else {
        "no-store"
    };
    let headers = [(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, caching)];
    Ok((headers, asset.content).into_response())
}

/// Browsers ask for this address without being told to.
pub(crate) async fn favicon() -> Response {
    let headers = [
        (CONTENT_TYPE, ICON.media_type),
        (CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, ICON.content).into_response()
}

/// Answers `/robots.txt`: search engines may read what is public, and nobody's booking.
pub(crate) async fn robots() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=86400"),
    ];
    let rules = "User-agent: *\nDisallow: /b/\nDisallow: /api/\nDisallow: /desk\n";
    (headers, rules).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_known_hash_is_kept_for_ever_and_another_one_by_nobody() {
        let ours = STYLESHEET.file_name.clone();
        let caching = |response: &Response| response.headers()[CACHE_CONTROL].clone();
        let known = get(Path(ours)).await.unwrap();
        assert_eq!(caching(&known), "public, max-age=31536000, immutable");
        let other = get(Path("booking.0000.css".to_owned())).await.unwrap();
        assert_eq!(caching(&other), "no-store");
        for unknown in ["booking.css.map", "secret.css", "bookingcss", "booking"] {
            assert!(get(Path(unknown.to_owned())).await.is_err(), "{unknown}");
        }
    }
}
