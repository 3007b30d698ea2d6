//! Whether the head of a request may be believed: a pure look at its bytes, stricter than
//! the parser behind it, because two readers that disagree about where a request ends are
//! how one client's request is answered to another.

/// Where the request's body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// After this many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// There is none, and the connection may become something else than HTTP.
    Upgrade,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// A line that does not end in CR LF, or a control character.
    Control,
    /// The first line is no request line of HTTP/1.
    RequestLine,
    /// `CONNECT` is not served.
    Connect,
    /// A line that is no header.
    Header,
    /// The length of the body is missing, odd, or told twice.
    Length,
    /// A transfer coding other than exactly `chunked`.
    Coding,
    /// No host, more than one, or one that contradicts the request line.
    Host,
    /// The chunks of a body are not written as they must be.
    Chunk,
}

/// Judges a head: everything from the first byte of the request line to the empty line,
/// both included.
pub(crate) fn judge(head: &[u8]) -> Result<Body, Malformed> {
    let mut lines = Lines(head);
    let line = lines.next().ok_or(Malformed::RequestLine)??;
    let request = request_line(line)?;
    let mut seen = Seen::default();
    loop {
        let line = lines.next().ok_or(Malformed::Control)??;
        if line.is_empty() {
            break;
        }
        seen.header(line)?;
    }
    seen.verdict(&request)
}

/// The value of a `Content-Length`: digits alone, as many as fit into a number.
pub(crate) fn length(value: &[u8]) -> Result<u64, Malformed> {
    let is_number = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    if !is_number {
        return Err(Malformed::Length);
    }
    Ok(value
        .iter()
        .fold(0, |sum, b| sum * 10 + u64::from(b - b'0')))
}

struct RequestLine<'a> {
    target: &'a [u8],
    is_http_11: bool,
}

fn request_line(line: &[u8]) -> Result<RequestLine<'_>, Malformed> {
    let mut words = line.split(|b| *b == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Malformed::RequestLine);
    };
    let is_http_11 = match version {
        b"HTTP/1.1" => true,
        b"HTTP/1.0" => false,
        _ => return Err(Malformed::RequestLine),
    };
    if method.is_empty() || !method.iter().all(|b| is_token(*b)) {
        return Err(Malformed::RequestLine);
    }
    if method.eq_ignore_ascii_case(b"CONNECT") {
        return Err(Malformed::Connect);
    }
    if target.is_empty() || !target.iter().all(|b| b.is_ascii_graphic() || *b >= 0x80) {
        return Err(Malformed::RequestLine);
    }
    Ok(RequestLine { target, is_http_11 })
}

/// What the headers said of what matters.
#[derive(Default)]
struct Seen<'a> {
    length: Option<u64>,
    chunked: bool,
    host: Option<&'a [u8]>,
    upgrade: bool,
    connection_upgrade: bool,
}

impl<'a> Seen<'a> {
    fn header(&mut self, line: &'a [u8]) -> Result<(), Malformed> {
        let colon = line
            .iter()
            .position(|b| *b == b':')
            .ok_or(Malformed::Header)?;
        let (name, value) = line.split_at(colon);
        // A name that begins with a blank would be a folded line, one that ends with a
        // blank is read differently by different readers.
        if name.is_empty() || !name.iter().all(|b| is_token(*b)) {
            return Err(Malformed::Header);
        }
        // The lengths of the names that matter, so that most headers cost one look.
        if !matches!(name.len(), 4 | 7 | 10 | 14 | 17) {
            return Ok(());
        }
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            self.length(value)?;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed::Coding);
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"host") {
            if self.host.is_some() || value.iter().any(|b| !is_host(*b)) {
                return Err(Malformed::Host);
            }
            self.host = Some(value);
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.upgrade = true;
        } else if name.eq_ignore_ascii_case(b"connection") {
            let mut options = value.split(|b| *b == b',');
            self.connection_upgrade |=
                options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"));
        }
        Ok(())
    }

    fn length(&mut self, value: &[u8]) -> Result<(), Malformed> {
        // Told twice is refused even when both agree: the next reader may think otherwise.
        if self.length.is_some() {
            return Err(Malformed::Length);
        }
        self.length = Some(length(value)?);
        Ok(())
    }

    fn verdict(&self, request: &RequestLine<'_>) -> Result<Body, Malformed> {
        if self.chunked && (self.length.is_some() || !request.is_http_11) {
            return Err(Malformed::Coding);
        }
        if request.is_http_11 && self.host.is_none() {
            return Err(Malformed::Host);
        }
        check_target(request.target, self.host)?;
        if self.chunked {
            return Ok(Body::Chunked);
        }
        match self.length.unwrap_or(0) {
            0 if self.upgrade && self.connection_upgrade && request.is_http_11 => Ok(Body::Upgrade),
            length => Ok(Body::Length(length)),
        }
    }
}

