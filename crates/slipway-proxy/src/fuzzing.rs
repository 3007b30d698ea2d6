//! What every reader of foreign bytes must hold, whatever the bytes: for the fuzzer, which sets
//! `cfg(fuzzing)` (`fuzz/`), and for the property tests below, which run with all others. Never
//! part of what ships. A function that returns has found nothing; one that panics has.

use std::net::IpAddr;
use std::time::Instant;

use http::{HeaderValue, Request};

use crate::announce;
use crate::chatter::Chatter;
use crate::disk;
use crate::frames::Frames;
use crate::head;
use crate::headers;
use crate::network::Network;
use crate::reader::{Reader, Verdict};
use crate::split;
use crate::streamed;

/// More than any input, so that a head is never left to the parser behind.
const HEAD_BYTES: usize = 1 << 20;

/// The reader of HTTP/1: whether something is refused does not depend on how it is cut, and
/// what is let through is no longer than what came.
pub fn reader(bytes: &[u8]) {
    let whole = refused_at(bytes, bytes.len().max(1));
    for cut in [1, 2, 7] {
        let pieces = refused_at(bytes, cut);
        assert_eq!(whole.is_some(), pieces.is_some(), "cut by {cut}");
        assert!(pieces.is_none_or(|at| at <= bytes.len()));
    }
}

fn refused_at(bytes: &[u8], cut: usize) -> Option<usize> {
    let mut reader = Reader::new(HEAD_BYTES);
    let mut before = 0;
    for piece in bytes.chunks(cut) {
        if let Verdict::Until(at, _) = reader.follow(piece) {
            assert!(at <= piece.len());
            return Some(before + at);
        }
        before += piece.len();
    }
    None
}

/// The judge of a head: what it takes has no control character beside the ends of its lines,
/// one host at most and no two ways to tell where the body ends.
pub fn head(bytes: &[u8]) {
    let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
        return;
    };
    let bytes = bytes.get(..end + 4).unwrap_or_default();
    if head::judge(bytes).is_err() {
        return;
    }
    let lower = bytes.to_ascii_lowercase();
    let lines: Vec<&[u8]> = lower.split(|b| *b == b'\n').collect();
    let count = |name: &[u8]| lines.iter().filter(|line| line.starts_with(name)).count();
    assert!(
        lines
            .iter()
            .all(|line| line.is_empty() || line.ends_with(b"\r"))
    );
    assert!(!bytes.contains(&0));
    assert!(count(b"host:") <= 1);
    assert!(count(b"content-length:") + count(b"transfer-encoding:") <= 1);
}

/// A head of HTTP/2: fields, one a line, the first the method, the second the target. What is
/// settled is a good head of HTTP/1.1.
pub fn streamed(bytes: &[u8]) {
    let mut fields = bytes.split(|b| *b == b'\n');
    let (method, target) = (fields.next().unwrap_or(b"GET"), fields.next());
    let mut request = Request::builder()
        .method(method)
        .uri(target.unwrap_or(b"https://a/"));
    for field in fields {
        let mut parts = field.splitn(2, |b| *b == b':');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next());
        request = request.header(name, value.unwrap_or_default());
    }
    let Ok(request) = request.body(()) else {
        return;
    };
    let mut parts = request.into_parts().0;
    // The library below lets none of these through (RFC 9113 §8.2.2).
    for name in ["connection", "transfer-encoding", "upgrade"] {
        parts.headers.remove(name);
    }
    if streamed::settle(&mut parts).is_err() {
        return;
    }
    let target = parts
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\n", parts.method).into_bytes();
    for (name, value) in &parts.headers {
        head.extend_from_slice(
            &[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat(),
        );
    }
    head.extend_from_slice(b"\r\n");
    assert!(
        head::judge(&head).is_ok(),
        "{:?}",
        String::from_utf8_lossy(&head)
    );
}

