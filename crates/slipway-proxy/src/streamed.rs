//! The head of a request of HTTP/2, made what it would be in HTTP/1.1, or refused: an origin
//! that reads HTTP/1.1 must see one host, one length and one line of cookies. What the library
//! below refuses already (connection headers, odd pseudo headers) is not looked at again.

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Uri};

use crate::head::{self, Malformed};

/// Makes a head what HTTP/1.1 would say: `Host` from the authority, cookies in one line.
pub(crate) fn settle(parts: &mut Parts) -> Result<(), Malformed> {
    // However it is written: the next reader may not tell cases apart.
    if parts.method.as_str().eq_ignore_ascii_case("CONNECT") {
        return Err(Malformed::Connect);
    }
    check_target(&parts.uri, &parts.method)?;
    check_length(&parts.headers)?;
    let host = host(&parts.uri, &parts.headers)?;
    parts.headers.insert(header::HOST, host);
    join_cookies(&mut parts.headers);
    Ok(())
}

fn check_target(uri: &Uri, method: &Method) -> Result<(), Malformed> {
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let is_path = target.starts_with('/');
    let is_whole_server = target == "*" && *method == Method::OPTIONS;
    let is_legal = target.bytes().all(|b| b.is_ascii_graphic() || b >= 0x80);
    if (is_path || is_whole_server) && is_legal {
        Ok(())
    } else {
        Err(Malformed::RequestLine)
    }
}

/// Told twice is refused even when both agree: whoever reads it next may think otherwise.
fn check_length(headers: &HeaderMap) -> Result<(), Malformed> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let first = lengths.next().map(|value| head::length(value.as_bytes()));
    if lengths.next().is_some() {
        return Err(Malformed::Length);
    }
    first.transpose().map(drop)
}

/// RFC 9113 §8.3.1: the authority says it; a `Host` beside it must say the same.
fn host(uri: &Uri, headers: &HeaderMap) -> Result<HeaderValue, Malformed> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let said = hosts.next();
    if hosts.next().is_some() {
        return Err(Malformed::Host);
    }
    let host = match (uri.authority(), said) {
        (Some(authority), said) => {
            let name = authority.as_str();
            let differs =
                |said: &HeaderValue| !said.as_bytes().eq_ignore_ascii_case(name.as_bytes());
            if said.is_some_and(differs) {
                return Err(Malformed::Host);
            }
            HeaderValue::from_str(name).map_err(|_| Malformed::Host)?
        }
        (None, Some(said)) => said.clone(),
        (None, None) => return Err(Malformed::Host),
    };
    let bytes = host.as_bytes();
    if bytes.is_empty() || !bytes.iter().all(|b| head::is_host(*b)) {
        return Err(Malformed::Host);
    }
    Ok(host)
}

/// RFC 9113 §8.2.3: cookies may come one by one and go on in one line.
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if crumbs.len() < 2 {
        return;
    }
    if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use proptest::prelude::*;

    fn settled(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Parts, Malformed> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        settle(&mut parts).map(|()| parts)
    }

    #[test]
    fn a_head_says_what_it_would_say_in_http_1() {
        let crumbs = [("cookie", "a=1"), ("cookie", "b=2"), ("host", "A.test")];
        let parts = settled("GET", "https://a.test/x?y", &crumbs).unwrap();
        assert_eq!(parts.headers["host"], "a.test");
        assert_eq!(parts.headers["cookie"], "a=1; b=2");
        assert_eq!(parts.headers.get_all("cookie").iter().count(), 1);
        let parts = settled("OPTIONS", "*", &[("host", "a.test:8443")]).unwrap();
        assert_eq!(parts.headers["host"], "a.test:8443");
    }

    #[test]
    fn what_an_origin_could_read_in_two_ways_is_refused() {
        use Malformed::{Connect, Host, Length, RequestLine};
        for (method, uri, headers, expected) in [
            ("CONNECT", "a.test:443", vec![], Connect),
            ("connect", "https://a.test/", vec![], Connect),
            ("GET", "/", vec![], Host),
            ("GET", "/", vec![("host", "a"), ("host", "a")], Host),
            ("GET", "https://a/", vec![("host", "b")], Host),
            ("GET", "https://user@a/", vec![], Host),
            ("GET", "/", vec![("host", "a b")], Host),
            ("GET", "/", vec![("host", "")], Host),
            ("GET", "*", vec![("host", "a")], RequestLine),
            (
                "POST",
                "https://a/",
                vec![("content-length", "1"), ("content-length", "1")],
                Length,
            ),
            ("POST", "https://a/", vec![("content-length", "+1")], Length),
            (
                "POST",
                "https://a/",
                vec![("content-length", "1, 1")],
                Length,
            ),
        ] {
            let found = settled(method, uri, &headers).map(drop);
            assert_eq!(found, Err(expected), "{method} {uri} {headers:?}");
        }
    }

    proptest! {
        /// Whatever the library below lets through: what is settled, the strict reader of
        /// HTTP/1.1 takes as well.
        #[test]
        fn what_is_settled_is_a_good_head_of_http_1(
            target in "/[!-~\u{e4}]{0,20}",
            authority in "[a-z0-9.:@%_-]{1,12}",
            host in proptest::option::of("[ -~]{0,8}"),
            length in proptest::option::of("[0-9+ ,]{0,20}"),
            cookies in prop::collection::vec("[ -~]{0,10}", 0..3),
        ) {
            let mut request = Request::builder().method("POST").uri(format!("https://{authority}{target}"));
            let named = host.map(|host| ("host", host)).into_iter()
                .chain(length.map(|length| ("content-length", length)))
                .chain(cookies.into_iter().map(|cookie| ("cookie", cookie)));
            for (name, value) in named {
                request = request.header(name, value);
            }
            let Ok(request) = request.body(()) else { return Ok(()) };
            let mut parts = request.into_parts().0;
            if settle(&mut parts).is_ok() {
                let target = parts.uri.path_and_query().unwrap().as_str();
                let mut head = format!("POST {target} HTTP/1.1\r\n").into_bytes();
                for (name, value) in &parts.headers {
                    head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
                }
                head.extend(b"\r\n");
                prop_assert!(head::judge(&head).is_ok(), "{:?}", String::from_utf8_lossy(&head));
            }
        }
    }
}
