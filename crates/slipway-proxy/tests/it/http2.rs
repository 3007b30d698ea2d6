//! HTTP/2 in: what honest clients do, by a client's library; and what no honest client does,
//! frame by frame.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use slipway_proxy::Limits;
use testkit::wait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::caller::{Body, SOON, whole};
use crate::safe::{NAME, Safe};

const SHORT: Duration = Duration::from_millis(300);
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

async fn caller(safe: &Safe) -> SendRequest<Body> {
    let stream = safe.connect("h2").await;
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

fn request(method: Method, path: &str, content: impl Into<Bytes>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(format!("https://{NAME}{path}"))
        .body(whole(content))
        .unwrap()
}

async fn ask(sender: &mut SendRequest<Body>, request: Request<Body>) -> (StatusCode, Bytes) {
    let asked = async {
        let answer = sender.send_request(request).await.unwrap();
        let status = answer.status();
        (
            status,
            answer.into_body().collect().await.unwrap().to_bytes(),
        )
    };
    tokio::time::timeout(SOON, asked).await.unwrap()
}

#[tokio::test]
async fn many_requests_are_answered_at_once_on_one_connection() {
    let safe = Safe::start().await;
    let sender = caller(&safe).await;
    let mut waiting = Vec::new();
    for _ in 0..100 {
        let mut sender = sender.clone();
        waiting.push(tokio::spawn(async move {
            ask(&mut sender, request(Method::POST, "/gate", "x")).await
        }));
    }
    let all = wait::answer(SOON, async || {
        (safe.origin.in_flight() == 100).then_some(())
    })
    .await;
    assert!(all.is_some(), "{} at once", safe.origin.in_flight());
    safe.origin.open_gate();
    for waiting in waiting {
        let (status, body) = waiting.await.unwrap();
        assert_eq!((status, &body[..]), (StatusCode::OK, &b"through"[..]));
    }
    let stats = safe
        .proxy
        .until_pool("r1", "all ended", |pool| pool.served == 100)
        .await;
    assert_eq!((stats.failed, stats.abandoned, stats.in_flight), (0, 0, 0));
}

#[tokio::test]
async fn bodies_and_trailers_arrive_whole_both_ways() {
    let safe = Safe::start().await;
    let mut sender = caller(&safe).await;
    let content = vec![7; 3_000_000];
    let expected = testkit::origin::sum_of(&content);
    let (status, said) = ask(&mut sender, request(Method::POST, "/sum", content)).await;
    assert_eq!((status, &said[..]), (StatusCode::OK, expected.as_bytes()));
    let (_, body) = ask(&mut sender, request(Method::GET, "/bytes/3000000", "")).await;
    assert_eq!(body.len(), 3_000_000);
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("5"));
    let body = whole("hello").with_trailers(async { Some(Ok(trailers)) });
    let mut asked = request(Method::POST, "/trailers", "").map(|_| body.boxed_unsync());
    for (name, value) in [("te", "trailers"), ("trailer", "x-sum")] {
        let value = HeaderValue::from_static(value);
        asked.headers_mut().insert(name, value);
    }
    let answer = sender.send_request(asked).await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    let collected = answer.into_body().collect().await.unwrap();
    assert!(collected.trailers().is_some_and(|t| !t.is_empty()));
}