/// The follower of HTTP/2's frames: the cuts do not matter, and a flood has an end.
pub fn chatter(bytes: &[u8]) {
    let now = Instant::now();
    let whole = Chatter::new(now).follow(bytes, now);
    for cut in [1, 5, 64] {
        let mut pieces = Chatter::new(now);
        let pieces = bytes
            .chunks(cut)
            .try_for_each(|piece| pieces.follow(piece, now));
        assert_eq!(whole, pieces, "cut by {cut}");
    }
}

/// The follower of WebSocket frames: the cuts do not matter.
pub fn frames(bytes: &[u8]) {
    let mut whole = Frames::default();
    whole.follow(bytes);
    for cut in [1, 3, 64] {
        let mut pieces = Frames::default();
        bytes.chunks(cut).for_each(|piece| pieces.follow(piece));
        assert_eq!(whole.is_between(), pieces.is_between(), "cut by {cut}");
    }
}

/// Announcements of the PROXY protocol: never of both versions.
pub fn announce(bytes: &[u8]) {
    let first = announce::version_1(bytes);
    let second = announce::version_2(bytes);
    assert!(first.is_err() || second.is_err());
}

/// A routing table on disk: what can be served is served the same after it was written.
pub fn table(bytes: &[u8]) {
    let Ok(table) = disk::parse(bytes) else {
        return;
    };
    let written = serde_json::to_vec(&table).unwrap_or_default();
    assert!(disk::parse(&written).is_ok_and(|again| again == table));
}

/// Networks, host names and cookies, as they are written in files and headers.
pub fn words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(network) = text.parse::<Network>() {
        assert_eq!(network.to_string().parse(), Ok(network));
        let address = text
            .split('/')
            .next()
            .and_then(|a| a.parse::<IpAddr>().ok());
        assert!(address.is_some_and(|address| network.contains(address)));
    }
    let name = headers::host_name(text);
    assert!(!name.bytes().any(|b| b.is_ascii_uppercase()));
    if let Ok(value) = HeaderValue::from_bytes(bytes)
        && let Some(cookie) = split::cookie(&value, "slipway-visitor")
    {
        assert!(text.contains(cookie) && !cookie.contains(';'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Pieces of what is read, so that chance comes further than to the first byte.
    const PIECES: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n",
        b"POST ",
        b"https://a/",
        b"*",
        b" HTTP/1.0\r\n",
        b"Host: a\r\n",
        b"host:b\n",
        b"Content-Length: 5\r\n",
        b"content-length:5\n",
        b"content-length:+5\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: upgrade\r\nUpgrade: x\r\n",
        b"\r\n\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b";x=\"y\"",
        b"cookie:a=1\n",
        b"hello",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\0\x08\x06\0\0\0\0\0abcdefgh",
        b"\0\0\0\x04\0\0\0\0\0",
        b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08",
        b"\x81\x05hello",
        b"\x88\x82\x01\x02\x03\x04ab",
        b"\x82\x7e\x01\x00",
        b"PROXY TCP4 ",
        b"192.0.2.1 198.51.100.1 1 2\r\n",
        b"PROXY UNKNOWN\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c",
        b"192.0.2.1/32",
        b"2001:db8::/32",
        b"/8",
        b"{\"generation\": 1, \"routes\": {}}",
        b"{\"generation\": 1",
        b", \"routes\": {\"web\": {}}}",
        b"slipway-visitor=abc; ",
        b"a.Test:80",
        b"[::1]",
        b".",
    ];

    fn anything() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => prop::sample::select(PIECES).prop_map(<[u8]>::to_vec),
            1 => prop::collection::vec(any::<u8>(), 0..12),
        ];
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn every_reader_of_foreign_bytes_holds_what_it_must(bytes in anything()) {
            for target in [reader, head, streamed, chatter, frames, announce, table, words] {
                target(&bytes);
            }
        }
    }

    #[test]
    fn a_good_head_is_looked_at_to_its_end() {
        head(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
        streamed(b"POST\nhttps://a/x\nhost:a\ncontent-length:5\ncookie:a\ncookie:b");
        table(br#"{"generation": 1, "routes": {}}"#);
    }
}
