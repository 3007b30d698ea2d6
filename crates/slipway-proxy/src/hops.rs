//! By which hands a message came, and how many it may still pass through (RFC 9110 §7.6.2 and
//! §7.6.3). Pure.

use http::header::{HeaderName, HeaderValue, VIA};
use http::request::Parts;
use http::{HeaderMap, Method, Version};

use crate::headers;

const MAX_FORWARDS: HeaderName = HeaderName::from_static("max-forwards");

/// How far a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To whoever is to answer it.
    Target,
    /// No further than here.
    Here,
}

/// Looks how far a request may go, and counts this hop where it says a number. Only `TRACE` and
/// `OPTIONS` can say one; what is no number says nothing, and goes on as it came.
pub(crate) fn count(parts: &mut Parts) -> Reach {
    if !matches!(parts.method, Method::TRACE | Method::OPTIONS) {
        return Reach::Target;
    }
    let said = parts.headers.get(MAX_FORWARDS);
    let said = said.and_then(|value| value.to_str().ok()?.trim().parse::<u32>().ok());
    match said.map(|left| left.checked_sub(1)) {
        None => Reach::Target,
        Some(None) => Reach::Here,
        Some(Some(left)) => {
            parts.headers.insert(MAX_FORWARDS, HeaderValue::from(left));
            Reach::Target
        }
    }
}

/// Adds this hop to those that a request came by. A gateway must say it to the target; answers
/// go on without.
pub(crate) fn say(headers: &mut HeaderMap, received: Version) {
    let hop = match received {
        Version::HTTP_2 => HeaderValue::from_static("2 slipway"),
        Version::HTTP_10 => HeaderValue::from_static("1.0 slipway"),
        _ => HeaderValue::from_static("1.1 slipway"),
    };
    headers::append(headers, VIA, &hop);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, said: Option<&str>, expected: (Reach, Option<&str>)) {
        let mut request = http::Request::builder().method(method);
        if let Some(said) = said {
            request = request.header("max-forwards", said);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        let reach = count(&mut parts);
        let left = parts.headers.get("max-forwards");
        let left = left.map(|value| value.to_str().unwrap());
        assert_eq!((reach, left), expected, "{method} {said:?}");
    }

    #[test]
    fn what_may_pass_no_further_ends_here_and_every_hop_counts() {
        use Reach::{Here, Target};
        check("OPTIONS", Some("0"), (Here, Some("0")));
        check("TRACE", Some("0"), (Here, Some("0")));
        check("OPTIONS", Some("1"), (Target, Some("0")));
        check("TRACE", Some("10"), (Target, Some("9")));
        check("OPTIONS", None, (Target, None));
        check("OPTIONS", Some("many"), (Target, Some("many")));
        check("OPTIONS", Some("-1"), (Target, Some("-1")));
        check("GET", Some("0"), (Target, Some("0")));
    }

    #[test]
    fn every_hop_is_added_to_those_before() {
        let mut headers = HeaderMap::new();
        say(&mut headers, Version::HTTP_2);
        assert_eq!(headers["via"], "2 slipway");
        headers.append("via", HeaderValue::from_static("1.0 old"));
        say(&mut headers, Version::HTTP_11);
        assert_eq!(headers["via"], "2 slipway, 1.0 old, 1.1 slipway");
        assert_eq!(headers.get_all("via").iter().count(), 1);
    }
}
