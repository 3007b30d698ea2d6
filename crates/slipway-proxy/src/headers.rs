//! What is done to headers on the way: those that concern one connection only are taken
//! out, both ways; who asked, by which name and how is told to the target.

use std::net::IpAddr;

use http::header::{self, Entry, HeaderMap, HeaderName, HeaderValue};

use crate::connection::Door;
use crate::line::Line;

/// The header of testers.
pub(crate) const PREVIEW: HeaderName = HeaderName::from_static("slipway-preview");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// Tells requests apart.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const HTTP: HeaderValue = HeaderValue::from_static("http");
const HTTPS: HeaderValue = HeaderValue::from_static("https");

/// Whether the client asks to turn the connection into something else.
pub(crate) fn asks_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
        && headers
            .get_all(header::CONNECTION)
            .iter()
            .any(|value| options(value).any(|option| option.eq_ignore_ascii_case("upgrade")))
}

/// Takes out what concerns one connection only.
pub(crate) fn strip(headers: &mut HeaderMap) {
    strip_named(headers);
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::UPGRADE);
    headers.remove(KEEP_ALIVE);
    headers.remove(PROXY_CONNECTION);
}

/// Takes out `Connection` and every header that it names.
fn strip_named(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CONNECTION) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(options)
        .filter_map(|name| name.parse().ok())
        .filter(|name| !is_needed(name))
        .collect();
    headers.remove(header::CONNECTION);
    for name in named {
        headers.remove(name);
    }
}

/// Headers that frame or address a message are never one connection's own.
fn is_needed(name: &HeaderName) -> bool {
    [header::HOST, header::CONTENT_LENGTH, header::TE].contains(name)
}

/// The comma-separated words of a header.
fn options(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(str::trim)
}

