//! Entity tags: an answer that whoever asks has already is not sent again (RFC 9110).

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};

/// May be kept, and is asked about each time.
const CACHING: &str = "private, no-cache";

/// Whether the answer of that tag is one that the asker has.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).into_iter();
    let known = known.filter_map(|value| value.to_str().ok());
    known.flat_map(|value| value.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

/// Says that nothing has changed.
pub(crate) fn unchanged(tag: String) -> Response {
    (StatusCode::NOT_MODIFIED, head(tag)).into_response()
}

/// An answer with its tag.
pub(crate) fn tagged(tag: String, answer: impl IntoResponse) -> Response {
    (head(tag), answer).into_response()
}

fn head(tag: String) -> [(http::HeaderName, String); 2] {
    [(ETAG, tag), (CACHE_CONTROL, CACHING.to_owned())]
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_tag_is_found_in_lists_and_behind_the_mark_of_weakness() {
        let known = |sent: &'static str| {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(sent))]);
            is_known(&headers, "\"abc\"")
        };
        for sent in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(known(sent), "{sent}");
        }
        for sent in ["\"ab\"", "abc", "\"x\", W/\"y\""] {
            assert!(!known(sent), "{sent}");
        }
        assert!(!is_known(&HeaderMap::new(), "\"abc\""));
    }
}