/// A target is a path, `*`, or a whole URL whose host is the one that `Host` names.
fn check_target(target: &[u8], host: Option<&[u8]>) -> Result<(), Malformed> {
    if target.starts_with(b"/") || target == b"*" {
        return Ok(());
    }
    let scheme = target
        .windows(3)
        .position(|w| w == b"://")
        .ok_or(Malformed::RequestLine)?;
    let (name, rest) = target.split_at(scheme);
    if !name.eq_ignore_ascii_case(b"http") && !name.eq_ignore_ascii_case(b"https") {
        return Err(Malformed::RequestLine);
    }
    let rest = rest.get(3..).unwrap_or_default();
    let end = rest
        .iter()
        .position(|b| matches!(b, b'/' | b'?' | b'#'))
        .unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    match host {
        Some(host) if !authority.is_empty() && authority.eq_ignore_ascii_case(host) => Ok(()),
        _ => Err(Malformed::Host),
    }
}

/// Lines that end in CR LF and hold no control character but the tabulator.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = Result<&'a [u8], Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some(end) = self.0.iter().position(|b| is_control(*b)) else {
            return Some(Err(Malformed::Control));
        };
        let (line, rest) = self.0.split_at(end);
        match rest.strip_prefix(b"\r\n") {
            Some(rest) => {
                self.0 = rest;
                Some(Ok(line))
            }
            None => Some(Err(Malformed::Control)),
        }
    }
}

fn is_control(b: u8) -> bool {
    (b < 0x20 && b != b'\t') || b == 0x7f
}

/// RFC 9110 §5.6.2.
fn is_token(b: u8) -> bool {
    const LEGAL: [bool; 256] = {
        let mut legal = [false; 256];
        let mut index = 0;
        while index < 256 {
            #[expect(clippy::cast_possible_truncation, reason = "the index is below 256")]
            let b = index as u8;
            legal[index] = b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                );
            index += 1;
        }
        legal
    };
    LEGAL[usize::from(b)]
}

pub(crate) fn is_host(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~:[]!$&'()*+;=%".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected: Result<Body, Malformed>) {
        assert_eq!(judge(head.as_bytes()), expected, "{head:?}");
    }

    #[test]
    fn good_heads() {
        check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Ok(Body::Length(0)));
        check("GET / HTTP/1.0\r\n\r\n", Ok(Body::Length(0)));
        check(
            "OPTIONS * HTTP/1.1\r\nhost: a:80\r\n\r\n",
            Ok(Body::Length(0)),
        );
        check(
            "GET http://A/x HTTP/1.1\r\nHost: a\r\n\r\n",
            Ok(Body::Length(0)),
        );
        check(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n",
            Ok(Body::Length(12)),
        );
        check(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:  Chunked \r\n\r\n",
            Ok(Body::Chunked),
        );
        check(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
            Ok(Body::Upgrade),
        );
        check(
            "GET /\u{e4} HTTP/1.1\r\nHost: a\r\nX: \u{e4}\tb\r\n\r\n",
            Ok(Body::Length(0)),
        );
    }

    #[test]
    fn bad_heads() {
        use Malformed::{Coding, Connect, Control, Header, Host, Length, RequestLine};
        for (head, expected) in [
            ("GET / HTTP/1.1\nHost: a\n\n", Control),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", Control),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", Control),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", Control),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\r\n\r\n", Control),
            ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", RequestLine),
            ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", RequestLine),
            ("GET /\r\nHost: a\r\n\r\n", RequestLine),
            ("PRI * HTTP/2.0\r\n\r\n", RequestLine),
            ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", RequestLine),
            ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", RequestLine),
            ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", RequestLine),
            ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", Connect),
            ("GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n", Header),
            ("GET / HTTP/1.1\r\nHost: a\r\n\tfolded\r\n\r\n", Header),
            ("GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", Header),
            ("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", Header),
            ("GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", Header),
            ("GET / HTTP/1.1\r\n\r\n", Host),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Host),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Host),
            ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", Host),
            ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", Host),
            ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", Host),
            ("GET http://a/ HTTP/1.0\r\n\r\n", Host),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                Length,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                Length,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
                Length,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
                Length,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
                Length,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n",
                Length,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n",
                Length,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n",
                Length,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                Coding,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
                Coding,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                Coding,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
                Coding,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                Coding,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
                Coding,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
                Coding,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n",
                Coding,
            ),
            (
                "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                Coding,
            ),
        ] {
            check(head, Err(expected));
        }
    }
}
