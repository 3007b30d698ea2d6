//! Pages that keep their release: a page that was loaded before a switch gets its scripts and its
//! API from where it came, for a set time, so that old code never meets new answers. Says where
//! a request of such a page goes, and marks pages; keeps nothing itself.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::response;

use crate::snapshot::ReadyRoute;
use crate::split;
use crate::table::{Route, Skew};

const COOKIE_NAME: &str = "slipway-page";
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
/// Enough of a hash to tell the releases of one service apart.
const TAG_CHARS: usize = 16;

/// A route's pages, made ready.
#[derive(Debug)]
pub(crate) struct ReadySkew {
    for_s: u32,
    /// Of each pool, by its place.
    tags: Vec<String>,
    kept: Vec<usize>,
}

impl ReadySkew {
    pub(crate) fn of(service: &str, route: &Route, skew: &Skew) -> Self {
        let tags = route.pools.values().map(|pool| tag(service, &pool.release));
        let places = route.pools.keys().enumerate();
        let kept = places.filter(|(_, name)| skew.pools.contains(name));
        Self {
            for_s: skew.for_s,
            tags: tags.collect(),
            kept: kept.map(|(place, _)| place).collect(),
        }
    }
}

/// The pool that a page was loaded from, where it is still kept for it. Loading a page is a
/// visit of its own and goes where everybody goes.
pub(crate) fn pool(route: &ReadyRoute, parts: &Parts) -> Option<usize> {
    let skew = route.skew.as_ref()?;
    if skew.kept.is_empty() || is_navigation(&parts.headers) {
        return None;
    }
    let cookies = parts.headers.get_all(header::COOKIE).iter();
    let mut pages = cookies.filter_map(|value| split::cookie(value, COOKIE_NAME));
    let page = pages.next()?;
    let mut kept = skew.kept.iter().copied();
    kept.find(|place| skew.tags.get(*place).is_some_and(|tag| tag == page))
}

/// Whether somebody loads a page: browsers say so, and others want HTML (Fetch Metadata, W3C).
pub(crate) fn is_navigation(headers: &HeaderMap) -> bool {
    match headers.get(SEC_FETCH_MODE) {
        Some(mode) => mode == "navigate",
        None => headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html")),
    }
}

/// Marks a page that was loaded from a pool.
pub(crate) fn mark(skew: &ReadySkew, pool: usize, answer: &mut response::Parts) {
    let is_page = answer.status.is_success()
        && answer
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let Some(tag) = skew.tags.get(pool).filter(|_| is_page) else {
        return;
    };
    let for_s = skew.for_s;
    let text = format!("{COOKIE_NAME}={tag}; Path=/; Max-Age={for_s}; HttpOnly; SameSite=Lax");
    if let Ok(value) = HeaderValue::try_from(text) {
        answer.headers.append(header::SET_COOKIE, value);
    }
}

fn tag(service: &str, release: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [service.as_bytes(), b"\0", release.as_bytes()] {
        hasher.update(part);
    }
    hasher.finalize().to_hex().chars().take(TAG_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_says_whether_it_loads_a_page() {
        for (name, value, expected) in [
            ("sec-fetch-mode", "navigate", true),
            ("sec-fetch-mode", "cors", false),
            ("accept", "text/html,application/xhtml+xml", true),
            ("accept", "*/*", false),
            ("x-other", "text/html", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(is_navigation(&headers), expected, "{name}: {value}");
        }
    }

    #[test]
    fn tags_tell_releases_and_services_apart() {
        assert_eq!(tag("web", "r1"), tag("web", "r1"));
        assert_ne!(tag("web", "r1"), tag("web", "r2"));
        assert_ne!(tag("web", "r1"), tag("we", "br1"));
    }
}