/// Makes a request's headers what the target is to see.
pub(crate) fn for_target(headers: &mut HeaderMap, line: &Line) {
    let upgrade = asks_upgrade(headers).then(|| headers.get(header::UPGRADE).cloned());
    strip(headers);
    if let Some(Some(protocol)) = upgrade {
        headers.insert(header::UPGRADE, protocol);
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
    if headers.contains_key(header::TE) {
        keep_trailers(headers);
    }
    headers.remove(header::EXPECT);
    headers.remove(header::PROXY_AUTHORIZATION);
    headers.remove(PREVIEW);
    forwarding(headers, line);
    if !headers.get(REQUEST_ID).is_some_and(is_sane_id) {
        headers.insert(REQUEST_ID, line.worker.request_id());
    }
}

/// Of everything that `TE` can say, only that trailers are welcome goes on.
fn keep_trailers(headers: &mut HeaderMap) {
    let welcome = headers
        .get_all(header::TE)
        .iter()
        .flat_map(options)
        .any(|option| option.eq_ignore_ascii_case("trailers"));
    headers.remove(header::TE);
    if welcome {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// The client's address: the peer's, or what a trusted peer says: the last one that is not
/// trusted itself, else the first of all.
pub(crate) fn client_address(headers: &HeaderMap, line: &Line) -> IpAddr {
    let peer = line.peer.ip().to_canonical();
    if !line.is_trusted {
        return peer;
    }
    let trust = &line.worker.plane.trust;
    let mut client = peer;
    for value in headers.get_all(FORWARDED_FOR).iter().rev() {
        for said in value.to_str().unwrap_or_default().rsplit(',') {
            let Ok(address) = said.trim().parse::<IpAddr>() else {
                return client;
            };
            client = address.to_canonical();
            if !trust.believes(client) {
                return client;
            }
        }
    }
    client
}

/// Whether the client came over TLS: to this proxy, or to whoever is trusted in front of it.
pub(crate) fn is_secure(headers: &HeaderMap, line: &Line) -> bool {
    line.door == Door::Secure
        || line.is_trusted
            && headers
                .get(FORWARDED_PROTO)
                .is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
}

fn forwarding(headers: &mut HeaderMap, line: &Line) {
    let proto = match line.door {
        Door::Plain => HTTP,
        Door::Secure => HTTPS,
    };
    let mut known = line.forwarding.borrow_mut();
    if line.is_trusted {
        append(headers, FORWARDED_FOR, &known.address);
        headers.entry(FORWARDED_PROTO).or_insert(proto);
    } else {
        disbelieve(headers);
        headers.insert(FORWARDED_FOR, known.address.clone());
        headers.insert(FORWARDED_PROTO, proto);
    }
    let Some(host) = headers.get(header::HOST).cloned() else {
        return;
    };
    let forwarded = match &known.last {
        Some((last, forwarded)) if *last == host => forwarded.clone(),
        _ => {
            let forwarded = forwarded(line.peer.ip().to_canonical(), &host, line.door);
            // Copied: a shared value would keep the whole buffer that the request came in.
            if let Ok(own) = HeaderValue::from_bytes(host.as_bytes()) {
                known.last = Some((own, forwarded.clone()));
            }
            forwarded
        }
    };
    append(headers, header::FORWARDED, &forwarded);
    headers.entry(FORWARDED_HOST).or_insert(host);
}

/// Takes out everything that a peer says of where a request came from and by which way.
fn disbelieve(headers: &mut HeaderMap) {
    let says =
        |name: &str| name.starts_with("x-forwarded-") || name == "forwarded" || name == "x-real-ip";
    // What stands behind a gateway interface reads `X_Forwarded_For` as the same.
    let is_said = |name: &&HeaderName| {
        let name = name.as_str();
        says(name) || name.contains('_') && says(&name.replace('_', "-"))
    };
    let said: Vec<HeaderName> = headers.keys().filter(is_said).cloned().collect();
    for name in said {
        headers.remove(name);
    }
}

/// One element of RFC 7239.
fn forwarded(peer: IpAddr, host: &HeaderValue, door: Door) -> HeaderValue {
    let proto = match door {
        Door::Plain => "http",
        Door::Secure => "https",
    };
    let by = match peer {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("\"[{address}]\""),
    };
    let host = host.to_str().unwrap_or_default();
    HeaderValue::from_str(&format!("for={by};host=\"{host}\";proto={proto}"))
        .unwrap_or(HeaderValue::from_static("for=unknown"))
}

/// Adds an element to a comma-separated header.
pub(crate) fn append(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue) {
    match headers.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(value.clone());
        }
        Entry::Occupied(mut entry) => {
            let mut all: Vec<u8> = Vec::new();
            for before in entry.iter() {
                all.extend_from_slice(before.as_bytes());
                all.extend_from_slice(b", ");
            }
            all.extend_from_slice(value.as_bytes());
            let joined = HeaderValue::from_bytes(&all).unwrap_or_else(|_| value.clone());
            entry.insert(joined);
        }
    }
}

/// An id that is short and cannot mean anything in a log.
fn is_sane_id(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (8..=128).contains(&bytes.len())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

/// Makes an answer's headers what the client is to see.
pub(crate) fn for_client(headers: &mut HeaderMap, is_upgrade: bool) {
    let protocol = if is_upgrade {
        headers.get(header::UPGRADE).cloned()
    } else {
        None
    };
    // RFC 9112 §6.3: beside a coding a length means nothing, and must not go on.
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    strip(headers);
    if let Some(protocol) = protocol {
        headers.insert(header::UPGRADE, protocol);
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
    headers.remove(header::PROXY_AUTHENTICATE);
}

/// Whether an answer makes a WebSocket of the connection.
pub(crate) fn is_websocket(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Whether an answer is a stream of events, which may be silent.
pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

/// A host name as routes know it: lower case, without port and last dot.
pub(crate) fn host_name(value: &str) -> std::borrow::Cow<'_, str> {
    let name = match value.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => value,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        name.to_ascii_lowercase().into()
    } else {
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_lose_case_port_and_last_dot() {
        for (value, name) in [
            ("a.test", "a.test"),
            ("A.Test:80", "a.test"),
            ("a.test.:8080", "a.test"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(host_name(value), name, "{value}");
        }
    }

    #[test]
    fn what_connection_names_goes_with_it() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Private"),
            ("connection", "te, host"),
            ("x-private", "1"),
            ("keep-alive", "5"),
            ("proxy-connection", "close"),
            ("host", "a"),
            ("x-public", "2"),
        ] {
            headers.append(
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_static(value),
            );
        }
        strip(&mut headers);
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["host", "x-public"]);
    }

    #[test]
    fn sane_ids() {
        assert!(is_sane_id(&HeaderValue::from_static("0198-abcd_EF.1")));
        assert!(!is_sane_id(&HeaderValue::from_static("short")));
        assert!(!is_sane_id(&HeaderValue::from_static(
            "with space and more"
        )));
    }
}