#[tokio::test]
async fn the_target_sees_http_1_with_one_host_and_one_line_of_cookies() {
    let safe = Safe::start().await;
    let mut sender = caller(&safe).await;
    let mut asked = request(Method::GET, "/headers", "");
    for crumb in ["a=1", "b=2"] {
        let crumb = HeaderValue::from_static(crumb);
        asked.headers_mut().append("cookie", crumb);
    }
    let (_, said) = ask(&mut sender, asked).await;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains(r#"["host","app.test"]"#), "{said}");
    assert!(said.contains(r#"["cookie","a=1; b=2"]"#), "{said}");
    assert!(said.contains(r#"["x-forwarded-proto","https"]"#), "{said}");
    assert!(said.contains("GET /headers HTTP/1.1"), "{said}");
}

#[tokio::test]
async fn a_request_that_stands_still_does_not_hold_up_the_others() {
    let limits = Limits {
        body_idle: SHORT,
        ..Limits::default()
    };
    let safe = Safe::start_so(|options| options.limits = limits).await;
    let mut raw = Raw::connect(&safe).await;
    let stalled = [
        (":method", "POST"),
        (":path", "/sum"),
        ("content-length", "9"),
    ];
    raw.open(1, &stalled, END_HEADERS).await;
    let mut said = Vec::new();
    // Others are answered meanwhile.
    for stream in [3, 5, 7] {
        raw.open(
            stream,
            &[(":method", "GET"), (":path", "/")],
            END_STREAM | END_HEADERS,
        )
        .await;
        said.push(raw.until(stream, DATA).await);
    }
    assert_eq!(said.last().unwrap(), b"hello");
    raw.until(1, HEADERS).await;
    raw.open(
        9,
        &[(":method", "GET"), (":path", "/")],
        END_STREAM | END_HEADERS,
    )
    .await;
    assert_eq!(raw.until(9, DATA).await, b"hello");
    let stats = safe
        .proxy
        .until_pool("r1", "all ended", |pool| pool.served == 5)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 1));
}

#[tokio::test]
async fn a_body_that_drips_in_is_taken_as_long_as_it_moves() {
    let limits = Limits {
        body_idle: SHORT,
        ..Limits::default()
    };
    let safe = Safe::start_so(|options| options.limits = limits).await;
    let mut raw = Raw::connect(&safe).await;
    let slow = [
        (":method", "POST"),
        (":path", "/sum"),
        ("content-length", "10"),
    ];
    raw.open(1, &slow, END_HEADERS).await;
    // Together they take longer than a body may stand still; nothing comes back meanwhile
    // but what is said of the connection.
    for left in (0..10).rev() {
        let flags = if left == 0 { END_STREAM } else { 0 };
        let piece = frame(DATA, flags, 1, b"x");
        raw.stream.write_all(&piece).await.unwrap();
        let quiet = raw.until(1, RST_STREAM);
        let quiet = tokio::time::timeout(SHORT / 4, quiet).await;
        if left > 0 {
            assert!(quiet.is_err(), "it is reset with {left} bytes to come");
        }
    }
    let stats = safe
        .proxy
        .until_pool("r1", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 0));
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_request_and_no_other() {
    let limits = Limits {
        body_idle: SHORT,
        ..Limits::default()
    };
    let safe = Safe::start_so(|options| options.limits = limits).await;
    let mut raw = Raw::connect(&safe).await;
    let large = [(":method", "GET"), (":path", "/bytes/10000000")];
    raw.open(1, &large, END_STREAM | END_HEADERS).await;
    // The window of the stream is full long before the answer is.
    raw.until(1, RST_STREAM).await;
    let stats = safe
        .proxy
        .until_pool("r1", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 1));
    // That of the connection is full as well: what has no body comes still.
    let none = [(":method", "HEAD"), (":path", "/")];
    raw.open(3, &none, END_STREAM | END_HEADERS).await;
    raw.until(3, HEADERS).await;
}

#[tokio::test]
async fn an_idle_connection_is_told_to_go() {
    let limits = Limits {
        keep_alive: SHORT,
        drain_idle: SHORT,
        ..Limits::default()
    };
    let safe = Safe::start_so(|options| options.limits = limits).await;
    let mut raw = Raw::connect(&safe).await;
    raw.open(
        1,
        &[(":method", "GET"), (":path", "/")],
        END_STREAM | END_HEADERS,
    )
    .await;
    raw.until(1, DATA).await;
    raw.until(0, GOAWAY).await;
    raw.ended().await;
}

#[tokio::test]
async fn requests_in_flight_are_finished_when_the_proxy_ends() {
    let safe = Safe::start().await;
    let mut sender = caller(&safe).await;
    let mut second = sender.clone();
    let waiting =
        tokio::spawn(async move { ask(&mut second, request(Method::POST, "/gate", "x")).await });
    let begun = wait::answer(SOON, async || (safe.origin.in_flight() == 1).then_some(())).await;
    assert!(begun.is_some());
    safe.proxy.request_end();
    // No further request is taken, once the word has come.
    let refused = wait::answer(SOON, async || {
        let asked = sender.send_request(request(Method::GET, "/", "")).await;
        asked.is_err().then_some(())
    })
    .await;
    assert!(refused.is_some(), "the connection takes requests for ever");
    safe.origin.open_gate();
    assert_eq!(waiting.await.unwrap().0, StatusCode::OK);
    safe.proxy.stop().await;
}

#[tokio::test]
async fn what_an_origin_could_read_in_two_ways_is_refused() {
    let safe = Safe::start().await;
    let post = [(":method", "POST"), (":path", "/sum")];
    for odd in [
        &[("content-length", "4"), ("content-length", "5")][..],
        &[("content-length", "+4")],
        &[("content-length", "4, 4")],
        &[("transfer-encoding", "chunked")],
        &[("connection", "close")],
        &[("upgrade", "websocket")],
        &[("te", "gzip")],
        &[("host", "other.test")],
        &[("X-Upper", "1")],
        &[("x-line", "a\r\nx-smuggled: 1")],
        &[("x-null", "a\0b")],
        &[("x bad", "1")],
    ] {
        let mut raw = Raw::connect(&safe).await;
        let all: Vec<_> = post.iter().chain(odd).copied().collect();
        raw.open(1, &all, END_HEADERS | END_STREAM).await;
        let (kind, payload) = raw.first_of(1).await;
        // A reset, or the status 400 by its place in the static table of HPACK.
        let is_refused = kind == RST_STREAM || kind == HEADERS && payload.first() == Some(&0x8c);
        assert!(is_refused, "{odd:?}: type {kind}, {payload:?}");
    }
    assert_eq!(safe.origin.all_requests(), 0);
}

#[tokio::test]
async fn heads_have_a_largest_size_and_number() {
    let safe = Safe::start().await;
    let mut sender = caller(&safe).await;
    let mut asked = request(Method::GET, "/", "");
    for _ in 0..101 {
        asked
            .headers_mut()
            .append("x", HeaderValue::from_static("y"));
    }
    let (status, _) = ask(&mut sender, asked).await;
    assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let mut asked = request(Method::GET, "/", "");
    let long = HeaderValue::try_from("x".repeat(70_000)).unwrap();
    asked.headers_mut().append("x", long);
    let answer = sender.send_request(asked).await;
    let is_refused = match &answer {
        Ok(answer) => answer.status() == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Err(_) => true,
    };
    assert!(is_refused, "{answer:?}");
    assert_eq!(safe.origin.all_requests(), 0);
}

#[tokio::test]
async fn requests_at_once_have_an_end() {
    let limits = Limits {
        streams: 10,
        ..Limits::default()
    };
    let safe = Safe::start_so(|options| options.limits = limits).await;
    let mut raw = Raw::connect(&safe).await;
    for stream in 0..20 {
        let gate = [(":method", "GET"), (":path", "/gate")];
        raw.open(stream * 2 + 1, &gate, END_STREAM | END_HEADERS)
            .await;
    }
    let refused = raw.until(39, RST_STREAM).await;
    assert_eq!(refused, [0, 0, 0, 7], "REFUSED_STREAM");
    assert!(safe.origin.most_in_flight() <= 10);
}

/// Sends until the proxy has had enough, and sees that it serves others still.
async fn flood(safe: &Safe, mut next: impl FnMut(u32) -> Vec<u8>) -> u32 {
    let mut raw = Raw::connect(safe).await;
    let mut sent = 0;
    let ended = async {
        let mut piece = [0; 4096];
        while sent < 1_000_000 {
            let frames = next(sent);
            sent += 1;
            if raw.stream.write_all(&frames).await.is_err() {
                return;
            }
            // What comes back is read, so that nobody waits for anybody.
            if sent % 50 == 0 {
                let read =
                    tokio::time::timeout(Duration::from_millis(1), raw.stream.read(&mut piece));
                if matches!(read.await, Ok(Ok(0) | Err(_))) {
                    return;
                }
            }
        }
        panic!("a flood of {sent} goes on");
    };
    tokio::time::timeout(Duration::from_secs(60), ended)
        .await
        .unwrap();
    let (status, _) = ask(&mut caller(safe).await, request(Method::GET, "/", "")).await;
    assert_eq!(status, StatusCode::OK);
    sent
}

#[tokio::test]
async fn floods_end_and_others_are_served() {
    let safe = Safe::start().await;
    let ping = |_| frame(PING, 0, 0, &[0; 8]);
    let settings = |_| frame(SETTINGS, 0, 0, &[]);
    let priority = |_| frame(2, 0, 1, &[0, 0, 0, 3, 1]);
    let empty = |sent: u32| match sent {
        0 => head(1, &[(":method", "POST"), (":path", "/sum")], END_HEADERS),
        _ => frame(DATA, 0, 1, &[]),
    };
    let continuation = |sent: u32| match sent {
        0 => head(1, &[(":method", "GET"), (":path", "/")], 0),
        _ => frame(CONTINUATION, 0, 1, &[0; 16]),
    };
    flood(&safe, ping).await;
    flood(&safe, settings).await;
    flood(&safe, priority).await;
    flood(&safe, empty).await;
    flood(&safe, continuation).await;
}

#[tokio::test]
async fn a_rapid_reset_costs_the_origin_little() {
    let safe = Safe::start().await;
    let reset = |sent: u32| {
        let stream = sent * 2 + 1;
        let mut frames = head(
            stream,
            &[(":method", "GET"), (":path", "/gate")],
            END_STREAM | END_HEADERS,
        );
        frames.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
        frames
    };
    flood(&safe, reset).await;
    let reached = safe.origin.all_requests();
    assert!(reached < 300, "{reached} requests reached the origin");
    let gone = wait::answer(SOON, async || (safe.origin.in_flight() == 0).then_some(())).await;
    assert!(
        gone.is_some(),
        "{} requests are held",
        safe.origin.in_flight()
    );
}

/// A client that writes frames.
struct Raw {
    stream: TlsStream<TcpStream>,
}

impl Raw {
    async fn connect(safe: &Safe) -> Self {
        let mut stream = safe.connect("h2").await;
        let mut begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        begin.extend(frame(SETTINGS, 0, 0, &[]));
        stream.write_all(&begin).await.unwrap();
        Self { stream }
    }

    async fn open(&mut self, stream: u32, headers: &[(&str, &str)], flags: u8) {
        let frame = head(stream, headers, flags);
        self.stream.write_all(&frame).await.unwrap();
    }

    async fn next(&mut self) -> Option<(u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        let read = self.stream.read_exact(&mut head);
        tokio::time::timeout(SOON, read).await.unwrap().ok()?;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |all, b| all << 8 | u32::from(*b));
        let mut payload = vec![0; number(&head[..3]) as usize];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some((head[3], number(&head[5..]), payload))
    }

    /// Reads until such a frame came, and gives what it holds.
    async fn until(&mut self, stream: u32, kind: u8) -> Vec<u8> {
        loop {
            let (of, on, payload) = self.next().await.unwrap();
            if (of, on) == (kind, stream) && !(kind == DATA && payload.is_empty()) {
                return payload;
            }
        }
    }

    /// The first frame of a stream, or the end of the connection as if it was a reset.
    async fn first_of(&mut self, stream: u32) -> (u8, Vec<u8>) {
        loop {
            match self.next().await {
                Some((kind, on, payload)) if on == stream => return (kind, payload),
                Some((GOAWAY, ..)) | None => return (RST_STREAM, Vec::new()),
                Some(_) => {}
            }
        }
    }

    async fn ended(&mut self) {
        while self.next().await.is_some() {}
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A head, every header written out as it is (RFC 7541 §6.2.2).
fn head(stream: u32, headers: &[(&str, &str)], flags: u8) -> Vec<u8> {
    let all = [(":scheme", "https"), (":authority", NAME)];
    let (pseudo, others): (Vec<_>, Vec<_>) = headers.iter().partition(|(n, _)| n.starts_with(':'));
    let mut block = Vec::new();
    for (name, value) in all.iter().chain(pseudo).chain(others) {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    frame(HEADERS, flags, stream, &block)
}
